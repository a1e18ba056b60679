// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.HostDescription;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.targets.MarkTarget;
import io.skbwalk.replay.Machine;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Packets of a set, by each way to a hook, on the machine or on one made up around each. */
final class Attempts {
  private static final int STRANGER = Ip4.parse("198.51.100.9");
  private static final int SELF = Ip4.parse("127.0.0.1");
  private static final int OUTSIDE = Ip4.parse("203.0.113.1");
  private static final int INSIDE = Ip4.parse("192.168.7.2");
  private static final int ELSEWHERE = Ip4.parse("192.0.2.1");
  private static final int NETWORK = 0xFFFFFF00;

  /** The last byte of an address in an interface's network. */
  private static final int NEIGHBOUR = 9;

  /** Rules that set a mark are many where marks are many. */
  private static final int MOST_MARKS = 4;

  private final RuleSet rules;

  /** Null when one is made up around each packet. */
  private final HostDescription host;

  private final String hostFile;

  /** What the machine can get; null when it is made up. */
  private final Reach reach;

  Attempts(RuleSet rules, HostDescription host, String hostFile, Reach reach) {
    this.rules = rules;
    this.host = host;
    this.hostFile = hostFile;
    this.reach = reach;
  }

  /** Packets of {@code set} that come into a chain, new connections first. */
  Set<Attempt> of(TableSets table, String chain, int set) {
    return leadingTo(table, chain, set, 0);
  }

  /**
   * The same; a machine that is made up forwards to where that address is.
   *
   * @param beyond 0 for none
   */
  Set<Attempt> leadingTo(TableSets table, String chain, int set, int beyond) {
    Set<Attempt> attempts = new LinkedHashSet<>();
    List<Integer> unmarked = unmarked(table, set);
    for (PlainPacket.Part part : PlainPacket.Part.values()) {
      for (Hook hook : hooks(table, chain)) {
        for (Way way : ways(hook, table.fields)) {
          for (int some : unmarked) {
            int here = way.of(table.fields, comes(table, hook, way, some));
            PlainPacket packet = PlainPacket.of(table, here, part, way);
            if (packet != null) {
              attempts.add(attempt(way, packet, before(packet, way), packet, beyond));
            }
          }
        }
      }
    }
    return attempts;
  }

  /** Packets that a rule asks for, as they come in, though not to it. */
  Set<Attempt> astray(TableSets table, RuleNode rule) {
    Set<Attempt> attempts = new LinkedHashSet<>();
    for (Hook hook : hooks(table, rule.chain)) {
      for (Way way : ways(hook, table.fields)) {
        int here = table.sets.and(way.of(table.fields, rule.asked), table.fields.possible());
        PlainPacket packet = PlainPacket.of(table, here, PlainPacket.Part.OPENS, way);
        if (packet != null) {
          attempts.add(attempt(way, packet, List.of(), packet, 0));
        }
      }
    }
    return attempts;
  }

  /** First packets of connections at a hook, each with what follows in its connection. */
  Set<Attempt> goingOn(TableSets table, Hook hook, int set) {
    Set<Attempt> attempts = new LinkedHashSet<>();
    for (int some : unmarked(table, set)) {
      for (Way way : ways(hook, table.fields)) {
        int here = way.of(table.fields, comes(table, hook, way, some));
        PlainPacket first = PlainPacket.of(table, here, PlainPacket.Part.OPENS, way);
        if (first == null) {
          continue;
        }
        PlainPacket answer = first.back(way.back(), PlainPacket.Part.ANSWERS);
        if (way.isForwarded()) {
          attempts.add(attempt(way, first, List.of(first), answer, 0));
        }
        PlainPacket later = first.as(PlainPacket.Part.GOES_ON);
        attempts.add(attempt(way, first, List.of(first, answer), later, 0));
      }
    }
    return attempts;
  }

  private static List<PlainPacket> before(PlainPacket packet, Way way) {
    return switch (packet.part()) {
      case ANSWERS -> List.of(packet.back(way.back(), PlainPacket.Part.OPENS));
      case GOES_ON ->
          List.of(
              packet.as(PlainPacket.Part.OPENS), packet.back(way.back(), PlainPacket.Part.ANSWERS));
      default -> List.of();
    };
  }

  private static List<Hook> hooks(TableSets table, String chain) {
    return table.kind().hooks.stream()
        .filter(hook -> table.roots.get(chain).contains(hook.chain))
        .toList();
  }

  /** Those of {@code set} that may come to a hook that way. */
  private int comes(TableSets table, Hook hook, Way way, int set) {
    int here = table.sets.and(set, table.at(hook));
    if (reach == null) {
      return here;
    }
    // What leaves, and came in, was forwarded.
    Hook last = hook == Hook.POST_ROUTING && way.isForwarded() ? Hook.FORWARD : hook;
    return table.sets.and(here, reach.at(last, table.fields));
  }

  /** The set when the packet comes without a mark: some rule gives it the one that is asked for. */
  private List<Integer> unmarked(TableSets table, int set) {
    PacketFields fields = table.fields;
    PacketSets sets = table.sets;
    int plain = sets.and(set, fields.is(PacketFields.MARK, 0));
    if (plain != PacketSets.NONE) {
      return List.of(plain);
    }
    List<Integer> found = new ArrayList<>();
    Asked asked = new Asked(fields);
    for (RuleSet.Table one : rules.tables()) {
      for (RuleSet.Chain chain : one.chains()) {
        for (Rule rule : chain.rules()) {
          if (rule.action() instanceof Action.Extension extension
              && extension.target() instanceof MarkTarget mark
              && found.size() < MOST_MARKS) {
            int here = sets.and(set, fields.is(PacketFields.MARK, mark.value()));
            here = fields.forget(here, PacketFields.MARK);
            for (Asked.Part part : asked.parts(rule)) {
              here = sets.and(here, part.set());
            }
            found.add(here);
          }
        }
      }
    }
    return found;
  }

  // ---- ways -------------------------------------------------------------------------------------

  private List<Way> ways(Hook hook, PacketFields fields) {
    List<Way> ways = new ArrayList<>();
    switch (hook) {
      case PRE_ROUTING, LOCAL_IN -> {
        for (String device : arriving(fields)) {
          sources(device)
              .forEach(from -> ways.add(new Way(device, device, null, null, List.of(from), own())));
        }
        ways.add(loopback(Way.LOOPBACK, null));
      }
      case FORWARD -> forwarded(fields, true, ways);
      case LOCAL_OUT -> sent(fields, ways);
      case POST_ROUTING -> {
        forwarded(fields, false, ways);
        sent(fields, ways);
      }
    }
    return ways;
  }

  private void forwarded(PacketFields fields, boolean asksIn, List<Way> ways) {
    for (String in : arriving(fields)) {
      for (String out : devices(fields)) {
        if (host == null && in.equals(out)) {
          continue;
        }
        for (int from : sources(in)) {
          List<Integer> to = host == null ? List.of(INSIDE) : beyond(out);
          ways.add(new Way(in, asksIn ? in : null, out, out, List.of(from), to));
        }
      }
    }
  }

  private void sent(PacketFields fields, List<Way> ways) {
    for (String out : devices(fields)) {
      ways.add(new Way(null, null, out, out, addresses(out), List.of(STRANGER)));
    }
    ways.add(loopback(null, Way.LOOPBACK));
  }

  private Way loopback(String in, String out) {
    List<Integer> own = new ArrayList<>(List.of(SELF));
    own.addAll(own());
    return new Way(null, in, out, null, own, own);
  }

  /** Interfaces that frames may come in on. */
  private List<String> arriving(PacketFields fields) {
    return host == null
        ? fields.devices()
        : host.interfaces().stream()
            .filter(one -> one.vlanLink() == null && !one.name().equals(Way.LOOPBACK))
            .map(HostDescription.Interface::name)
            .toList();
  }

  private List<String> devices(PacketFields fields) {
    return host == null
        ? fields.devices()
        : host.interfaces().stream()
            .map(HostDescription.Interface::name)
            .filter(name -> !name.equals(Way.LOOPBACK))
            .toList();
  }

  /** Senders behind an interface: from far away, and from its own network. */
  private List<Integer> sources(String device) {
    List<Integer> sources = new ArrayList<>(List.of(STRANGER));
    if (host != null) {
      addresses(device).stream().limit(1).forEach(own -> sources.add(own & NETWORK | NEIGHBOUR));
    }
    return sources;
  }

  /** Whom packets may be forwarded to: behind that interface, or else another. */
  private List<Integer> beyond(String device) {
    List<Integer> others = new ArrayList<>(sources(device));
    host.interfaces().forEach(one -> others.addAll(sources(one.name())));
    return others;
  }

  private List<Integer> addresses(String device) {
    if (host == null) {
      return List.of(OUTSIDE);
    }
    return host.interfaces().stream()
        .filter(one -> one.name().equals(device))
        .flatMap(one -> one.addresses().stream())
        .map(HostDescription.Address::address)
        .toList();
  }

  /** The machine's addresses. */
  private List<Integer> own() {
    List<Integer> own = new ArrayList<>();
    if (host != null) {
      host.interfaces().forEach(one -> own.addAll(addresses(one.name())));
    }
    own.add(OUTSIDE);
    return own;
  }

  // ---- machines ---------------------------------------------------------------------------------

  /**
   * An attempt on the machine, or on one that {@code along} can go that way on.
   *
   * @param packet the one that is to show something; another of the same connection, maybe
   */
  private Attempt attempt(
      Way way, PlainPacket along, List<PlainPacket> before, PlainPacket packet, int beyond) {
    if (host != null) {
      return new Attempt("--host " + hostFile, host, before, packet);
    }
    List<Machine.Card> cards = new ArrayList<>();
    if (way.isForwarded()) {
      cards.add(new Machine.Card(way.device(), router(along.from(), along.to())));
      cards.add(new Machine.Card(way.out(), near(along.to())));
    } else if (way.isLoopback()) {
      int own = along.to() >>> 24 == 127 ? along.from() : along.to();
      cards.add(new Machine.Card("eth0", own >>> 24 == 127 ? OUTSIDE : own));
    } else if (way.device() == null) {
      cards.add(new Machine.Card(way.out(), along.from()));
    } else {
      cards.add(new Machine.Card(way.device(), along.to()));
      if (beyond != 0) {
        String other = way.device().equals("eth1") ? "eth0" : "eth1";
        cards.add(new Machine.Card(other, near(beyond)));
      }
    }
    StringBuilder options = new StringBuilder();
    for (Machine.Card card : cards) {
      // Beside others, eth0 is named as they are.
      boolean named = cards.size() > 1 && card.device().equals("eth0");
      options.append(options.length() == 0 ? "--as " : " --as ");
      options.append(named ? "eth0=" : "").append(card);
    }
    Machine machine =
        options.indexOf("=") < 0
            ? Machine.of(cards.get(0).address(), cards.get(0).prefixLength())
            : Machine.of(cards);
    return new Attempt(options.toString(), machine.description(), before, packet);
  }

  /** A router's address in the network of a host. */
  private static int near(int address) {
    int first = address & NETWORK | 1;
    return first == address ? first + 1 : first;
  }

  /** The same, unless the network is on the router's other side. */
  private static int router(int from, int to) {
    return ((from ^ to) & NETWORK) == 0 ? ELSEWHERE : near(from);
  }
}
