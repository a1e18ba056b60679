// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.trace.TraceEvent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A step of a walk as JSON: its {@code type}, then the components of its record by their names. It
 * is written out by hand, since reflection takes longer than everything that it would tell about.
 */
final class WalkSteps {
  private static final byte[] CHAIN_ENTER = begin("chainEnter", "table");
  private static final byte[] CHAIN_RETURN = begin("chainReturn", "table");
  private static final byte[] CHANGED = begin("changed", "field");
  private static final byte[] DETAIL = begin("detail", "extension");
  private static final byte[] DROPPED = begin("dropped", "reason");
  private static final byte[] FRAME = begin("frame", "frame");
  private static final byte[] HARD_IRQ = begin("hardIrq", "device");
  private static final byte[] HOOK_ENTER = begin("hookEnter", "hook");
  private static final byte[] HOOK_LEAVE = begin("hookLeave", "hook");
  private static final byte[] HOOK_STEP = begin("hookStep", "hook");
  private static final byte[] INIT_CALL = begin("initCall", "level");
  private static final byte[] LOG = begin("log", "line");
  private static final byte[] MADE = begin("made", "function");
  private static final byte[] NIC = begin("nic", "device");
  private static final byte[] POLICY = begin("policy", "table");
  private static final byte[] QUEUED = begin("queued", "function");
  private static final byte[] ROUTE = begin("route", "function");
  private static final byte[] RULE_MATCHED = begin("ruleMatched", "table");
  private static final byte[] RULE_MISSED = begin("ruleMissed", "table");
  private static final byte[] SENT = begin("sent", "device");
  private static final byte[] SOCKET = begin("socket", "function");
  private static final byte[] SOFT_IRQ = begin("softIrq", "device");
  private static final byte[] STEP = begin("step", "function");
  private static final byte[] TABLE_ENTER = begin("tableEnter", "table");
  private static final byte[] TABLE_LEAVE = begin("tableLeave", "table");
  private static final byte[] WITHHELD = begin("withheld", "function");

  private static final byte[] FIELD_CHAIN = JsonText.next("chain");
  private static final byte[] FIELD_RULES = JsonText.next("rules");
  private static final byte[] FIELD_VERDICT = JsonText.next("verdict");
  private static final byte[] FIELD_POLICY = JsonText.next("policy");
  private static final byte[] FIELD_NUMBER = JsonText.next("number");
  private static final byte[] FIELD_RULE = JsonText.next("rule");
  private static final byte[] FIELD_SOURCE = JsonText.next("source");
  private static final byte[] FIELD_TARGET = JsonText.next("target");
  private static final byte[] FIELD_REASON = JsonText.next("reason");
  private static final byte[] FIELD_TEXT = JsonText.next("text");
  private static final byte[] FIELD_GO_TO = JsonText.next("goTo");
  private static final byte[] FIELD_BACK = JsonText.next("back");
  private static final byte[] FIELD_PRIORITY = JsonText.next("priority");
  private static final byte[] FIELD_NAME = JsonText.next("name");
  private static final byte[] FIELD_IN = JsonText.next("in");
  private static final byte[] FIELD_OUT = JsonText.next("out");
  private static final byte[] FIELD_BEFORE = JsonText.next("before");
  private static final byte[] FIELD_AFTER = JsonText.next("after");
  private static final byte[] FIELD_RESULT = JsonText.next("result");
  private static final byte[] FIELD_TIME = JsonText.next("time");
  private static final byte[] FIELD_DEVICE = JsonText.next("device");
  private static final byte[] FIELD_OUTGOING = JsonText.next("outgoing");
  private static final byte[] FIELD_SUMMARY = JsonText.next("summary");
  private static final byte[] FIELD_POLLED = JsonText.next("polled");
  private static final byte[] FIELD_BUDGET = JsonText.next("budget");
  private static final byte[] FIELD_INDEX = JsonText.next("index");
  private static final byte[] FIELD_FUNCTION = JsonText.next("function");
  private static final byte[] FIELD_SOCKET = JsonText.next("socket");

  private static final byte[] TRUE = ascii("true");
  private static final byte[] FALSE = ascii("false");
  private static final byte[] END = ascii("}");

  /** Slots for beginnings, a power of two. */
  private static final int HEADS = 1 << 10;

  /**
   * How a step begins, as it was written for the names that it was written for. They are the same
   * objects each time they come, as {@link JsonText#word} has it.
   */
  private static final class Head {
    private byte[] type;
    private String one;
    private String two;
    private String three;
    private String four;
    private int number;
    private byte[] written;

    private boolean isThatOf(
        byte[] type, String one, String two, String three, String four, int number) {
      return this.type == type
          && this.one == one
          && this.two == two
          && this.three == three
          && this.four == four
          && this.number == number;
    }
  }

  private final JsonText json;

  /** Beginnings that came, each in the only slot that it may be in. */
  private final Head[] heads = new Head[HEADS];

  private Head head;
  private int begin;

  /** Writes into an open array of {@code json}. */
  WalkSteps(JsonText json) {
    this.json = json;
    Arrays.setAll(heads, slot -> new Head());
  }

  private static byte[] begin(String type, String first) {
    return ascii("{\"type\":\"" + type + "\",\"" + first + "\":");
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Adds {@code event}. */
  void write(TraceEvent event) {
    if (event instanceof TraceEvent.Step step) {
      if (isNew(STEP, step.function(), "", "", "", 0)) {
        json.plain(STEP).word(step.function()).plain(FIELD_TEXT);
        keep();
      }
      json.value(step.text());
    } else if (!isOfTables(event) && !isOfHooks(event)) {
      other(event);
    }
    json.plain(END);
  }

  /** Writes the beginning of a step; when there is none yet the caller does, and keeps it. */
  private boolean isNew(
      byte[] type, String one, String two, String three, String four, int number) {
    json.element();
    int hash = type.length + number;
    hash = hash * 31 + one.hashCode();
    hash = hash * 31 + two.hashCode();
    hash = hash * 31 + three.hashCode();
    hash = hash * 31 + four.hashCode();
    head = heads[(hash ^ hash >>> 10 ^ hash >>> 20) & HEADS - 1];
    if (head.isThatOf(type, one, two, three, four, number)) {
      json.plain(head.written);
      return false;
    }
    head.type = type;
    head.one = one;
    head.two = two;
    head.three = three;
    head.four = four;
    head.number = number;
    begin = json.length();
    return true;
  }

  private void keep() {
    head.written = json.since(begin);
  }

  private boolean isOfTables(TraceEvent event) {
    if (event instanceof TraceEvent.TableEnter enter) {
      if (isNew(TABLE_ENTER, enter.table(), enter.chain(), "", "", enter.rules())) {
        json.plain(TABLE_ENTER).word(enter.table()).plain(FIELD_CHAIN).word(enter.chain());
        json.plain(FIELD_RULES).value(enter.rules());
        keep();
      }
    } else if (event instanceof TraceEvent.TableLeave leave) {
      if (isNew(TABLE_LEAVE, leave.table(), leave.chain(), leave.verdict(), "", 0)) {
        json.plain(TABLE_LEAVE).word(leave.table()).plain(FIELD_CHAIN).word(leave.chain());
        json.plain(FIELD_VERDICT).word(leave.verdict());
        keep();
      }
    } else if (event instanceof TraceEvent.Policy policy) {
      if (isNew(POLICY, policy.table(), policy.chain(), policy.policy(), "", 0)) {
        json.plain(POLICY).word(policy.table()).plain(FIELD_CHAIN).word(policy.chain());
        json.plain(FIELD_POLICY).word(policy.policy());
        keep();
      }
    } else if (event instanceof TraceEvent.RuleMatched rule) {
      if (isNew(
          RULE_MATCHED, rule.table(), rule.chain(), rule.rule(), rule.source(), rule.number())) {
        json.plain(RULE_MATCHED).word(rule.table()).plain(FIELD_CHAIN).word(rule.chain());
        json.plain(FIELD_NUMBER).value(rule.number()).plain(FIELD_RULE).word(rule.rule());
        json.plain(FIELD_SOURCE).word(rule.source());
        keep();
      }
      json.plain(FIELD_TARGET).word(rule.target());
    } else if (event instanceof TraceEvent.RuleMissed rule) {
      json.element(RULE_MISSED).word(rule.table()).plain(FIELD_CHAIN).word(rule.chain());
      json.plain(FIELD_NUMBER).value(rule.number()).plain(FIELD_RULE).word(rule.rule());
      json.plain(FIELD_SOURCE).word(rule.source()).plain(FIELD_REASON).value(rule.reason());
    } else if (event instanceof TraceEvent.Detail detail) {
      json.element(DETAIL).word(detail.extension()).plain(FIELD_TEXT).value(detail.text());
    } else if (event instanceof TraceEvent.ChainEnter enter) {
      json.element(CHAIN_ENTER).word(enter.table()).plain(FIELD_CHAIN).word(enter.chain());
      json.plain(FIELD_GO_TO).plain(enter.goTo() ? TRUE : FALSE);
    } else if (event instanceof TraceEvent.ChainReturn back) {
      json.element(CHAIN_RETURN).word(back.table()).plain(FIELD_CHAIN).word(back.chain());
      json.plain(FIELD_BACK).word(back.back());
    } else {
      return false;
    }
    return true;
  }

  private boolean isOfHooks(TraceEvent event) {
    if (event instanceof TraceEvent.HookStep step) {
      if (isNew(HOOK_STEP, step.hook(), step.name(), "", "", step.priority())) {
        json.plain(HOOK_STEP).word(step.hook()).plain(FIELD_PRIORITY).value(step.priority());
        json.plain(FIELD_NAME).word(step.name()).plain(FIELD_TEXT);
        keep();
      }
      json.value(step.text());
    } else if (event instanceof TraceEvent.HookEnter enter) {
      if (isNew(HOOK_ENTER, enter.hook(), enter.in(), enter.out(), "", 0)) {
        json.plain(HOOK_ENTER).word(enter.hook()).plain(FIELD_IN).word(enter.in());
        json.plain(FIELD_OUT).word(enter.out());
        keep();
      }
    } else if (event instanceof TraceEvent.HookLeave leave) {
      if (isNew(HOOK_LEAVE, leave.hook(), leave.verdict(), "", "", 0)) {
        json.plain(HOOK_LEAVE).word(leave.hook()).plain(FIELD_VERDICT).word(leave.verdict());
        keep();
      }
    } else if (event instanceof TraceEvent.Changed changed) {
      json.element(CHANGED).word(changed.field()).plain(FIELD_BEFORE).value(changed.before());
      json.plain(FIELD_AFTER).value(changed.after());
    } else if (event instanceof TraceEvent.Route route) {
      json.element(ROUTE).word(route.function()).plain(FIELD_RESULT).word(route.result());
      json.plain(FIELD_TEXT).value(route.text());
    } else {
      return false;
    }
    return true;
  }

  private void other(TraceEvent event) {
    if (event instanceof TraceEvent.Frame frame) {
      json.element(FRAME).value(frame.frame()).plain(FIELD_TIME).time(frame.time());
      json.plain(FIELD_DEVICE).word(frame.device());
      json.plain(FIELD_OUTGOING).plain(frame.outgoing() ? TRUE : FALSE);
      json.plain(FIELD_SUMMARY).value(frame.summary());
    } else if (event instanceof TraceEvent.Nic nic) {
      json.element(NIC).word(nic.device()).plain(FIELD_TEXT).value(nic.text());
    } else if (event instanceof TraceEvent.HardIrq irq) {
      json.element(HARD_IRQ).word(irq.device()).plain(FIELD_TEXT).value(irq.text());
    } else if (event instanceof TraceEvent.SoftIrq irq) {
      json.element(SOFT_IRQ).word(irq.device()).plain(FIELD_POLLED).value(irq.polled());
      json.plain(FIELD_BUDGET).value(irq.budget()).plain(FIELD_TEXT).value(irq.text());
    } else if (event instanceof TraceEvent.Sent sent) {
      json.element(SENT).word(sent.device()).plain(FIELD_INDEX).value(sent.index());
      json.plain(FIELD_SUMMARY).value(sent.summary());
    } else if (event instanceof TraceEvent.Dropped dropped) {
      json.element(DROPPED).word(dropped.reason()).plain(FIELD_FUNCTION).word(dropped.function());
    } else if (event instanceof TraceEvent.Socket socket) {
      json.element(SOCKET).word(socket.function()).plain(FIELD_SOCKET).value(socket.socket());
      json.plain(FIELD_TEXT).value(socket.text());
    } else if (event instanceof TraceEvent.Log log) {
      json.element(LOG).value(log.line());
    } else if (event instanceof TraceEvent.Made made) {
      json.element(MADE).word(made.function()).plain(FIELD_SUMMARY).value(made.summary());
    } else if (event instanceof TraceEvent.Withheld withheld) {
      json.element(WITHHELD).word(withheld.function());
    } else if (event instanceof TraceEvent.Queued queued) {
      json.element(QUEUED).word(queued.function()).plain(FIELD_TEXT).value(queued.text());
    } else if (event instanceof TraceEvent.InitCall call) {
      json.element(INIT_CALL).value(call.level()).plain(FIELD_FUNCTION).word(call.function());
      json.plain(FIELD_TEXT).value(call.text());
    } else {
      throw new IllegalArgumentException(event.toString());
    }
  }
}
