// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.replay.Replay.Answers;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code capture} or {@code stack}. */
final class AnswersConverter implements ITypeConverter<Answers> {
  @Override
  public Answers convert(String text) {
    return switch (text) {
      case "capture" -> Answers.CAPTURE;
      case "stack" -> Answers.STACK;
      default -> throw new TypeConversionException("'" + text + "' is neither capture nor stack");
    };
  }
}
