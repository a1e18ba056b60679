// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.matches.U32Match.Operator;
import io.skbwalk.netfilter.tables.matches.U32Match.Range;
import io.skbwalk.netfilter.tables.matches.U32Match.Step;
import io.skbwalk.netfilter.tables.matches.U32Match.Test;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the tests of the u32 match, blanks between their parts or not.
 *
 * <pre>
 *   tests    = test { "&amp;&amp;" test }
 *   test     = number { ("&amp;" | "&lt;&lt;" | "&gt;&gt;" | "@") number } "=" range { "," range }
 *   range    = number [ ":" number ]
 * </pre>
 */
final class U32Tests {
  private static final Pattern NUMBER = Pattern.compile("\\s*\\+?(0[xX][0-9a-fA-F]+|[0-9]+)");
  private static final long MAX = 0xFFFFFFFFL;

  private final Options options;
  private final String option;
  private final String text;
  private int at;

  U32Tests(Options options, String option) {
    this.options = options;
    this.option = option;
    this.text = options.text(option);
  }

  List<Test> read() {
    List<Test> tests = new ArrayList<>();
    do {
      if (tests.size() == U32Match.MOST) {
        throw wrong("at most " + U32Match.MOST + " tests");
      }
      tests.add(test());
    } while (skip("&&"));
    if (at < text.length()) {
      throw wrong("a comma or && is expected");
    }
    return tests;
  }

  private Test test() {
    List<Step> steps = new ArrayList<>();
    steps.add(new Step(Operator.LOAD, number()));
    while (!skip("=")) {
      Operator operator =
          skip("&")
              ? Operator.AND
              : skip("<<")
                  ? Operator.LEFT
                  : skip(">>") ? Operator.RIGHT : skip("@") ? Operator.AT : null;
      if (operator == null) {
        throw wrong("&, <<, >>, @ or = is expected");
      }
      if (steps.size() == U32Match.MOST) {
        throw wrong("at most " + (U32Match.MOST - 1) + " operators in a test");
      }
      steps.add(new Step(operator, number()));
    }
    List<Range> ranges = new ArrayList<>();
    do {
      if (ranges.size() == U32Match.MOST) {
        throw wrong("at most " + U32Match.MOST + " ranges in a test");
      }
      int low = number();
      ranges.add(new Range(low, skip(":") ? number() : low));
    } while (skip(","));
    return new Test(steps, ranges);
  }

  private boolean skip(String word) {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    if (!text.startsWith(word, at)) {
      return false;
    }
    at += word.length();
    return true;
  }

  /** The longest number in any base that stands next. */
  private int number() {
    Matcher matcher = NUMBER.matcher(text).region(at, text.length());
    if (!matcher.lookingAt()) {
      throw wrong("a number is expected");
    }
    String digits = matcher.group(1);
    int end = matcher.end();
    if (digits.matches("0[0-7]*[89][0-9]*")) {
      String octal = digits.replaceFirst("[89].*", "");
      end -= digits.length() - octal.length();
      digits = octal;
    }
    long value = Options.integer(digits);
    if (value < 0 || value > MAX) {
      throw wrong("a number of 32 bits is expected");
    }
    at = end;
    return (int) value;
  }

  private SourceException wrong(String what) {
    return options.error(option, what + " at character " + (at + 1) + " of \"" + text + "\"");
  }
}
