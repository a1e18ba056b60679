// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostListener;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.SkBuff;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Payloads that no client sends: cut short, with numbers that do not end, without line ends, of
 * random bytes. A helper reads what it can; nothing throws, and what leaves is a whole packet.
 */
class HostilePayloadsTest {
  private static final HostDescription ROUTER =
      HostFile.parse(
              "router.yaml",
              """
              interfaces:
                eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
                eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24]}
              routes:
                - {to: default, via: 203.0.113.254}
              assume-neighbours: true
              sysctls:
                net.ipv4.ip_forward: 1
                net.netfilter.nf_conntrack_tcp_be_liberal: 1
                net.netfilter.nf_conntrack_checksum: 0
              """)
          .description();

  /** Packets of a connection. */
  private static final int TURNS = 20;

  private static final int PACKETS = 2_000;

  /** A helper, and what client and server really say to each other, in turns. */
  enum Spoken {
    FTP(
        "ftp",
        6,
        21,
        "PORT 192,168,7,2,156,64\r\n",
        "227 Entering Passive Mode (198,51,100,1,156,64)\r\n",
        "EPRT |1|192.168.7.2|40000|\r\n",
        "229 Entering Extended Passive Mode (|||40000|)\r\n"),
    IRC("irc", 6, 6667, "PRIVMSG b :\1DCC SEND f 3232237314 5000 10\1\r\n", ":s 001 a :Hi\r\n"),
    TFTP("tftp", 17, 69, "\0\1file\0octet\0", "\0\2file\0octet\0", "\0\3\0\1data"),
    SIP_UDP("sip", 17, 5060, Spoken.INVITE, Spoken.REGISTER, Spoken.OK),
    SIP_TCP("sip", 6, 5060, Spoken.INVITE, Spoken.REGISTER + Spoken.INVITE, Spoken.OK),
    PPTP(
        "pptp",
        6,
        1723,
        pptp(1, 156, ""),
        pptp(2, 156, "01000100"),
        pptp(7, 168, "00070000"),
        pptp(8, 32, "000800070100"),
        pptp(12, 16, "0007"),
        pptp(13, 148, "0008"));

    private static final String INVITE =
        "INVITE sip:b@198.51.100.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.7.2:5060;branch=1\r\n"
            + "CSeq: 1 INVITE\r\nContact: <sip:a@192.168.7.2:5060>\r\n"
            + "Content-Type: application/sdp\r\nContent-Length: 92\r\n\r\n"
            + "v=0\r\no=a 1 1 IN IP4 192.168.7.2\r\ns=-\r\nc=IN IP4 192.168.7.2\r\nt=0 0\r\n"
            + "m=audio 30000 RTP/AVP 0\r\n";

    private static final String REGISTER =
        "REGISTER sip:198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.7.2:5060;rport\r\n"
            + "CSeq: 1 REGISTER\r\nContact: <sip:a@192.168.7.2:5060>;expires=60\r\n"
            + "Content-Length: 0\r\n\r\n";

    private static final String OK =
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.168.7.2:5060;received=192.168.7.2;rport=5060\r\n"
            + "CSeq: 1 INVITE\r\nContact: <sip:b@198.51.100.1:5060>\r\n"
            + "Content-Type: application/sdp\r\nContent-Length: 70\r\n\r\n"
            + "v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 40000 RTP/AVP 0\r\nm=video 0 RTP/AVP 1\r\n";

    final String helper;
    final int protocol;
    final int port;
    final List<byte[]> payloads;

    Spoken(String helper, int protocol, int port, String... payloads) {
      this.helper = helper;
      this.protocol = protocol;
      this.port = port;
      this.payloads =
          Arrays.stream(payloads).map(text -> text.getBytes(StandardCharsets.ISO_8859_1)).toList();
    }

    /** What is said in a turn. */
    byte[] payload(int turn, int client) {
      byte[] payload = payloads.get(turn).clone();
      if (this == PPTP && turn == 3) {
        // The answer to a call names the id that NAT gave to it, which is the client's port.
        ByteBuffer.wrap(payload).putShort(14, (short) client);
      }
      return payload;
    }

    private static String pptp(int message, int length, String says) {
      byte[] bytes = new byte[length];
      ByteBuffer.wrap(bytes)
          .putShort((short) length)
          .putShort((short) 1)
          .putInt(0x1A2B3C4D)
          .putShort((short) message)
          .putShort((short) 0)
          .put(HexFormat.of().parseHex(says));
      return new String(bytes, StandardCharsets.ISO_8859_1);
    }
  }

  private int left;
  private int mostExpected;

  @ParameterizedTest
  @EnumSource
  void isReadAsFarAsItGoes(Spoken spoken) {
    String protocol = spoken.protocol == 6 ? "tcp" : "udp";
    String rules =
        """
        *raw
        :PREROUTING ACCEPT [0:0]
        -A PREROUTING -p %s -m %s --dport %d -j CT --helper %s
        COMMIT
        *nat
        :POSTROUTING ACCEPT [0:0]
        -A POSTROUTING -o eth0 -j MASQUERADE
        COMMIT
        """
            .formatted(protocol, protocol, spoken.port, spoken.helper);
    Host host = new Host(ROUTER, RulesFile.parse("rules.v4", rules), 0, 1);
    host.setListener(
        new HostListener() {
          @Override
          public void transmitted(NetDevice dev, SkBuff skb) {
            checkWhole(skb);
          }
        });
    SplittableRandom random = new SplittableRandom(spoken.ordinal());
    NetDevice outside = host.device("eth0");
    NetDevice inside = host.device("eth1");
    long time = Clock.SECOND;
    int[] next = new int[2];
    for (int i = 0; i < PACKETS; i++) {
      time += 10 * Clock.SECOND / 1000;
      // A new connection now and then, since a helper gives up on some after the first bad message.
      int client = 10_000 + i / TURNS;
      int turn = i % TURNS;
      if (turn == 0) {
        Arrays.fill(next, 1);
        if (spoken.protocol == 6) {
          open(host, inside, outside, spoken, client, time);
        }
      }
      boolean intact = client % 2 == 0 && turn < spoken.payloads.size();
      boolean answer = intact ? turn % 2 == 1 : turn > 1 && random.nextInt(3) == 0;
      int said = intact ? turn : random.nextInt(spoken.payloads.size());
      byte[] payload = spoken.payload(said, client);
      if (!intact) {
        payload = mutated(payload, random);
      }
      byte[] frame = frame(spoken, client, answer, 0x18, next[answer ? 1 : 0], payload);
      next[answer ? 1 : 0] += payload.length;
      host.receive(answer ? outside : inside, frame, time, null);
      mostExpected = Math.max(mostExpected, host.conntrack().expectations().list().size());
    }
    assertTrue(left > PACKETS / 4, () -> left + " left");
    assertTrue(mostExpected > 0, "something was understood");
    assertEquals(0, host.net().skbs.outstanding());
  }

  private void open(
      Host host, NetDevice inside, NetDevice outside, Spoken spoken, int client, long time) {
    byte[] none = new byte[0];
    host.receive(inside, frame(spoken, client, false, 0x02, 0, none), time, null);
    host.receive(outside, frame(spoken, client, true, 0x12, 0, none), time, null);
    host.receive(inside, frame(spoken, client, false, 0x10, 1, none), time, null);
  }

  private void checkWhole(SkBuff skb) {
    left++;
    int ip = skb.networkHeader;
    assertEquals(0, Checksum.of(skb.head, ip, 20), "IP checksum");
    assertTrue(skb.u16(ip + 2) <= skb.tail - ip, "total length");
  }

  /** The payload with a few things done to it that may make it wrong. */
  private static byte[] mutated(byte[] payload, SplittableRandom random) {
    byte[] bytes = payload.clone();
    for (int change = random.nextInt(4); change > 0 && bytes.length > 0; change--) {
      int at = random.nextInt(bytes.length);
      bytes =
          switch (random.nextInt(7)) {
            case 0 -> Arrays.copyOf(bytes, at);
            case 1 -> Arrays.copyOfRange(bytes, at, bytes.length);
            case 2 -> inserted(bytes, at, "9".repeat(1 + random.nextInt(40)));
            case 3 -> inserted(bytes, at, ",|:;\r\n .@<>=()\0".substring(random.nextInt(12)));
            case 4 ->
                new String(bytes, StandardCharsets.ISO_8859_1)
                    .replace("\r\n", random.nextBoolean() ? "\n" : "")
                    .getBytes(StandardCharsets.ISO_8859_1);
            case 5 -> {
              bytes[at] = (byte) random.nextInt(256);
              yield bytes;
            }
            default -> {
              random.nextBytes(bytes);
              yield bytes;
            }
          };
    }
    return bytes;
  }

  private static byte[] inserted(byte[] bytes, int at, String text) {
    ByteBuffer longer = ByteBuffer.allocate(bytes.length + text.length());
    longer.put(bytes, 0, at).put(text.getBytes(StandardCharsets.ISO_8859_1));
    return longer.put(bytes, at, bytes.length - at).array();
  }

  private static byte[] frame(
      Spoken spoken, int client, boolean answer, int flags, int seq, byte[] payload) {
    boolean tcp = spoken.protocol == 6;
    int header = tcp ? 20 : 8;
    ByteBuffer frame = ByteBuffer.allocate(14 + 20 + header + payload.length);
    frame.putShort((short) 0x0200).putInt(answer ? 1 : 0x101).putShort((short) 0x0200).putInt(9);
    frame.putShort((short) 0x0800);
    frame.putInt(0x4500_0000 | 20 + header + payload.length).putInt(0x0001_4000);
    frame.putInt(64 << 24 | spoken.protocol << 16);
    // From outside everything comes to the address that MASQUERADE gave.
    frame.putInt(Ip4.parse(answer ? "198.51.100.1" : "192.168.7.2"));
    frame.putInt(Ip4.parse(answer ? "203.0.113.1" : "198.51.100.1"));
    frame.putShort(24, (short) Checksum.of(frame.array(), 14, 20));
    frame.putShort((short) (answer ? spoken.port : client));
    frame.putShort((short) (answer ? client : spoken.port));
    if (tcp) {
      frame.putInt(seq).putInt(flags == 0x02 ? 0 : 1).putInt(0x5000_FFFF | flags << 16).putInt(0);
    } else {
      frame.putInt(8 + payload.length << 16);
    }
    return frame.put(payload).array();
  }
}
