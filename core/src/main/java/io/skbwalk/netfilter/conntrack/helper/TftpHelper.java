// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackHelper;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.UdpHeader;

/**
 * Plays nf_conntrack_tftp.c and nf_nat_tftp.c: the answer to a TFTP request (RFC 1350) comes from a
 * port that the server chooses.
 */
final class TftpHelper extends ConntrackHelper {
  private static final int READ_REQUEST = 1;
  private static final int WRITE_REQUEST = 2;

  /** What the kernel looks at: the operation code. */
  private static final int TFTP_HEADER = 2;

  private final NatHelper nat;

  TftpHelper(Conntrack conntrack) {
    super(conntrack, "tftp", IpHeader.IPPROTO_UDP, new Policy(1, 300));
    nat = new NatHelper(conntrack);
  }

  @Override
  public int help(Hook hook, SkBuff skb, int offset, int ct, int ctInfo) {
    int payload = offset + UdpHeader.LENGTH;
    if (skb.tail < payload + TFTP_HEADER) {
      return Verdict.ACCEPT;
    }
    int operation = skb.u16(payload);
    if (operation != READ_REQUEST && operation != WRITE_REQUEST) {
      return Verdict.ACCEPT;
    }
    ConntrackExpect expect =
        conntrack
            .expect(ct)
            .to(
                conntrack.source(ct, REPLY),
                conntrack.destination(ct, REPLY),
                IpHeader.IPPROTO_UDP,
                conntrack.destinationPort(ct, REPLY));
    if (nat.isNeeded(ct)) {
      expect.savedPort = conntrack.sourcePort(ct, ORIGINAL);
      expect.direction = REPLY;
      expect.expectFunction = nat::followMaster;
    }
    boolean expected = conntrack.expectations().related(expect) == 0;
    if (skb.trace != null) {
      step(
          hook,
          skb,
          expected
              ? (operation == READ_REQUEST ? "read" : "write")
                  + " request: "
                  + expecting(expect, "the transfer")
              : "cannot add expectation");
    }
    return expected ? Verdict.ACCEPT : drop(skb, "cannot add expectation");
  }
}
