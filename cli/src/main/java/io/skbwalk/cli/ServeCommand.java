// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.BindException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk serve}. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Serves the page of walk --format html to browsers of this machine, with all packets of the"
          + " capture. Rules can be edited in the page: every change is replayed at once, and the"
          + " files stay as they are. Ctrl-C ends it.",
      "It listens on 127.0.0.1 only and reads no file that is not named here."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk serve pcaps/portscan.pcap --host config/web.yaml --rules rules/web-server.yaml",
      "  skbwalk serve pcaps/http.pcap --port 8080"
    })
final class ServeCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private MachineOptions machine;

  @Option(
      names = "--port",
      paramLabel = "N",
      defaultValue = "8642",
      description = "The port; 0 takes any that is free. Default: ${DEFAULT-VALUE}")
  private int port;

  @Override
  public Integer call() throws IOException {
    if (port < 0 || port > 65535) {
      throw new Unusable("--port " + port + ": a port is 0 to 65535");
    }
    PrintWriter stdout = spec.commandLine().getOut();
    Served served = new Served(machine);
    served.replay();
    try (PageServer server = new PageServer(served, port)) {
      stdout.println("skbwalk: open " + server.address() + " (Ctrl-C ends)");
      stdout.flush();
      new CountDownLatch(1).await();
    } catch (BindException e) {
      throw new Unusable(
          "--port " + port + ": something else listens there; give another, or 0 for any");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return 0;
  }
}
