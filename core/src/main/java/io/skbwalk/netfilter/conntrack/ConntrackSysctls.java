// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.kernel.Clock;
import io.skbwalk.kernel.Sysctls;

/**
 * Plays nf_conntrack_standalone.c's table: the settings net.netfilter.nf_conntrack_*, with Linux
 * 6.18's defaults and ranges. Timeouts are in ticks here and in seconds outside.
 */
final class ConntrackSysctls {
  /** proc_dointvec_jiffies takes as many seconds as fit an int of ticks. */
  private static final long MAX_SECONDS = Integer.MAX_VALUE / Clock.HZ;

  /** The place of the timeout of segments sent again and again, behind those of the states. */
  static final int RETRANS = 10;

  /** The place of the timeout while data is not acknowledged. */
  static final int UNACK = 11;

  long max = 262_144;
  long buckets = 262_144;
  long expectMax = 4096;
  long checksum = 1;
  long acct;
  long events = 2;
  long timestamp;
  long logInvalid;
  long tcpLoose = 1;
  long tcpBeLiberal;
  long tcpIgnoreInvalidRst;
  long tcpMaxRetrans = 3;
  private long frag6Low = 3_145_728;
  private long frag6High = 4_194_304;

  /** Of ICMPv6, of its fragments. */
  private final int[] ipv6 = new int[2];

  final int[] generic = {600 * Clock.HZ};
  final int[] icmp = {30 * Clock.HZ};

  /** Unreplied, replied. */
  final int[] udp = {30 * Clock.HZ, 120 * Clock.HZ};

  /** Unreplied, replied. */
  final int[] gre = {30 * Clock.HZ, 180 * Clock.HZ};

  /** By TCP state, then RETRANS and UNACK. */
  final int[] tcp = new int[12];

  /** By SCTP state. */
  final int[] sctp = new int[10];

  ConntrackSysctls(Sysctls sysctls, java.util.function.LongSupplier count) {
    number(sysctls, "max", () -> max, v -> max = v, 0, Integer.MAX_VALUE);
    sysctls.register("net.nf_conntrack_max", () -> max, v -> max = v, 0, Integer.MAX_VALUE);
    number(sysctls, "buckets", () -> buckets, v -> buckets = v, 1, Integer.MAX_VALUE / 8);
    sysctls.registerReadOnly("net.netfilter.nf_conntrack_count", count);
    number(sysctls, "expect_max", () -> expectMax, v -> expectMax = v, 1, Integer.MAX_VALUE);
    number(sysctls, "checksum", () -> checksum, v -> checksum = v, 0, 1);
    number(sysctls, "acct", () -> acct, v -> acct = v, 0, 1);
    number(sysctls, "events", () -> events, v -> events = v, 0, 2);
    number(sysctls, "timestamp", () -> timestamp, v -> timestamp = v, 0, 1);
    number(sysctls, "log_invalid", () -> logInvalid, v -> logInvalid = v, 0, 255);
    number(sysctls, "tcp_loose", () -> tcpLoose, v -> tcpLoose = v, 0, 1);
    number(sysctls, "tcp_be_liberal", () -> tcpBeLiberal, v -> tcpBeLiberal = v, 0, 1);
    number(
        sysctls,
        "tcp_ignore_invalid_rst",
        () -> tcpIgnoreInvalidRst,
        v -> tcpIgnoreInvalidRst = v,
        0,
        1);
    number(sysctls, "tcp_max_retrans", () -> tcpMaxRetrans, v -> tcpMaxRetrans = v, 0, 255);
    seconds(sysctls, "generic_timeout", generic, 0, 600);
    seconds(sysctls, "icmp_timeout", icmp, 0, 30);
    seconds(sysctls, "udp_timeout", udp, 0, 30);
    seconds(sysctls, "udp_timeout_stream", udp, 1, 120);
    seconds(sysctls, "gre_timeout", gre, 0, 30);
    seconds(sysctls, "gre_timeout_stream", gre, 1, 180);
    seconds(sysctls, "tcp_timeout_syn_sent", tcp, TcpStates.SYN_SENT, 120);
    seconds(sysctls, "tcp_timeout_syn_recv", tcp, TcpStates.SYN_RECV, 60);
    seconds(sysctls, "tcp_timeout_established", tcp, TcpStates.ESTABLISHED, 432_000);
    seconds(sysctls, "tcp_timeout_fin_wait", tcp, TcpStates.FIN_WAIT, 120);
    seconds(sysctls, "tcp_timeout_close_wait", tcp, TcpStates.CLOSE_WAIT, 60);
    seconds(sysctls, "tcp_timeout_last_ack", tcp, TcpStates.LAST_ACK, 30);
    seconds(sysctls, "tcp_timeout_time_wait", tcp, TcpStates.TIME_WAIT, 120);
    seconds(sysctls, "tcp_timeout_close", tcp, TcpStates.CLOSE, 10);
    seconds(sysctls, "tcp_timeout_max_retrans", tcp, RETRANS, 300);
    seconds(sysctls, "tcp_timeout_unacknowledged", tcp, UNACK, 300);
    tcp[0] = 120 * Clock.HZ;
    // No sysctl sets the timeout of a simultaneous open.
    tcp[TcpStates.SYN_SENT2] = 120 * Clock.HZ;
    // IPv6's are there and can be set, but move nothing: no packet of IPv6 is tracked here.
    seconds(sysctls, "icmpv6_timeout", ipv6, 0, 30);
    seconds(sysctls, "frag6_timeout", ipv6, 1, 60);
    number(sysctls, "frag6_low_thresh", () -> frag6Low, v -> frag6Low = v, 0, Long.MAX_VALUE);
    number(sysctls, "frag6_high_thresh", () -> frag6High, v -> frag6High = v, 0, Long.MAX_VALUE);
    seconds(sysctls, "sctp_timeout_closed", sctp, 1, 10);
    seconds(sysctls, "sctp_timeout_cookie_wait", sctp, 2, 3);
    seconds(sysctls, "sctp_timeout_cookie_echoed", sctp, 3, 3);
    seconds(sysctls, "sctp_timeout_established", sctp, 4, 210);
    seconds(sysctls, "sctp_timeout_shutdown_sent", sctp, 5, 3);
    seconds(sysctls, "sctp_timeout_shutdown_recd", sctp, 6, 3);
    seconds(sysctls, "sctp_timeout_shutdown_ack_sent", sctp, 7, 3);
    seconds(sysctls, "sctp_timeout_heartbeat_sent", sctp, 8, 30);
    // A copy of CLOSED, for entries whose association never left NONE.
    sctp[0] = 10 * Clock.HZ;
  }

  private static void number(
      Sysctls sysctls,
      String name,
      java.util.function.LongSupplier get,
      java.util.function.LongConsumer set,
      long min,
      long max) {
    sysctls.register("net.netfilter.nf_conntrack_" + name, get, set, min, max);
  }

  private static void seconds(
      Sysctls sysctls, String name, int[] ticks, int index, int defaultSeconds) {
    ticks[index] = defaultSeconds * Clock.HZ;
    sysctls.register(
        "net.netfilter.nf_conntrack_" + name,
        () -> ticks[index] / Clock.HZ,
        seconds -> ticks[index] = (int) seconds * Clock.HZ,
        -MAX_SECONDS,
        MAX_SECONDS);
  }
}
