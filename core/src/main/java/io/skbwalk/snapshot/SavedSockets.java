// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.SocketOwner;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What listens, as {@code ss -H -l -n -p -e -O --inet-sockopt -t -u -w -0} prints it. */
final class SavedSockets {
  private static final Pattern PACKET = Pattern.compile("(\\*|\\[(\\d+)\\]):(\\S+)");
  private static final Pattern MARK = Pattern.compile("\\bfwmark:0x([0-9a-f]+)");
  private static final Pattern UID = Pattern.compile("\\buid:(\\d+)");
  private static final String MAPPED = "[::ffff:";
  private static final int ETH_P_ALL = 3;

  private final SavedInterfaces interfaces;
  private final List<Omission> omissions;
  private final Set<Socket> sockets = new LinkedHashSet<>();

  SavedSockets(String text, SavedInterfaces interfaces, List<Omission> omissions) {
    this.interfaces = interfaces;
    this.omissions = omissions;
    text.lines().map(String::strip).filter(line -> !line.isEmpty()).forEach(this::line);
  }

  /** Programs that share a port with others are one. */
  List<Socket> sockets() {
    return List.copyOf(sockets);
  }

  /** Netid, state, two queues, the local address, the peer's, and what else is known. */
  private void line(String line) {
    String[] words = line.split("\\s+");
    if (words.length < 5) {
      return;
    }
    switch (words[0]) {
      case "tcp" -> internet(SocketKind.TCP, words[4], line);
      case "udp" -> internet(SocketKind.UDP, words[4], line);
      case "raw" -> internet(SocketKind.RAW, words[4], line);
      case "p_raw", "p_dgr" -> packet(words[4]);
      default -> {
        // Nothing that packets come to by IPv4.
      }
    }
  }

  private void internet(SocketKind kind, String local, String line) {
    int colon = local.lastIndexOf(':');
    String address = local.substring(0, colon);
    String port = local.substring(colon + 1);
    String device = null;
    int percent = address.indexOf('%');
    if (percent >= 0) {
      device = address.substring(percent + 1);
      address = address.substring(0, percent);
    }
    if (address.startsWith(MAPPED)) {
      address = address.substring(MAPPED.length(), address.length() - 1);
    } else if (address.startsWith("[") || address.equals("*") && kind == SocketKind.RAW) {
      return; // IPv6 only: packets of IPv4 never come there.
    }
    String what = "socket " + line.split("\\s+")[0] + " " + local;
    if (!port.matches("\\d+")) {
      omissions.add(new Omission(what, "its port is not a number (ss -n); it is left out"));
      return;
    }
    if (!isThere(what, device)) {
      return;
    }
    int number = Integer.parseInt(port);
    boolean raw = kind == SocketKind.RAW;
    Matcher mark = MARK.matcher(line);
    Matcher uid = UID.matcher(line);
    boolean owned = !raw && uid.find();
    sockets.add(
        new Socket(
            kind,
            address.equals("*") ? 0 : Ip4.parse(address),
            raw ? 0 : number,
            raw ? number : 0,
            device,
            0,
            !raw && line.contains(" transparent "),
            !raw && mark.find() ? Integer.parseUnsignedInt(mark.group(1), 16) : 0,
            owned
                ? new SocketOwner(Integer.parseUnsignedInt(uid.group(1)), 0, List.of())
                : SocketOwner.ROOT));
  }

  private void packet(String local) {
    Matcher parts = PACKET.matcher(local);
    String what = "packet socket " + local;
    if (!parts.matches()) {
      omissions.add(new Omission(what, "its protocol is not a number (ss -n); it is left out"));
      return;
    }
    String device = parts.group(3).equals("*") ? null : parts.group(3);
    int protocol = parts.group(2) == null ? ETH_P_ALL : Integer.parseInt(parts.group(2));
    // Protocol 0 is a socket that only sends.
    if (protocol != 0 && isThere(what, device)) {
      sockets.add(new Socket(SocketKind.PACKET, 0, 0, protocol, device, 0));
    }
  }

  private boolean isThere(String what, String device) {
    if (device == null || interfaces.has(device)) {
      return true;
    }
    if (!interfaces.isLeftOut(device)) {
      omissions.add(new Omission(what, "there is no interface " + device + "; it is left out"));
    }
    return false;
  }
}
