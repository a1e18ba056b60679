// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.trace.TraceEvent;

/**
 * A step of a walk as JSON: its {@code type}, then the components of its record by their names. It
 * is written out by hand, since reflection takes longer than everything that it would tell about.
 */
final class WalkSteps {
  private WalkSteps() {}

  /** Adds {@code event} to an open array. */
  static void write(JsonText json, TraceEvent event) {
    json.beginObject();
    if (event instanceof TraceEvent.Step step) {
      json.field("type", "step").field("function", step.function()).field("text", step.text());
    } else if (!isOfTables(json, event) && !isOfHooks(json, event)) {
      isOther(json, event);
    }
    json.endObject();
  }

  private static boolean isOfTables(JsonText json, TraceEvent event) {
    if (event instanceof TraceEvent.TableEnter enter) {
      json.field("type", "tableEnter").field("table", enter.table()).field("chain", enter.chain());
      json.field("rules", enter.rules());
    } else if (event instanceof TraceEvent.TableLeave leave) {
      json.field("type", "tableLeave").field("table", leave.table()).field("chain", leave.chain());
      json.field("verdict", leave.verdict());
    } else if (event instanceof TraceEvent.Policy policy) {
      json.field("type", "policy").field("table", policy.table()).field("chain", policy.chain());
      json.field("policy", policy.policy());
    } else if (event instanceof TraceEvent.RuleMatched rule) {
      json.field("type", "ruleMatched").field("table", rule.table()).field("chain", rule.chain());
      json.field("number", rule.number()).field("rule", rule.rule());
      json.field("source", rule.source()).field("target", rule.target());
    } else if (event instanceof TraceEvent.RuleMissed rule) {
      json.field("type", "ruleMissed").field("table", rule.table()).field("chain", rule.chain());
      json.field("number", rule.number()).field("rule", rule.rule());
      json.field("source", rule.source()).field("reason", rule.reason());
    } else if (event instanceof TraceEvent.Detail detail) {
      json.field("type", "detail").field("extension", detail.extension());
      json.field("text", detail.text());
    } else if (event instanceof TraceEvent.ChainEnter enter) {
      json.field("type", "chainEnter").field("table", enter.table()).field("chain", enter.chain());
      json.field("goTo", enter.goTo());
    } else if (event instanceof TraceEvent.ChainReturn back) {
      json.field("type", "chainReturn").field("table", back.table()).field("chain", back.chain());
      json.field("back", back.back());
    } else {
      return false;
    }
    return true;
  }

  private static boolean isOfHooks(JsonText json, TraceEvent event) {
    if (event instanceof TraceEvent.HookStep step) {
      json.field("type", "hookStep").field("hook", step.hook()).field("priority", step.priority());
      json.field("name", step.name()).field("text", step.text());
    } else if (event instanceof TraceEvent.HookEnter enter) {
      json.field("type", "hookEnter").field("hook", enter.hook());
      json.field("in", enter.in()).field("out", enter.out());
    } else if (event instanceof TraceEvent.HookLeave leave) {
      json.field("type", "hookLeave").field("hook", leave.hook()).field("verdict", leave.verdict());
    } else if (event instanceof TraceEvent.Changed changed) {
      json.field("type", "changed").field("field", changed.field());
      json.field("before", changed.before()).field("after", changed.after());
    } else if (event instanceof TraceEvent.Route route) {
      json.field("type", "route").field("function", route.function());
      json.field("result", route.result()).field("text", route.text());
    } else {
      return false;
    }
    return true;
  }

  private static void isOther(JsonText json, TraceEvent event) {
    if (event instanceof TraceEvent.Frame frame) {
      json.field("type", "frame").field("frame", frame.frame());
      json.field("time", PacketLines.time(frame.time())).field("device", frame.device());
      json.field("outgoing", frame.outgoing()).field("summary", frame.summary());
    } else if (event instanceof TraceEvent.Nic nic) {
      json.field("type", "nic").field("device", nic.device()).field("text", nic.text());
    } else if (event instanceof TraceEvent.HardIrq irq) {
      json.field("type", "hardIrq").field("device", irq.device()).field("text", irq.text());
    } else if (event instanceof TraceEvent.SoftIrq irq) {
      json.field("type", "softIrq").field("device", irq.device()).field("polled", irq.polled());
      json.field("budget", irq.budget()).field("text", irq.text());
    } else if (event instanceof TraceEvent.Sent sent) {
      json.field("type", "sent").field("device", sent.device()).field("index", sent.index());
      json.field("summary", sent.summary());
    } else if (event instanceof TraceEvent.Dropped dropped) {
      json.field("type", "dropped").field("reason", dropped.reason());
      json.field("function", dropped.function());
    } else if (event instanceof TraceEvent.Socket socket) {
      json.field("type", "socket").field("function", socket.function());
      json.field("socket", socket.socket()).field("text", socket.text());
    } else if (event instanceof TraceEvent.Log log) {
      json.field("type", "log").field("line", log.line());
    } else if (event instanceof TraceEvent.Made made) {
      json.field("type", "made").field("function", made.function());
      json.field("summary", made.summary());
    } else if (event instanceof TraceEvent.Withheld withheld) {
      json.field("type", "withheld").field("function", withheld.function());
    } else if (event instanceof TraceEvent.Queued queued) {
      json.field("type", "queued").field("function", queued.function());
      json.field("text", queued.text());
    } else if (event instanceof TraceEvent.InitCall call) {
      json.field("type", "initCall").field("level", call.level());
      json.field("function", call.function()).field("text", call.text());
    } else {
      throw new IllegalArgumentException(event.toString());
    }
  }
}
