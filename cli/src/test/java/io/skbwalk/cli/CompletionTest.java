// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Model.CommandSpec;

/** What {@code skbwalk completion} and {@code skbwalk man} print does its work in the shells. */
class CompletionTest {
  @TempDir private static Path folder;

  @BeforeAll
  static void files() throws IOException {
    for (String file : List.of("a.pcap", "b.pcapng.gz", "host.yaml", "rules.v4", "sub/c.pcap")) {
      Files.createDirectories(folder.resolve(file).getParent());
      Files.writeString(folder.resolve(file), "");
    }
    for (String shell : List.of("bash", "zsh")) {
      Run run = Run.of("completion", shell);
      assertEquals(0, run.status(), run::err);
      Files.writeString(folder.resolve("completion." + shell), run.out());
    }
  }

  private static String run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), () -> Arrays.toString(command) + "\n" + said);
    return said;
  }

  private static void needs(String program, String what) {
    assumeTrue(
        ProjectCopy.missing(List.of(program)).isEmpty(),
        () -> "no " + program + " here: " + what + " is not tried");
  }

  /** The words as bash parts them, the last one being completed; _ is nothing. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "skbwalk _ | completion convert craft diff lint man replay serve snapshot test walk",
        "skbwalk wa | walk",
        "bin/skbwalk cr | craft",
        "skbwalk --v | --version",
        "skbwalk walk --fo | --format",
        "skbwalk walk --format _ | dot html json text",
        "skbwalk walk --format = d | dot",
        "skbwalk walk --format d | dot",
        "skbwalk walk --only l | ''",
        "skbwalk walk --only L | LOCAL_IN LOCAL_OUT",
        "skbwalk replay --answers s | stack",
        "skbwalk replay --save _ | conntrack counters dropped events packets report sockets tx",
        "skbwalk replay --save report,t | report,tx",
        "skbwalk replay --save report,re | ''",
        "skbwalk convert --to _ | iptables-save yaml",
        "skbwalk convert -t n | nat",
        "skbwalk man cr | craft",
        "skbwalk completion _ | bash zsh",
        "skbwalk walk _ | a.pcap b.pcapng.gz host.yaml sub",
        "skbwalk walk su | sub",
        "skbwalk walk sub/ | sub/c.pcap",
        "skbwalk walk a.pcap --host _ | host.yaml sub",
        "skbwalk walk a.pcap --rules ru | rules.v4",
        "skbwalk replay --out _ | sub",
        "skbwalk replay --in eth0 = a | a.pcap",
        "skbwalk replay --in eth0 = | a.pcap b.pcapng.gz sub",
        "skbwalk replay --in eth0 = a.pcap --in eth1 = b | b.pcapng.gz",
        "skbwalk replay --in eth0 = a.pcap --hos | --host",
        "skbwalk replay --host host.yaml --hos | ''",
        "skbwalk replay --rules rules.v4 --rul | --rules",
        "skbwalk replay --seed _ | ''",
      })
  void completesInBash(String words, String expected) throws Exception {
    needs("bash", "its completion");
    String quoted =
        Arrays.stream(words.split(" "))
            .map(word -> "'" + word.replace("_", "") + "'")
            .collect(Collectors.joining(" "));
    String said =
        run(
            "bash",
            "--norc",
            "-c",
            """
            source completion.bash
            COMP_WORDS=(%s)
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            complete -p skbwalk >/dev/null || exit 1
            _skbwalk
            [ ${#COMPREPLY[@]} = 0 ] || printf '%%s\\n' "${COMPREPLY[@]}" | sort
            """
                .formatted(quoted));
    assertEquals(expected, said.strip().replace("\n", " "));
  }

  @Test
  void parsesInZshAndIsTakenByItsCompletionSystem() throws Exception {
    needs("zsh", "its completion");
    run("zsh", "-n", "completion.zsh");
    String said =
        run(
            "zsh",
            "-f",
            "-c",
            "autoload -Uz compinit; compinit -u -D; source ./completion.zsh; print $_comps[skbwalk]");
    assertEquals("_skbwalk", said.strip());
  }

  /** A key is pressed in a real zsh, in a terminal of its own. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "skbwalk walk --fo | skbwalk walk --format",
        "skbwalk replay --in eth0=a | skbwalk replay --in eth0=a.pcap",
        "skbwalk replay --save report,t | skbwalk replay --save report,tx,",
      })
  void completesInZsh(String typed, String completed) throws Exception {
    needs("zsh", "its completion");
    String said =
        run(
            "zsh",
            "-f",
            "-c",
            """
            zmodload zsh/zpty
            zpty z zsh -f -i
            zpty -w z 'PS1=; autoload -Uz compinit; compinit -u -D; source ./completion.zsh
            stty cols 200; show() { print -r -- "[[$BUFFER]]"; }; zle -N show
            bindkey "^I" complete-word "^X" show; print READY'
            zpty -m -r z out '*READY'$'\\r''*'
            zpty -w -n z "$1"$'\\t'$'\\x18'
            zpty -m -r z out '*]]*'
            print -r -- "$out"
            zpty -d z
            """,
            "zsh",
            typed);
    String line = said.replaceAll("(?s).*\\[\\[(.*?)\\]\\].*", "$1");
    assertEquals(completed, line.strip());
  }

  @ParameterizedTest
  @ValueSource(strings = {"replay", "walk", "test", "snapshot", "completion"})
  void explainsEachOption(String command) {
    CommandSpec spec = Main.commandLine("").getSubcommands().get(command).getCommandSpec();
    String page = Run.of("man", command).out();
    for (var option : Completed.options(spec)) {
      for (String name : option.names()) {
        assertTrue(page.contains("\\fB" + name.replace("-", "\\-") + "\\fR"), name);
      }
    }
    assertTrue(page.contains(".SH EXAMPLES"));
    assertFalse(page.contains("${"), page);
  }

  @Test
  void writesPagesThatManReadsWithoutAWarning(@TempDir Path written) throws Exception {
    Run run = Run.of("man", "--out", written.resolve("man1").toString());
    assertEquals(0, run.status(), run::err);
    List<Path> pages;
    try (var files = Files.list(written.resolve("man1"))) {
      pages = files.sorted().toList();
    }
    assertEquals(
        1 + Completed.commands(Main.commandLine("").getCommandSpec()).size(), pages.size());
    needs("man", "the manual pages");
    for (Path page : pages) {
      String shown = run("man", "--warnings", "-P", "cat", "-l", page.toString());
      assertTrue(shown.contains("SYNOPSIS"), shown);
      assertFalse(shown.contains("warning"), shown);
    }
    needs("mandoc", "what it says of the manual pages");
    for (Path page : pages) {
      String said = run("sh", "-c", "mandoc -Tlint -W warning '" + page + "' || :");
      assertEquals("", said);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "man wlak | man wlak: there is no such command; commands are replay, walk,",
        "man walk --out x | --out writes the pages of all commands; leave walk away",
        "completion fish | Invalid value for positional parameter at index 0 (bash|zsh)",
        "completion | Missing required parameter: 'bash|zsh'",
      })
  void refuses(String words, String start) {
    Run run = Run.of(words.split(" "));
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("skbwalk: " + start), run::err);
  }
}
