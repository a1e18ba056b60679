// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.language.YamlValue;
import io.skbwalk.lib.Spelling;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.replay.Fate;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.skb.DropReason;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is expected of one packet: the keys under {@code expect}, each a {@link Check}. */
final class PacketExpectation {
  private static final List<String> STATES =
      List.of("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED");

  /** What can be asked of a packet. */
  static final String[] KEYS =
      Stream.of(
              Stream.of("fate", "reason", "at", "hook", "table", "chain", "rule", "target"),
              Stream.of("rules", "ctstate", "ctdir", "mark", "connmark", "log"),
              Stream.of("out-interface", "answer", "out"),
              Stream.of(FrameField.labels()))
          .flatMap(Function.identity())
          .toArray(String[]::new);

  private static final String[] FRAME_KEYS =
      Stream.concat(Stream.of("interface"), Stream.of(FrameField.labels())).toArray(String[]::new);

  private final RuleNames rules;
  private final List<Check> checks = new ArrayList<>();

  private PacketExpectation(RuleNames rules) {
    this.rules = rules;
  }

  /** Reads it. */
  static PacketExpectation of(YamlValue value, RuleNames rules) {
    return of(value.fields("what is expected of a packet", KEYS).values(), rules);
  }

  private static PacketExpectation of(Map<String, YamlValue> values, RuleNames rules) {
    PacketExpectation expectation = new PacketExpectation(rules);
    values.forEach(
        (key, wanted) -> {
          if (!wanted.isNull()) {
            expectation.read(key, wanted);
          }
        });
    return expectation;
  }

  /**
   * What is expected of a conversation.
   *
   * @param first of the packet that opens it
   * @param every of each packet of the side that opens it; null for nothing
   * @param replies of each packet of the far end; null for nothing
   * @param completes that all packets arrive, or that one does not; null when nobody asks
   */
  record OfConversation(
      PacketExpectation first,
      PacketExpectation every,
      PacketExpectation replies,
      YamlValue completes) {}

  /** Reads what is expected of a conversation. */
  static OfConversation ofConversation(YamlValue value, RuleNames rules) {
    String[] keys =
        Stream.concat(Stream.of("completes", "every", "replies"), Stream.of(KEYS))
            .toArray(String[]::new);
    YamlValue.Fields fields = value.fields("what is expected of a conversation", keys);
    Map<String, YamlValue> first = new LinkedHashMap<>(fields.values());
    List.of("completes", "every", "replies").forEach(first::remove);
    YamlValue completes = fields.get("completes");
    if (completes != null) {
      completes.bool();
    }
    return new OfConversation(
        of(first, rules),
        fields.get("every") == null ? null : of(fields.get("every"), rules),
        fields.get("replies") == null ? null : of(fields.get("replies"), rules),
        completes);
  }

  /** What is asked, in the order of the file. */
  List<Check> checks() {
    return checks;
  }

  private void read(String key, YamlValue value) {
    switch (key) {
      case "fate" -> add(key, value, WalkPart.END, word(fates(), "fate"), r -> r.fate.label);
      case "reason" ->
          add(
              key,
              value,
              WalkPart.END,
              word(names(DropReason.values()), "drop reason"),
              record -> record.reason == null ? null : record.reason.name());
      case "at" -> add(key, value, WalkPart.END, YamlValue::text, record -> record.at);
      case "hook" ->
          add(
              key,
              value,
              WalkPart.DECISION,
              word(names(Hook.values()), "hook"),
              record -> record.hook == null ? null : record.hook.name());
      case "table" -> decision(key, value, rules::table, rule -> rule.table().label);
      case "chain" -> decision(key, value, rules::chain, RuleReference::chain);
      case "rule" -> decision(key, value, rules::rule, RuleReference::label);
      case "target" -> decision(key, value, YamlValue::text, RuleReference::target);
      case "rules" -> matched(key, value);
      case "ctstate" ->
          add(key, value, WalkPart.CONNTRACK, word(STATES, "state"), record -> record.state);
      case "ctdir" ->
          add(
              key,
              value,
              WalkPart.CONNTRACK,
              word(List.of("ORIGINAL", "REPLY"), "direction"),
              record -> record.state == null ? null : record.reply ? "REPLY" : "ORIGINAL");
      case "mark" -> add(key, value, WalkPart.MARK, PacketExpectation::mark, r -> hex(r.mark));
      case "connmark" ->
          add(key, value, WalkPart.MARK, PacketExpectation::mark, r -> hex(r.connmark));
      case "log" ->
          add(
              key,
              value,
              WalkPart.END,
              YamlValue::text,
              PacketExpectation::logged,
              (wanted, seen) -> seen.contains(wanted));
      case "out-interface" ->
          add(
              key,
              value,
              WalkPart.DEPARTURE,
              YamlValue::text,
              PacketExpectation::interfaces,
              (wanted, seen) -> List.of(seen.split(", ")).contains(wanted));
      case "answer" -> answer(value);
      case "out" -> departures(value);
      default -> {
        FrameField field = field(key);
        add(key, value, WalkPart.DEPARTURE, field::wanted, r -> atTheEnd(r, field), field::holds);
      }
    }
  }

  private void add(
      String key,
      YamlValue value,
      WalkPart part,
      Function<YamlValue, String> words,
      Function<FrameRecord, String> seen) {
    add(key, value, part, words, seen, String::equals);
  }

  private void add(
      String key,
      YamlValue value,
      WalkPart part,
      Function<YamlValue, String> words,
      Function<FrameRecord, String> seen,
      BiPredicate<String, String> same) {
    checks.add(new Check(key, Wanted.of(value, words), value.position(), seen, same, part));
  }

  private void decision(
      String key,
      YamlValue value,
      Function<YamlValue, String> words,
      Function<RuleReference, String> seen) {
    add(
        key,
        value,
        WalkPart.DECISION,
        words,
        record -> record.verdict == null ? null : seen.apply(record.verdict));
  }

  // ---- words ------------------------------------------------------------------------------------

  private static Function<YamlValue, String> word(List<String> words, String what) {
    return value -> {
      for (String word : words) {
        if (word.equalsIgnoreCase(value.text())) {
          return word;
        }
      }
      String near = Spelling.nearest(value.text(), words);
      throw value.error(
          "there is no "
              + what
              + " "
              + value.text()
              + (near != null
                  ? "; did you mean " + near + "?"
                  : words.size() > 12 ? "" : "; known: " + String.join(", ", words)));
    };
  }

  private static List<String> fates() {
    return Stream.of(Fate.values()).map(fate -> fate.label).toList();
  }

  private static List<String> names(Enum<?>[] values) {
    return Arrays.stream(values).map(Enum::name).toList();
  }

  private static FrameField field(String key) {
    return Stream.of(FrameField.values())
        .filter(field -> field.label.equals(key))
        .findFirst()
        .orElseThrow();
  }

  private static String mark(YamlValue value) {
    return hex((int) value.number(0, 0xFFFFFFFFL));
  }

  private static String hex(int mark) {
    return "0x" + Integer.toHexString(mark);
  }

  // ---- what is seen -----------------------------------------------------------------------------

  /** The rules that are named matched, in this order; others may have between them. */
  private void matched(String key, YamlValue value) {
    List<String> wanted = new ArrayList<>();
    for (YamlValue one : value.isList() ? value.list() : List.of(value)) {
      wanted.add(rules.rule(one));
    }
    checks.add(
        new Check(
            key,
            new Wanted(List.of(String.join(", ", wanted)), false),
            value.position(),
            record ->
                record.rules.isEmpty()
                    ? null
                    : record.rules.stream()
                        .map(RuleReference::label)
                        .collect(Collectors.joining(", ")),
            (text, seen) -> isPartOf(wanted, List.of(seen.split(", "))),
            WalkPart.END));
  }

  private static boolean isPartOf(List<String> wanted, List<String> seen) {
    int next = 0;
    for (String one : seen) {
      if (next < wanted.size() && one.equals(wanted.get(next))) {
        next++;
      }
    }
    return next == wanted.size();
  }

  private static String logged(FrameRecord record) {
    String lines =
        record.events.stream()
            .filter(TraceEvent.Log.class::isInstance)
            .map(event -> ((TraceEvent.Log) event).line())
            .collect(Collectors.joining("\n"));
    return lines.isEmpty() ? null : lines;
  }

  /** Is the frame the packet itself, going out, and not an answer to it? */
  private static boolean isItself(FrameRecord record, FrameRecord.Out out) {
    return out.forwarded() || record.sent;
  }

  private static String interfaces(FrameRecord record) {
    String names =
        record.outs.stream()
            .filter(out -> isItself(record, out))
            .map(FrameRecord.Out::device)
            .distinct()
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? null : names;
  }

  /** A field of the packet as it left, or as a socket got it. */
  private static String atTheEnd(FrameRecord record, FrameField field) {
    for (FrameRecord.Out out : record.outs) {
      if (isItself(record, out)) {
        return field.ofFrame(out.frame());
      }
    }
    return record.delivered == null ? null : field.ofPacket(record.delivered);
  }

  private static byte[] firstAnswer(FrameRecord record) {
    return record.outs.stream()
        .filter(out -> !isItself(record, out))
        .map(FrameRecord.Out::frame)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }

  private void answer(YamlValue value) {
    if (value.isMap() && !value.entries().keySet().iterator().next().text().equals("not")) {
      frame("answer", value, PacketExpectation::answerOut);
      return;
    }
    add(
        "answer",
        value,
        WalkPart.END,
        Answer::wanted,
        record -> firstAnswer(record) == null ? null : Answer.name(firstAnswer(record)),
        Answer::same);
  }

  private static FrameRecord.Out answerOut(FrameRecord record) {
    return record.outs.stream().filter(out -> !isItself(record, out)).findFirst().orElse(null);
  }

  /** Each field of a mapping as a check of its own. */
  private void frame(String key, YamlValue value, Function<FrameRecord, FrameRecord.Out> frame) {
    YamlValue.Fields fields = value.fields("the frame that is expected", FRAME_KEYS);
    fields
        .values()
        .forEach(
            (name, wanted) -> {
              if (name.equals("interface")) {
                add(
                    key + " interface",
                    wanted,
                    WalkPart.END,
                    YamlValue::text,
                    record -> frame.apply(record) == null ? null : frame.apply(record).device());
                return;
              }
              FrameField field = field(name);
              add(
                  key + " " + name,
                  wanted,
                  WalkPart.END,
                  field::wanted,
                  record ->
                      frame.apply(record) == null
                          ? null
                          : field.ofFrame(frame.apply(record).frame()),
                  field::holds);
            });
  }

  /** All frames that left because of it, answers and copies, too. */
  private void departures(YamlValue value) {
    List<YamlValue> wanted = value.list();
    checks.add(
        new Check(
            "out",
            new Wanted(List.of(frames(wanted.size())), false),
            value.position(),
            record -> frames(record.outs.size()),
            String::equals,
            WalkPart.END));
    for (int i = 0; i < wanted.size(); i++) {
      int index = i;
      frame(
          "out " + (i + 1),
          wanted.get(i),
          record -> index < record.outs.size() ? record.outs.get(index) : null);
    }
  }

  private static String frames(int count) {
    return count == 0 ? "no frames" : count == 1 ? "one frame" : count + " frames";
  }
}
