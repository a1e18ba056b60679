// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ReplayReport;
import io.skbwalk.replay.WalkDot;
import io.skbwalk.replay.WalkLines;
import io.skbwalk.replay.WalkText;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk walk}. */
@Command(
    name = "walk",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Tells the path of chosen packets step by step: every function, hook, table, chain, rule and"
          + " change of state. Everything before them is replayed, so the state is right.",
      "Without --packet, --flow or --send every packet is told; with a TRACE rule, those it"
          + " matches."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk walk pcaps/http.pcap --packet 4",
      "  skbwalk walk pcaps/nat-router.pcapng --packet 1-3 --misses \\",
      "      --host config/router.yaml --rules rules/nat-router.yaml",
      "  skbwalk walk --host config/router.yaml \\",
      "      --send 'eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 S'",
      "  skbwalk walk pcaps/portscan.pcap --host config/web.yaml \\",
      "      --rules rules/web-server.yaml --format html > scan.html",
      "  skbwalk walk pcaps/nat-router.pcapng --host config/router.yaml \\",
      "      --rules rules/nat-router.yaml --packet 9 --format dot | dot -Tsvg > packet.svg"
    })
final class WalkCommand implements Callable<Integer> {
  /** The forms that a walk is printed in. */
  enum Format {
    /** For people. */
    text,
    /** One object a line. */
    json,
    /** A graph for Graphviz. */
    dot,
    /** A page for a browser. */
    html
  }

  /** Packets in one picture. */
  private static final int MOST_DRAWN = 50;

  @Spec private CommandSpec spec;
  @Mixin private MachineOptions machine;

  @Option(
      names = "--packet",
      paramLabel = "N[,M-K]",
      description = "Frames by their number in the capture, from 1: 7 or 1,3,10-12.")
  private String packet;

  @Option(
      names = "--flow",
      paramLabel = "A:PORT-B:PORT",
      description = "Packets between these two ends, either way, as they arrive.")
  private String flow;

  @Option(
      names = "--send",
      paramLabel = "PACKET",
      description =
          "A packet typed here, behind those of the capture: 'eth0 tcp 192.0.2.1:1025 >"
              + " 192.0.2.2:80 S', 'eth0 udp A:PORT > B:PORT', 'eth0 icmp A > B', 'eth0 ip A > B 47'."
              + " With sent for the interface the machine sends it; behind it any field of a"
              + " scenario's packet, such as ttl=1. Repeatable.")
  private java.util.List<String> send = new java.util.ArrayList<>();

  @Option(
      names = "--format",
      paramLabel = "text|json|dot|html",
      defaultValue = "text",
      description =
          "Text for people; one JSON object a packet (docs/walk.schema.json); a picture of the path"
              + " for Graphviz, with what happened where; or one HTML page, in which the packets"
              + " move through such a picture.")
  private Format format;

  @Option(
      names = "--only",
      paramLabel = "NAME",
      completionCandidates = Parts.class,
      description = "Only the steps of this hook, table or function, such as FORWARD, nat, ip_rcv.")
  private String only;

  @Option(
      names = "--misses",
      description = "Also print each rule that did not match, and what about it failed first.")
  private boolean misses;

  @Mixin private OutputOptions options;

  /** Hooks and tables; functions of the kernel are too many. */
  private static final class Parts implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.concat(
              Stream.of(Hook.values()).map(Hook::name),
              Stream.of(TableKind.values()).map(one -> one.label))
          .iterator();
    }
  }

  @Override
  public Integer call() throws IOException {
    options.contents();
    options.checkStandardOutput("the walk");
    boolean page = format == Format.html;
    if ((page || format == Format.dot) && (options.json || only != null)) {
      throw new Unusable(
          "--format "
              + format
              + " is the whole walk as a "
              + (page ? "page" : "picture")
              + "; leave "
              + (options.json ? "--json" : "--only")
              + " away");
    }
    Terminal terminal = Terminal.current();
    PrintWriter stdout = spec.commandLine().getOut();
    PrintWriter stderr = spec.commandLine().getErr();
    Choice choice = Choice.of(packet, flow, !send.isEmpty());
    try (Session session = new Session(machine, !send.isEmpty())) {
      session.typed(send);
      boolean tracedOnly = choice.isEverything() && session.tracesSome();
      Replay replay = session.prepareToTell(choice.walks(misses || page, options.trace != null));
      try (Outputs outputs = new Outputs(options, session, stdout, 1)) {
        replay.keepDepartures();
        PageContents contents = page ? new PageContents(tracedOnly) : null;
        WalkDot graph = format == Format.dot ? new WalkDot() : null;
        Replay.Sink form =
            page
                ? contents
                : graph != null ? drawer(graph, tracedOnly) : teller(terminal, stdout, tracedOnly);
        replay.add(chosen(choice, form));
        if (session.choice != null && !options.quiet) {
          stderr.println("skbwalk: the machine is " + session.choice);
        }
        session.run();
        replay.finish();
        stdout.flush();
        choice.check(session.inputInWords(), replay.totals);
        ReplayReport report = outputs.complete();
        if (graph != null) {
          stdout.print(graph.finish());
          stdout.flush();
        }
        if (page) {
          String title = "skbwalk: " + session.inputInWords();
          stdout.print(Page.html(title, contents.json(session, report), false));
          stdout.flush();
        }
      }
      return Outputs.warn(session, stderr, options.quiet);
    }
  }

  /** Draws walks. */
  private static Replay.Sink drawer(WalkDot graph, boolean tracedOnly) {
    int[] drawn = new int[1];
    return record -> {
      if (!tracedOnly || record.isTraced()) {
        if (++drawn[0] > MOST_DRAWN) {
          throw new Unusable(
              "--format dot: more than "
                  + MOST_DRAWN
                  + " packets are chosen, too many for one picture; choose fewer with --packet,"
                  + " --flow or --filter");
        }
        graph.add(record);
      }
    };
  }

  /** Prints walks. */
  private Replay.Sink teller(Terminal terminal, PrintWriter stdout, boolean tracedOnly)
      throws IOException {
    if (options.json || format == Format.json) {
      return WalkLines.to("-", stdout, tracedOnly).only(only);
    }
    WalkText text = new WalkText(terminal.width(), terminal.colour(), only);
    long[] told = new long[1];
    return record -> {
      if (!tracedOnly || record.isTraced()) {
        stdout.print(told[0]++ == 0 ? "" : "\n");
        stdout.print(text.tell(record));
      }
    };
  }

  /** Hands on the walks that were chosen. */
  private static Replay.Sink chosen(Choice choice, Replay.Sink form) {
    return record -> {
      if (record.events != null && choice.takes(record)) {
        choice.saw();
        form.frame(record);
      }
    };
  }
}
