// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription.Fingerprint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The fingerprints that nfnl_osf has loaded. The kernel keeps one list for all namespaces: they are
 * loaded once, and taken out again when the program ends.
 */
final class KernelFingerprints {
  private static final Set<List<Fingerprint>> LOADED = new HashSet<>();

  private KernelFingerprints() {}

  /** Loads {@code fingerprints}, if that has not been done. */
  static synchronized void load(List<Fingerprint> fingerprints) throws IOException {
    if (fingerprints.isEmpty() || !LOADED.add(fingerprints)) {
      return;
    }
    Path file = Files.createTempFile("fingerprints", ".os");
    file.toFile().deleteOnExit();
    Files.write(file, fingerprints.stream().map(Fingerprint::line).toList());
    Commands.run("nfnl_osf", "-f", file.toString());
    Runtime.getRuntime().addShutdownHook(new Thread(() -> remove(file)));
  }

  private static void remove(Path file) {
    try {
      Commands.run("nfnl_osf", "-d", "-f", file.toString());
    } catch (IOException e) {
      // They stay until the machine is restarted, and match nobody else's systems.
    }
  }
}
