// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.lib.SourceException;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Sets against a list that is gone through element by element; types that the reference kernel
 * lacks are held by these tests alone.
 */
class IpSetsTest {
  private static final NetDevice ETH0 = new NetDevice("eth0", 2, 0x020000000001L, 1500, 0);
  private static final int PORTS = 4;

  private final Net net = new Net(0, 1);
  private final IpSets sets = new IpSets(net);

  private void restore(String text) {
    new IpsetSaveFile("t", text).into(sets);
  }

  private record Packet(int source, int destination, int port, int mark, long mac) {}

  private SkBuff skb(Packet packet) {
    SkBuff skb = net.skbs.allocate(64, 42);
    int at = skb.put(42);
    skb.macHeader = at;
    skb.setU16(at + 6, (int) (packet.mac >>> 32));
    skb.setU32(at + 8, (int) packet.mac);
    skb.setU16(at + 12, 0x0800);
    skb.pull(14);
    skb.networkHeader = skb.data;
    skb.setU8(skb.data, 0x45);
    skb.setU16(skb.data + 2, 28);
    skb.setU8(skb.data + 9, 17);
    skb.setU32(skb.data + 12, packet.source);
    skb.setU32(skb.data + 16, packet.destination);
    skb.setU16(skb.data + 20, 9);
    skb.setU16(skb.data + 22, packet.port);
    skb.mark = packet.mark;
    skb.dev = ETH0;
    return skb;
  }

  /** Source for the first part, destination for all that follow, except an Ethernet address. */
  private static SetQuery query(SetType type) {
    int sources = 1 << 1 | (type.parts.contains(SetType.Part.MAC) ? 1 << 2 : 0);
    return new SetQuery(type.dimension(), sources);
  }

  /** An element of the naive list: values and, for networks, prefix lengths; 32 for others. */
  private record Element(int[] values, int[] lengths, boolean nomatch, String text) {}

  private static Element draw(SetType type, Random random, boolean sometimesNot) {
    StringBuilder text = new StringBuilder();
    int[] values = new int[type.parts.size()];
    int[] lengths = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      text.append(i == 0 ? "" : ",");
      lengths[i] = 32;
      switch (type.parts.get(i)) {
        case IP, NET -> {
          boolean network = type.parts.get(i) == SetType.Part.NET;
          lengths[i] = network ? 27 + random.nextInt(6) : 32;
          values[i] = (0x0A000000 | 1 + random.nextInt(20)) & Ip4.mask(lengths[i]);
          text.append(Ip4.format(values[i])).append(network ? "/" + lengths[i] : "");
        }
        case PORT -> {
          values[i] = random.nextInt(PORTS);
          text.append("udp:").append(values[i]);
        }
        case MARK -> {
          values[i] = 1 + random.nextInt(3);
          text.append(values[i]);
        }
        default -> {
          values[i] = 1 + random.nextInt(20);
          text.append(Mac.format(values[i]));
        }
      }
    }
    boolean nomatch = sometimesNot && type.takesNomatch() && random.nextInt(4) == 0;
    return new Element(values, lengths, nomatch, text.toString());
  }

  private static boolean naive(SetType type, List<Element> all, Packet packet) {
    Element best = null;
    for (Element element : all) {
      boolean holds = true;
      for (int i = 0; i < element.values.length; i++) {
        int seen =
            switch (type.parts.get(i)) {
              case IP, NET -> i == 0 ? packet.source : packet.destination;
              case PORT -> packet.port;
              case MARK -> packet.mark;
              default -> (int) packet.mac;
            };
        holds &= (seen & Ip4.mask(element.lengths[i])) == element.values[i];
      }
      if (holds && (best == null || isNarrower(element, best))) {
        best = element;
      }
    }
    return best != null && !best.nomatch;
  }

  /** The first network's length decides, then the second's. */
  private static boolean isNarrower(Element one, Element other) {
    for (int i = 0; i < one.lengths.length; i++) {
      if (one.lengths[i] != other.lengths[i]) {
        return one.lengths[i] > other.lengths[i];
      }
    }
    return false;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hash:ip",
        "hash:mac",
        "hash:ip,mac",
        "hash:net",
        "hash:net,net",
        "hash:ip,port",
        "hash:net,port",
        "hash:ip,port,ip",
        "hash:ip,port,net",
        "hash:net,port,net",
        "hash:ip,mark"
      })
  void isWhatAListWouldBe(String name) {
    SetType type = SetType.of(name);
    Random random = new Random(name.hashCode());
    restore("create s " + name + " hashsize 64 bucketsize 4");
    List<Element> all = new ArrayList<>();
    IpSet set = sets.find("s");
    SetQuery query = query(type);
    int found = 0;
    for (int i = 0; i < 1500; i++) {
      Element element = draw(type, random, true);
      boolean removes = random.nextInt(3) == 0;
      if (removes && !all.isEmpty()) {
        element = all.get(random.nextInt(all.size()));
      }
      String text = element.text;
      all.removeIf(one -> one.text.equals(text));
      if (removes) {
        restore("del s " + text + " -exist");
      } else {
        all.add(element);
        restore("add s " + text + (element.nomatch ? " nomatch" : "") + " -exist");
      }
      Packet packet =
          new Packet(
              0x0A000000 | 1 + random.nextInt(20),
              0x0A000000 | 1 + random.nextInt(20),
              random.nextInt(PORTS),
              1 + random.nextInt(3),
              1 + random.nextInt(20));
      SkBuff skb = skb(packet);
      boolean expected = naive(type, all, packet);
      assertEquals(expected, set.test(skb, query.of(ETH0, null)), () -> packet + " " + all);
      found += expected ? 1 : 0;
    }
    assertEquals(all.size(), set.size());
    assertTrue(found > 20, "only " + found + " packets were in the set");
  }

  /** As ipset 7.17 and the sources of these types say; no kernel at hand has them. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          hash:mac                      | 02:00:c0:a8:07:02          | 02:00:C0:A8:07:02
          hash:ip,mac                   | 10.0.0.1,2:0:0:0:0:9       | 10.0.0.1,02:00:00:00:00:09
          hash:ip,mark                  | 10.0.0.1,5                 | 10.0.0.1,0x00000005
          hash:ip,mark markmask 0xff    | 10.0.0.1,0x1ff             | 10.0.0.1,0x000000ff
          hash:net,net                  | 10.0.0.0/8,10.1.0.0/16     | 10.0.0.0/8,10.1.0.0/16
          hash:net,port,net             | 0.0.0.0/0,tcp:80,10.0.0.1  | 0.0.0.0/0,tcp:80,10.0.0.1
          """)
  void otherTypesPrintAsIpsetDoes(String create, String typed, String printed) {
    restore("create s " + create + " initval 1\nadd s " + typed);
    String saved = IpsetPrinter.save(sets);
    assertEquals("add s " + printed, saved.lines().skip(1).findFirst().orElseThrow());
    IpSets again = new IpSets(net);
    new IpsetSaveFile("again", saved).into(again);
    assertEquals(saved, IpsetPrinter.save(again));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          hash:mac                | 00:00:00:00:00:00       | t:2:7: set s: an element of zero cannot be stored
          hash:ip,mark            | 0.0.0.0,0               | t:2:7: set s: an element of zero cannot be stored
          hash:net,net            | 0.0.0.0/0,10.0.0.1      | t:2:7: set s: the prefix length is not possible in this type of set
          hash:ip,port            | 10.0.0.1,tcp:99999      | t:2:20: a number from 0 to 65535 is expected, not "99999"
          hash:ip                 | 10.0.0.1 timeout 5      | t:2:7: set s: timeout cannot be given: the set was created without
          """)
  void whatIsWrongIsSaidAtItsPlace(String create, String typed, String problem) {
    SourceException e =
        assertThrows(
            SourceException.class, () -> restore("create s " + create + "\nadd s " + typed));
    assertEquals(problem, e.getMessage());
  }

  @Test
  void lookingUpAMillionNetworksTakesNoLongerThanOne() {
    StringBuilder text = new StringBuilder("create s hash:net maxelem 1100000\n");
    for (int i = 0; i < 1_000_000; i++) {
      text.append("add s ").append(Ip4.format(0x0B000000 + (i << 4))).append("/28\n");
    }
    restore(text.toString());
    IpSet set = sets.find("s");
    assertEquals(1_000_000, set.size());
    SetQuery query = query(SetType.HASH_NET);
    SkBuff inside = skb(new Packet(0x0B000005, 1, 1, 0, 1));
    SkBuff outside = skb(new Packet(0x0A000005, 1, 1, 0, 1));
    for (int i = 0; i < 1_000_000; i++) {
      assertTrue(set.test(inside, query.of(ETH0, null)));
      assertTrue(!set.test(outside, query.of(ETH0, null)));
    }
  }
}
