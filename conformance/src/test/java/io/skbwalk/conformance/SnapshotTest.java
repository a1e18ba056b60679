// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.skbwalk.conformance.Comparison.Difference;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.language.HostFile;
import io.skbwalk.snapshot.Omission;
import io.skbwalk.snapshot.Snapshot;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Machines set up at random in namespaces of the running kernel and snapshotted: the model of the
 * snapshot does with each frame what that very machine then does.
 */
class SnapshotTest {
  private static final int SEEDS = 20;

  /** What a snapshot of a random machine may lack. */
  private static final Set<String> EXPECTED = Set.of("sysctls that are not modelled");

  @TestFactory
  Stream<DynamicTest> seeds() {
    return LongStream.iterate(5_000, seed -> seed + 1)
        .mapToObj(RandomScenario::of)
        .filter(SnapshotTest::showsAll)
        .limit(SEEDS)
        .map(scenario -> dynamicTest(scenario.name(), () -> isTheMachine(scenario)));
  }

  /** Is all that the outcome depends on shown by what is asked, and nothing drawn by the kernel? */
  private static boolean showsAll(Scenario scenario) {
    return scenario.named().accounting().isEmpty()
        && scenario.named().timeouts().isEmpty()
        && scenario.host().netfilter().queues().isEmpty()
        // Where the kernel has no raw_diag, ss does not know a raw socket's interface.
        && scenario.host().sockets().stream()
            .noneMatch(one -> one.kind() == SocketKind.RAW && one.device() != null)
        // An element without an Ethernet address gets, from what the machine itself sends, whatever
        // was in memory before the packet.
        && !scenario.named().ipsets().contains("bitmap:ip,mac")
        && !scenario.takesTime()
        && !scenario.rules().contains("--mode random")
        && !scenario.rules().contains("MASQUERADE")
        && !scenario.choosesSequences();
  }

  private static void isTheMachine(Scenario scenario) throws IOException {
    AskedKernel.orSkip();
    KernelMachine.Asked machine = KernelMachine.ask(scenario);
    Snapshot snapshot = Snapshot.of(machine.outputs());
    for (Omission omission : snapshot.omissions()) {
      assertTrue(EXPECTED.stream().anyMatch(omission.what()::endsWith), omission::toString);
    }
    HostDescription host = HostFile.parse("host.yaml", snapshot.hostFile()).description();
    Scenario replayed = new Scenario(scenario.name(), host, snapshot.rules(), scenario.steps());
    Outcome model = inAnyOrder(ModelMachine.run(replayed));
    Outcome kernel = inAnyOrder(machine.outcome());
    List<Difference> differences = Comparison.of(replayed, kernel, kernel, model);
    if (!differences.isEmpty()) {
      // What the kernel chooses at random is what its next run has otherwise.
      Outcome again = inAnyOrder(KernelMachine.runInNew(scenario));
      differences = Comparison.of(replayed, kernel, again, model);
    }
    if (!differences.isEmpty()) {
      Difference first = differences.get(0);
      fail(
          first.text()
              + "\n\n"
              + snapshot.hostFile()
              + snapshot.rules()
              + Explanation.of(scenario, first.frame()));
    }
  }

  /**
   * Sockets are listed by ss in another order than they were opened in, elements of a set that was
   * changed in another than they were added in, and the one that sends what the machine itself
   * sends is among them.
   */
  private static Outcome inAnyOrder(Outcome outcome) {
    return new Outcome(
        outcome.steps(),
        outcome.counters(),
        outcome.conntrack(),
        outcome.sockets().stream().filter(one -> !one.contains("protocol 255")).sorted().toList(),
        outcome.events(),
        outcome.expectations(),
        outcome.accounting(),
        outcome.ipsets().stream().sorted().toList(),
        outcome.aside());
  }
}
