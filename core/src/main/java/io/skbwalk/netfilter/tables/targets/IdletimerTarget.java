// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.kernel.Clock;
import io.skbwalk.kernel.Timer;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketTarget;
import io.skbwalk.netfilter.tables.ProcName;
import io.skbwalk.netfilter.tables.RefusedException;
import io.skbwalk.netfilter.tables.SharedByName;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.Set;

/**
 * Plays xt_IDLETIMER: winds a timer up with each packet. Linux tells who watches
 * /sys/class/xt_idletimer when it runs out; nothing becomes of packets by it.
 *
 * @param timeout seconds
 * @param alarm a timer that also runs while the machine sleeps
 */
public record IdletimerTarget(long timeout, String label, boolean alarm) implements Target {
  private static final int MOST_LABEL = 27;
  private static final long MOST_SECONDS = Integer.MAX_VALUE / 1000 - 1;
  private static final Set<String> TAKEN = Set.of("power", "subsystem", "uevent");

  /** {@code -j IDLETIMER}. */
  public static final TargetType TYPE =
      new TargetType(
          "IDLETIMER",
          "Winds a timer up, which tells when no packet has come for a time.",
          OptionSpec.value("timeout").needed().about("Seconds.", "10"),
          OptionSpec.value("label")
              .needed()
              .about("The timer's name; rules of one name share it.", "uplink"),
          OptionSpec.flag("alarm").about("It also runs while the machine sleeps.")) {
        @Override
        public Target parse(Options options, int protocol) {
          String label = ProcName.cut(options.text("label"), MOST_LABEL);
          if (!ProcName.isValid(label) || TAKEN.contains(label)) {
            throw options.error(
                "label", "a timer's label is a word that can name a file, no power");
          }
          return new IdletimerTarget(
              options.number("timeout", 1, MOST_SECONDS, 0), label, options.has("alarm"));
        }
      };

  /** The timers of one machine by label. */
  static final class All extends SharedByName<IdleTimer> {}

  /** Plays struct idletimer_tg. */
  static final class IdleTimer extends Timer {
    final boolean alarm;
    private final Net net;

    IdleTimer(boolean alarm, Net net) {
      this.alarm = alarm;
      this.net = net;
    }

    void wind(long seconds) {
      net.timers.modify(this, net.clock.now() + seconds * Clock.SECOND);
    }

    /** Whole seconds, as /sys/class/xt_idletimer/timers/LABEL shows them. */
    long left() {
      return isPending() ? (expires() - net.clock.now()) / Clock.SECOND : 0;
    }

    @Override
    protected void expired() {
      // Nobody watches here.
    }
  }

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --timeout ").append(timeout).append(" --label ").append(label);
    out.append(alarm ? " --alarm" : "");
  }

  @Override
  public PacketTarget bind(Environment environment) {
    All timers = environment.perNet(All.class, All::new);
    IdleTimer there = timers.find(label);
    if (there != null && there.alarm != alarm) {
      throw new RefusedException("the timer " + label + " is used with and without --alarm");
    }
    IdleTimer timer = timers.take(label, () -> new IdleTimer(alarm, environment.net()));
    // An alarm that is there already goes on as it is.
    if (there == null || !alarm) {
      timer.wind(timeout);
    }
    return new Winding(this, timers, timer, environment.net());
  }

  private record Winding(IdletimerTarget asked, All timers, IdleTimer timer, Net net)
      implements PacketTarget {
    @Override
    public int target(SkBuff skb, PacketContext context) {
      if (skb.trace != null) {
        skb.trace.on(
            new TraceEvent.Changed(
                "idle timer " + asked.label, timer.left() + " s left", asked.timeout + " s left"));
      }
      timer.wind(asked.timeout);
      return CONTINUE;
    }

    @Override
    public void destroy() {
      if (timers.release(asked.label)) {
        net.timers.cancel(timer);
      }
    }
  }
}
