// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.Arrays;

/**
 * Plays nf_queue.c and nfnetlink_queue.c: the programs that listen on queues. Each has one answer
 * for all packets, and gives it at once.
 */
public final class NfQueues {
  private static final int NONE = -1;

  /** Nothing changes between one round and the next: a program that repeats never ends. */
  private static final int MOST_ROUNDS = 1_000;

  private int[] numbers = {};
  private int[] verdicts = {};
  private int[] marks = {};
  private boolean[] marksSet = {};
  private Ipv4Operations ipv4;
  private boolean answered;
  private boolean refused;

  NfQueues() {}

  /** Who routes a packet of this machine anew when its program changed the mark. */
  public void setIpv4(Ipv4Operations ipv4) {
    this.ipv4 = ipv4;
  }

  /**
   * A program listens on queue {@code number}, which nobody did before.
   *
   * @param verdict what it answers: ACCEPT, DROP, REPEAT, STOP, or QUEUE with another number
   * @param mark what it makes the packet's mark, or null
   */
  public void listen(int number, int verdict, Integer mark) {
    int last = numbers.length;
    numbers = Arrays.copyOf(numbers, last + 1);
    verdicts = Arrays.copyOf(verdicts, last + 1);
    marks = Arrays.copyOf(marks, last + 1);
    marksSet = Arrays.copyOf(marksSet, last + 1);
    numbers[last] = number;
    verdicts[last] = verdict;
    marks[last] = mark == null ? 0 : mark;
    marksSet[last] = mark != null;
  }

  /**
   * Plays nf_queue and nf_reinject: what becomes of a packet for which {@code function} said QUEUE.
   *
   * @param shares whether it refers to another packet's connection: {@link
   *     NfCtHook#sharesUnconfirmed}
   * @return ACCEPT: the next function is asked; STOP, DROP or STOLEN
   */
  int ask(
      int verdict,
      HookFunction function,
      Hook hook,
      SkBuff skb,
      NetDevice in,
      NetDevice out,
      boolean shares) {
    boolean any = false;
    boolean none = false;
    int rounds = 0;
    while (Verdict.isQueue(verdict)) {
      int number = Verdict.queueNumber(verdict);
      int listener = find(number);
      if (listener == NONE) {
        boolean bypass = Verdict.bypassesQueue(verdict);
        step(skb, "nobody listens on queue ", number, bypass ? ", which is bypassed" : "");
        verdict = bypass ? Verdict.ACCEPT : Verdict.DROP;
        none = true;
        break;
      }
      if (shares) {
        step(skb, "queue ", number, " takes no packet of a connection that is another's, too");
        verdict = Verdict.DROP;
        none = true;
        break;
      }
      any = true;
      if (++rounds > MOST_ROUNDS) {
        step(skb, "the program on queue ", number, " repeats for ever; dropped");
        verdict = Verdict.DROP;
        break;
      }
      verdict = reinject(listener, function, hook, skb, in, out);
    }
    // Only now: a packet that a function sends may have been asked about in between.
    answered = any;
    refused = none;
    return verdict;
  }

  /** Has a program seen the packet of the last {@link #ask}? */
  boolean answered() {
    return answered;
  }

  /** Did the last {@link #ask} end at a queue that does not take the packet? */
  boolean refused() {
    return refused;
  }

  private int reinject(
      int listener, HookFunction function, Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    int verdict = verdicts[listener];
    if (skb.trace != null) {
      String answers = " answers " + Verdict.name(verdict);
      step(skb, "the program on queue ", numbers[listener], answers);
    }
    int before = skb.mark;
    if (marksSet[listener] && before != marks[listener]) {
      skb.mark = marks[listener];
      if (skb.trace != null) {
        skb.trace.on(
            new TraceEvent.Changed(
                "mark", "0x" + Integer.toHexString(before), "0x" + Integer.toHexString(skb.mark)));
      }
    }
    int source = IpHeader.source(skb);
    int destination = IpHeader.destination(skb);
    int tos = IpHeader.tos(skb);
    if (verdict == Verdict.REPEAT) {
      verdict = function.hook(hook, skb, in, out);
    }
    if (verdict != Verdict.ACCEPT || hook != Hook.LOCAL_OUT) {
      return verdict;
    }
    boolean same =
        before == skb.mark
            && source == IpHeader.source(skb)
            && destination == IpHeader.destination(skb)
            && tos == IpHeader.tos(skb);
    return same || ipv4.routeMeHarder(skb) ? verdict : Verdict.DROP;
  }

  /** Plays instance_lookup. */
  private int find(int number) {
    for (int i = 0; i < numbers.length; i++) {
      if (numbers[i] == number) {
        return i;
      }
    }
    return NONE;
  }

  private static void step(SkBuff skb, String text, int number, String then) {
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Step("nf_queue", text + number + then));
    }
  }
}
