// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.device.NetworkInterfaceController;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.host.HostDescription.SocketKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The machine that a replay plays: described in a file, or made up around an address: one interface
 * {@code eth0} that owns it (on a VLAN, {@code eth0.N}), a default route there, neighbours that
 * answer at once, and the listening sockets that the capture shows.
 */
public final class Machine {
  private static final int MAIN_TABLE = 254;
  private static final long MADE_UP_MAC = 0x0200_0000_0001L;

  private final HostDescription description;

  /** A machine as described. */
  public Machine(HostDescription description) {
    this.description = description;
  }

  /** The machine that a survey of the captures found. */
  public static Machine of(Survey survey, int prefixLength) {
    List<HostDescription.Socket> sockets = new ArrayList<>();
    for (int port : survey.tcpServices) {
      sockets.add(new HostDescription.Socket(SocketKind.TCP, 0, port, 0, null, 0));
    }
    for (int port : survey.udpServices) {
      sockets.add(new HostDescription.Socket(SocketKind.UDP, 0, port, 0, null, 0));
    }
    return of(survey.address, prefixLength, survey.mac, survey.vlan, !survey.knowsMac(), sockets);
  }

  /**
   * A machine that owns {@code address} and of whose frames nothing is known beforehand: its card
   * takes every frame.
   */
  public static Machine of(int address, int prefixLength) {
    return of(address, prefixLength, MADE_UP_MAC, -1, true, List.of());
  }

  private static Machine of(
      int address,
      int prefixLength,
      long mac,
      int vlan,
      boolean promiscuous,
      List<HostDescription.Socket> sockets) {
    List<HostDescription.Address> own = List.of(new HostDescription.Address(address, prefixLength));
    boolean tagged = vlan > 0;
    List<HostDescription.Interface> interfaces = new ArrayList<>();
    int ring = NetworkInterfaceController.DEFAULT_RING_SIZE;
    interfaces.add(
        new HostDescription.Interface(
            "eth0", mac, tagged ? List.of() : own, 1500, promiscuous, ring, null, 0));
    String name = "eth0";
    if (tagged) {
      name = "eth0." + vlan;
      interfaces.add(
          new HostDescription.Interface(name, mac, own, 1500, promiscuous, ring, "eth0", vlan));
    }
    HostDescription.Route way =
        new HostDescription.Route(0, 0, RouteType.UNICAST, 0, name, MAIN_TABLE, 0, 0, 0, false);
    return new Machine(
        new HostDescription(
            io.skbwalk.lib.Ip4.format(address),
            interfaces,
            List.of(way),
            List.of(),
            List.of(),
            true,
            Map.of(),
            sockets,
            HostDescription.Netfilter.ASSUMED));
  }

  /** What the host is made from. */
  public HostDescription description() {
    return description;
  }
}
