// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Accounting;
import io.skbwalk.host.HostException;
import io.skbwalk.language.HostPrinter;
import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.skb.Net;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A running machine as a host and rules, which a {@link Host} has been made of: whatever it would
 * have refused is left out and said.
 *
 * @param host the machine
 * @param rules its rules, as iptables-save prints them
 * @param omissions what of the machine is not there, or otherwise
 */
public record Snapshot(HostDescription host, String rules, List<Omission> omissions) {
  private static final int WIDTH = 100;

  /** Copies the list. */
  public Snapshot {
    omissions = List.copyOf(omissions);
  }

  /**
   * A machine of which these outputs are known.
   *
   * @param saved those that are required, and others; what is not there is said by whoever knows
   *     why
   * @throws SourceException when one of them is not what its command prints
   */
  public static Snapshot of(Map<SavedOutput, String> saved) {
    List<Omission> omissions = new ArrayList<>();
    SavedInterfaces interfaces = new SavedInterfaces(saved.get(SavedOutput.ADDRESSES), omissions);
    SavedRoutes routes = new SavedRoutes(saved.get(SavedOutput.ROUTES), interfaces, omissions);
    HostDescription host =
        new HostDescription(
            saved.getOrDefault(SavedOutput.HOSTNAME, "host").strip(),
            interfaces.interfaces(),
            routes.routes(),
            policyRules(saved, interfaces, omissions),
            new SavedNeighbours(saved.getOrDefault(SavedOutput.NEIGHBOURS, ""), interfaces)
                .neighbours(),
            false,
            Map.of(),
            new SavedSockets(saved.getOrDefault(SavedOutput.SOCKETS, ""), interfaces, omissions)
                .sockets());
    host = withIpsets(host, saved.getOrDefault(SavedOutput.IPSETS, ""), omissions);
    SavedRules rules = new SavedRules(saved, omissions);
    List<Accounting> accounting = rules.accounting().stream().map(Accounting::new).toList();
    host = host.with(host.netfilter().withAccounting(accounting));
    host = fitting(host, rules, omissions);
    String sysctls = saved.getOrDefault(SavedOutput.SYSCTLS, "");
    host = host.withSysctls(new SavedSysctls(sysctls, host, omissions).settings());
    return new Snapshot(host, rules.text(), omissions);
  }

  /** The same machine, of which more is missing. */
  public Snapshot without(List<Omission> more) {
    List<Omission> all = new ArrayList<>(more);
    all.addAll(omissions);
    return new Snapshot(host, rules, all);
  }

  private static List<HostDescription.PolicyRule> policyRules(
      Map<SavedOutput, String> saved, SavedInterfaces interfaces, List<Omission> omissions) {
    String text = saved.get(SavedOutput.POLICY_RULES);
    return text == null ? List.of() : new SavedPolicyRules(text, interfaces, omissions).rules();
  }

  /** Sets, without the lines that the model refuses. */
  private static HostDescription withIpsets(
      HostDescription host, String text, List<Omission> omissions) {
    List<String> lines = new ArrayList<>(text.lines().toList());
    if (lines.isEmpty()) {
      return host;
    }
    while (true) {
      IpsetSaveFile sets =
          new IpsetSaveFile(SavedOutput.IPSETS.file, String.join("\n", lines) + "\n");
      try {
        sets.into(new IpSets(new Net(0, 0)));
        return host.with(host.netfilter().withIpsets(List.of(sets)));
      } catch (SourceException e) {
        int index = e.position().line() - 1;
        if (index < 0 || index >= lines.size() || lines.get(index).isEmpty()) {
          throw e;
        }
        omissions.add(new Omission("ipset " + lines.get(index), e.problem() + "; it is left out"));
        lines.set(index, "");
      }
    }
  }

  // ---- what a machine can be made of ------------------------------------------------------------

  private static HostDescription fitting(
      HostDescription description, SavedRules rules, List<Omission> omissions) {
    HostDescription host = description;
    while (true) {
      try {
        new Host(host, rules.rules(), 0, 1);
        return host;
      } catch (HostException e) {
        omissions.add(
            new Omission(HostPrinter.element(e.element()), e.getMessage() + "; it is left out"));
        HostDescription less = without(host, e.element());
        if (less.equals(host)) {
          throw e;
        }
        host = less;
      } catch (SourceException e) {
        rules.leaveOut(e);
      }
    }
  }

  private static HostDescription without(HostDescription host, Object element) {
    return new HostDescription(
        host.hostname(),
        mapped(
            without(host.interfaces(), element),
            nic ->
                new HostDescription.Interface(
                    nic.name(),
                    nic.macAddress(),
                    without(nic.addresses(), element),
                    nic.mtu(),
                    nic.promiscuous(),
                    nic.ringSize(),
                    nic.vlanLink(),
                    nic.vlanId(),
                    nic.group())),
        without(host.routes(), element),
        without(host.policyRules(), element),
        without(host.neighbours(), element),
        host.assumeNeighbours(),
        host.sysctls(),
        without(host.sockets(), element),
        host.netfilter());
  }

  private static <T> List<T> mapped(List<T> list, UnaryOperator<T> change) {
    return list.stream().map(change).toList();
  }

  private static <T> List<T> without(List<T> list, Object element) {
    return list.stream().filter(one -> one != element).toList();
  }

  // ---- files ------------------------------------------------------------------------------------

  /** The host's file, which begins with what it does not have. */
  public String hostFile() {
    StringBuilder out = new StringBuilder();
    paragraph(out, "# ", "A snapshot of " + host.hostname() + "; its rules are beside it.");
    if (!omissions.isEmpty()) {
      out.append("# What is not as on the machine itself:\n");
    }
    for (Omission omission : omissions) {
      String all = omission.all().isEmpty() ? "" : ": " + String.join(", ", omission.all());
      paragraph(out, "# - ", omission + all);
    }
    return out.append(HostPrinter.print(host)).toString();
  }

  /** A comment of as many lines as it needs; the second and later ones are indented. */
  private static void paragraph(StringBuilder out, String first, String text) {
    int column = first.length();
    out.append(first);
    String blank = "";
    for (String word : text.split("\\s+")) {
      if (column + word.length() >= WIDTH && !blank.isEmpty()) {
        String next = "#" + " ".repeat(first.length() - 1);
        out.append('\n').append(next);
        column = next.length();
        blank = "";
      }
      out.append(blank).append(word);
      column += blank.length() + word.length();
      blank = " ";
    }
    out.append('\n');
  }
}
