// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.lib.Iso8601;
import io.skbwalk.lib.TextBytes;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * JSON as UTF-8 bytes, one value behind the other without blanks: what is written millions of
 * times. The caller sees to it that objects and arrays end; commas come by themselves.
 */
public final class JsonText {
  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long ONES = 0x0101_0101_0101_0101L;
  private static final long HIGH = 0x80L * ONES;
  private static final String HEX = "0123456789ABCDEF";

  /** Slots for words that come again, a power of two. */
  private static final int WORDS = 1 << 11;

  private final TextBytes text = new TextBytes(1 << 16);

  /** Words that came, each in the only slot that it may be in, and as they are written. */
  private final String[] words = new String[WORDS];

  private final byte[][] written = new byte[WORDS][];

  /** Begins an object, in an array or on its own. */
  public JsonText beginObject() {
    comma();
    return put('{');
  }

  /** Begins an object that is a field. */
  public JsonText beginObject(String name) {
    name(name);
    return put('{');
  }

  /** Ends an object. */
  public JsonText endObject() {
    return put('}');
  }

  /** Begins an array on its own. */
  public JsonText beginArray() {
    comma();
    return put('[');
  }

  /** Begins an array that is a field. */
  public JsonText beginArray(String name) {
    name(name);
    return put('[');
  }

  /** Ends an array. */
  public JsonText endArray() {
    return put(']');
  }

  /** {@code ,"name":}, for {@link #plain(byte[])}. */
  static byte[] next(String name) {
    return (",\"" + name + "\":").getBytes(StandardCharsets.US_ASCII);
  }

  /** A string in an array. */
  public JsonText add(String value) {
    comma();
    quoted(value);
    return this;
  }

  /** A field. */
  public JsonText field(String name, String value) {
    name(name);
    quoted(value);
    return this;
  }

  /** A field. */
  public JsonText field(String name, boolean value) {
    name(name);
    text.append(value ? "true" : "false");
    return this;
  }

  /** A field. */
  public JsonText field(String name, long value) {
    name(name);
    text.append(value);
    return this;
  }

  /** What is already JSON: punctuation and the names of fields, in ASCII. */
  JsonText plain(byte[] json) {
    text.append(json);
    return this;
  }

  /** The beginning of an array's element: a comma, if there is one before it. */
  JsonText element() {
    comma();
    return this;
  }

  /** The same, and what stands there. */
  JsonText element(byte[] json) {
    comma();
    return plain(json);
  }

  /** A string, behind the name of its field. */
  JsonText value(String value) {
    quoted(value);
    return this;
  }

  /** The same of text that is UTF-8 already. */
  JsonText value(TextBytes value) {
    quoted(value.bytes, value.length);
    return this;
  }

  /**
   * A string that is the same object each time it comes, such as a name of the kernel's; behind the
   * name of its field.
   */
  JsonText word(String value) {
    int length = value.length();
    if (length == 0) {
      quoted(value);
      return this;
    }
    int slot =
        (length * 31
                + value.charAt(0) * 7
                + value.charAt(length / 2) * 131
                + value.charAt(length - 1))
            & WORDS - 1;
    if (words[slot] == value) {
      return plain(written[slot]);
    }
    int begin = text.length;
    quoted(value);
    words[slot] = value;
    written[slot] = since(begin);
    return this;
  }

  /** A word in an array. */
  JsonText addWord(String value) {
    comma();
    return word(value);
  }

  /** A number, behind the name of its field. */
  JsonText value(long value) {
    text.append(value);
    return this;
  }

  /** Nanoseconds since the epoch as a string, behind the name of its field. */
  JsonText time(long nanos) {
    put('"');
    Iso8601.append(text, nanos);
    return put('"');
  }

  /** What was written from {@code begin} on, for {@link #plain(byte[])}. */
  byte[] since(int begin) {
    return Arrays.copyOfRange(text.bytes, begin, text.length);
  }

  /** The end of a line, behind which nothing needs a comma. */
  public JsonText endLine() {
    return put('\n');
  }

  /** How many bytes there are. */
  public int length() {
    return text.length;
  }

  /** Hands everything on, and is empty. */
  public void moveTo(OutputStream out) throws IOException {
    out.write(text.bytes, 0, text.length);
    text.clear();
  }

  /** The same as characters. */
  public void moveTo(Writer out) throws IOException {
    out.write(toString());
    text.clear();
  }

  @Override
  public String toString() {
    return text.toString();
  }

  // ---- bytes ------------------------------------------------------------------------------------

  private void comma() {
    byte last = text.length == 0 ? (byte) '\n' : text.bytes[text.length - 1];
    if (last != '{' && last != '[' && last != '\n') {
      put(',');
    }
  }

  private void name(String name) {
    comma();
    quoted(name);
    put(':');
  }

  private JsonText put(char character) {
    text.append(character);
    return this;
  }

  private void quoted(String value) {
    byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
    quoted(utf8, utf8.length);
  }

  private void quoted(byte[] utf8, int length) {
    put('"');
    if (isPlain(utf8, length)) {
      text.append(utf8, 0, length);
    } else {
      for (int i = 0; i < length; i++) {
        escaped(utf8[i]);
      }
    }
    put('"');
  }

  /** Is there nothing to escape: no quotation mark, backslash or control character? */
  private static boolean isPlain(byte[] utf8, int length) {
    int at = 0;
    for (; at <= length - 8; at += 8) {
      long word = (long) WORD.get(utf8, at);
      long quote = word ^ '"' * ONES;
      long backslash = word ^ '\\' * ONES;
      long found = (word - 0x20 * ONES) & ~word;
      found |= (quote - ONES) & ~quote;
      found |= (backslash - ONES) & ~backslash;
      if ((found & HIGH) != 0) {
        return false;
      }
    }
    for (; at < length; at++) {
      if (utf8[at] >= 0 && utf8[at] < 0x20 || utf8[at] == '"' || utf8[at] == '\\') {
        return false;
      }
    }
    return true;
  }

  private void escaped(byte one) {
    switch (one) {
      case '"' -> text.append("\\\"");
      case '\\' -> text.append("\\\\");
      case '\b' -> text.append("\\b");
      case '\f' -> text.append("\\f");
      case '\n' -> text.append("\\n");
      case '\r' -> text.append("\\r");
      case '\t' -> text.append("\\t");
      default -> {
        if (one >= 0 && one < 0x20) {
          text.append("\\u00");
          put(HEX.charAt(one >> 4));
          put(HEX.charAt(one & 15));
        } else {
          put((char) (one & 0xff));
        }
      }
    }
  }
}
