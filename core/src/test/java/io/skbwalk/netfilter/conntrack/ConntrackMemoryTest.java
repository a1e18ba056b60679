// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.LinearHash;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The flat memory, its hash chains and the expiry wheel, against the obvious. */
class ConntrackMemoryTest {

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1, 60",
    "65533, 60",
    "65534, 60",
    "65535, 60",
    "65536, 60",
    "7, 4294967295",
    "4294967295, 4294967296",
    "7, 4294966000",
    "4294967295, 4294966000",
    "1099511627775, 72057594037927935",
  })
  void countersAreWide(long packets, long bytes) {
    ConntrackMemory memory = new ConntrackMemory();
    int handle = memory.allocate();
    memory.addCounters(handle);
    memory.setCounters(handle, 1, packets, bytes);
    assertEquals(packets, memory.packets(handle, 1));
    assertEquals(bytes, memory.bytes(handle, 1));
    assertEquals(0, memory.packets(handle, 0));
    assertEquals(0, memory.bytes(handle, 0));
    memory.setCounters(handle, 0, packets, bytes);
    memory.count(handle, 0, 1500);
    assertEquals(packets + 1, memory.packets(handle, 0));
    assertEquals(bytes + 1500, memory.bytes(handle, 0));
    assertEquals(packets, memory.packets(handle, 1));
  }

  @Test
  void anEntryGetsExtensionsWithTheFirstOfThemAndGivesThemBack() {
    Machine machine = new Machine();
    machine.send(machine.udp("10.1.0.1", 9, "10.99.0.1", 53, 0));
    machine.send(machine.udp("10.1.0.2", 9, "10.99.0.1", 53, 0));
    Conntrack conntrack = machine.conntrack;
    int first = conntrack.first();
    int second = conntrack.next(first);
    assertEquals(0, conntrack.extension(first, ConntrackExtensions.SECMARK));
    conntrack.setExtension(first, ConntrackExtensions.SECMARK, 5);
    assertEquals(5, conntrack.extension(first, ConntrackExtensions.SECMARK));
    assertEquals(0, conntrack.master(first));
    conntrack.delete(first);
    conntrack.setExtension(second, ConntrackExtensions.MASTER, 0);
    assertEquals(0, conntrack.extension(second, ConntrackExtensions.SECMARK));
    assertEquals(1, conntrack.extensions.highest());
  }

  @Test
  void handlesAreReusedLastFirstAndComeEmpty() {
    ConntrackMemory memory = new ConntrackMemory();
    int first = memory.allocate();
    int second = memory.allocate();
    assertEquals(1, first);
    assertEquals(2, second);
    memory.set(first, ConntrackMemory.MARK, 7);
    memory.free(second);
    memory.free(first);
    assertEquals(first, memory.allocate());
    assertEquals(0, memory.get(first, ConntrackMemory.MARK));
    assertEquals(second, memory.allocate());
    assertEquals(3, memory.allocate());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void theWheelFiresEachEntryAtItsTick(long seed) {
    Random random = new Random(seed);
    long now = random.nextBoolean() ? 449_999_999_990L : (1L << 32) - 300;
    ConntrackMemory memory = new ConntrackMemory();
    ExpiryWheel wheel = new ExpiryWheel(memory, now);
    int entries = 400;
    boolean[] armed = new boolean[entries + 1];
    long[] due = new long[entries + 1];
    List<Integer> fired = new ArrayList<>();
    for (int i = 1; i <= entries; i++) {
      memory.allocate();
    }
    for (int round = 0; round < 3000; round++) {
      int handle = 1 + random.nextInt(entries);
      long delay = 1 + (random.nextLong() & (1L << random.nextInt(31)) - 1);
      if (!armed[handle]) {
        due[handle] = now + delay;
        memory.set(handle, ConntrackMemory.TIMEOUT, (int) due[handle]);
        wheel.add(handle);
        armed[handle] = true;
      } else if (random.nextInt(4) == 0) {
        wheel.remove(handle);
        armed[handle] = false;
      } else {
        boolean earlier = now + delay < due[handle];
        due[handle] = now + delay;
        memory.set(handle, ConntrackMemory.TIMEOUT, (int) due[handle]);
        if (earlier) {
          wheel.shorten(handle);
        }
      }
      if (random.nextInt(3) == 0) {
        now += random.nextLong() & (1L << random.nextInt(round % 50 == 0 ? 30 : 20)) - 1;
        fired.clear();
        wheel.advanceTo(now, fired::add);
        long last = 0;
        for (int gone : fired) {
          assertTrue(armed[gone]);
          assertTrue(due[gone] <= now);
          assertTrue(due[gone] >= last, "in order of time");
          last = due[gone];
          armed[gone] = false;
        }
        for (int i = 1; i <= entries; i++) {
          assertFalse(armed[i] && due[i] <= now, "entry " + i + " is overdue");
        }
      }
    }
  }

  @Test
  void noPacketWaitsForAllEntriesThatComeNearTogether() {
    long now = 449_999_999_990L;
    ConntrackMemory memory = new ConntrackMemory();
    ExpiryWheel wheel = new ExpiryWheel(memory, now);
    int entries = 20_000;
    long due = now + 108_000_000; // five days
    for (int i = 0; i < entries; i++) {
      int handle = memory.allocate();
      memory.set(handle, ConntrackMemory.TIMEOUT, (int) due + i);
      wheel.add(handle);
    }
    List<Integer> fired = new ArrayList<>();
    int[] slots = new int[entries + 1];
    long moved = 0;
    while (now < due + entries) {
      now += 7;
      wheel.advanceTo(now, fired::add);
      int moves = 0;
      for (int handle = fired.size() + 1; handle <= entries; handle++) {
        moves += memory.wheelSlot(handle) == slots[handle] ? 0 : 1;
        slots[handle] = memory.wheelSlot(handle);
      }
      assertTrue(moved == 0 || moves <= 20, moves + " entries moved with one packet");
      moved += moves;
      if (fired.isEmpty() && due - now > 300_000) {
        now = due - 300_000;
      }
    }
    assertEquals(entries, fired.size());
    assertTrue(moved > 2L * entries, moved + " moves");
  }

  @Test
  void chainsKeepEveryNodeWhileTheyGrow() {
    Random random = new Random(11);
    int nodes = 50_000;
    int[] next = new int[nodes + 1];
    int[] hashes = new int[nodes + 1];
    LinearHash hash =
        new LinearHash() {
          @Override
          protected int next(int node) {
            return next[node];
          }

          @Override
          protected void setNext(int node, int following) {
            next[node] = following;
          }

          @Override
          protected int hash(int node) {
            return hashes[node];
          }
        };
    boolean[] in = new boolean[nodes + 1];
    for (int node = 1; node <= nodes; node++) {
      hashes[node] = random.nextInt();
      hash.insert(node, hashes[node]);
      in[node] = true;
      if (random.nextInt(4) == 0) {
        int victim = 1 + random.nextInt(node);
        assertEquals(in[victim], hash.remove(victim, hashes[victim]));
        in[victim] = false;
      }
    }
    int found = 0;
    for (int node = 1; node <= nodes; node++) {
      int at = hash.head(hash.bucket(hashes[node]));
      while (at != 0 && at != node) {
        at = next[at];
      }
      assertEquals(in[node], at == node);
      found += in[node] ? 1 : 0;
    }
    assertEquals(found, hash.size());
    assertTrue(hash.buckets() >= found);
  }

  @Test
  void anEntryTakesAtMost149Bytes() {
    // 1.5 GiB for ten million: 128 bytes of words, 12 of counters, 2 chain heads of 4.
    Machine machine = new Machine("acct=1", "max=0", "udp_timeout=1000");
    int entries = 300_000;
    machine.send(machine.udp("10.98.0.1", 9, "10.99.0.1", 53, 0)); // brings the first chunks
    System.gc();
    long before = used();
    for (int i = 0; i < entries; i++) {
      machine.send(
          machine.udp(
              "10." + (i >>> 16) + "." + (i >>> 8 & 255) + "." + (i & 255), 9, "10.99.0.1", 53, 0));
    }
    System.gc();
    double each = (used() - before) / (double) entries;
    assertEquals(entries + 1, machine.conntrack.count());
    assertTrue(each < 149, each + " bytes an entry");
  }

  private static long used() {
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
