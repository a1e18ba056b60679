// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.device.NetworkInterfaceController;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.lib.Ip4;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The machine that a replay plays: described in a file, or made up around an address: one interface
 * {@code eth0} that owns it (on a VLAN, {@code eth0.N}), a default route there, neighbours that
 * answer at once, and the listening sockets that the capture shows; or around several, a router.
 */
public final class Machine {
  private static final int MAIN_TABLE = 254;
  private static final long MADE_UP_MAC = 0x0200_0000_0001L;

  private static final int DEFAULT_PREFIX = 24;

  private final HostDescription description;

  /** An interface of a machine that is made up, with its address. */
  public record Card(String device, int address, int prefixLength) {
    /** Of a network of 256 addresses. */
    public Card(String device, int address) {
      this(device, address, DEFAULT_PREFIX);
    }

    /**
     * Reads {@code [IFACE=]ADDRESS[/LENGTH]}; without a name it is eth0.
     *
     * @throws IllegalArgumentException when it is none
     */
    public static Card parse(String text) {
      int equals = text.indexOf('=');
      String device = equals < 0 ? "eth0" : text.substring(0, equals);
      if (device.isEmpty() || device.length() > 15 || device.matches(".*[/\\s:].*")) {
        throw new IllegalArgumentException("\"" + device + "\" cannot be an interface's name");
      }
      if (device.equals("lo")) {
        throw new IllegalArgumentException("lo is there without being named");
      }
      String rest = text.substring(equals + 1);
      int slash = rest.indexOf('/');
      int address;
      int length = DEFAULT_PREFIX;
      try {
        address = Ip4.parse(slash < 0 ? rest : rest.substring(0, slash));
        length = slash < 0 ? length : Integer.parseInt(rest.substring(slash + 1));
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("not an IPv4 address, such as 192.0.2.1", e);
      }
      if (length < 1 || length > 32) {
        throw new IllegalArgumentException("a prefix length is 1 to 32");
      }
      return new Card(device, address, length);
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
      return (device.equals("eth0") ? "" : device + "=")
          + Ip4.format(address)
          + (prefixLength == DEFAULT_PREFIX ? "" : "/" + prefixLength);
    }
  }

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

  /**
   * A machine with these interfaces, whose cards take every frame. Its default route leads out of
   * the first; with more than one it forwards.
   */
  public static Machine of(List<Card> cards) {
    List<HostDescription.Interface> interfaces = new ArrayList<>();
    for (Card card : cards) {
      interfaces.add(
          new HostDescription.Interface(
              card.device,
              MADE_UP_MAC + interfaces.size(),
              List.of(new HostDescription.Address(card.address, card.prefixLength)),
              1500,
              true,
              NetworkInterfaceController.DEFAULT_RING_SIZE,
              null,
              0));
    }
    return of(
        cards.get(0).address,
        interfaces,
        cards.get(0).device,
        cards.size() > 1 ? Map.of("net.ipv4.ip_forward", "1") : Map.of(),
        List.of());
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
    return of(address, interfaces, name, Map.of(), sockets);
  }

  private static Machine of(
      int address,
      List<HostDescription.Interface> interfaces,
      String way,
      Map<String, String> sysctls,
      List<HostDescription.Socket> sockets) {
    HostDescription.Route route =
        new HostDescription.Route(0, 0, RouteType.UNICAST, 0, way, MAIN_TABLE, 0, 0, 0, false);
    return new Machine(
        new HostDescription(
            Ip4.format(address),
            interfaces,
            List.of(route),
            List.of(),
            List.of(),
            true,
            sysctls,
            sockets,
            HostDescription.Netfilter.ASSUMED));
  }

  /** What the host is made from. */
  public HostDescription description() {
    return description;
  }
}
