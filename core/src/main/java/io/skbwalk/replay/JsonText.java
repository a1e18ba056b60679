// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

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

  private byte[] bytes = new byte[1 << 16];
  private int end;

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
    plain(value ? "true" : "false");
    return this;
  }

  /** A field. */
  public JsonText field(String name, long value) {
    name(name);
    number(value);
    return this;
  }

  private void number(long value) {
    if (value < 0) {
      plain(Long.toString(value));
      return;
    }
    int digits = 1;
    for (long rest = value; rest > 9; rest /= 10) {
      digits++;
    }
    reserve(digits);
    long rest = value;
    for (int at = end + digits - 1; at >= end; at--) {
      bytes[at] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    end += digits;
  }

  /** What is already JSON: punctuation and the names of fields, in ASCII. */
  JsonText plain(byte[] text) {
    reserve(text.length);
    System.arraycopy(text, 0, bytes, end, text.length);
    end += text.length;
    return this;
  }

  /** The same at the beginning of an array's element. */
  JsonText element(byte[] text) {
    comma();
    return plain(text);
  }

  /** A string, behind the name of its field. */
  JsonText value(String value) {
    quoted(value);
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
    int begin = end;
    quoted(value);
    words[slot] = value;
    written[slot] = Arrays.copyOfRange(bytes, begin, end);
    return this;
  }

  /** A word in an array. */
  JsonText addWord(String value) {
    comma();
    return word(value);
  }

  /** A number, behind the name of its field. */
  JsonText value(long value) {
    number(value);
    return this;
  }

  /** The end of a line, behind which nothing needs a comma. */
  public JsonText endLine() {
    return put('\n');
  }

  /** How many bytes there are. */
  public int length() {
    return end;
  }

  /** Hands everything on, and is empty. */
  public void moveTo(OutputStream out) throws IOException {
    out.write(bytes, 0, end);
    end = 0;
  }

  /** The same as characters. */
  public void moveTo(Writer out) throws IOException {
    out.write(toString());
    end = 0;
  }

  @Override
  public String toString() {
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }

  // ---- bytes ------------------------------------------------------------------------------------

  private void comma() {
    byte last = end == 0 ? (byte) '\n' : bytes[end - 1];
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
    reserve(1);
    bytes[end++] = (byte) character;
    return this;
  }

  private void plain(String ascii) {
    for (int i = 0; i < ascii.length(); i++) {
      put(ascii.charAt(i));
    }
  }

  private void quoted(String value) {
    // Of all ways to have a string's bytes the one that the JDK does many at a time.
    byte[] text = value.getBytes(StandardCharsets.UTF_8);
    reserve(text.length + 2);
    bytes[end++] = '"';
    if (isPlain(text)) {
      System.arraycopy(text, 0, bytes, end, text.length);
      end += text.length;
    } else {
      for (byte one : text) {
        escaped(one);
      }
    }
    put('"');
  }

  /** Is there nothing to escape: no quotation mark, backslash or control character? */
  private static boolean isPlain(byte[] text) {
    int at = 0;
    for (; at <= text.length - 8; at += 8) {
      long word = (long) WORD.get(text, at);
      long quote = word ^ '"' * ONES;
      long backslash = word ^ '\\' * ONES;
      long found = (word - 0x20 * ONES) & ~word;
      found |= (quote - ONES) & ~quote;
      found |= (backslash - ONES) & ~backslash;
      if ((found & HIGH) != 0) {
        return false;
      }
    }
    for (; at < text.length; at++) {
      if (text[at] >= 0 && text[at] < 0x20 || text[at] == '"' || text[at] == '\\') {
        return false;
      }
    }
    return true;
  }

  private void escaped(byte one) {
    switch (one) {
      case '"' -> plain("\\\"");
      case '\\' -> plain("\\\\");
      case '\b' -> plain("\\b");
      case '\f' -> plain("\\f");
      case '\n' -> plain("\\n");
      case '\r' -> plain("\\r");
      case '\t' -> plain("\\t");
      default -> {
        if (one >= 0 && one < 0x20) {
          plain("\\u00");
          put(HEX.charAt(one >> 4));
          put(HEX.charAt(one & 15));
        } else {
          put((char) (one & 0xff));
        }
      }
    }
  }

  private void reserve(int more) {
    if (bytes.length - end < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, end + more));
    }
  }
}
