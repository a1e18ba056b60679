// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.bench.ConversationCapture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How figures are measured.
 *
 * @param root the project's folder
 * @param scratch a folder for captures and results
 * @param rounds of each race
 * @param small a hundredth of the frames, only to see that everything runs
 * @param gigabytes of the figure of a large capture
 * @param markdown prints tables for a document
 * @param document in which the tables are replaced, or null
 */
record Setting(
    Path root,
    Path scratch,
    int rounds,
    boolean small,
    int gigabytes,
    boolean markdown,
    Path document) {
  static Setting of(Path root, Path scratch, List<String> options) {
    int rounds = 5;
    boolean small = false;
    int gigabytes = 1;
    boolean markdown = false;
    Path document = null;
    for (String option : options) {
      String value = option.substring(option.indexOf('=') + 1);
      if (option.startsWith("--rounds=")) {
        rounds = Integer.parseInt(value);
      } else if (option.equals("--small")) {
        small = true;
      } else if (option.startsWith("--gigabytes=")) {
        gigabytes = Integer.parseInt(value);
      } else if (option.equals("--markdown")) {
        markdown = true;
      } else if (option.startsWith("--document=")) {
        document = Path.of(value);
      } else {
        throw new IllegalArgumentException("unknown option " + option);
      }
    }
    return new Setting(root, scratch, small ? 1 : rounds, small, gigabytes, markdown, document);
  }

  /** So many, or a hundredth of them. */
  int scaled(int all) {
    return small ? Math.max(1, all / 100) : all;
  }

  /** How often a JVM does the work before it counts. */
  int warmups() {
    return small ? 0 : 4;
  }

  /** The capture of so many conversations, made when it is not there. */
  Path conversations(int count) throws IOException {
    Path file = scratch.resolve("conversations-" + count + ".pcap");
    if (!Files.exists(file)) {
      System.err.println("writing " + file);
      ConversationCapture.write(file, count);
    }
    return file;
  }

  /** The launcher. */
  String skbwalk() {
    return root.resolve("bin/skbwalk").toString();
  }

  /** A file of bench/conversations. */
  String router(String file) {
    return root.resolve("bench/conversations").resolve(file).toString();
  }

  /** The command that replays a capture of conversations through their router, silently. */
  List<String> replay(Path capture, String... more) {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(skbwalk(), "replay", capture.toString(), "--quiet"));
    command.addAll(List.of("--host", router("host.yaml"), "--rules", router("rules.v4")));
    command.addAll(List.of(more));
    return command;
  }
}
