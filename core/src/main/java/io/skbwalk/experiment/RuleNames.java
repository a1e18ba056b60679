// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.language.YamlValue;
import io.skbwalk.lib.Spelling;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The names of the rules of a rule set, as experiments use them: only what is there has one. */
final class RuleNames {
  private static final Pattern NAME =
      Pattern.compile("([a-z]+)/([^\\s#]+?)(?:\\s*#\\s*([0-9]{1,9})|\\s+policy)");

  private final RuleSet rules;

  RuleNames(RuleSet rules) {
    this.rules = rules;
  }

  /** {@code table/chain#number} or {@code table/chain policy}, as reports write it. */
  String rule(YamlValue value) {
    Matcher name = NAME.matcher(value.text().strip());
    if (!name.matches()) {
      throw value.error(
          "\""
              + value.text()
              + "\" is no rule; such as filter/INPUT#3, or filter/INPUT policy where none decides");
    }
    RuleSet.Chain chain = chain(value, table(value, name.group(1)), name.group(2));
    if (name.group(3) == null) {
      if (chain.policy() == null && isUserChain(name.group(1), chain.name())) {
        throw value.error("chain " + chain.name() + " is no built-in one, so it has no policy");
      }
      return name.group(1) + "/" + chain.name() + " policy";
    }
    int number = Integer.parseInt(name.group(3));
    int last = chain.rules().size();
    if (number < 1 || number > last) {
      throw value.error(
          "chain "
              + chain.name()
              + " of table "
              + name.group(1)
              + " has "
              + (last == 0 ? "no rules" : last == 1 ? "one rule" : "the rules 1 to " + last));
    }
    return name.group(1) + "/" + chain.name() + "#" + number;
  }

  private static boolean isUserChain(String table, String chain) {
    return TableKind.of(table).hook(chain) == null;
  }

  /** The name of a table in use. */
  String table(YamlValue value) {
    return table(value, value.text()).kind().label;
  }

  private RuleSet.Table table(YamlValue value, String name) {
    TableKind kind = TableKind.of(name);
    if (kind == null) {
      throw value.error(
          "there is no table " + name + "; tables are raw, mangle, nat, filter, security");
    }
    RuleSet.Table table = rules.table(kind);
    if (table == null) {
      throw value.error("the rules have no table " + name);
    }
    return table;
  }

  /** The name of a chain of any table. */
  String chain(YamlValue value) {
    List<String> names = new ArrayList<>();
    for (RuleSet.Table table : rules.tables()) {
      table.chains().forEach(chain -> names.add(chain.name()));
    }
    if (!names.contains(value.text())) {
      throw value.error(
          "the rules have no chain " + value.text() + Spelling.hint(value.text(), names));
    }
    return value.text();
  }

  private static RuleSet.Chain chain(YamlValue value, RuleSet.Table table, String name) {
    RuleSet.Chain chain = table.chain(name);
    if (chain == null) {
      List<String> names = table.chains().stream().map(RuleSet.Chain::name).toList();
      String near = Spelling.hint(name, names);
      throw value.error(
          "table "
              + table.kind()
              + " has no chain "
              + name
              + (near.isEmpty() ? "; it has " + String.join(", ", names) : near));
    }
    return chain;
  }
}
