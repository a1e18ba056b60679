// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Random scenarios of fixed seeds, through the model and through the kernel. */
class RandomScenariosTest {
  private static final long SEEDS = 500;

  @TestFactory
  Stream<DynamicTest> seeds() {
    return LongStream.range(0, SEEDS)
        .mapToObj(
            seed ->
                dynamicTest(
                    "seed " + seed, () -> AskedKernel.doesAsTheModel(RandomScenario.of(seed))));
  }
}
