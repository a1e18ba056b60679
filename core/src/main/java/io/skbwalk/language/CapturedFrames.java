// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription;
import io.skbwalk.language.ScenarioFile.CapturedFrame;
import io.skbwalk.lib.Mac;
import io.skbwalk.skb.EthernetHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongPredicate;

/** Frames of a capture in a scenario: {@code {in: eth0, capture: FILE, frames: 3-7}}. */
final class CapturedFrames {
  private final HostDescription host;
  private final ScenarioFile.FileReader files;

  CapturedFrames(HostDescription host, ScenarioFile.FileReader files) {
    this.host = host;
    this.files = files;
  }

  /** Reads one entry and appends its frames, in their own distances. */
  void read(YamlValue value, List<ScenarioPacket> packets) {
    YamlValue.Fields fields =
        value.fields(
            "frames of a capture",
            "capture",
            "frames",
            "filter",
            "in",
            "sent",
            "after",
            "comment",
            "expect");
    YamlValue in = fields.get("in");
    boolean sent = fields.bool("sent", false);
    if (in != null && (sent || mac(in.text()) == 0)) {
      throw in.error(
          sent ? "frames either come in or are sent" : "no interface is called " + in.text());
    }
    YamlValue capture = fields.get("capture");
    List<CapturedFrame> frames;
    try {
      frames = files.frames(capture.text(), fields.text("filter", null), numbers(fields));
    } catch (IOException e) {
      throw capture.error("cannot read " + capture.text() + ": " + e.getMessage());
    }
    if (frames.isEmpty()) {
      throw value.error(capture.text() + " has no such frame");
    }
    long wait = fields.get("after") == null ? 0 : fields.get("after").nanos();
    long before = frames.get(0).time();
    for (CapturedFrame frame : frames) {
      String device = in != null ? in.text() : sent ? null : device(value, frame);
      byte[] bytes = frame.bytes();
      if (device == null) {
        bytes = packet(value, frame);
      }
      packets.add(
          new ScenarioPacket(
              device,
              wait + Math.max(0, frame.time() - before),
              bytes,
              List.of(),
              null,
              fields.text("comment", capture.text() + " #" + frame.number()),
              value.position(),
              null));
      wait = 0;
      before = Math.max(before, frame.time());
    }
  }

  /** {@code 7}, {@code 3-7}, {@code 1,3-7} or a list of these. */
  private static LongPredicate numbers(YamlValue.Fields fields) {
    YamlValue frames = fields.get("frames");
    if (frames == null) {
      return number -> true;
    }
    List<long[]> ranges = new ArrayList<>();
    for (YamlValue one : frames.isList() ? frames.list() : List.of(frames)) {
      for (String range : one.text().split(",", -1)) {
        if (!range.strip().matches("[1-9][0-9]{0,17}(-[1-9][0-9]{0,17})?")) {
          throw one.error("frames are numbers from 1, such as 7, 3-7 or [1, 3-7]");
        }
        String[] ends = range.strip().split("-");
        ranges.add(new long[] {Long.parseLong(ends[0]), Long.parseLong(ends[ends.length - 1])});
      }
    }
    return number -> ranges.stream().anyMatch(range -> range[0] <= number && number <= range[1]);
  }

  private long mac(String device) {
    return host.interfaces().stream()
        .filter(nic -> nic.name().equals(device))
        .mapToLong(HostDescription.Interface::macAddress)
        .findFirst()
        .orElse(0);
  }

  /** The interface that a frame is addressed to; null when it comes from the machine itself. */
  private String device(YamlValue value, CapturedFrame frame) {
    long[] macs = new long[2];
    for (int i = 0; i < Math.min(12, frame.bytes().length); i++) {
      macs[i / 6] = macs[i / 6] << 8 | frame.bytes()[i] & 0xFF;
    }
    for (HostDescription.Interface nic : host.interfaces()) {
      if (nic.macAddress() == macs[1]) {
        return null;
      }
      if (nic.macAddress() == macs[0]) {
        return nic.name();
      }
    }
    if (host.interfaces().size() == 1 && Mac.isGroup(macs[0])) {
      return host.interfaces().get(0).name();
    }
    throw value.error(
        "frame "
            + frame.number()
            + " is neither to nor from an Ethernet address of the machine; say in: INTERFACE");
  }

  /** The IP packet of a frame that the machine sends. */
  private static byte[] packet(YamlValue value, CapturedFrame frame) {
    byte[] bytes = frame.bytes();
    int network = TcpAnswers.network(bytes);
    if (bytes.length < network
        || (ByteBuffer.wrap(bytes).getShort(network - 2) & 0xFFFF) != EthernetHeader.ETH_P_IP) {
      throw value.error("frame " + frame.number() + " is no IPv4 packet, so it cannot be sent");
    }
    return Arrays.copyOfRange(bytes, network, bytes.length);
  }
}
