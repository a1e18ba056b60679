// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.kernel.Clock;
import io.skbwalk.kernel.Timer;
import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.Arrays;

/**
 * Plays net/ipv4/ip_fragment.c and inet_fragment.c: puts fragments together again (RFC 791, RFC
 * 815). Overlapping fragments discard the whole packet (RFC 5722 for IPv6, which Linux follows for
 * IPv4 too).
 */
public final class IpFragments {
  /** IP_DEFRAG_LOCAL_DELIVER: for this machine, behind PRE_ROUTING. */
  public static final int IP_DEFRAG_LOCAL_DELIVER = 0;

  /** IP_DEFRAG_CONNTRACK_IN: for connection tracking in PRE_ROUTING; the zone is added. */
  public static final int IP_DEFRAG_CONNTRACK_IN = 2;

  /** The last of the numbers of {@link #IP_DEFRAG_CONNTRACK_IN} with a zone. */
  private static final int IP_DEFRAG_CONNTRACK_IN_END = IP_DEFRAG_CONNTRACK_IN + 0xFFFF;

  /** IP_DEFRAG_CONNTRACK_OUT: for connection tracking in LOCAL_OUT; the zone is added. */
  public static final int IP_DEFRAG_CONNTRACK_OUT = IP_DEFRAG_CONNTRACK_IN_END + 1;

  /** Is told of an expired packet's first fragment, for an ICMP message about it. */
  interface Expiry {
    /**
     * Answers about {@code first}, whose route is gone, that its packet was not completed in time.
     *
     * @param onlyWhenLocal no message unless the packet was for this machine
     */
    void expired(SkBuff first, NetDevice device, boolean onlyWhenLocal);
  }

  private static final int FIRST_IN = 1;
  private static final int LAST_IN = 2;

  /** sizeof(struct ipq) as the kernel accounts it. */
  private static final int QUEUE_SIZE = 200;

  /**
   * ip_frag_ecn_table: bits to set in the TOS by the set of codepoints seen (bit 0 Not-ECT, 1
   * ECT(1), 2 ECT(0), 3 CE), -1 where they contradict each other (RFC 3168, 5.3).
   */
  private static final byte[] ECN = {0, 0, 0, -1, 0, -1, 0, -1, 0, -1, 3, -1, 3, -1, 3, -1};

  private final class Queue extends Timer {
    int source;
    int destination;
    int idAndProtocol;
    int user;
    Queue next;

    int flags;
    int length;
    int meat;
    int maxSize;
    int maxDfSize;
    int ecn;
    int rid;
    long memory;
    NetDevice device;

    /** The fragments by offset: their packets, data past the IP header. */
    SkBuff[] skbs = new SkBuff[4];

    int[] offsets = new int[4];
    int count;

    /** Runs of fragments that came in order, by offset; a fragment within one is a duplicate. */
    int[] runStarts = new int[4];

    int[] runEnds = new int[4];
    int runs;

    @Override
    protected void expired() {
      expire(this);
    }

    int tailEnd() {
      return offsets[count - 1] + skbs[count - 1].length();
    }
  }

  private final Net net;
  private final InetPeers peers;
  private final Expiry expiry;
  private Queue[] table = new Queue[64];
  private int queues;
  private Queue idle;
  private long memory;

  private long highThreshold = 4 * 1024 * 1024;
  private long lowThreshold = 3 * 1024 * 1024;
  private long maxDistance = 64;
  private long timeSeconds = 30;

  IpFragments(Net net, InetPeers peers, Expiry expiry) {
    this.net = net;
    this.peers = peers;
    this.expiry = expiry;
    net.sysctls.register(
        "net.ipv4.ipfrag_high_thresh",
        () -> highThreshold,
        value -> highThreshold = value,
        0,
        Long.MAX_VALUE);
    net.sysctls.register(
        "net.ipv4.ipfrag_low_thresh",
        () -> lowThreshold,
        value -> lowThreshold = value,
        0,
        Long.MAX_VALUE);
    net.sysctls.register(
        "net.ipv4.ipfrag_max_dist",
        () -> maxDistance,
        value -> maxDistance = value,
        0,
        Integer.MAX_VALUE);
    net.sysctls.register(
        "net.ipv4.ipfrag_time",
        () -> timeSeconds,
        value -> timeSeconds = value,
        0,
        Integer.MAX_VALUE);
  }

  /** Packets that wait for fragments (FRAG: inuse of /proc/net/sockstat). */
  public int inUse() {
    return queues;
  }

  /** Bytes that waiting fragments take, as the kernel counts them (FRAG: memory of sockstat). */
  public long memory() {
    return memory;
  }

  /**
   * Plays ip_defrag: takes the fragment {@code skb}, {@link SkBuff#data} at its checked IP header.
   *
   * @param user one of the IP_DEFRAG_ constants: different users' fragments are kept apart
   * @return true when {@code skb} now is the whole packet; false when it is gone: queued or dropped
   */
  public boolean defragment(SkBuff skb, int user) {
    if (highThreshold == 0 || memory > highThreshold) {
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "ip_defrag");
      return false;
    }
    return queue(find(skb, user), skb);
  }

  private Queue find(SkBuff skb, int user) {
    int source = IpHeader.source(skb);
    int destination = IpHeader.destination(skb);
    int idAndProtocol = IpHeader.id(skb) << 8 | IpHeader.protocol(skb);
    int slot = slot(source, destination, idAndProtocol, user, table.length);
    for (Queue queue = table[slot]; queue != null; queue = queue.next) {
      if (queue.idAndProtocol == idAndProtocol
          && queue.source == source
          && queue.destination == destination
          && queue.user == user) {
        return queue;
      }
    }
    Queue queue = idle;
    if (queue == null) {
      queue = new Queue();
    } else {
      idle = queue.next;
    }
    queue.source = source;
    queue.destination = destination;
    queue.idAndProtocol = idAndProtocol;
    queue.user = user;
    queue.maxSize = 0;
    queue.maxDfSize = 0;
    queue.rid = 0;
    clear(queue);
    queue.memory = QUEUE_SIZE;
    memory += QUEUE_SIZE;
    if (queues == table.length) {
      grow();
      slot = slot(source, destination, idAndProtocol, user, table.length);
    }
    queue.next = table[slot];
    table[slot] = queue;
    queues++;
    net.timers.modify(queue, net.clock.now() + timeSeconds * Clock.SECOND);
    return queue;
  }

  private static void clear(Queue queue) {
    queue.flags = 0;
    queue.length = 0;
    queue.meat = 0;
    queue.ecn = 0;
    queue.device = null;
    queue.count = 0;
    queue.runs = 0;
  }

  private void grow() {
    Queue[] larger = new Queue[table.length * 2];
    for (Queue chain : table) {
      while (chain != null) {
        Queue queue = chain;
        chain = chain.next;
        int slot =
            slot(queue.source, queue.destination, queue.idAndProtocol, queue.user, larger.length);
        queue.next = larger[slot];
        larger[slot] = queue;
      }
    }
    table = larger;
  }

  private static int slot(int source, int destination, int idAndProtocol, int user, int length) {
    int hash = ((source * 31 + destination) * 31 + idAndProtocol) * 31 + user;
    hash *= 0x9E3779B1;
    return (hash >>> 16 ^ hash) & length - 1;
  }

  /** Plays ip_frag_queue: finds the fragment's place; the packet may be complete with it. */
  private boolean queue(Queue queue, SkBuff skb) {
    if ((skb.cbFlags & IpControlBlock.IPSKB_FRAG_COMPLETE) == 0 && tooFar(queue)) {
      net.timers.modify(queue, net.clock.now() + timeSeconds * Clock.SECOND);
      memory -= queue.memory - QUEUE_SIZE;
      queue.memory = QUEUE_SIZE;
      for (int i = 0; i < queue.count; i++) {
        SkBuff old = queue.skbs[i];
        queue.skbs[i] = null;
        net.skbs.drop(old, DropReason.FRAG_TOO_FAR, "inet_frag_rbtree_purge");
      }
      clear(queue);
    }
    int headerLength = IpHeader.headerLength(skb);
    int ecn = 1 << (IpHeader.tos(skb) & 3);
    int fragment = IpHeader.fragment(skb);
    int offset = (fragment & IpHeader.IP_OFFSET) << 3;
    int end = offset + skb.tail - skb.networkHeader - headerLength;
    if ((fragment & IpHeader.IP_MF) == 0) {
      if (end < queue.length || (queue.flags & LAST_IN) != 0 && end != queue.length) {
        return discard(queue, skb);
      }
      queue.flags |= LAST_IN;
      queue.length = end;
    } else {
      end &= ~7;
      if (end > queue.length) {
        if ((queue.flags & LAST_IN) != 0) {
          return discard(queue, skb);
        }
        queue.length = end;
      }
    }
    if (end == offset) {
      return discard(queue, skb);
    }
    int size = trueSize(skb);
    skb.data = skb.networkHeader + headerLength;
    skb.trim(end - offset);
    switch (insert(queue, skb, offset, end)) {
      case DUPLICATE:
        net.skbs.drop(skb, DropReason.DUP_FRAG, "ip_defrag");
        return false;
      case OVERLAP:
        return discard(queue, skb);
      default:
        break;
    }
    if (skb.dev != null) {
      queue.device = NetDevice.of(skb);
    }
    queue.meat += end - offset;
    queue.ecn |= ecn;
    queue.memory += size;
    memory += size;
    if (offset == 0) {
      queue.flags |= FIRST_IN;
    }
    int fragmentSize = end - offset + headerLength;
    queue.maxSize = Math.max(queue.maxSize, fragmentSize);
    if ((fragment & IpHeader.IP_DF) != 0) {
      queue.maxDfSize = Math.max(queue.maxDfSize, fragmentSize);
    }
    if (queue.flags == (FIRST_IN | LAST_IN) && queue.meat == queue.length) {
      return reassemble(queue, skb);
    }
    skb.dropDst();
    skb.sk = null;
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Queued(
              "ip_defrag",
              "bytes "
                  + offset
                  + " to "
                  + (end - 1)
                  + " of packet id "
                  + IpHeader.id(skb)
                  + " from "
                  + Ip4.format(queue.source)
                  + " wait for the others; "
                  + queue.meat
                  + ((queue.flags & LAST_IN) == 0 ? "" : " of " + queue.length)
                  + " bytes are there"));
    }
    return false;
  }

  /**
   * Plays ip_frag_too_far: more fragments than allowed came from there since this packet's last
   * one.
   */
  private boolean tooFar(Queue queue) {
    if (maxDistance == 0) {
      return false;
    }
    int start = queue.rid;
    int end = peers.countFragment(queue.source);
    queue.rid = end;
    return queue.count > 0 && Integer.toUnsignedLong(end - start) > maxDistance;
  }

  /** The whole packet is given up because of {@code skb}; what was queued is freed silently. */
  private boolean discard(Queue queue, SkBuff skb) {
    kill(queue);
    free(queue);
    net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "ip_defrag");
    return false;
  }

  private static final int INSERTED = 0;
  private static final int DUPLICATE = 1;
  private static final int OVERLAP = 2;

  /** Plays inet_frag_queue_insert. */
  private static int insert(Queue queue, SkBuff skb, int offset, int end) {
    int at;
    if (queue.count == 0) {
      addRun(queue, 0, offset, end);
      at = 0;
    } else if (queue.tailEnd() < end) {
      int tailEnd = queue.tailEnd();
      if (offset < tailEnd) {
        return OVERLAP;
      }
      if (offset == tailEnd) {
        queue.runEnds[queue.runs - 1] = end;
      } else {
        addRun(queue, queue.runs, offset, end);
      }
      at = queue.count;
    } else {
      int run = lowerBound(queue.runStarts, queue.runs, end);
      // Runs from this one on begin at or behind the end; only the one before can touch it, or
      // more.
      if (run > 0 && queue.runEnds[run - 1] > offset) {
        return offset >= queue.runStarts[run - 1] && end <= queue.runEnds[run - 1]
            ? DUPLICATE
            : OVERLAP;
      }
      addRun(queue, run, offset, end);
      at = lowerBound(queue.offsets, queue.count, offset);
    }
    if (queue.count == queue.skbs.length) {
      queue.skbs = Arrays.copyOf(queue.skbs, queue.count * 2);
    }
    System.arraycopy(queue.skbs, at, queue.skbs, at + 1, queue.count - at);
    queue.skbs[at] = skb;
    queue.offsets = insert(queue.offsets, queue.count, at, offset);
    queue.count++;
    return INSERTED;
  }

  private static void addRun(Queue queue, int at, int start, int end) {
    queue.runStarts = insert(queue.runStarts, queue.runs, at, start);
    queue.runEnds = insert(queue.runEnds, queue.runs, at, end);
    queue.runs++;
  }

  /**
   * Moves the {@code count} values from {@code at} on one place up for {@code value}.
   *
   * @return {@code values}, or a larger copy when it was full
   */
  private static int[] insert(int[] values, int count, int at, int value) {
    int[] room = count == values.length ? Arrays.copyOf(values, count * 2) : values;
    System.arraycopy(room, at, room, at + 1, count - at);
    room[at] = value;
    return room;
  }

  /** The first index of a sorted array whose value is not smaller than {@code value}. */
  private static int lowerBound(int[] values, int count, int value) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (values[middle] < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Plays ip_frag_reasm: {@code skb}, the last that came, becomes the whole packet. */
  private boolean reassemble(Queue queue, SkBuff skb) {
    kill(queue);
    SkBuff first = queue.skbs[0];
    int headerLength = IpHeader.headerLength(first);
    int ecn = ECN[queue.ecn];
    int length = headerLength + queue.length;
    if (ecn < 0 || length > 0xFFFF) {
      if (skb.trace != null) {
        skb.trace.on(
            new TraceEvent.Step(
                "ip_frag_reasm",
                ecn < 0
                    ? "congestion marks contradict each other, all fragments freed"
                    : "oversized packet of " + length + " bytes, all fragments freed"));
      }
      free(queue);
      return false;
    }
    int network = first.networkHeader;
    int payload = network + headerLength;
    int ownAt = 0;
    while (queue.skbs[ownAt] != skb) {
      ownAt++;
    }
    int ownLength = skb.length();
    net.skbs.expand(skb, network + length - skb.data);
    System.arraycopy(skb.head, skb.data, skb.head, payload + queue.offsets[ownAt], ownLength);
    if (first != skb) {
      takeOver(skb, first, payload);
    }
    boolean keepGeometry = queue.user != IP_DEFRAG_LOCAL_DELIVER;
    IpControlBlock block = null;
    if (keepGeometry) {
      block = IpControlBlock.of(skb);
      block.firstLength = headerLength + (first == skb ? ownLength : first.length());
      block.fragmentCount = queue.count - 1;
      if (block.fragments.length < queue.count) {
        block.fragments = new int[queue.count];
      }
      skb.cbFlags |= IpControlBlock.HAS_FRAG_LIST;
    }
    for (int i = 0; i < queue.count; i++) {
      SkBuff other = queue.skbs[i];
      int otherLength = other == skb ? ownLength : other.length();
      if (i > 0 && block != null) {
        block.fragments[i - 1] = otherLength;
      }
      if (other != skb) {
        System.arraycopy(other.head, other.data, skb.head, payload + queue.offsets[i], otherLength);
        if (other.ipSummed != skb.ipSummed) {
          skb.ipSummed = SkBuff.CHECKSUM_NONE;
        }
        net.skbs.consume(other);
      }
      queue.skbs[i] = null;
    }
    int fragments = queue.count;
    skb.data = network;
    skb.tail = network + length;
    skb.networkHeader = network;
    skb.transportHeader = payload;
    skb.fragMaxSize = Math.max(queue.maxDfSize, queue.maxSize);
    skb.setU16(network + IpHeader.TOTAL_LENGTH_OFFSET, length);
    skb.setU8(network + IpHeader.TOS_OFFSET, IpHeader.tos(skb) | ecn);
    if (queue.maxDfSize == queue.maxSize) {
      skb.cbFlags |= IpControlBlock.IPSKB_FRAG_PMTU;
      skb.setU16(network + IpHeader.FRAGMENT_OFFSET, IpHeader.IP_DF);
    } else {
      skb.setU16(network + IpHeader.FRAGMENT_OFFSET, 0);
    }
    IpHeader.updateChecksum(skb);
    queue.count = 0;
    free(queue);
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "ip_defrag", "reassembled " + length + " bytes from " + fragments + " fragments"));
    }
    return true;
  }

  /**
   * What skb_morph does: the packet keeps the first fragment's headers and fields, but its own
   * route.
   */
  private static void takeOver(SkBuff skb, SkBuff first, int headerEnd) {
    System.arraycopy(first.head, 0, skb.head, 0, headerEnd);
    skb.macHeader = first.macHeader;
    skb.iif = first.iif;
    skb.pktType = first.pktType;
    skb.ipSummed = first.ipSummed;
    skb.protocol = first.protocol;
    skb.vlanTci = first.vlanTci;
    skb.mark = first.mark;
    skb.priority = first.priority;
    skb.nfTrace = first.nfTrace;
    int ct = skb.ct;
    byte ctInfo = skb.ctInfo;
    skb.ct = first.ct;
    skb.ctInfo = first.ctInfo;
    first.ct = ct;
    first.ctInfo = ctInfo;
    skb.cbFlags = first.cbFlags;
    if (first.cbFlags != 0 && first.cb != null) {
      skb.cb = first.cb.copyTo(skb.cb);
    }
  }

  /**
   * skb->truesize of a frame that came in through a TAP (tun_build_skb): headroom and frame in
   * cache lines, skb_shared_info and sk_buff.
   */
  private static int trueSize(SkBuff skb) {
    int frame = skb.tail - skb.networkHeader + 14;
    return (frame + 64 + 63 & ~63) + 320 + 256;
  }

  /** Plays ip_expire: the others did not come in time. */
  private void expire(Queue queue) {
    kill(queue);
    SkBuff first = null;
    NetDevice device = queue.device;
    if ((queue.flags & FIRST_IN) != 0 && device != null) {
      first = queue.skbs[0];
      queue.skbs[0] = null;
    }
    boolean onlyWhenLocal =
        queue.user >= IP_DEFRAG_CONNTRACK_IN && queue.user <= IP_DEFRAG_CONNTRACK_IN_END;
    if (first != null) {
      first.dev = device;
      expiry.expired(first, device, onlyWhenLocal);
      net.skbs.drop(first, DropReason.FRAG_REASM_TIMEOUT, "ip_expire");
    }
    for (int i = 0; i < queue.count; i++) {
      SkBuff fragment = queue.skbs[i];
      queue.skbs[i] = null;
      if (fragment != null) {
        net.skbs.drop(fragment, DropReason.FRAG_REASM_TIMEOUT, "inet_frag_rbtree_purge");
      }
    }
    queue.count = 0;
    free(queue);
  }

  /** Plays inet_frag_kill: no fragment finds the queue any more. */
  private void kill(Queue queue) {
    net.timers.cancel(queue);
    int slot = slot(queue.source, queue.destination, queue.idAndProtocol, queue.user, table.length);
    if (table[slot] == queue) {
      table[slot] = queue.next;
    } else {
      Queue before = table[slot];
      while (before.next != queue) {
        before = before.next;
      }
      before.next = queue.next;
    }
    queues--;
  }

  /** Plays inet_frag_destroy, and keeps the empty queue for the next packet. */
  private void free(Queue queue) {
    for (int i = 0; i < queue.count; i++) {
      SkBuff fragment = queue.skbs[i];
      queue.skbs[i] = null;
      net.skbs.consume(fragment);
    }
    queue.count = 0;
    memory -= queue.memory;
    queue.device = null;
    queue.next = idle;
    idle = queue;
  }
}
