// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.lib.SourcePosition;
import io.skbwalk.skb.SkBuff;

/** What a set found or did, in words; only for packets that somebody watches. */
public final class SetWords {
  private SetWords() {}

  /** What the packet is to the set, such as {@code 192.0.2.1,tcp:80}; null when it is nothing. */
  public static String element(IpSet set, SkBuff skb, SetQuery query) {
    boolean possible = query.dimension() >= set.type.dimension() && !set.options.inet6;
    return possible ? set.packetElement(skb, query) : null;
  }

  /** A traffic class, {@code MAJOR:MINOR} in hexadecimal. */
  public static String priority(int priority) {
    return Extensions.priority(priority);
  }

  /**
   * Why {@link IpSet#test} has just said what it said.
   *
   * @param is what it said
   */
  public static String of(IpSet set, SkBuff skb, SetQuery query, boolean is) {
    String element = element(set, skb, query);
    if (query.dimension() < set.type.dimension()) {
      return "set "
          + set
          + " is a "
          + set.type
          + ", which needs "
          + set.type.dimension()
          + " directions: with "
          + query.dimension()
          + " nothing is in it";
    }
    if (element == null) {
      return "the packet is nothing that a " + set.type + " could hold";
    }
    StringBuilder out = new StringBuilder(element);
    if (is && query.foundIn != null) {
      out.append(" is in set ").append(set);
      if (query.foundIn != set) {
        out.append(" through its member ").append(query.foundIn);
      }
      appendFound(out, query.foundIn, query.found);
      return out.toString();
    }
    if (is) {
      return out.append(" is in set ").append(set).toString();
    }
    IpSet holder = set instanceof ListSet list ? list.holder(skb, query) : set;
    int held = holder == null ? -1 : holder.peek(skb, query);
    if (held < 0) {
      return out.append(" is not in set ").append(set).toString();
    }
    if (holder.timeRuns(held) && holder.extensions.isExpired(held)) {
      return out.append(" is in set ")
          .append(holder)
          .append(" no more: its time ran out")
          .toString();
    }
    out.append(" is in set ").append(holder);
    boolean exception = holder.type.takesNomatch() && holder.isFlagged(held, "nomatch");
    if (exception != query.returnsNomatch) {
      out.append(exception ? " as an exception" : " but not as an exception");
    } else {
      out.append(" but does not count as the rule asks");
    }
    appendFound(out, holder, held);
    return out.toString();
  }

  private static void appendFound(StringBuilder out, IpSet set, int element) {
    out.append(": ");
    set.describe(out, element);
    SourcePosition at = set.extensions.position(element);
    out.append(at.line() == 0 ? "" : " (" + at.fileAndLine() + ")");
  }

  /** What became of {@link IpSet#add}; {@code element} is what the packet was to the set before. */
  public static String added(IpSet set, String element, SetQuery query) {
    return changed(set, element, query, "added to");
  }

  /** What became of {@link IpSet#delete}. */
  public static String deleted(IpSet set, String element, SetQuery query) {
    return changed(set, element, query, "deleted from");
  }

  private static String changed(IpSet set, String element, SetQuery query, String done) {
    if (element == null) {
      return "the packet is nothing that set " + set + " could hold";
    }
    SetError error = SetError.of(query.result);
    if (query.result == IpSet.NONE) {
      return element + " " + done + " set " + (query.foundIn == null ? set : query.foundIn);
    }
    return element
        + " not "
        + done
        + " set "
        + set
        + ": "
        + (error == null ? "its bucket is full, and only ipset itself makes room" : error.text);
  }
}
