// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** A file that people write, or standard input. */
final class TextFile {
  private TextFile() {}

  /** The whole text; {@code -} is standard input. */
  static String read(String file) throws IOException {
    byte[] bytes;
    if (file.equals("-")) {
      bytes = System.in.readAllBytes();
    } else if (Files.isDirectory(Path.of(file))) {
      throw new Unusable(file + ": is a folder, not a file");
    } else {
      bytes = Files.readAllBytes(Path.of(file));
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new Unusable(file + ": is not text in UTF-8");
    }
  }

  /** The text under that name, at once and whole; {@code -} is {@code stdout}. */
  static void write(String name, String text, PrintWriter stdout) throws IOException {
    if (name.equals("-")) {
      stdout.print(text);
      return;
    }
    Path file = Path.of(name);
    if (Files.isDirectory(file)) {
      throw new Unusable(name + ": is a folder; a file is wanted");
    }
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      Files.writeString(part, text);
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
