// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.netfilter.tables.matches.AddrtypeMatch;
import io.skbwalk.netfilter.tables.matches.AhMatch;
import io.skbwalk.netfilter.tables.matches.BpfMatch;
import io.skbwalk.netfilter.tables.matches.ClusterMatch;
import io.skbwalk.netfilter.tables.matches.CommentMatch;
import io.skbwalk.netfilter.tables.matches.ConnbytesMatch;
import io.skbwalk.netfilter.tables.matches.ConnlabelMatch;
import io.skbwalk.netfilter.tables.matches.ConnlimitMatch;
import io.skbwalk.netfilter.tables.matches.ConnmarkMatch;
import io.skbwalk.netfilter.tables.matches.ConntrackMatch;
import io.skbwalk.netfilter.tables.matches.CpuMatch;
import io.skbwalk.netfilter.tables.matches.DccpMatch;
import io.skbwalk.netfilter.tables.matches.DevgroupMatch;
import io.skbwalk.netfilter.tables.matches.DscpMatch;
import io.skbwalk.netfilter.tables.matches.EcnMatch;
import io.skbwalk.netfilter.tables.matches.EspMatch;
import io.skbwalk.netfilter.tables.matches.HashlimitMatch;
import io.skbwalk.netfilter.tables.matches.HelperMatch;
import io.skbwalk.netfilter.tables.matches.IcmpMatch;
import io.skbwalk.netfilter.tables.matches.IpcompMatch;
import io.skbwalk.netfilter.tables.matches.IprangeMatch;
import io.skbwalk.netfilter.tables.matches.LengthMatch;
import io.skbwalk.netfilter.tables.matches.LimitMatch;
import io.skbwalk.netfilter.tables.matches.MacMatch;
import io.skbwalk.netfilter.tables.matches.MarkMatch;
import io.skbwalk.netfilter.tables.matches.MultiportMatch;
import io.skbwalk.netfilter.tables.matches.NfacctMatch;
import io.skbwalk.netfilter.tables.matches.OsfMatch;
import io.skbwalk.netfilter.tables.matches.OwnerMatch;
import io.skbwalk.netfilter.tables.matches.PhysdevMatch;
import io.skbwalk.netfilter.tables.matches.PkttypeMatch;
import io.skbwalk.netfilter.tables.matches.PolicyMatch;
import io.skbwalk.netfilter.tables.matches.QuotaMatch;
import io.skbwalk.netfilter.tables.matches.RateestMatch;
import io.skbwalk.netfilter.tables.matches.RealmMatch;
import io.skbwalk.netfilter.tables.matches.RecentMatch;
import io.skbwalk.netfilter.tables.matches.RpfilterMatch;
import io.skbwalk.netfilter.tables.matches.SctpMatch;
import io.skbwalk.netfilter.tables.matches.SetMatch;
import io.skbwalk.netfilter.tables.matches.SocketMatch;
import io.skbwalk.netfilter.tables.matches.StateMatch;
import io.skbwalk.netfilter.tables.matches.StatisticMatch;
import io.skbwalk.netfilter.tables.matches.StringMatch;
import io.skbwalk.netfilter.tables.matches.TcpMatch;
import io.skbwalk.netfilter.tables.matches.TcpmssMatch;
import io.skbwalk.netfilter.tables.matches.TimeMatch;
import io.skbwalk.netfilter.tables.matches.TosMatch;
import io.skbwalk.netfilter.tables.matches.TtlMatch;
import io.skbwalk.netfilter.tables.matches.U32Match;
import io.skbwalk.netfilter.tables.matches.UdpMatch;
import io.skbwalk.netfilter.tables.targets.AuditTarget;
import io.skbwalk.netfilter.tables.targets.ChecksumTarget;
import io.skbwalk.netfilter.tables.targets.ClassifyTarget;
import io.skbwalk.netfilter.tables.targets.ConnmarkTarget;
import io.skbwalk.netfilter.tables.targets.ConnsecmarkTarget;
import io.skbwalk.netfilter.tables.targets.CtTarget;
import io.skbwalk.netfilter.tables.targets.DnatTarget;
import io.skbwalk.netfilter.tables.targets.DscpTarget;
import io.skbwalk.netfilter.tables.targets.EcnTarget;
import io.skbwalk.netfilter.tables.targets.HmarkTarget;
import io.skbwalk.netfilter.tables.targets.IdletimerTarget;
import io.skbwalk.netfilter.tables.targets.LedTarget;
import io.skbwalk.netfilter.tables.targets.LogTarget;
import io.skbwalk.netfilter.tables.targets.MarkTarget;
import io.skbwalk.netfilter.tables.targets.MasqueradeTarget;
import io.skbwalk.netfilter.tables.targets.NetmapTarget;
import io.skbwalk.netfilter.tables.targets.NflogTarget;
import io.skbwalk.netfilter.tables.targets.NfqueueTarget;
import io.skbwalk.netfilter.tables.targets.NotrackTarget;
import io.skbwalk.netfilter.tables.targets.RateestTarget;
import io.skbwalk.netfilter.tables.targets.RedirectTarget;
import io.skbwalk.netfilter.tables.targets.RejectTarget;
import io.skbwalk.netfilter.tables.targets.SecmarkTarget;
import io.skbwalk.netfilter.tables.targets.SetTarget;
import io.skbwalk.netfilter.tables.targets.SnatTarget;
import io.skbwalk.netfilter.tables.targets.SynproxyTarget;
import io.skbwalk.netfilter.tables.targets.TcpmssTarget;
import io.skbwalk.netfilter.tables.targets.TcpoptstripTarget;
import io.skbwalk.netfilter.tables.targets.TeeTarget;
import io.skbwalk.netfilter.tables.targets.TosTarget;
import io.skbwalk.netfilter.tables.targets.TproxyTarget;
import io.skbwalk.netfilter.tables.targets.TraceTarget;
import io.skbwalk.netfilter.tables.targets.TtlTarget;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The matches and targets that there are; to add one, write its class and name it here. */
public final class Extensions {
  private static final Map<String, MatchType> MATCHES = new LinkedHashMap<>();
  private static final Map<String, TargetType> TARGETS = new LinkedHashMap<>();

  static {
    List<MatchType> matches =
        List.of(
            AddrtypeMatch.TYPE,
            AhMatch.TYPE,
            BpfMatch.TYPE,
            ClusterMatch.TYPE,
            CommentMatch.TYPE,
            ConnbytesMatch.TYPE,
            ConnlabelMatch.TYPE,
            ConnlimitMatch.TYPE,
            ConnmarkMatch.TYPE,
            ConntrackMatch.TYPE,
            CpuMatch.TYPE,
            DccpMatch.TYPE,
            DevgroupMatch.TYPE,
            DscpMatch.TYPE,
            EcnMatch.TYPE,
            EspMatch.TYPE,
            HashlimitMatch.TYPE,
            HelperMatch.TYPE,
            IcmpMatch.TYPE,
            IpcompMatch.TYPE,
            IprangeMatch.TYPE,
            LengthMatch.TYPE,
            LimitMatch.TYPE,
            MacMatch.TYPE,
            MarkMatch.TYPE,
            MultiportMatch.TYPE,
            NfacctMatch.TYPE,
            OsfMatch.TYPE,
            OwnerMatch.TYPE,
            PhysdevMatch.TYPE,
            PkttypeMatch.TYPE,
            PolicyMatch.TYPE,
            QuotaMatch.TYPE,
            RateestMatch.TYPE,
            RealmMatch.TYPE,
            RecentMatch.TYPE,
            RpfilterMatch.TYPE,
            SctpMatch.TYPE,
            SetMatch.TYPE,
            SocketMatch.TYPE,
            StateMatch.TYPE,
            StatisticMatch.TYPE,
            StringMatch.TYPE,
            TcpMatch.TYPE,
            TcpmssMatch.TYPE,
            TimeMatch.TYPE,
            TosMatch.TYPE,
            TtlMatch.TYPE,
            U32Match.TYPE,
            UdpMatch.TYPE);
    List<TargetType> targets =
        List.of(
            AuditTarget.TYPE,
            ChecksumTarget.TYPE,
            ClassifyTarget.TYPE,
            ConnmarkTarget.TYPE,
            ConnsecmarkTarget.TYPE,
            CtTarget.TYPE,
            DnatTarget.TYPE,
            DscpTarget.TYPE,
            EcnTarget.TYPE,
            HmarkTarget.TYPE,
            IdletimerTarget.TYPE,
            LedTarget.TYPE,
            LogTarget.TYPE,
            MarkTarget.TYPE,
            MasqueradeTarget.TYPE,
            NetmapTarget.TYPE,
            NflogTarget.TYPE,
            NfqueueTarget.TYPE,
            NotrackTarget.TYPE,
            RateestTarget.TYPE,
            RedirectTarget.TYPE,
            RejectTarget.TYPE,
            SecmarkTarget.TYPE,
            SetTarget.TYPE,
            SnatTarget.TYPE,
            SynproxyTarget.TYPE,
            TcpmssTarget.TYPE,
            TcpoptstripTarget.TYPE,
            TeeTarget.TYPE,
            TosTarget.TYPE,
            TproxyTarget.TYPE,
            TraceTarget.TYPE,
            TtlTarget.TYPE);
    matches.forEach(type -> MATCHES.put(type.name, type));
    targets.forEach(type -> TARGETS.put(type.name, type));
  }

  /** Matches and targets that iptables has and this program has not, with the reason. */
  private static final Map<String, String> ABSENT =
      Map.of(
          "CLUSTERIP", "Linux has it no more since 6.3; the match cluster does its job",
          "ULOG", "Linux has it no more since 3.17; NFLOG does its job",
          "cgroup", "control groups of processes are not modelled",
          "ipvs", "the kernel has no IP virtual server (CONFIG_IP_VS)");

  private Extensions() {}

  /** Why there is no match or target {@code name} although iptables has one; null otherwise. */
  public static String absence(String name) {
    return ABSENT.get(name);
  }

  /** The match behind {@code -m name}, or null. */
  public static MatchType match(String name) {
    return MATCHES.get(name);
  }

  /** The target behind {@code -j name}, or null. */
  public static TargetType target(String name) {
    return TARGETS.get(name);
  }

  /** The names of all matches, in alphabetical order. */
  public static List<String> matchNames() {
    return MATCHES.keySet().stream().sorted().toList();
  }

  /** The names of all targets, in alphabetical order. */
  public static List<String> targetNames() {
    return TARGETS.keySet().stream().sorted().toList();
  }

  /**
   * The match that {@code -p protocol} brings in when one of its options is written without {@code
   * -m}, or null.
   */
  public static MatchType matchOfProtocol(int protocol) {
    for (MatchType type : MATCHES.values()) {
      if (type.protocol == protocol && protocol != 0) {
        return type;
      }
    }
    return null;
  }

  /**
   * The matches that have the option {@code longName} (without dashes); those of a protocol last.
   */
  public static List<MatchType> matchesWithOption(String longName) {
    List<MatchType> found = new ArrayList<>();
    for (boolean ofProtocol : new boolean[] {false, true}) {
      for (MatchType type : MATCHES.values()) {
        if ((type.protocol != 0) == ofProtocol
            && type.options.stream().anyMatch(spec -> spec.names().contains(longName))) {
          found.add(type);
        }
      }
    }
    return found;
  }
}
