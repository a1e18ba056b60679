// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The rules of one machine as iptables-restore is given them: tables, their chains, their rules.
 * Immutable. Only tables that somebody wrote are in it.
 */
public final class RuleSet {
  /** No table at all. */
  public static final RuleSet EMPTY = new Builder().build();

  /**
   * A chain.
   *
   * @param name its name
   * @param policy ACCEPT or DROP; null for a user chain, and for a built-in chain whose policy
   *     nobody stated (ACCEPT)
   * @param packets the policy's counter at the start
   * @param bytes the policy's counter at the start
   * @param rules in order
   * @param at where it was first named
   */
  public record Chain(
      String name,
      Action.Standard policy,
      long packets,
      long bytes,
      List<Rule> rules,
      SourcePosition at) {
    /** Copies the list. */
    public Chain {
      rules = List.copyOf(rules);
    }
  }

  /**
   * A table.
   *
   * @param kind which
   * @param chains built-in ones first, in the order of their hooks, all of them; then user chains
   *     by name
   * @param byName the same by name
   */
  public record Table(TableKind kind, List<Chain> chains, Map<String, Chain> byName) {
    /** These chains. */
    public Table(TableKind kind, List<Chain> chains) {
      this(
          kind,
          List.copyOf(chains),
          chains.stream().collect(Collectors.toUnmodifiableMap(Chain::name, chain -> chain)));
    }

    /** The chain called {@code name}, or null. */
    public Chain chain(String name) {
      return byName.get(name);
    }
  }

  private final Map<TableKind, Table> tables;

  private RuleSet(Map<TableKind, Table> tables) {
    this.tables = Collections.unmodifiableMap(tables);
  }

  /** A rule set of these tables, which are complete. */
  static RuleSet of(Collection<Table> tables) {
    Map<TableKind, Table> all = new EnumMap<>(TableKind.class);
    tables.forEach(table -> all.put(table.kind, table));
    return new RuleSet(all);
  }

  /** These rules with {@code table} in the place of its namesake, if there is one. */
  RuleSet with(Table table) {
    Map<TableKind, Table> all = new EnumMap<>(TableKind.class);
    all.putAll(tables);
    all.put(table.kind, table);
    return new RuleSet(all);
  }

  /** The same without a rule; {@code number} is from 1. */
  public RuleSet without(TableKind kind, String chain, int number) {
    return changed(kind, chain, rules -> rules.remove(number - 1));
  }

  /** The same with a rule at another place of its chain, at which it is then. */
  public RuleSet moved(TableKind kind, String chain, int number, int to) {
    return changed(kind, chain, rules -> rules.add(to - 1, rules.remove(number - 1)));
  }

  private RuleSet changed(TableKind kind, String name, Consumer<List<Rule>> change) {
    List<Chain> chains = new ArrayList<>();
    for (Chain chain : tables.get(kind).chains) {
      List<Rule> rules = new ArrayList<>(chain.rules);
      if (chain.name.equals(name)) {
        change.accept(rules);
      }
      chains.add(new Chain(chain.name, chain.policy, chain.packets, chain.bytes, rules, chain.at));
    }
    return with(new Table(kind, chains));
  }

  /** That table of these rules alone; nothing when it is not in use. */
  public RuleSet only(TableKind kind) {
    return tables.containsKey(kind) ? of(List.of(tables.get(kind))) : EMPTY;
  }

  /** The tables in use, in the order raw, mangle, nat, filter, security. */
  public Collection<Table> tables() {
    return tables.values();
  }

  /** That table, or null when it is not in use. */
  public Table table(TableKind kind) {
    return tables.get(kind);
  }

  /**
   * These rules with {@code later} behind them: its rules are appended to chains of the same name,
   * its policies win.
   */
  public RuleSet plus(RuleSet later) {
    Builder builder = new Builder();
    builder.add(this);
    builder.add(later);
    return builder.build();
  }

  /**
   * Does a match or target in it need conntrack? A nat table without NAT targets does not, nor does
   * NOTRACK (asked of Linux 6.18).
   */
  public boolean needsConntrack() {
    return any(Rule::needsConntrack);
  }

  /** Does a match or target in it need whole packets, tracked or not? */
  public boolean needsDefragmentation() {
    return any(Rule::needsDefragmentation);
  }

  /** Is there a rule with that target? */
  public boolean hasTarget(String label) {
    return any(rule -> rule.action().label().equals(label));
  }

  private boolean any(Predicate<Rule> wanted) {
    for (Table table : tables.values()) {
      for (Chain chain : table.chains) {
        if (chain.rules.stream().anyMatch(wanted)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Collects what a file says, in its order. */
  public static final class Builder {
    /** Plays struct chain_head of libiptc: a chain that is being written. */
    static final class OpenChain {
      private Action.Standard policy;
      private long packets;
      private long bytes;
      private final List<Rule> rules = new ArrayList<>();
      private SourcePosition at = SourcePosition.NONE;

      int size() {
        return rules.size();
      }

      void append(Rule rule) {
        rules.add(rule);
      }

      /** Numbers count from 1. */
      void insert(int number, Rule rule) {
        rules.add(number - 1, rule);
      }

      void replace(int number, Rule rule) {
        rules.set(number - 1, rule);
      }

      void remove(int number) {
        rules.remove(number - 1);
      }

      /** The number of the first rule that asks and does the same; 0 when there is none. */
      int find(Rule rule) {
        for (int i = 0; i < rules.size(); i++) {
          if (rules.get(i).isLike(rule)) {
            return i + 1;
          }
        }
        return 0;
      }

      void flush() {
        rules.clear();
      }

      void zero() {
        rules.replaceAll(rule -> rule.counted(0, 0));
        zeroPolicy();
      }

      void zeroPolicy() {
        packets = 0;
        bytes = 0;
      }

      void zero(int number) {
        rules.set(number - 1, rules.get(number - 1).counted(0, 0));
      }

      private boolean jumpsTo(String chain) {
        for (Rule rule : rules) {
          if (rule.action() instanceof Action.ToChain to && to.chain().equals(chain)) {
            return true;
          }
        }
        return false;
      }
    }

    /** Rules whose chain was not there when they were read, by its name. */
    private final Map<TableKind, Map<String, Rule>> awaited = new EnumMap<>(TableKind.class);

    private final Map<TableKind, Map<String, OpenChain>> tables = new EnumMap<>(TableKind.class);

    /** Puts a table in use, with its built-in chains. */
    public Builder table(TableKind kind) {
      tables.computeIfAbsent(
          kind,
          one -> {
            Map<String, OpenChain> chains = new LinkedHashMap<>();
            one.hooks.forEach(hook -> chains.put(hook.chain, new OpenChain()));
            return chains;
          });
      return this;
    }

    /** Is there such a chain by now? Built-in chains of a table in use are. */
    public boolean hasChain(TableKind kind, String name) {
      return tables.containsKey(kind) && tables.get(kind).containsKey(name);
    }

    /** Makes a user chain when there is none of that name. */
    public Builder chain(TableKind kind, String name, SourcePosition at) {
      table(kind);
      OpenChain chain = tables.get(kind).computeIfAbsent(name, key -> new OpenChain());
      if (chain.at == SourcePosition.NONE) {
        chain.at = at;
      }
      return this;
    }

    /** States a built-in chain's policy and its counters. */
    public Builder policy(
        TableKind kind, String name, Action.Standard policy, long packets, long bytes) {
      OpenChain chain = open(kind, name);
      chain.policy = policy;
      chain.packets = packets;
      chain.bytes = bytes;
      return this;
    }

    /** Appends a rule to a chain, which exists. */
    public Builder rule(TableKind kind, String name, Rule rule) {
      open(kind, name).rules.add(rule);
      return this;
    }

    /** That chain, or null. */
    OpenChain open(TableKind kind, String name) {
      Map<String, OpenChain> chains = tables.get(kind);
      return chains == null ? null : chains.get(name);
    }

    /** Remembers that a rule jumps to a chain that is not there. */
    void await(TableKind kind, String name, Rule rule) {
      awaited.computeIfAbsent(kind, key -> new HashMap<>()).putIfAbsent(name, rule);
    }

    /**
     * Makes a user chain, which is not there.
     *
     * @throws SourceException when a rule jumps to it already: iptables would not have taken that
     */
    public Builder create(TableKind kind, Token name) {
      Rule early = awaited.getOrDefault(kind, Map.of()).get(name.text());
      if (early != null) {
        throw new SourceException(
            early.at(),
            "chain "
                + name
                + " is not there yet; it is made in line "
                + name.at().line()
                + ", behind the rule");
      }
      return chain(kind, name.text(), name.at());
    }

    /** Takes a user chain away, which is there. */
    void drop(TableKind kind, String name, SourcePosition at) {
      if (kind.hook(name) != null) {
        throw new SourceException(at, "a built-in chain cannot be deleted");
      }
      if (open(kind, name).size() > 0) {
        throw new SourceException(at, "chain " + name + " has rules; flush it first (-F)");
      }
      if (tables.get(kind).values().stream().anyMatch(chain -> chain.jumpsTo(name))) {
        throw new SourceException(at, "a rule jumps to chain " + name + ", so it must stay");
      }
      tables.get(kind).remove(name);
    }

    /** Gives a user chain another name; rules that jump to it follow. */
    void rename(TableKind kind, String name, Token to) {
      Map<String, OpenChain> chains = tables.get(kind);
      chains.values().stream()
          .filter(chain -> chain.jumpsTo(name))
          .forEach(chain -> chain.rules.replaceAll(rule -> rule.jumpingTo(name, to.text())));
      chains.put(to.text(), chains.remove(name));
    }

    /** Empties a table: no rule and no user chain is left; policies stay. */
    public Builder clear(TableKind kind) {
      table(kind);
      awaited.remove(kind);
      Map<String, OpenChain> chains = tables.get(kind);
      chains.keySet().removeIf(name -> kind.hook(name) == null);
      chains.values().forEach(OpenChain::flush);
      return this;
    }

    /** The chains of a table by now, in the order in which they were made. */
    public List<String> chains(TableKind kind) {
      return tables.containsKey(kind) ? List.copyOf(tables.get(kind).keySet()) : List.of();
    }

    /** Adds a whole rule set behind what is there. */
    public Builder add(RuleSet set) {
      for (Table table : set.tables()) {
        table(table.kind);
        for (Chain chain : table.chains) {
          chain(table.kind, chain.name, chain.at);
          OpenChain open = open(table.kind, chain.name);
          if (chain.policy != null) {
            open.policy = chain.policy;
            open.packets = chain.packets;
            open.bytes = chain.bytes;
          }
          open.rules.addAll(chain.rules);
        }
      }
      return this;
    }

    /** What was collected; jumps and places are checked by {@link RuleCheck}. */
    public RuleSet build() {
      Map<TableKind, Table> built = new EnumMap<>(TableKind.class);
      tables.forEach(
          (kind, chains) -> {
            List<Chain> all = new ArrayList<>();
            kind.hooks.forEach(hook -> all.add(close(hook.chain, chains.get(hook.chain))));
            chains.keySet().stream()
                .filter(name -> kind.hook(name) == null)
                .sorted()
                .forEach(name -> all.add(close(name, chains.get(name))));
            built.put(kind, new Table(kind, all));
          });
      return new RuleSet(built);
    }

    private static Chain close(String name, OpenChain open) {
      return new Chain(name, open.policy, open.packets, open.bytes, open.rules, open.at);
    }
  }
}
