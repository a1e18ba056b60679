// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.ProcName;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_recent: lists of addresses and of when each was seen.
 *
 * @param seconds only stamps of the last so many seconds count; 0 for all
 * @param hits so many stamps are needed; 0 for one
 * @param reap forget the oldest address when it is older than {@code seconds}
 * @param ttl the packet's time to live must be the remembered one
 * @param name of the list
 * @param mask addresses are kept under it; the first rule of a list decides
 */
public record RecentMatch(
    Operation operation,
    boolean inverted,
    long seconds,
    int hits,
    boolean reap,
    boolean ttl,
    String name,
    int mask,
    boolean destination)
    implements Match {
  /** What is done with the address. */
  public enum Operation {
    /** Put or refresh it. */
    SET,
    /** Is it there? */
    RCHECK,
    /** Is it there? Then refresh it. */
    UPDATE,
    /** Take it off. */
    REMOVE;

    private final String option = name().toLowerCase(java.util.Locale.ROOT);
  }

  private static final int MOST_NAME = 199;

  /** {@code -m recent}. */
  public static final MatchType TYPE =
      new MatchType(
          "recent",
          "A list of addresses that were seen.",
          OptionSpec.flag("set").inverted().about("Add the address to the list, or renew it."),
          OptionSpec.flag("rcheck").inverted().about("Is the address in the list?"),
          OptionSpec.flag("update").inverted().about("As rcheck, and renew it."),
          OptionSpec.flag("remove").inverted().about("Take the address off the list."),
          OptionSpec.value("seconds").about("Seen within so many seconds.", "60"),
          OptionSpec.value("hitcount").about("Seen so many times.", "4"),
          OptionSpec.flag("reap").about("Forget addresses older than seconds."),
          OptionSpec.flag("rttl").about("With the same TTL only."),
          OptionSpec.value("name").about("The list's name; DEFAULT without.", "ssh"),
          OptionSpec.flag("rsource").about("Look at the source address, which is the default."),
          OptionSpec.flag("rdest").about("Look at the destination address."),
          OptionSpec.value("mask").about("Look at this part of the address.", "255.255.255.0")) {
        @Override
        public Match parse(Options options, int protocol) {
          String operation = options.oneOf(true, "set", "rcheck", "update", "remove");
          boolean asks = operation.equals("rcheck") || operation.equals("update");
          long hits = options.number("hitcount", 0, RecentList.MOST_STAMPS - 1, 0);
          for (String only : new String[] {"seconds", "hitcount", "reap", "rttl"}) {
            if (options.has(only) && !asks && !(only.equals("hitcount") && hits == 0)) {
              throw options.error(only, "--" + only + " is for --rcheck and --update");
            }
          }
          if (options.has("reap") && !options.has("seconds")) {
            throw options.error("reap", "--reap needs --seconds");
          }
          String name =
              options.has("name") ? ProcName.cut(options.text("name"), MOST_NAME) : "DEFAULT";
          if (!ProcName.isValid(name)) {
            throw options.error("name", "a list's name is one word without /");
          }
          boolean destination = false;
          for (String given : options.names()) {
            destination = given.equals("rdest") || destination && !given.equals("rsource");
          }
          int mask = options.has("mask") ? options.host("mask", options.text("mask")) : -1;
          return new RecentMatch(
              Operation.valueOf(operation.toUpperCase(java.util.Locale.ROOT)),
              options.inverted(operation),
              options.number("seconds", 1, 0xFFFFFFFFL, 0),
              (int) hits,
              options.has("reap"),
              options.has("rttl"),
              name,
              mask,
              destination);
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --" : " --").append(operation.option);
    if (seconds != 0) {
      // With a sign, as iptables-save prints it.
      out.append(" --seconds ").append((int) seconds);
    }
    if (reap) {
      out.append(" --reap");
    }
    if (hits != 0) {
      out.append(" --hitcount ").append(hits);
    }
    out.append(ttl ? " --rttl" : "").append(" --name ").append(name);
    out.append(" --mask ").append(Ip4.format(mask));
    out.append(destination ? " --rdest" : " --rsource");
  }

  @Override
  public PacketMatch bind(Environment environment) {
    RecentList.All lists = environment.perNet(RecentList.All.class, RecentList.All::new);
    return new Evaluation(this, lists, lists.list(name, mask, hits), environment.net().clock);
  }

  private record Evaluation(RecentMatch asked, RecentList.All lists, RecentList list, Clock clock)
      implements PacketMatch {
    private int address(SkBuff skb) {
      return (asked.destination ? IpHeader.destination(skb) : IpHeader.source(skb)) & list.mask;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      int ttl = IpHeader.ttl(skb);
      // As it was before forwarding took one off.
      if (context.out != null && skb.sk == null) {
        ttl = ttl + 1 & 0xFF;
      }
      long now = clock.jiffies();
      int address = address(skb);
      RecentList.Entry entry = list.find(address, asked.ttl ? ttl : 0);
      if (entry == null) {
        if (asked.operation != Operation.SET) {
          return asked.inverted;
        }
        list.add(address, ttl, now);
        return !asked.inverted;
      }
      boolean answer = asked.inverted;
      switch (asked.operation) {
        case SET -> answer = !answer;
        case REMOVE -> {
          list.remove(entry);
          return !answer;
        }
        default -> {
          // The kernel multiplies in 32 bits.
          long since = now - (asked.seconds * Clock.HZ & 0xFFFFFFFFL);
          if (entry.hits(asked.seconds != 0, since, asked.hits)) {
            answer = !answer;
          }
          if (asked.reap) {
            list.reap(since, entry, asked.operation == Operation.UPDATE && answer);
          }
        }
      }
      if (asked.operation == Operation.SET || asked.operation == Operation.UPDATE && answer) {
        list.update(entry, ttl, now);
      }
      return answer;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      return Ip4.format(address(skb)) + (asked.inverted ? " is" : " is not") + " in the list so";
    }

    @Override
    public void destroy() {
      lists.release(asked.name);
    }
  }
}
