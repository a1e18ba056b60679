// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import java.lang.reflect.Method;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
import org.pcap4j.core.BpfProgram;
import org.pcap4j.core.BpfProgram.BpfCompileMode;
import org.pcap4j.core.NotOpenException;
import org.pcap4j.core.PcapHandle;
import org.pcap4j.core.PcapNativeException;
import org.pcap4j.core.Pcaps;
import org.pcap4j.packet.namednumber.DataLinkType;

/**
 * An expression of pcap-filter(7), compiled by libpcap and run here over frames where they lie: a
 * call into libpcap for each frame costs more than all else that is done with it. Plays libpcap's
 * {@code bpf_filter}.
 *
 * <p>Compiled once for each link type that the frames have. Not for use by several threads.
 *
 * <p>Source: McCanne and Jacobson, The BSD Packet Filter, 1993; bpf(4) of FreeBSD.
 */
public final class FrameFilter {
  // An instruction:
  //   0      2    3    4      8
  //   | code | jt | jf | k    |
  private static final int INSTRUCTION = 8;

  // code: 2..0 class, 4..3 size and 7..5 mode of a load, 7..4 operation, 3 operand is X.
  private static final int LOAD_WORD = 0x20;
  private static final int LOAD_HALF = 0x28;
  private static final int LOAD_BYTE = 0x30;
  private static final int LOAD_WORD_INDIRECT = 0x40;
  private static final int LOAD_HALF_INDIRECT = 0x48;
  private static final int LOAD_BYTE_INDIRECT = 0x50;
  private static final int LOAD_LENGTH = 0x80;
  private static final int LOAD_CONSTANT = 0x00;
  private static final int LOAD_MEMORY = 0x60;
  private static final int LOAD_X_CONSTANT = 0x01;
  private static final int LOAD_X_MEMORY = 0x61;
  private static final int LOAD_X_LENGTH = 0x81;
  private static final int LOAD_X_HEADER_LENGTH = 0xb1;
  private static final int STORE = 0x02;
  private static final int STORE_X = 0x03;
  private static final int ADD = 0x04;
  private static final int SUBTRACT = 0x14;
  private static final int MULTIPLY = 0x24;
  private static final int DIVIDE = 0x34;
  private static final int OR = 0x44;
  private static final int AND = 0x54;
  private static final int SHIFT_LEFT = 0x64;
  private static final int SHIFT_RIGHT = 0x74;
  private static final int NEGATE = 0x84;
  private static final int MODULO = 0x94;
  private static final int EXCLUSIVE_OR = 0xa4;
  private static final int JUMP = 0x05;
  private static final int JUMP_EQUAL = 0x15;
  private static final int JUMP_GREATER = 0x25;
  private static final int JUMP_GREATER_EQUAL = 0x35;
  private static final int JUMP_SET = 0x45;
  private static final int OPERAND_X = 0x08;
  private static final int RETURN = 0x06;
  private static final int RETURN_A = 0x16;
  private static final int TAX = 0x07;
  private static final int TXA = 0x87;

  private static final int MEMORY_WORDS = 16;

  /** Three ints an instruction: code, jt in the upper and jf in the lower half, k. */
  private static final class Program {
    final int linkType;
    final int[] instructions;

    Program(int linkType, int[] instructions) {
      this.linkType = linkType;
      this.instructions = instructions;
    }
  }

  private final String expression;
  private final int[] memory = new int[MEMORY_WORDS];
  private Program[] programs = new Program[0];

  private FrameFilter(String expression) {
    this.expression = expression;
  }

  /**
   * Compiles an expression.
   *
   * @param linkType one of {@link LinkType}, of the frames that come first
   * @throws FilterException when libpcap finds it wrong, or there is no libpcap
   */
  public static FrameFilter compile(String expression, int linkType) {
    FrameFilter filter = new FrameFilter(Objects.requireNonNull(expression));
    filter.program(linkType);
    return filter;
  }

  /** As the user wrote it. */
  public String expression() {
    return expression;
  }

  /**
   * Whether the current frame of the capture passes.
   *
   * @throws FilterException when the frame's link type is new, and the expression cannot be for it
   */
  public boolean matches(CaptureReader capture) {
    return run(
        program(capture.linkType()),
        capture.buffer(),
        capture.frameOffset(),
        capture.capturedLength(),
        capture.originalLength());
  }

  /**
   * Whether the frame passes: the bytes of {@code frame}, in network order, from 0 to its limit.
   */
  public boolean matches(ByteBuffer frame, int linkType, int originalLength) {
    if (frame.order() != ByteOrder.BIG_ENDIAN) {
      throw new IllegalArgumentException("frame in little endian");
    }
    return run(program(linkType), frame, 0, frame.limit(), originalLength);
  }

  private Program program(int linkType) {
    for (Program program : programs) {
      if (program.linkType == linkType) {
        return program;
      }
    }
    Program program = new Program(linkType, instructions(expression, linkType));
    Program[] more = Arrays.copyOf(programs, programs.length + 1);
    more[programs.length] = program;
    programs = more;
    return program;
  }

  /** Runs forward only, so it ends; a load beyond the frame refuses it. */
  private boolean run(Program program, ByteBuffer frame, int start, int captured, int original) {
    int[] code = program.instructions;
    int a = 0;
    int x = 0;
    int pc = 0;
    while (true) {
      int operation = code[pc];
      int jumps = code[pc + 1];
      int k = code[pc + 2];
      pc += 3;
      switch (operation) {
        case LOAD_WORD, LOAD_WORD_INDIRECT -> {
          long at = place(operation == LOAD_WORD ? 0 : x, k);
          if (at + 4 > captured) {
            return false;
          }
          a = frame.getInt(start + (int) at);
        }
        case LOAD_HALF, LOAD_HALF_INDIRECT -> {
          long at = place(operation == LOAD_HALF ? 0 : x, k);
          if (at + 2 > captured) {
            return false;
          }
          a = frame.getShort(start + (int) at) & 0xffff;
        }
        case LOAD_BYTE, LOAD_BYTE_INDIRECT -> {
          long at = place(operation == LOAD_BYTE ? 0 : x, k);
          if (at + 1 > captured) {
            return false;
          }
          a = frame.get(start + (int) at) & 0xff;
        }
        case LOAD_X_HEADER_LENGTH -> {
          long at = place(0, k);
          if (at + 1 > captured) {
            return false;
          }
          x = (frame.get(start + (int) at) & 0xf) << 2;
        }
        case LOAD_LENGTH -> a = original;
        case LOAD_CONSTANT -> a = k;
        case LOAD_MEMORY -> a = memory[k];
        case LOAD_X_CONSTANT -> x = k;
        case LOAD_X_MEMORY -> x = memory[k];
        case LOAD_X_LENGTH -> x = original;
        case STORE -> memory[k] = a;
        case STORE_X -> memory[k] = x;
        case JUMP -> pc += 3 * k;
        case JUMP_EQUAL -> pc += jump(jumps, a == k);
        case JUMP_EQUAL | OPERAND_X -> pc += jump(jumps, a == x);
        case JUMP_GREATER -> pc += jump(jumps, Integer.compareUnsigned(a, k) > 0);
        case JUMP_GREATER | OPERAND_X -> pc += jump(jumps, Integer.compareUnsigned(a, x) > 0);
        case JUMP_GREATER_EQUAL -> pc += jump(jumps, Integer.compareUnsigned(a, k) >= 0);
        case JUMP_GREATER_EQUAL | OPERAND_X ->
            pc += jump(jumps, Integer.compareUnsigned(a, x) >= 0);
        case JUMP_SET -> pc += jump(jumps, (a & k) != 0);
        case JUMP_SET | OPERAND_X -> pc += jump(jumps, (a & x) != 0);
        case NEGATE -> a = -a;
        case TAX -> x = a;
        case TXA -> a = x;
        case RETURN -> {
          return k != 0;
        }
        case RETURN_A -> {
          return a != 0;
        }
        default -> {
          int operand = (operation & OPERAND_X) != 0 ? x : k;
          int kind = operation & ~OPERAND_X;
          if (operand == 0 && (kind == DIVIDE || kind == MODULO)) {
            return false;
          }
          a = calculate(kind, a, operand);
        }
      }
    }
  }

  private static int calculate(int kind, int a, int operand) {
    return switch (kind) {
      case ADD -> a + operand;
      case SUBTRACT -> a - operand;
      case MULTIPLY -> a * operand;
      case DIVIDE -> Integer.divideUnsigned(a, operand);
      case MODULO -> Integer.remainderUnsigned(a, operand);
      case OR -> a | operand;
      case AND -> a & operand;
      case EXCLUSIVE_OR -> a ^ operand;
      case SHIFT_LEFT -> Integer.compareUnsigned(operand, 32) < 0 ? a << operand : 0;
      case SHIFT_RIGHT -> Integer.compareUnsigned(operand, 32) < 0 ? a >>> operand : 0;
      default -> throw new IllegalStateException("BPF operation 0x" + Integer.toHexString(kind));
    };
  }

  private static long place(int x, int k) {
    return Integer.toUnsignedLong(x) + Integer.toUnsignedLong(k);
  }

  private static int jump(int jumps, boolean taken) {
    return 3 * (taken ? jumps >>> 16 : jumps & 0xffff);
  }

  private static int[] instructions(String expression, int linkType) {
    try (PcapHandle handle =
        Pcaps.openDead(
            DataLinkType.getInstance(LinkType.dlt(linkType)), CaptureReader.MAXIMUM_FRAME)) {
      BpfProgram compiled =
          handle.compileFilter(expression, BpfCompileMode.OPTIMIZE, unknownNetmask());
      try {
        return copied(compiled);
      } finally {
        compiled.free();
      }
    } catch (PcapNativeException | NotOpenException e) {
      throw new FilterException(
          "filter '" + expression + "' for " + LinkType.name(linkType) + ": " + said(e), e);
    } catch (LinkageError e) {
      throw new FilterException(
          "a filter expression needs libpcap, which is not installed: apt install libpcap0.8", e);
    }
  }

  private static String said(Exception error) {
    return String.valueOf(error.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ");
  }

  /** PCAP_NETMASK_UNKNOWN: a capture does not have one, so {@code ip broadcast} is an error. */
  private static Inet4Address unknownNetmask() {
    try {
      return (Inet4Address) InetAddress.getByAddress(new byte[] {-1, -1, -1, -1});
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }

  /** pcap4j keeps libpcap's struct bpf_program to itself: an instruction count and a pointer. */
  private static int[] copied(BpfProgram compiled) {
    Structure program;
    try {
      Method getProgram = BpfProgram.class.getDeclaredMethod("getProgram");
      getProgram.setAccessible(true);
      program = (Structure) getProgram.invoke(compiled);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a pcap4j other than 1.8.2?", e);
    }
    int count = (Integer) program.readField("bf_len");
    Pointer first = ((Structure) program.readField("bf_insns")).getPointer();
    int[] instructions = new int[3 * count];
    for (int i = 0; i < count; i++) {
      int at = i * INSTRUCTION;
      instructions[3 * i] = first.getShort(at) & 0xffff;
      instructions[3 * i + 1] = (first.getByte(at + 2) & 0xff) << 16 | first.getByte(at + 3) & 0xff;
      instructions[3 * i + 2] = first.getInt(at + 4);
    }
    return instructions;
  }
}
