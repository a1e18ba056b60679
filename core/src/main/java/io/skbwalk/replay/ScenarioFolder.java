// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.language.ScenarioFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;

/** The folder in which a scenario lies, and in which the files are that it names. */
public final class ScenarioFolder implements ScenarioFile.FileReader {
  private final Path scenario;
  private final Set<Path> opened = new LinkedHashSet<>();

  /** The folder of the file {@code scenario}. */
  public ScenarioFolder(Path scenario) {
    this.scenario = scenario;
  }

  private Path path(String name) {
    Path path = scenario.resolveSibling(name).normalize();
    opened.add(path);
    return path;
  }

  @Override
  public String read(String name) throws IOException {
    try {
      return Files.readString(path(name));
    } catch (NoSuchFileException e) {
      throw new IOException("there is no file " + called(name), e);
    }
  }

  @Override
  public String called(String name) {
    return path(name).toString();
  }

  /** The files that the scenario named, in the order of asking. */
  public Set<Path> opened() {
    return opened;
  }
}
