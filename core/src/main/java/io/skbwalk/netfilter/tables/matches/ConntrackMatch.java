// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Plays xt_conntrack: what connection tracking knows of the packet's connection.
 *
 * @param states STATE_ bits, 0 when not asked
 * @param protocol IANA number, -1 when not asked
 * @param addresses asked of the tuples, in the order of {@link #ADDRESSES}, null where not asked
 * @param ports likewise, {@link #PORTS}
 * @param statuses IPS_ bits; meaningful when {@code asksStatus}
 * @param expire seconds left, null when not asked
 * @param direction 0 original, 1 reply, -1 when not asked
 */
public record ConntrackMatch(
    int states,
    boolean notStates,
    int protocol,
    boolean notProtocol,
    List<Network> addresses,
    List<Range> ports,
    boolean asksStatus,
    int statuses,
    boolean notStatuses,
    Range expire,
    int direction)
    implements Match {
  /** An address under a mask, perhaps inverted; {@link #NONE} asks nothing. */
  public record Network(int address, int mask, boolean inverted) {
    /** Asks nothing. */
    public static final Network NONE = new Network(0, 0, false);
  }

  /** Numbers from low to high, perhaps inverted; {@link #NONE} asks nothing. */
  public record Range(long low, long high, boolean inverted) {
    /** Asks nothing. */
    public static final Range NONE = new Range(0, 0, false);

    boolean contains(long number) {
      return (number >= low && number <= high) != inverted;
    }

    private void save(StringBuilder out, String option) {
      out.append(inverted ? " ! --" : " --").append(option).append(' ').append(low);
      if (high != low) {
        out.append(':').append(high);
      }
    }
  }

  /** The options of {@link #addresses}. */
  public static final List<String> ADDRESSES =
      List.of("ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst");

  /** The options of {@link #ports}. */
  public static final List<String> PORTS =
      List.of("ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport");

  private static final List<String> STATUSES =
      List.of("EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED");

  /** {@code -m conntrack}. */
  public static final MatchType TYPE =
      new MatchType(
          "conntrack",
          "What connection tracking knows of the packet.",
          OptionSpec.value("ctstate")
              .inverted()
              .about(
                  "States, any of which is enough: NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED, SNAT, DNAT.",
                  "RELATED,ESTABLISHED",
                  "NEW"),
          OptionSpec.value("ctproto").inverted().about("The connection's protocol."),
          OptionSpec.value("ctorigsrc")
              .inverted()
              .about("Source of the original direction, an address or network."),
          OptionSpec.value("ctorigdst")
              .inverted()
              .about("Destination of the original direction, before translation."),
          OptionSpec.value("ctreplsrc").inverted().about("Source of the reply direction."),
          OptionSpec.value("ctrepldst").inverted().about("Destination of the reply direction."),
          OptionSpec.value("ctorigsrcport")
              .inverted()
              .about("Source port of the original direction."),
          OptionSpec.value("ctorigdstport")
              .inverted()
              .about("Destination port of the original direction, before translation."),
          OptionSpec.value("ctreplsrcport").inverted().about("Source port of the reply direction."),
          OptionSpec.value("ctrepldstport")
              .inverted()
              .about("Destination port of the reply direction."),
          OptionSpec.value("ctstatus")
              .inverted()
              .about("NONE, EXPECTED, SEEN_REPLY, ASSURED, CONFIRMED."),
          OptionSpec.value("ctexpire")
              .inverted()
              .about("Seconds until the connection is forgotten, or a range.", "10:60"),
          OptionSpec.value("ctdir").about("ORIGINAL or REPLY.", "ORIGINAL")) {
        @Override
        public Match parse(Options options, int protocol) {
          if (options.isEmpty()) {
            throw options.error("at least one option is needed, such as --ctstate");
          }
          List<Network> addresses = new ArrayList<>();
          for (String option : ADDRESSES) {
            addresses.add(options.has(option) ? network(options, option) : Network.NONE);
          }
          List<Range> ports = new ArrayList<>();
          for (String option : PORTS) {
            Range range = Range.NONE;
            if (options.has(option)) {
              long both = options.libraryPorts(option);
              range = new Range(both >>> 32, both & 0xFFFF, options.inverted(option));
            }
            ports.add(range);
          }
          Range expire = Range.NONE;
          if (options.has("ctexpire")) {
            long both = options.range("ctexpire", 0xFFFFFFFFL);
            expire = new Range(both >>> 32, both & 0xFFFFFFFFL, options.inverted("ctexpire"));
          }
          return new ConntrackMatch(
              options.has("ctstate") ? ConnectionStates.parse(options, "ctstate", true) : 0,
              options.inverted("ctstate"),
              options.has("ctproto") ? protocolOf(options) : -1,
              options.inverted("ctproto"),
              addresses,
              ports,
              options.has("ctstatus"),
              options.has("ctstatus") ? statuses(options) : 0,
              options.inverted("ctstatus"),
              expire,
              options.has("ctdir") ? options.choice("ctdir", List.of("ORIGINAL", "REPLY")) : -1);
        }
      };

  /** Copies the lists. */
  public ConntrackMatch {
    addresses = List.copyOf(addresses);
    ports = List.copyOf(ports);
  }

  private static int protocolOf(Options options) {
    int protocol = options.protocol("ctproto");
    List<String> names = options.names();
    if (protocol == 0
        && options.inverted("ctstatus")
        && names.indexOf("ctstatus") < names.indexOf("ctproto")) {
      // iptables looks at the wrong inversion here: that of --ctstatus, if it has seen it already.
      throw options.error("ctproto", "--ctproto 0 may not follow ! --ctstatus");
    }
    return protocol;
  }

  private static Network network(Options options, String option) {
    long network = options.hostAndMask(option);
    return new Network((int) (network >>> 32), (int) network, options.inverted(option));
  }

  private static int statuses(Options options) {
    int bits = 0;
    for (String part : options.list("ctstatus")) {
      String word = part.toUpperCase(Locale.ROOT);
      int found = 0;
      for (int i = 0; i < STATUSES.size(); i++) {
        found |= STATUSES.get(i).startsWith(word) ? 1 << i : 0;
      }
      if (found == 0 && !"NONE".startsWith(word)) {
        throw options.error(
            "ctstatus",
            "--ctstatus takes NONE, " + String.join(", ", STATUSES) + ", not \"" + part + "\"");
      }
      bits |= found;
    }
    return bits;
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (states != 0) {
      out.append(notStates ? " ! --ctstate " : " --ctstate ");
      out.append(ConnectionStates.text(states));
    }
    if (protocol >= 0) {
      out.append(notProtocol ? " ! --ctproto " : " --ctproto ").append(protocol);
    }
    for (int i = 0; i < ADDRESSES.size(); i++) {
      Network network = addresses.get(i);
      if (network != Network.NONE) {
        out.append(network.inverted ? " ! --" : " --").append(ADDRESSES.get(i)).append(' ');
        out.append(Ip4.format(network.address));
        int length = Integer.bitCount(network.mask);
        // A mask that is no prefix is not printed, as in iptables-save.
        if (length != 32 && Ip4.mask(length) == network.mask) {
          out.append('/').append(length);
        }
      }
    }
    for (int i = 0; i < PORTS.size(); i++) {
      if (ports.get(i) != Range.NONE) {
        ports.get(i).save(out, PORTS.get(i));
      }
    }
    if (asksStatus) {
      List<String> names = new ArrayList<>();
      for (int i = 0; i < STATUSES.size(); i++) {
        if ((statuses & 1 << i) != 0) {
          names.add(STATUSES.get(i));
        }
      }
      out.append(notStatuses ? " ! --ctstatus " : " --ctstatus ");
      out.append(names.isEmpty() ? "NONE" : String.join(",", names));
    }
    if (expire != Range.NONE) {
      expire.save(out, "ctexpire");
    }
    if (direction >= 0) {
      out.append(direction == 0 ? " --ctdir ORIGINAL" : " --ctdir REPLY");
    }
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  private boolean asksOnlyStates() {
    for (int i = 0; i < addresses.size(); i++) {
      if (addresses.get(i) != Network.NONE || ports.get(i) != Range.NONE) {
        return false;
      }
    }
    return states != 0 && protocol < 0 && !asksStatus && expire == Range.NONE && direction < 0;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return asksOnlyStates()
        ? new ConnectionStates(states, notStates, environment.conntrack())
        : new Whole(
            this,
            new ConnectionStates(states, notStates, environment.conntrack()),
            addresses.toArray(new Network[0]),
            ports.toArray(new Range[0]),
            environment.conntrack());
  }

  private record Whole(
      ConntrackMatch asked,
      ConnectionStates states,
      Network[] addresses,
      Range[] ports,
      Conntrack conntrack)
      implements PacketMatch {
    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      if (asked.states != 0) {
        states.asks(conditions);
      }
      return Conditions.Beyond.READS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      if (asked.states != 0 && !states.matches(skb, context)) {
        return false;
      }
      int ct = skb.ct;
      if (ct == 0) {
        return asked.states != 0;
      }
      if (asked.direction >= 0 && ConntrackInfo.direction(skb.ctInfo) != asked.direction) {
        return false;
      }
      for (int i = 0; i < addresses.length; i++) {
        Network network = addresses[i];
        if (network != Network.NONE
            && (((address(ct, i) ^ network.address) & network.mask) == 0) == network.inverted) {
          return false;
        }
      }
      if (asked.protocol >= 0 && (conntrack.protocol(ct) == asked.protocol) == asked.notProtocol) {
        return false;
      }
      for (int i = 0; i < ports.length; i++) {
        if (ports[i] != Range.NONE && !ports[i].contains(port(ct, i))) {
          return false;
        }
      }
      if (asked.asksStatus && ((conntrack.status(ct) & asked.statuses) != 0) == asked.notStatuses) {
        return false;
      }
      return asked.expire == Range.NONE || asked.expire.contains(expires(ct));
    }

    /**
     * Seconds. Until it is confirmed the timeout is a duration, which the kernel takes for a point
     * in time: one that is long past on a machine that has been up for a while.
     */
    private int expires(int ct) {
      return conntrack.has(ct, ConntrackStatus.IPS_CONFIRMED)
          ? conntrack.expires(ct) / Clock.HZ
          : 0;
    }

    private int address(int ct, int index) {
      int direction = index >> 1;
      return (index & 1) == 0
          ? conntrack.source(ct, direction)
          : conntrack.destination(ct, direction);
    }

    private int port(int ct, int index) {
      int direction = index >> 1;
      return (index & 1) == 0
          ? conntrack.sourcePort(ct, direction)
          : conntrack.destinationPort(ct, direction);
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      if (asked.states != 0 && !states.matches(skb, context)) {
        return states.explain(skb, context);
      }
      int ct = skb.ct;
      if (ct == 0) {
        return "no connection";
      }
      if (asked.direction >= 0 && ConntrackInfo.direction(skb.ctInfo) != asked.direction) {
        return "direction is " + (asked.direction == 0 ? "REPLY" : "ORIGINAL");
      }
      for (int i = 0; i < addresses.length; i++) {
        Network network = addresses[i];
        if (network != Network.NONE
            && (((address(ct, i) ^ network.address) & network.mask) == 0) == network.inverted) {
          return ADDRESSES.get(i) + " is " + Ip4.format(address(ct, i));
        }
      }
      if (asked.protocol >= 0 && (conntrack.protocol(ct) == asked.protocol) == asked.notProtocol) {
        return "ctproto is " + conntrack.protocol(ct);
      }
      for (int i = 0; i < ports.length; i++) {
        if (ports[i] != Range.NONE && !ports[i].contains(port(ct, i))) {
          return PORTS.get(i) + " is " + port(ct, i);
        }
      }
      if (asked.asksStatus && ((conntrack.status(ct) & asked.statuses) != 0) == asked.notStatuses) {
        int known =
            ConntrackStatus.IPS_EXPECTED
                | ConntrackStatus.IPS_SEEN_REPLY
                | ConntrackStatus.IPS_ASSURED
                | ConntrackStatus.IPS_CONFIRMED;
        List<String> names = new ArrayList<>();
        for (int i = 0; i < STATUSES.size(); i++) {
          if ((conntrack.status(ct) & known & 1 << i) != 0) {
            names.add(STATUSES.get(i));
          }
        }
        return "ctstatus is " + (names.isEmpty() ? "NONE" : String.join(",", names));
      }
      return "expires in " + expires(ct) + " s";
    }
  }
}
