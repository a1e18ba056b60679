// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/**
 * Plays struct sk_buff_head: an intrusive, doubly linked queue. A packet is on at most one queue;
 * no operation allocates.
 */
public final class SkBuffQueue {
  private SkBuff first;
  private SkBuff last;
  private int length;

  /** skb_queue_len: packets on the queue. */
  public int length() {
    return length;
  }

  /** skb_queue_empty. */
  public boolean isEmpty() {
    return length == 0;
  }

  /** skb_peek: the first packet, left where it is, or null. */
  public SkBuff peek() {
    return first;
  }

  /** skb_peek_next: the packet behind {@code skb}, which is on this queue, or null. */
  public SkBuff next(SkBuff skb) {
    return skb.next;
  }

  /** skb_queue_tail: appends {@code skb}, which must not be on any queue. */
  public void add(SkBuff skb) {
    claim(skb);
    skb.prev = last;
    if (last == null) {
      first = skb;
    } else {
      last.next = skb;
    }
    last = skb;
  }

  /** skb_dequeue: takes the first packet off, or returns null. */
  public SkBuff poll() {
    SkBuff skb = first;
    if (skb != null) {
      remove(skb);
    }
    return skb;
  }

  /** skb_unlink: takes {@code skb}, which is on this queue, off it. */
  public void remove(SkBuff skb) {
    if (skb.list != this) {
      throw new IllegalStateException("the packet is not on this queue");
    }
    if (skb.prev == null) {
      first = skb.next;
    } else {
      skb.prev.next = skb.next;
    }
    if (skb.next == null) {
      last = skb.prev;
    } else {
      skb.next.prev = skb.prev;
    }
    skb.next = null;
    skb.prev = null;
    skb.list = null;
    length--;
  }

  private void claim(SkBuff skb) {
    if (skb.list != null) {
      throw new IllegalStateException("the packet is on a queue already");
    }
    skb.list = this;
    length++;
  }
}
