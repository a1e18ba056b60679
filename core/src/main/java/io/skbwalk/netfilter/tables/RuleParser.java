// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.lib.Spelling;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Plays do_parse of iptables 1.8.9: reads the words of one rule or command with their places, as
 * getopt_long takes them apart. Everything that is not understood is an error.
 */
public final class RuleParser {
  private record Network(int address, int mask) {}

  /** A match or the target whose options may follow. */
  private record Loaded(MatchType match, TargetType target, Options options) {}

  /** An option of a match or target. */
  private record Found(Options scope, OptionSpec spec) {}

  private final List<Token> words;
  private final CommandWords command;
  private int next;

  private final Options basic;
  private final List<Loaded> matches = new ArrayList<>();
  private Loaded target;

  /** Whose options are known by now, the last loaded first, as getopt searches them. */
  private final List<Options> scopes = new ArrayList<>();

  private int protocol;
  private boolean notProtocol;
  private Action action = new Action.Nothing();
  private long packets;
  private long bytes;

  /** {@code command} takes what is no part of a rule; null where only a rule is allowed. */
  private RuleParser(List<Token> words, SourcePosition at, CommandWords command) {
    this.words = words;
    this.command = command;
    this.basic = new Options("rule", BaseOption.OF_RULES, new Token("", at));
  }

  /** The options that need no {@code -m}, for those who translate from another notation. */
  public static List<OptionSpec> basicOptions() {
    return BaseOption.OF_RULES;
  }

  /**
   * Reads one rule.
   *
   * @param words those behind {@code -A CHAIN}
   * @param at where the rule begins
   * @param packets the counter that it starts with, unless {@code -c} says otherwise
   * @return one rule, or several when {@code -s} or {@code -d} lists several addresses
   * @throws SourceException at the first word that is wrong
   */
  public static List<Rule> parse(List<Token> words, SourcePosition at, long packets, long bytes) {
    RuleParser parser = new RuleParser(words, at, null);
    parser.packets = packets;
    parser.bytes = bytes;
    parser.read();
    return parser.rules(at);
  }

  /**
   * Reads one line of iptables-restore, or one run of iptables.
   *
   * @param words the whole line, or what stands behind {@code iptables}
   * @param table the table that restore is in; null for a run of iptables, which names its own
   * @param counters packets and bytes that stand before the line, or null
   * @throws SourceException at the first word that is wrong
   */
  public static IptablesCommand command(List<Token> words, TableKind table, long[] counters) {
    SourcePosition start = words.get(0).at();
    CommandWords command = new CommandWords(table);
    RuleParser parser = new RuleParser(words, start, command);
    if (counters != null) {
      parser.packets = counters[0];
      parser.bytes = counters[1];
    }
    parser.read();
    command.finish(start, parser.basic, parser.action);
    SourcePosition at = command.at(start);
    if (counters != null && parser.basic.has("set-counters")) {
      throw parser.basic.error("set-counters", "the counters stand before the rule already");
    }
    long[] given = parser.basic.has("set-counters") ? parser.counters() : counters;
    return command.command(command.takesRule() ? parser.rules(at) : List.of(), given, at);
  }

  // ---- getopt_long

  private void read() {
    boolean inverted = false;
    while (next < words.size()) {
      Token word = words.get(next++);
      String text = word.text();
      if (text.equals("!")) {
        if (inverted) {
          throw new SourceException(word.at(), "! stands twice");
        }
        inverted = true;
        continue;
      }
      if (text.equals("--")) {
        if (next < words.size()) {
          throw new SourceException(word.at(), "nothing may follow --");
        }
      } else if (text.startsWith("--")) {
        longOption(word, inverted);
      } else if (text.startsWith("-") && text.length() > 1) {
        letters(word, inverted);
      } else {
        throw new SourceException(
            word.at(),
            "\"" + text + "\" is no option (they begin with -), and none before it takes it");
      }
      inverted = false;
    }
    if (inverted) {
      throw new SourceException(words.get(words.size() - 1).at(), "nothing follows !");
    }
  }

  /** {@code -nvL}: several letters in a word; what follows one with a value is its value. */
  private void letters(Token word, boolean inverted) {
    String text = word.text();
    for (int i = 1; i < text.length(); i++) {
      BaseOption option = BaseOption.of(text.charAt(i));
      if (option == null) {
        throw new SourceException(
            word.at(),
            "unknown option "
                + text
                + (text.length() > 2 ? Spelling.hint("-" + text, dashed()) : ""));
      }
      boolean last = i == text.length() - 1;
      boolean attached = option.argument() != BaseOption.Argument.NONE && !last;
      base(
          option,
          word,
          attached ? new Token(text.substring(i + 1), word.at()) : null,
          inverted && i == 1);
      if (attached) {
        return;
      }
    }
  }

  private void longOption(Token word, boolean inverted) {
    int equals = word.text().indexOf('=');
    String name = equals < 0 ? word.text().substring(2) : word.text().substring(2, equals);
    Token value = equals < 0 ? null : new Token(word.text().substring(equals + 1), word.at());
    BaseOption base = BaseOption.of(name);
    if (base != null) {
      base(base, word, value, inverted);
      return;
    }
    Found found = exactly(name);
    if (found == null) {
      List<BaseOption> bases = BaseOption.beginningWith(name);
      List<Found> others = beginningWith(name);
      if (bases.size() + others.size() != 1 && loadProtocol(word)) {
        found = exactly(name);
        others = beginningWith(name);
      }
      if (found == null && bases.size() + others.size() != 1) {
        throw notOne(word, name, bases, others);
      }
      if (found == null && others.isEmpty()) {
        base(bases.get(0), word, value, inverted);
        return;
      }
      found = found == null ? others.get(0) : found;
    }
    extension(found, word, value, inverted);
  }

  private Found exactly(String name) {
    for (Options scope : scopes) {
      OptionSpec spec = scope.spec(name);
      if (spec != null) {
        return new Found(scope, spec);
      }
    }
    return null;
  }

  private List<Found> beginningWith(String name) {
    List<Found> found = new ArrayList<>();
    for (Options scope : scopes) {
      for (OptionSpec spec : scope.specs()) {
        if (spec.names().stream().anyMatch(full -> full.startsWith(name))) {
          found.add(new Found(scope, spec));
        }
      }
    }
    return found;
  }

  /** {@code -p tcp --dport}: the protocol's match, once, when its options begin. */
  private boolean loadProtocol(Token word) {
    MatchType type = Extensions.matchOfProtocol(protocol);
    if (type == null || matches.stream().anyMatch(one -> one.match == type)) {
      return false;
    }
    load(type, word);
    return true;
  }

  private SourceException notOne(
      Token word, String name, List<BaseOption> bases, List<Found> others) {
    List<String> may = new ArrayList<>();
    bases.forEach(one -> may.add("--" + one.names().get(0)));
    others.forEach(one -> may.add("--" + one.spec.name()));
    if (!may.isEmpty()) {
      return new SourceException(
          word.at(),
          "--" + name + " may be " + String.join(" or ", may.stream().sorted().toList()));
    }
    String owners = owners(name);
    return new SourceException(
        word.at(),
        "unknown option --"
            + name
            + (owners.isEmpty() ? Spelling.hint("--" + name, dashed()) : owners));
  }

  /** Every long option that may stand here. */
  private List<String> dashed() {
    List<String> names = new ArrayList<>();
    BaseOption.OF_RULES.forEach(spec -> spec.names().forEach(name -> names.add("--" + name)));
    for (Options scope : scopes) {
      scope.specs().forEach(spec -> spec.names().forEach(name -> names.add("--" + name)));
    }
    MatchType ofProtocol = Extensions.matchOfProtocol(protocol);
    if (ofProtocol != null) {
      ofProtocol.options.forEach(spec -> spec.names().forEach(name -> names.add("--" + name)));
    }
    return names;
  }

  private static String owners(String name) {
    StringBuilder out = new StringBuilder();
    for (MatchType type : Extensions.matchesWithOption(name)) {
      out.append(out.length() == 0 ? "; it belongs behind " : " or ");
      out.append(type.protocol != 0 ? "-p " + Names.protocol(type.protocol) : "-m " + type.name);
    }
    if (out.length() == 0) {
      for (String one : Extensions.targetNames()) {
        if (new Options(one, Extensions.target(one).options, null).spec(name) != null) {
          out.append(out.length() == 0 ? "; it belongs behind -j " : " or -j ").append(one);
        }
      }
    }
    return out.toString();
  }

  private void extension(Found found, Token word, Token value, boolean inverted) {
    OptionSpec spec = found.spec;
    List<Token> arguments = new ArrayList<>();
    if (value != null) {
      if (spec.arguments() == 0) {
        throw new SourceException(word.at(), "--" + spec.name() + " takes no value");
      }
      arguments.add(value);
    }
    boolean leftOut = spec.optional() && (next == words.size() || !isArgument(words.get(next)));
    while (arguments.size() < spec.arguments() && !leftOut) {
      if (next == words.size() || arguments.size() == 1 && !isArgument(words.get(next))) {
        throw new SourceException(
            word.at(),
            word.text() + (spec.arguments() == 1 ? " needs a value" : " needs two values"));
      }
      arguments.add(words.get(next++));
    }
    found.scope.add(spec, word, inverted, arguments);
  }

  /** xs_has_arg: what may be a second value does not look like an option. */
  private static boolean isArgument(Token word) {
    return !word.text().startsWith("-") && !word.text().startsWith("!");
  }

  // ---- options of iptables itself

  private void base(BaseOption option, Token word, Token attached, boolean inverted) {
    Token value = attached;
    if (attached != null && option.argument() == BaseOption.Argument.NONE) {
      throw new SourceException(word.at(), "--" + option.names().get(0) + " takes no value");
    }
    if (attached == null && option.argument() == BaseOption.Argument.NEEDED) {
      if (next == words.size()) {
        throw new SourceException(word.at(), word.text() + " needs a value");
      }
      value = words.get(next++);
    }
    OptionSpec spec = option.spec();
    if (spec == null) {
      other(option, word, value, inverted);
      return;
    }
    if (option.letter() == 'm') {
      match(value, inverted);
      return;
    }
    List<Token> arguments = new ArrayList<>();
    if (option.letter() == 'c') {
      arguments.addAll(counterWords(word, value));
    } else if (spec.arguments() > 0) {
      checkAttached(option, word, attached);
      // iptables 1.8.9 takes the whole word for the value of these: -ieth0 is the interface -ieth0.
      arguments.add(attached != null && option.letter() != 'g' ? word : value);
    }
    basic.add(spec, word, inverted, arguments);
    switch (option.letter()) {
      case 'p' -> protocol(arguments.get(0));
      case 'j', 'g' -> jump(option.letter() == 'g', arguments.get(0));
      case 'c' -> {
        long[] both = counters();
        packets = both[0];
        bytes = both[1];
      }
      default -> {}
    }
  }

  private static void checkAttached(BaseOption option, Token word, Token attached) {
    char letter = option.letter();
    boolean any = attached != null && attached.text().endsWith("/0") && "sd".indexOf(letter) >= 0;
    if (attached != null && "psdj".indexOf(letter) >= 0 && !any) {
      throw new SourceException(
          word.at(),
          "iptables 1.8.9 does not take "
              + word.text()
              + " apart; write -"
              + letter
              + " "
              + attached.text());
    }
    if (attached != null && attached.text().isEmpty() && "io".indexOf(letter) >= 0) {
      throw new SourceException(word.at(), "the name of an interface is missing");
    }
  }

  private void other(BaseOption option, Token word, Token value, boolean inverted) {
    if (inverted) {
      throw new SourceException(word.at(), "! may not stand before " + word.text());
    }
    if (command == null) {
      throw new SourceException(
          word.at(),
          option.isCommand()
              ? "a rule stands in its chain here, so leave " + word.text() + " out"
              : word.text() + " is no part of a rule");
    }
    next += command.take(option, word, value, argument(next), argument(next + 1));
  }

  private Token argument(int index) {
    return index < words.size() && isArgument(words.get(index)) ? words.get(index) : null;
  }

  private void protocol(Token value) {
    protocol = Names.protocolOf(value.text().toLowerCase(Locale.ROOT));
    notProtocol = basic.inverted("protocol");
    if (protocol < 0) {
      throw new SourceException(
          value.at(),
          "-p takes the name of a protocol or a number from 0 to 255, not \""
              + value.text()
              + "\""
              + Spelling.hint(value.text(), Names.protocols()));
    }
    if (protocol == 0 && notProtocol) {
      throw new SourceException(value.at(), "! -p all would never match");
    }
  }

  private void match(Token value, boolean inverted) {
    if (inverted) {
      throw new SourceException(value.at(), "! may not stand before -m");
    }
    MatchType type = Extensions.match(value.text());
    if (type == null) {
      String near = Spelling.nearest(value.text(), Extensions.matchNames());
      String absence = Extensions.absence(value.text());
      throw new SourceException(
          value.at(),
          absence != null
              ? "match " + value.text() + ": " + absence
              : "unknown match "
                  + value.text()
                  + (near == null
                      ? "; docs/extensions.md lists those that there are"
                      : "; did you mean " + near + "?"));
    }
    Options before = null;
    for (Loaded one : matches) {
      before = one.match == type ? one.options : before;
    }
    if (before == null) {
      load(type, value);
    } else {
      // iptables does not merge the options again: they keep their place in the search.
      Loaded again = new Loaded(type, null, new Options(type.name, type.options, value));
      matches.add(again);
      scopes.set(scopes.indexOf(before), again.options);
    }
  }

  private void load(MatchType type, Token at) {
    Loaded one = new Loaded(type, null, new Options(type.name, type.options, at));
    matches.add(one);
    scopes.add(0, one.options);
  }

  private void jump(boolean goTo, Token value) {
    if (basic.has("jump") && basic.has("goto")) {
      throw new SourceException(value.at(), "-j and -g exclude each other");
    }
    String name = value.text();
    Action.Standard standard = Action.Standard.of(name);
    TargetType type = Extensions.target(name);
    if (goTo && (standard != null || type != null)) {
      throw new SourceException(value.at(), "-g takes a chain, and " + name + " is a target");
    }
    if (standard != null) {
      action = standard;
    } else if (type != null) {
      target = new Loaded(null, type, new Options(type.name, type.options, value));
      scopes.add(0, target.options);
    } else if (!goTo && Extensions.absence(name) != null) {
      throw new SourceException(value.at(), "target " + name + ": " + Extensions.absence(name));
    } else {
      if (!IptablesCommand.canBeChain(name)) {
        throw new SourceException(
            value.at(), "\"" + name + "\" is neither a target nor the name of a chain");
      }
      action = new Action.ToChain(name, goTo);
    }
  }

  /** {@code -c PACKETS BYTES}, or {@code -c PACKETS,BYTES}. */
  private List<Token> counterWords(Token word, Token value) {
    int comma = value.text().indexOf(',', 1);
    if (comma > 0) {
      return List.of(
          new Token(value.text().substring(0, comma), value.at()),
          new Token(value.text().substring(comma + 1), value.at()));
    }
    if (next == words.size() || !isArgument(words.get(next))) {
      throw new SourceException(word.at(), word.text() + " needs two values");
    }
    return List.of(value, words.get(next++));
  }

  private long[] counters() {
    return new long[] {counter(0), counter(1)};
  }

  private long counter(int index) {
    String text = basic.text("set-counters", index);
    Long counter = Numbers.scanned(text);
    if (counter == null) {
      throw basic.error("set-counters", "-c takes two numbers, not \"" + text + "\"");
    }
    return counter;
  }

  // ---- the rule as a whole

  private List<Rule> rules(SourcePosition at) {
    List<Match> parsed = new ArrayList<>();
    int named = notProtocol ? 0 : protocol;
    for (Loaded one : matches) {
      one.options.finish();
      parsed.add(one.match.parse(one.options, named));
    }
    if (target != null) {
      target.options.finish();
      action = new Action.Extension(target.target.parse(target.options, protocol));
    }
    List<Network> sources = networks("source");
    List<Network> destinations = networks("destination");
    if (sources.size() + destinations.size() > 2) {
      for (String option : List.of("source", "destination")) {
        if (basic.inverted(option)) {
          throw basic.error(option, "! may not stand before an address in a rule that lists some");
        }
      }
    }
    List<Rule> rules = new ArrayList<>();
    for (Network source : sources) {
      for (Network destination : destinations) {
        rules.add(new Rule(basic(source, destination), parsed, action, packets, bytes, at));
      }
    }
    return rules;
  }

  private BasicMatch basic(Network source, Network destination) {
    return new BasicMatch(
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
        basic.inverted("fragments"));
  }

  private String name(String option) {
    String name = basic.text(option);
    if (name == null) {
      return "";
    }
    // iptables warns of / and blanks, and takes them.
    if (name.isEmpty() || name.length() > 15) {
      throw basic.error(
          option, "the name of an interface has 1 to 15 characters, not \"" + name + "\"");
    }
    return name;
  }

  private List<Network> networks(String option) {
    if (!basic.has(option)) {
      return List.of(new Network(0, 0));
    }
    List<Network> networks = new ArrayList<>();
    for (String part : basic.list(option)) {
      long network = basic.network(option, part.stripLeading());
      networks.add(new Network((int) (network >>> 32), (int) network));
    }
    return networks;
  }
}
