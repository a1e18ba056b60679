// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Changes the connection table of a namespace as the command conntrack does, without a process for
 * each change (linux/netfilter/nfnetlink_conntrack.h).
 */
final class Ctnetlink implements AutoCloseable {
  private static final int AF_NETLINK = 16;
  private static final int NETLINK_NETFILTER = 12;
  private static final int NEW = 1 << 8;
  private static final int DELETE = 1 << 8 | 2;
  private static final int NLM_F_REQUEST = 1;
  private static final int NLM_F_ACK = 4;
  private static final int NLM_F_EXCL = 0x200;
  private static final int NLM_F_CREATE = 0x400;

  private static final int NESTED = 0x8000;
  private static final int CTA_TUPLE_ORIG = 1;
  private static final int CTA_TUPLE_REPLY = 2;
  private static final int CTA_TIMEOUT = 7;
  private static final int CTA_TUPLE_IP = 1;
  private static final int CTA_TUPLE_PROTO = 2;
  private static final int UDP = 17;
  private static final int SECONDS = 100;

  private final int socket =
      Libc.socket(AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, NETLINK_NETFILTER);
  private final ByteBuffer message = ByteBuffer.allocate(512).order(ByteOrder.BIG_ENDIAN);

  /** Deletes every entry of IPv4. */
  void flush() throws IOException {
    begin(DELETE, NLM_F_REQUEST | NLM_F_ACK);
    send();
  }

  /** Adds an UDP entry from {@code address} to itself. */
  void add(int address, int sourcePort) throws IOException {
    begin(NEW, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    tuple(CTA_TUPLE_ORIG, address, sourcePort, 1);
    tuple(CTA_TUPLE_REPLY, address, 1, sourcePort);
    attribute(CTA_TIMEOUT, 4).putInt(SECONDS);
    send();
  }

  private void begin(int type, int flags) {
    message.clear();
    message.order(ByteOrder.nativeOrder());
    message.putInt(0).putShort((short) type).putShort((short) flags).putInt(1).putInt(0);
    message.order(ByteOrder.BIG_ENDIAN);
    message.put((byte) Libc.AF_INET).put((byte) 0).putShort((short) 0);
  }

  private void tuple(int type, int address, int sourcePort, int destinationPort) {
    attribute(type | NESTED, 4 + 16 + 4 + 24);
    attribute(CTA_TUPLE_IP | NESTED, 16);
    attribute(1, 4).putInt(address);
    attribute(2, 4).putInt(address);
    attribute(CTA_TUPLE_PROTO | NESTED, 24);
    attribute(1, 1).put((byte) UDP).put(new byte[3]);
    attribute(2, 2).putShort((short) sourcePort).putShort((short) 0);
    attribute(3, 2).putShort((short) destinationPort).putShort((short) 0);
  }

  /** Begins a struct nlattr; its length and type are in host order. */
  private ByteBuffer attribute(int type, int length) {
    message.order(ByteOrder.nativeOrder());
    message.putShort((short) (4 + length)).putShort((short) type);
    return message.order(ByteOrder.BIG_ENDIAN);
  }

  private void send() throws IOException {
    message.order(ByteOrder.nativeOrder());
    message.putInt(0, message.position());
    Libc.write(socket, message.array(), message.position());
    byte[] answer = new byte[1024];
    Libc.read(socket, answer, answer.length);
    // struct nlmsgerr behind the header: 0, or an error number below 0.
    int error = ByteBuffer.wrap(answer).order(ByteOrder.nativeOrder()).getInt(16);
    if (error != 0) {
      throw new IOException("ctnetlink: error " + -error);
    }
  }

  @Override
  public void close() {
    Libc.close(socket);
  }
}
