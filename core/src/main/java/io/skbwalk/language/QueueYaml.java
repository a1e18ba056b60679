// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription;
import io.skbwalk.netfilter.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Programs that listen on queues of NFQUEUE, in YAML. */
final class QueueYaml {
  private QueueYaml() {}

  /** Programs on queues: {@code 0: accept}, or {@code 1: {answer: queue, to: 2, mark: 7}}. */
  static List<HostDescription.Queue> queues(YamlValue value) {
    List<HostDescription.Queue> queues = new ArrayList<>();
    if (value == null) {
      return queues;
    }
    for (Map.Entry<YamlValue, YamlValue> entry : value.entries().entrySet()) {
      int number = (int) entry.getKey().number(0, 65_535);
      YamlValue said = entry.getValue();
      if (said.isScalar()) {
        queues.add(new HostDescription.Queue(number, verdict(said), 0, null));
        continue;
      }
      YamlValue.Fields fields = said.fields("a queue", "answer", "to", "mark");
      int verdict = verdict(fields.require("answer"));
      boolean another = verdict == Verdict.QUEUE;
      if (another != (fields.get("to") != null)) {
        throw said.error("the answer queue needs to, the number of another; the others have none");
      }
      int to = another ? (int) fields.get("to").number(0, 65_535) : 0;
      YamlValue mark = fields.get("mark");
      queues.add(
          new HostDescription.Queue(
              number, verdict, to, mark == null ? null : (int) mark.number(0, 0xFFFFFFFFL)));
    }
    return queues;
  }

  private static int verdict(YamlValue answer) {
    return switch (answer.text()) {
      case "accept" -> Verdict.ACCEPT;
      case "drop" -> Verdict.DROP;
      case "repeat" -> Verdict.REPEAT;
      case "stop" -> Verdict.STOP;
      case "queue" -> Verdict.QUEUE;
      default ->
          throw answer.error(
              "a program answers accept, drop, repeat, stop or queue, not \""
                  + answer.text()
                  + "\"");
    };
  }
}
