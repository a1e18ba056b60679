// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

import io.netty.buffer.ByteBuf;
import io.skbwalk.trace.TraceListener;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Plays struct sk_buff: one packet on its way, a mutable object that is taken from and returned to
 * an {@link SkBuffPool}.
 *
 * <pre>
 *   head            data                         tail            end
 *   |   headroom    |   packet                   |   tailroom    |
 *   +---------------+----------------------------+---------------+
 *   0           ^         ^           ^
 *               mac       network     transport       (offsets from head, -1 unset)
 * </pre>
 *
 * <p>All offsets are in bytes from the start of the buffer. {@link #data} moves as headers are
 * pulled and pushed; the header offsets stay. Field accessors ({@link #u8}, {@link #u16}, {@link
 * #u32}) take such offsets too, read network order and are unchecked against {@link #tail}: check
 * lengths first, as the kernel does with pskb_may_pull ({@link #mayPull}). A read beyond the buffer
 * throws.
 *
 * <p>Nothing in here is thread-safe; a host is single-threaded.
 */
public final class SkBuff {
  /** {@link #ipSummed}: nobody has verified the transport checksum. */
  public static final byte CHECKSUM_NONE = 0;

  /** {@link #ipSummed}: known to be right. */
  public static final byte CHECKSUM_UNNECESSARY = 1;

  /**
   * {@link #ipSummed}: connection tracking has summed the packet up, and the sum is wrong or is to
   * be compared again. (In the kernel a sum, csum, comes with it.)
   */
  public static final byte CHECKSUM_COMPLETE = 2;

  /**
   * {@link #ipSummed}: the kernel has left the transport checksum to the device and keeps the
   * pseudo header's sum in its place. Here it is filled in at once; the difference shows only in
   * ICMP errors that quote the packet.
   */
  public static final byte CHECKSUM_PARTIAL = 3;

  /** {@link #pktType}: to this machine (include/uapi/linux/if_packet.h). */
  public static final byte PACKET_HOST = 0;

  /** {@link #pktType}: to all. */
  public static final byte PACKET_BROADCAST = 1;

  /** {@link #pktType}: to a group. */
  public static final byte PACKET_MULTICAST = 2;

  /** {@link #pktType}: to some other machine (seen in promiscuous mode). */
  public static final byte PACKET_OTHERHOST = 3;

  /** {@link #pktType}: made by this machine, looped back to taps. */
  public static final byte PACKET_OUTGOING = 4;

  /** {@link #pktType}: on the loopback interface. */
  public static final byte PACKET_LOOPBACK = 5;

  private static final VarHandle U16 =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle U32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

  // ---- the buffer -------------------------------------------------------------------------------

  /** The recycled buffer behind {@link #head}. */
  ByteBuf buffer;

  /**
   * The bytes; index 0 is the start of the headroom. Only {@link SkBuffPool#expand} replaces it.
   */
  public byte[] head;

  /** Offset of the first byte of the current layer. */
  public int data;

  /** Offset behind the last byte of the packet. */
  public int tail;

  /** Offset of the Ethernet header, -1 unset. */
  public int macHeader = -1;

  /** Offset of the IP (or ARP) header, -1 unset. */
  public int networkHeader = -1;

  /** Offset of the transport header, -1 unset. */
  public int transportHeader = -1;

  // ---- what the kernel's fields of the same names hold -----------------------------------------

  /** The interface that it came in on, later the one that it leaves on. */
  public SkbDevice dev;

  /** skb_iif: index of the interface that it first came in on; 0 for packets made here. */
  public int iif;

  /** One of the PACKET_ constants. */
  public byte pktType;

  /** One of the CHECKSUM_ constants. */
  public byte ipSummed;

  /** Plays skb_csum_unnecessary: nobody need verify the transport checksum. */
  public boolean checksumUnnecessary() {
    return (ipSummed & CHECKSUM_UNNECESSARY) != 0;
  }

  /** EtherType of what {@link #networkHeader} points to, host order (0x0800 IPv4). */
  public int protocol;

  /** vlan_tci of a stripped 802.1Q tag, or -1. */
  public int vlanTci = -1;

  /** The firewall mark. */
  public int mark;

  /** The security mark, 0 for none. */
  public int secmark;

  /** Queueing priority, set from the TOS field. */
  public int priority;

  /** The route, set by ip_route_input or ip_route_output. */
  public DstEntry dst;

  /** Handle of the connection-table entry or template, 0 for none (nfct). */
  public int ct;

  /**
   * enum ip_conntrack_info of the packet relative to {@link #ct}; meaningful when ct is set or
   * UNTRACKED.
   */
  public byte ctInfo;

  /**
   * What is known of the packets of its connection that came before: a number of netfilter's flow
   * table; negative while what it meets is being noted down, 0 for nothing.
   */
  public int flow;

  /** nf_trace: a TRACE target asked to log this packet's further way. */
  public boolean nfTrace;

  /**
   * ip_defrag joined it: the largest fragment it came in, bytes; 0 when it was never fragmented.
   */
  public int fragMaxSize;

  /** IPCB(skb)->flags, bits defined in ipv4.IpControlBlock. */
  public int cbFlags;

  /**
   * The layer's own control block, made once per buffer by the layer and kept when recycled; what
   * it holds counts only as far as {@link #cbFlags} says.
   */
  public ControlBlock cb;

  /** Arrival (or creation) time, nanoseconds since the epoch. */
  public long tstamp;

  /** {@link #sk} of what the kernel itself sends: ICMP, resets. */
  public static final Object KERNEL_SOCKET = "socket of the kernel";

  /**
   * The socket that made it, for locally made packets: {@link #KERNEL_SOCKET}, or whom it belongs
   * to. For packets that came in the one that TPROXY has given them to. Otherwise null.
   */
  public Object sk;

  // ---- what only this program needs ------------------------------------------------------------

  /**
   * Number of the arriving frame that this packet is, or was made because of; from 1, 0 for none
   * (timers).
   */
  public long frame;

  /** Who wants to be told of this packet's steps; null when nobody, which costs nothing. */
  public TraceListener trace;

  /** Next in an {@link SkBuffQueue}, or null. */
  SkBuff next;

  /** Previous in an {@link SkBuffQueue}, or null. */
  SkBuff prev;

  /** The queue that it is on, or null. */
  SkBuffQueue list;

  int sizeClass;
  boolean free;

  SkBuff(ByteBuf buffer, int sizeClass) {
    this.buffer = buffer;
    this.head = buffer.array();
    this.sizeClass = sizeClass;
  }

  /** skb->len: bytes from {@link #data} to {@link #tail}. */
  public int length() {
    return tail - data;
  }

  /** Offset behind the last usable byte. */
  public int end() {
    return head.length;
  }

  /** Free bytes before {@link #data}. */
  public int headroom() {
    return data;
  }

  /** Free bytes behind {@link #tail}. */
  public int tailroom() {
    return head.length - tail;
  }

  /** Plays pskb_may_pull: are there {@code length} bytes from {@link #data} on? */
  public boolean mayPull(int length) {
    return tail - data >= length;
  }

  /**
   * Plays skb_pull: takes {@code length} bytes off the front; the caller has checked that they are
   * there.
   */
  public void pull(int length) {
    data += length;
  }

  /** Plays skb_push: puts {@code length} bytes back in front. */
  public void push(int length) {
    data -= length;
  }

  /**
   * Plays skb_put: makes the packet {@code length} bytes longer and returns the offset of the new
   * bytes.
   */
  public int put(int length) {
    int at = tail;
    tail += length;
    return at;
  }

  /** Plays pskb_trim: cuts the packet to {@code length} bytes from {@link #data}. */
  public void trim(int length) {
    if (length < tail - data) {
      tail = data + length;
    }
  }

  /** Plays skb_dst_drop. */
  public void dropDst() {
    dst = null;
  }

  /** The byte at {@code offset} from {@link #head}, 0 to 255. */
  public int u8(int offset) {
    return head[offset] & 0xFF;
  }

  /** The 16 bits at {@code offset} from {@link #head}, network order, 0 to 65535. */
  public int u16(int offset) {
    return (short) U16.get(head, offset) & 0xFFFF;
  }

  /** The 32 bits at {@code offset} from {@link #head}, network order. */
  public int u32(int offset) {
    return (int) U32.get(head, offset);
  }

  /** Stores the low 8 bits of {@code value}. */
  public void setU8(int offset, int value) {
    head[offset] = (byte) value;
  }

  /** Stores the low 16 bits of {@code value} in network order. */
  public void setU16(int offset, int value) {
    U16.set(head, offset, (short) value);
  }

  /** Stores {@code value} in network order. */
  public void setU32(int offset, int value) {
    U32.set(head, offset, value);
  }

  /** Everything but the buffer as it is for a packet that has just been allocated. */
  void reset(int headroom) {
    data = headroom;
    tail = headroom;
    macHeader = -1;
    networkHeader = -1;
    transportHeader = -1;
    dev = null;
    iif = 0;
    pktType = PACKET_HOST;
    ipSummed = CHECKSUM_NONE;
    protocol = 0;
    vlanTci = -1;
    mark = 0;
    secmark = 0;
    priority = 0;
    dst = null;
    ct = 0;
    ctInfo = 0;
    flow = 0;
    nfTrace = false;
    fragMaxSize = 0;
    cbFlags = 0;
    tstamp = 0;
    sk = null;
    frame = 0;
    trace = null;
  }
}
