// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.replay.Replay;
import java.io.IOException;

/** A capture that can be replayed as often as one likes, each time on a machine of its own. */
public interface Captured {
  /** What its user calls it. */
  String name();

  /** The options of walk that describe the machine; may be empty. */
  String machine();

  /** Replays it under the rules that are looked at; their counters behind it. */
  RuleSet counters() throws IOException;

  /** Replays it under those rules and beside them under others; the records of both, in order. */
  void beside(RuleSet others, Replay.Sink these, Replay.Sink those) throws IOException;
}
