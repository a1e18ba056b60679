// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.SkBuff;
import java.util.Arrays;

/**
 * Plays a program of net/core/filter.c in the classic instruction set (McCanne and Jacobson, 1993):
 * two registers, sixteen words of memory, jumps forward only.
 */
final class ClassicBpf {
  // The code's lowest three bits.
  private static final int LD = 0;
  private static final int LDX = 1;
  private static final int ST = 2;
  private static final int STX = 3;
  private static final int ALU = 4;
  private static final int JMP = 5;
  private static final int RET = 6;
  private static final int MISC = 7;

  // Loads: how many bytes, and from where.
  private static final int WORD = 0;
  private static final int HALF = 0x08;
  private static final int BYTE = 0x10;
  private static final int SIZE_MASK = 0x18;
  private static final int IMM = 0;
  private static final int ABS = 0x20;
  private static final int IND = 0x40;
  private static final int MEM = 0x60;
  private static final int LEN = 0x80;
  private static final int MSH = 0xA0;
  private static final int MODE_MASK = 0xE0;

  // Arithmetic, jumps, and their operand: the constant or X.
  private static final int ADD = 0;
  private static final int SUB = 0x10;
  private static final int MUL = 0x20;
  private static final int DIV = 0x30;
  private static final int OR = 0x40;
  private static final int AND = 0x50;
  private static final int LSH = 0x60;
  private static final int RSH = 0x70;
  private static final int NEG = 0x80;
  private static final int MOD = 0x90;
  private static final int XOR = 0xA0;
  private static final int JA = 0;
  private static final int JEQ = 0x10;
  private static final int JGT = 0x20;
  private static final int JGE = 0x30;
  private static final int JSET = 0x40;
  private static final int OPERATION_MASK = 0xF0;
  private static final int X = 0x08;

  private static final int RET_K = RET;
  private static final int RET_A = RET | 0x10;
  private static final int TAX = MISC;
  private static final int TXA = MISC | 0x80;

  // Offsets that mean something else than a place in the packet (linux/filter.h).
  private static final int SKF_AD_OFF = -0x1000;
  private static final int SKF_AD_MAX = 64;
  private static final int SKF_NET_OFF = -0x100000;
  private static final int SKF_LL_OFF = -0x200000;
  private static final int AD_PROTOCOL = 0;
  private static final int AD_PKTTYPE = 4;
  private static final int AD_IFINDEX = 8;
  private static final int AD_MARK = 20;
  private static final int AD_HATYPE = 28;
  private static final int AD_CPU = 36;
  private static final int AD_ALU_XOR_X = 40;
  private static final int AD_VLAN_TAG = 44;
  private static final int AD_VLAN_TAG_PRESENT = 48;
  private static final int AD_VLAN_TPID = 60;

  private static final int ARPHRD_ETHER = 1;
  private static final int ARPHRD_LOOPBACK = 772;
  private static final int ETH_P_8021Q = 0x8100;
  private static final int MEMORY_WORDS = 16;

  private final int[] codes;
  private final int[] ifTrue;
  private final int[] ifFalse;
  private final int[] constants;
  private final int[] memory = new int[MEMORY_WORDS];

  /** The program; one element an instruction. */
  ClassicBpf(int[] codes, int[] ifTrue, int[] ifFalse, int[] constants) {
    this.codes = codes;
    this.ifTrue = ifTrue;
    this.ifFalse = ifFalse;
    this.constants = constants;
  }

  // ---- what is refused
  // ------------------------------------------------------------------------------

  /** Plays bpf_check_classic: why the kernel refuses the program; null when it takes it. */
  String refusal() {
    int length = codes.length;
    for (int pc = 0; pc < length; pc++) {
      String wrong = wrong(pc);
      if (wrong != null) {
        return "instruction " + pc + " (" + codes[pc] + ") " + wrong;
      }
    }
    int last = codes[length - 1];
    return last == RET_K || last == RET_A ? unwritten() : "the last instruction is no return";
  }

  private String wrong(int pc) {
    int code = codes[pc];
    long k = constants[pc] & 0xFFFFFFFFL;
    int behind = codes.length - pc - 1;
    if (!isCode(code)) {
      return "does not exist";
    }
    int operation = code & OPERATION_MASK;
    switch (code & 7) {
      case ALU -> {
        boolean divides = operation == DIV || operation == MOD;
        if ((code & X) == 0 && divides && k == 0) {
          return "divides by 0";
        }
        boolean shifts = operation == LSH || operation == RSH;
        if ((code & X) == 0 && shifts && k >= 32) {
          return "shifts by more than 31";
        }
      }
      case ST, STX -> {
        return k < MEMORY_WORDS ? null : "writes beyond the memory";
      }
      case JMP -> {
        long farthest = operation == JA ? k : Math.max(ifTrue[pc], ifFalse[pc]);
        return farthest < behind ? null : "jumps beyond the end";
      }
      case LD, LDX -> {
        if ((code & MODE_MASK) == MEM && k >= MEMORY_WORDS) {
          return "reads beyond the memory";
        }
        if ((code & MODE_MASK) == ABS) {
          return absolute(constants[pc]);
        }
      }
      default -> {}
    }
    return null;
  }

  private static boolean isCode(int code) {
    int operation = code & OPERATION_MASK;
    int mode = code & MODE_MASK;
    int size = code & SIZE_MASK;
    if (code > 0xFF) {
      return false;
    }
    return switch (code & 7) {
      case LD -> mode == ABS || mode == IND ? size != SIZE_MASK : mode <= LEN && size == WORD;
      case LDX ->
          size == WORD && (mode == IMM || mode == MEM || mode == LEN)
              || size == BYTE && mode == MSH;
      case ST, STX -> code == ST || code == STX;
      case ALU -> operation == NEG ? (code & X) == 0 : operation <= XOR;
      case JMP -> operation == JA ? (code & X) == 0 : operation <= JSET;
      case RET -> code == RET_K || code == RET_A;
      default -> code == TAX || code == TXA;
    };
  }

  /** Of an offset in the range where it means something of the packet besides its bytes. */
  private static String absolute(int offset) {
    if (offset >= 0 || offset < SKF_AD_OFF) {
      return null;
    }
    int what = offset - SKF_AD_OFF;
    if (what >= SKF_AD_MAX || what % 4 != 0) {
      return "reads an offset that there is not";
    }
    return switch (what) {
      case AD_PROTOCOL,
          AD_PKTTYPE,
          AD_IFINDEX,
          AD_MARK,
          AD_HATYPE,
          AD_CPU,
          AD_ALU_XOR_X,
          AD_VLAN_TAG,
          AD_VLAN_TAG_PRESENT,
          AD_VLAN_TPID ->
          null;
      default ->
          "reads a netlink attribute, the packet's queue, hash or payload offset, or a random"
              + " number, which are not modelled";
    };
  }

  /** Plays check_load_and_stores: memory must be written on every way to where it is read. */
  private String unwritten() {
    int[] written = new int[codes.length + 1];
    Arrays.fill(written, -1);
    written[0] = 0;
    for (int pc = 0; pc < codes.length; pc++) {
      int code = codes[pc];
      int now = written[pc];
      boolean jumps = (code & 7) == JMP;
      if (code == ST || code == STX) {
        now |= 1 << constants[pc];
      } else if ((code & 7) <= LDX
          && (code & MODE_MASK) == MEM
          && (now >>> constants[pc] & 1) == 0) {
        return "instruction " + pc + " (" + code + ") reads memory that nothing has written";
      }
      if (!jumps) {
        written[pc + 1] &= now;
      } else if ((code & OPERATION_MASK) == JA) {
        written[pc + 1 + constants[pc]] &= now;
      } else {
        written[pc + 1 + ifTrue[pc]] &= now;
        written[pc + 1 + ifFalse[pc]] &= now;
      }
    }
    return null;
  }

  // ---- running it
  // -----------------------------------------------------------------------------------

  /** What it returns for the packet; 0 where it reads beyond the packet or divides by 0. */
  int run(SkBuff skb) {
    int a = 0;
    int x = 0;
    for (int pc = 0; ; pc++) {
      int code = codes[pc];
      int k = constants[pc];
      int operand = (code & X) != 0 ? x : k;
      switch (code & 7) {
        case LD -> {
          int mode = code & MODE_MASK;
          if (mode == ABS || mode == IND) {
            int offset = mode == IND ? x + k : k;
            long loaded =
                mode == ABS && offset < 0 && offset >= SKF_AD_OFF
                    ? ancillary(skb, offset - SKF_AD_OFF, a, x)
                    : load(skb, offset, code & SIZE_MASK);
            if (loaded < 0) {
              return 0;
            }
            a = (int) loaded;
          } else {
            a = mode == LEN ? skb.length() : mode == MEM ? memory[k] : k;
          }
        }
        case LDX -> {
          int mode = code & MODE_MASK;
          if (mode == MSH) {
            long loaded = load(skb, k, BYTE);
            if (loaded < 0) {
              return 0;
            }
            x = (int) (loaded & 0xF) * 4;
          } else {
            x = mode == LEN ? skb.length() : mode == MEM ? memory[k] : k;
          }
        }
        case ST -> memory[k] = a;
        case STX -> memory[k] = x;
        case ALU -> {
          int operation = code & OPERATION_MASK;
          if (operand == 0 && (operation == DIV || operation == MOD)) {
            return 0;
          }
          a = calculate(operation, a, operand);
        }
        case JMP -> {
          int operation = code & OPERATION_MASK;
          pc += operation == JA ? k : holds(operation, a, operand) ? ifTrue[pc] : ifFalse[pc];
        }
        case RET -> {
          return code == RET_A ? a : k;
        }
        default -> {
          if (code == TAX) {
            x = a;
          } else {
            a = x;
          }
        }
      }
    }
  }

  private static int calculate(int operation, int a, int operand) {
    return switch (operation) {
      case ADD -> a + operand;
      case SUB -> a - operand;
      case MUL -> a * operand;
      case DIV -> Integer.divideUnsigned(a, operand);
      case MOD -> Integer.remainderUnsigned(a, operand);
      case OR -> a | operand;
      case AND -> a & operand;
      case XOR -> a ^ operand;
      case LSH -> a << operand;
      case RSH -> a >>> operand;
      default -> -a;
    };
  }

  private static boolean holds(int operation, int a, int operand) {
    return switch (operation) {
      case JEQ -> a == operand;
      case JGT -> Integer.compareUnsigned(a, operand) > 0;
      case JGE -> Integer.compareUnsigned(a, operand) >= 0;
      default -> (a & operand) != 0;
    };
  }

  /** Plays bpf_skb_load_helper: the number at {@code offset} from the IP header; -1 for none. */
  private static long load(SkBuff skb, int offset, int size) {
    int bytes = size == WORD ? 4 : size == HALF ? 2 : 1;
    long at;
    if (offset >= 0) {
      at = skb.data + (long) offset;
    } else if (offset >= SKF_NET_OFF) {
      at = skb.networkHeader + (long) offset - SKF_NET_OFF;
    } else if (offset >= SKF_LL_OFF && skb.macHeader >= 0) {
      at = skb.macHeader + (long) offset - SKF_LL_OFF;
    } else {
      return -1;
    }
    if (at + bytes > skb.tail) {
      return -1;
    }
    return switch (bytes) {
      case 4 -> skb.u32((int) at) & 0xFFFFFFFFL;
      case 2 -> skb.u16((int) at);
      default -> skb.u8((int) at);
    };
  }

  /** Plays convert_bpf_extensions; -1 ends the program. */
  private static long ancillary(SkBuff skb, int what, int a, int x) {
    NetDevice device = NetDevice.of(skb);
    return switch (what) {
      case AD_PROTOCOL -> skb.protocol;
      case AD_PKTTYPE -> skb.pktType;
      case AD_IFINDEX -> device == null ? -1 : device.ifindex;
      case AD_HATYPE -> device == null ? -1 : device.isLoopback() ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
      case AD_MARK -> skb.mark & 0xFFFFFFFFL;
      case AD_ALU_XOR_X -> (a ^ x) & 0xFFFFFFFFL;
      case AD_VLAN_TAG -> Math.max(skb.vlanTci, 0);
      case AD_VLAN_TAG_PRESENT -> skb.vlanTci >= 0 ? 1 : 0;
      case AD_VLAN_TPID -> skb.vlanTci >= 0 ? ETH_P_8021Q : 0;
      default -> 0;
    };
  }
}
