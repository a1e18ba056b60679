// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Every example at the end of a command's {@code --help} works when it is pasted. */
class HelpExamplesTest {
  @TempDir private static Path copy;

  private static List<CommandSpec> commands() {
    CommandSpec program = Main.commandLine("").getCommandSpec();
    List<CommandSpec> commands = new ArrayList<>(List.of(program));
    commands.addAll(Completed.commands(program));
    return commands;
  }

  static Stream<Arguments> examples() {
    return commands().stream()
        .flatMap(
            command ->
                Examples.of(command).stream()
                    .map(example -> Arguments.of(command.name(), example)));
  }

  /** The project's files; rules of a machine, and what was saved of one, are not in it. */
  @BeforeAll
  static void copyProject() throws IOException {
    ProjectCopy.into(copy, "config", "pcaps", "rules", "conformance/cases");
    ProjectCopy.program(copy, "iptables-save", "exec cat rules/ufw.v4\n");
    ProjectCopy.program(copy, "iptables-restore", "[ \"$1\" = --test ] && grep -q COMMIT\n");
    Path saved = Files.createDirectories(copy.resolve("saved"));
    Files.writeString(
        saved.resolve("addr.json"),
        """
        [{"ifindex":2,"ifname":"eth0","flags":["UP"],"mtu":1500,"link_type":"ether",
          "address":"02:00:00:00:00:01","addr_info":[
            {"family":"inet","local":"203.0.113.1","prefixlen":24}]}]
        """);
    Files.writeString(saved.resolve("route.json"), "[]");
    Files.writeString(saved.resolve("iptables.v4"), "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n");
  }

  @Test
  void everyCommandHasSome() {
    for (CommandSpec command : commands()) {
      assertFalse(Examples.of(command).isEmpty(), command::name);
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void worksWhenPasted(String command, String example) throws Exception {
    List<String> needed = new ArrayList<>(List.of("bash"));
    for (String program : List.of("dot", "man", "zcat")) {
      if (example.matches("(?s)(.*\\| )?" + program + " .*")) {
        needed.add(program);
      }
    }
    boolean zsh = example.contains("completion zsh)");
    needed.add(
        zsh ? "zsh" : command.equals("snapshot") && !example.contains("--from") ? "ip" : "sh");
    List<String> missing = ProjectCopy.missing(needed);
    assumeTrue(missing.isEmpty(), () -> "not here, and so not run: " + missing);
    Path said = Files.createTempFile(copy, "said", "");
    ProcessBuilder builder = new ProcessBuilder(zsh ? "zsh" : "bash", "-c", script(example));
    builder.directory(copy.toFile()).redirectErrorStream(true).redirectOutput(said.toFile());
    builder
        .environment()
        .merge("PATH", copy.resolve("bin").toString(), (old, bin) -> bin + ":" + old);
    Process process = builder.start();
    process.getOutputStream().close();
    String endless =
        example.endsWith("--watch") ? "all hold" : command.equals("serve") ? "open http" : null;
    if (endless == null) {
      assertTrue(process.waitFor(2, TimeUnit.MINUTES), example);
      // diff and lint say with 1 that they have found something.
      int most = List.of("diff", "lint").contains(command) ? 1 : 0;
      assertTrue(process.exitValue() <= most, () -> example + "\n" + read(said));
      return;
    }
    try {
      for (int i = 0; !read(said).contains(endless) && process.isAlive() && i < 1200; i++) {
        process.waitFor(50, TimeUnit.MILLISECONDS);
      }
      assertTrue(read(said).contains(endless), () -> example + "\n" + read(said));
      assertTrue(process.isAlive(), () -> example + "\n" + read(said));
    } finally {
      process.descendants().forEach(ProcessHandle::destroy);
      process.destroy();
      process.waitFor();
    }
  }

  /** Any part of a pipe that fails is a failure; what waits for somebody is started alone. */
  private static String script(String example) {
    String ready = "compdef() { :; }\n";
    return (example.contains("completion zsh") ? ready : "") + "set -o pipefail\n" + example + "\n";
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** A newcomer types {@code bin/skbwalk}, and pastes what {@code bin/skbwalk --help} shows. */
  @Test
  void namesTheProgramAsItWasCalled() {
    CommandLine line = Main.commandLine("");
    Examples.callAs(line.getCommandSpec(), "bin/skbwalk");
    List<String> shown =
        Completed.commands(line.getCommandSpec()).stream()
            .flatMap(command -> Examples.of(command).stream())
            .toList();
    assertTrue(shown.contains("bin/skbwalk walk pcaps/http.pcap --packet 4"), shown::toString);
    assertTrue(shown.contains("source <(bin/skbwalk completion bash)"), shown::toString);
    assertTrue(
        shown.contains("iptables-save | bin/skbwalk convert - > mine.yaml"), shown::toString);
    assertEquals(
        0,
        shown.stream().filter(example -> example.matches("(?s)(.*[^/])?skbwalk [a-z].*")).count(),
        shown::toString);
  }
}
