// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays struct nf_osf_user_finger: how the SYN of one operating system looks, as a line of pf.os
 * says it.
 *
 * @param windowIs one of the WINDOW_ constants
 * @param window what that is about
 * @param ttl the TTL that it starts with
 * @param df is Don't Fragment set?
 * @param size of the whole packet, bytes
 * @param kinds of its TCP options, in order; the byte that each begins with
 * @param lengths of its TCP options, bytes
 */
public record OsFingerprint(
    int windowIs,
    int window,
    int ttl,
    boolean df,
    int size,
    List<Integer> kinds,
    List<Integer> lengths,
    String genre,
    String version,
    String subtype) {
  /** {@link #windowIs}: just that, any when 0. */
  private static final int WINDOW_PLAIN = 0;

  /** So many times the segment size. */
  private static final int WINDOW_MSS = 1;

  /** So many times the segment size with headers. */
  private static final int WINDOW_MTU = 2;

  /** A multiple of it. */
  private static final int WINDOW_MODULO = 3;

  private static final int FIELDS = 9;
  private static final int MOST_NAME = 31;
  private static final int MOST_OPTIONS = 40;

  /** Segment sizes that a modem may have put into the option: the usual, and less a timestamp. */
  private static final int[] SMART_SIZES = {1460, 1448};

  private static final int HEADERS = 40;

  private static final String LETTERS = "ENMWST";
  private static final int[] KINDS = {0, 1, 2, 3, 4, 8};
  private static final int[] LENGTHS = {1, 1, 4, 3, 2, 10};

  /** Copies the lists. */
  public OsFingerprint {
    kinds = List.copyOf(kinds);
    lengths = List.copyOf(lengths);
  }

  /**
   * Plays nfnl_osf's osf_load_line and nfnl_osf_add_callback.
   *
   * @param line {@code WINDOW:TTL:DF:SIZE:OPTION,OPTION...:GENRE:VERSION:SUBTYPE:DETAILS}
   * @throws IllegalArgumentException when it is none
   */
  public static OsFingerprint parse(String line) {
    String[] fields = line.split(":", -1);
    if (fields.length != FIELDS) {
      throw new IllegalArgumentException(
          "a fingerprint is window:ttl:df:size:options:genre:version:subtype:details, as in pf.os,"
              + " not \""
              + line
              + "\"");
    }
    String window = fields[0];
    int is = Math.max(0, ".ST%".indexOf(window.isEmpty() ? '.' : window.charAt(0)));
    String number = is == WINDOW_PLAIN ? window : window.substring(1);
    number = is == WINDOW_MSS || is == WINDOW_MTU ? number.replaceFirst("^%", "") : number;
    int value = number.equals("*") ? 0 : number(number, 65_535, line);
    if (is == WINDOW_MODULO && value == 0) {
      throw new IllegalArgumentException("no window is a multiple of 0: \"" + line + "\"");
    }
    List<Integer> kinds = new ArrayList<>();
    List<Integer> lengths = new ArrayList<>();
    for (String option : fields[4].split(",")) {
      int which = option.isBlank() ? -1 : LETTERS.indexOf(option.strip().charAt(0));
      // What else nfnl_osf reads, such as a dot for no options, stands for none.
      if (which >= 0) {
        kinds.add(KINDS[which]);
        lengths.add(LENGTHS[which]);
      }
    }
    if (lengths.stream().mapToInt(Integer::intValue).sum() > MOST_OPTIONS) {
      throw new IllegalArgumentException("TCP options are 40 bytes at most: \"" + line + "\"");
    }
    return new OsFingerprint(
        is,
        value,
        number(fields[1], 255, line),
        number(fields[2], 1, line) != 0,
        number(fields[3], 65_535, line),
        kinds,
        lengths,
        name(fields[5].replaceFirst("^[@*]", "")),
        name(fields[6]),
        name(fields[7]));
  }

  private static int number(String text, int most, String line) {
    if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) > most) {
      throw new IllegalArgumentException(
          "expected a number from 0 to " + most + ", not \"" + text + "\", in \"" + line + "\"");
    }
    return Integer.parseInt(text);
  }

  private static String name(String text) {
    return text.substring(0, Math.min(text.length(), MOST_NAME));
  }

  /**
   * Plays nf_osf_match_one but for the TTL: does the SYN at {@code tcp}, whose options are whole,
   * look so?
   */
  public boolean matches(SkBuff skb, int tcp) {
    int at = tcp + TcpHeader.MIN_LENGTH;
    int end = tcp + Math.max(TcpHeader.headerLength(skb, tcp), TcpHeader.MIN_LENGTH);
    if (IpHeader.totalLength(skb) != size || end - at != length()) {
      return false;
    }
    int mss = 0;
    for (int i = 0; i < kinds.size(); i++) {
      if (skb.u8(at) != kinds.get(i)) {
        return false;
      }
      if (kinds.get(i) == TcpHeader.OPTION_MSS) {
        mss = skb.u16(at + 2);
      }
      at += lengths.get(i);
    }
    int seen = skb.u16(tcp + TcpHeader.WINDOW_OFFSET);
    return switch (windowIs) {
      case WINDOW_MSS -> isTimes(seen, mss, 0);
      case WINDOW_MTU -> isTimes(seen, mss, HEADERS);
      case WINDOW_MODULO -> seen % window == 0;
      default -> window == 0 || seen == window;
    };
  }

  private int length() {
    int length = 0;
    for (int i = 0; i < lengths.size(); i++) {
      length += lengths.get(i);
    }
    return length;
  }

  private boolean isTimes(int seen, int mss, int headers) {
    if (seen == window * (mss + headers)) {
      return true;
    }
    for (int smart : SMART_SIZES) {
      if (seen == window * (smart + headers)) {
        return true;
      }
    }
    return false;
  }
}
