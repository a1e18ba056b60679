// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureException;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.FilterException;
import io.skbwalk.capture.FrameFilter;
import io.skbwalk.capture.LinkType;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.language.ScenarioFile.CapturedFrame;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongPredicate;

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
  public List<CapturedFrame> frames(String name, String filter, LongPredicate numbers)
      throws IOException {
    List<CapturedFrame> frames = new ArrayList<>();
    ArrivedFrame frame = new ArrivedFrame();
    try (CaptureReader reader = CaptureReader.open(called(name))) {
      FrameFilter wanted = filter == null ? null : FrameFilter.compile(filter, LinkType.ETHERNET);
      while (reader.next()) {
        if (numbers.test(reader.frameNumber()) && (wanted == null || wanted.matches(reader))) {
          frame.take(reader);
          frame.complete(0);
          byte[] bytes = Arrays.copyOf(frame.bytes, frame.length - frame.fcsLength);
          frames.add(new CapturedFrame(reader.frameNumber(), reader.timestampNanos(), bytes));
        }
      }
      if (reader.truncation() != null) {
        throw new IOException(reader.truncation().toString());
      }
    } catch (CaptureException | FilterException e) {
      throw new IOException(e.getMessage(), e);
    }
    return frames;
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
