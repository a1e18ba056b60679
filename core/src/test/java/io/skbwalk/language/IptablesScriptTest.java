// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Scripts of iptables commands as rule files. */
class IptablesScriptTest {
  private static RuleSet rules(String script) {
    return RulesFile.merge(List.of(RulesFile.parse("fw.sh", script)));
  }

  @Test
  void doesWhatTheCommandsSay() {
    RuleSet rules =
        rules(
            """
            #!/bin/sh
            # The firewall of a small office.
            set -e
            iptables -F; iptables -X
            iptables -P INPUT DROP
            /sbin/iptables -N ssh
              sudo iptables-legacy -w 5 -A INPUT -p tcp --dport 22 -j ssh   # who comes in
            iptables --wait -A INPUT -m comment \\
                --comment 'it'"'s \\"me\\" \\$5 \\n"\\ ok \\
                -j ACCEPT
            iptables -A ssh -s 192.0.2.1,192.0.2.2 -j ACCEPT
            iptables -I INPUT 1 -i lo -j ACCEPT
            iptables -A INPUT -m comment --comment ""
            iptables -R INPUT 4 -j REJECT
            iptables -A INPUT -j DROP
            iptables -C INPUT -j DROP
            iptables -D INPUT -j DROP
            iptables -D ssh 2
            iptables -E ssh door#1
            iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
            iptables -t nat -nvL
            iptables -Z\
            """);
    assertEquals(
        """
        *nat
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        -A POSTROUTING -o eth0 -j MASQUERADE
        COMMIT
        *filter
        :INPUT DROP [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :door#1 - [0:0]
        -A INPUT -i lo -j ACCEPT
        -A INPUT -p tcp -m tcp --dport 22 -j door#1
        -A INPUT -m comment --comment "it\\'s \\"me\\" $5 \\\\n ok" -j ACCEPT
        -A INPUT -j REJECT --reject-with icmp-port-unreachable
        -A door#1 -s 192.0.2.1/32 -j ACCEPT
        COMMIT
        """,
        IptablesSavePrinter.print(rules, false));
  }

  @Test
  void takesWhatIptablesListsAsCommands() {
    assertEquals(
        """
        *filter
        :INPUT DROP [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :ssh - [0:0]
        [3:180] -A INPUT -p tcp -m tcp --dport 22 -m comment --comment "our own door" -j ssh
        [0:0] -A ssh -j ACCEPT
        COMMIT
        """,
        IptablesSavePrinter.print(
            rules(
                """
                -P INPUT DROP
                -N ssh
                -A INPUT -p tcp -m tcp --dport 22 -m comment --comment "our own door" -c 3 180 -j ssh
                -A ssh -j ACCEPT
                """),
            true));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "iptables -A INPUT -j DROP",
        "\uFEFFiptables -A INPUT -j DROP\n",
        "\n  # c\n\niptables -A INPUT -j DROP\r\n",
        "#!/bin/bash\n\niptables -A INPUT \\\r\n -j DROP\r\n",
        "iptables -A INP\\\nUT -j D\"RO\\\nP\"",
        "iptables\t-A\tINPUT\t-j\tDROP;",
      })
  void looksLikeAScript(String script) {
    assertEquals(RulesFile.Language.IPTABLES_SAVE, RulesFile.Language.of(script));
    String printed = IptablesSavePrinter.print(rules(script), false);
    assertEquals("-A INPUT -j DROP", printed.lines().skip(4).findFirst().orElseThrow());
  }

  /** Scripts, / for a line's end, and what is said of them. */
  private static final String MISTAKES =
      """
      iptables                                  => 1:1: iptables is told nothing to do
      iptables -A INPUT -j DRP                  => 1:10: there is neither a target nor, in table filter, a chain DRP
      iptables -F / iptables -A INPUT -p tcq    => 2:22: -p takes the name of a protocol or a number from 0 to 255, not "tcq"; did you mean tcp?
      iptables -A INPUT ~ / -p tcp ~ / --dprt 5 => 3:1: unknown option --dprt; did you mean --dport?
      iptables -A web -j DROP                   => 1:13: table filter has no chain web (yet)
      iptables -A INPUT -j web / iptables -N web => 1:10: chain web is not there yet; it is made in line 2, behind the rule
      iptables -t ntt -F                        => 1:13: there is no table ntt; tables are raw, mangle, nat, filter and security
      iptables -D INPUT -j DROP                 => 1:10: chain INPUT has no such rule: -j DROP
      iptables -D INPUT 1                       => 1:10: chain INPUT has 0 rules, so no rule 1
      iptables -j DROP                          => 1:10: the line has no command such as -A; it begins with an option
      iptables -A INPUT -m comment --comment "x => 1:40: the closing " is missing
      iptables -F / ip6tables -F                => 2:1: ip6tables is for IPv6, and there is IPv4 only here; leave the line out
      iptables -F / sudo /sbin/ip6tables -F     => 2:6: ip6tables is for IPv6, and there is IPv4 only here; leave the line out
      ip6tables -F                              => 1:1: ip6tables is for IPv6, and there is IPv4 only here; leave the line out
      iptables -6 -F                            => 1:10: -6 is for ip6tables; there is IPv4 only here
      IPT=/sbin/iptables / $IPT -F              => 1:1: there is "IPT=/sbin/iptables", which only a shell knows; *
      $IPT -F                                   => 1:1: there is a variable ($), which only a shell knows; run the script where it belongs and give what iptables-save prints then
      iptables -A INPUT -i $WAN -j DROP         => 1:22: there is a variable ($), *
      iptables -A INPUT -i "$WAN" -j DROP       => 1:23: there is a variable ($), *
      iptables -A INPUT -s `hostname -i`        => 1:22: there is the output of a program (`), *
      iptables -F / for p in 22 80; do / iptables -A INPUT -p tcp --dport $p / done => 2:1: there is "for", which only a shell knows; *
      iptables -D INPUT -j x 2>/dev/null        => 1:25: there is a redirection (>), *
      iptables -F || true                       => 1:13: there is a |, *
      iptables -F && iptables -X                => 1:13: there is a &, *
      iptables -F / (iptables -X)               => 2:1: there is a (, *
      iptables -F / echo 1                      => 2:1: sysctls stand in the host file; leave the line with echo out
      iptables -F / ipset create a hash:ip      => 2:1: sets are given as ipset save prints them (--ipset), not made by commands
      iptables -F / iptables-restore            => 2:1: iptables-restore reads a file of rules; give that file itself
      iptables -F / modprobe nf_nat_ftp         => 2:1: only iptables is run here, not modprobe; leave the line out
      iptables -t nat -P PREROUTING DROP        => 1:17: the nat table is not for filtering, so DROP is not allowed in it
      iptables --help                           => 1:10: --help prints help or a version, and ends
      """;

  static Stream<String> mistakes() {
    return MISTAKES.lines();
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void isRefusedWhereItIsWrong(String line) {
    String[] sides = line.split(" +=> ", 2);
    String script = sides[0].replace(" / ", "\n").replace("~", "\\");
    String said = assertThrows(SourceException.class, () -> rules(script)).getMessage();
    String wanted = "fw.sh:" + sides[1];
    if (wanted.endsWith("*")) {
      said = said.substring(0, Math.min(said.length(), wanted.length() - 1)) + "*";
    }
    assertEquals(wanted, said);
  }
}
