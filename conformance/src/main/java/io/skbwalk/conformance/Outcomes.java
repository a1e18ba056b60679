// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.lib.Ip4;
import java.util.Locale;

/** How both sides word the same facts. */
final class Outcomes {
  private Outcomes() {}

  /** One socket's line: kind, where it listens, datagrams and bytes received. */
  static String socketLine(HostDescription.Socket socket, long count, long bytes) {
    return String.format(
        Locale.ROOT,
        "%s %s:%d protocol %d%s: %d received, %d bytes",
        socket.kind(),
        Ip4.format(socket.address()),
        socket.port(),
        socket.protocol(),
        socket.device() == null ? "" : " on " + socket.device(),
        count,
        bytes);
  }
}
