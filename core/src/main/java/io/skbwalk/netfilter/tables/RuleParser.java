// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Plays do_command4 of iptables for one rule: reads its words (what follows {@code -A CHAIN}) with
 * their places. Everything that is not understood is an error.
 */
public final class RuleParser {
  private static final List<OptionSpec> BASIC =
      List.of(
          OptionSpec.value("source", "src")
              .inverted()
              .about("Source address or network; a list makes one rule each.", "192.0.2.0/24"),
          OptionSpec.value("destination", "dst")
              .inverted()
              .about("Destination address or network; a list makes one rule each.", "192.0.2.1"),
          OptionSpec.value("in-interface")
              .inverted()
              .about(
                  "The interface that it came in by; a trailing + stands for any rest.",
                  "eth0",
                  "eth+"),
          OptionSpec.value("out-interface")
              .inverted()
              .about("The interface that it will leave by.", "eth0"),
          OptionSpec.value("protocol")
              .inverted()
              .about("A protocol's name or number.", "tcp", "udp", "icmp"),
          OptionSpec.flag("fragments")
              .inverted()
              .about("Later fragments only; {not: true} for first fragments and whole packets."),
          OptionSpec.value("match")
              .about("Matches, by name; a list to have one several times or in a certain order."),
          OptionSpec.value("jump")
              .about(
                  "What happens to a packet that matches: a target, a user chain, or {TARGET: {options}}."),
          OptionSpec.value("goto")
              .about("A user chain, from which RETURN does not come back here."),
          OptionSpec.pair("packets", "bytes", "set-counters")
              .about("Packets and bytes counted so far."));

  private static final Map<String, String> SHORT =
      Map.of(
          "s", "source",
          "d", "destination",
          "i", "in-interface",
          "o", "out-interface",
          "p", "protocol",
          "f", "fragments",
          "m", "match",
          "j", "jump",
          "g", "goto",
          "c", "set-counters");

  private record Network(int address, int mask) {}

  /** A match or the target whose options may follow. */
  private record Loaded(MatchType match, TargetType target, Options options) {}

  private final List<Token> tokens;
  private final SourcePosition at;
  private int next;

  private final Options basic;
  private final List<Loaded> loaded = new ArrayList<>();
  private Loaded target;
  private int protocol;
  private boolean notProtocol;
  private Action action = new Action.Nothing();
  private long packets;
  private long bytes;

  private RuleParser(List<Token> tokens, SourcePosition at, long packets, long bytes) {
    this.tokens = tokens;
    this.at = at;
    this.packets = packets;
    this.bytes = bytes;
    this.basic = new Options("rule", BASIC, new Token("", at));
  }

  /** The options that need no {@code -m}, for those who translate from another notation. */
  public static List<OptionSpec> basicOptions() {
    return BASIC;
  }

  /**
   * Reads one rule.
   *
   * @param tokens the words behind {@code -A CHAIN}
   * @param at where the rule begins
   * @param packets the counter that it starts with, unless {@code -c} says otherwise
   * @return one rule, or several when {@code -s} or {@code -d} lists several addresses
   * @throws SourceException at the first word that is wrong
   */
  public static List<Rule> parse(List<Token> tokens, SourcePosition at, long packets, long bytes) {
    return new RuleParser(tokens, at, packets, bytes).rules();
  }

  private List<Rule> rules() {
    while (next < tokens.size()) {
      Token token = tokens.get(next++);
      boolean inverted = token.text().equals("!");
      if (inverted) {
        if (next == tokens.size()) {
          throw new SourceException(token.at(), "nothing follows !");
        }
        token = tokens.get(next++);
        if (token.text().equals("!")) {
          throw new SourceException(token.at(), "! stands twice");
        }
      }
      option(token, inverted);
    }
    List<Match> matches = new ArrayList<>();
    int named = notProtocol ? 0 : protocol;
    for (Loaded one : loaded) {
      one.options.finish();
      matches.add(one.match.parse(one.options, named));
    }
    if (target != null) {
      target.options.finish();
      action = new Action.Extension(target.target.parse(target.options, named));
    }
    List<Rule> rules = new ArrayList<>();
    for (Network source : networks("source")) {
      for (Network destination : networks("destination")) {
        rules.add(
            new Rule(
                new BasicMatch(
                    source.address & source.mask,
                    source.mask,
                    basic.inverted("source"),
                    destination.address & destination.mask,
                    destination.mask,
                    basic.inverted("destination"),
                    name("in-interface"),
                    basic.inverted("in-interface"),
                    name("out-interface"),
                    basic.inverted("out-interface"),
                    protocol,
                    notProtocol,
                    basic.has("fragments") && !basic.inverted("fragments"),
                    basic.inverted("fragments")),
                matches,
                action,
                packets,
                bytes,
                at));
      }
    }
    return rules;
  }

  private void option(Token token, boolean inverted) {
    String text = token.text();
    if (text.startsWith("--") && text.length() > 2) {
      int equals = text.indexOf('=');
      String name = equals < 0 ? text.substring(2) : text.substring(2, equals);
      Token value = equals < 0 ? null : new Token(text.substring(equals + 1), token.at());
      longOption(token, name, value, inverted);
    } else if (text.startsWith("-") && text.length() > 1) {
      String name = SHORT.get(text.substring(1, 2));
      if (name == null) {
        throw new SourceException(token.at(), "unknown option " + text);
      }
      Token value = text.length() == 2 ? null : new Token(text.substring(2), token.at());
      read(basic, basic.spec(name), token, value, inverted);
    } else {
      throw new SourceException(
          token.at(),
          "\"" + text + "\" is no option (they begin with -), and none before it takes it");
    }
  }

  private void longOption(Token token, String name, Token value, boolean inverted) {
    // The option of the match named last wins, as getopt sees them.
    List<Options> scopes = new ArrayList<>();
    scopes.add(basic);
    if (target != null) {
      scopes.add(target.options);
    }
    for (int i = loaded.size() - 1; i >= 0; i--) {
      scopes.add(loaded.get(i).options);
    }
    for (Options scope : scopes) {
      OptionSpec spec = scope.spec(name);
      if (spec != null) {
        read(scope, spec, token, value, inverted);
        return;
      }
    }
    MatchType ofProtocol = notProtocol ? null : Extensions.matchOfProtocol(protocol);
    boolean there = loaded.stream().anyMatch(one -> one.match == ofProtocol);
    if (ofProtocol != null && !there) {
      Options options = new Options(ofProtocol.name, ofProtocol.options, token);
      if (candidates(List.of(options), name).size() == 1) {
        loaded.add(new Loaded(ofProtocol, null, options));
        scopes.add(options);
      }
    }
    Map<String, Options> found = candidates(scopes, name);
    if (found.size() == 1) {
      Map.Entry<String, Options> only = found.entrySet().iterator().next();
      read(only.getValue(), only.getValue().spec(only.getKey()), token, value, inverted);
      return;
    }
    if (found.size() > 1) {
      throw new SourceException(
          token.at(), "--" + name + " may be --" + String.join(" or --", found.keySet()));
    }
    throw new SourceException(token.at(), "unknown option --" + name + owners(name));
  }

  /** Options that begin with {@code name}; a short form counts when there is one only. */
  private static Map<String, Options> candidates(List<Options> scopes, String name) {
    Map<String, Options> found = new TreeMap<>();
    for (Options scope : scopes) {
      for (OptionSpec spec : scope.specs()) {
        for (String full : spec.names()) {
          if (full.startsWith(name)) {
            found.putIfAbsent(spec.name(), scope);
          }
        }
      }
    }
    return found;
  }

  private static String owners(String name) {
    StringBuilder out = new StringBuilder();
    for (MatchType type : Extensions.matchesWithOption(name)) {
      out.append(out.length() == 0 ? "; it belongs behind " : " or ");
      out.append(type.protocol != 0 ? "-p " + Names.protocol(type.protocol) : "-m " + type.name);
    }
    if (out.length() == 0) {
      for (String target : Extensions.targetNames()) {
        if (new Options(target, Extensions.target(target).options, null).spec(name) != null) {
          out.append(out.length() == 0 ? "; it belongs behind -j " : " or -j ").append(target);
        }
      }
    }
    return out.toString();
  }

  private void read(Options scope, OptionSpec spec, Token token, Token value, boolean inverted) {
    List<Token> arguments = new ArrayList<>();
    if (value != null) {
      if (spec.arguments() == 0) {
        throw new SourceException(token.at(), "--" + spec.name() + " takes no value");
      }
      arguments.add(value);
    }
    while (arguments.size() < spec.arguments()) {
      if (next == tokens.size()) {
        throw new SourceException(
            token.at(),
            token.text() + (spec.arguments() == 1 ? " needs a value" : " needs two values"));
      }
      arguments.add(tokens.get(next++));
    }
    boolean several = scope == basic && spec.name().equals("match");
    if (!several) {
      scope.add(spec, token, inverted, arguments);
    } else if (inverted) {
      throw new SourceException(token.at(), "! may not stand before -m");
    }
    if (scope == basic) {
      basic(spec.name(), arguments.isEmpty() ? token : arguments.get(0));
    }
  }

  /** What cannot wait until all options are read. */
  private void basic(String name, Token value) {
    switch (name) {
      case "protocol" -> {
        protocol = Names.protocolOf(value.text());
        notProtocol = basic.inverted("protocol");
        if (protocol < 0) {
          throw new SourceException(
              value.at(),
              "-p takes the name of a protocol or a number from 0 to 255, not \""
                  + value.text()
                  + "\"");
        }
        if (protocol == 0 && notProtocol) {
          throw new SourceException(value.at(), "! -p all would never match");
        }
      }
      case "match" -> {
        MatchType type = Extensions.match(value.text());
        if (type == null) {
          throw new SourceException(
              value.at(),
              "unknown match "
                  + value.text()
                  + "; there are "
                  + String.join(", ", Extensions.matchNames()));
        }
        loaded.add(new Loaded(type, null, new Options(type.name, type.options, value)));
      }
      case "jump", "goto" -> jump(name.equals("goto"), value);
      case "set-counters" -> {
        packets = counter(0);
        bytes = counter(1);
      }
      default -> {}
    }
  }

  private long counter(int index) {
    String text = basic.text("set-counters", index);
    try {
      return Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw basic.error("set-counters", "-c takes two numbers, not \"" + text + "\"");
    }
  }

  private void jump(boolean goTo, Token value) {
    if (basic.has("jump") && basic.has("goto")) {
      throw new SourceException(value.at(), "-j and -g exclude each other");
    }
    String name = value.text();
    Action.Standard standard = standard(name);
    TargetType type = Extensions.target(name);
    if (goTo && (standard != null || type != null)) {
      throw new SourceException(value.at(), "-g takes a chain, and " + name + " is a target");
    }
    if (standard != null) {
      action = standard;
    } else if (type != null) {
      target = new Loaded(null, type, new Options(type.name, type.options, value));
    } else {
      if (name.isEmpty() || name.startsWith("-") || name.startsWith("!") || name.length() > 28) {
        throw new SourceException(
            value.at(), "\"" + name + "\" is neither a target nor the name of a chain");
      }
      action = new Action.ToChain(name, goTo);
    }
  }

  private static Action.Standard standard(String name) {
    for (Action.Standard one : Action.Standard.values()) {
      if (one.name().equals(name)) {
        return one;
      }
    }
    return null;
  }

  private String name(String option) {
    String name = basic.text(option);
    if (name == null) {
      return "";
    }
    if (name.isEmpty() || name.length() > 15 || name.matches(".*[/\\s].*")) {
      throw basic.error(
          option,
          "the name of an interface has 1 to 15 characters, no blank and no /: \"" + name + "\"");
    }
    return name;
  }

  private List<Network> networks(String option) {
    if (!basic.has(option)) {
      return List.of(new Network(0, 0));
    }
    List<Network> networks = new ArrayList<>();
    for (String part : basic.list(option)) {
      long network = basic.network(option, part);
      networks.add(new Network((int) (network >>> 32), (int) network));
    }
    if (networks.size() > 1 && basic.inverted(option)) {
      throw basic.error(option, "! may not stand before a list of addresses");
    }
    return networks;
  }
}
