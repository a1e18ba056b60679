// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Plays struct xt_option_call: the options that were written for one match or target, and how their
 * values are read. Everything that is wrong is a {@link SourceException} at the word that is wrong.
 */
public final class Options {
  private static final List<String> LEVELS =
      List.of("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug");

  /**
   * One option as it was written.
   *
   * @param name its first name
   * @param option the word
   * @param inverted did {@code !} stand before it?
   * @param arguments the words that belong to it
   */
  public record Given(String name, Token option, boolean inverted, List<Token> arguments) {
    /** Copies the list. */
    public Given {
      arguments = List.copyOf(arguments);
    }

    /** Its value number {@code index} from 0. */
    public String text(int index) {
      return arguments.get(index).text();
    }
  }

  private final String owner;
  private final List<OptionSpec> specs;
  private final Token at;
  private final Map<String, Given> given = new LinkedHashMap<>();
  private final List<Given> all = new ArrayList<>();

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
    Given one = new Given(spec.name(), option, inverted, arguments);
    if (given.put(spec.name(), one) != null && !spec.repeatable()) {
      throw new SourceException(option.at(), owner + ": " + option.text() + " is given twice");
    }
    all.add(one);
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

  /** All that were given, in order, those that may be repeated each time. */
  public List<Given> given() {
    return List.copyOf(all);
  }

  /**
   * The elements that {@code separator} parts: the options before the first one, those between two,
   * those behind the last. None has an option twice.
   */
  public List<Options> elements(String separator) {
    List<Options> elements = new ArrayList<>();
    Options element = new Options(owner, specs, at);
    for (Given one : all) {
      if (one.name.equals(separator)) {
        elements.add(element);
        element = new Options(owner, specs, one.option);
      } else if (element.given.put(one.name, one) != null) {
        throw element.error(one.name, one.option.text() + " is given twice in one element");
      } else {
        element.all.add(one);
      }
    }
    elements.add(element);
    return elements;
  }

  /** Its value, or null when it was not given; the last one when it was given several times. */
  public String text(String name) {
    return text(name, 0);
  }

  /** Its value number {@code index} from 0, or null when it was not given. */
  public String text(String name, int index) {
    Given one = given.get(name);
    return one == null || index >= one.arguments.size() ? null : one.arguments.get(index).text();
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
    Long value = Numbers.unsigned(text, max);
    if (value == null || value < min) {
      throw error(
          name,
          written(name) + " takes a number from " + min + " to " + max + ", not \"" + text + "\"");
    }
    return value;
  }

  /** Its value as a number of 64 bits without a sign, or {@code otherwise}. */
  public long unsigned64(String name, long otherwise) {
    return has(name) ? unsigned64(name, text(name)) : otherwise;
  }

  private long unsigned64(String name, String text) {
    Long value = Numbers.unsigned(text);
    if (value == null) {
      throw error(name, written(name) + " takes a number of 64 bits, not \"" + text + "\"");
    }
    return value;
  }

  /** Its value as a number with a point, from {@code min} to {@code max}. */
  public double decimal(String name, double min, double max) {
    String text = text(name);
    Double value = Numbers.decimal(text);
    if (value == null || value < min || value > max) {
      throw error(
          name,
          written(name)
              + " takes a number from "
              + (long) min
              + " to "
              + (long) max
              + ", not \""
              + text
              + "\"");
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
   * Plays XTTYPE_UINT16RC and XTTYPE_UINT32RC: {@code N}, {@code N:M}, {@code :M} or {@code N:} of
   * numbers up to {@code max}, low in the upper, high in the lower half. An upside-down range is
   * taken, as iptables does, and matches nothing; nothing at all is 0.
   */
  public long range(String name, long max) {
    String text = text(name);
    int colon = text.indexOf(':');
    long low;
    long high;
    if (colon < 0) {
      low = high = text.isEmpty() ? 0 : number(name, text, 0, max);
    } else {
      low = colon == 0 ? 0 : number(name, text.substring(0, colon), 0, max);
      high = colon == text.length() - 1 ? max : number(name, text.substring(colon + 1), 0, max);
    }
    return low << 32 | high;
  }

  /**
   * {@code N}, {@code N-M} or {@code N:M} of numbers of users or groups: low in the upper, high in
   * the lower half.
   */
  public long idRange(String name) {
    String text = text(name);
    String[] ends = text.split("[-:]", 2);
    Long low = Numbers.unsigned(ends[0], 0xFFFFFFFEL);
    Long high = ends.length == 1 ? low : Numbers.unsigned(ends[1], 0xFFFFFFFEL);
    if (low == null || high == null) {
      throw error(
          name,
          written(name)
              + " takes a number, LOW-HIGH, or a name that every Debian system has, not \""
              + text
              + "\"");
    }
    return low << 32 | high;
  }

  /** Two numbers of 64 bits without a sign, both included. */
  public record Range(long low, long high) {}

  /** {@code N}, {@code N:}, {@code :M} or {@code N:M} of numbers of 64 bits without a sign. */
  public Range range64(String name) {
    String text = text(name);
    int colon = text.indexOf(':');
    if (colon < 0) {
      long both = unsigned64(name, text);
      return new Range(both, both);
    }
    return new Range(
        colon == 0 ? 0 : unsigned64(name, text.substring(0, colon)),
        colon == text.length() - 1 ? -1 : unsigned64(name, text.substring(colon + 1)));
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
    Long port = Numbers.unsigned(text, 0xFFFF);
    return port != null ? port.intValue() : service(name, text, protocol);
  }

  private int service(String name, String text, int protocol) {
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

  /**
   * {@code P}, {@code P:Q}, {@code :Q} or {@code P:} where xtables' option parser reads the ports
   * (XTTYPE_PORTRC): decimal only, names of any protocol, upside-down ranges taken.
   */
  public long libraryPorts(String name) {
    String text = text(name);
    int colon = text.indexOf(':');
    if (colon < 0) {
      int port = libraryPort(name, text);
      return (long) port << 32 | port;
    }
    int low = colon == 0 ? 0 : libraryPort(name, text.substring(0, colon));
    int high = colon == text.length() - 1 ? 0xFFFF : libraryPort(name, text.substring(colon + 1));
    return (long) low << 32 | high;
  }

  /** A port where xtables' option parser reads it (XTTYPE_PORT): decimal, or any service's name. */
  public int libraryPort(String name, String text) {
    // The C library takes an empty name for 0 and lets 65536 be 0.
    Integer port = text.isEmpty() ? Integer.valueOf(0) : Numbers.wrappedPort(text);
    return port != null ? port : service(name, text, 0);
  }

  /** The number of a protocol, given by name or number. */
  public int protocol(String name) {
    int protocol = Names.protocolOf(text(name));
    if (protocol < 0) {
      throw error(
          name,
          written(name)
              + " takes the name of a protocol or a number from 0 to 255, not \""
              + text(name)
              + "\"");
    }
    return protocol;
  }

  /**
   * {@code text}, part of the value of {@code name}, as an IPv4 address, in each form that
   * iptables' own reader takes: {@code 10.1} is 10.1.0.0. Names are not resolved.
   */
  public int address(String name, String text) {
    return known(name, Numbers.network(text), text);
  }

  /** An IPv4 address as the C library takes it (XTTYPE_HOST): {@code 10.1} is 10.0.0.1. */
  public int host(String name, String text) {
    return known(name, Numbers.host(text), text);
  }

  /** An IPv4 address as inet_pton takes it: all four numbers, decimal. */
  public int dotted(String name, String text) {
    return known(name, Numbers.dotted(text), text);
  }

  private int known(String name, Integer address, String text) {
    if (address == null) {
      throw error(
          name,
          written(name) + " takes an IPv4 address (names are not resolved), not \"" + text + "\"");
    }
    return address;
  }

  /**
   * {@code ADDRESS[/LENGTH]} or {@code ADDRESS/MASK} as {@code -s} takes it: address as it stands
   * in the upper, mask in the lower half. Missing last numbers are 0.
   */
  public long network(String name, String text) {
    int slash = text.lastIndexOf('/');
    int mask = slash < 0 ? -1 : mask(name, text.substring(slash + 1));
    String address = slash < 0 ? text : text.substring(0, slash);
    // Under an empty mask iptables does not look at the name: any/0.
    Integer value = mask == 0 ? Integer.valueOf(0) : Numbers.network(address);
    if (value == null) {
      throw error(
          name,
          written(name)
              + " takes an IPv4 address or network such as 192.0.2.0/24 (names are not resolved),"
              + " not \""
              + text
              + "\"");
    }
    return (long) value << 32 | mask & 0xFFFFFFFFL;
  }

  private int mask(String name, String text) {
    Integer mask = Numbers.mask(text);
    Long length = mask == null ? Numbers.unsigned(text, 32) : null;
    if (mask == null && length == null) {
      throw error(name, "the mask \"" + text + "\" is neither 0 to 32 nor an address");
    }
    return mask != null ? mask : Ip4.mask(length.intValue());
  }

  /**
   * {@code ADDRESS[/LENGTH]} or {@code ADDRESS/MASK} where xtables' option parser reads it
   * (XTTYPE_HOSTMASK): address as it stands in the upper, mask in the lower half. A mask that is no
   * prefix counts as 32 bits.
   */
  public long hostAndMask(String name) {
    String text = text(name);
    int slash = text.indexOf('/');
    int address = host(name, slash < 0 ? text : text.substring(0, slash));
    int length = slash < 0 ? 32 : prefixLength(name, text.substring(slash + 1));
    return (long) address << 32 | Ip4.mask(length) & 0xFFFFFFFFL;
  }

  /** A prefix length from 0 to 32, or a mask (XTTYPE_PLEN, XTTYPE_PLENMASK). */
  public int prefixLength(String name, String text) {
    Integer length = Numbers.prefixLength(text);
    if (length == null) {
      throw error(name, written(name) + ": \"" + text + "\" is neither 0 to 32 nor a mask");
    }
    return length;
  }

  /** An Ethernet address: six hexadecimal bytes with colons, an empty one 0. */
  public long mac(String name) {
    String[] parts = text(name).split(":", -1);
    long address = 0;
    for (String part : parts) {
      address = part.matches("[0-9a-fA-F]{0,2}") ? address << 8 | hex(part) : -1L << 48;
    }
    if (parts.length != 6 || address < 0) {
      throw error(
          name,
          written(name)
              + " takes six hexadecimal bytes such as 02:00:00:00:00:fe, not \""
              + text(name)
              + "\"");
    }
    return address;
  }

  private static int hex(String text) {
    return text.isEmpty() ? 0 : Integer.parseInt(text, 16);
  }

  /** Its value, of {@code min} to {@code max} bytes and one line. */
  public String string(String name, int min, int max) {
    String text = text(name);
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    if (length < min || length > max) {
      throw error(
          name,
          written(name)
              + " takes "
              + (min == 0 ? "at most " : min + " to ")
              + max
              + " bytes, not "
              + length);
    }
    if (text.indexOf('\n') >= 0) {
      throw error(name, written(name) + " takes one line");
    }
    return text;
  }

  /**
   * Its value, of which the first {@code max} bytes are kept, as iptables cuts it. A cut within a
   * character is refused.
   */
  public String cut(String name, int max) {
    byte[] bytes = text(name).getBytes(StandardCharsets.UTF_8);
    String kept = new String(bytes, 0, Math.min(bytes.length, max), StandardCharsets.UTF_8);
    if (!text(name).startsWith(kept)) {
      throw error(
          name, written(name) + " is cut behind " + max + " bytes, which is within a character");
    }
    return kept;
  }

  /** A level of syslog, 0 (emerg) to 7 (debug), by number or name. */
  public int syslogLevel(String name) {
    Long number = Numbers.unsigned(text(name), 7);
    int named = text(name).equals("panic") ? 0 : LEVELS.indexOf(text(name));
    if (number == null && named < 0) {
      throw error(
          name,
          written(name)
              + " takes 0 to 7 or "
              + String.join(", ", LEVELS)
              + ", not \""
              + text(name)
              + "\"");
    }
    return number != null ? number.intValue() : named;
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

  /** As strtoul with base 0 reads a whole word of 63 bits; -1 when it is no such number. */
  public static long integer(String text) {
    Long value = Numbers.unsigned(text, Long.MAX_VALUE);
    return value == null ? -1 : value;
  }
}
