// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.capture.Truncation;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.lib.Iso8601;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a replay came to: the numbers of report.json and of the summary on the terminal. */
public final class ReplayReport {
  /** A rule or policy with the packets that it counted in this replay. */
  public record RuleCount(
      String table, String chain, int number, String text, String source, long packets) {}

  private final Host host;
  private final ReplayTotals totals;

  /** The report of a replay that has ended. */
  public ReplayReport(Host host, ReplayTotals totals) {
    this.host = host;
    this.totals = totals;
  }

  /** What was counted. */
  public ReplayTotals totals() {
    return totals;
  }

  /** Its interfaces with their counters, the real ones. */
  public List<NetDevice> devices() {
    return host.devices();
  }

  /** Packets that the stack made and did not send. */
  public long withheld() {
    return host.net().withheld;
  }

  /** Connections that are left, by protocol and state, such as {@code tcp ESTABLISHED}. */
  public Map<String, Long> connections() {
    Map<String, Long> states = new TreeMap<>();
    Conntrack conntrack = host.conntrack();
    for (int ct = conntrack.first(); ct != 0; ct = conntrack.next(ct)) {
      String name = ConntrackPrinter.protocolName(conntrack.protocol(ct));
      String state = conntrack.protocolStateName(ct);
      states.merge(state.isEmpty() ? name : name + " " + state, 1L, Long::sum);
    }
    return states;
  }

  /** Rules and policies that counted packets, the most used first. */
  public List<RuleCount> rules() {
    List<RuleCount> counts = everyRule();
    counts.removeIf(count -> count.packets() == 0);
    counts.sort(Comparator.comparingLong(count -> -count.packets()));
    return counts;
  }

  /** Every rule, and behind those of a built-in chain its policy, as they are tried. */
  public List<RuleCount> everyRule() {
    List<RuleCount> counts = new ArrayList<>();
    if (host.tables() == null) {
      return counts;
    }
    RuleSet before = host.tables().rules();
    for (RuleSet.Table table : host.tables().counters().tables()) {
      for (RuleSet.Chain chain : table.chains()) {
        RuleSet.Chain old = before.table(table.kind()).chain(chain.name());
        int number = 0;
        for (Rule rule : chain.rules()) {
          number++;
          counts.add(
              new RuleCount(
                  table.kind().label,
                  chain.name(),
                  number,
                  rule.save(),
                  rule.at().fileAndLine(),
                  rule.packets() - old.rules().get(number - 1).packets()));
        }
        if (table.kind().hook(chain.name()) != null) {
          String policy = chain.policy() == Action.Standard.DROP ? "DROP" : "ACCEPT";
          long packets = chain.packets() - old.packets();
          counts.add(
              new RuleCount(table.kind().label, chain.name(), 0, "policy " + policy, "", packets));
        }
      }
    }
    return counts;
  }

  /** The text of report.json. */
  public String json() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = ReportJson.to(text)) {
      json.writeStartObject();
      json.writeStringField("host", host.description().hostname());
      frames(json);
      drops(json, "dropped", totals.drops);
      drops(json, "droppedOthers", totals.otherDrops);
      interfaces(json);
      hooks(json);
      connectionCounts(json);
      time(json);
      truncations(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.append('\n').toString();
  }

  private void frames(JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("frames");
    json.writeNumberField("in", totals.frames);
    json.writeNumberField("bytes", totals.bytes);
    for (Fate fate : Fate.values()) {
      json.writeNumberField(fate.label, totals.of(fate));
    }
    if (totals.filtered > 0) {
      json.writeNumberField("filtered", totals.filtered);
    }
    if (totals.seenAgain > 0) {
      json.writeNumberField("seenAgain", totals.seenAgain);
    }
    if (totals.shortened > 0) {
      json.writeNumberField("shortened", totals.shortened);
    }
    json.writeNumberField("out", totals.left);
    json.writeNumberField("answers", totals.answers);
    json.writeNumberField("answersWithheld", host.net().withheld);
    json.writeEndObject();
  }

  private static void drops(JsonGenerator json, String name, DropCounts drops) throws IOException {
    json.writeArrayFieldStart(name);
    for (DropCounts.Line line : drops.lines()) {
      json.writeStartObject();
      json.writeStringField("reason", line.reason().name());
      json.writeStringField("at", line.function());
      json.writeNumberField("packets", line.frames());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void interfaces(JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("interfaces");
    for (NetDevice dev : host.devices()) {
      json.writeObjectFieldStart(dev.name);
      json.writeObjectFieldStart("rx");
      json.writeNumberField("bytes", dev.rxBytes);
      json.writeNumberField("packets", dev.rxPackets);
      json.writeNumberField("errors", dev.rxErrors);
      json.writeNumberField("dropped", dev.rxDropped);
      json.writeNumberField("missed", dev.rxMissed);
      json.writeNumberField("mcast", dev.multicast);
      json.writeNumberField("length", dev.rxLengthErrors);
      json.writeNumberField("crc", dev.rxCrcErrors);
      json.writeEndObject();
      json.writeObjectFieldStart("tx");
      json.writeNumberField("bytes", dev.txBytes);
      json.writeNumberField("packets", dev.txPackets);
      json.writeNumberField("dropped", dev.txDropped);
      json.writeEndObject();
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void hooks(JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("hooks");
    for (Hook hook : Hook.values()) {
      json.writeObjectFieldStart(hook.name());
      json.writeNumberField("packets", host.netfilter().entered(hook));
      json.writeNumberField("dropped", host.netfilter().dropped(hook));
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void connectionCounts(JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("connections");
    json.writeNumberField("total", host.conntrack().count());
    for (Map.Entry<String, Long> state : connections().entrySet()) {
      json.writeNumberField(state.getKey(), state.getValue());
    }
    json.writeEndObject();
  }

  private void time(JsonGenerator json) throws IOException {
    if (totals.frames == 0) {
      return;
    }
    json.writeObjectFieldStart("time");
    json.writeStringField("first", Iso8601.text(totals.first));
    json.writeStringField("last", Iso8601.text(totals.last));
    json.writeNumberField("nanoseconds", totals.last - totals.first);
    json.writeEndObject();
  }

  private void truncations(JsonGenerator json) throws IOException {
    if (totals.truncations.isEmpty()) {
      return;
    }
    json.writeArrayFieldStart("truncated");
    for (Truncation truncation : totals.truncations) {
      json.writeString(truncation.toString());
    }
    json.writeEndArray();
  }
}
