// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.tables.Names;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.skb.IpHeader;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays struct xt_policy_elem: what one IPsec state is asked for.
 *
 * @param asked each question as iptables-save prints it, in its order
 */
record PolicyElement(List<String> asked) {
  private static final List<String> MODES = List.of("transport", "tunnel");

  /** Copies the list. */
  PolicyElement {
    asked = List.copyOf(asked);
  }

  /**
   * Reads one.
   *
   * @param ofPolicy false where nothing will ask for it
   */
  static PolicyElement parse(Options options, boolean ofPolicy) {
    boolean tunnel =
        options.has("mode") && mode(options).equals("tunnel") != options.inverted("mode");
    List<String> asked = new ArrayList<>();
    if (options.has("reqid")) {
      asked.add(question(options, "reqid", Long.toString(number(options, "reqid"))));
    }
    if (options.has("spi")) {
      asked.add(question(options, "spi", "0x" + Long.toHexString(number(options, "spi"))));
    }
    if (options.has("proto")) {
      asked.add(question(options, "proto", protocol(options)));
    }
    if (options.has("mode")) {
      asked.add(question(options, "mode", mode(options)));
    }
    for (String end : List.of("tunnel-dst", "tunnel-src")) {
      if (options.has(end)) {
        if (!tunnel && ofPolicy) {
          throw options.error(end, "--" + end + " needs --mode tunnel");
        }
        asked.add(question(options, end, network(options.hostAndMask(end))));
      }
    }
    return new PolicyElement(asked);
  }

  private static String question(Options options, String name, String value) {
    return (options.inverted(name) ? "! --" : "--") + name + " " + value;
  }

  private static long number(Options options, String name) {
    return options.number(name, 0, 0xFFFFFFFFL, 0);
  }

  private static String protocol(Options options) {
    int protocol = options.protocol("proto");
    if (protocol != IpHeader.IPPROTO_AH
        && protocol != IpHeader.IPPROTO_ESP
        && protocol != IpHeader.IPPROTO_COMP) {
      throw options.error(
          "proto", "--proto takes ah, esp or ipcomp, not \"" + options.text("proto") + "\"");
    }
    return Names.protocol(protocol);
  }

  private static String mode(Options options) {
    return PolicyMatch.word(options, "mode", MODES);
  }

  private static String network(long network) {
    int length = Integer.bitCount((int) network);
    String address = Ip4.format((int) (network >>> 32));
    return length == 32 ? address : address + "/" + length;
  }
}
