// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostListener;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.FrameBuilder;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;

/**
 * A router without NAT whose helper overhears what 192.168.7.2, from port 4000, and 198.51.100.1
 * say to each other.
 */
final class Overheard implements HostListener {
  private static final HostDescription ROUTER =
      HostFile.parse(
              "router.yaml",
              """
              interfaces:
                eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24], mtu: 9000}
                eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24], mtu: 9000}
              routes:
                - {to: default, via: 203.0.113.254}
              assume-neighbours: true
              sysctls:
                net.ipv4.ip_forward: 1
              """)
          .description();

  private static final int CLIENT = Ip4.parse("192.168.7.2");
  private static final int SERVER = Ip4.parse("198.51.100.1");
  private static final int CLIENT_PORT = 4000;

  private final Host host;
  private final boolean tcp;
  private final int port;
  private final int[] next = {1, 1};
  private boolean dropped;

  Overheard(String helper, String protocol, int port) {
    String rules =
        "*raw\n-A PREROUTING -p %s -m %s --dport %d -j CT --helper %s\nCOMMIT\n"
            .formatted(protocol, protocol, port, helper);
    host = new Host(ROUTER, RulesFile.parse("rules.v4", rules), 0, 1);
    host.setListener(this);
    this.tcp = protocol.equals("tcp");
    this.port = port;
    if (tcp) {
      next[0] = 0;
      next[1] = 0;
      send(true, 0x02, new byte[0]);
      next[0] = 1;
      send(false, 0x12, new byte[0]);
      next[1] = 1;
      send(true, 0x10, new byte[0]);
    }
  }

  /** Bytes as a test writes them: {@code ^} ends a line, {@code {7f}} is a byte. */
  static byte[] bytes(String text) {
    StringBuilder bytes = new StringBuilder();
    for (int at = 0; at < text.length(); at++) {
      char character = text.charAt(at);
      if (character == '^') {
        bytes.append("\r\n");
      } else if (character == '{') {
        int end = text.indexOf('}', at);
        bytes.append((char) Integer.parseInt(text.substring(at + 1, end), 16));
        at = end;
      } else {
        bytes.append(character);
      }
    }
    return bytes.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  /**
   * One of the two says something.
   *
   * @return what is expected then, such as {@code udp/192.168.7.2:5000}; nothing, or dropped
   */
  String after(boolean client, byte[] payload) {
    dropped = false;
    send(client, 0x18, payload);
    next[client ? 0 : 1] += payload.length;
    return dropped ? "dropped" : expected();
  }

  private void send(boolean client, int flags, byte[] payload) {
    NetDevice dev = host.device(client ? "eth1" : "eth0");
    FrameBuilder frame =
        new FrameBuilder(
            Mac.parse(client ? "02:00:00:00:01:01" : "02:00:00:00:00:01"),
            Mac.parse("02:00:00:00:09:09"));
    frame.ip(client ? CLIENT : SERVER, client ? SERVER : CLIENT);
    int from = client ? CLIENT_PORT : port;
    int to = client ? port : CLIENT_PORT;
    if (tcp) {
      int acknowledged = flags == 0x02 ? 0 : next[client ? 1 : 0];
      frame.tcp(from, to, flags, next[client ? 0 : 1], acknowledged, 0xFFFF);
    } else {
      frame.udp(from, to);
    }
    host.receive(dev, frame.payload(payload).frame(), host.now() + Clock.SECOND / 1000, null);
  }

  private String expected() {
    String all =
        host.conntrack().expectations().list().stream()
            .map(Overheard::told)
            .sorted()
            .collect(Collectors.joining(" "));
    return all.isEmpty() ? "nothing" : all;
  }

  private static String told(ConntrackExpect expect) {
    String to = Ip4.format(expect.tuple.destination) + ":" + expect.tuple.destinationPort;
    return switch (expect.tuple.protocol) {
      case IpHeader.IPPROTO_TCP -> "tcp/" + to;
      case IpHeader.IPPROTO_UDP -> "udp/" + to;
      default ->
          "gre/"
              + Ip4.format(expect.tuple.destination)
              + ":"
              + expect.tuple.sourcePort
              + ">"
              + expect.tuple.destinationPort;
    };
  }

  @Override
  public void dropped(SkBuff skb, DropReason reason, String function) {
    dropped = true;
  }
}
