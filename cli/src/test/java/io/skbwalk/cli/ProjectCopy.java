// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A fresh copy of the files that documents and examples name, to run commands in. */
final class ProjectCopy {
  static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private ProjectCopy() {}

  /** Copies these folders of the project, and a launcher of the classes under test. */
  static void into(Path copy, String... folders) throws IOException {
    for (String folder : folders) {
      Files.createDirectories(copy.resolve(folder).getParent());
      try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
        for (Path file : files.toList()) {
          Files.copy(file, copy.resolve(ROOT.relativize(file)));
        }
      }
    }
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classes =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    // What keeps a newer JVM from warning, as bin/skbwalk gives it.
    String quiet =
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(option -> option.matches("--.*|-Dio\\.netty.*"))
            .collect(Collectors.joining(" "));
    program(
        copy,
        "skbwalk",
        """
        exec '%s' -Xlog:disable -XX:TieredStopAtLevel=1 -XX:+UseSerialGC %s \\
          -cp '%s' io.skbwalk.cli.Main "$@"
        """
            .formatted(java, quiet, classes));
  }

  /** Puts a shell script into the copy's {@code bin}. */
  static void program(Path copy, String name, String script) throws IOException {
    Path file = Files.createDirectories(copy.resolve("bin")).resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** The programs of those names that are nowhere on the path. */
  static List<String> missing(List<String> programs) {
    String[] folders = System.getenv().getOrDefault("PATH", "").split(":");
    return programs.stream()
        .filter(name -> Stream.of(folders).noneMatch(at -> Files.isExecutable(Path.of(at, name))))
        .toList();
  }
}
