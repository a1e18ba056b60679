// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.ipset.IpSet;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.SetQuery;
import io.skbwalk.netfilter.ipset.SetWords;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketTarget;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.SetReference;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_set's target: puts the packet into a set, takes it out of one, or takes mark, priority
 * and queue from the element that it is in a third.
 *
 * @param add the set that it is put into, or null
 * @param delete the set that it is taken out of, or null
 * @param map the set that it is looked up in, or null
 * @param exist an element that is there already is renewed
 * @param timeout seconds that the element stays; -1 for the set's
 * @param maps MAP_ bits
 */
public record SetTarget(
    SetReference add, SetReference delete, SetReference map, boolean exist, long timeout, int maps)
    implements Target {
  /** {@link #maps}: the mark. */
  public static final int MAP_MARK = 1;

  /** {@link #maps}: the priority. */
  public static final int MAP_PRIO = 1 << 1;

  /** {@link #maps}: the queue. */
  public static final int MAP_QUEUE = 1 << 2;

  private static final String DIRECTIONS = " and src or dst for each dimension of its type.";

  /** {@code -j SET}. */
  public static final TargetType TYPE =
      new TargetType(
          "SET",
          "Changes a set of ipset, or takes mark and priority from one.",
          OptionSpec.pair("name", "flags", "add-set")
              .about("Put the packet into this set: name" + DIRECTIONS),
          OptionSpec.flag("exist").about("Renew an element that is there already."),
          OptionSpec.value("timeout").about("Seconds that the new element stays."),
          OptionSpec.pair("name", "flags", "del-set")
              .about("Take the packet out of this set: name" + DIRECTIONS),
          OptionSpec.pair("name", "flags", "map-set")
              .about("Look the packet up in this set, which has skbinfo: name" + DIRECTIONS),
          OptionSpec.flag("map-mark").about("The packet gets the element's mark."),
          OptionSpec.flag("map-prio").about("The packet gets the element's priority."),
          OptionSpec.flag("map-queue").about("The packet gets the element's hardware queue.")) {
        @Override
        public Target parse(Options options, int protocol) {
          SetReference add = SetReference.parse(options, "add-set");
          SetReference delete = SetReference.parse(options, "del-set");
          SetReference map = SetReference.parse(options, "map-set");
          if (add == null && delete == null && map == null) {
            throw options.error("one of --add-set, --del-set, --map-set is needed");
          }
          for (String only : new String[] {"exist", "timeout"}) {
            if (options.has(only) && add == null) {
              throw options.error(only, "--" + only + " is for --add-set");
            }
          }
          int maps = 0;
          int bit = MAP_MARK;
          for (String only : new String[] {"map-mark", "map-prio", "map-queue"}) {
            if (options.has(only) && map == null) {
              throw options.error(only, "--" + only + " is for --map-set");
            }
            maps |= options.has(only) ? bit : 0;
            bit <<= 1;
          }
          if (map != null && maps == 0) {
            throw options.error("map-set", "--map-set needs --map-mark, --map-prio or --map-queue");
          }
          return new SetTarget(
              add,
              delete,
              map,
              options.has("exist"),
              options.number("timeout", 0, 0xFFFFFFFEL, -1),
              maps);
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (add != null) {
      add.save(out, "add-set");
    }
    out.append(exist ? " --exist" : "");
    if (timeout >= 0) {
      out.append(" --timeout ").append(timeout);
    }
    if (delete != null) {
      delete.save(out, "del-set");
    }
    if (map != null) {
      map.save(out, "map-set");
    }
    out.append((maps & MAP_MARK) != 0 ? " --map-mark" : "");
    out.append((maps & MAP_PRIO) != 0 ? " --map-prio" : "");
    out.append((maps & MAP_QUEUE) != 0 ? " --map-queue" : "");
  }

  @Override
  public String refusal(RulePlace place) {
    if (map == null) {
      return null;
    }
    if (place.table() != TableKind.MANGLE) {
      return "--map-set is for the mangle table";
    }
    int out = Hook.FORWARD.bit | Hook.LOCAL_OUT.bit | Hook.POST_ROUTING.bit;
    return (maps & (MAP_PRIO | MAP_QUEUE)) != 0 && place.isReachedOutside(out)
        ? "--map-prio and --map-queue are for FORWARD, OUTPUT and POSTROUTING"
        : null;
  }

  @Override
  public PacketTarget bind(Environment environment) {
    IpSets sets = environment.ipsets();
    Evaluation evaluation = new Evaluation(sets, maps);
    if (add != null) {
      evaluation.adds = add.query();
      evaluation.adds.exist = exist;
      evaluation.adds.timeout = timeout;
      evaluation.addTo = add.bind(sets);
    }
    if (delete != null) {
      evaluation.deletes = delete.query();
      evaluation.deleteFrom = delete.bind(sets);
    }
    if (map != null) {
      evaluation.looksUp = map.query();
      evaluation.mapBy = map.bind(sets);
    }
    return evaluation;
  }

  private static final class Evaluation implements PacketTarget {
    private final IpSets sets;
    private final int maps;
    private SetQuery adds;
    private int addTo;
    private SetQuery deletes;
    private int deleteFrom;
    private SetQuery looksUp;
    private int mapBy;

    Evaluation(IpSets sets, int maps) {
      this.sets = sets;
      this.maps = maps;
    }

    @Override
    public int target(SkBuff skb, PacketContext context) {
      if (adds != null) {
        IpSet set = sets.at(addTo);
        adds.of(context.in, context.out);
        String element = skb.trace == null ? null : SetWords.element(set, skb, adds);
        set.add(skb, adds);
        if (skb.trace != null) {
          tell(skb, SetWords.added(set, element, adds));
        }
      }
      if (deletes != null) {
        IpSet set = sets.at(deleteFrom);
        deletes.of(context.in, context.out);
        String element = skb.trace == null ? null : SetWords.element(set, skb, deletes);
        set.delete(skb, deletes);
        if (skb.trace != null) {
          tell(skb, SetWords.deleted(set, element, deletes));
        }
      }
      if (looksUp != null && sets.at(mapBy).test(skb, looksUp.of(context.in, context.out))) {
        map(skb);
      }
      return CONTINUE;
    }

    private static void tell(SkBuff skb, String text) {
      skb.trace.on(new TraceEvent.Detail("SET", text));
    }

    private void map(SkBuff skb) {
      int mark = skb.mark;
      int priority = skb.priority;
      if ((maps & MAP_MARK) != 0) {
        skb.mark = mark & ~looksUp.skbMask ^ looksUp.skbMark;
      }
      if ((maps & MAP_PRIO) != 0) {
        skb.priority = looksUp.skbPriority;
      }
      // Interfaces here have one queue, as TAP devices and most cards of virtual machines do, so
      // that --map-queue changes nothing.
      if (skb.trace != null) {
        if (skb.mark != mark) {
          skb.trace.on(
              new TraceEvent.Changed("mark", MarkTarget.hex(mark), MarkTarget.hex(skb.mark)));
        }
        if (skb.priority != priority) {
          skb.trace.on(
              new TraceEvent.Changed(
                  "priority", SetWords.priority(priority), SetWords.priority(skb.priority)));
        }
      }
    }

    @Override
    public void destroy() {
      if (adds != null) {
        sets.release(addTo);
      }
      if (deletes != null) {
        sets.release(deleteFrom);
      }
      if (looksUp != null) {
        sets.release(mapBy);
      }
    }
  }
}
