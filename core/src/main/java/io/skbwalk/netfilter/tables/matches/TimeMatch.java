// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.kernel.Clock;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Plays xt_time: when the packet is looked at, by the machine's clock. The kernel's time zone is
 * UTC here.
 *
 * @param dateStart seconds since the epoch
 * @param dateStop likewise, included
 * @param dayStart seconds since midnight
 * @param dayStop likewise, included; before dayStart when the time goes over midnight
 * @param monthDays bits 1 to 31
 * @param weekDays bits 1 (Monday) to 7
 */
public record TimeMatch(
    long dateStart,
    long dateStop,
    int dayStart,
    int dayStop,
    int monthDays,
    int weekDays,
    boolean kernelZone,
    boolean contiguous)
    implements Match {
  private static final int DAY = 86_400;
  private static final int LAST_SECOND = DAY - 1;
  private static final long NO_STOP = Integer.MAX_VALUE;
  private static final int ALL_MONTH_DAYS = 0xFFFFFFFE;
  private static final int ALL_WEEK_DAYS = 0xFE;
  private static final List<String> WEEK =
      List.of("", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun");
  private static final Pattern DATE_PARTS =
      Pattern.compile("([^-]*)(?:-([^-]*)(?:-([^T]*)(?:T([^:]*)(?::([^:]*)(?::(.*))?)?)?)?)?");
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss", Locale.ROOT);

  /** {@code -m time}. */
  public static final MatchType TYPE =
      new MatchType(
          "time",
          "When the packet is looked at, by the machine's clock; its time zone is UTC.",
          OptionSpec.value("datestart")
              .about("From this date on: YYYY[-MM[-DD[Thh[:mm[:ss]]]]].", "2026-01-01T08:00"),
          OptionSpec.value("datestop")
              .about("Up to this date; 2038-01-19T03:14:07 without it.", "2026-12-31"),
          OptionSpec.value("timestart").about("From this time of day on: hh:mm[:ss].", "08:00"),
          OptionSpec.value("timestop")
              .about("Up to this time of day, of the next day when it is earlier.", "17:30"),
          OptionSpec.flag("contiguous")
              .about("A time that goes over midnight belongs to the day that it began on."),
          OptionSpec.value("weekdays")
              .inverted()
              .about("Days of the week: Mon to Sun, or 1 to 7.", "Mon,Tue,Wed,Thu,Fri"),
          OptionSpec.value("monthdays").inverted().about("Days of the month: 1 to 31.", "1,15"),
          OptionSpec.flag("localtz").about("The older name of kerneltz."),
          OptionSpec.flag("utc").about("The times are UTC, which they are without it, too."),
          OptionSpec.flag("kerneltz").about("The times are in the kernel's time zone: UTC here.")) {
        @Override
        public Match parse(Options options, int protocol) {
          options.oneOf(false, "utc", "localtz");
          options.oneOf(false, "utc", "kerneltz");
          TimeMatch match =
              new TimeMatch(
                  date(options, "datestart", 0),
                  date(options, "datestop", NO_STOP),
                  timeOfDay(options, "timestart", 0),
                  timeOfDay(options, "timestop", LAST_SECOND),
                  monthDays(options),
                  weekDays(options),
                  options.has("kerneltz") || options.has("localtz"),
                  options.has("contiguous"));
          if (match.contiguous && match.dayStart < match.dayStop) {
            throw options.error(
                "contiguous", "--contiguous is for a --timestop that is before --timestart");
          }
          return match;
        }
      };

  /** A date as mktime makes it from parts that need not exist: February 30 is March 1 or 2. */
  private static long date(Options options, String option, long otherwise) {
    if (!options.has(option)) {
      return otherwise;
    }
    int[] most = {2038, 12, 31, 23, 59, 59};
    int[] parts = {0, 1, 1, 0, 0, 0};
    Matcher words = DATE_PARTS.matcher(options.text(option));
    boolean right = words.matches();
    for (int i = 0; right && i < parts.length; i++) {
      parts[i] = words.group(i + 1) == null ? parts[i] : decimal(words.group(i + 1), most[i]);
      right = parts[i] >= 0;
    }
    if (!right || parts[0] < 1970) {
      throw options.error(
          option,
          "--" + option + " takes a date from 1970 to 2038 as YYYY[-MM[-DD[Thh[:mm[:ss]]]]]");
    }
    long seconds =
        LocalDateTime.of(parts[0], 1, 1, parts[3], parts[4], parts[5])
            .plusMonths(parts[1] - 1)
            .plusDays(parts[2] - 1)
            .toEpochSecond(ZoneOffset.UTC);
    if (seconds < 0) {
      throw options.error(option, "--" + option + " is before 1970");
    }
    return seconds;
  }

  private static int timeOfDay(Options options, String option, int otherwise) {
    if (!options.has(option)) {
      return otherwise;
    }
    int[] most = {23, 59, 59};
    int[] parts = {0, 0, 0};
    String[] words = options.text(option).split(":", -1);
    boolean right = words.length == 2 || words.length == 3;
    for (int i = 0; right && i < words.length; i++) {
      parts[i] = decimal(words[i], most[i]);
      right = parts[i] >= 0;
    }
    if (!right) {
      throw options.error(
          option, "--" + option + " takes a time from 00:00:00 to 23:59:59 as hh:mm[:ss]");
    }
    return (parts[0] * 60 + parts[1]) * 60 + parts[2];
  }

  /** A decimal number up to {@code most}, nothing being 0; -1 when it is none. */
  private static int decimal(String text, int most) {
    String digits = text.stripLeading().replaceFirst("^\\+", "");
    if (digits.isEmpty() && text.isEmpty()) {
      return 0;
    }
    int value = digits.matches("[0-9]{1,9}") ? Integer.parseInt(digits) : -1;
    return value <= most ? value : -1;
  }

  private static int monthDays(Options options) {
    if (!options.has("monthdays")) {
      return ALL_MONTH_DAYS;
    }
    int days = 0;
    for (String word : words(options.text("monthdays"), 2)) {
      long day = word.isEmpty() ? 0 : Options.integer(word);
      if (day < 0 || day > 31) {
        throw options.error("monthdays", "\"" + word + "\" is no day of a month (1 to 31)");
      }
      days |= 1 << day;
    }
    return options.inverted("monthdays") ? days ^ ALL_MONTH_DAYS : days;
  }

  private static int weekDays(Options options) {
    if (!options.has("weekdays")) {
      return ALL_WEEK_DAYS;
    }
    int days = 0;
    for (String word : words(options.text("weekdays"), 3)) {
      long number = word.isEmpty() ? 0 : Options.integer(word);
      if (number == 0) {
        throw options.error("weekdays", "the days of the week begin with 1, Monday");
      }
      if (number > 0) {
        days |= 1 << number & 0xFF;
        continue;
      }
      int day = 0;
      for (int i = 1; i < WEEK.size() && word.length() >= 2; i++) {
        day = WEEK.get(i).startsWith(word.substring(0, 2)) ? i : day;
      }
      if (day == 0) {
        throw options.error("weekdays", "\"" + word + "\" is no day of the week (Mon to Sun)");
      }
      days |= 1 << day;
    }
    return options.inverted("weekdays") ? days ^ ALL_WEEK_DAYS : days;
  }

  /** The parts of a list; iptables looks at the first {@code length} characters of each. */
  private static List<String> words(String text, int length) {
    String list = text.endsWith(",") ? text.substring(0, text.length() - 1) : text;
    return list.isEmpty()
        ? List.of()
        : List.of(list.split(",", -1)).stream()
            .map(word -> word.substring(0, Math.min(word.length(), length)))
            .toList();
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (dayStart != 0 || dayStop != LAST_SECOND) {
      out.append(" --timestart ").append(clockTime(dayStart));
      out.append(" --timestop ").append(clockTime(dayStop));
    }
    if (monthDays != ALL_MONTH_DAYS) {
      out.append(" --monthdays ").append(dayNames(monthDays, 31));
    }
    if (weekDays != ALL_WEEK_DAYS) {
      out.append(" --weekdays ").append(dayNames(weekDays, 7));
    }
    if (dateStart != 0) {
      out.append(" --datestart ").append(dateText(dateStart));
    }
    // iptables-save prints the date without which there is no end, too.
    if (dateStop != 0) {
      out.append(" --datestop ").append(dateText(dateStop));
    }
    out.append(kernelZone ? " --kerneltz" : "").append(contiguous ? " --contiguous" : "");
  }

  private static String clockTime(int seconds) {
    return String.format(
        Locale.ROOT, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  private static String dateText(long seconds) {
    return DATE.format(Instant.ofEpochSecond(seconds).atOffset(ZoneOffset.UTC));
  }

  private static String dayNames(int days, int last) {
    StringBuilder out = new StringBuilder();
    for (int day = 1; day <= last; day++) {
      if ((days >>> day & 1) != 0) {
        out.append(out.length() == 0 ? "" : ",");
        out.append(last == 7 ? WEEK.get(day) : Integer.toString(day));
      }
    }
    return out.toString();
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new Now(this, environment.net().clock);
  }

  /** In the order in which the kernel looks. */
  private enum Miss {
    NONE,
    DATE,
    TIME_OF_DAY,
    WEEK_DAY,
    MONTH_DAY
  }

  private record Now(TimeMatch when, Clock clock) implements PacketMatch {
    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      return Conditions.Beyond.READS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      return miss(clock.seconds()) == Miss.NONE;
    }

    private Miss miss(long now) {
      if (now < when.dateStart || now > when.dateStop) {
        return Miss.DATE;
      }
      int second = (int) (now % DAY);
      boolean overMidnight = when.dayStart >= when.dayStop;
      boolean late = second >= when.dayStart;
      boolean early = second <= when.dayStop;
      if (overMidnight ? !late && !early : !late || !early) {
        return Miss.TIME_OF_DAY;
      }
      long day = now / DAY - (overMidnight && when.contiguous && early ? 1 : 0);
      // The first of January 1970 was a Thursday.
      if ((when.weekDays >>> (day + 3) % 7 + 1 & 1) == 0) {
        return Miss.WEEK_DAY;
      }
      boolean everyDay = when.monthDays == ALL_MONTH_DAYS;
      return everyDay || (when.monthDays >>> dayOfMonth(day) & 1) != 0 ? Miss.NONE : Miss.MONTH_DAY;
    }

    /** Day of the month, from 1, of a day since the epoch; it makes no object. */
    private static int dayOfMonth(long epochDay) {
      // Years begin in March here, so that a leap day is a year's last: 400 of them repeat.
      int day = (int) ((epochDay + 719_468) % 146_097);
      int year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
      int dayOfYear = day - (365 * year + year / 4 - year / 100);
      int month = (5 * dayOfYear + 2) / 153;
      return dayOfYear - (153 * month + 2) / 5 + 1;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      long now = clock.seconds();
      String text = dateText(now);
      return switch (miss(now)) {
        case DATE -> "it is " + text;
        case TIME_OF_DAY -> "it is " + text.substring(11);
        case WEEK_DAY -> "it is " + WEEK.get((int) ((now / DAY + 3) % 7) + 1) + ", " + text;
        default ->
            "it is day " + Integer.parseInt(text.substring(8, 10)) + " of the month, " + text;
      };
    }
  }
}
