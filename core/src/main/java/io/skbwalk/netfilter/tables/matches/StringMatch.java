// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Plays xt_string: bytes that stand somewhere in the packet.
 *
 * @param pattern its bytes, one a character (ISO 8859-1)
 * @param from first offset from the IP header where it may begin
 * @param to offset before which it must end
 */
public record StringMatch(
    String pattern, boolean inverted, String algorithm, int from, int to, boolean ignoreCase)
    implements Match {
  private static final int MOST = 128;
  private static final int END = 0xFFFF;
  private static final String BOYER_MOORE = "bm";
  private static final String KMP = "kmp";

  /** {@code -m string}. */
  public static final MatchType TYPE =
      new MatchType(
          "string",
          "Bytes that stand somewhere in the packet.",
          OptionSpec.value("string")
              .inverted()
              .about("What to look for, at most 128 bytes.", "GET /index.html"),
          OptionSpec.value("hex-string")
              .inverted()
              .about("The same, with bytes in hexadecimal between bars.", "|0d 0a|Host: "),
          OptionSpec.value("algo")
              .needed()
              .about("How to look: bm (Boyer-Moore) or kmp (Knuth-Morris-Pratt).", "bm"),
          OptionSpec.value("from").about("Offset from the IP header where to begin.", "40"),
          OptionSpec.value("to").about("Offset before which it must end.", "120"),
          OptionSpec.flag("icase").about("Small and capital letters are the same.")) {
        @Override
        public Match parse(Options options, int protocol) {
          String option = options.oneOf(true, "string", "hex-string");
          String pattern =
              option.equals("string")
                  ? new String(
                      options.text(option).getBytes(StandardCharsets.UTF_8),
                      StandardCharsets.ISO_8859_1)
                  : new HexString(options, option).read();
          if (pattern.isEmpty() || pattern.length() > MOST) {
            throw options.error(option, "--" + option + " takes 1 to " + MOST + " bytes");
          }
          String algorithm = options.text("algo");
          if (!algorithm.equals(BOYER_MOORE) && !algorithm.equals(KMP)) {
            throw options.error("algo", "--algo takes bm or kmp, not \"" + algorithm + "\"");
          }
          return new StringMatch(
              pattern,
              options.inverted(option),
              algorithm,
              (int) options.number("from", 0, END, 0),
              (int) options.number("to", 0, END, END),
              options.has("icase"));
        }
      };

  /** Reads the value of {@code --hex-string}: text, and bytes in hexadecimal between bars. */
  private static final class HexString {
    private final Options options;
    private final String option;
    private final String text;
    private final List<Integer> bytes = new ArrayList<>();

    HexString(Options options, String option) {
      this.options = options;
      this.option = option;
      this.text =
          new String(
              options.text(option).getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    String read() {
      boolean hexadecimal = false;
      int at = 0;
      while (at < text.length()) {
        char c = text.charAt(at);
        // Only one bar is looked at between two bytes: of "||" the second stands for itself.
        if (c == '|') {
          hexadecimal = !hexadecimal;
          do {
            at++;
          } while (hexadecimal && at < text.length() && text.charAt(at) == ' ');
          if (at == text.length()) {
            break;
          }
        } else if (c == '\\' && hexadecimal) {
          throw options.error(option, "a backslash may not stand between the bars");
        }
        if (hexadecimal) {
          at = twoDigits(at);
        } else if (c == '\\') {
          if (at + 1 == text.length()) {
            throw options.error(option, "nothing follows the backslash");
          }
          bytes.add((int) text.charAt(at + 1));
          at += 2;
        } else {
          bytes.add((int) text.charAt(at));
          at++;
        }
      }
      StringBuilder pattern = new StringBuilder();
      bytes.forEach(one -> pattern.append((char) one.intValue()));
      return pattern.toString();
    }

    private int twoDigits(int at) {
      boolean whole =
          at + 2 < text.length()
              && HexFormat.isHexDigit(text.charAt(at))
              && HexFormat.isHexDigit(text.charAt(at + 1));
      if (!whole) {
        throw options.error(
            option, "between the bars stand bytes of two hexadecimal digits, then a bar");
      }
      bytes.add(HexFormat.fromHexDigits(text, at, at + 2));
      return text.charAt(at + 2) == ' ' ? at + 3 : at + 2;
    }
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " !" : "").append(quoted());
    out.append(" --algo ").append(algorithm);
    if (from != 0) {
      out.append(" --from ").append(from);
    }
    if (to != END) {
      out.append(" --to ").append(to);
    }
    out.append(ignoreCase ? " --icase" : "");
  }

  /** The option and its value: in hexadecimal when text would not do. */
  private String quoted() {
    boolean plain = !pattern.endsWith("\\");
    for (int i = 0; i < pattern.length(); i++) {
      plain &= pattern.charAt(i) >= ' ' && pattern.charAt(i) <= '~';
    }
    return plain
        ? " --string \"" + pattern.replace("\\", "\\\\").replace("\"", "\\\"") + "\""
        : " --hex-string \"|" + HexFormat.of().formatHex(bytes()) + "|\"";
  }

  private byte[] bytes() {
    return pattern.getBytes(StandardCharsets.ISO_8859_1);
  }

  @Override
  public String refusal(RulePlace place) {
    return from > to ? "--from " + from + " is beyond --to " + to : null;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    TextSearch search =
        algorithm.equals(KMP)
            ? new TextSearch.Kmp(bytes(), ignoreCase)
            : new TextSearch.BoyerMoore(bytes(), ignoreCase);
    return new Search(search, from, to, inverted);
  }

  private record Search(TextSearch search, int from, int to, boolean inverted)
      implements PacketMatch {
    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      return Conditions.Beyond.READS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      return (find(skb) != TextSearch.NOWHERE) != inverted;
    }

    /** Its first offset; the search itself goes on behind {@link #to}, what it finds must not. */
    private int find(SkBuff skb) {
      if (from >= to || from >= skb.length()) {
        return TextSearch.NOWHERE;
      }
      int found = search.find(skb.head, skb.data + from, skb.tail);
      boolean within = found >= 0 && found - skb.data + search.pattern.length <= to;
      return within ? found - skb.data : TextSearch.NOWHERE;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      int found = find(skb);
      return found == TextSearch.NOWHERE
          ? "the bytes are not there"
          : "the bytes stand at offset " + found;
    }
  }
}
