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
import io.skbwalk.netfilter.tables.RefusedException;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays xt_CT: says how the packet's connection is to be tracked, by a template that the packet
 * carries to conntrack.
 *
 * @param helper who looks into the connection's packets; empty for nobody
 * @param timeout the policy that its timeouts come from, empty for the machine's own
 * @param events bits of the events that are told, 0 for all
 * @param expectationEvents likewise of its expectations
 * @param zone 0 to 65535
 * @param directions ZONE_DIR_ bits; 0 stands for both
 * @param zoneFromMark the zone is the packet's mark
 * @param protocol the rule's protocol, 0 when it names none
 */
public record CtTarget(
    boolean notrack,
    String helper,
    String timeout,
    int events,
    int expectationEvents,
    int zone,
    int directions,
    boolean zoneFromMark,
    int protocol)
    implements Target {
  private static final List<String> ZONES = List.of("zone", "zone-orig", "zone-reply");

  /** By bit of {@link io.skbwalk.netfilter.conntrack.ConntrackEvents}; iptables has no label. */
  private static final List<String> EVENTS =
      List.of(
          "new",
          "related",
          "destroy",
          "reply",
          "assured",
          "protoinfo",
          "helper",
          "mark",
          "natseqinfo",
          "secmark");

  private static final List<String> EXPECTATION_EVENTS = List.of("new");

  /** Bytes that struct xt_ct_target_info_v1 has for a name, without its end; the rest is lost. */
  private static final int HELPER_LENGTH = 15;

  private static final int TIMEOUT_LENGTH = 31;

  /** {@code -j CT}. */
  public static final TargetType TYPE =
      new TargetType(
          "CT",
          "Decides how the packet will be tracked; table raw.",
          OptionSpec.flag("notrack").about("Not at all."),
          OptionSpec.value("helper")
              .about("With this helper, which needs a protocol: ftp, irc, pptp, sip, tftp.", "ftp"),
          OptionSpec.value("timeout")
              .about("With the timeouts of this policy of the host's.", "short-lived"),
          OptionSpec.value("ctevents")
              .about("Only these events are told: " + String.join(", ", EVENTS) + ".", "new"),
          OptionSpec.value("expevents")
              .about("Only these events of its expectations are told: new.", "new"),
          OptionSpec.value("zone").about("In this zone (1 to 65535), or mark."),
          OptionSpec.value("zone-orig").about("In this zone, the original direction only."),
          OptionSpec.value("zone-reply").about("In this zone, the reply direction only.")) {
        @Override
        public Target parse(Options options, int protocol) {
          int zone = 0;
          int directions = 0;
          boolean fromMark = false;
          // As in iptables the last number wins, and directions add up.
          for (String option : options.names()) {
            if (ZONES.contains(option)) {
              boolean mark = options.text(option).equalsIgnoreCase("mark");
              fromMark |= mark;
              zone = mark ? 0 : (int) options.number(option, 0, 0xFFFF, 0);
              directions |=
                  option.equals("zone-orig")
                      ? Conntrack.ZONE_DIR_ORIGINAL
                      : option.equals("zone-reply") ? Conntrack.ZONE_DIR_REPLY : 0;
            }
          }
          return new CtTarget(
              options.has("notrack"),
              name(options, "helper", HELPER_LENGTH),
              name(options, "timeout", TIMEOUT_LENGTH),
              events(options, "ctevents", EVENTS),
              events(options, "expevents", EXPECTATION_EVENTS),
              zone,
              directions,
              fromMark,
              protocol);
        }
      };

  private static String name(Options options, String option, int length) {
    String text = options.has(option) ? options.text(option) : "";
    return text.substring(0, Math.min(text.length(), length));
  }

  private static int events(Options options, String option, List<String> names) {
    int mask = 0;
    if (options.has(option)) {
      for (String part : options.list(option)) {
        int bit = names.indexOf(part);
        if (bit < 0) {
          throw options.error(
              option,
              "--" + option + " takes " + String.join(", ", names) + ", not \"" + part + "\"");
        }
        mask |= 1 << bit;
      }
    }
    return mask;
  }

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(notrack ? " --notrack" : "");
    out.append(helper.isEmpty() ? "" : " --helper " + helper);
    out.append(timeout.isEmpty() ? "" : " --timeout " + timeout);
    save(out, " --ctevents ", events, EVENTS);
    save(out, " --expevents ", expectationEvents, EXPECTATION_EVENTS);
    if (zone != 0 || zoneFromMark) {
      out.append(
          directions == Conntrack.ZONE_DIR_ORIGINAL
              ? " --zone-orig "
              : directions == Conntrack.ZONE_DIR_REPLY ? " --zone-reply " : " --zone ");
      out.append(zoneFromMark ? "mark" : Integer.toString(zone));
    }
  }

  private static void save(StringBuilder out, String option, int mask, List<String> names) {
    List<String> chosen = new ArrayList<>();
    for (int bit = 0; bit < names.size(); bit++) {
      if ((mask & 1 << bit) != 0) {
        chosen.add(names.get(bit));
      }
    }
    out.append(chosen.isEmpty() ? "" : option + String.join(",", chosen));
  }

  @Override
  public String refusal(RulePlace place) {
    if (place.table() != TableKind.RAW) {
      return place.onlyIn(TableKind.RAW);
    }
    if (notrack) {
      return null;
    }
    int named = place.isProtocol(protocol) ? protocol : 0;
    if (!helper.isEmpty()) {
      String refusal = ConntrackHelpers.refusal(helper, named);
      if (refusal != null) {
        return refusal;
      }
    }
    return !timeout.isEmpty() && named == 0
        ? "--timeout needs a protocol (-p) that is not inverted"
        : null;
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
    conntrack.setTemplateEvents(template, events, expectationEvents);
    if (!timeout.isEmpty()) {
      try {
        conntrack.setTemplateTimeouts(template, timeout, protocol);
      } catch (IllegalArgumentException e) {
        conntrack.put(template);
        throw new RefusedException(e.getMessage());
      }
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

    @Override
    public void destroy() {
      conntrack.put(template);
    }
  }
}
