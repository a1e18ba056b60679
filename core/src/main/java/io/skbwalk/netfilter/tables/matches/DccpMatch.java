// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays xt_dccp: ports, packet types and options of DCCP (RFC 4340).
 *
 * @param source null when not asked
 * @param destination null when not asked
 * @param types null when not asked
 * @param option kind of the option asked for, 0 for none
 */
public record DccpMatch(
    PortRange source, PortRange destination, Types types, int option, boolean notOption)
    implements StatelessMatch {
  /** Packet types, each a bit of {@code mask}. */
  public record Types(int mask, boolean inverted) {
    boolean matches(int type) {
      return ((mask >>> type & 1) != 0) != inverted;
    }
  }

  /** By number. */
  private static final List<String> NAMES =
      List.of(
          "REQUEST",
          "RESPONSE",
          "DATA",
          "ACK",
          "DATAACK",
          "CLOSEREQ",
          "CLOSE",
          "RESET",
          "SYNC",
          "SYNCACK",
          "INVALID");

  private static final int INVALID = 10;
  private static final int INVALID_MASK = 0xFC00;

  private static final int LENGTH = 12;
  private static final int DATA_OFFSET = 4;
  private static final int TYPE_OFFSET = 8;
  private static final int EXTENDED_SEQUENCE = 1;
  private static final int EXTENSION_LENGTH = 4;

  /** By type: what stands between the header and the options; 12 for the types behind. */
  private static final int[] TYPE_LENGTHS = {4, 12, 0, 8, 8, 8, 8, 12, 8, 8};

  /** {@code -m dccp}. */
  public static final MatchType TYPE =
      new MatchType(
          "dccp",
          "DCCP's ports, packet types and options; needs protocol: dccp.",
          IpHeader.IPPROTO_DCCP,
          PortRange.source(),
          PortRange.destination(),
          OptionSpec.value("dccp-types")
              .inverted()
              .about("Packet types: " + String.join(", ", NAMES) + ".", "REQUEST,RESPONSE"),
          OptionSpec.value("dccp-option")
              .inverted()
              .about("A DCCP option of this kind is there.", "32")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new DccpMatch(
              PortRange.asked(options, "source-port"),
              PortRange.asked(options, "destination-port"),
              types(options),
              (int) options.number("dccp-option", 1, 255, 0),
              options.inverted("dccp-option"));
        }
      };

  private static Types types(Options options) {
    if (!options.has("dccp-types")) {
      return null;
    }
    int mask = 0;
    for (String name : options.text("dccp-types").split(",")) {
      int type = -1;
      for (int i = 0; i < NAMES.size(); i++) {
        type = NAMES.get(i).equalsIgnoreCase(name) ? i : type;
      }
      if (type < 0 && !name.isEmpty()) {
        throw options.error(
            "dccp-types",
            "--dccp-types takes " + String.join(", ", NAMES) + ", not \"" + name + "\"");
      }
      mask |= type < 0 ? 0 : type == INVALID ? INVALID_MASK : 1 << type;
    }
    return new Types(mask, options.inverted("dccp-types"));
  }

  private static String name(int type) {
    return NAMES.get(Math.min(type, INVALID));
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (source != null) {
      source.saveAsked(out, "--sport");
    }
    if (destination != null) {
      destination.saveAsked(out, "--dport");
    }
    if (types != null) {
      List<String> names = new ArrayList<>();
      for (int i = 0; i < NAMES.size(); i++) {
        if ((types.mask >>> i & 1) != 0) {
          names.add(NAMES.get(i));
        }
      }
      out.append(types.inverted ? " ! --dccp-types " : " --dccp-types ");
      out.append(String.join(",", names));
    }
    if (option != 0) {
      out.append(notOption ? " ! --dccp-option " : " --dccp-option ").append(option);
    }
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    conditions.hasTransport();
    if (source != null) {
      source.ask(PacketKey.SOURCE_PORT, conditions);
    }
    if (destination != null) {
      destination.ask(PacketKey.DESTINATION_PORT, conditions);
    }
    if (option != 0) {
      return Conditions.Beyond.ACTS;
    }
    return types == null ? Conditions.Beyond.NOTHING : Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return false;
    }
    int dccp = context.transport;
    if (skb.tail - dccp < LENGTH) {
      context.hotdrop = true;
      return false;
    }
    return (source == null || source.matches(skb.u16(dccp)))
        && (destination == null || destination.matches(skb.u16(dccp + 2)))
        && (types == null || types.matches(typeOf(skb, dccp)))
        // Inverted, it matches a header whose options it cannot read, and drops it as well.
        && (option == 0 || hasOption(skb, context) != notOption);
  }

  private static int typeOf(SkBuff skb, int dccp) {
    return skb.u8(dccp + TYPE_OFFSET) >>> 1 & 0xF;
  }

  private boolean hasOption(SkBuff skb, PacketContext context) {
    int dccp = context.transport;
    int type = typeOf(skb, dccp);
    int options = dccp + LENGTH + (type < TYPE_LENGTHS.length ? TYPE_LENGTHS[type] : 12);
    if ((skb.u8(dccp + TYPE_OFFSET) & EXTENDED_SEQUENCE) != 0) {
      options += EXTENSION_LENGTH;
    }
    int end = dccp + skb.u8(dccp + DATA_OFFSET) * 4;
    if (end < options || end > options && end > skb.tail) {
      context.hotdrop = true;
      return false;
    }
    for (int at = options; at < end; at = TcpHeader.nextOption(skb, at, end)) {
      if (skb.u8(at) == option) {
        return true;
      }
    }
    return false;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    int dccp = context.transport;
    if (context.fragmentOffset != 0) {
      return "a later fragment has no DCCP header";
    }
    if (context.hotdrop) {
      return "malformed or truncated DCCP header";
    }
    if (source != null && !source.matches(skb.u16(dccp))) {
      return "source port is " + skb.u16(dccp);
    }
    if (destination != null && !destination.matches(skb.u16(dccp + 2))) {
      return "destination port is " + skb.u16(dccp + 2);
    }
    int type = typeOf(skb, dccp);
    if (types != null && !types.matches(type)) {
      return "packet type is " + name(type);
    }
    return "DCCP option " + option + (notOption ? " is there" : " is not there");
  }
}
