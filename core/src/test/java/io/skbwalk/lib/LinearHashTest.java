// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LinearHashTest {
  /** More than fit in the first chunks of heads. */
  private static final int MANY = 100_000;

  /** Numbers by themselves. */
  private static final class Numbers extends LinearHash {
    private final int[] next = new int[MANY + 1];

    @Override
    protected int next(int node) {
      return next[node];
    }

    @Override
    protected void setNext(int node, int next) {
      this.next[node] = next;
    }

    @Override
    protected int hash(int node) {
      return mix(node, 0, 0, 0);
    }

    boolean has(int number) {
      int node = head(bucket(hash(number)));
      while (node != 0 && node != number) {
        node = next(node);
      }
      return node != 0;
    }
  }

  @Test
  void findsWhatWasPutInWhileItGrows() {
    Numbers numbers = new Numbers();
    for (int number = 1; number <= MANY; number++) {
      assertFalse(numbers.has(number));
      numbers.insert(number, numbers.hash(number));
      int earlier = 1 + (int) (7_368_787L * number % 104_729 % number);
      assertTrue(numbers.has(earlier));
    }
    for (int number = 1; number <= MANY; number++) {
      assertTrue(numbers.has(number));
    }
    assertEquals(MANY, numbers.size());
    assertEquals(MANY, numbers.buckets());
  }

  @Test
  void forgetsWhatWasTakenOut() {
    Numbers numbers = new Numbers();
    boolean[] in = new boolean[MANY + 1];
    Random random = new Random(7);
    int size = 0;
    for (int i = 0; i < 3 * MANY; i++) {
      int number = 1 + random.nextInt(MANY);
      if (in[number]) {
        assertTrue(numbers.remove(number, numbers.hash(number)));
      } else {
        assertFalse(numbers.remove(number, numbers.hash(number)));
        numbers.insert(number, numbers.hash(number));
      }
      in[number] = !in[number];
      size += in[number] ? 1 : -1;
    }
    assertEquals(size, numbers.size());
    for (int number = 1; number <= MANY; number++) {
      assertEquals(in[number], numbers.has(number));
    }
  }

  @Test
  void keepsTheOrderOfItsChains() {
    Numbers numbers = new Numbers();
    int bucket = numbers.bucket(numbers.hash(1));
    for (int number = 1; number <= 3; number++) {
      numbers.insert(number, bucket);
    }
    assertEquals(3, numbers.head(bucket));
    assertEquals(2, numbers.next(3));
    assertEquals(1, numbers.next(2));
    assertEquals(0, numbers.next(1));
  }
}
