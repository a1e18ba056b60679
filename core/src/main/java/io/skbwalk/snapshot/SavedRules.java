// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.language.RulesFile;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Rules, as iptables-save prints them, without what has been counted. What the model does not have
 * becomes a comment where it stood.
 */
final class SavedRules {
  /** Name of the rules' file. */
  static final String FILE = "rules.v4";

  private static final Pattern POLICY = Pattern.compile("(:\\S+ \\S+) \\[\\d+:\\d+\\]");
  private static final Pattern RULE = Pattern.compile("(?:\\[\\d+:\\d+\\] )?(-A .*)");
  private static final Pattern NFACCT = Pattern.compile("--nfacct-name (\\S+)");
  private final List<Omission> omissions;
  private final List<String> lines = new ArrayList<>();

  SavedRules(Map<SavedOutput, String> saved, List<Omission> omissions) {
    this.omissions = omissions;
    String text = chosen(saved);
    for (String line : text.lines().toList()) {
      Matcher policy = POLICY.matcher(line);
      Matcher rule = RULE.matcher(line);
      if (line.startsWith("#")) {
        if (line.contains("incompatible")) {
          omissions.add(new Omission("a table of nftables", line.substring(1).strip()));
        }
      } else if (!line.isBlank()) {
        lines.add(
            policy.matches() ? policy.group(1) + " [0:0]" : rule.matches() ? rule.group(1) : line);
      }
    }
    nftables(saved.get(SavedOutput.NFTABLES), printed(saved));
    unreadable();
  }

  /** The file; each line that is left out is a comment there. */
  String text() {
    return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
  }

  /** The rules; null when there are none. */
  RuleSet rules() {
    return lines.isEmpty() ? null : RulesFile.merge(List.of(RulesFile.parse(FILE, text())));
  }

  /** Objects of nfacct that rules name. */
  Set<String> accounting() {
    Set<String> names = new TreeSet<>();
    for (String line : lines) {
      Matcher name = NFACCT.matcher(line);
      while (!line.startsWith("#") && name.find()) {
        names.add(name.group(1));
      }
    }
    return names;
  }

  /** Takes out the line that {@code refusal} is about. */
  void leaveOut(SourceException refusal) {
    int index = refusal.position().line() - 1;
    if (index < 0 || index >= lines.size() || lines.get(index).startsWith("#")) {
      throw refusal;
    }
    String line = lines.get(index);
    lines.set(index, "# left out: " + line);
    omissions.add(
        new Omission(
            "rule " + line, refusal.problem() + "; it is left out, and no packet meets it"));
  }

  // ---- which rules ------------------------------------------------------------------------------

  /** Iptables-legacy and iptables-nft each have rules of their own; both would be asked. */
  private String chosen(Map<SavedOutput, String> saved) {
    String legacy = saved.getOrDefault(SavedOutput.LEGACY_RULES, "");
    String nft = saved.getOrDefault(SavedOutput.NFT_RULES, "");
    if (legacy.isBlank() && nft.isBlank()) {
      return saved.getOrDefault(SavedOutput.ONLY_RULES, "");
    }
    long legacyRules = count(legacy);
    long nftRules = count(nft);
    if (legacyRules > 0 && nftRules > 0) {
      boolean takesNft = nftRules > legacyRules;
      omissions.add(
          new Omission(
              (takesNft ? legacyRules : nftRules)
                  + " rules of "
                  + (takesNft ? "iptables-legacy" : "iptables-nft"),
              "both variants of iptables have rules; here only those of the other are, which has"
                  + " more"));
    }
    return nftRules > legacyRules || legacyRules == 0 && legacy.isBlank() ? nft : legacy;
  }

  /** Rules, and policies that drop. */
  private static long count(String text) {
    return text.lines()
        .filter(line -> RULE.matcher(line).matches() || line.matches(":\\S+ DROP .*"))
        .count();
  }

  /**
   * Lines of {@code table FAMILY NAME}. Of IPv4's, those that iptables prints are its own; one of
   * the same name that it does not print was made with nft.
   */
  private void nftables(String tables, Set<String> printed) {
    if (tables == null) {
      return;
    }
    List<String> others = new ArrayList<>();
    for (String line : tables.lines().toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length < 3 || words[1].equals("ip6")) {
        continue;
      }
      if (!words[1].equals("ip") || !printed.contains(words[2])) {
        others.add(words[1] + " " + words[2]);
      }
    }
    if (!others.isEmpty()) {
      omissions.add(
          new Omission(
              (others.size() == 1 ? "table " : "tables ")
                  + String.join(", ", others)
                  + " of nftables",
              "rules made with nft are not read: there packets meet them, here they do not, so an"
                  + " answer tells only what the rest of the machine does"));
    }
  }

  /** The tables that iptables of nftables prints. */
  private static Set<String> printed(Map<SavedOutput, String> saved) {
    Set<String> tables = new TreeSet<>();
    for (SavedOutput output : List.of(SavedOutput.NFT_RULES, SavedOutput.ONLY_RULES)) {
      saved
          .getOrDefault(output, "")
          .lines()
          .filter(line -> line.startsWith("*"))
          .forEach(line -> tables.add(line.substring(1).strip()));
    }
    return tables;
  }

  // ---- what of them -----------------------------------------------------------------------------

  private void unreadable() {
    while (true) {
      try {
        rules();
        return;
      } catch (SourceException e) {
        leaveOut(e);
      }
    }
  }
}
