// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.lib.SourcePosition;
import io.skbwalk.replay.FrameRecord;
import java.util.function.BiPredicate;
import java.util.function.Function;

/**
 * One thing that is expected of a packet.
 *
 * @param key as it is written
 * @param wanted what is expected
 * @param at where that is written
 * @param seen what is there instead, in the same words; null for none
 * @param same is what is seen that which is wanted?
 * @param part where in a packet's walk it shows
 */
record Check(
    String key,
    Wanted wanted,
    SourcePosition at,
    Function<FrameRecord, String> seen,
    BiPredicate<String, String> same,
    WalkPart part) {

  boolean holds(FrameRecord record) {
    return wanted.holds(seen.apply(record), same);
  }

  Failure.Mismatch mismatch(FrameRecord record) {
    String got = seen.apply(record);
    return new Failure.Mismatch(at, key, wanted.inWords(), got == null ? Wanted.NONE : got);
  }
}
