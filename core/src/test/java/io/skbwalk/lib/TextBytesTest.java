// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is put together as bytes is what strings would be. */
class TextBytesTest {
  @Test
  void isWhatAStringBuilderMakes() {
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      TextBytes ours = new TextBytes(random.nextInt(20));
      StringBuilder theirs = new StringBuilder();
      for (int piece = random.nextInt(6); piece >= 0; piece--) {
        long number = random.nextLong() >> random.nextInt(64);
        int address = random.nextInt() & random.nextInt() & random.nextInt();
        String word = "gr\u00fcn \u20ac \ud83d\ude00".substring(0, random.nextInt(7));
        ours.append(number).append('/').address(address).append(word);
        theirs.append(number).append('/').append(Ip4.format(address)).append(word);
      }
      assertEquals(theirs.toString(), ours.toString());
    }
  }

  @Test
  void padsNumbersWithZeros() {
    TextBytes text = new TextBytes(1).append(7, 2).append(':').append(0, 9).append(123456789, 9);
    assertEquals("07:000000000123456789", text.toString());
    assertEquals("again", text.clear().append("again").toString());
  }
}
