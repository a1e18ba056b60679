// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.skb.TcpHeader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the packets of a scenario: every header field by name, right unless the file says
 * otherwise.
 */
public final class PacketReader {
  private static final String[] PACKET_KEYS = {
    "in",
    "sent",
    "after",
    "comment",
    "ethernet",
    "tcp",
    "udp",
    "icmp",
    "arp",
    "ip",
    "frame",
    "truncate",
    "pad",
    "repeat",
    "fragments",
    "tcp-session",
    "udp-exchange",
    "ping",
    "capture",
    "frames",
    "filter",
    "uid",
    "gid",
    "groups",
    "expect"
  };
  private static final String[] IP_KEYS = {
    "from",
    "to",
    "ttl",
    "tos",
    "id",
    "df",
    "mf",
    "reserved-flag",
    "fragment-offset",
    "ip-options",
    "ip-checksum",
    "total-length",
    "header-length",
    "version",
    "protocol"
  };
  private static final Map<String, Integer> ICMP_TYPES =
      Map.ofEntries(
          Map.entry("echo-reply", 0),
          Map.entry("destination-unreachable", 3),
          Map.entry("source-quench", 4),
          Map.entry("redirect", 5),
          Map.entry("echo-request", 8),
          Map.entry("router-advertisement", 9),
          Map.entry("router-solicitation", 10),
          Map.entry("time-exceeded", 11),
          Map.entry("parameter-problem", 12),
          Map.entry("timestamp-request", 13),
          Map.entry("timestamp-reply", 14),
          Map.entry("address-mask-request", 17),
          Map.entry("address-mask-reply", 18));

  /** What the machine has sent, and what is added to it. */
  private static final Pattern ANSWER = Pattern.compile("(isn|last)([+-]\\d{1,9})?");

  private static final String FLAGS = "FSRPAUEC";

  private static final String[] CONVERSATIONS = {"tcp-session", "udp-exchange", "ping"};

  private final HostDescription host;
  private final ScenarioFile.FileReader files;
  private int conversations;

  /** Reads packets for {@code host}, whose Ethernet addresses they get. */
  public PacketReader(HostDescription host) {
    this(
        host,
        name -> {
          throw new IOException("files are not read here");
        });
  }

  /** The same, but frames of captures are taken from {@code files}. */
  PacketReader(HostDescription host, ScenarioFile.FileReader files) {
    this.host = host;
    this.files = files;
  }

  /** Reads one entry of an experiment's packets and appends what it brings. */
  ScenarioFile.Step readStep(YamlValue value, List<ScenarioPacket> packets) {
    YamlValue.Fields fields = value.fields("a packet", PACKET_KEYS);
    int first = packets.size();
    ScenarioFile.Judged judged = ScenarioFile.Judged.EACH;
    String conversation = null;
    for (String kind : CONVERSATIONS) {
      conversation = fields.get(kind) == null ? conversation : kind;
    }
    if (conversation != null) {
      converse(conversation, value, packets);
      judged = ScenarioFile.Judged.CONVERSATION;
    } else if (fields.get("capture") != null) {
      new CapturedFrames(host, files).read(value, packets);
    } else {
      read(value, packets);
      judged = fields.get("fragments") == null ? judged : ScenarioFile.Judged.LAST;
    }
    return new ScenarioFile.Step(
        judged, first, packets.size() - first, fields.get("expect"), value.position());
  }

  private void converse(String kind, YamlValue value, List<ScenarioPacket> packets) {
    YamlValue.Fields fields =
        value.fields("a conversation", kind, "in", "sent", "after", "comment", "expect");
    String device = device(value, fields);
    long wait = fields.get("after") == null ? 0 : fields.get("after").nanos();
    new ConversationReader(this, kind, fields.get(kind), device, conversations++, wait, packets);
  }

  /** The interface that it arrives on; null when the machine sends it. */
  private String device(YamlValue value, YamlValue.Fields fields) {
    YamlValue in = fields.get("in");
    if (fields.bool("sent", false) == (in != null)) {
      throw value.error(
          "a packet has either in: INTERFACE, or sent: true when the machine sends it");
    }
    if (in != null && host.interfaces().stream().noneMatch(nic -> nic.name().equals(in.text()))) {
      throw in.error("no interface is called " + in.text());
    }
    return in == null ? null : in.text();
  }

  /** Reads one packet and appends it, as often as it repeats. */
  public void read(YamlValue value, List<ScenarioPacket> packets) {
    YamlValue.Fields fields = value.fields("a packet", PACKET_KEYS);
    boolean sent = fields.bool("sent", false);
    String device = device(value, fields);
    SocketOwner owner = SocketYaml.owner(fields);
    if (owner != null && !sent) {
      throw value.error("only a packet that the machine sends has an owner (uid, gid, groups)");
    }
    byte[] bytes = bytes(value, fields, device);
    YamlValue truncate = fields.get("truncate");
    if (truncate != null) {
      bytes = Arrays.copyOf(bytes, (int) truncate.number(0, bytes.length));
    }
    YamlValue pad = fields.get("pad");
    if (pad != null) {
      bytes = Arrays.copyOf(bytes, (int) pad.number(bytes.length, 65_549));
    }
    List<TcpAnswers.Number> answers = answers(fields, bytes, device);
    YamlValue after = fields.get("after");
    long wait = after == null ? 0 : after.nanos();
    long repeat = fields.number("repeat", 1, 1_000_000, 1);
    YamlValue fragments = fields.get("fragments");
    List<byte[]> parts =
        fragments == null
            ? List.of(bytes)
            : Fragments.of(bytes, device == null ? 0 : 14, fragments);
    for (long i = 0; i < repeat; i++) {
      long pause = wait;
      for (byte[] part : parts) {
        packets.add(
            new ScenarioPacket(
                device,
                pause,
                part,
                answers,
                owner,
                fields.text("comment", ""),
                value.position(),
                null));
        pause = 0;
      }
    }
  }

  /** The numbers of a segment that only the machine knows: {@code ack: isn+1} and the like. */
  private static List<TcpAnswers.Number> answers(
      YamlValue.Fields fields, byte[] bytes, String device) {
    List<TcpAnswers.Number> answers = new ArrayList<>();
    YamlValue segment = fields.get("tcp");
    if (segment == null) {
      return answers;
    }
    int network = device == null ? 0 : TcpAnswers.network(bytes);
    int tcp = TcpAnswers.tcp(bytes, network, bytes.length);
    for (Map.Entry<YamlValue, YamlValue> entry : segment.entries().entrySet()) {
      boolean timestamp = entry.getKey().text().equals("timestamps");
      YamlValue given = timestamp ? entry.getValue().list().get(1) : entry.getValue();
      Matcher written = given.isScalar() ? ANSWER.matcher(given.text()) : null;
      if (!timestamp && !entry.getKey().text().equals("ack") || !written.matches()) {
        continue;
      }
      if (tcp < 0) {
        throw given.error("a segment that answers is whole");
      }
      int at = timestamp ? TcpAnswers.timestamp(bytes, tcp) + 4 : tcp + TcpHeader.ACK_OFFSET;
      String plus = written.group(2);
      answers.add(new TcpAnswers.Number(timestamp, at, plus == null ? 0 : Integer.parseInt(plus)));
    }
    return answers;
  }

  /** A number of 32 bits, or {@code word} with what is added to it, for which 0 stands yet. */
  private static int answered(YamlValue value, String word) {
    Matcher written = ANSWER.matcher(value.text());
    return written.matches() && written.group(1).equals(word)
        ? 0
        : (int) value.number(0, 0xFFFFFFFFL);
  }

  /** A duration such as 1s, 250ms, 3m; nanoseconds. */
  static long nanos(String text) {
    var matcher = Pattern.compile("(\\d{1,12})(?:\\.(\\d{1,9}))?(ns|us|ms|s|m|h|d)").matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "a duration is a number with ns, us, ms, s, m, h or d, such as 1.5s, not \""
              + text
              + "\"");
    }
    long unit =
        switch (matcher.group(3)) {
          case "ns" -> 1L;
          case "us" -> 1_000L;
          case "ms" -> 1_000_000L;
          case "s" -> 1_000_000_000L;
          case "m" -> 60_000_000_000L;
          case "h" -> 3_600_000_000_000L;
          default -> 86_400_000_000_000L;
        };
    try {
      long whole = Math.multiplyExact(Long.parseLong(matcher.group(1)), unit);
      String fraction = matcher.group(2) == null ? "" : matcher.group(2);
      long part = 0;
      for (int i = 0; i < fraction.length(); i++) {
        unit /= 10;
        part += (fraction.charAt(i) - '0') * unit;
      }
      return whole + part;
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("the duration " + text + " is too long", e);
    }
  }

  private byte[] bytes(YamlValue value, YamlValue.Fields fields, String device) {
    String kind = null;
    for (String key : new String[] {"tcp", "udp", "icmp", "arp", "ip", "frame"}) {
      if (fields.get(key) != null) {
        if (kind != null) {
          throw value.error("a packet is one of tcp, udp, icmp, arp, ip and frame, not two");
        }
        kind = key;
      }
    }
    if (kind == null) {
      throw value.error("a packet needs one of tcp, udp, icmp, arp, ip and frame");
    }
    YamlValue body = fields.get(kind);
    if (kind.equals("frame")) {
      return hex(body);
    }
    YamlValue ethernet = fields.get("ethernet");
    if (kind.equals("arp")) {
      return arp(body, ethernet, device);
    }
    FrameBuilder builder = ipPacket(kind, body, ethernet, device);
    return device == null ? builder.packet() : builder.frame();
  }

  long ownMac(String device) {
    for (HostDescription.Interface nic : host.interfaces()) {
      if (nic.name().equals(device)) {
        return nic.macAddress();
      }
    }
    return 0;
  }

  /**
   * The sender's link-layer address: the neighbour's when it is known, else made from its address.
   */
  long neighbourMac(int address, String device) {
    for (HostDescription.Neighbour neighbour : host.neighbours()) {
      if (neighbour.address() == address && neighbour.device().equals(device)) {
        return neighbour.macAddress();
      }
    }
    return 0x0200_0000_0000L | address & 0xFFFFFFFFL;
  }

  private static long groupMac(int address) {
    return 0x0100_5E00_0000L | address & 0x7FFFFF;
  }

  private FrameBuilder ipPacket(String kind, YamlValue body, YamlValue ethernet, String device) {
    String[] own =
        switch (kind) {
          case "tcp" ->
              new String[] {
                "flags",
                "seq",
                "ack",
                "window",
                "options",
                "mss",
                "wscale",
                "sack-permitted",
                "timestamps",
                "data-offset",
                "urgent",
                "checksum",
                "payload",
                "payload-hex",
                "length"
              };
          case "udp" -> new String[] {"checksum", "udp-length", "payload", "payload-hex", "length"};
          case "icmp" ->
              new String[] {
                "type",
                "code",
                "icmp-id",
                "seq",
                "mtu",
                "gateway",
                "pointer",
                "quote",
                "checksum",
                "payload",
                "payload-hex",
                "length"
              };
          default -> new String[] {"payload", "payload-hex", "length"};
        };
    String[] keys = Arrays.copyOf(IP_KEYS, IP_KEYS.length + own.length);
    System.arraycopy(own, 0, keys, IP_KEYS.length, own.length);
    YamlValue.Fields fields = body.fields("a packet's " + kind, keys);
    boolean ports = kind.equals("tcp") || kind.equals("udp");
    Endpoint from = endpoint(fields.require("from"), ports);
    Endpoint to = endpoint(fields.require("to"), ports);

    long destination = ownMac(device);
    if (to.address == 0xFFFFFFFF) {
      destination = Mac.BROADCAST;
    } else if (Ip4.isMulticast(to.address)) {
      destination = groupMac(to.address);
    }
    long source = neighbourMac(from.address, device);
    int vlan = -1;
    Integer etherType = null;
    if (ethernet != null) {
      YamlValue.Fields link =
          ethernet.fields("ethernet", "source", "destination", "vlan", "ethertype");
      source = link.get("source") == null ? source : link.get("source").parsed(Mac::parse);
      destination =
          link.get("destination") == null
              ? destination
              : link.get("destination").parsed(Mac::parse);
      vlan = (int) link.number("vlan", 0, 65_535, -1);
      if (link.get("ethertype") != null) {
        etherType = (int) link.get("ethertype").number(0, 65_535);
      }
    }
    FrameBuilder builder = new FrameBuilder(destination, source).ip(from.address, to.address);
    if (vlan >= 0) {
      builder.vlan(vlan);
    }
    if (etherType != null) {
      builder.etherType(etherType);
    }
    switch (kind) {
      case "tcp" -> tcp(builder, fields, from.port, to.port);
      case "udp" -> udp(builder, fields, from.port, to.port);
      case "icmp" -> icmp(builder, fields, device);
      default ->
          builder.transport(
              (int) fields.require("protocol").number(0, 255), new byte[0], -1, false);
    }
    ipFields(builder, fields);
    if (fields.get("checksum") != null) {
      builder.transportChecksum((int) fields.get("checksum").number(0, 65_535));
    }
    byte[] payload = payload(fields);
    if (payload != null) {
      builder.payload(payload);
    }
    return builder;
  }

  private static void ipFields(FrameBuilder builder, YamlValue.Fields fields) {
    int fragment = (int) fields.number("fragment-offset", 0, 65_528, 0);
    if (fragment % 8 != 0) {
      throw fields.get("fragment-offset").error("a fragment offset is a multiple of 8 bytes");
    }
    fragment =
        fragment / 8
            | (fields.bool("df", false) ? 0x4000 : 0)
            | (fields.bool("mf", false) ? 0x2000 : 0)
            | (fields.bool("reserved-flag", false) ? 0x8000 : 0);
    builder
        .ttl((int) fields.number("ttl", 0, 255, 64))
        .tos((int) fields.number("tos", 0, 255, 0))
        .id((int) fields.number("id", 0, 65_535, 0))
        .fragment(fragment);
    if (fields.get("ip-options") != null) {
      byte[] options = hex(fields.get("ip-options"));
      if (options.length > 40) {
        throw fields.get("ip-options").error("IP options are 40 bytes at most");
      }
      builder.ipOptions(options);
    }
    if (fields.get("ip-checksum") != null) {
      builder.ipChecksum((int) fields.get("ip-checksum").number(0, 65_535));
    }
    if (fields.get("total-length") != null) {
      builder.totalLength((int) fields.get("total-length").number(0, 65_535));
    }
    if (fields.get("header-length") != null) {
      builder.headerWords((int) fields.get("header-length").number(0, 60) / 4);
    }
    if (fields.get("version") != null) {
      builder.version((int) fields.get("version").number(0, 15));
    }
    if (fields.get("protocol") != null) {
      builder.protocol((int) fields.get("protocol").number(0, 255));
    }
  }

  private static void tcp(FrameBuilder builder, YamlValue.Fields fields, int from, int to) {
    ByteArrayOutputStream options = new ByteArrayOutputStream();
    if (fields.get("mss") != null) {
      int mss = (int) fields.get("mss").number(0, 65_535);
      options.writeBytes(new byte[] {2, 4, (byte) (mss >>> 8), (byte) mss});
    }
    if (fields.bool("sack-permitted", false)) {
      options.writeBytes(new byte[] {4, 2, 1, 1});
    }
    if (fields.get("timestamps") != null) {
      List<YamlValue> pair = fields.get("timestamps").list();
      if (pair.size() != 2) {
        throw fields.get("timestamps").error("timestamps are two numbers: [value, echo]");
      }
      ByteBuffer bytes = ByteBuffer.allocate(12).put(new byte[] {1, 1, 8, 10});
      bytes.putInt((int) pair.get(0).number(0, 0xFFFFFFFFL));
      options.writeBytes(bytes.putInt(answered(pair.get(1), "last")).array());
    }
    if (fields.get("wscale") != null) {
      options.writeBytes(new byte[] {1, 3, 3, (byte) fields.get("wscale").number(0, 255)});
    }
    if (fields.get("options") != null) {
      options.writeBytes(hex(fields.get("options")));
    }
    if (options.size() > 40) {
      throw fields.owner().error("TCP options are 40 bytes at most, these are " + options.size());
    }
    int flags = 0;
    YamlValue written = fields.get("flags");
    if (written != null) {
      for (char letter : written.text().toUpperCase(Locale.ROOT).toCharArray()) {
        int bit = FLAGS.indexOf(letter == '.' ? 'A' : letter == 'W' ? 'C' : letter);
        if (bit < 0) {
          throw written.error("TCP flags are letters of " + FLAGS + ", not \"" + letter + "\"");
        }
        flags |= 1 << bit;
      }
    }
    builder.tcp(
        from,
        to,
        flags,
        (int) fields.number("seq", 0, 0xFFFFFFFFL, 0),
        fields.get("ack") == null ? 0 : answered(fields.get("ack"), "isn"),
        (int) fields.number("window", 0, 65_535, 64_240),
        options.toByteArray());
    builder.tcpOverrides(
        (int) fields.number("data-offset", 0, 60, -4) / 4,
        (int) fields.number("urgent", 0, 65_535, 0));
  }

  private static void udp(FrameBuilder builder, YamlValue.Fields fields, int from, int to) {
    builder.udp(from, to);
    if (fields.get("udp-length") != null) {
      builder.udpLength((int) fields.get("udp-length").number(0, 65_535));
    }
  }

  private void icmp(FrameBuilder builder, YamlValue.Fields fields, String device) {
    YamlValue type = fields.require("type");
    Integer named = ICMP_TYPES.get(type.text());
    if (named == null && !type.text().matches("[0-9]\\w*")) {
      throw type.error(
          "expected an ICMP type, a number or one of "
              + String.join(", ", new TreeSet<>(ICMP_TYPES.keySet()))
              + ", found \""
              + type.text()
              + "\"");
    }
    int number = named != null ? named : (int) type.number(0, 255);
    int rest =
        (int) fields.number("icmp-id", 0, 65_535, 0) << 16
            | (int) fields.number("seq", 0, 65_535, 0)
            | (int) fields.number("mtu", 0, 65_535, 0)
            | (int) fields.number("pointer", 0, 255, 0) << 24;
    if (fields.get("gateway") != null) {
      rest = fields.get("gateway").parsed(Ip4::parse);
    }
    builder.icmp(number, (int) fields.number("code", 0, 255, 0), rest);
    YamlValue quote = fields.get("quote");
    if (quote != null) {
      YamlValue.Fields quoted =
          quote.fields("a quoted packet", "tcp", "udp", "icmp", "ip", "bytes");
      int length = (int) quoted.number("bytes", 0, 65_535, 65_535);
      for (String kind : new String[] {"tcp", "udp", "icmp", "ip"}) {
        if (quoted.get(kind) != null) {
          byte[] packet = ipPacket(kind, quoted.get(kind), null, device).packet();
          builder.payload(Arrays.copyOf(packet, Math.min(packet.length, length)));
        }
      }
    }
  }

  private byte[] arp(YamlValue body, YamlValue ethernet, String device) {
    YamlValue.Fields fields =
        body.fields("a packet's arp", "operation", "from", "from-mac", "to", "to-mac");
    if (device == null) {
      throw body.error("ARP is the machine's own business: an arp packet arrives (in: INTERFACE)");
    }
    YamlValue operation = fields.require("operation");
    int number =
        switch (operation.text()) {
          case "request" -> 1;
          case "reply" -> 2;
          default -> (int) operation.number(0, 65_535);
        };
    int from = fields.require("from").parsed(Ip4::parse);
    int to = fields.require("to").parsed(Ip4::parse);
    long sender =
        fields.get("from-mac") == null
            ? neighbourMac(from, device)
            : fields.get("from-mac").parsed(Mac::parse);
    long target =
        fields.get("to-mac") == null
            ? (number == 1 ? 0 : ownMac(device))
            : fields.get("to-mac").parsed(Mac::parse);
    long destination = number == 1 ? Mac.BROADCAST : ownMac(device);
    long source = sender;
    if (ethernet != null) {
      YamlValue.Fields link = ethernet.fields("ethernet", "source", "destination");
      source = link.get("source") == null ? source : link.get("source").parsed(Mac::parse);
      destination =
          link.get("destination") == null
              ? destination
              : link.get("destination").parsed(Mac::parse);
    }
    ByteBuffer frame = ByteBuffer.allocate(42);
    mac(frame, destination);
    mac(frame, source);
    frame.putShort((short) 0x0806).putShort((short) 1).putShort((short) 0x0800);
    frame.put((byte) 6).put((byte) 4).putShort((short) number);
    mac(frame, sender);
    frame.putInt(from);
    mac(frame, target);
    frame.putInt(to);
    return frame.array();
  }

  private static void mac(ByteBuffer frame, long mac) {
    frame.putShort((short) (mac >>> 32)).putInt((int) mac);
  }

  record Endpoint(int address, int port) {}

  static Endpoint endpoint(YamlValue value, boolean port) {
    String text = value.text();
    int colon = text.indexOf(':');
    if (port != colon >= 0) {
      throw value.error(
          port
              ? "\"" + text + "\" needs a port, such as \"192.0.2.1:80\""
              : "\"" + text + "\" has a port, but this protocol has none");
    }
    try {
      int address = Ip4.parse(port ? text.substring(0, colon) : text);
      int number = port ? Integer.parseInt(text.substring(colon + 1)) : 0;
      if (number < 0 || number > 65_535) {
        throw value.error("a port is a number from 0 to 65535, not " + number);
      }
      return new Endpoint(address, number);
    } catch (NumberFormatException e) {
      throw value.error(
          "a port is a number from 0 to 65535, not \"" + text.substring(colon + 1) + "\"");
    } catch (IllegalArgumentException e) {
      throw value.error(e.getMessage());
    }
  }

  private static byte[] payload(YamlValue.Fields fields) {
    int given = 0;
    byte[] payload = null;
    if (fields.get("payload") != null) {
      payload = fields.get("payload").text().getBytes(StandardCharsets.UTF_8);
      given++;
    }
    if (fields.get("payload-hex") != null) {
      payload = hex(fields.get("payload-hex"));
      given++;
    }
    if (fields.get("length") != null) {
      payload = new byte[(int) fields.get("length").number(0, 65_515)];
      for (int i = 0; i < payload.length; i++) {
        payload[i] = (byte) ('a' + i % 26);
      }
      given++;
    }
    if (given > 1) {
      throw fields.owner().error("a packet has one of payload, payload-hex and length");
    }
    return payload;
  }

  private static byte[] hex(YamlValue value) {
    String text = value.text().replaceAll("[\\s:]", "");
    try {
      return HexFormat.of().parseHex(text);
    } catch (IllegalArgumentException e) {
      throw value.error("expected bytes in hexadecimal, two digits each");
    }
  }
}
