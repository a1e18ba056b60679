// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.Quoting;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.nio.charset.StandardCharsets;

/** Plays xt_comment: a note of up to 255 bytes, which every packet matches. */
public record CommentMatch(String comment) implements StatelessMatch {
  /** {@code -m comment}. */
  public static final MatchType TYPE =
      new MatchType(
          "comment",
          "A note that every packet matches.",
          OptionSpec.value("comment").needed().about("A note, up to 255 bytes.")) {
        @Override
        public Match parse(Options options, int protocol) {
          String text = options.text("comment");
          if (text.getBytes(StandardCharsets.UTF_8).length > 255) {
            throw options.error("comment", "a comment has at most 255 bytes");
          }
          if (text.indexOf('\n') >= 0) {
            throw options.error("comment", "a comment is one line");
          }
          return new CommentMatch(text);
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --comment");
    Quoting.append(out, comment);
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return true;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "";
  }
}
