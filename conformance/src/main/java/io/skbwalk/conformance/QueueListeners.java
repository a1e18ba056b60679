// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import com.sun.jna.LastErrorException;
import io.skbwalk.host.HostDescription;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The programs that listen on queues of NFQUEUE in the calling thread's namespace, over one
 * nfnetlink socket (linux/netfilter/nfnetlink_queue.h).
 */
final class QueueListeners implements AutoCloseable {
  private static final int NETLINK_NETFILTER = 12;
  private static final int NLM_F_REQUEST_ACK = 1 | 4;
  private static final int NLM_F_REQUEST = 1;
  private static final int NLMSG_ERROR = 2;

  /** NFNL_SUBSYS_QUEUE. */
  private static final int SUBSYSTEM = 3;

  private static final int NFQNL_MSG_PACKET = SUBSYSTEM << 8;
  private static final int NFQNL_MSG_VERDICT = SUBSYSTEM << 8 | 1;
  private static final int NFQNL_MSG_CONFIG = SUBSYSTEM << 8 | 2;

  private static final int NFQA_CFG_CMD = 1;
  private static final int NFQA_CFG_PARAMS = 2;
  private static final byte NFQNL_CFG_CMD_BIND = 1;
  private static final byte NFQNL_COPY_META = 1;

  private static final int NFQA_PACKET_HDR = 1;
  private static final int NFQA_VERDICT_HDR = 2;
  private static final int NFQA_MARK = 3;

  private static final int HEADER = 20;
  private static final int NF_QUEUE = 3;

  private final List<HostDescription.Queue> queues;
  private final int socket;
  private final byte[] scratch = new byte[66_000];

  QueueListeners(List<HostDescription.Queue> queues) {
    this.queues = queues;
    socket =
        Libc.socket(
            Libc.AF_NETLINK,
            Libc.SOCK_RAW | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC,
            NETLINK_NETFILTER);
    for (HostDescription.Queue queue : queues) {
      ByteBuffer bind = message(NFQNL_MSG_CONFIG, NLM_F_REQUEST_ACK, queue.number());
      // struct nfqnl_msg_config_cmd: command, pad, family in network order.
      attribute(bind, NFQA_CFG_CMD, new byte[] {NFQNL_CFG_CMD_BIND, 0, 0, Libc.AF_INET});
      send(bind);
      expectAcknowledged();
      ByteBuffer parameters = message(NFQNL_MSG_CONFIG, NLM_F_REQUEST_ACK, queue.number());
      // struct nfqnl_msg_config_params: copy range, copy mode.
      attribute(parameters, NFQA_CFG_PARAMS, new byte[] {0, 0, 0, 0, NFQNL_COPY_META});
      send(parameters);
      expectAcknowledged();
    }
  }

  /** Answers every packet that waits, and those that come because of that. */
  void answer() {
    for (byte[] bytes; (bytes = Libc.readNow(socket, scratch)) != null; ) {
      for (ByteBuffer message : messages(bytes)) {
        if ((message.getShort(4) & 0xFFFF) == NFQNL_MSG_PACKET) {
          answer(message);
        }
      }
    }
  }

  private void answer(ByteBuffer packet) {
    int number = Short.toUnsignedInt(Short.reverseBytes(packet.getShort(18)));
    HostDescription.Queue queue =
        queues.stream().filter(one -> one.number() == number).findFirst().orElseThrow();
    int verdict = queue.verdict() == NF_QUEUE ? queue.to() << 16 | NF_QUEUE : queue.verdict();
    ByteBuffer message = message(NFQNL_MSG_VERDICT, NLM_F_REQUEST, number);
    // struct nfqnl_msg_verdict_hdr: verdict and packet identifier in network order.
    attribute(
        message,
        NFQA_VERDICT_HDR,
        ByteBuffer.allocate(8).putInt(verdict).putInt(identifier(packet)).array());
    if (queue.mark() != null) {
      attribute(message, NFQA_MARK, ByteBuffer.allocate(4).putInt(queue.mark()).array());
    }
    send(message);
  }

  /** The identifier in struct nfqnl_msg_packet_hdr, as it lies there. */
  private static int identifier(ByteBuffer packet) {
    for (int at = HEADER; at < packet.limit(); at += packet.getShort(at) + 3 & ~3) {
      if (packet.getShort(at + 2) == NFQA_PACKET_HDR) {
        return Integer.reverseBytes(packet.getInt(at + 4));
      }
    }
    throw new IllegalStateException("a queued packet without a header");
  }

  private void expectAcknowledged() {
    for (ByteBuffer message : messages(Libc.readNow(socket, scratch))) {
      if (message.getShort(4) == NLMSG_ERROR && message.getInt(16) != 0) {
        throw new LastErrorException(-message.getInt(16));
      }
    }
  }

  private static List<ByteBuffer> messages(byte[] bytes) {
    List<ByteBuffer> messages = new ArrayList<>();
    ByteBuffer all = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    for (int at = 0; at + 16 <= bytes.length; at += all.getInt(at) + 3 & ~3) {
      messages.add(all.slice(at, all.getInt(at)).order(ByteOrder.nativeOrder()));
    }
    return messages;
  }

  /** A struct nlmsghdr and a struct nfgenmsg, the queue's number in network order. */
  private static ByteBuffer message(int type, int flags, int queue) {
    ByteBuffer message = ByteBuffer.allocate(64).order(ByteOrder.nativeOrder());
    message.putInt(0).putShort((short) type).putShort((short) flags).putInt(0).putInt(0);
    message.put((byte) Libc.AF_INET).put((byte) 0);
    message.putShort(Short.reverseBytes((short) queue));
    return message;
  }

  private static void attribute(ByteBuffer message, int type, byte[] value) {
    message.putShort((short) (4 + value.length)).putShort((short) type).put(value);
    message.position(message.position() + 3 & ~3);
  }

  private void send(ByteBuffer message) {
    message.putInt(0, message.position());
    Libc.sendto(socket, message.array(), message.position(), 0, null, 0);
  }

  @Override
  public void close() {
    Libc.close(socket);
  }
}
