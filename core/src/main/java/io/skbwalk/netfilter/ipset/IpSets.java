// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.skb.Net;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Plays ip_set_core.c: the sets of one machine by index, as rules and lists refer to them, and by
 * name; and the commands of ipset.
 */
public final class IpSets {
  /** IPSET_MAXNAMELEN without its end. */
  public static final int LONGEST_NAME = 31;

  private static final int MOST_BITS_OF_TABLE = 26;
  private static final int BITMAP_MAX = 65_536;

  private final Net net;
  private final List<IpSet> sets = new ArrayList<>();
  private final Map<String, Integer> indexes = new HashMap<>();
  private int swaps;

  /** A machine without sets. */
  public IpSets(Net net) {
    this.net = net;
  }

  /** The index of the set called {@code name}, or -1. */
  public int index(String name) {
    return indexes.getOrDefault(name, -1);
  }

  /** The set with that index, which exists. */
  public IpSet at(int index) {
    return sets.get(index);
  }

  /** The set called {@code name}, or null. */
  public IpSet find(String name) {
    int index = index(name);
    return index < 0 ? null : sets.get(index);
  }

  /** The sets as {@code ipset save} lists them: lists last. */
  public List<IpSet> all() {
    List<IpSet> all = new ArrayList<>();
    for (boolean lists : new boolean[] {false, true}) {
      for (IpSet set : sets) {
        if (set != null && (set.type == SetType.LIST_SET) == lists) {
          all.add(set);
        }
      }
    }
    return all;
  }

  /** A rule uses the set with that index. */
  public void hold(int index) {
    sets.get(index).references++;
  }

  /** A rule uses it no more. */
  public void release(int index) {
    sets.get(index).references--;
  }

  private IpSet existing(String name, SourcePosition at) {
    IpSet set = find(name);
    if (set == null) {
      throw new SourceException(at, "there is no set called " + name);
    }
    return set;
  }

  // ---- the commands of ipset --------------------------------------------------------------------

  /**
   * Plays {@code ipset create}.
   *
   * @param exist the same set may be there already
   * @throws SourceException when the kernel refuses it
   */
  public void create(SetOptions options, boolean exist) {
    IpSet set = make(options);
    IpSet clash = find(options.name);
    if (clash != null) {
      if (!exist || !isSame(options, clash.options)) {
        throw new SourceException(options.at, "there is a set called " + options.name + " already");
      }
      return;
    }
    int index = sets.indexOf(null);
    if (index < 0) {
      index = sets.size();
      sets.add(set);
    } else {
      sets.set(index, set);
    }
    indexes.put(options.name, index);
  }

  private IpSet make(SetOptions options) {
    if (options.type == SetType.LIST_SET) {
      return new ListSet(options, net.clock, this);
    }
    if (options.type.isHash()) {
      if (HashTypeSet.bitsFor(options.hashsize) > MOST_BITS_OF_TABLE) {
        throw new SourceException(
            options.at, "hashsize is at most " + (1 << MOST_BITS_OF_TABLE) + " here");
      }
      if (options.markmask == 0) {
        throw new SourceException(options.at, "markmask cannot be 0");
      }
      int length = Math.max(2, Math.min(12, options.bucketsize));
      options.bucketsize = length + length % 2;
      int initval = options.initval == null ? net.random.nextInt() : options.initval;
      return new HashTypeSet(options, net.clock, initval);
    }
    return new BitmapSet(bitmap(options), net.clock);
  }

  /** Plays bitmap_ip_create: the range is one of whole networks, and not too large. */
  private static SetOptions bitmap(SetOptions options) {
    if (Integer.compareUnsigned(options.from, options.to) > 0) {
      int from = options.from;
      options.from = options.to;
      options.to = from;
    }
    if (options.netmask == 32) {
      options.netmask = 0;
    }
    if (options.netmask != 0) {
      options.from &= Ip4.mask(options.netmask);
      options.to |= ~Ip4.mask(options.netmask);
      if (options.netmask <= BitmapSet.rangeLength(options)) {
        throw new SourceException(
            options.at, "with netmask the range must begin with a network that is wider");
      }
    }
    if (BitmapSet.elements(options) > BITMAP_MAX) {
      throw new SourceException(options.at, "the range has more than " + BITMAP_MAX + " elements");
    }
    return options;
  }

  /** Plays the same_set functions. */
  private static boolean isSame(SetOptions one, SetOptions other) {
    return one.type == other.type
        && one.inet6 == other.inet6
        && one.from == other.from
        && one.to == other.to
        && one.netmask == other.netmask
        && java.util.Arrays.equals(one.bitmask, other.bitmask)
        && one.markmask == other.markmask
        && one.maxelem == other.maxelem
        && Math.max(4, one.size) == Math.max(4, other.size)
        && one.timeout == other.timeout
        && one.counters == other.counters
        && one.comment == other.comment
        && one.skbinfo == other.skbinfo;
  }

  /**
   * Plays {@code ipset add}.
   *
   * @param exist what is there already is renewed
   * @throws SourceException at the entry's position when the kernel refuses it
   */
  public void add(String name, SetEntry entry, boolean exist) {
    refuse(name, entry, existing(name, entry.at).add(entry, exist));
  }

  /** Plays {@code ipset del}; with {@code exist} what is not there is no error. */
  public void delete(String name, SetEntry entry, boolean exist) {
    refuse(name, entry, existing(name, entry.at).delete(entry, exist));
  }

  private static void refuse(String name, SetEntry entry, int result) {
    SetError error = SetError.of(result);
    if (error != null) {
      throw new SourceException(entry.at, "set " + name + ": " + error.text);
    }
  }

  /** Plays {@code ipset flush}, of all sets when {@code name} is null. */
  public void flush(String name, SourcePosition at) {
    if (name != null) {
      existing(name, at).flush();
      return;
    }
    all().forEach(IpSet::flush);
  }

  /** Plays {@code ipset destroy}, of all sets when {@code name} is null. */
  public void destroy(String name, SourcePosition at) {
    List<IpSet> those = name == null ? all() : List.of(existing(name, at));
    for (IpSet set : those) {
      if (set.references > 0) {
        throw new SourceException(at, "set " + set + " is in use, by a rule or another set");
      }
    }
    for (IpSet set : those) {
      if (set instanceof ListSet) {
        set.flush();
      }
      sets.set(indexes.remove(set.name), null);
    }
  }

  /** Plays {@code ipset rename}. */
  public void rename(String from, String to, SourcePosition at) {
    IpSet set = existing(from, at);
    if (set.references > 0) {
      throw new SourceException(at, "set " + from + " is in use, by a rule or another set");
    }
    if (find(to) != null) {
      throw new SourceException(at, "there is a set called " + to + " already");
    }
    indexes.put(to, indexes.remove(from));
    set.name = to;
  }

  /** How often two sets were swapped. */
  public int swaps() {
    return swaps;
  }

  /** Plays {@code ipset swap}: each gets the other's name, and who uses the names. */
  public void swap(String one, String other, SourcePosition at) {
    IpSet first = existing(one, at);
    IpSet second = existing(other, at);
    if (!first.type.parts.equals(second.type.parts)
        || first.options.inet6 != second.options.inet6) {
      throw new SourceException(at, "sets of different types cannot be swapped");
    }
    int references = first.references;
    first.references = second.references;
    second.references = references;
    first.name = other;
    second.name = one;
    sets.set(index(one), second);
    sets.set(index(other), first);
    swaps++;
  }
}
