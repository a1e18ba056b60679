// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.Mac;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.FreeListener;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Frames from the wire to a protocol, and back to the wire. */
class NetworkCoreTest {
  private static final long OWN = Mac.parse("02:00:00:00:00:01");
  private static final int ETHERNET =
      NetDevice.IFF_UP | NetDevice.IFF_BROADCAST | NetDevice.IFF_MULTICAST;

  private final Net net = new Net(0, 1);
  private final NetworkCore core = new NetworkCore(net);
  private final NetDevice lo =
      new NetDevice("lo", 1, 0, 65536, NetDevice.IFF_UP | NetDevice.IFF_LOOPBACK);
  private final NetDevice eth0 = new NetDevice("eth0", 2, OWN, 1500, ETHERNET);
  private final NetDevice eth1 =
      new NetDevice("eth1", 3, OWN + 256, 1500, ETHERNET | NetDevice.IFF_PROMISC);
  private final NetDevice vlan5 = new NetDevice("eth0.5", 4, OWN, 1500, ETHERNET);

  /** What happened, in words. */
  private final List<String> log = new ArrayList<>();

  @BeforeEach
  void boot() {
    core.register(lo, 1);
    core.register(eth0, 4);
    core.register(eth1, 100);
    vlan5.lower = eth0;
    vlan5.vlanId = 5;
    core.register(vlan5, 1);
    core.addPacketType(
        EthernetHeader.ETH_P_IP,
        (skb, dev) -> {
          log.add("ip " + dev + " type " + skb.pktType + " at " + skb.tstamp);
          assertEquals(skb.tstamp, net.clock.now());
          assertEquals(skb.networkHeader, skb.data);
          assertEquals(EthernetHeader.ETH_P_IP, EthernetHeader.type(skb, skb.macHeader));
          net.skbs.consume(skb);
        });
    core.setRefusalListener((dev, frame, refusal) -> log.add(dev + " refused " + refusal));
    core.setTransmitListener((dev, skb) -> log.add(dev + " sent " + skb.length()));
    net.skbs.setFreeListener(
        new FreeListener() {
          @Override
          public void dropped(SkBuff skb, DropReason reason, String function) {
            log.add(reason + " " + function);
          }

          @Override
          public void released(SkBuff skb) {}
        });
  }

  @ParameterizedTest
  @CsvSource({
    // on, destination, what is behind it, what happens
    "eth0, 02:00:00:00:00:01, 0800, ip eth0 type 0 at 7",
    "eth0, ff:ff:ff:ff:ff:ff, 0800, ip eth0 type 1 at 7",
    "eth0, 01:00:5e:00:00:01, 0800, ip eth0 type 2 at 7",
    "eth0, 02:00:00:00:00:99, 0800, eth0 refused ADDRESS_FILTER",
    "eth1, 02:00:00:00:00:99, 0800, ip eth1 type 3 at 7",
    "eth0, 02:00:00:00:00:01, 1234, UNHANDLED_PROTO __netif_receive_skb_core",
    "eth0, 02:00:00:00:00:01, 0040, UNHANDLED_PROTO __netif_receive_skb_core",
    "eth0, 02:00:00:00:00:01, 810000050800, ip eth0.5 type 0 at 7",
    "eth0, 02:00:00:00:00:01, 810000060800, ip eth0 type 3 at 7",
    "eth0, 02:00:00:00:00:01, 810000000800, ip eth0 type 0 at 7",
    "eth0, 02:00:00:00:00:01, 81000000810000050800, ip eth0.5 type 0 at 7",
    "eth0, 02:00:00:00:00:01, 81000005810000000800, ip eth0.5 type 0 at 7",
    "eth0, 02:00:00:00:00:01, 88a800050800, ip eth0 type 3 at 7",
    "eth1, 02:00:00:00:01:01, 810000050800, ip eth1 type 3 at 7",
  })
  void oneFrame(String on, String destination, String type, String expected) {
    byte[] frame = frame(Mac.parse(destination), type, 46);
    receive(core.device(on), frame, 0, 7);
    core.softirq();
    assertEquals(List.of(expected), log);
    assertEquals(0, net.skbs.outstanding());
  }

  @Test
  void aTagThatIsCutOffIsLostWhereLinuxLosesIt() {
    receive(eth0, frame(OWN, "810000", 2), 0, 7);
    core.softirq();
    assertEquals(List.of("NOT_SPECIFIED skb_vlan_untag"), log);
  }

  @Test
  void framesOfNoLengthAtAllAreRefused() {
    for (int length = 0; length < 14; length++) {
      receive(eth0, new byte[length], 0, 7);
    }
    receive(eth0, new byte[70_000], 0, 7);
    assertEquals(15, eth0.rxLengthErrors);
    assertEquals(15, eth0.rxErrors);
    assertEquals(0, eth0.rxPackets);
  }

  @Test
  void theCheckSequenceIsVerifiedAndTakenOff() {
    byte[] bytes = frame(OWN, "0800", 46);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    byte[] frame =
        ByteBuffer.allocate(64)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(bytes)
            .putInt((int) crc.getValue())
            .array();
    receive(eth0, frame, 4, 7);
    core.softirq();
    assertEquals(60, eth0.rxBytes);
    for (int bit = 0; bit < 64 * 8; bit++) {
      byte[] broken = frame.clone();
      broken[bit / 8] ^= (byte) (1 << bit % 8);
      receive(eth1, broken, 4, 7);
    }
    core.softirq();
    assertEquals(512, eth1.rxCrcErrors);
    assertEquals(0, eth1.rxPackets);
  }

  @Test
  void whatArrivesWhileMaskedIsPolledTogetherAndTheRingHasAnEnd() {
    List<TraceEvent> events = new ArrayList<>();
    for (int i = 1; i <= 6; i++) {
      core.controller(eth0).receive(frame(OWN, "0800", 46), 0, 60, 0, i * 10, i, events::add);
    }
    core.softirq();
    assertEquals(2, eth0.rxMissed);
    assertEquals(
        List.of(
            "eth0 refused RING_FULL",
            "eth0 refused RING_FULL",
            "ip eth0 type 0 at 10",
            "ip eth0 type 0 at 20",
            "ip eth0 type 0 at 30",
            "ip eth0 type 0 at 40"),
        log);
    assertEquals(
        List.of(1, 2, 3, 4),
        events.stream()
            .filter(TraceEvent.SoftIrq.class::isInstance)
            .map(event -> ((TraceEvent.SoftIrq) event).polled())
            .toList());
    assertEquals(
        1,
        events.stream()
            .filter(
                event -> event instanceof TraceEvent.HardIrq irq && irq.text().startsWith("ack"))
            .count());
  }

  @Test
  void twoCardsTakeTurnsByTheWeightOfAPoll() {
    NetDevice eth2 = new NetDevice("eth2", 5, OWN, 1500, ETHERNET);
    core.register(eth2, 100);
    for (int i = 0; i < 100; i++) {
      receive(eth1, frame(eth1.macAddress, "0800", 46), 0, 0);
      receive(eth2, frame(OWN, "0800", 46), 0, 0);
    }
    core.softirq();
    List<String> turns = new ArrayList<>();
    for (String line : log) {
      String name = line.split(" ")[1];
      if (turns.isEmpty() || !turns.get(turns.size() - 1).equals(name)) {
        turns.add(name);
      }
    }
    assertEquals(List.of("eth1", "eth2", "eth1", "eth2"), turns);
    assertEquals("ip eth2 type 0 at 0", log.get(64));
  }

  @Test
  void tapsSeeEverythingAndOneIsEnoughToTakeAFrame() {
    core.addTap(
        NetworkCore.ETH_P_ALL,
        eth0,
        (skb, dev) ->
            log.add("all " + dev + " type " + skb.pktType + " " + (skb.tail - skb.macHeader)));
    core.addTap(0x1234, null, (skb, dev) -> log.add("one " + dev));
    receive(eth0, frame(OWN, "1234", 46), 0, 1);
    receive(eth0, frame(OWN, "9999", 46), 0, 2);
    receive(eth0, frame(OWN, "810000050800", 46), 0, 3);
    core.softirq();
    receive(eth1, frame(OWN, "1234", 46), 0, 4);
    core.softirq();
    core.queueXmit(outgoing(eth0, 100));
    core.queueXmit(outgoing(vlan5, 100));
    core.queueXmit(outgoing(eth1, 100));
    assertEquals(
        List.of(
            "all eth0 type 0 60",
            "one eth0",
            "all eth0 type 0 60",
            "all eth0 type 0 60",
            "ip eth0.5 type 0 at 3",
            "one eth1",
            "all eth0 type 4 114",
            "eth0 sent 114",
            "all eth0 type 4 118",
            "eth0 sent 118",
            "eth1 sent 114"),
        log);
    assertEquals(0, eth0.rxDropped);
    assertEquals(0, net.skbs.outstanding());
  }

  @Test
  void aTapOfItsTypeHasTheLastOfAnothersFrame() {
    core.addTap(EthernetHeader.ETH_P_IP, null, (skb, dev) -> log.add("one " + skb.pktType));
    core.addTap(NetworkCore.ETH_P_ALL, null, (skb, dev) -> log.add("all"));
    receive(eth1, frame(Mac.parse("02:00:00:00:00:99"), "0800", 46), 0, 1);
    core.softirq();
    receive(eth1, frame(eth1.macAddress, "0800", 46), 0, 2);
    core.softirq();
    // Behind a tag the tap that saw the tag does not count.
    receive(eth1, frame(eth1.macAddress, "810000051234", 46), 0, 3);
    core.softirq();
    assertEquals(
        List.of(
            "all",
            "one 3",
            "all",
            "one 0",
            "ip eth1 type 0 at 2",
            "all",
            "UNHANDLED_PROTO __netif_receive_skb_core"),
        log);
    assertEquals(0, net.skbs.outstanding());
  }

  @Test
  void aVlanInterfaceTagsWhatItSends() {
    byte[][] sent = new byte[1][];
    core.setTransmitListener(
        (dev, skb) -> sent[0] = Arrays.copyOfRange(skb.head, skb.data, skb.tail));
    core.queueXmit(outgoing(vlan5, 46));
    byte[] expected = frame(Mac.BROADCAST, "810000050800", 46);
    assertEquals(expected.length, sent[0].length);
    assertTrue(Arrays.equals(expected, 12, 18, sent[0], 12, 18));
    assertTrue(Arrays.equals(expected, 0, 6, sent[0], 0, 6));
    assertEquals(1, vlan5.txPackets);
    assertEquals(60, vlan5.txBytes);
    assertEquals(64, eth0.txBytes);
  }

  @Test
  void whatTheLoopbackSendsComesInAgain() {
    SkBuff skb = outgoing(lo, 20);
    EthernetHeader.write(skb, skb.data, 0, 0, EthernetHeader.ETH_P_IP);
    core.queueXmit(skb);
    assertTrue(log.isEmpty(), "only the softirq takes it");
    core.softirq();
    assertEquals(List.of("ip lo type 0 at 0"), log);
    assertEquals(1, lo.rxPackets);
    assertEquals(34, lo.rxBytes);
  }

  private SkBuff outgoing(NetDevice dev, int payload) {
    SkBuff skb = net.skbs.allocate(64, 14 + payload);
    skb.put(14 + payload);
    EthernetHeader.write(skb, skb.data, Mac.BROADCAST, dev.macAddress, EthernetHeader.ETH_P_IP);
    skb.dev = dev;
    return skb;
  }

  private void receive(NetDevice dev, byte[] frame, int fcsLength, long time) {
    core.controller(dev).receive(frame, 0, frame.length, fcsLength, time, 1, null);
  }

  /** A frame whose addresses are followed by {@code type} in hexadecimal and zeros. */
  private static byte[] frame(long destination, String type, int payload) {
    ByteBuffer frame = ByteBuffer.allocate(12 + type.length() / 2 + payload);
    frame.putShort((short) (destination >> 32)).putInt((int) destination);
    frame.position(12);
    for (int i = 0; i < type.length(); i += 2) {
      frame.put((byte) Integer.parseInt(type.substring(i, i + 2), 16));
    }
    return frame.array();
  }
}
