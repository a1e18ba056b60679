// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.netfilter.tables.Accounts;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.util.List;

/**
 * Plays xt_owner: whose socket sent the packet. What the kernel itself sends has a socket without
 * an owner, or none.
 *
 * @param uid null when not asked
 * @param gid null when not asked
 * @param socketExists null when not asked; false for {@code ! --socket-exists}
 * @param supplementary --suppl-groups
 */
public record OwnerMatch(Ids uid, Ids gid, Boolean socketExists, boolean supplementary)
    implements StatelessMatch {
  /**
   * Ids from {@code low} to {@code high}, 32 bits without a sign, both included.
   *
   * @param inverted any other
   */
  public record Ids(int low, int high, boolean inverted) {
    boolean contains(int id) {
      return Integer.compareUnsigned(id, low) >= 0 && Integer.compareUnsigned(id, high) <= 0;
    }

    private void save(StringBuilder out, String option) {
      out.append(inverted ? " ! --" : " --").append(option).append(' ');
      out.append(Integer.toUnsignedString(low));
      if (low != high) {
        out.append('-').append(Integer.toUnsignedString(high));
      }
    }
  }

  private static final String UID = "uid-owner";
  private static final String GID = "gid-owner";
  private static final String SOCKET = "socket-exists";
  private static final String GROUPS = "suppl-groups";

  /** {@code -m owner}. */
  public static final MatchType TYPE =
      new MatchType(
          "owner",
          "Whose socket sent the packet; OUTPUT and POSTROUTING.",
          OptionSpec.value(UID)
              .inverted()
              .about("The user: a number, LOW-HIGH, or a name that Debian gives.", "33"),
          OptionSpec.value(GID)
              .inverted()
              .about("The group: a number, LOW-HIGH, or a name that Debian gives.", "33"),
          OptionSpec.flag(SOCKET).inverted().about("A socket sent it."),
          OptionSpec.flag(GROUPS).about("The supplementary groups count for gid-owner, too.")) {
        @Override
        public Match parse(Options options, int protocol) {
          if (options.isEmpty()) {
            throw options.error("one of --uid-owner, --gid-owner and --socket-exists is needed");
          }
          List<String> names = options.names();
          int groups = names.indexOf(GROUPS);
          if (groups >= 0 && !names.subList(0, groups).contains(GID)) {
            throw options.error(GROUPS, "--gid-owner must stand before --suppl-groups");
          }
          return new OwnerMatch(
              ids(options, UID, Accounts.user(options.text(UID))),
              ids(options, GID, Accounts.group(options.text(GID))),
              options.has(SOCKET) ? !options.inverted(SOCKET) : null,
              groups >= 0);
        }
      };

  private static Ids ids(Options options, String option, Integer named) {
    if (!options.has(option)) {
      return null;
    }
    boolean inverted = options.inverted(option);
    if (named != null) {
      return new Ids(named, named, inverted);
    }
    long range = options.idRange(option);
    return new Ids((int) (range >>> 32), (int) range, inverted);
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (socketExists != null) {
      out.append(socketExists ? " --socket-exists" : " ! --socket-exists");
    }
    if (uid != null) {
      uid.save(out, UID);
    }
    if (gid != null) {
      gid.save(out, GID);
    }
    out.append(supplementary ? " --suppl-groups" : "");
  }

  @Override
  public String refusal(RulePlace place) {
    if (place.isReachedOutside(Hook.LOCAL_OUT.bit | Hook.POST_ROUTING.bit)) {
      return "only in OUTPUT and POSTROUTING and chains that they alone call";
    }
    for (Ids ids : new Ids[] {uid, gid}) {
      if (ids != null && Integer.compareUnsigned(ids.low, ids.high) > 0) {
        return "a range is upside down";
      }
    }
    return null;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    if (skb.sk instanceof SocketOwner owner) {
      return socketExists != Boolean.FALSE && isUser(owner) && isGroup(owner);
    }
    if (skb.sk != null) {
      return socketExists != Boolean.FALSE && isNobody(uid) && isNobody(gid);
    }
    return socketExists != Boolean.TRUE && isNobody(uid) && isNobody(gid) && !supplementary;
  }

  private boolean isUser(SocketOwner owner) {
    return uid == null || uid.contains(owner.uid()) != uid.inverted;
  }

  private boolean isGroup(SocketOwner owner) {
    if (gid == null) {
      return true;
    }
    boolean found = gid.contains(owner.gid());
    for (int i = 0; supplementary && !found && i < owner.groups().size(); i++) {
      found = gid.contains(owner.groups().get(i));
    }
    return found != gid.inverted;
  }

  private static boolean isNobody(Ids ids) {
    return ids == null || ids.inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    if (!(skb.sk instanceof SocketOwner owner)) {
      return skb.sk == null ? "no socket sent it" : "a socket of the kernel sent it";
    }
    if (socketExists == Boolean.FALSE) {
      return "a socket sent it";
    }
    if (!isUser(owner)) {
      return "the user is " + Integer.toUnsignedString(owner.uid());
    }
    String group = "the group is " + Integer.toUnsignedString(owner.gid());
    return supplementary && !owner.groups().isEmpty() ? group + ", also " + groups(owner) : group;
  }

  private static String groups(SocketOwner owner) {
    return String.join(", ", owner.groups().stream().map(Integer::toUnsignedString).toList());
  }
}
