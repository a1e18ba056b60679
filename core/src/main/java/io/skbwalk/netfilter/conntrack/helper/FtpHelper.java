// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED_REPLY;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackHelp;
import io.skbwalk.netfilter.conntrack.ConntrackHelper;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/**
 * Plays nf_conntrack_ftp.c and nf_nat_ftp.c: the data connection of FTP (RFC 959, RFC 2428) goes to
 * where PORT or EPRT, or the answer to PASV or EPSV, says.
 *
 * <p>Commands are looked for at the beginning of a segment, and there only where a line begins. A
 * line of which only a part has come would be lost to the helper, so such a segment is dropped: it
 * comes again, perhaps with the rest.
 */
final class FtpHelper extends ConntrackHelper {
  /** What the client says, and what the server says. */
  private static final FtpCommand[][] COMMANDS = {
    {FtpCommand.PORT, FtpCommand.EPRT}, {FtpCommand.PASV, FtpCommand.EPSV}
  };

  private final NatHelper nat;
  private final FtpCommand.Announced announced = new FtpCommand.Announced();
  private final Replacement replacement = new Replacement();

  FtpHelper(Conntrack conntrack) {
    super(conntrack, "ftp", IpHeader.IPPROTO_TCP, new Policy(1, 300));
    nat = new NatHelper(conntrack);
  }

  /** Plays struct nf_ct_ftp_master: where lines begin, the last two places of each side. */
  private static final class LineStarts extends ConntrackHelp {
    private final int[][] sequences = new int[2][2];
    private final int[] known = new int[2];

    LineStarts(FtpHelper helper) {
      super(helper);
    }

    /** Plays find_nl_seq. */
    boolean isAt(int direction, int sequence) {
      int[] starts = sequences[direction];
      return known[direction] > 0 && starts[0] == sequence
          || known[direction] > 1 && starts[1] == sequence;
    }

    /** Plays update_nl_seq: what lies before both known places is forgotten. */
    void add(int direction, int sequence) {
      if (isAt(direction, sequence)) {
        return;
      }
      int[] starts = sequences[direction];
      if (known[direction] < 2) {
        starts[known[direction]++] = sequence;
        return;
      }
      int oldest = starts[0] - starts[1] < 0 ? 0 : 1;
      if (sequence - starts[oldest] > 0) {
        starts[oldest] = sequence;
      }
    }
  }

  @Override
  public ConntrackHelp newHelp() {
    return new LineStarts(this);
  }

  @Override
  public int help(Hook hook, SkBuff skb, int offset, int ct, int ctInfo) {
    if (ctInfo != IP_CT_ESTABLISHED && ctInfo != IP_CT_ESTABLISHED_REPLY
        || skb.tail < offset + TcpHeader.MIN_LENGTH) {
      return Verdict.ACCEPT;
    }
    int payload = offset + TcpHeader.headerLength(skb, offset);
    if (payload >= skb.tail) {
      return Verdict.ACCEPT;
    }
    int direction = ConntrackInfo.direction(ctInfo);
    LineStarts lines = (LineStarts) conntrack.help(ct);
    int sequence = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
    int length = skb.tail - payload;
    // Read before NAT moves anything.
    boolean endsLine = skb.head[skb.tail - 1] == '\n';
    int verdict = Verdict.ACCEPT;
    if (lines.isAt(direction, sequence)) {
      FtpCommand command = find(skb, payload, ct, direction);
      if (command != null) {
        if (!announced.whole) {
          // It shall come again whole.
          return drop(skb, command.partial);
        }
        verdict = announce(hook, skb, offset, ct, direction, command);
      }
    }
    if (endsLine) {
      lines.add(direction, sequence + length);
    }
    return verdict;
  }

  /** The command that the payload begins with, or a part of it; null for none. */
  private FtpCommand find(SkBuff skb, int payload, int ct, int direction) {
    for (FtpCommand command : COMMANDS[direction]) {
      // EPSV's answer names no address: it is the server's own.
      announced.address = conntrack.source(ct, direction);
      if (command.find(skb.head, payload, skb.tail, announced)) {
        return command;
      }
    }
    return null;
  }

  private int announce(
      Hook hook, SkBuff skb, int offset, int ct, int direction, FtpCommand command) {
    int other = 1 - direction;
    if (announced.address != conntrack.source(ct, direction)) {
      // Without the module's parameter loose nobody may announce another machine.
      if (skb.trace != null) {
        step(
            hook,
            skb,
            command
                + " announces "
                + endpoint(announced.address, announced.port)
                + ", which is not its sender's address: not expected");
      }
      return Verdict.ACCEPT;
    }
    ConntrackExpect expect =
        conntrack
            .expect(ct)
            .to(
                conntrack.source(ct, other),
                conntrack.destination(ct, other),
                IpHeader.IPPROTO_TCP,
                announced.port);
    if (nat.isNeeded(ct)) {
      return translate(hook, skb, offset, command, expect, other);
    }
    boolean expected = conntrack.expectations().related(expect) == 0;
    tell(hook, skb, command, expected ? expect : null);
    return expected ? Verdict.ACCEPT : drop(skb, "cannot add expectation");
  }

  /** Plays nf_nat_ftp: the other side shall hear the address that it knows, and a free port. */
  private int translate(
      Hook hook, SkBuff skb, int offset, FtpCommand command, ConntrackExpect expect, int other) {
    expect.savedPort = announced.port;
    expect.direction = other;
    expect.expectFunction = nat::followMaster;
    int port = nat.findPort(expect, announced.port);
    tell(hook, skb, command, port == 0 ? null : expect);
    if (port == 0) {
      return drop(skb, "all ports in use");
    }
    command.write(replacement.clear(), conntrack.destination(expect.master, other), port);
    if (nat.mangleTcp(hook, skb, offset, announced.from, announced.length, replacement)) {
      return Verdict.ACCEPT;
    }
    conntrack.expectations().remove(expect);
    return drop(skb, "cannot mangle packet");
  }

  private void tell(Hook hook, SkBuff skb, FtpCommand command, ConntrackExpect expect) {
    if (skb.trace != null) {
      step(
          hook,
          skb,
          command
              + " announces "
              + endpoint(announced.address, announced.port)
              + "; "
              + (expect == null ? "cannot add expectation" : expecting(expect, "it")));
    }
  }

  private static String endpoint(int address, int port) {
    return Ip4.format(address) + ":" + port;
  }
}
