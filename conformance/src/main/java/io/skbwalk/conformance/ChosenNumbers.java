// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Outcome.Sent;
import io.skbwalk.conformance.Outcome.StepOutcome;
import io.skbwalk.language.TcpAnswers;
import io.skbwalk.skb.TcpHeader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The numbers that both sides have chosen each for itself in the SYN/ACKs of a SYNPROXY: cookies,
 * which are made of a machine's secrets, and timestamps, which are made of its clock. Every later
 * number of the connection is such a one plus or minus something, and this is what is compared: a
 * frame of the model is rewritten to what it would be with the kernel's choice.
 */
final class ChosenNumbers {
  /** In the low bits of a timestamp are the client's options, which are nobody's choice. */
  private static final int OPTIONS_OF_COOKIE = 0x3F;

  /** Kernel's minus model's, for each number. */
  private final List<Integer> differences = new ArrayList<>();

  /** What both sides chose in the frames of the same place. */
  static ChosenNumbers of(List<StepOutcome> kernel, List<StepOutcome> model) {
    ChosenNumbers numbers = new ChosenNumbers();
    for (int i = 0; i < kernel.size(); i++) {
      List<Sent> theirs = kernel.get(i).sent();
      List<Sent> ours = model.get(i).sent();
      for (int j = 0; j < Math.min(theirs.size(), ours.size()); j++) {
        numbers.learn(theirs.get(j).frame(), ours.get(j).frame());
      }
    }
    return numbers;
  }

  private void learn(byte[] theirs, byte[] ours) {
    int network = TcpAnswers.network(ours);
    int tcp = TcpAnswers.tcp(ours, network, ours.length);
    if (tcp < 0
        || theirs.length != ours.length
        || (ours[tcp + TcpHeader.FLAGS_OFFSET] & TcpHeader.SYN) == 0
        || (ours[tcp + TcpHeader.FLAGS_OFFSET] & TcpHeader.ACK) == 0) {
      return;
    }
    add(theirs, ours, tcp + TcpHeader.SEQUENCE_OFFSET, 0);
    int timestamp = TcpAnswers.timestamp(ours, tcp);
    if (timestamp >= 0) {
      add(theirs, ours, timestamp, OPTIONS_OF_COOKIE);
    }
  }

  private void add(byte[] theirs, byte[] ours, int at, int notChosen) {
    int difference = ByteBuffer.wrap(theirs).getInt(at) - ByteBuffer.wrap(ours).getInt(at);
    if (difference != 0 && (difference & notChosen) == 0) {
      differences.add(difference);
    }
  }

  /**
   * The model's frame as it would be had it chosen as the kernel, whose frame {@code theirs} is.
   */
  byte[] inKernelsTerms(byte[] ours, byte[] theirs) {
    int network = TcpAnswers.network(ours);
    int tcp = TcpAnswers.tcp(ours, network, ours.length);
    if (differences.isEmpty() || tcp < 0 || theirs.length != ours.length) {
      return ours;
    }
    byte[] frame = ours.clone();
    boolean right = TcpAnswers.sum(ours, network, tcp) == 0;
    translate(frame, theirs, tcp + TcpHeader.SEQUENCE_OFFSET);
    translate(frame, theirs, tcp + TcpHeader.ACK_OFFSET);
    int timestamp = TcpAnswers.timestamp(ours, tcp);
    if (timestamp >= 0) {
      translate(frame, theirs, timestamp);
      translate(frame, theirs, timestamp + 4);
    }
    if (right) {
      ByteBuffer buffer = ByteBuffer.wrap(frame);
      buffer.putShort(tcp + TcpHeader.CHECKSUM_OFFSET, (short) 0);
      int sum = TcpAnswers.sum(frame, network, tcp);
      buffer.putShort(tcp + TcpHeader.CHECKSUM_OFFSET, (short) sum);
    }
    return frame;
  }

  private void translate(byte[] frame, byte[] theirs, int at) {
    int wanted = ByteBuffer.wrap(theirs).getInt(at);
    int number = ByteBuffer.wrap(frame).getInt(at);
    for (int difference : differences) {
      if (number + difference == wanted || number - difference == wanted) {
        ByteBuffer.wrap(frame).putInt(at, wanted);
        return;
      }
    }
  }
}
