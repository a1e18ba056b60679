// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.kernel.Clock;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * What the machine has lately put on its wires. A capture that shows a router from both sides has
 * every forwarded packet twice, as it came and as it left: the second is known again here and not
 * sent once more. Two packets are the same when they are equal but for the IP identification and
 * header checksum.
 *
 * <p>The last {@value #SLOTS} are remembered, for {@value #SECONDS} seconds; nothing is allocated.
 */
final class Departed {
  private static final int SLOTS = 1024;
  private static final int SECONDS = 2;

  /**
   * Bytes of a packet that are looked at; behind them stands only payload that TCP and UDP sum up.
   */
  private static final int LOOKED_AT = 128;

  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());
  private static final VarHandle HALF =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.nativeOrder());

  private final long[] hashes = new long[SLOTS];
  private final long[] times = new long[SLOTS];
  private final long[] causes = new long[SLOTS];
  private int next;

  /** {@code skb} has left, an IP packet at its network header, at {@code time}. */
  void add(SkBuff skb, long time) {
    hashes[next] = hash(skb.head, skb.networkHeader, skb.tail);
    times[next] = time;
    causes[next] = skb.frame;
    next = (next + 1) % SLOTS;
  }

  /**
   * Is it one that has left? Then it is forgotten: the next like it is another.
   *
   * @return the frame because of which it left, 0 for none; -1 when it has not left
   */
  long take(ArrivedFrame frame) {
    long hash = hash(frame.bytes, frame.network, frame.length - frame.fcsLength);
    for (int i = 0; i < SLOTS; i++) {
      if (hashes[i] == hash && hash != 0 && frame.time - times[i] <= SECONDS * Clock.SECOND) {
        hashes[i] = 0;
        return causes[i];
      }
    }
    return -1;
  }

  private static long hash(byte[] bytes, int from, int frameEnd) {
    if (frameEnd - from < IpHeader.MIN_LENGTH) {
      return 0;
    }
    // Short frames are padded: what counts is the packet's own length.
    int total = (bytes[from + 2] & 0xFF) << 8 | bytes[from + 3] & 0xFF;
    int end = Math.min(from + Math.min(total, LOOKED_AT), frameEnd);
    if (end - from < IpHeader.MIN_LENGTH) {
      return 0;
    }
    long hash = mix(1, (int) WORD.get(bytes, from));
    hash = mix(hash, (short) HALF.get(bytes, from + IpHeader.FRAGMENT_OFFSET));
    hash = mix(hash, (short) HALF.get(bytes, from + IpHeader.TTL_OFFSET));
    int at = from + IpHeader.SOURCE_OFFSET;
    // Two hashes, so that one need not wait for the other.
    long other = 2;
    for (; at <= end - 16; at += 16) {
      hash = mix(hash, (long) LONG.get(bytes, at));
      other = mix(other, (long) LONG.get(bytes, at + 8));
    }
    for (; at < end; at++) {
      hash = mix(hash, bytes[at]);
    }
    hash = mix(hash, other);
    return hash == 0 ? 1 : hash;
  }

  private static long mix(long hash, long word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15L;
    return hash ^ hash >>> 32;
  }
}
