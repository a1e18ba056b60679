// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.IpsetRestore;
import io.skbwalk.netfilter.ipset.SetType;
import io.skbwalk.netfilter.tables.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code ipsets} of a host in YAML: each set by its name, with the options of {@code ipset create}
 * as keys and its members; a member is written as behind {@code ipset add NAME}, or as a map.
 *
 * @param commands each as the words that ipset would be given
 */
record IpsetYaml(List<List<Token>> commands) implements IpsetRestore {
  private static final List<String> FLAGS =
      List.of("counters", "comment", "skbinfo", "forceadd", "nomatch", "wildcard");

  /**
   * Reads the sets; all are created before the first gets a member, so that lists may come first.
   */
  static IpsetYaml of(YamlValue sets) {
    List<List<Token>> creates = new ArrayList<>();
    List<List<Token>> adds = new ArrayList<>();
    for (Map.Entry<YamlValue, YamlValue> entry : sets.entries().entrySet()) {
      set(entry.getKey(), entry.getValue(), creates, adds);
    }
    creates.addAll(adds);
    return new IpsetYaml(creates);
  }

  @Override
  public void into(IpSets sets) {
    IpsetCommands run = new IpsetCommands(sets);
    commands.forEach(run::run);
  }

  private static void set(
      YamlValue name, YamlValue value, List<List<Token>> creates, List<List<Token>> adds) {
    YamlValue typeName = null;
    for (Map.Entry<YamlValue, YamlValue> entry : value.entries().entrySet()) {
      typeName = entry.getKey().text().equals("type") ? entry.getValue() : typeName;
    }
    if (typeName == null) {
      throw value.error("a set needs type, such as hash:ip");
    }
    SetType type = SetType.of(typeName.text());
    if (type == null) {
      throw typeName.error("there is no type of set called " + typeName.text());
    }
    List<String> keys = new ArrayList<>(List.of("type"));
    keys.addAll(type.createOptions);
    keys.add("members");
    YamlValue.Fields fields = value.fields("a set", keys.toArray(String[]::new));
    List<Token> create = new ArrayList<>();
    SourcePosition at = name.position();
    create.add(new Token("create", at));
    create.add(new Token(name.text(), at));
    create.add(new Token(typeName.text(), typeName.position()));
    options(fields, type.createOptions, create);
    creates.add(create);
    for (YamlValue member : fields.list("members")) {
      adds.add(member(name, type, member));
    }
  }

  private static List<Token> member(YamlValue name, SetType type, YamlValue member) {
    List<Token> add = new ArrayList<>();
    add.add(new Token("add", member.position()));
    add.add(new Token(name.text(), member.position()));
    if (member.isMap()) {
      List<String> keys = new ArrayList<>(List.of("entry"));
      keys.addAll(type.addOptions);
      YamlValue.Fields fields = member.fields("a member", keys.toArray(String[]::new));
      YamlValue entry = fields.require("entry");
      add.add(new Token(entry.text(), entry.position()));
      options(fields, type.addOptions, add);
      return add;
    }
    List<Token> words = new ArrayList<>();
    String text = member.text();
    IpsetSaveFile.words(text, 0, text.length(), SourcePosition.NONE, words);
    if (words.isEmpty()) {
      throw member.error("a member is missing");
    }
    for (Token word : words) {
      add.add(new Token(word.text(), member.positionAt(word.at().column() - 1)));
    }
    return add;
  }

  private static void options(YamlValue.Fields fields, List<String> names, List<Token> words) {
    for (String name : names) {
      YamlValue value = fields.get(name);
      if (value == null) {
        continue;
      }
      // "comment" is a flag of create and a text of add.
      boolean flag = FLAGS.contains(name) && !(name.equals("comment") && names.contains("packets"));
      if (flag && !value.bool()) {
        continue;
      }
      words.add(new Token(name, value.position()));
      if (!flag) {
        words.add(new Token(value.text(), value.position()));
      }
    }
  }

  /** Tries them on no machine, so that what is wrong is said when the file is read. */
  static void check(IpsetRestore sets) throws SourceException {
    sets.into(new IpSets(new io.skbwalk.skb.Net(0, 0)));
  }
}
