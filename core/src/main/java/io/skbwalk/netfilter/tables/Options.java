// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Plays struct xt_option_call: the options that were written for one match or target, and how their
 * values are read. Everything that is wrong is a {@link SourceException} at the word that is wrong.
 */
public final class Options {
  private record Given(Token option, boolean inverted, List<Token> arguments) {}

  private final String owner;
  private final List<OptionSpec> specs;
  private final Token at;
  private final Map<String, Given> given = new LinkedHashMap<>();

  /**
   * Nothing given yet for {@code owner}, whose name stands at {@code at}.
   *
   * @param specs what may be given
   */
  public Options(String owner, List<OptionSpec> specs, Token at) {
    this.owner = owner;
    this.specs = specs;
    this.at = at;
  }

  /** An option was read. */
  void add(OptionSpec spec, Token option, boolean inverted, List<Token> arguments) {
    if (inverted && !spec.invertible()) {
      throw new SourceException(option.at(), owner + ": ! may not stand before " + option.text());
    }
    if (given.put(spec.name(), new Given(option, inverted, List.copyOf(arguments))) != null) {
      throw new SourceException(option.at(), owner + ": " + option.text() + " is given twice");
    }
  }

  /** The specification with that long name, or null. */
  OptionSpec spec(String longName) {
    for (OptionSpec spec : specs) {
      if (spec.names().contains(longName)) {
        return spec;
      }
    }
    return null;
  }

  /** All specifications. */
  List<OptionSpec> specs() {
    return specs;
  }

  /** The option as the user wrote it, or by its name. */
  private String written(String name) {
    Given one = given.get(name);
    return one == null ? "--" + name : one.option.text().replaceFirst("=.*", "");
  }

  /** Refuses when a required option is missing. */
  void finish() {
    for (OptionSpec spec : specs) {
      if (spec.required() && !given.containsKey(spec.name())) {
        throw new SourceException(at.at(), owner + ": --" + spec.name() + " is missing");
      }
    }
  }

  /** Was {@code name} given? */
  public boolean has(String name) {
    return given.containsKey(name);
  }

  /** Was nothing given? */
  public boolean isEmpty() {
    return given.isEmpty();
  }

  /** Did {@code !} stand before it? */
  public boolean inverted(String name) {
    Given one = given.get(name);
    return one != null && one.inverted;
  }

  /** The names given, in order. */
  public List<String> names() {
    return List.copyOf(given.keySet());
  }

  /** Its value, or null when it was not given. */
  public String text(String name) {
    return text(name, 0);
  }

  /** Its value number {@code index} from 0, or null when it was not given. */
  public String text(String name, int index) {
    Given one = given.get(name);
    return one == null ? null : one.arguments.get(index).text();
  }

  /** An error about the option {@code name}, or about the whole when it was not given. */
  public SourceException error(String name, String what) {
    Given one = given.get(name);
    Token where = one == null ? at : one.arguments.isEmpty() ? one.option : one.arguments.get(0);
    return new SourceException(where.at(), owner + ": " + what);
  }

  /** An error about the whole. */
  public SourceException error(String what) {
    return new SourceException(at.at(), owner + ": " + what);
  }

  /**
   * The one of {@code names} that was given, or null; two are refused, and none when {@code
   * required}.
   */
  public String oneOf(boolean required, String... names) {
    String found = null;
    for (String name : names) {
      if (has(name)) {
        if (found != null) {
          throw error(name, written(found) + " and " + written(name) + " exclude each other");
        }
        found = name;
      }
    }
    if (found == null && required) {
      throw error("one of --" + String.join(", --", names) + " is needed");
    }
    return found;
  }

  /** Its value as a whole number from {@code min} to {@code max}, or {@code otherwise}. */
  public long number(String name, long min, long max, long otherwise) {
    return has(name) ? number(name, text(name), min, max) : otherwise;
  }

  /**
   * {@code text}, part of the value of {@code name}, as a number: decimal, 0x hexadecimal or 0
   * octal.
   */
  public long number(String name, String text, long min, long max) {
    long value = integer(text);
    if (value < min || value > max) {
      throw error(
          name,
          written(name) + " takes a number from " + min + " to " + max + ", not \"" + text + "\"");
    }
    return value;
  }

  /** {@code VALUE[/MASK]} of 32 bits: value in the upper, mask in the lower half. */
  public long valueAndMask(String name) {
    String text = text(name);
    int slash = text.indexOf('/');
    long value = number(name, slash < 0 ? text : text.substring(0, slash), 0, 0xFFFFFFFFL);
    long mask = slash < 0 ? 0xFFFFFFFFL : number(name, text.substring(slash + 1), 0, 0xFFFFFFFFL);
    return value << 32 | mask;
  }

  /**
   * {@code N} or {@code N:M} of numbers up to {@code max}: low in the upper, high in the lower
   * half. An upside-down range is taken, as iptables does, and matches nothing.
   */
  public long range(String name, long max) {
    String text = text(name);
    int colon = text.indexOf(':');
    long low;
    long high;
    if (colon < 0) {
      low = high = number(name, text, 0, max);
    } else {
      low = colon == 0 ? 0 : number(name, text.substring(0, colon), 0, max);
      high = colon == text.length() - 1 ? max : number(name, text.substring(colon + 1), 0, max);
    }
    return low << 32 | high;
  }

  /** {@code P}, {@code P:Q}, {@code :Q} or {@code P:} of port numbers or service names. */
  public long ports(String name, int protocol) {
    String text = text(name);
    int colon = text.indexOf(':');
    if (colon < 0) {
      int port = port(name, text, protocol);
      return (long) port << 32 | port;
    }
    int low = colon == 0 ? 0 : port(name, text.substring(0, colon), protocol);
    int high =
        colon == text.length() - 1 ? 0xFFFF : port(name, text.substring(colon + 1), protocol);
    if (low > high) {
      throw error(name, written(name) + " " + text + ": the range is upside down");
    }
    return (long) low << 32 | high;
  }

  /** A port number or the name of a service of {@code protocol} (IANA number, 0 for any). */
  public int port(String name, String text, int protocol) {
    long port = integer(text);
    if (port >= 0 && port <= 0xFFFF) {
      return (int) port;
    }
    int known = Names.service(text, protocol);
    if (known < 0) {
      throw error(
          name,
          written(name)
              + " takes a port (0 to 65535) or the name of a service, not \""
              + text
              + "\"");
    }
    return known;
  }

  /** An IPv4 address. */
  public int address(String name, String text) {
    try {
      return Ip4.parse(text);
    } catch (IllegalArgumentException e) {
      throw error(name, written(name) + " takes an IPv4 address, not \"" + text + "\"");
    }
  }

  /**
   * {@code ADDRESS[/LENGTH]} or {@code ADDRESS/MASK}: address as it stands in the upper, mask in
   * the lower half. Missing last numbers are 0, as iptables reads {@code 10.1}.
   */
  public long network(String name, String text) {
    int slash = text.indexOf('/');
    StringBuilder address = new StringBuilder(slash < 0 ? text : text.substring(0, slash));
    for (long dots = address.chars().filter(c -> c == '.').count(); dots < 3; dots++) {
      address.append(".0");
    }
    int value;
    try {
      value = Ip4.parse(address.toString());
    } catch (IllegalArgumentException e) {
      throw error(
          name,
          written(name)
              + " takes an IPv4 address or network such as 192.0.2.0/24 (names are not resolved),"
              + " not \""
              + text
              + "\"");
    }
    String mask = slash < 0 ? "32" : text.substring(slash + 1);
    int length = mask.matches("[0-9]{1,2}") ? Integer.parseInt(mask) : 33;
    try {
      int bits = length <= 32 ? Ip4.mask(length) : Ip4.parse(mask);
      return (long) value << 32 | bits & 0xFFFFFFFFL;
    } catch (IllegalArgumentException e) {
      throw error(name, "the mask \"" + mask + "\" is neither 0 to 32 nor an address");
    }
  }

  /** The comma-separated parts of its value; an empty part is refused. */
  public List<String> list(String name) {
    List<String> parts = new ArrayList<>(List.of(text(name).split(",", -1)));
    if (parts.contains("")) {
      throw error(name, written(name) + " " + text(name) + ": an entry of the list is empty");
    }
    return parts;
  }

  /** The value as one of {@code names} in any case, by its index. */
  public int choice(String name, List<String> names) {
    for (int i = 0; i < names.size(); i++) {
      if (names.get(i).equalsIgnoreCase(text(name))) {
        return i;
      }
    }
    throw error(
        name,
        written(name) + " takes " + String.join(", ", names) + ", not \"" + text(name) + "\"");
  }

  /** As strtoull with base 0 reads a whole word; -1 when it is no number. */
  public static long integer(String text) {
    String digits = text.toLowerCase(Locale.ROOT);
    int base = 10;
    if (digits.startsWith("0x")) {
      digits = digits.substring(2);
      base = 16;
    } else if (digits.length() > 1 && digits.startsWith("0")) {
      digits = digits.substring(1);
      base = 8;
    }
    if (digits.isEmpty() || Character.digit(digits.charAt(0), base) < 0) {
      return -1;
    }
    try {
      return Long.parseLong(digits, base);
    } catch (NumberFormatException e) {
      return -1;
    }
  }
}
