// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.snapshot.Omission;
import io.skbwalk.snapshot.SavedOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What the programs of a machine say of it: run now, or saved in a folder. */
final class SavedMachine {
  /** Without them a machine has none of what they show, or nobody can know. */
  private static final List<SavedOutput> MAY_BE_MISSING =
      List.of(SavedOutput.HOSTNAME, SavedOutput.IPSETS);

  private static final List<SavedOutput> RULES =
      List.of(SavedOutput.LEGACY_RULES, SavedOutput.NFT_RULES, SavedOutput.ONLY_RULES);

  /** What was said. */
  final Map<SavedOutput, String> texts = new EnumMap<>(SavedOutput.class);

  /** What was not, and why. */
  final List<Omission> missing = new ArrayList<>();

  private SavedMachine() {}

  // ---- saved ------------------------------------------------------------------------------------

  /** Reads what was saved in {@code folder}. */
  static SavedMachine in(String folder) throws IOException {
    if (!Files.isDirectory(Path.of(folder))) {
      throw new Unusable(folder + ": no such folder");
    }
    SavedMachine machine = new SavedMachine();
    for (SavedOutput output : SavedOutput.values()) {
      Path file = Path.of(folder, output.file);
      if (Files.exists(file)) {
        machine.texts.put(output, TextFile.read(file.toString()));
      } else if (output.required()) {
        throw new Unusable(file + ": no such file; on the machine: " + saving(output));
      } else if (!MAY_BE_MISSING.contains(output) && !RULES.contains(output)) {
        machine.miss(output, file + " is not there; on the machine: " + saving(output));
      }
    }
    machine.missRules("none were saved in " + folder);
    return machine;
  }

  private static String saving(SavedOutput output) {
    return output.command + " > " + output.file;
  }

  // ---- running ----------------------------------------------------------------------------------

  /**
   * Asks this machine.
   *
   * @param netns one of `ip netns`, or null for the one that this program is in
   */
  static SavedMachine running(String netns) throws IOException {
    SavedMachine machine = new SavedMachine();
    for (SavedOutput output : SavedOutput.values()) {
      boolean other =
          machine.texts.containsKey(SavedOutput.LEGACY_RULES)
              || machine.texts.containsKey(SavedOutput.NFT_RULES);
      if (output != SavedOutput.ONLY_RULES || !other) {
        machine.ask(output, netns);
      }
    }
    machine.missRules("neither iptables-legacy-save, iptables-nft-save nor iptables-save said any");
    return machine;
  }

  private void ask(SavedOutput output, String netns) throws IOException {
    String program = output.words().get(0);
    if (!isInstalled(program)) {
      if (output.required()) {
        throw new Unusable(program + " is not installed, which shows interfaces and routes");
      }
      if (!MAY_BE_MISSING.contains(output) && !RULES.contains(output)) {
        miss(output, program + " is not installed");
      }
      return;
    }
    List<String> command = new ArrayList<>();
    if (netns != null) {
      command.addAll(List.of("ip", "netns", "exec", netns));
    }
    command.addAll(output.words());
    command.set(
        0,
        folders()
            .map(folder -> folder.resolve(command.get(0)))
            .filter(Files::isExecutable)
            .findFirst()
            .orElseThrow()
            .toString());
    Path errors = Files.createTempFile("skbwalk", ".err");
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
      builder.environment().merge("PATH", "/usr/sbin:/sbin", (path, more) -> path + ":" + more);
      builder.environment().put("LC_ALL", "C");
      Process process = builder.start();
      process.getOutputStream().close();
      byte[] bytes = process.getInputStream().readAllBytes();
      String text = new String(bytes, StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status == 0 || !text.isBlank()) {
        // sysctl also fails when one of a thousand settings may not be read.
        texts.put(output, text);
        return;
      }
      String problem = Files.readString(errors).lines().findFirst().orElse("exit " + status);
      if (output.required() || netns != null && output == SavedOutput.HOSTNAME) {
        throw new Unusable(String.join(" ", command) + ": " + problem);
      }
      miss(output, problem + (output.root.isEmpty() ? "" : " (" + output.root + ")"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      Files.deleteIfExists(errors);
    }
  }

  private static boolean isInstalled(String program) {
    return folders().anyMatch(folder -> Files.isExecutable(folder.resolve(program)));
  }

  /** The path of users does not always have the folders of root's programs. */
  private static Stream<Path> folders() {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
    return Stream.of(path.split(":")).filter(folder -> !folder.isEmpty()).map(Path::of);
  }

  // ---- what is missing --------------------------------------------------------------------------

  private void miss(SavedOutput output, String why) {
    String follows =
        output == SavedOutput.NFTABLES
            ? "; whether there are rules that were made otherwise than by iptables is not known, and"
                + " here there are none"
            : "";
    missing.add(new Omission(output.command, why + follows));
  }

  private void missRules(String why) {
    boolean said = missing.stream().anyMatch(one -> one.what().startsWith("iptables"));
    if (RULES.stream().noneMatch(texts::containsKey) && !said) {
      missing.add(new Omission("iptables-save", why + "; here there are no rules"));
    }
  }
}
