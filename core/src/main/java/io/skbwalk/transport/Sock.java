// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.InetSock;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays struct sock: one socket and what it has received. Nothing is kept of a packet but its
 * count: nobody reads here, and a day of traffic would not fit.
 */
public final class Sock implements InetSock {
  /** What kind of socket it is. */
  public enum Kind {
    /** A listening TCP socket. */
    TCP("tcp", "LISTEN"),
    /** A bound UDP socket. */
    UDP("udp", "UNCONN"),
    /** A raw IPv4 socket. */
    RAW("raw", "UNCONN"),
    /** A packet socket of type SOCK_RAW. */
    PACKET("p_raw", "UNCONN"),
    /** A socket of a program of the captured machine, of which only its port is known. */
    IN_USE("inet", "ESTAB");

    /** As ss's Netid has it. */
    final String netid;

    /** As ss's State has it. */
    final String state;

    Kind(String netid, String state) {
      this.netid = netid;
      this.state = state;
    }
  }

  /** Its kind. */
  public final Kind kind;

  /** Local address, 0 for any. */
  public final int address;

  /** Local port, 0 for kinds without. */
  public final int port;

  /** IP protocol of a raw socket, EtherType of a packet socket, otherwise 0. */
  public final int protocol;

  /** SO_BINDTODEVICE, or null. */
  public final NetDevice device;

  /** IP_TRANSPARENT. */
  public final boolean transparent;

  /** SO_MARK. */
  private final int mark;

  /** Whose program has opened it. */
  final SocketOwner owner;

  /**
   * Bytes that it holds before SOCKET_RCVBUFF, counted as the application would read them (Linux
   * counts the memory they take); 0 for no limit.
   */
  public final long receiveBuffer;

  /** Packets that it got. */
  public long packets;

  /**
   * Bytes that an application could read: payload (UDP, TCP), whole IP packets (raw), whole frames
   * (packet).
   */
  public long bytes;

  /** Connection requests that a listening socket got: segments with SYN and without ACK and RST. */
  public long connections;

  /** Packets that it could not take because its receive buffer was full. */
  public long drops;

  /** Datagrams with a wrong checksum, which Linux finds only when they are read. */
  public long checksumErrors;

  /** Next with the same hash. */
  Sock next;

  /** A socket that has received nothing. */
  public Sock(
      Kind kind, int address, int port, int protocol, NetDevice device, long receiveBuffer) {
    this(kind, address, port, protocol, device, receiveBuffer, false, 0, SocketOwner.ROOT);
  }

  /** A socket that has received nothing, with what setsockopt has made of it. */
  public Sock(
      Kind kind,
      int address,
      int port,
      int protocol,
      NetDevice device,
      long receiveBuffer,
      boolean transparent,
      int mark,
      SocketOwner owner) {
    this.kind = kind;
    this.address = address;
    this.port = port;
    this.protocol = protocol;
    this.device = device;
    this.receiveBuffer = receiveBuffer;
    this.transparent = transparent;
    this.mark = mark;
    this.owner = owner;
  }

  @Override
  public boolean isTransparent() {
    return transparent;
  }

  @Override
  public boolean isWildcard() {
    // One that is known by its packets only is connected, as far as anybody can tell.
    return address == 0 && kind != Kind.IN_USE;
  }

  @Override
  public int mark() {
    return mark;
  }

  /** True when what came in on interface {@code iif} is for it as far as SO_BINDTODEVICE goes. */
  boolean boundTo(int iif) {
    return device == null || device.ifindex == iif;
  }

  /** The queue is at or over its limit. */
  boolean isFull() {
    return receiveBuffer > 0 && bytes >= receiveBuffer;
  }

  /** Takes {@code length} bytes of {@code skb}; {@code function} gave them to it. */
  void take(SkBuff skb, int length, String function, SocketListener listener) {
    packets++;
    bytes += length;
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Socket(function, toString(), length + " bytes"));
    }
    if (listener != null) {
      listener.received(this, skb);
    }
  }

  /** The local end as ss prints it, before the colon. */
  String localAddress() {
    return switch (kind) {
      case PACKET -> protocol == 3 ? "*" : "[" + protocol + "]";
      default -> Ip4.format(address) + (device == null ? "" : "%" + device.name);
    };
  }

  /** The local end as ss prints it, behind the colon. */
  String localPort() {
    return switch (kind) {
      case PACKET -> device == null ? "*" : device.name;
      case RAW -> Integer.toString(protocol);
      default -> Integer.toString(port);
    };
  }

  /** Kind and local end, such as {@code tcp 0.0.0.0:80}. */
  @Override
  public String toString() {
    return kind == Kind.IN_USE
        ? "a socket that the capture shows"
        : kind.netid + " " + localAddress() + ":" + localPort();
  }
}
