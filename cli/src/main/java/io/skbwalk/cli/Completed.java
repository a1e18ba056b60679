// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What can stand for an argument, as far as a shell can complete it: said by its candidates, else
 * by what its value is called in the usage ({@code HOST.yaml}, {@code text|json}, {@code DIR}).
 */
record Completed(Kind kind, List<String> words) {
  /** What is completed. */
  enum Kind {
    /** Nothing: a number, an address, an expression. */
    NOTHING,
    /** One of the words. */
    WORDS,
    /** Some of the words, with commas between. */
    LIST,
    /** A folder. */
    FOLDER,
    /** A file, first of all one with an ending among the words; any where there are none. */
    FILE,
    /** An interface, {@code =} and such a file. */
    INTERFACE_AND_FILE
  }

  private static final List<String> CAPTURES =
      List.of("pcap", "pcapng", "pcap.gz", "pcapng.gz", "pcap.zst", "pcapng.zst", "cap");

  /** Characters of a sentence that is long where it stands in a list. */
  private static final int LONG = 66;

  private static final List<String> YAML = List.of("yaml", "yml");

  static Completed of(ArgSpec argument) {
    List<String> words = new ArrayList<>();
    String label = argument.paramLabel();
    if (label.matches("[a-z-]+(\\|[a-z-]+)+")) {
      return new Completed(Kind.WORDS, Arrays.asList(label.split("\\|")));
    }
    if (argument.completionCandidates() != null) {
      argument.completionCandidates().forEach(words::add);
    }
    if (!words.isEmpty()) {
      return new Completed(argument.splitRegex().isEmpty() ? Kind.WORDS : Kind.LIST, words);
    }
    if (label.equals("DIR")) {
      return new Completed(Kind.FOLDER, words);
    }
    if (label.contains("=CAPTURE")) {
      return new Completed(Kind.INTERFACE_AND_FILE, CAPTURES);
    }
    if (label.equals("CAPTURE")) {
      words.addAll(CAPTURES);
      words.addAll(YAML);
      return new Completed(Kind.FILE, words);
    }
    if (label.endsWith(".yaml")) {
      return new Completed(Kind.FILE, YAML);
    }
    boolean file = label.contains("FILE") || label.contains("RULES");
    return new Completed(file ? Kind.FILE : Kind.NOTHING, words);
  }

  /** The commands that are told of, in the order of the usage. */
  static List<CommandSpec> commands(CommandSpec program) {
    return program.subcommands().values().stream()
        .map(line -> line.getCommandSpec())
        .distinct()
        .toList();
  }

  /** The options that are told of. */
  static List<OptionSpec> options(CommandSpec command) {
    return command.options().stream().filter(option -> !option.hidden()).toList();
  }

  /** Takes the option a value? */
  static boolean takesValue(OptionSpec option) {
    return option.arity().max() > 0;
  }

  /** May it be given once more? */
  static boolean repeats(OptionSpec option) {
    return option.isMultiValue() && option.splitRegex().isEmpty();
  }

  /** Its description as one text. */
  static String description(ArgSpec argument) {
    String text = String.join(" ", argument.description());
    String value = argument.defaultValue();
    return text.replace("${DEFAULT-VALUE}", String.valueOf(value)).replaceAll("\\s+", " ").strip();
  }

  /** What a command does in a few words: of a long sentence what stands before its first pause. */
  static String inShort(CommandSpec command) {
    String text = firstSentence(String.join(" ", command.usageMessage().description()));
    if (text.length() <= LONG) {
      return text;
    }
    String begin = text.split("[,:;] ")[0];
    return begin.length() <= LONG ? begin : text;
  }

  /** The first sentence of a text, without its stop. */
  static String firstSentence(String text) {
    int stop = text.indexOf(". ");
    String first = stop < 0 ? text : text.substring(0, stop);
    return first.endsWith(".") ? first.substring(0, first.length() - 1) : first;
  }
}
