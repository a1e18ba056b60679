// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import io.skbwalk.snapshot.SavedOutput;
import io.skbwalk.snapshot.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rules that iptables-nft has put into the running kernel's nf_tables: their snapshot is that of
 * the same rules in iptables-legacy, though they are counted and come in another order of tables.
 */
class SnapshotOfNftablesTest {
  @ParameterizedTest
  @ValueSource(strings = {"docker.v4", "shorewall.v4", "ufw.v4"})
  void rulesAreThoseOfLegacy(String file) throws IOException {
    AskedKernel.orSkip();
    String rules = Files.readString(Path.of("../rules", file));
    String nft = saved(rules, "iptables-nft-restore && iptables-nft-save -c");
    assertTrue(nft.contains("(nf_tables)"), nft);
    Snapshot fromNft = snapshot(SavedOutput.NFT_RULES, nft);
    String legacy = saved(rules, "iptables-legacy-restore && iptables-legacy-save");
    Snapshot fromLegacy = snapshot(SavedOutput.LEGACY_RULES, legacy);
    assertEquals(List.of(), fromNft.omissions());
    assertEquals(printed(fromLegacy), printed(fromNft));
    assertEquals(fromLegacy.hostFile(), fromNft.hostFile());
  }

  /** What a new namespace says of rules that it has taken. */
  private static String saved(String rules, String commands) throws IOException {
    return Commands.runWith(rules, "unshare", "-n", "sh", "-c", commands);
  }

  private static Snapshot snapshot(SavedOutput output, String rules) {
    Map<SavedOutput, String> saved = new EnumMap<>(SavedOutput.class);
    saved.put(SavedOutput.HOSTNAME, "machine\n");
    saved.put(SavedOutput.ADDRESSES, "[]");
    saved.put(SavedOutput.ROUTES, "[]");
    saved.put(output, rules);
    return Snapshot.of(saved);
  }

  private static String printed(Snapshot snapshot) {
    return IptablesSavePrinter.print(
        RulesFile.merge(List.of(RulesFile.parse("rules.v4", snapshot.rules()))), false);
  }
}
