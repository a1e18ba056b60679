// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Scripts of iptables commands, run by a shell and read by the model. */
class ScriptsTest {
  /** A shell in a new namespace in which iptables is the one that the kernel's tables belong to. */
  private static final String SHELL =
      "iptables() { iptables-legacy \"$@\"; }; set -e; . \"$0\" >/dev/null; for table; do"
          + " iptables-legacy-save -c -t $table; done";

  static List<Path> scripts() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("scripts"))) {
      return files.sorted().toList();
    }
  }

  private static RuleSet byModel(Path script) throws IOException {
    return RulesFile.merge(List.of(RulesFile.parse(script.toString(), Files.readString(script))));
  }

  private static String byShell(Path script, RuleSet tables) throws IOException {
    Stream<String> command =
        Stream.of("unshare", "-n", "sh", "-c", SHELL, script.toAbsolutePath().toString());
    Stream<String> names = tables.tables().stream().map(table -> table.kind().label);
    return Commands.run(Stream.concat(command, names).toArray(String[]::new))
        .lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }

  @ParameterizedTest
  @MethodSource("scripts")
  void leaveTheSameRules(Path script) throws IOException {
    AskedKernel.orSkip();
    RuleSet rules = byModel(script);
    assertEquals(byShell(script, rules), IptablesSavePrinter.print(rules, true));
  }

  /** Scripts that go wrong, one a line. */
  static Stream<String> refused() {
    return """
        iptables -A web -j DROP
        iptables -A INPUT -j web
        iptables -A INPUT -j web; iptables -N web
        iptables -N a; iptables -N a
        iptables -N INPUT
        iptables -N DROP
        iptables -N LOG
        iptables -X a
        iptables -X INPUT
        iptables -N a; iptables -A a -j DROP; iptables -X a
        iptables -N a; iptables -A INPUT -j a; iptables -X a
        iptables -N a; iptables -A INPUT -j a; iptables -X
        iptables -E INPUT in
        iptables -E a b
        iptables -N a; iptables -N b; iptables -E a b
        iptables -N a; iptables -P a DROP
        iptables -P INPUT REJECT
        iptables -P INPUT
        iptables -t nat -P PREROUTING DROP
        iptables -D INPUT 1
        iptables -D INPUT 0
        iptables -D INPUT -j DROP
        iptables -A INPUT -p tcp -j DROP; iptables -D INPUT -j DROP
        iptables -C INPUT -j DROP
        iptables -R INPUT 1 -j DROP
        iptables -R INPUT -j DROP
        iptables -A INPUT -j DROP; iptables -R INPUT 1 -s 192.0.2.1,192.0.2.2 -j DROP
        iptables -I INPUT 2 -j DROP
        iptables -I INPUT 0 -j DROP
        iptables -Z INPUT 1
        iptables -F web
        iptables -L web
        iptables -N a; iptables -A a -j a; iptables -A INPUT -j a
        iptables -A INPUT -A INPUT -j DROP
        iptables -N a -j DROP
        iptables -F INPUT -p tcp
        iptables -t nut -F
        iptables -j DROP
        iptables INPUT -j DROP
        iptables -A INPUT DROP
        iptables -A INPUT -m comment --comment
        iptables -n -A INPUT
        """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("refused")
  void areRefusedByBoth(String line) throws IOException {
    AskedKernel.orSkip();
    Path script = Files.createTempFile("skbwalk", ".sh");
    try {
      Files.writeString(script, line + "\n");
      assertThrows(IOException.class, () -> byShell(script, RuleSet.EMPTY));
      assertThrows(SourceException.class, () -> byModel(script));
    } finally {
      Files.delete(script);
    }
  }
}
