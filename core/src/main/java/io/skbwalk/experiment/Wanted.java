// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.language.YamlValue;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Function;

/**
 * What a value is expected to be: {@code x}, one of {@code [x, y]}, or neither of them, {@code
 * {not: [x, y]}}.
 *
 * @param texts in the words in which what is seen is told
 */
record Wanted(List<String> texts, boolean not) {
  static final String NONE = "none";

  /** Reads it; {@code words} reads one value and words it. */
  static Wanted of(YamlValue value, Function<YamlValue, String> words) {
    if (value.isMap()) {
      YamlValue inner = value.fields("a value that is not expected", "not").require("not");
      return new Wanted(of(inner, words).texts, true);
    }
    List<String> texts = new ArrayList<>();
    for (YamlValue one : value.isList() ? value.list() : List.of(value)) {
      texts.add(one.text().equals(NONE) ? NONE : words.apply(one));
    }
    if (texts.isEmpty()) {
      throw value.error("expected a value, or a list with at least one");
    }
    return new Wanted(List.copyOf(texts), false);
  }

  /** Is {@code seen} what is expected? Null is none. */
  boolean holds(String seen, BiPredicate<String, String> same) {
    String text = seen == null ? NONE : seen;
    return texts.stream().anyMatch(one -> same.test(one, text)) != not;
  }

  /** For people. */
  String inWords() {
    return (not ? "anything but " : "") + String.join(" or ", texts);
  }
}
