// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.host.HostDescription.Neighbour;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import java.util.ArrayList;
import java.util.List;

/** Neighbours whose address is known, as {@code ip -4 -N -j -d neigh} prints them. */
final class SavedNeighbours {
  private final List<Neighbour> neighbours = new ArrayList<>();

  SavedNeighbours(String text, SavedInterfaces interfaces) {
    for (IpJson one : IpJson.list(SavedOutput.NEIGHBOURS.file, text)) {
      String address = one.text("dst", "");
      String device = one.text("dev", "");
      boolean known = one.has("lladdr") && !one.lists("state", "FAILED");
      if (known && !address.contains(":") && !device.equals("lo") && interfaces.has(device)) {
        neighbours.add(new Neighbour(Ip4.parse(address), Mac.parse(one.text("lladdr")), device));
      }
    }
  }

  List<Neighbour> neighbours() {
    return neighbours;
  }
}
