// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Jhash;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_HMARK: the mark is a hash of the packet's addresses and ports, the same in both
 * directions.
 *
 * @param given the options that were given; what was not is 0 and not printed
 * @param sourceMask bits of the source address that count
 * @param destinationMask bits of the destination address that count
 * @param portMask bits of the ports that count, the source port in the upper half; or of the SPI
 * @param portSet bits of the ports that are always set, likewise
 * @param protocolMask bits of the protocol that are mixed in
 * @param seed of the hash
 * @param modulus the hash is scaled to 0 to {@code modulus} - 1
 * @param offset added to that
 * @param ofConnection the addresses and ports are the connection's, before NAT and behind it
 */
public record HmarkTarget(
    int given,
    int sourceMask,
    int destinationMask,
    int portMask,
    int portSet,
    int protocolMask,
    int seed,
    int modulus,
    int offset,
    boolean ofConnection)
    implements StatelessTarget {
  private static final int SOURCE_MASK = 1;
  private static final int DESTINATION_MASK = 1 << 1;
  private static final int SOURCE_PORT_MASK = 1 << 2;
  private static final int DESTINATION_PORT_MASK = 1 << 3;
  private static final int SPI_MASK = 1 << 4;
  private static final int SOURCE_PORT = 1 << 5;
  private static final int DESTINATION_PORT = 1 << 6;
  private static final int SPI = 1 << 7;
  private static final int PROTOCOL_MASK = 1 << 8;
  private static final int OFFSET = 1 << 9;

  private static final int IPPROTO_DCCP = 33;
  private static final int IPPROTO_ESP = 50;
  private static final int IPPROTO_AH = 51;
  private static final int IPPROTO_SCTP = 132;
  private static final int IPPROTO_UDPLITE = 136;

  /** {@code -j HMARK}. */
  public static final TargetType TYPE =
      new TargetType(
          "HMARK",
          "Sets the mark to a hash of addresses and ports, the same in both directions.",
          OptionSpec.value("hmark-tuple")
              .about("What is hashed: src, dst, sport, dport, spi, proto; ct.", "src,dst"),
          OptionSpec.value("hmark-src-prefix").about("Leading bits of the source, 0 to 32."),
          OptionSpec.value("hmark-dst-prefix").about("Leading bits of the destination, 0 to 32."),
          OptionSpec.value("hmark-sport-mask").about("Bits of the source port that count."),
          OptionSpec.value("hmark-dport-mask").about("Bits of the destination port that count."),
          OptionSpec.value("hmark-spi-mask").about("Bits of the SPI of AH and ESP that count."),
          OptionSpec.value("hmark-sport").about("Bits of the source port to set."),
          OptionSpec.value("hmark-dport").about("Bits of the destination port to set."),
          OptionSpec.value("hmark-spi").about("Bits of the SPI to set."),
          OptionSpec.value("hmark-proto-mask").about("Bits of the protocol that count."),
          OptionSpec.value("hmark-rnd").needed().about("The hash's seed.", "0xcafe"),
          OptionSpec.value("hmark-mod").needed().about("How many marks there are.", "10"),
          OptionSpec.value("hmark-offset").about("The smallest mark.")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new Reader(options).read();
        }
      };

  /** Reads options in their order: a later mask replaces an earlier one. */
  private static final class Reader {
    private final Options options;
    private int given;
    private int sourceMask;
    private int destinationMask;
    private int portMask;
    private int portSet;
    private int protocolMask;
    private boolean ofConnection;

    Reader(Options options) {
      this.options = options;
    }

    HmarkTarget read() {
      options.names().forEach(this::option);
      boolean portMasks = (given & (SOURCE_PORT_MASK | DESTINATION_PORT_MASK)) != 0;
      if ((given & SPI_MASK) != 0 && portMasks) {
        throw options.error("masks of ports and of the SPI exclude each other");
      }
      if ((given & SPI) != 0 && (given & (SOURCE_PORT | DESTINATION_PORT)) != 0) {
        throw options.error("hmark-spi", "--hmark-spi excludes --hmark-sport and --hmark-dport");
      }
      if ((given & ~OFFSET) == 0 && !ofConnection) {
        throw options.error("--hmark-tuple is missing, or another option that says what is hashed");
      }
      return new HmarkTarget(
          given,
          sourceMask,
          destinationMask,
          portMask,
          portSet,
          protocolMask,
          (int) options.number("hmark-rnd", 0, 0xFFFFFFFFL, 0),
          (int) options.number("hmark-mod", 1, 0xFFFFFFFFL, 0),
          (int) options.number("hmark-offset", 0, 0xFFFFFFFFL, 0),
          ofConnection);
    }

    private void option(String option) {
      switch (option) {
        case "hmark-tuple" -> {
          if (options.text(option).isEmpty()) {
            throw options.error(option, "--hmark-tuple takes a list such as src,dst,sport,dport");
          }
          options.list(option).forEach(this::field);
        }
        case "hmark-src-prefix" -> {
          sourceMask = prefix(option);
          give(option, SOURCE_MASK);
        }
        case "hmark-dst-prefix" -> {
          destinationMask = prefix(option);
          give(option, DESTINATION_MASK);
        }
        case "hmark-sport-mask" -> {
          portMask = portMask & 0xFFFF | number16(option) << 16;
          give(option, SOURCE_PORT_MASK);
        }
        case "hmark-dport-mask" -> {
          portMask = portMask & ~0xFFFF | number16(option);
          give(option, DESTINATION_PORT_MASK);
        }
        case "hmark-spi-mask" -> {
          portMask = (int) options.number(option, 0, 0xFFFFFFFFL, 0);
          give(option, SPI_MASK);
        }
        case "hmark-sport" -> {
          portSet = portSet & 0xFFFF | number16(option) << 16;
          given |= SOURCE_PORT;
        }
        case "hmark-dport" -> {
          portSet = portSet & ~0xFFFF | number16(option);
          given |= DESTINATION_PORT;
        }
        case "hmark-spi" -> {
          portSet = (int) options.number(option, 0, 0xFFFFFFFFL, 0);
          given |= SPI;
        }
        case "hmark-proto-mask" -> {
          protocolMask = number16(option);
          give(option, PROTOCOL_MASK);
        }
        case "hmark-offset" -> given |= OFFSET;
        default -> {}
      }
    }

    /** iptables counts what --hmark-tuple has named as given. */
    private void give(String option, int bit) {
      if ((given & bit) != 0) {
        throw options.error(option, "--" + option + " is named by --hmark-tuple before");
      }
      given |= bit;
    }

    private int prefix(String option) {
      return Ip4.mask(options.prefixLength(option, options.text(option)));
    }

    private int number16(String option) {
      return (int) options.number(option, 0, 0xFFFF, 0);
    }

    /** One of --hmark-tuple's; the beginning of a name will do, and the first that fits counts. */
    private void field(String text) {
      String[] names = {"ct", "src", "dst", "sport", "dport", "proto", "spi"};
      int field = 0;
      while (field < names.length && !names[field].regionMatches(true, 0, text, 0, text.length())) {
        field++;
      }
      switch (field) {
        case 0 -> ofConnection = true;
        case 1 -> {
          sourceMask = -1;
          given |= SOURCE_MASK;
        }
        case 2 -> {
          destinationMask = -1;
          given |= DESTINATION_MASK;
        }
        case 3 -> {
          portMask |= 0xFFFF << 16;
          given |= SOURCE_PORT_MASK;
        }
        case 4 -> {
          portMask |= 0xFFFF;
          given |= DESTINATION_PORT_MASK;
        }
        case 5 -> {
          protocolMask = 0xFFFF;
          given |= PROTOCOL_MASK;
        }
        case 6 -> {
          portMask = -1;
          given |= SPI_MASK;
        }
        default ->
            throw options.error(
                "hmark-tuple",
                "--hmark-tuple takes " + String.join(", ", names) + ", not \"" + text + "\"");
      }
    }
  }

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    number(out, SOURCE_MASK, "src-prefix %d", Integer.bitCount(sourceMask));
    number(out, DESTINATION_MASK, "dst-prefix %d", Integer.bitCount(destinationMask));
    number(out, SOURCE_PORT_MASK, "sport-mask 0x%04x", portMask >>> 16);
    number(out, DESTINATION_PORT_MASK, "dport-mask 0x%04x", portMask & 0xFFFF);
    number(out, SPI_MASK, "spi-mask 0x%08x", portMask);
    number(out, SOURCE_PORT, "sport 0x%04x", portSet >>> 16);
    number(out, DESTINATION_PORT, "dport 0x%04x", portSet & 0xFFFF);
    number(out, SPI, "spi 0x%08x", portSet);
    number(out, PROTOCOL_MASK, "proto-mask 0x%02x", protocolMask);
    out.append(String.format(" --hmark-rnd 0x%08x", seed));
    out.append(" --hmark-mod ").append(Integer.toUnsignedString(modulus));
    if ((given & OFFSET) != 0) {
      out.append(" --hmark-offset ").append(Integer.toUnsignedString(offset));
    }
    out.append(ofConnection ? " --hmark-tuple ct" : "");
  }

  private void number(StringBuilder out, int bit, String option, int value) {
    if ((given & bit) != 0) {
      out.append(" --hmark-").append(String.format(option, value));
    }
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (ofConnection) {
      if (skb.ct != 0) {
        ofConnection(skb, context.environment.conntrack());
      }
    } else {
      ofPacket(skb);
    }
    return CONTINUE;
  }

  private void ofConnection(SkBuff skb, Conntrack conntrack) {
    int ct = skb.ct;
    int source = conntrack.source(ct, ConntrackInfo.ORIGINAL);
    int destination = conntrack.source(ct, ConntrackInfo.REPLY);
    int protocol = conntrack.protocol(ct);
    int ports = 0;
    if (protocol != IpHeader.IPPROTO_ICMP) {
      ports =
          inOrder(
              conntrack.sourcePort(ct, ConntrackInfo.ORIGINAL) << 16
                  | conntrack.sourcePort(ct, ConntrackInfo.REPLY));
    }
    mark(skb, source, destination, protocol, ports);
  }

  /** Of an ICMP error the packet that it quotes counts. */
  private void ofPacket(SkBuff skb) {
    int ip = skb.networkHeader;
    if (IpHeader.protocol(skb) == IpHeader.IPPROTO_ICMP) {
      int icmp = ip + IpHeader.headerLength(skb);
      if (icmp + IcmpHeader.LENGTH <= skb.tail && IcmpHeader.isError(skb.u8(icmp))) {
        ip = icmp + IcmpHeader.LENGTH;
        if (ip + IpHeader.MIN_LENGTH > skb.tail) {
          return;
        }
      }
    }
    int protocol = skb.u8(ip + IpHeader.PROTOCOL_OFFSET);
    int fragment = skb.u16(ip + IpHeader.FRAGMENT_OFFSET) & (IpHeader.IP_MF | IpHeader.IP_OFFSET);
    int ports = 0;
    if (protocol != IpHeader.IPPROTO_ICMP && fragment == 0) {
      int offset = portsOffset(protocol);
      int at = ip + (skb.u8(ip) & 15) * 4 + offset;
      if (offset >= 0 && at + 4 <= skb.tail) {
        ports = inOrder(skb.u32(at));
      }
    }
    mark(
        skb,
        skb.u32(ip + IpHeader.SOURCE_OFFSET),
        skb.u32(ip + IpHeader.DESTINATION_OFFSET),
        protocol,
        ports);
  }

  /** Plays proto_ports_offset: where ports, or an SPI, stand in the transport header; or -1. */
  private static int portsOffset(int protocol) {
    return switch (protocol) {
      case IpHeader.IPPROTO_TCP,
          IpHeader.IPPROTO_UDP,
          IPPROTO_DCCP,
          IPPROTO_ESP,
          IPPROTO_SCTP,
          IPPROTO_UDPLITE ->
          0;
      case IPPROTO_AH -> 4;
      default -> -1;
    };
  }

  /** The ports that count, the larger first: an answer's are the same. */
  private int inOrder(int ports) {
    int counted = ports & portMask | portSet;
    int exchanged = Integer.rotateLeft(counted, 16);
    return Integer.compareUnsigned(counted, exchanged) < 0 ? exchanged : counted;
  }

  private void mark(SkBuff skb, int source, int destination, int protocol, int ports) {
    int one = source & sourceMask;
    int other = destination & destinationMask;
    boolean inOrder = Integer.compareUnsigned(one, other) <= 0;
    int hash = Jhash.words(inOrder ? one : other, inOrder ? other : one, ports, seed);
    hash ^= protocol & protocolMask;
    int old = skb.mark;
    skb.mark = (int) ((hash & 0xFFFFFFFFL) * (modulus & 0xFFFFFFFFL) >>> 32) + offset;
    if (skb.trace != null && skb.mark != old) {
      skb.trace.on(new TraceEvent.Changed("mark", MarkTarget.hex(old), MarkTarget.hex(skb.mark)));
    }
  }
}
