// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription;
import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A packet in one line, as it is typed on a command line: {@code eth0 tcp 192.0.2.1:1025 >
 * 192.0.2.2:80 S}; {@code sent} in the interface's place when the machine sends it. Behind that,
 * any field of a packet scenario as {@code field=value}.
 */
public final class TypedPacket {
  private static final Pattern FORM =
      Pattern.compile("(\\S+)\\s+(tcp|udp|icmp|ip)\\s+(\\S+)\\s*>\\s*(\\S+)((?:\\s+\\S+)*)\\s*");

  /** What a word without a name says. */
  private static final Map<String, String> FIRST_WORD =
      Map.of("tcp", ", flags: ", "icmp", ", type: ", "ip", ", protocol: ");

  private TypedPacket() {}

  /**
   * Reads a packet.
   *
   * @param name what to call the text in errors, such as {@code --send}
   * @throws SourceException when it is none
   */
  public static ScenarioPacket parse(String name, String text, HostDescription host) {
    Matcher form = FORM.matcher(text.strip());
    SourcePosition start = new SourcePosition(name, 1, 1);
    if (!form.matches()) {
      throw new SourceException(
          start,
          "\""
              + text
              + "\" is no packet; such as eth0 tcp 192.0.2.1:1025 > 192.0.2.2:80 S,"
              + " eth0 udp 192.0.2.1:1025 > 192.0.2.2:53, eth0 icmp 192.0.2.1 > 192.0.2.2,"
              + " eth0 ip 192.0.2.1 > 192.0.2.2 47; with sent for eth0 the machine sends it");
    }
    String kind = form.group(2);
    StringBuilder fields = new StringBuilder();
    fields.append("from: \"").append(form.group(3)).append('"');
    fields.append(", to: \"").append(form.group(4)).append('"');
    boolean named = false;
    for (String word : form.group(5).strip().split("\\s+")) {
      int equals = word.indexOf('=');
      if (equals > 0) {
        fields.append(", ").append(word, 0, equals).append(": ").append(word.substring(equals + 1));
      } else if (!word.isEmpty() && !named && !kind.equals("udp")) {
        fields.append(FIRST_WORD.get(kind)).append(word);
        named = true;
      } else if (!word.isEmpty()) {
        throw new SourceException(
            start, "\"" + word + "\" is neither flags nor field=value such as ttl=1");
      }
    }
    if (kind.equals("icmp") && !named) {
      fields.append(", type: echo-request");
    }
    String device = form.group(1);
    boolean sent =
        device.equals("sent")
            && host.interfaces().stream().noneMatch(nic -> nic.name().equals(device));
    String way = sent ? "sent: true" : "in: \"" + device + "\"";
    String yaml = "{" + way + ", " + kind + ": {" + fields + "}}";
    List<ScenarioPacket> packets = new ArrayList<>();
    try {
      new PacketReader(host).read(YamlValue.parse(name, yaml), packets);
    } catch (SourceException e) {
      // Columns are those of text that the user has not seen.
      String problem = e.getMessage().substring(e.position().toString().length() + 2);
      throw new SourceException(start, problem);
    }
    return packets.get(0);
  }
}
