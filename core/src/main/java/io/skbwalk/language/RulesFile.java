// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.IptablesCommand;
import io.skbwalk.netfilter.tables.RuleCheck;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Token;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A rule file: YAML (rules/rules.schema.json), iptables-save text or a script of iptables commands,
 * told apart by content. A rule in YAML is brought into iptables' words and read by {@link
 * io.skbwalk.netfilter.tables.RuleParser}, so that both languages mean and refuse the same.
 */
public final class RulesFile {
  /** Names that no user chain should have: in a table that lacks the hook they mean a mistake. */
  private static final Set<String> BUILT_IN =
      Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");

  /** What rules are written in. */
  public enum Language {
    /** rules/rules.schema.json. */
    YAML("yaml"),
    /** What iptables-save prints, or iptables commands. */
    IPTABLES_SAVE("iptables-save");

    /** Its name. */
    public final String label;

    Language(String label) {
      this.label = label;
    }

    /** What {@code text} is written in. */
    public static Language of(String text) {
      String plain = withoutMark(text);
      return isIptablesSave(plain) || IptablesScript.isOne(plain) ? IPTABLES_SAVE : YAML;
    }
  }

  private final RuleSet.Builder rules = new RuleSet.Builder();

  private RulesFile() {}

  /**
   * Reads one file. Whether its chains hold together is not asked: another file may bring a chain
   * that this one jumps to. {@link #merge} asks.
   *
   * @param file its name, for errors and for what reports call a rule's source
   * @throws SourceException at the first thing that is wrong
   */
  public static RuleSet parse(String file, String text) {
    String plain = withoutMark(text);
    if (isIptablesSave(plain)) {
      return IptablesSaveParser.parse(plain, file);
    }
    if (IptablesScript.isOne(plain)) {
      return IptablesScript.parse(plain, file);
    }
    YamlValue root = YamlValue.parse(file, plain);
    return root == null ? RuleSet.EMPTY : parse(root);
  }

  /**
   * The rules that a scenario brings along, merged; {@link RuleSet#EMPTY} when it brings none.
   *
   * @throws SourceException at the first thing that is wrong
   */
  public static RuleSet of(ScenarioFile scenario) {
    RuleSet all = RuleSet.EMPTY;
    for (ScenarioFile.Rules one : scenario.rules()) {
      all = all.plus(one.tables() == null ? parse(one.file(), one.text()) : parse(one.tables()));
    }
    return all;
  }

  /**
   * Several files as one rule set: later rules follow earlier ones in their chain, later policies
   * win.
   *
   * @throws SourceException at a rule that iptables or the kernel would refuse
   */
  public static RuleSet merge(List<RuleSet> files) {
    RuleSet all = files.stream().reduce(RuleSet.EMPTY, RuleSet::plus);
    RuleCheck.check(all);
    return all;
  }

  private static String withoutMark(String text) {
    return text.startsWith("\uFEFF") ? text.substring(1) : text;
  }

  /** Does the first word belong to iptables-save, or to a line that was torn out of its output? */
  private static boolean isIptablesSave(String text) {
    return text.lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("#"))
        .findFirst()
        .filter(line -> line.matches("(\\*|:\\S|-A |\\[[0-9]+:|COMMIT$).*"))
        .isPresent();
  }

  private static RuleSet parse(YamlValue root) {
    RulesFile file = new RulesFile();
    YamlValue.Fields fields = root.fields("a rule file", "tables");
    for (Map.Entry<YamlValue, YamlValue> entry : fields.require("tables").entries().entrySet()) {
      file.table(entry.getKey(), entry.getValue());
    }
    return file.rules.build();
  }

  private void table(YamlValue name, YamlValue value) {
    TableKind kind = TableKind.of(name.text());
    if (kind == null) {
      throw name.error(
          "there is no table "
              + name.text()
              + "; tables are "
              + Stream.of(TableKind.values()).map(one -> one.label).collect(joined()));
    }
    rules.table(kind);
    if (value.isNull()) {
      return;
    }
    for (Map.Entry<YamlValue, YamlValue> entry : value.entries().entrySet()) {
      chain(kind, entry.getKey(), entry.getValue());
    }
  }

  private void chain(TableKind kind, YamlValue name, YamlValue value) {
    String chain = name.text();
    boolean builtIn = kind.hook(chain) != null;
    if (!builtIn) {
      if (BUILT_IN.contains(chain)) {
        throw name.error(
            "table "
                + kind
                + " has no chain "
                + chain
                + "; its built-in chains are "
                + kind.hooks.stream().map(hook -> hook.chain).collect(joined()));
      }
      IptablesCommand.checkChainName(chain, name.position());
    }
    rules.chain(kind, chain, name.position());
    if (value.isNull()) {
      return;
    }
    YamlValue.Fields fields = value.fields("a chain", "policy", "counters", "rules");
    YamlValue counters = fields.get("counters");
    long[] count = counters == null ? new long[2] : RuleReader.counters(counters);
    YamlValue policy = fields.get("policy");
    if (policy != null) {
      if (!builtIn) {
        throw policy.error(
            "only a built-in chain has a policy; end "
                + chain
                + " with a rule such as {jump: DROP}");
      }
      rules.policy(kind, chain, policy(policy), count[0], count[1]);
    } else if (counters != null) {
      throw counters.error("a chain's counters are its policy's; state the policy, too");
    }
    for (YamlValue rule : fields.list("rules")) {
      RuleReader.read(rule).forEach(one -> rules.rule(kind, chain, one));
    }
  }

  private static Action.Standard policy(YamlValue value) {
    return IptablesCommand.policy(new Token(value.text(), value.position()));
  }

  private static Collector<CharSequence, ?, String> joined() {
    return Collectors.joining(", ");
  }
}
