// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.Extensions;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.Names;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.RuleParser;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.TargetType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The texts about matches and targets that are made from {@link Extensions}: the generated parts of
 * rules/rules.schema.json, and docs/extensions.md.
 */
final class RulesReference {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<String> CHAINS =
      Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");

  private RulesReference() {}

  // ---- the schema -------------------------------------------------------------------------------

  /** The schema with everything in it that follows from the extensions made anew. */
  static String schema(String before) throws JsonProcessingException {
    ObjectNode schema = (ObjectNode) JSON.readTree(before);
    ObjectNode definitions = (ObjectNode) schema.get("$defs");
    for (TableKind kind : TableKind.values()) {
      chainNames(kind, (ObjectNode) schema.at("/properties/tables/properties/" + kind.label));
    }
    ObjectNode made = JSON.createObjectNode();
    definitions.properties().stream()
        .filter(entry -> !entry.getKey().matches("(match|target)-.*|matches"))
        .forEach(entry -> made.set(entry.getKey(), entry.getValue()));
    ObjectNode matches = object(made.putObject("matches"));
    ((ObjectNode) made.get("matches"))
        .put("description", "Matches by name, each with its options; all must match.");
    for (String name : Extensions.matchNames()) {
      MatchType type = Extensions.match(name);
      String id = "match-" + name;
      made.set(id, options(type.about, type.options));
      ObjectNode one = matches.putObject(name).put("description", type.about);
      ArrayNode forms = one.putArray("anyOf");
      forms.addObject().put("$ref", "#/$defs/" + id);
      ObjectNode list = forms.addObject().put("type", "array");
      list.putObject("items").put("$ref", "#/$defs/" + id);
      list.put("minItems", 1);
      if (isBare(type.options)) {
        forms.addObject().put("type", "null");
      }
    }
    ((ObjectNode) made.get("matches")).put("additionalProperties", false);
    jump(made);
    rule(made);
    schema.set("$defs", made);
    return JSON.writer(printer()).writeValueAsString(schema) + "\n";
  }

  private static boolean isBare(List<OptionSpec> options) {
    return options.stream().noneMatch(OptionSpec::required);
  }

  private static ObjectNode object(ObjectNode node) {
    node.put("type", "object");
    return node.putObject("properties");
  }

  private static ObjectNode options(String about, List<OptionSpec> options) {
    ObjectNode node = JSON.createObjectNode().put("description", about);
    ObjectNode properties = object(node);
    ArrayNode required = JSON.createArrayNode();
    for (OptionSpec spec : options) {
      JsonNode described = spec.beginsElement() ? elements(spec, options) : option(spec);
      spec.names().forEach(name -> properties.set(name, described));
      if (spec.required() && spec.names().size() == 1) {
        required.add(spec.name());
      }
    }
    node.put("additionalProperties", false);
    if (!required.isEmpty()) {
      node.set("required", required);
    }
    return node;
  }

  /** The further elements of a list of them: the options that may be repeated. */
  private static ObjectNode elements(OptionSpec separator, List<OptionSpec> options) {
    List<OptionSpec> ofElement =
        options.stream().filter(spec -> spec.repeatable() && !spec.beginsElement()).toList();
    ObjectNode node = JSON.createObjectNode().put("description", separator.about());
    ArrayNode forms = node.putArray("anyOf");
    forms.add(options("The options of one more element.", ofElement));
    ObjectNode list = forms.addObject().put("type", "array");
    list.set("items", options("The options of one more element.", ofElement));
    return node;
  }

  private static ObjectNode option(OptionSpec spec) {
    ObjectNode node = JSON.createObjectNode().put("description", spec.about());
    if (spec.arguments() == 2) {
      ObjectNode pair = JSON.createObjectNode();
      ObjectNode properties = object(pair);
      ArrayNode required = JSON.createArrayNode();
      for (String half : spec.halves()) {
        properties
            .putObject(half)
            .put("description", "The " + half + " of " + spec.name() + ".")
            .put("$ref", "#/$defs/word");
        required.add(half);
      }
      pair.set("required", required);
      pair.put("additionalProperties", false);
      if (!spec.invertible()) {
        node.setAll(pair);
        return node;
      }
      ArrayNode forms = node.putArray("anyOf");
      forms.add(pair);
      ObjectNode not = forms.addObject();
      object(not).putObject("not").put("description", "Inverts it.").setAll(pair);
      not.putArray("required").add("not");
      not.put("additionalProperties", false);
      return node;
    }
    String kind =
        spec.arguments() == 0
            ? spec.invertible() ? "invertibleFlag" : "flag"
            : spec.invertible() ? "invertible" : "word";
    if (spec.optional()) {
      ArrayNode forms = node.putArray("anyOf");
      forms.addObject().put("$ref", "#/$defs/flag");
      forms.addObject().put("$ref", "#/$defs/" + kind);
    } else {
      node.put("$ref", "#/$defs/" + kind);
    }
    if (!spec.examples().isEmpty()) {
      ArrayNode examples = node.putArray("examples");
      spec.examples().forEach(example -> example(examples, example));
    }
    return node;
  }

  /** As YAML would have it: a list where the option takes several, numbers as numbers. */
  private static void example(ArrayNode to, String example) {
    if (example.indexOf(',') > 0) {
      ArrayNode list = to.addArray();
      for (String one : example.split(",")) {
        example(list, one);
      }
    } else if (example.matches("0|[1-9][0-9]{0,8}")) {
      to.add(Integer.parseInt(example));
    } else {
      to.add(example);
    }
  }

  private static void chainNames(TableKind kind, ObjectNode table) {
    ArrayNode taken = JSON.createArrayNode();
    new TreeSet<>(CHAINS).stream().filter(chain -> kind.hook(chain) == null).forEach(taken::add);
    for (Action.Standard one : Action.Standard.values()) {
      taken.add(one.name());
    }
    Extensions.targetNames().forEach(taken::add);
    ((ObjectNode) table.at("/propertyNames/not")).set("enum", taken);
  }

  private static void jump(ObjectNode definitions) {
    ArrayNode forms = (ArrayNode) definitions.at("/jump/anyOf");
    ArrayNode never = JSON.createArrayNode();
    ObjectNode targets = JSON.createObjectNode();
    for (String name : Extensions.targetNames()) {
      TargetType type = Extensions.target(name);
      String id = "target-" + name;
      definitions.set(id, options(type.about, type.options));
      ArrayNode one = targets.putObject(name).put("description", type.about).putArray("anyOf");
      one.addObject().put("$ref", "#/$defs/" + id);
      if (isBare(type.options)) {
        one.addObject().put("type", "null");
      } else {
        never.add(name);
      }
    }
    ((ObjectNode) forms.get(0).get("not")).set("enum", never);
    JsonNode before = forms.get(1).get("properties");
    before.properties().stream()
        .filter(entry -> Extensions.target(entry.getKey()) == null)
        .forEach(entry -> targets.set(entry.getKey(), entry.getValue()));
    ((ObjectNode) forms.get(1)).set("properties", targets);
  }

  /** The keys of a rule that bring in a match, and the matches that need no options. */
  private static void rule(ObjectNode definitions) {
    ObjectNode rule = (ObjectNode) definitions.at("/rule/anyOf/1");
    ObjectNode keys = JSON.createObjectNode();
    rule.get("properties").properties().stream()
        .filter(
            entry ->
                List.of("fragment", "match", "jump", "goto", "counters").contains(entry.getKey()))
        .forEach(entry -> keys.set(entry.getKey(), entry.getValue()));
    for (OptionSpec spec : RuleParser.basicOptions()) {
      for (String name : spec.names()) {
        if (RuleReader.ruleKeys().contains(spec.name()) && !keys.has(name)) {
          keys.set(name, option(spec));
        }
      }
    }
    TreeMap<String, OptionSpec> implied = new TreeMap<>();
    TreeSet<String> ofProtocol = new TreeSet<>();
    for (String name : Extensions.matchNames()) {
      MatchType type = Extensions.match(name);
      for (OptionSpec spec : type.options) {
        for (String option : spec.names()) {
          if (RuleReader.ruleKeys().contains(option)
              && (type.protocol != 0 || name.matches("multiport|comment"))) {
            implied.put(option, spec);
            if (type.protocol != 0) {
              ofProtocol.add(option);
            }
          }
        }
      }
    }
    implied.forEach((name, spec) -> keys.set(name, option(spec)));
    rule.set("properties", keys);
    ObjectNode dependent = rule.putObject("dependentRequired");
    ofProtocol.forEach(name -> dependent.putArray(name).add("protocol"));
    ArrayNode bare = JSON.createArrayNode();
    Extensions.matchNames().stream()
        .filter(name -> isBare(Extensions.match(name).options))
        .forEach(bare::add);
    ((ObjectNode) keys.at("/match/anyOf/1")).set("enum", bare);
    ((ObjectNode) keys.at("/match/anyOf/2/items/anyOf/1")).set("enum", bare);
  }

  private static DefaultPrettyPrinter printer() {
    DefaultIndenter lines = new DefaultIndenter(" ", "\n");
    return new DefaultPrettyPrinter(
            Separators.createDefaultInstance()
                .withObjectFieldValueSpacing(Separators.Spacing.AFTER)
                .withObjectEmptySeparator("")
                .withArrayEmptySeparator(""))
        .withObjectIndenter(lines)
        .withArrayIndenter(lines);
  }

  // ---- the reference ----------------------------------------------------------------------------

  /** docs/extensions.md. */
  static String reference() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        # Matches and targets

        Every match and target, with its options. The names are those of iptables: as `-m NAME --option value` in its syntax, as a key under
        `match:` or `jump:` in YAML ([rules.md](rules.md)). **Bold**: needed. `!`: may be inverted, `{not: ...}` in YAML.

        *Made from the code; `RulesReferenceTest` holds it there.*

        ## Matches
        """);
    for (String name : Extensions.matchNames()) {
      MatchType type = Extensions.match(name);
      heading(out, name, type.about);
      if (type.protocol != 0) {
        out.append("Needs `-p ").append(Names.protocol(type.protocol)).append("`.\n\n");
      }
      table(out, type.options);
    }
    out.append("\n## Targets\n\n");
    out.append("`ACCEPT`, `DROP`, `RETURN` and `QUEUE` have no options.\n");
    for (String name : Extensions.targetNames()) {
      TargetType type = Extensions.target(name);
      heading(out, name, type.about);
      table(out, type.options);
    }
    return out.toString();
  }

  private static void heading(StringBuilder out, String name, String about) {
    out.append("\n### ").append(name).append("\n\n").append(about).append('\n');
  }

  private static void table(StringBuilder out, List<OptionSpec> options) {
    if (options.isEmpty()) {
      return;
    }
    out.append("\n| option | ! | says |\n| --- | --- | --- |\n");
    for (OptionSpec spec : options) {
      List<String> names = new ArrayList<>();
      for (String name : spec.names()) {
        names.add("`" + name + "`");
      }
      if (spec.required()) {
        names.set(0, "**" + names.get(0) + "**");
      }
      out.append("| ").append(String.join(", ", names));
      out.append(" | ").append(spec.invertible() ? "!" : "");
      out.append(" | ").append(spec.about().replace("|", "\\|"));
      if (!spec.examples().isEmpty()) {
        out.append(" For example `");
        out.append(String.join("`, `", spec.examples()).replace("|", "\\|")).append("`.");
      }
      out.append(" |\n");
    }
  }
}
