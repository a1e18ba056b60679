// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.host.Host;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.lib.SourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What programs print of a machine, as a host and rules. */
class SnapshotTest {
  private static final String CARD =
      """
      {"ifindex":7,"ifname":"eth0","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1400,
       "group":"0","link_type":"[1]","address":"02:00:00:00:00:01","promiscuity":0,"addr_info":[
        {"family":"inet","local":"203.0.113.1","prefixlen":24,"broadcast":"203.0.113.255"}]}""";

  private static Map<SavedOutput, String> machine() {
    Map<SavedOutput, String> saved = new EnumMap<>(SavedOutput.class);
    saved.put(SavedOutput.HOSTNAME, "gateway\n");
    saved.put(SavedOutput.ADDRESSES, "[{}," + CARD + "]");
    saved.put(SavedOutput.ROUTES, "[]");
    return saved;
  }

  private static Snapshot with(SavedOutput output, String text) {
    Map<SavedOutput, String> saved = machine();
    saved.put(output, text);
    Snapshot snapshot = Snapshot.of(saved);
    // Whatever it says, a machine can be made of it.
    new Host(
        HostFile.parse("host.yaml", snapshot.hostFile()).description(),
        RulesFile.merge(List.of(RulesFile.parse("rules.v4", snapshot.rules()))),
        0,
        1);
    return snapshot;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // Of an address, of a peer's, of others.
        "ROUTES | {'type':'unicast','dst':'203.0.113.0/24','dev':'eth0','table':'254','protocol':'2'}"
            + " | ``",
        "ROUTES | {'type':'local','dst':'203.0.113.1','dev':'eth0','table':'255','protocol':'2'} | ``",
        "ROUTES | {'type':'broadcast','dst':'203.0.113.255','dev':'eth0','table':'local','protocol':'kernel'}"
            + " | ``",
        "ROUTES | {'dst':'10.0.0.2','dev':'eth0','table':'254','protocol':'2','prefsrc':'203.0.113.1'}"
            + " | {to: 10.0.0.2/32, interface: eth0, from: 203.0.113.1}",
        "ROUTES | {'type':'local','dst':'10.0.0.9','dev':'lo','table':'255','protocol':'2','prefsrc':'10.0.0.9'}"
            + " | {to: 10.0.0.9/32, interface: lo, type: local, table: local}",
        "ROUTES | {'dst':'default','gateway':'203.0.113.9','dev':'eth0','metric':4294967295,"
            + "'flags':['onlink','linkdown'],'flow':{'from':'1','to':'2'},'metrics':[{'mtu':600}]}"
            + " | {to: default, via: 203.0.113.9, interface: eth0, metric: 4294967295, mtu: 600,"
            + " on-link: true, realm: 1/2}",
        "ROUTES | {'type':'throw','dst':'10.0.0.0/8','table':'100'}"
            + " | {to: 10.0.0.0/8, type: throw, table: 100}",
        "POLICY_RULES | {'priority':60,'not':null,'src':'all','dst':'10.3.0.0','dstlen':16,"
            + "'oif':'eth0','action':'prohibit'}"
            + " | {priority: 60, not: true, to: 10.3.0.0/16, oif: eth0, type: prohibit}",
        "POLICY_RULES | {'priority':50,'src':'10.0.0.1','tos':'0x10','fwmark':'0x1','fwmask':'0xff',"
            + "'iif':'lo','table':'100'}"
            + " | {priority: 50, from: 10.0.0.1/32, mark: 0x1/0xff, type-of-service: 0x10, iif: lo,"
            + " table: 100}",
        "NEIGHBOURS | {'dst':'203.0.113.9','dev':'eth0','lladdr':'02:00:00:00:00:09','state':['STALE']}"
            + " | {address: 203.0.113.9, macaddress: \"02:00:00:00:00:09\", interface: eth0}",
        "NEIGHBOURS | {'dst':'203.0.113.9','dev':'eth0','state':['INCOMPLETE']} | ``",
      })
  void objectsOfIp(SavedOutput output, String json, String line) {
    // What was there before is the interface alone.
    String before = with(SavedOutput.ROUTES, "[]").hostFile();
    String kernels =
        output == SavedOutput.POLICY_RULES
            ? "{'priority':0,'src':'all','table':'255'},{'priority':32766,'src':'all','table':'254'},"
                + "{'priority':32767,'src':'all','table':'253'},"
            : "";
    Snapshot snapshot = with(output, ("[" + kernels + json + "]").replace('\'', '"'));
    String more = snapshot.hostFile().substring(before.length());
    String flow = more.replaceFirst("^[a-z-]+:\n  - ", "").strip();
    if (flow.contains("\n")) {
      flow = "{" + flow.replaceAll("\n +", ", ") + "}";
    }
    assertEquals(line, flow);
    assertEquals(List.of(), snapshot.omissions());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:* ino:1 sk:4 fwmark:0x3 <-> inet-sockopt: ( is_icsk transparent mc_all)"
            + " | {protocol: tcp, port: 80, transparent: true, mark: 3}",
        "tcp LISTEN 0 128 *:22 *:* uid:33 ino:1 v6only:0 | {protocol: tcp, port: 22, uid: 33}",
        "tcp LISTEN 0 128 [::ffff:203.0.113.1]:24 *:* | {protocol: tcp, address: 203.0.113.1, port: 24}",
        "tcp LISTEN 0 128 [::]:23 [::]:* v6only:1 | ``",
        "udp UNCONN 0 0 203.0.113.1%eth0:53 0.0.0.0:* |"
            + " {protocol: udp, address: 203.0.113.1, port: 53, interface: eth0}",
        "raw UNCONN 0 0 203.0.113.1:47 0.0.0.0:* | {raw: true, protocol: gre, address: 203.0.113.1}",
        "raw UNCONN 0 0 *:58 *:* | ``",
        "p_raw UNCONN 0 0 [2054]:eth0 * | {packet: true, protocol: 0x0806, interface: eth0}",
        "p_dgr UNCONN 0 0 *:* * | {packet: true}",
      })
  void sockets(String line, String socket) {
    String printed = with(SavedOutput.SOCKETS, line + "\n").hostFile();
    assertEquals(socket.isEmpty(), !printed.contains("sockets:"), printed);
    assertTrue(printed.endsWith(socket.isEmpty() ? "" : "sockets:\n  - " + socket + "\n"), printed);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ROUTES | [{\"dst\":\"default\",\"nexthops\":[{\"gateway\":\"203.0.113.5\",\"dev\":\"eth0\"},"
            + "{\"gateway\":\"203.0.113.6\",\"dev\":\"eth0\"}]}]"
            + " | route default of table main: several next hops are not modelled; here all goes by"
            + " the first, 203.0.113.5",
        "ROUTES | [{\"dst\":\"10.0.0.0/8\",\"dev\":\"eth0\",\"tos\":\"0x10\"}]"
            + " | route 10.0.0.0/8 of table main: routes for one type of service are not modelled; it"
            + " is left out",
        "ROUTES | [{\"dst\":\"10.0.0.0/8\",\"gateway\":\"192.0.2.1\",\"dev\":\"eth0\"}] | it is left out",
        "ADDRESSES | [{\"ifindex\":2,\"ifname\":\"wg0\",\"flags\":[\"UP\"],\"link_type\":\"none\","
            + "\"linkinfo\":{\"info_kind\":\"wireguard\"}}] | interface wg0: only Ethernet is"
            + " modelled, and it is wireguard; it is left out with its addresses and routes",
        "ADDRESSES | [{\"ifindex\":2,\"ifname\":\"p1\",\"flags\":[\"UP\"],\"link_type\":\"ether\","
            + "\"address\":\"02:00:00:00:00:09\",\"master\":\"br0\"}] | interface p1: it belongs to"
            + " br0, which gets its frames; it is left out with its addresses and routes",
        "SYSCTLS | net.ipv4.tcp_rmem = 1 2 3 | sysctls that are not modelled",
        "POLICY_RULES | [{\"priority\":70,\"src\":\"all\",\"goto\":32766}] | policy rule 70: \"goto\""
            + " is not modelled; it is left out",
        "NFTABLES | table inet firewalld | table inet firewalld of nftables: rules made with nft are"
            + " not read: there packets meet them, here they do not",
        "NFTABLES | table ip filter | table ip filter of nftables: rules made with nft are not read",
      })
  void whatCannotBeExpressedIsSaid(SavedOutput output, String text, String omission) {
    Snapshot snapshot = with(output, text);
    assertTrue(
        snapshot.omissions().stream().anyMatch(one -> one.toString().contains(omission)),
        () -> snapshot.omissions().toString());
    String comments = snapshot.hostFile().replaceAll("\n#  +", " ");
    assertTrue(comments.contains(omission), comments);
  }

  private static String vlan(String name, int number, String address, String data) {
    return """
      {"ifindex":9,"link":"eth1","ifname":"%s","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],
       "mtu":1500,"group":"0","link_type":"ether","address":"02:00:00:00:01:01","promiscuity":0,
       "linkinfo":{"info_kind":"vlan","info_data":{"protocol":"802.1Q","id":%d,
        "flags":["REORDER_HDR"]%s}},
       "addr_info":[{"family":"inet","local":"%s","prefixlen":24,"broadcast":"%s"}]}"""
        .formatted(name, number, data, address, address.replaceFirst("[0-9]+$", "255"));
  }

  /** A router on a stick, as config/trunk.yaml has it; this kernel has no VLANs to be asked. */
  @Test
  void vlansLieOnTheirCard() throws IOException {
    String card = CARD.replace("eth0", "eth1").replace("00:00:01", "00:01:01");
    String trunk = card.replace("203.0.113", "192.168.99").replace("1400", "1500");
    String vlans =
        vlan("eth1.10", 10, "192.168.7.1", "") + "," + vlan("eth1.20", 20, "192.168.20.1", "");
    Snapshot snapshot = with(SavedOutput.ADDRESSES, "[" + vlans + "," + trunk + "]");
    assertEquals(List.of(), snapshot.omissions());
    String file = Files.readString(Path.of("../config/trunk.yaml"));
    assertEquals(
        HostFile.parse("trunk.yaml", file).description().interfaces(),
        HostFile.parse("host.yaml", snapshot.hostFile()).description().interfaces());
    String maps = vlan("eth1.10", 10, "192.168.7.1", ",\"ingress_qos\":[{\"from\":1,\"to\":2}]");
    assertEquals(
        "[interface eth1.10: its maps between priorities and tags are not modelled]",
        with(SavedOutput.ADDRESSES, "[" + maps + "," + trunk + "]").omissions().toString());
  }

  @Test
  void rulesWithoutCountersAndWithoutWhatIsNotModelled() {
    Snapshot snapshot =
        with(
            SavedOutput.LEGACY_RULES,
            """
            # Generated by iptables-save v1.8.9 on Wed Nov 25 10:00:00 2026
            *filter
            :INPUT DROP [12:345]
            -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
            -A INPUT -m cgroup --path "a" -j ACCEPT
            -A INPUT -m nfacct --nfacct-name web
            COMMIT
            """);
    assertEquals(
        """
        *filter
        :INPUT DROP [0:0]
        -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
        # left out: -A INPUT -m cgroup --path "a" -j ACCEPT
        -A INPUT -m nfacct --nfacct-name web
        COMMIT
        """,
        snapshot.rules());
    assertEquals(1, snapshot.omissions().size(), snapshot.omissions().toString());
    assertTrue(snapshot.hostFile().endsWith("nfacct:\n  - web\n"), snapshot.hostFile());
  }

  @Test
  void addressesOfLoAreThereBeforeRoutesThatNameThem() {
    Snapshot snapshot =
        with(
            SavedOutput.ROUTES,
            """
            [{"dst":"default","gateway":"203.0.113.9","dev":"eth0","prefsrc":"10.0.0.9"},
             {"dst":"10.1.0.0/16","dev":"eth0","prefsrc":"10.0.0.9"},
             {"type":"local","dst":"10.0.0.9","dev":"lo","table":"255","protocol":"2",
              "prefsrc":"10.0.0.9"}]
            """);
    assertEquals(List.of(), snapshot.omissions());
    assertEquals(3, snapshot.host().routes().size());
  }

  @Test
  void sysctlsThatDiffer() {
    String printed =
        with(
                SavedOutput.SYSCTLS,
                """
                net.ipv4.conf.all.forwarding = 1
                net.ipv4.conf.eth0.forwarding = 1
                net.ipv4.conf.eth0.rp_filter = 2
                net.ipv4.conf.lo.forwarding = 1
                net.ipv4.ip_default_ttl = 64
                net.ipv4.ip_forward = 1
                """)
            .hostFile();
    assertTrue(
        printed.endsWith("sysctls:\n  net.ipv4.ip_forward: 1\n  net.ipv4.conf.eth0.rp_filter: 2\n"),
        printed);
  }

  @Test
  void whatIsNotJsonIsRefusedAtItsPlace() {
    Map<SavedOutput, String> saved = machine();
    saved.put(SavedOutput.ROUTES, "default via 203.0.113.254 dev eth0\n");
    SourceException e = assertThrows(SourceException.class, () -> Snapshot.of(saved));
    assertTrue(e.getMessage().startsWith("route.json:1:1: "), e.getMessage());
  }

  @ParameterizedTest
  @EnumSource
  void theGuideSavesEachOutput(SavedOutput output) throws IOException {
    String guide = Files.readString(Path.of("../docs/snapshot.md"));
    assertTrue(guide.contains("\nsave " + output.file + " " + output.command + "\n"));
  }
}
