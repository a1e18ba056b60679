// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.IpsetPrinter;
import io.skbwalk.netfilter.ipset.SetType;
import io.skbwalk.skb.Net;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What {@code ipset restore} reads, given to the kernel and to the model: {@code ipset save} prints
 * the same afterwards, line by line in the order of the hash, or both refuse it at the same line.
 * In conformance/ipsets the cases of a file are parted by lines that begin with {@code ##}.
 */
class IpsetSaveTest {
  private static final Path FOLDER = Path.of("ipsets");
  private static final Pattern LINE = Pattern.compile("Error in line (\\d+)");

  private static String model(String text) {
    IpSets sets = new IpSets(new Net(0, 1));
    new IpsetSaveFile("case", text).into(sets);
    return IpsetPrinter.save(sets);
  }

  /** A second may have passed in the kernel. */
  private static String withoutSeconds(String saved) {
    return saved.replaceAll("(add .*) timeout [1-9]\\d*", "$1 timeout *");
  }

  private static void compare(String text) throws IOException {
    AskedKernel.orSkip();
    String kernel;
    try {
      kernel = KernelMachine.savedSets(text);
    } catch (IOException e) {
      refused(text, e.getMessage());
      return;
    }
    assertEquals(withoutSeconds(kernel), withoutSeconds(model(text)), text);
  }

  private static void refused(String text, String kernel) {
    try {
      model(text);
    } catch (SourceException e) {
      Matcher line = LINE.matcher(kernel);
      if (line.find()) {
        assertEquals(line.group(1), "" + e.position().line(), text + kernel + "\n" + e);
      }
      return;
    }
    fail("the model takes\n" + text + "\nwhich the kernel refuses: " + kernel);
  }

  @TestFactory
  Stream<DynamicTest> printsAsTheKernelLists() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (Stream<Path> files = Files.list(FOLDER)) {
      for (Path file : files.sorted().toList()) {
        for (String part : Files.readString(file).split("(?m)^## ")) {
          if (!part.isBlank()) {
            String name = part.lines().findFirst().orElseThrow();
            String text = part.substring(name.length() + 1);
            tests.add(
                DynamicTest.dynamicTest(file.getFileName() + ": " + name, () -> compare(text)));
          }
        }
      }
    }
    return tests.stream();
  }

  /** docs/conformance.md says which types the kernel does not have. */
  @Test
  void theKernelHasTheOtherTypes() throws IOException {
    AskedKernel.orSkip();
    Set<String> unknown = new TreeSet<>();
    for (SetType type : SetType.values()) {
      String range = type.label.equals("bitmap:port") ? " range 0-9" : " range 10.0.0.0/24";
      String text =
          "create s " + type.label + (type.label.startsWith("bitmap") ? range : "") + "\n";
      try {
        KernelMachine.savedSets(text);
      } catch (IOException e) {
        unknown.add(type.label);
      }
    }
    assertEquals(new TreeSet<>(OptionCoverage.UNKNOWN_SETS), unknown);
  }

  /** The types that this kernel has, with how an element is drawn. */
  private static final String[] TYPES = {
    "hash:ip",
    "hash:net",
    "hash:ip,port",
    "hash:net,port",
    "hash:ip,port,ip",
    "hash:ip,port,net",
    "hash:net,iface",
    "bitmap:ip range 10.0.0.0/24",
    "bitmap:port range 0-300",
    "bitmap:ip,mac range 10.0.0.0/24",
  };

  @Test
  void growsShrinksAndListsAsTheKernelDoes() throws IOException {
    for (int seed = 0; seed < 30; seed++) {
      Random random = new Random(seed);
      String type = TYPES[seed % TYPES.length];
      StringBuilder text = new StringBuilder("create s ").append(type);
      if (type.startsWith("hash:")) {
        text.append(" hashsize 64 initval ").append(random.nextInt(1 << 30));
        text.append(random.nextInt(3) == 0 ? " maxelem 100 forceadd" : "");
        text.append(random.nextInt(3) == 0 ? " bucketsize 4" : "");
      }
      text.append(random.nextBoolean() ? " counters" : "").append('\n');
      boolean counters = text.toString().contains("counters");
      for (int i = 0; i < 900; i++) {
        boolean adds = random.nextInt(3) > 0;
        text.append(adds ? "add s " : "del s ").append(element(type, random));
        if (adds && counters && random.nextBoolean()) {
          text.append(" packets ").append(random.nextInt(100));
        }
        text.append(" -exist\n");
      }
      compare(text.toString());
    }
  }

  private static String element(String type, Random random) {
    StringBuilder out = new StringBuilder();
    for (String part : type.split(" ")[0].split(":")[1].split(",")) {
      out.append(out.length() == 0 ? "" : ",");
      switch (part) {
        case "ip" -> out.append("10.0.0.").append(1 + random.nextInt(200));
        case "net" ->
            out.append("10.0.")
                .append(random.nextInt(4))
                .append('.')
                .append(random.nextInt(256))
                .append('/')
                .append(20 + random.nextInt(13));
        case "port" ->
            out.append(type.startsWith("bitmap") ? "" : random.nextBoolean() ? "udp:" : "tcp:")
                .append(random.nextInt(300));
        case "iface" -> out.append("eth").append(random.nextInt(20));
        default -> out.append("02:00:00:00:00:0").append(random.nextInt(10));
      }
    }
    return out.toString();
  }
}
