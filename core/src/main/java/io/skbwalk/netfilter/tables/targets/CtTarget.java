// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.helper.ConntrackHelpers;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketTarget;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import java.util.List;

/**
 * Plays xt_CT: says how the packet's connection is to be tracked. Its other options (ctevents,
 * expevents, timeout) are refused by name.
 *
 * @param helper who looks into the connection's packets; empty for nobody
 * @param protocol the rule's, 0 when it names none or inverts it
 * @param zone 0 to 65535
 * @param directions ZONE_DIR_ bits; 0 stands for both
 * @param zoneFromMark the zone is the packet's mark
 */
public record CtTarget(
    boolean notrack, String helper, int protocol, int zone, int directions, boolean zoneFromMark)
    implements Target {
  private static final int MAX_HELPER_NAME = 15;
  private static final List<String> ZONES = List.of("zone", "zone-orig", "zone-reply");
  private static final List<String> REFUSED = List.of("ctevents", "expevents", "timeout");

  /** {@code -j CT}. */
  public static final TargetType TYPE =
      new TargetType(
          "CT",
          "Decides how the packet will be tracked; table raw.",
          OptionSpec.flag("notrack").about("Not at all."),
          OptionSpec.value("zone").about("In this zone (1 to 65535), or mark."),
          OptionSpec.value("zone-orig").about("In this zone, the original direction only."),
          OptionSpec.value("zone-reply").about("In this zone, the reply direction only."),
          OptionSpec.value("helper")
              .about("With this helper, which needs a protocol: ftp, tftp.", "ftp"),
          OptionSpec.value("ctevents").about("Not modelled, so refused."),
          OptionSpec.value("expevents").about("Not modelled, so refused."),
          OptionSpec.value("timeout").about("Not modelled, so refused.")) {
        @Override
        public Target parse(Options options, int protocol) {
          for (String option : REFUSED) {
            if (options.has(option)) {
              throw options.error(option, "--" + option + " is not modelled");
            }
          }
          int zone = 0;
          int directions = 0;
          boolean fromMark = false;
          // As in iptables the last number wins, and directions add up.
          for (String option : options.names()) {
            if (ZONES.contains(option)) {
              boolean mark = options.text(option).equals("mark");
              fromMark |= mark;
              zone = mark ? zone : (int) options.number(option, 0, 0xFFFF, 0);
              directions |=
                  option.equals("zone-orig")
                      ? Conntrack.ZONE_DIR_ORIGINAL
                      : option.equals("zone-reply") ? Conntrack.ZONE_DIR_REPLY : 0;
            }
          }
          String helper = options.has("helper") ? options.text("helper") : "";
          if (helper.length() > MAX_HELPER_NAME) {
            throw options.error("helper", "a helper's name has at most 15 letters");
          }
          return new CtTarget(options.has("notrack"), helper, protocol, zone, directions, fromMark);
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(notrack ? " --notrack" : "");
    if (!helper.isEmpty()) {
      out.append(" --helper ").append(helper);
    }
    if (zone != 0 || zoneFromMark) {
      out.append(
          directions == Conntrack.ZONE_DIR_ORIGINAL
              ? " --zone-orig "
              : directions == Conntrack.ZONE_DIR_REPLY ? " --zone-reply " : " --zone ");
      out.append(zoneFromMark ? "mark" : Integer.toString(zone));
    }
  }

  @Override
  public String refusal(RulePlace place) {
    String elsewhere = place.onlyIn(TableKind.RAW);
    return elsewhere != null || notrack || helper.isEmpty()
        ? elsewhere
        : ConntrackHelpers.refusal(helper, protocol);
  }

  @Override
  public boolean needsConntrack() {
    return !notrack;
  }

  @Override
  public PacketTarget bind(Environment environment) {
    if (notrack) {
      return new NotrackTarget();
    }
    Conntrack conntrack = environment.conntrack();
    int both = directions == 0 ? Conntrack.ZONE_DIR_BOTH : directions;
    int template = conntrack.allocateTemplate(zone, both, zoneFromMark);
    if (!helper.isEmpty()) {
      ConntrackHelpers helpers =
          environment.perNet(ConntrackHelpers.class, () -> new ConntrackHelpers(conntrack));
      conntrack.setHelper(template, helpers.find(helper, protocol));
    }
    return new Assign(conntrack, template);
  }

  private record Assign(Conntrack conntrack, int template) implements PacketTarget {
    @Override
    public int target(SkBuff skb, PacketContext context) {
      if (skb.ct == 0 && skb.ctInfo == 0) {
        conntrack.set(skb, template, ConntrackInfo.IP_CT_NEW);
      }
      return CONTINUE;
    }
  }
}
