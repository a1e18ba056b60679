// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import java.util.ArrayList;
import java.util.List;

/**
 * Which interface a frame of a capture belongs to when nobody says, and whether the machine itself
 * sent it.
 */
final class FrameAssignment {
  private final Host host;
  private final NetDevice only;
  private final List<NetDevice> cards = new ArrayList<>();
  private final int[] addresses;
  private final Flowi4 flow = new Flowi4();

  FrameAssignment(Host host) {
    this.host = host;
    for (NetDevice dev : host.devices()) {
      if (!dev.isLoopback() && dev.lower == null) {
        cards.add(dev);
      }
    }
    addresses =
        host.description().interfaces().stream()
            .flatMap(one -> one.addresses().stream())
            .mapToInt(HostDescription.Address::address)
            .toArray();
    only = cards.size() == 1 ? cards.get(0) : null;
  }

  /** The machine's only card; null when it has several. */
  NetDevice only() {
    return only;
  }

  /** The card that the capture names, or the only one; null when there is neither. */
  NetDevice named(CaptureReader reader) {
    if (only != null) {
      return only;
    }
    String name = reader.interfaceName();
    if (!name.isEmpty()) {
      for (int i = 0; i < cards.size(); i++) {
        if (cards.get(i).name.equals(name)) {
          return cards.get(i);
        }
      }
    }
    return null;
  }

  /** Did the machine itself send it? */
  boolean isOwn(ArrivedFrame frame) {
    if (frame.direction == CaptureReader.OUTBOUND) {
      return true;
    }
    if (frame.hasMacs) {
      for (int i = 0; i < cards.size(); i++) {
        if (cards.get(i).macAddress == frame.sourceMac) {
          return true;
        }
      }
    }
    return frame.hasSource
        && frame.source != 0
        && frame.direction != CaptureReader.INBOUND
        && ownsAddress(frame.source)
        && (!frame.hasMacs || frame.isIp());
  }

  private boolean ownsAddress(int address) {
    for (int own : addresses) {
      if (own == address) {
        return true;
      }
    }
    return false;
  }

  /**
   * The card that a frame came in by: that with its destination address, else that which leads to
   * its source, else the first.
   */
  NetDevice assigned(ArrivedFrame frame) {
    if (frame.hasMacs && !Mac.isGroup(frame.destinationMac)) {
      for (int i = 0; i < cards.size(); i++) {
        if (cards.get(i).macAddress == frame.destinationMac) {
          return cards.get(i);
        }
      }
    }
    if (frame.hasSource && frame.source != 0 && !Ip4.isMulticast(frame.source)) {
      Rtable route = host.routing().output(flow.reset(frame.source));
      if (route != null) {
        NetDevice dev = route.dev;
        while (dev.lower != null) {
          dev = dev.lower;
        }
        if (!dev.isLoopback()) {
          return dev;
        }
      }
    }
    return cards.get(0);
  }

  /** The interface that a frame which is no IP packet was sent on. */
  NetDevice bySource(ArrivedFrame frame) {
    for (NetDevice card : cards) {
      if (frame.hasMacs && card.macAddress == frame.sourceMac) {
        return card;
      }
    }
    return cards.get(0);
  }
}
