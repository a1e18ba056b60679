// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.SkBuff;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What ICMP redirects and fragmentation needed teach; each line was tried with Linux 6.18. */
class LearnedRoutesTest {
  private HostInWords host;

  @BeforeEach
  void host() {
    RouteActions none =
        (RouteActions)
            Proxy.newProxyInstance(
                RouteActions.class.getClassLoader(),
                new Class<?>[] {RouteActions.class},
                (proxy, method, arguments) -> {
                  throw new AssertionError(method);
                });
    host = new HostInWords(none);
    host.run("address add 10.0.0.1/24 dev eth0");
    host.run("address add 10.1.0.1/16 dev eth1");
    host.run("route add default via 10.0.0.254");
    host.routing.setGatewayCheck((gateway, dev) -> gateway != Ip4.parse("10.0.0.66"));
  }

  private Flowi4 to(String destination) {
    Flowi4 key = new Flowi4().reset(Ip4.parse(destination));
    key.saddr = Ip4.parse("10.0.0.1");
    return key;
  }

  /** Gateway and MTU for packets of this machine's own. */
  private String way(String destination) {
    Rtable rt = host.routing.output(to(destination));
    int mtu = rt.mtu(false, host.net.clock.now());
    return (rt.gateway == 0 ? "-" : Ip4.format(rt.gateway))
        + (mtu == 1500 ? "" : " mtu " + mtu)
        + (rt.isMtuLocked() ? " lock" : "");
  }

  private void redirect(String destination, String from, String gateway) {
    host.routing.redirect(to(destination), Ip4.parse(from), Ip4.parse(gateway), host.devices[1]);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "8.8.8.8, 10.0.0.254, 10.0.0.9, 10.0.0.9, ",
        "8.8.8.8, 10.0.0.3, 10.0.0.9, 10.0.0.254, ",
        "8.8.8.8, 10.0.0.254, 11.0.0.9, 11.0.0.9, ",
        "8.8.8.8, 10.0.0.254, 10.1.0.9, 10.1.0.9, ",
        "8.8.8.8, 10.0.0.254, 10.0.0.1, 10.0.0.254, ",
        "8.8.8.8, 10.0.0.254, 10.0.0.255, 10.0.0.254, ",
        "8.8.8.8, 10.0.0.254, 224.0.0.1, 10.0.0.254, ",
        "8.8.8.8, 10.0.0.254, 10.0.0.66, 10.0.0.254, ",
        "10.0.0.77, 10.0.0.254, 10.0.0.9, -, ",
        "8.8.8.8, 10.0.0.254, 10.0.0.9, 10.0.0.254, ip_forward=1",
        "8.8.8.8, 10.0.0.254, 10.0.0.9, 10.0.0.9, conf.all.accept_redirects=0",
        "8.8.8.8, 10.0.0.254, 10.0.0.9, 10.0.0.254, conf.all.accept_redirects=0"
            + " conf.eth0.accept_redirects=0",
        "8.8.8.8, 10.0.0.254, 10.0.0.9, 10.0.0.254, conf.all.shared_media=0"
            + " conf.eth0.shared_media=0",
        "8.8.8.8, 10.0.0.254, 10.0.0.9, 10.0.0.9, conf.all.shared_media=0"
            + " conf.eth0.shared_media=0 conf.all.secure_redirects=0 conf.eth0.secure_redirects=0",
        "8.8.8.8, 10.0.0.254, 11.0.0.9, 10.0.0.254, conf.all.shared_media=0"
            + " conf.eth0.shared_media=0 conf.all.secure_redirects=0 conf.eth0.secure_redirects=0",
      })
  void redirects(
      String destination, String from, String gateway, String expected, String settings) {
    if (settings != null) {
      Arrays.stream(settings.split(" ")).forEach(s -> host.run("sysctl net.ipv4." + s));
    }
    redirect(destination, from, gateway);
    assertEquals(expected, way(destination));
    assertEquals("10.0.0.254", way("8.8.8.9"));
  }

  @Test
  void onlyTheGatewayInUseRedirects() {
    redirect("8.8.8.8", "10.0.0.254", "10.0.0.9");
    redirect("8.8.8.8", "10.0.0.254", "10.0.0.8");
    assertEquals("10.0.0.9", way("8.8.8.8"));
    redirect("8.8.8.8", "10.0.0.9", "10.0.0.7");
    assertEquals("10.0.0.7", way("8.8.8.8"));
    host.net.clock.advanceTo(301 * Clock.SECOND);
    assertEquals("10.0.0.254", way("8.8.8.8"));
  }

  @ParameterizedTest
  @CsvSource({
    "1200, 10.0.0.254 mtu 1200",
    "1500, 10.0.0.254",
    "2000, 10.0.0.254",
    "552, 10.0.0.254 mtu 552",
    "100, 10.0.0.254 mtu 552 lock",
    "0, 10.0.0.254 mtu 552 lock",
  })
  void pathMtu(int mtu, String expected) {
    host.routing.updatePmtu(to("8.8.8.8"), mtu);
    assertEquals(expected, way("8.8.8.8"));
    assertEquals("10.0.0.254", way("8.8.8.9"));
  }

  @Test
  void pathMtuOnlyShrinksUntilItExpires() {
    host.routing.updatePmtu(to("8.8.8.8"), 1200);
    host.routing.updatePmtu(to("8.8.8.8"), 1300);
    assertEquals("10.0.0.254 mtu 1200", way("8.8.8.8"));
    host.routing.updatePmtu(to("8.8.8.8"), 600);
    assertEquals("10.0.0.254 mtu 600", way("8.8.8.8"));
    host.routing.updatePmtu(to("8.8.8.8"), 100);
    assertEquals("10.0.0.254 mtu 552 lock", way("8.8.8.8"));
    host.net.clock.advanceTo(601 * Clock.SECOND);
    assertEquals("10.0.0.254", way("8.8.8.8"));
  }

  @Test
  void redirectAndPathMtuHoldTogether() {
    redirect("8.8.8.8", "10.0.0.254", "10.0.0.9");
    host.routing.updatePmtu(to("8.8.8.8"), 1200);
    assertEquals("10.0.0.9 mtu 1200", way("8.8.8.8"));
    host.routing.updatePmtu(to("8.8.8.9"), 1200);
    redirect("8.8.8.9", "10.0.0.254", "10.0.0.9");
    assertEquals("10.0.0.9 mtu 1200", way("8.8.8.9"));
  }

  /** A forwarded packet minds a learned path MTU only when it is locked. */
  @ParameterizedTest
  @CsvSource({"1200, 1500", "100, 552"})
  void forwarded(int mtu, int expected) {
    host.run("sysctl net.ipv4.ip_forward=1");
    host.routing.updatePmtu(to("8.8.8.8"), mtu);
    SkBuff skb = host.packet(0x0A010203, 0x08080808, 17, 0, 0);
    host.routing.input(skb, 0x08080808, 0x0A010203, 0, host.devices[2]);
    assertEquals(expected, Rtable.of(skb).mtu(true, host.net.clock.now()));
  }
}
