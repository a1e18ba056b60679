// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.language.YamlValue;
import io.skbwalk.lib.Spelling;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.PacketSummary;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** What the machine answers a packet with, by the names that {@code --reject-with} has for it. */
final class Answer {
  /** ICMP type, and code where it says more; -1 for any. */
  private record Message(int type, int code) {}

  private static final String TCP_RESET = "tcp-reset";
  private static final String TCP = "tcp";
  private static final String UDP = "udp";
  private static final String ARP_REPLY = "arp-reply";
  private static final int ARP_OPERATION = EthernetHeader.LENGTH + 7;

  private static final Map<String, Message> MESSAGES = new LinkedHashMap<>();

  static {
    MESSAGES.put("net-unreachable", new Message(3, 0));
    MESSAGES.put("host-unreachable", new Message(3, 1));
    MESSAGES.put("proto-unreachable", new Message(3, 2));
    MESSAGES.put("port-unreachable", new Message(3, 3));
    MESSAGES.put("fragmentation-needed", new Message(3, 4));
    MESSAGES.put("net-prohibited", new Message(3, 9));
    MESSAGES.put("host-prohibited", new Message(3, 10));
    MESSAGES.put("admin-prohibited", new Message(3, 13));
    MESSAGES.put("destination-unreachable", new Message(3, -1));
    MESSAGES.put("echo-reply", new Message(0, -1));
    MESSAGES.put("redirect", new Message(5, -1));
    MESSAGES.put("time-exceeded", new Message(11, -1));
    MESSAGES.put("parameter-problem", new Message(12, -1));
    MESSAGES.put("timestamp-reply", new Message(14, -1));
  }

  private static final String UNREACHABLE = "-unreachable";
  private static final String DESTINATION = "destination-unreachable";

  private Answer() {}

  /** The name of an answer that is expected. */
  static String wanted(YamlValue value) {
    String text = value.text().toLowerCase(Locale.ROOT);
    String name = text.startsWith("icmp-") ? text.substring(5) : text;
    if (!MESSAGES.containsKey(name)
        && !name.equals(TCP_RESET)
        && !name.equals(TCP)
        && !name.equals(UDP)
        && !name.equals(ARP_REPLY)) {
      throw value.error(
          "no answer is called "
              + value.text()
              + Spelling.hint(name, MESSAGES.keySet())
              + "; known: none, tcp-reset, tcp, udp, arp-reply, "
              + String.join(", ", MESSAGES.keySet())
              + ", or the fields of its frame as a mapping");
    }
    return name;
  }

  /** What a frame is called, as precisely as there is a name. */
  static String name(byte[] frame) {
    String flags = FrameField.FLAGS.ofFrame(frame);
    if (flags != null) {
      return flags.contains("R") ? TCP_RESET : TCP;
    }
    String type = FrameField.TYPE.ofFrame(frame);
    if (type != null) {
      int code = Integer.parseInt(FrameField.CODE.ofFrame(frame));
      for (Map.Entry<String, Message> one : MESSAGES.entrySet()) {
        Message message = one.getValue();
        if (message.type == Integer.parseInt(type) && (message.code < 0 || message.code == code)) {
          return one.getKey();
        }
      }
    }
    if ("17".equals(FrameField.PROTOCOL.ofFrame(frame))) {
      return UDP;
    }
    boolean arp = frame.length > ARP_OPERATION && frame[12] == 0x08 && frame[13] == 0x06;
    return arp && frame[ARP_OPERATION] == 2
        ? ARP_REPLY
        : PacketSummary.ofFrame(frame, 0, frame.length);
  }

  /** Is an answer called {@code seen} what is wanted? */
  static boolean same(String wanted, String seen) {
    boolean unreachable =
        wanted.equals(DESTINATION)
            && (seen.endsWith(UNREACHABLE)
                || seen.endsWith("-prohibited")
                || seen.equals("fragmentation-needed"));
    return wanted.equals(seen) || unreachable || wanted.equals(TCP) && seen.equals(TCP_RESET);
  }
}
