// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.Extensions;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.Names;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleParser;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.netfilter.tables.Token;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** One rule of a YAML file, brought into the words that follow {@code -A CHAIN}. */
final class RuleReader {
  /** Basic options that are said differently here. */
  private static final List<String> NOT_KEYS = List.of("match", "jump", "goto", "set-counters");

  /** The match of whatever has ports; its options need no mention of it. */
  private static final String MULTIPORT = "multiport";

  /** Column 1 stands for a string's first character. */
  private static final SourcePosition START = new SourcePosition("", 1, 1);

  private final Map<YamlValue, YamlValue> entries;
  private final List<Token> basic = new ArrayList<>();
  private final List<Token> action = new ArrayList<>();

  /** The words of each match, in order. */
  private final List<List<Token>> matches = new ArrayList<>();

  /** Those of {@link #matches} that keys of the rule itself brought in, by name. */
  private final Map<String, List<Token>> implied = new LinkedHashMap<>();

  private String protocol;
  private long[] counters = {0, 0};

  private RuleReader(YamlValue rule) {
    this.entries = rule.entries();
  }

  /** Reads a rule, a mapping or a string; several when it lists addresses. */
  static List<Rule> read(YamlValue value) {
    SourcePosition at = value.position();
    if (value.isScalar() && !value.isNull() && !value.text().isBlank()) {
      return RuleParser.parse(words(value), at, 0, 0);
    }
    if (!value.isMap()) {
      throw value.error(
          "a rule is a mapping such as {protocol: tcp, dport: 22, jump: ACCEPT}, or a string in"
              + " iptables' syntax");
    }
    RuleReader reader = new RuleReader(value);
    reader.read();
    List<Token> words = new ArrayList<>(reader.basic);
    reader.matches.forEach(words::addAll);
    words.addAll(reader.action);
    return RuleParser.parse(words, at, reader.counters[0], reader.counters[1]);
  }

  private static List<Token> words(YamlValue value) {
    List<Token> words = new ArrayList<>();
    try {
      for (Token word : IptablesSaveParser.words(value.text().replace('\n', ' '), START)) {
        words.add(new Token(word.text(), value.positionAt(word.at().column() - 1)));
      }
    } catch (SourceException e) {
      throw value.error(e.problem());
    }
    String first = words.isEmpty() ? "" : words.get(0).text();
    if (first.equals("-A") || first.equals("--append") || first.equals("iptables")) {
      throw value.error(
          "the chain is said already: leave "
              + (first.equals("iptables") ? "iptables -A CHAIN" : first + " CHAIN")
              + " out");
    }
    return words;
  }

  /** {@code [packets, bytes]}, each of 64 bits. */
  static long[] counters(YamlValue value) {
    List<YamlValue> pair = value.list();
    if (pair.size() != 2) {
      throw value.error("counters are two numbers: [packets, bytes]");
    }
    long[] counters = new long[2];
    for (int i = 0; i < 2; i++) {
      try {
        counters[i] = Long.parseUnsignedLong(pair.get(i).text());
      } catch (NumberFormatException e) {
        throw pair.get(i)
            .error("a counter is a number of 64 bits, not \"" + pair.get(i).text() + "\"");
      }
    }
    return counters;
  }

  private void read() {
    for (Map.Entry<YamlValue, YamlValue> entry : entries.entrySet()) {
      if (entry.getKey().text().equals("protocol") && entry.getValue().isScalar()) {
        protocol = entry.getValue().text();
      }
    }
    YamlValue jump = null;
    for (Map.Entry<YamlValue, YamlValue> entry : entries.entrySet()) {
      YamlValue key = entry.getKey();
      YamlValue value = entry.getValue();
      switch (key.text()) {
        case "match" -> matches(value);
        case "jump", "goto" -> {
          if (jump != null) {
            throw key.error("jump and goto exclude each other");
          }
          jump = key;
          action(key, value);
        }
        case "counters" -> counters = counters(value);
        default -> {
          // The manual calls it --fragment, the program --fragments.
          String name = key.text().equals("fragment") ? "fragments" : key.text();
          OptionSpec spec = spec(RuleParser.basicOptions(), name);
          if (spec != null && !NOT_KEYS.contains(spec.name())) {
            option(basic, key, spec, value);
          } else {
            shorthand(key, value);
          }
        }
      }
    }
  }

  // ---- keys that imply their match

  private void shorthand(YamlValue key, YamlValue value) {
    MatchType type = impliedBy(key);
    List<Token> words =
        implied.computeIfAbsent(
            type.name,
            name -> {
              List<Token> fresh = new ArrayList<>();
              fresh.add(word("-m", key));
              fresh.add(word(name, key));
              matches.add(fresh);
              return fresh;
            });
    option(words, key, spec(type.options, key.text()), value);
  }

  /**
   * The match that the key {@code name} brings into a rule of {@code protocol} (0 for none), or
   * null.
   */
  static MatchType impliedBy(String name, int protocol) {
    if (name.equals("comment")) {
      return Extensions.match(name);
    }
    if (spec(Extensions.match(MULTIPORT).options, name) != null) {
      return Extensions.match(MULTIPORT);
    }
    MatchType type = Extensions.matchOfProtocol(protocol);
    return type != null && spec(type.options, name) != null ? type : null;
  }

  private MatchType impliedBy(YamlValue key) {
    String name = key.text();
    MatchType implied = impliedBy(name, protocol == null ? 0 : Names.protocolOf(protocol));
    if (implied != null) {
      return implied;
    }
    List<MatchType> owners = Extensions.matchesWithOption(name);
    List<String> protocols = new ArrayList<>();
    for (MatchType type : owners) {
      if (type.protocol != 0) {
        protocols.add(Names.protocol(type.protocol));
      }
    }
    if (!protocols.isEmpty()) {
      throw key.error(name + " needs protocol: " + either(protocols));
    }
    if (!owners.isEmpty()) {
      List<String> places = new ArrayList<>();
      owners.forEach(type -> places.add("match: {" + type.name + ": {" + name + ": ...}}"));
      throw key.error(name + " belongs in " + either(places));
    }
    for (String target : Extensions.targetNames()) {
      if (spec(Extensions.target(target).options, name) != null) {
        throw key.error(name + " belongs in jump: {" + target + ": {" + name + ": ...}}");
      }
    }
    if (Extensions.match(name) != null) {
      throw key.error("a match stands under match: match: {" + name + ": {...}}");
    }
    throw key.unknown("a rule", ruleKeys());
  }

  /** As people list alternatives: {@code tcp, udp or sctp}. */
  private static String either(List<String> words) {
    int last = words.size() - 1;
    String others = String.join(", ", words.subList(0, last));
    return others.isEmpty() ? words.get(last) : others + " or " + words.get(last);
  }

  /** Every key that a rule may have, the basic ones first. */
  static List<String> ruleKeys() {
    List<String> keys = new ArrayList<>();
    for (OptionSpec spec : RuleParser.basicOptions()) {
      if (!NOT_KEYS.contains(spec.name())) {
        keys.add(spec.name());
      }
    }
    keys.addAll(List.of("match", "jump", "goto", "comment", "counters"));
    TreeSet<String> implied = new TreeSet<>();
    for (String name : Extensions.matchNames()) {
      MatchType type = Extensions.match(name);
      if (type.protocol != 0 || name.equals(MULTIPORT)) {
        type.options.forEach(spec -> implied.addAll(spec.names()));
      }
    }
    keys.addAll(implied);
    return keys;
  }

  // ---- match and jump

  private void matches(YamlValue value) {
    // No list within a list: with an alias it might be within itself.
    for (YamlValue one : value.isList() ? value.list() : List.of(value)) {
      if (one.isScalar() && !one.isNull()) {
        match(one, null);
      } else {
        one.entries().forEach(this::match);
      }
    }
  }

  private void match(YamlValue name, YamlValue value) {
    MatchType type = Extensions.match(name.text());
    if (type == null) {
      String absence = Extensions.absence(name.text());
      throw absence == null
          ? name.unknown("match", Extensions.matchNames())
          : name.error("match " + name.text() + ": " + absence);
    }
    boolean several = value != null && value.isList();
    for (YamlValue one : several ? value.list() : Collections.singletonList(value)) {
      List<Token> words = new ArrayList<>();
      words.add(word("-m", name));
      words.add(word(type.name, name));
      options(words, "match " + type.name, type.options, one);
      matches.add(words);
    }
  }

  private void action(YamlValue key, YamlValue value) {
    boolean goTo = key.text().equals("goto");
    action.add(word(goTo ? "-g" : "-j", key));
    if (goTo || !value.isMap()) {
      if (value.isNull()) {
        throw key.error(key.text() + " needs a target or the name of a chain");
      }
      action.add(word(value.text(), value));
      return;
    }
    Map<YamlValue, YamlValue> targets = value.entries();
    if (targets.size() != 1) {
      throw value.error("a rule has one target, not " + targets.size());
    }
    Map.Entry<YamlValue, YamlValue> only = targets.entrySet().iterator().next();
    YamlValue name = only.getKey();
    TargetType type = Extensions.target(name.text());
    action.add(word(name.text(), name));
    options(
        action, "target " + name.text(), type == null ? List.of() : type.options, only.getValue());
  }

  private static void options(
      List<Token> words, String owner, List<OptionSpec> specs, YamlValue value) {
    if (value == null || value.isNull()) {
      return;
    }
    if (value.isScalar()) {
      throw value.error("the options of " + owner + " are a mapping (key: value)");
    }
    Map.Entry<YamlValue, YamlValue> further = null;
    for (Map.Entry<YamlValue, YamlValue> entry : value.entries().entrySet()) {
      OptionSpec spec = spec(specs, entry.getKey().text());
      if (spec == null) {
        List<String> known = new ArrayList<>();
        specs.forEach(one -> known.addAll(one.names()));
        throw entry.getKey().unknown(owner, known);
      }
      if (spec.beginsElement()) {
        further = entry;
      } else {
        option(words, entry.getKey(), spec, entry.getValue());
      }
    }
    if (further != null) {
      elements(words, owner, specs, further.getKey(), further.getValue());
    }
  }

  /** The elements behind the first: a mapping, or a list of them. */
  private static void elements(
      List<Token> words, String owner, List<OptionSpec> specs, YamlValue key, YamlValue value) {
    List<OptionSpec> ofElement =
        specs.stream().filter(spec -> spec.repeatable() && !spec.beginsElement()).toList();
    if (value.isNull()) {
      throw key.error(key.text() + " needs the options of one more element: {key: value}");
    }
    for (YamlValue element : value.isList() ? value.list() : List.of(value)) {
      words.add(word("--" + key.text(), key));
      options(words, owner, ofElement, element);
    }
  }

  /** The one of {@code specs} that may be called {@code name}, or null. */
  static OptionSpec spec(List<OptionSpec> specs, String name) {
    for (OptionSpec spec : specs) {
      if (spec.names().contains(name)) {
        return spec;
      }
    }
    return null;
  }

  // ---- one option

  private static void option(List<Token> words, YamlValue key, OptionSpec spec, YamlValue given) {
    YamlValue value = given;
    if (value.isMap()) {
      Map<YamlValue, YamlValue> inside = value.entries();
      Map.Entry<YamlValue, YamlValue> first =
          inside.isEmpty() ? null : inside.entrySet().iterator().next();
      if (first != null && first.getKey().text().equals("not")) {
        if (inside.size() > 1) {
          throw value.error("not stands alone: " + key.text() + ": {not: ...}");
        }
        words.add(word("!", first.getKey()));
        value = first.getValue();
      }
    }
    words.add(word("--" + key.text(), key));
    switch (spec.arguments()) {
      case 0 -> flag(key, spec, value);
      case 1 -> {
        boolean leftOut = spec.optional() && (value.isNull() || value.text().equals("true"));
        if (!leftOut) {
          words.add(word(joined(key, value), value));
        }
      }
      default -> pair(words, key, spec, value);
    }
  }

  private static void flag(YamlValue key, OptionSpec spec, YamlValue value) {
    if (!value.isNull() && !value.bool()) {
      throw value.error(
          spec.invertible()
              ? "to invert it, write " + key.text() + ": {not: true}; else leave it out"
              : "to have it off, leave it out");
    }
  }

  /** Two values under names of their own. */
  private static void pair(List<Token> words, YamlValue key, OptionSpec spec, YamlValue value) {
    String first = spec.halves().get(0);
    String second = spec.halves().get(1);
    if (!value.isMap()) {
      throw value.error("expected {" + first + ": ..., " + second + ": ...}");
    }
    YamlValue.Fields fields = value.fields(key.text(), first, second);
    for (String half : spec.halves()) {
      YamlValue given = fields.require(half);
      words.add(word(joined(key, given), given));
    }
  }

  private static String joined(YamlValue key, YamlValue value) {
    if (value.isNull()) {
      throw key.error(key.text() + " needs a value");
    }
    if (value.isMap()) {
      throw value.error(
          "expected a value or a list, or {not: ...} to invert it, found another mapping");
    }
    if (!value.isList()) {
      return value.text();
    }
    List<String> parts = new ArrayList<>();
    for (YamlValue one : value.list()) {
      String text = one.text();
      if (text.isEmpty() || text.indexOf(',') >= 0 && value.list().size() > 1) {
        throw one.error("an entry of a list is one value, not \"" + text + "\"");
      }
      parts.add(text);
    }
    if (parts.isEmpty()) {
      throw value.error("the list is empty; " + key.text() + " needs a value");
    }
    return String.join(",", parts);
  }

  private static Token word(String text, YamlValue at) {
    return new Token(text, at.position());
  }
}
