// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.replay.FrameRecord;
import java.util.Arrays;
import java.util.Objects;

/** Whether the same became of a frame under two rule sets. */
final class Alike {
  private Alike() {}

  /** Of replays that kept ends; the bytes of what left count where departures were kept. */
  static boolean are(FrameRecord a, FrameRecord b) {
    return a.fate == b.fate
        && a.reason == b.reason
        && Objects.equals(a.at, b.at)
        && a.mark == b.mark
        && a.connmark == b.connmark
        && Objects.equals(a.state, b.state)
        && Objects.equals(a.end, b.end)
        && leftAlike(a, b);
  }

  private static boolean leftAlike(FrameRecord a, FrameRecord b) {
    if (a.outs.size() != b.outs.size()) {
      return false;
    }
    for (int i = 0; i < a.outs.size(); i++) {
      FrameRecord.Out one = a.outs.get(i);
      FrameRecord.Out other = b.outs.get(i);
      if (!one.device().equals(other.device())
          || one.forwarded() != other.forwarded()
          || !Arrays.equals(one.frame(), other.frame())) {
        return false;
      }
    }
    return true;
  }
}
