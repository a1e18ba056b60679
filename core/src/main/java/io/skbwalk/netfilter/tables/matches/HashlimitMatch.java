// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.ProcName;
import io.skbwalk.netfilter.tables.RefusedException;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_hashlimit (revision 3): a rate for each address, network or port of its own.
 *
 * @param mode bits of {@link #DESTINATION} and its neighbours
 * @param average parts of a second ({@link #SCALE}) for one packet; in byte mode 2^32 by the
 *     16-byte chunks of a second; without a sign
 * @param burst packets at once; in byte mode seconds that may be used at once, 0 for one
 * @param size buckets of the table, 0 for the kernel's choice
 * @param max entries of the table, 0 for the kernel's choice
 * @param gcInterval milliseconds between looks for idle entries
 * @param expire milliseconds after which an entry is idle
 * @param sourceLength prefix of the source address that counts
 * @param destinationLength prefix of the destination address that counts
 * @param interval seconds of a rate-match
 * @param name of the table
 */
public record HashlimitMatch(
    int mode,
    long average,
    long burst,
    long size,
    long max,
    long gcInterval,
    long expire,
    int sourceLength,
    int destinationLength,
    long interval,
    String name)
    implements Match {
  /** XT_HASHLIMIT_SCALE_v2: millionths of a second. */
  static final long SCALE = 1_000_000;

  /** Bytes are counted in chunks of 16. */
  static final int BYTE_SHIFT = 4;

  static final int DESTINATION = 1;
  static final int DESTINATION_PORT = 1 << 1;
  static final int SOURCE = 1 << 2;
  static final int SOURCE_PORT = 1 << 3;
  private static final int ABOVE = 1 << 4;
  private static final int BYTES = 1 << 5;
  private static final int RATE_MATCH = 1 << 6;
  private static final int GROUPS = DESTINATION | DESTINATION_PORT | SOURCE | SOURCE_PORT;

  private static final int BURST = 5;
  private static final long MOST_BURST = 1_000_000;
  private static final long MOST_SIZE = 1_048_576;
  private static final long GC_INTERVAL = 1000;
  private static final long U32 = 0xFFFFFFFFL;

  /** Milliseconds after which an entry in byte mode is idle, without and with a burst. */
  private static final long BYTE_EXPIRE = 15_000;

  private static final long BYTE_EXPIRE_BURST = 60_000;

  /** {@code -m hashlimit}. */
  public static final MatchType TYPE =
      new MatchType(
          "hashlimit",
          "A rate for each address, network or port of its own.",
          OptionSpec.value("hashlimit-upto", "hashlimit")
              .inverted()
              .about(
                  "Up to this rate: number/second, /minute, /hour, /day, or bytes as 512kb/s.",
                  "5/second"),
          OptionSpec.value("hashlimit-above").inverted().about("Above this rate.", "512kb/s"),
          OptionSpec.value("hashlimit-burst")
              .about("So many at once before the rate applies; bytes in byte mode.", "5"),
          OptionSpec.value("hashlimit-mode")
              .about(
                  "What has a rate of its own: srcip, srcport, dstip, dstport; all together"
                      + " without.",
                  "srcip,dstport"),
          OptionSpec.value("hashlimit-srcmask")
              .about("Sources with this prefix share a rate.", "24"),
          OptionSpec.value("hashlimit-dstmask")
              .about("Destinations with this prefix share a rate.", "24"),
          OptionSpec.value("hashlimit-name").needed().about("The table's name.", "ssh"),
          OptionSpec.value("hashlimit-htable-size").about("Buckets of the table.", "8192"),
          OptionSpec.value("hashlimit-htable-max").about("Entries of the table.", "65536"),
          OptionSpec.value("hashlimit-htable-gcinterval")
              .about("Milliseconds between looks for idle entries.", "1000"),
          OptionSpec.value("hashlimit-htable-expire")
              .about("Milliseconds after which an entry is idle.", "10000"),
          OptionSpec.flag("hashlimit-rate-match")
              .about("Compare the rate of the last interval, and limit nothing."),
          OptionSpec.value("hashlimit-rate-interval").about("Seconds of such an interval.", "1")) {
        @Override
        public Match parse(Options options, int protocol) {
          return HashlimitMatch.read(options);
        }
      };

  // ---- reading ----------------------------------------------------------------------------------

  private static HashlimitMatch read(Options options) {
    String option = options.oneOf(true, "hashlimit-upto", "hashlimit-above");
    int mode = groups(options);
    if (option.equals("hashlimit-above") != options.inverted(option)) {
      mode |= ABOVE;
    }
    long burst = burst(options);
    long bytes = byteRate(options.text(option));
    long average;
    long expire;
    int seconds = 1;
    if (bytes != 0) {
      mode |= BYTES;
      average = averageOf(bytes);
      if (average < 0) {
        throw options.error(option, "the rate is too high for the kernel's counter");
      }
      expire = options.has("hashlimit-burst") ? BYTE_EXPIRE_BURST : BYTE_EXPIRE;
      burst = options.has("hashlimit-burst") ? byteBurst(options, average, burst) : 0;
    } else {
      PacketRate rate = PacketRate.parse(options, option);
      seconds = rate.seconds();
      average = Long.divideUnsigned(SCALE * seconds, rate.number());
      if (average == 0) {
        throw options.error(option, "the rate is too fast; 1000000/second is the most");
      }
      expire = seconds * 1000L;
      if (Long.compareUnsigned(burst, MOST_BURST) > 0) {
        throw options.error("hashlimit-burst", "--hashlimit-burst takes 1 to " + MOST_BURST);
      }
    }
    long interval = interval(options);
    if (options.has("hashlimit-rate-match")) {
      mode |= RATE_MATCH;
      average = bytes != 0 ? average : average / seconds;
      interval = interval != 0 ? interval : seconds;
    }
    return new HashlimitMatch(
            mode,
            average,
            burst,
            Math.min(MOST_SIZE, options.number("hashlimit-htable-size", 0, U32, 0)),
            Math.min(MOST_SIZE, options.number("hashlimit-htable-max", 0, U32, 0)),
            options.number("hashlimit-htable-gcinterval", 1, U32, GC_INTERVAL),
            options.number("hashlimit-htable-expire", 1, U32, expire),
            length(options, "hashlimit-srcmask"),
            length(options, "hashlimit-dstmask"),
            interval,
            name(options))
        .checked(options, option);
  }

  private static int groups(Options options) {
    int mode = 0;
    if (options.has("hashlimit-mode")) {
      for (String word : options.text("hashlimit-mode").split("[,|]")) {
        mode |=
            switch (word) {
              case "" -> 0;
              case "srcip" -> SOURCE;
              case "srcport" -> SOURCE_PORT;
              case "dstip" -> DESTINATION;
              case "dstport" -> DESTINATION_PORT;
              default ->
                  throw options.error(
                      "hashlimit-mode",
                      "--hashlimit-mode takes srcip, srcport, dstip and dstport, not \""
                          + word
                          + "\"");
            };
      }
    }
    return mode;
  }

  /** Plays parse_burst: a number, which k or m behind it multiplies. */
  private static long burst(Options options) {
    if (!options.has("hashlimit-burst")) {
      return BURST;
    }
    String text = options.text("hashlimit-burst").strip();
    int end = 0;
    while (end < text.length() && Character.digit(text.charAt(end), 10) >= 0) {
      end++;
    }
    if (end == text.length() || text.startsWith("0")) {
      return options.number("hashlimit-burst", 1, MOST_BURST, BURST);
    }
    return options.number("hashlimit-burst", text.substring(0, end), 1, Long.MAX_VALUE >>> 20)
        * factor(text.charAt(end));
  }

  private static int factor(char unit) {
    return unit == 'm' ? 1024 * 1024 : unit == 'k' ? 1024 : 1;
  }

  /** Plays parse_bytes: bytes a second, 0 when the text is no such rate. */
  private static long byteRate(String text) {
    int unit = text.indexOf("b/s");
    return unit < 1 ? 0 : PacketRate.leadingNumber(text) * factor(text.charAt(unit - 1));
  }

  /** Plays bytes_to_cost; -1 for the one rate at which iptables divides by 0. */
  private static long averageOf(long bytes) {
    long chunks = (bytes >>> BYTE_SHIFT) + 1 & U32;
    return chunks == 0 ? -1 : U32 / chunks;
  }

  /** Plays cost_to_bytes and user2rate_bytes: the bytes a second of an average. */
  static long bytesOf(long average) {
    return (average == 0 ? U32 : U32 / average) - 1 << BYTE_SHIFT;
  }

  /** Bytes at once become seconds at once. */
  private static long byteBurst(Options options, long average, long burst) {
    long second = bytesOf(average);
    if (second == 0 || Long.compareUnsigned(burst, second) < 0) {
      throw options.error(
          "hashlimit-burst", "the burst cannot be smaller than " + second + " bytes");
    }
    return (burst & U32) / second + (burst % second != 0 ? 1 : 0);
  }

  private static long interval(Options options) {
    if (!options.has("hashlimit-rate-interval")) {
      return 0;
    }
    int seconds = (int) PacketRate.leadingNumber(options.text("hashlimit-rate-interval"));
    if (seconds <= 0) {
      throw options.error(
          "hashlimit-rate-interval", "--hashlimit-rate-interval takes seconds from 1 on");
    }
    return seconds;
  }

  private static int length(Options options, String name) {
    if (!options.has(name)) {
      return 32;
    }
    String text = options.text(name);
    long length = Options.integer(text);
    if (length >= 0 && length <= 32) {
      return (int) length;
    }
    int mask = options.host(name, text);
    int ones = Integer.bitCount(mask);
    if (Ip4.mask(ones) != mask) {
      throw options.error(name, "--" + name + " takes 0 to 32, or a mask that is a prefix");
    }
    return ones;
  }

  private static String name(Options options) {
    String name = ProcName.cut(options.text("hashlimit-name"), 254);
    if (!ProcName.isValid(name)) {
      throw options.error("hashlimit-name", "a table's name is one word without /");
    }
    return name;
  }

  /** Plays hashlimit_mt_check_common's checks of the numbers. */
  private HashlimitMatch checked(Options options, String option) {
    if (isRateMatch() && (average == 0 || average > U32)) {
      throw options.error(option, "the rate is out of the kernel's range");
    }
    if (!isRateMatch() && countsBytes() && HashlimitTable.byteCredits(average) == 0) {
      throw options.error(option, "the rate is too high for the kernel's counter");
    }
    if (!isRateMatch()
        && !countsBytes()
        && Long.compareUnsigned(
                HashlimitTable.credits(average * burst), HashlimitTable.credits(average))
            < 0) {
      throw options.error(
          option, "rate and burst are too large for the kernel's counter; try a lower burst");
    }
    return this;
  }

  // ---- what was written -------------------------------------------------------------------------

  @Override
  public MatchType type() {
    return TYPE;
  }

  boolean countsBytes() {
    return (mode & BYTES) != 0;
  }

  boolean isRateMatch() {
    return (mode & RATE_MATCH) != 0;
  }

  int sourceMask() {
    return Ip4.mask(sourceLength);
  }

  int destinationMask() {
    return Ip4.mask(destinationLength);
  }

  @Override
  public void save(StringBuilder out) {
    out.append((mode & ABOVE) != 0 ? " --hashlimit-above" : " --hashlimit-upto");
    long usualExpire = countsBytes() ? saveBytes(out) : savePackets(out);
    if ((mode & GROUPS) != 0) {
      char separator = ' ';
      out.append(" --hashlimit-mode");
      String[] words = {"srcip", "srcport", "dstip", "dstport"};
      int[] bits = {SOURCE, SOURCE_PORT, DESTINATION, DESTINATION_PORT};
      for (int i = 0; i < words.length; i++) {
        if ((mode & bits[i]) != 0) {
          out.append(separator).append(words[i]);
          separator = ',';
        }
      }
    }
    out.append(" --hashlimit-name ").append(name);
    saveUnless(out, "htable-size", size, 0);
    saveUnless(out, "htable-max", max, 0);
    saveUnless(out, "htable-gcinterval", gcInterval, GC_INTERVAL);
    saveUnless(out, "htable-expire", expire, usualExpire);
    saveUnless(out, "srcmask", sourceLength, 32);
    saveUnless(out, "dstmask", destinationLength, 32);
    if (isRateMatch()) {
      out.append(" --hashlimit-rate-match");
      saveUnless(out, "rate-interval", interval, 1);
    }
  }

  private static void saveUnless(StringBuilder out, String option, long value, long usual) {
    if (value != usual) {
      out.append(" --hashlimit-").append(option).append(' ').append(value);
    }
  }

  /** Returns the milliseconds of expiry that are not printed. */
  private long savePackets(StringBuilder out) {
    PacketRate.save(out, average, SCALE);
    out.append(" --hashlimit-burst ").append(burst);
    return PacketRate.printedSeconds(average, SCALE) * 1000L;
  }

  /** Returns the milliseconds of expiry that are not printed. */
  private long saveBytes(StringBuilder out) {
    long bytes = bytesOf(average);
    int shift = 20;
    while (shift > 0
        && (bytes < 1L << shift || averageOf(bytes & -(1L << shift) & U32) != average)) {
      shift -= 10;
    }
    out.append(' ').append(bytes >>> shift).append(unit(shift)).append("b/s");
    if (burst == 0) {
      return BYTE_EXPIRE;
    }
    long all = bytes * burst;
    shift = all >= 1 << 20 ? 20 : all >= 1 << 10 ? 10 : 0;
    out.append(" --hashlimit-burst ").append(all >>> shift).append(unit(shift)).append('b');
    return BYTE_EXPIRE_BURST;
  }

  private static String unit(int shift) {
    return shift == 20 ? "m" : shift == 10 ? "k" : "";
  }

  // ---- on a machine -----------------------------------------------------------------------------

  @Override
  public PacketMatch bind(Environment environment) {
    HashlimitTable.All tables =
        environment.perNet(HashlimitTable.All.class, HashlimitTable.All::new);
    HashlimitTable shared = tables.find(name);
    if (shared != null && shared.isRateMatch() != isRateMatch()) {
      throw new RefusedException(
          "the table " + name + " is used with and without --hashlimit-rate-match");
    }
    return new Evaluation(
        this,
        tables,
        tables.take(
            name,
            () -> new HashlimitTable(this, environment.net().clock, environment.net().timers)));
  }

  private record Evaluation(HashlimitMatch asked, HashlimitTable.All tables, HashlimitTable table)
      implements PacketMatch {
    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      int ports = 0;
      if (table.groupsBy(SOURCE_PORT | DESTINATION_PORT)) {
        int offset = IpHeader.portsOffset(IpHeader.protocol(skb));
        if (offset >= 0) {
          int at = context.transport + offset;
          if (at + 4 > skb.tail) {
            context.hotdrop = true;
            return false;
          }
          ports = skb.u32(at);
        }
      }
      int entry = table.entry(IpHeader.source(skb), IpHeader.destination(skb), ports);
      if (entry == 0) {
        context.hotdrop = true;
        return false;
      }
      boolean above = (asked.mode & ABOVE) != 0;
      return table.take(entry, skb.length(), asked.countsBytes()) != above;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      if (context.hotdrop) {
        return "no ports to count by, or the table is full: Linux drops such a packet";
      }
      return (asked.mode & ABOVE) != 0 ? "the rate is not exceeded" : "the rate is exceeded";
    }

    @Override
    public void destroy() {
      if (tables.release(asked.name)) {
        table.destroy();
      }
    }
  }
}
