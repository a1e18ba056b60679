// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.IpsetRestore;
import io.skbwalk.netfilter.tables.Token;
import java.util.ArrayList;
import java.util.List;

/**
 * What {@code ipset save} prints and {@code ipset restore} reads: a command a line. It is read each
 * time that a machine is made, so that a million elements are nowhere but in their set.
 *
 * @param file its name, for messages
 * @param text its content
 */
public record IpsetSaveFile(String file, String text) implements IpsetRestore {
  @Override
  public void into(IpSets sets) {
    IpsetCommands commands = new IpsetCommands(sets);
    List<Token> words = new ArrayList<>();
    int line = 1;
    for (int start = 0; start < text.length(); line++) {
      int end = text.indexOf('\n', start);
      end = end < 0 ? text.length() : end;
      words.clear();
      words(text, start, end, new SourcePosition(file, line, 1), words);
      if (!words.isEmpty()) {
        commands.run(words);
      }
      start = end + 1;
    }
  }

  @Override
  public String toString() {
    return file;
  }

  /** Plays build_argv: words with blanks between them; quotes hold blanks and are taken away. */
  static void words(String text, int start, int end, SourcePosition at, List<Token> words) {
    StringBuilder word = new StringBuilder();
    boolean quoted = false;
    boolean open = false;
    int from = start;
    for (int i = start; i < end; i++) {
      char c = text.charAt(i);
      if (c == '#' && words.isEmpty() && !open) {
        return;
      }
      boolean blank = !quoted && (c == ' ' || c == '\t' || c == '\r');
      if (!blank) {
        from = open ? from : i;
        open = true;
        if (c == '"') {
          quoted = !quoted;
        } else {
          word.append(c);
        }
      } else if (open) {
        add(word, from - start, at, words);
        open = false;
      }
    }
    if (quoted) {
      throw new SourceException(column(at, from - start), "the closing \" is missing");
    }
    if (open) {
      add(word, from - start, at, words);
    }
  }

  /** An empty word is none, even in quotes. */
  private static void add(StringBuilder word, int offset, SourcePosition at, List<Token> words) {
    if (word.length() > 0) {
      words.add(new Token(word.toString(), column(at, offset)));
      word.setLength(0);
    }
  }

  private static SourcePosition column(SourcePosition line, int offset) {
    return new SourcePosition(line.file(), line.line(), offset + 1);
  }
}
