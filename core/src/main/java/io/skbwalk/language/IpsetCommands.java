// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.ipset.IpSet;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.SetEntry;
import io.skbwalk.netfilter.ipset.SetOptions;
import io.skbwalk.netfilter.ipset.SetType;
import io.skbwalk.netfilter.tables.Token;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Plays libipset's ipset.c and args.c: commands of ipset, word by word, done to the sets of one
 * machine. Refused as ipset or the kernel refuses them.
 */
final class IpsetCommands {
  private static final String[][] COMMANDS = {
    {"create", "new", "-N"}, {"add", "-A"}, {"del", "-D"}, {"test", "-T"},
    {"destroy", "x", "-X"}, {"list", "-L"}, {"save", "-S"}, {"restore", "-R"},
    {"flush", "-F"}, {"rename", "e", "-E"}, {"swap", "w", "-W"},
  };

  private static final List<String> FLAGS =
      List.of("counters", "comment", "skbinfo", "forceadd", "nomatch", "wildcard", "-4", "-6");

  /** Options of create that ipset 4 had; ipset 7 warns of them and reads no further. */
  private static final List<String> FORMER = List.of("probes", "resize", "gc");

  private static final long MAX_TIMEOUT = 2_147_483;
  private static final int LONGEST_COMMENT = 255;

  private final IpSets sets;
  private final SetEntry entry = new SetEntry();
  private final Set<String> given = new HashSet<>();

  /** Once {@code -exist} was said it holds for all that follows, as in ipset restore. */
  private boolean exist;

  /**
   * ipset sends what is added to one set, or deleted from it, line after line in one message; what
   * {@code -exist} was when it began holds for all of it.
   */
  private boolean existInMessage;

  private String message = "";

  private List<Token> words;
  private int next;

  IpsetCommands(IpSets sets) {
    this.sets = sets;
  }

  /** Does one command; {@code COMMIT} ends a message. */
  void run(List<Token> line) {
    if (line.size() == 1 && line.get(0).text().equals("COMMIT")) {
      message = "";
      return;
    }
    words = line;
    for (Token word : line) {
      if (word.text().startsWith("-") && isExist(word.text())) {
        exist = true;
        words = new java.util.ArrayList<>(line);
        words.removeIf(one -> isExist(one.text()));
        break;
      }
    }
    if (words.isEmpty()) {
      return;
    }
    next = 1;
    given.clear();
    Token command = words.get(0);
    String what = command(command.text());
    String begun = what + " " + (words.size() > 1 ? words.get(1) : "");
    if (!begun.equals(message)) {
      message = begun;
      existInMessage = exist;
    }
    switch (what) {
      case "create" -> create();
      case "add" -> change(true);
      case "del" -> change(false);
      case "flush" -> sets.flush(optionalName(), command.at());
      case "destroy" -> sets.destroy(optionalName(), command.at());
      case "rename" -> sets.rename(name(), name(), command.at());
      case "swap" -> sets.swap(name(), name(), command.at());
      case "" ->
          throw new SourceException(
              command.at(),
              "unknown command "
                  + command
                  + "; there are create, add, del, flush, destroy, rename"
                  + " and swap");
      default ->
          throw new SourceException(
              command.at(), command + " changes no set and has no place among these commands");
    }
    if (next < words.size()) {
      throw new SourceException(words.get(next).at(), "unexpected word \"" + words.get(next) + '"');
    }
  }

  private static boolean isExist(String word) {
    return switch (word) {
      case "-!", "-exist", "--exist" -> true;
      default -> false;
    };
  }

  /** The command that {@code word} is or begins, the first of several; empty for none. */
  private static String command(String word) {
    String text = word.startsWith("--") ? word.substring(2) : word;
    for (String[] names : COMMANDS) {
      for (String name : names) {
        if (!text.isEmpty() && !text.equals("-") && name.startsWith(text)) {
          return names[0];
        }
      }
    }
    return "";
  }

  private Token word(String what) {
    if (next >= words.size()) {
      throw new SourceException(words.get(next - 1).at(), what + " is missing behind this");
    }
    return words.get(next++);
  }

  private String name() {
    Token word = word("the name of a set");
    return IpsetElement.setName(word.text(), word.at());
  }

  private String optionalName() {
    return next < words.size() ? name() : null;
  }

  // ---- create -----------------------------------------------------------------------------------

  private void create() {
    Token name = word("the name of a set");
    IpsetElement.setName(name.text(), name.at());
    Token typeName = word("the type of the set");
    SetType type = SetType.of(typeName.text());
    if (type == null) {
      throw new SourceException(typeName.at(), "there is no type of set called " + typeName);
    }
    SetOptions options = new SetOptions(name.text(), type, name.at());
    options.inet6 = type.hasFamily() && isInet6();
    boolean ranged = false;
    while (next < words.size()) {
      Token option = words.get(next++);
      ranged |= createOption(option, type, options);
    }
    if (type.createOptions.contains("range") && !ranged) {
      throw new SourceException(typeName.at(), "a " + type + " needs range FROM-TO");
    }
    sets.create(options, exist);
  }

  /** The family decides how the other options are read, so it is looked for first. */
  private boolean isInet6() {
    boolean inet6 = false;
    for (int i = next; i < words.size(); i++) {
      String text = words.get(i).text();
      if (text.equals("-6")) {
        inet6 = true;
      } else if (text.equals("family") && i + 1 < words.size()) {
        Token family = words.get(i + 1);
        inet6 =
            switch (family.text()) {
              case "inet", "ipv4", "-4" -> false;
              case "inet6", "ipv6", "-6" -> true;
              default ->
                  throw new SourceException(
                      family.at(), "a family is inet or inet6, not \"" + family + '"');
            };
        i++;
      }
    }
    return inet6;
  }

  /** Reads one option of create; true when it says where a bitmap ends. */
  private boolean createOption(Token option, SetType type, SetOptions options) {
    String name = plain(option.text());
    boolean legacyRange = List.of("from", "to", "network").contains(name);
    boolean known =
        type.createOptions.contains(name)
            || type.hasFamily() && (name.equals("-4") || name.equals("-6"))
            || legacyRange && type.createOptions.contains("range");
    if (FORMER.contains(name)) {
      throw new SourceException(
          option.at(), name + " was an option of ipset 4, and ipset 7 reads no further there");
    }
    if (!known) {
      throw new SourceException(
          option.at(),
          "create of a "
              + type
              + " takes no "
              + name
              + "; it takes "
              + String.join(", ", type.createOptions));
    }
    once(option, name);
    Token value = FLAGS.contains(name) ? option : word("the value of " + name);
    switch (name) {
      case "range", "network" -> range(value, type, options);
      case "from" -> options.from = end(value, type);
      case "to" -> options.to = end(value, type);
      case "netmask" -> {
        refuseBoth(option, "bitmask");
        options.netmask = (int) number(value, 1, options.inet6 ? 128 : 32);
        options.netmask = options.netmask == (options.inet6 ? 128 : 32) ? 0 : options.netmask;
      }
      case "bitmask" -> {
        refuseBoth(option, "netmask");
        options.bitmask = bitmask(value, options.inet6);
      }
      case "markmask" -> options.markmask = (int) number(value, 1, 0xFFFFFFFFL);
      case "hashsize" -> options.hashsize = number(value, 0, 0xFFFFFFFFL);
      case "maxelem" -> options.maxelem = (int) number(value, 0, 0xFFFFFFFFL);
      case "bucketsize" -> options.bucketsize = (int) number(value, 0, 255);
      case "initval" -> options.initval = (int) number(value, 0, 0xFFFFFFFFL);
      case "size" -> options.size = number(value, 0, 0xFFFFFFFFL);
      case "timeout" -> options.timeout = number(value, 0, MAX_TIMEOUT);
      case "counters" -> options.counters = true;
      case "comment" -> options.comment = true;
      case "skbinfo" -> options.skbinfo = true;
      case "forceadd" -> options.forceadd = true;
      default -> {}
    }
    return name.equals("range") || name.equals("network") || name.equals("to");
  }

  private void once(Token option, String name) {
    if (!given.add(name)) {
      throw new SourceException(option.at(), name + " is given twice");
    }
  }

  private void refuseBoth(Token option, String other) {
    if (given.contains(other)) {
      throw new SourceException(option.at(), "netmask and bitmask exclude each other");
    }
  }

  private static String plain(String option) {
    return option.startsWith("--") ? option.substring(2) : option;
  }

  private void range(Token value, SetType type, SetOptions options) {
    entry.reset(value.at());
    boolean ports = type == SetType.BITMAP_PORT;
    if (ports) {
      IpsetElement.port(value.text(), value.at(), true, false, entry);
      options.from = entry.port;
      options.to = entry.portTo;
    } else {
      IpsetElement.parse(value.text(), value.at(), SetType.HASH_IP, false, entry);
      options.from = entry.ip[0];
      options.to = (int) entry.ipTo;
    }
    if (!ports && entry.cidr >= 0 && entry.cidr < 32) {
      options.from &= io.skbwalk.lib.Ip4.mask(entry.cidr);
      options.to = options.from | ~io.skbwalk.lib.Ip4.mask(entry.cidr);
    } else if (ports ? entry.portTo < 0 : entry.ipTo == SetEntry.NONE) {
      throw new SourceException(
          value.at(),
          (ports ? "a range is FROM-TO" : "a range is FROM-TO or NETWORK/LENGTH")
              + ", not \""
              + value
              + '"');
    }
  }

  private int end(Token value, SetType type) {
    return type == SetType.BITMAP_PORT
        ? (int) number(value, 0, 65_535)
        : IpsetElement.ip4(value.text(), value.at());
  }

  private static int[] bitmask(Token value, boolean inet6) {
    int[] mask =
        inet6
            ? IpsetElement.ip6(value.text(), value.at())
            : new int[] {IpsetElement.ip4(value.text(), value.at())};
    int any = 0;
    for (int word : mask) {
      any |= word;
    }
    if (any == 0) {
      throw new SourceException(value.at(), "bitmask cannot be zero");
    }
    return mask;
  }

  private static long number(Token value, long min, long max) {
    return IpsetElement.number(value.text(), value.at(), min, max);
  }

  // ---- add and del ------------------------------------------------------------------------------

  private void change(boolean adds) {
    Token name = word("the name of a set");
    Token element = word("the element");
    IpSet set = sets.find(name.text());
    if (set == null) {
      throw new SourceException(name.at(), "there is no set called " + name);
    }
    entry.reset(element.at());
    IpsetElement.parse(element.text(), element.at(), set.type, set.options.inet6, entry);
    while (next < words.size()) {
      Token option = words.get(next++);
      String text = plain(option.text());
      boolean placed = text.equals("before") || text.equals("after");
      if (!set.type.addOptions.contains(text) || !adds && !placed) {
        throw new SourceException(
            option.at(),
            (adds ? "add" : "del")
                + " to a "
                + set.type
                + " takes no "
                + text
                + (adds ? "; it takes " + String.join(", ", set.type.addOptions) : ""));
      }
      once(option, text);
      addOption(
          text,
          FLAGS.contains(text) && !text.equals("comment") ? option : word("the value of " + text));
    }
    if (adds) {
      sets.add(name.text(), entry, existInMessage);
    } else {
      sets.delete(name.text(), entry, existInMessage);
    }
  }

  private void addOption(String name, Token value) {
    switch (name) {
      case "timeout" -> entry.timeout = number(value, 0, MAX_TIMEOUT);
      case "nomatch" -> entry.nomatch = true;
      case "wildcard" -> entry.wildcard = true;
      case "before", "after" -> {
        entry.reference = IpsetElement.setName(value.text(), value.at());
        entry.before = name.equals("before");
      }
      case "packets" -> entry.packets = counter(value);
      case "bytes" -> entry.bytes = counter(value);
      case "comment" -> {
        if (value.text().indexOf('"') >= 0 || value.text().length() > LONGEST_COMMENT) {
          throw new SourceException(
              value.at(), "a comment has at most 255 characters and no \" among them");
        }
        entry.comment = value.text();
      }
      default -> skbinfo(name, value);
    }
  }

  private static long counter(Token value) {
    try {
      return Long.parseUnsignedLong(value.text());
    } catch (NumberFormatException e) {
      return number(value, 0, Long.MAX_VALUE);
    }
  }

  private void skbinfo(String name, Token value) {
    entry.skbinfo = true;
    if (name.equals("skbqueue")) {
      entry.skbQueue = (int) number(value, 0, 65_535);
      return;
    }
    boolean mark = name.equals("skbmark");
    String[] halves = value.text().split(mark ? "/" : ":", -1);
    int[] words = new int[2];
    try {
      for (int i = 0; i < halves.length; i++) {
        String half = halves[i];
        if (mark && !half.startsWith("0x")) {
          throw new NumberFormatException();
        }
        words[i] = Integer.parseUnsignedInt(half.startsWith("0x") ? half.substring(2) : half, 16);
      }
      if (halves.length == 1 && !mark) {
        throw new NumberFormatException();
      }
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw new SourceException(
          value.at(),
          (mark
                  ? "skbmark takes 0xMARK or 0xMARK/0xMASK"
                  : "skbprio takes MAJOR:MINOR in hexadecimal")
              + ", not \""
              + value
              + '"');
    }
    if (mark) {
      entry.skbMark = words[0];
      entry.skbMask = halves.length == 2 ? words[1] : -1;
    } else {
      entry.skbPriority = words[0] << 16 | words[1] & 0xFFFF;
    }
  }
}
