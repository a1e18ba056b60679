// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.skbwalk.trace.TraceEvent;
import java.util.Arrays;

/**
 * Plays alloc_skb, kfree_skb_reason and consume_skb: hands out packets over recycled Netty buffers.
 *
 * <p>Two sizes are kept: one for a full Ethernet frame, one for the largest reassembled IP packet.
 * After warm-up nothing is allocated.
 */
public final class SkBuffPool {
  /** NET_SKB_PAD on x86: bytes kept free before a received frame. */
  public static final int HEADROOM = 64;

  private static final int[] SIZES = {2048, 10_240, 66_560};

  private final SkBuff[][] idle = {new SkBuff[64], new SkBuff[4], new SkBuff[4]};
  private final int[] idleCount = new int[SIZES.length];
  private FreeListener listener;
  private int outstanding;

  /** Sets who is told of every drop and release; null for nobody. */
  public void setFreeListener(FreeListener listener) {
    this.listener = listener;
  }

  /** Packets taken and not yet given back: 0 when a host is at rest, or else something leaks. */
  public int outstanding() {
    return outstanding;
  }

  /**
   * Plays alloc_skb: an empty packet with {@code headroom} bytes before {@link SkBuff#data} and
   * room for {@code size} bytes behind it.
   *
   * @throws IllegalArgumentException when the sum is more than the largest IP packet needs
   */
  public SkBuff allocate(int headroom, int size) {
    int wanted = headroom + size;
    int sizeClass = wanted <= SIZES[0] ? 0 : wanted <= SIZES[1] ? 1 : 2;
    if (wanted > SIZES[sizeClass]) {
      throw new IllegalArgumentException("no packet is " + size + " bytes long");
    }
    SkBuff skb;
    if (idleCount[sizeClass] > 0) {
      skb = idle[sizeClass][--idleCount[sizeClass]];
      skb.free = false;
    } else {
      skb =
          new SkBuff(
              UnpooledByteBufAllocator.DEFAULT.heapBuffer(SIZES[sizeClass], SIZES[sizeClass]),
              sizeClass);
    }
    skb.reset(headroom);
    outstanding++;
    return skb;
  }

  /**
   * Plays skb_copy: a packet of its own with the same bytes and fields; the connection reference,
   * route and socket are not copied. {@code extraTail} bytes of room are added behind it.
   */
  public SkBuff copy(SkBuff skb, int extraTail) {
    SkBuff copy = allocate(skb.data, skb.tail - skb.data + extraTail);
    System.arraycopy(skb.head, 0, copy.head, 0, skb.tail);
    copy.tail = skb.tail;
    copy.macHeader = skb.macHeader;
    copy.networkHeader = skb.networkHeader;
    copy.transportHeader = skb.transportHeader;
    copy.dev = skb.dev;
    copy.iif = skb.iif;
    copy.pktType = skb.pktType;
    copy.ipSummed = skb.ipSummed;
    copy.protocol = skb.protocol;
    copy.vlanTci = skb.vlanTci;
    copy.mark = skb.mark;
    copy.secmark = skb.secmark;
    copy.priority = skb.priority;
    copy.fragMaxSize = skb.fragMaxSize;
    copy.cbFlags = skb.cbFlags;
    if (skb.cbFlags != 0 && skb.cb != null) {
      copy.cb = skb.cb.copyTo(copy.cb);
    }
    copy.tstamp = skb.tstamp;
    copy.frame = skb.frame;
    copy.trace = skb.trace;
    return copy;
  }

  /**
   * Plays pskb_expand_head: gives {@code skb} a buffer with at least {@code size} bytes from {@link
   * SkBuff#data} on, moving the bytes when the present one is too small. Header offsets stay.
   *
   * @throws IllegalArgumentException when that is more than the largest IP packet needs
   */
  public void expand(SkBuff skb, int size) {
    if (skb.head.length - skb.data >= size) {
      return;
    }
    SkBuff larger = allocate(skb.data, size);
    System.arraycopy(skb.head, 0, larger.head, 0, skb.tail);
    ByteBuf buffer = skb.buffer;
    int sizeClass = skb.sizeClass;
    skb.buffer = larger.buffer;
    skb.head = larger.head;
    skb.sizeClass = larger.sizeClass;
    larger.buffer = buffer;
    larger.head = buffer.array();
    larger.sizeClass = sizeClass;
    outstanding--;
    shelve(larger);
  }

  /**
   * Plays kfree_skb_reason: the packet is lost.
   *
   * @param function the kernel function that lost it, as the kfree_skb tracepoint's location names
   *     it
   */
  public void drop(SkBuff skb, DropReason reason, String function) {
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Dropped(reason.name(), function));
    }
    if (listener != null) {
      listener.dropped(skb, reason, function);
    }
    recycle(skb);
  }

  /** Plays consume_skb: the packet has served its purpose. */
  public void consume(SkBuff skb) {
    recycle(skb);
  }

  private void recycle(SkBuff skb) {
    if (skb.free || skb.list != null) {
      throw new IllegalStateException(skb.free ? "packet freed twice" : "packet freed on a queue");
    }
    if (listener != null) {
      listener.released(skb);
    }
    skb.trace = null;
    outstanding--;
    shelve(skb);
  }

  private void shelve(SkBuff skb) {
    skb.free = true;
    int sizeClass = skb.sizeClass;
    SkBuff[] stack = idle[sizeClass];
    if (idleCount[sizeClass] == stack.length) {
      idle[sizeClass] = stack = Arrays.copyOf(stack, stack.length * 2);
    }
    stack[idleCount[sizeClass]++] = skb;
  }
}
