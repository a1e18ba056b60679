// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.language.YamlText.Flag;
import io.skbwalk.language.YamlText.Mapping;
import io.skbwalk.language.YamlText.Node;
import io.skbwalk.language.YamlText.Scalar;
import io.skbwalk.language.YamlText.Sequence;
import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.BasicMatch;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.Names;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleParser;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.Token;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One rule as a person writes it in YAML; the inverse of {@link RuleReader}. What keys cannot say,
 * such as an option that is given twice, is a string in iptables' syntax.
 */
final class RuleWriter {
  /** Column 1 stands for a saved text's first character. */
  private static final SourcePosition START = new SourcePosition("", 1, 1);

  /** What people call {@code --syn}. */
  private static final List<Node> SYN =
      List.of(scalars(List.of("FIN", "SYN", "RST", "ACK")), new Scalar("SYN"));

  /** A match and its options by key. */
  private record Written(MatchType type, Map<String, Node> options) {
    /** {@code name}, or {@code {name: {options}}}. */
    Node alone() {
      return options.isEmpty()
          ? new Scalar(type.name)
          : new Mapping(Map.of(type.name, new Mapping(options)));
    }
  }

  private final Rule rule;
  private final Map<String, Node> keys = new LinkedHashMap<>();

  private RuleWriter(Rule rule) {
    this.rule = rule;
  }

  /**
   * A mapping, or a string in iptables' syntax.
   *
   * @throws SourceException at a rule of which iptables-save prints another
   */
  static Node write(Rule rule) {
    RuleWriter writer = new RuleWriter(rule);
    Node node = writer.write() ? new Mapping(writer.keys) : new Scalar(line(rule));
    if (!IptablesSavePrinter.readsBack(rule) && !readsBack(rule, node)) {
      throw new SourceException(
          rule.at(),
          "this rule cannot be said otherwise: iptables-save prints it as \""
              + rule.save()
              + "\", which is not the same");
    }
    return node;
  }

  private static boolean readsBack(Rule rule, Node node) {
    try {
      return RuleReader.read(YamlValue.parse("", node.flow())).get(0).isLike(rule);
    } catch (SourceException e) {
      return false;
    }
  }

  /** What may stand behind {@code -A CHAIN}. */
  private static String line(Rule rule) {
    if (rule.packets() == 0 && rule.bytes() == 0) {
      return rule.save();
    }
    return "-c "
        + Long.toUnsignedString(rule.packets())
        + " "
        + Long.toUnsignedString(rule.bytes())
        + " "
        + rule.save();
  }

  /** False when keys cannot say it. */
  private boolean write() {
    basic(rule.basic());
    List<Written> matches = new ArrayList<>();
    for (Match match : rule.matches()) {
      StringBuilder saved = new StringBuilder();
      match.save(saved);
      Map<String, Node> options = options(match.type().options, saved.toString());
      if (options == null) {
        return false;
      }
      matches.add(new Written(match.type(), options));
    }
    Node action = action();
    if (action == null && !(rule.action() instanceof Action.Nothing)) {
      return false;
    }
    Map<String, Node> comment = matches(matches);
    if (action != null) {
      boolean goTo = rule.action() instanceof Action.ToChain to && to.goTo();
      keys.put(goTo ? "goto" : "jump", action);
    }
    keys.putAll(comment);
    if (rule.packets() != 0 || rule.bytes() != 0) {
      keys.put("counters", counters(rule.packets(), rule.bytes()));
    }
    return true;
  }

  /** {@code [packets, bytes]}. */
  static Node counters(long packets, long bytes) {
    return new Sequence(
        List.of(
            new Scalar(Long.toUnsignedString(packets)), new Scalar(Long.toUnsignedString(bytes))));
  }

  // ---- what every rule may ask

  private void basic(BasicMatch basic) {
    name("in-interface", basic.in(), basic.notIn());
    name("out-interface", basic.out(), basic.notOut());
    network("source", basic.source(), basic.sourceMask(), basic.notSource());
    network("destination", basic.destination(), basic.destinationMask(), basic.notDestination());
    if (basic.protocol() != 0) {
      name("protocol", Names.protocol(basic.protocol()), basic.notProtocol());
    }
    if (basic.fragment() || basic.notFragment()) {
      keys.put("fragment", perhapsNot(basic.notFragment(), new Flag()));
    }
  }

  private void name(String key, String name, boolean inverted) {
    if (!name.isEmpty()) {
      keys.put(key, perhapsNot(inverted, new Scalar(name)));
    }
  }

  private void network(String key, int address, int mask, boolean inverted) {
    if (address != 0 || mask != 0 || inverted) {
      name(key, BasicMatch.network(address, mask).replaceFirst("/32$", ""), inverted);
    }
  }

  private static Node perhapsNot(boolean inverted, Node value) {
    return inverted ? new Mapping(Map.of("not", value)) : value;
  }

  // ---- matches

  /**
   * Keys of the rule itself where they keep the order, {@code match:} for the others.
   *
   * @return a comment that is the last match: it may stand behind the target
   */
  private Map<String, Node> matches(List<Written> matches) {
    int first = matches.size();
    int end = 0;
    Set<MatchType> before = new HashSet<>();
    for (int i = 0; i < matches.size(); i++) {
      if (!before.add(matches.get(i).type) || !isImplied(matches.get(i))) {
        first = Math.min(first, i);
        end = i + 1;
      }
    }
    if (end == 0) {
      first = 0;
    }
    matches.subList(0, first).forEach(one -> keys.putAll(one.options));
    if (end > 0) {
      keys.put("match", named(matches.subList(first, end)));
    }
    for (Written one : matches.subList(end, matches.size())) {
      if (one.type.name.equals("comment") && one == matches.get(matches.size() - 1)) {
        return one.options;
      }
      keys.putAll(one.options);
    }
    return Map.of();
  }

  /** Do its options say which match it is? */
  private boolean isImplied(Written one) {
    int protocol = rule.basic().notProtocol() ? 0 : rule.basic().protocol();
    return !one.options.isEmpty()
        && one.options.keySet().stream()
            .allMatch(
                key ->
                    RuleReader.impliedBy(key, protocol) == one.type
                        && RuleReader.spec(RuleParser.basicOptions(), key) == null);
  }

  private static Node named(List<Written> matches) {
    Map<String, Node> byName = new LinkedHashMap<>();
    for (Written one : matches) {
      byName.put(one.type.name, new Mapping(one.options));
    }
    boolean asMapping =
        byName.size() == matches.size() && matches.stream().noneMatch(one -> one.options.isEmpty());
    if (asMapping) {
      return new Mapping(byName);
    }
    return matches.size() == 1
        ? matches.get(0).alone()
        : new Sequence(matches.stream().map(Written::alone).toList());
  }

  // ---- target

  /** The value of {@code jump} or {@code goto}; null when there is none or keys cannot say it. */
  private Node action() {
    String label = rule.action().label();
    if (!(rule.action() instanceof Action.Extension extension)) {
      return label.isEmpty() ? null : new Scalar(label);
    }
    Target target = extension.target();
    StringBuilder saved = new StringBuilder();
    target.save(saved);
    Map<String, Node> options = options(target.type().options, saved.toString());
    if (options == null) {
      return null;
    }
    return options.isEmpty() ? new Scalar(label) : new Mapping(Map.of(label, new Mapping(options)));
  }

  // ---- options

  /** The options in {@code saved} by key; null when keys cannot say them. */
  private static Map<String, Node> options(List<OptionSpec> specs, String saved) {
    Map<String, Node> options = new LinkedHashMap<>();
    Map<String, Node> element = options;
    String further = null;
    List<Node> elements = new ArrayList<>();
    List<Token> words = IptablesSaveParser.words(saved, START);
    int next = 0;
    while (next < words.size()) {
      boolean inverted = words.get(next).text().equals("!");
      String word = words.get(inverted ? ++next : next).text();
      next++;
      OptionSpec spec = word.startsWith("--") ? RuleReader.spec(specs, word.substring(2)) : null;
      if (spec == null) {
        return null;
      }
      if (spec.beginsElement()) {
        further = spec.name();
        element = new LinkedHashMap<>();
        elements.add(new Mapping(element));
        continue;
      }
      boolean leftOut =
          spec.optional() && (next == words.size() || words.get(next).text().matches("[-!].*"));
      int end = leftOut ? next : next + spec.arguments();
      List<Node> values = new ArrayList<>();
      for (; next < end; next++) {
        values.add(value(saved, words.get(next)));
      }
      boolean syn = spec.name().equals("tcp-flags") && values.equals(SYN);
      Node value = syn || values.isEmpty() ? new Flag() : values.get(0);
      if (spec.arguments() == 2 && !syn) {
        value = pair(spec, values);
      }
      boolean misread = spec.optional() && value.equals(new Scalar("true"));
      String key = syn ? "syn" : word.substring(2);
      if (misread || element.put(key, perhapsNot(inverted, value)) != null) {
        return null;
      }
    }
    if (further != null) {
      options.put(further, elements.size() == 1 ? elements.get(0) : new Sequence(elements));
    }
    return options;
  }

  private static Node pair(OptionSpec spec, List<Node> values) {
    Map<String, Node> halves = new LinkedHashMap<>();
    halves.put(spec.halves().get(0), values.get(0));
    halves.put(spec.halves().get(1), values.get(1));
    return new Mapping(halves);
  }

  /** Nobody means a list by commas in quotes. */
  private static Node value(String saved, Token word) {
    boolean quoted = saved.charAt(word.at().column() - 1) == '"';
    List<String> parts = List.of(word.text().split(",", -1));
    if (quoted || parts.size() == 1 || parts.contains("")) {
      return new Scalar(word.text());
    }
    return scalars(parts);
  }

  private static Sequence scalars(List<String> parts) {
    return new Sequence(parts.stream().map(Scalar::new).toList());
  }
}
