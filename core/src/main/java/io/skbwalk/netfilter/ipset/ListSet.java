// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.kernel.Clock;
import io.skbwalk.skb.SkBuff;
import java.util.Arrays;

/** Plays ip_set_list_set.c: a list of other sets, asked in order. */
final class ListSet extends IpSet {
  private final IpSets sets;

  /** Indexes of the sets, in order; element number i of the extensions belongs to slots[i]. */
  private int[] members = new int[4];

  private int[] slots = new int[4];
  private int size;
  private int allocated;

  ListSet(SetOptions options, Clock clock, IpSets sets) {
    super(options, clock);
    this.sets = sets;
    extensions.ensure(members.length);
  }

  // ---- what rules ask ---------------------------------------------------------------------------

  @Override
  int testPacket(SkBuff skb, SetQuery query) {
    boolean skips = query.skipsCounters;
    boolean compares = query.comparesCounters;
    // Members' counters are counted but never compared.
    query.comparesCounters = false;
    query.skipsCounters |= query.keepsSubcounters;
    for (int i = 0; i < size; i++) {
      if (sets.at(members[i]).test(skb, query)
          && extensions.matches(slots[i], query, skips, compares, skb.length())) {
        return MATCH;
      }
    }
    return NONE;
  }

  @Override
  int addPacket(SkBuff skb, SetQuery query) {
    for (int i = 0; i < size; i++) {
      if (!extensions.isExpired(slots[i]) && sets.at(members[i]).add(skb, query)) {
        return NONE;
      }
    }
    return NONE;
  }

  @Override
  int deletePacket(SkBuff skb, SetQuery query) {
    for (int i = 0; i < size; i++) {
      if (!extensions.isExpired(slots[i]) && sets.at(members[i]).delete(skb, query)) {
        return NONE;
      }
    }
    return NONE;
  }

  // ---- what the user asks -----------------------------------------------------------------------

  private int indexOf(int set) {
    for (int i = 0; i < size; i++) {
      if (members[i] == set && !extensions.isExpired(slots[i])) {
        return i;
      }
    }
    return -1;
  }

  /** Plays set_cleanup_entries. */
  private void collect() {
    for (int i = size - 1; i >= 0; i--) {
      if (extensions.isExpired(slots[i])) {
        removeAt(i);
      }
    }
  }

  private void removeAt(int index) {
    int slot = slots[index];
    sets.at(members[index]).references--;
    System.arraycopy(members, index + 1, members, index, size - index - 1);
    System.arraycopy(slots, index + 1, slots, index, size - index - 1);
    size--;
    // The slot waits behind the list's end for the next member.
    slots[size] = slot;
    extensions.clear(slot);
  }

  /** Why this entry cannot be meant, or null. */
  private SetError refusal(SetEntry entry) {
    SetError refusal = extensions.refusal(entry);
    if (refusal != null) {
      return refusal;
    }
    int set = sets.index(entry.set);
    if (set < 0) {
      return SetError.NAME;
    }
    if (sets.at(set).type == SetType.LIST_SET) {
      return SetError.LOOP;
    }
    return entry.reference != null && sets.index(entry.reference) < 0 ? SetError.NAMEREF : null;
  }

  @Override
  int add(SetEntry entry, boolean exist) {
    SetError refusal = refusal(entry);
    if (refusal != null) {
      return refusal.code;
    }
    collect();
    int set = sets.index(entry.set);
    int place = size;
    if (entry.reference != null) {
      int reference = indexOf(sets.index(entry.reference));
      if (reference < 0) {
        return SetError.REF_EXIST.code;
      }
      place = entry.before ? reference : reference + 1;
    }
    int there = indexOf(set);
    if (there >= 0) {
      if (!exist) {
        return SetError.EXIST.code;
      }
      extensions.start(slots[there], entry);
      return NONE;
    }
    if (size == members.length) {
      members = Arrays.copyOf(members, size * 2);
      slots = Arrays.copyOf(slots, size * 2);
      extensions.ensure(size * 2);
    }
    int slot = size < allocated ? slots[size] : allocated++;
    System.arraycopy(members, place, members, place + 1, size - place);
    System.arraycopy(slots, place, slots, place + 1, size - place);
    members[place] = set;
    slots[place] = slot;
    size++;
    sets.at(set).references++;
    extensions.start(slot, entry);
    return NONE;
  }

  @Override
  int delete(SetEntry entry, boolean exist) {
    SetError refusal = refusal(entry);
    if (refusal != null) {
      return refusal.code;
    }
    collect();
    int there = indexOf(sets.index(entry.set));
    boolean placed = true;
    if (entry.reference != null && there >= 0) {
      int beside = entry.before ? there + 1 : there - 1;
      placed = beside >= 0 && beside < size && members[beside] == sets.index(entry.reference);
    }
    if (there < 0 || !placed) {
      boolean known = entry.reference == null;
      return known && exist ? NONE : known ? SetError.NOT_THERE.code : SetError.REF_EXIST.code;
    }
    removeAt(there);
    return NONE;
  }

  @Override
  void flush() {
    while (size > 0) {
      removeAt(size - 1);
    }
  }

  // ---- for people -------------------------------------------------------------------------------

  @Override
  void appendOwn(StringBuilder out, String option) {
    if (option.equals("size")) {
      out.append(" size ").append(Math.max(4, options.size));
    }
  }

  @Override
  void appendElements(StringBuilder out) {
    for (int i = 0; i < size; i++) {
      if (!extensions.isExpired(slots[i])) {
        appendElement(out, slots[i]);
      }
    }
  }

  @Override
  public int size() {
    int alive = 0;
    for (int i = 0; i < size; i++) {
      alive += extensions.isExpired(slots[i]) ? 0 : 1;
    }
    return alive;
  }

  @Override
  String element(int element) {
    for (int i = 0; i < size; i++) {
      if (slots[i] == element) {
        return sets.at(members[i]).name;
      }
    }
    throw new IllegalStateException();
  }

  @Override
  int peek(SkBuff skb, SetQuery query) {
    for (int i = 0; i < size; i++) {
      if (holds(i, skb, query)) {
        return slots[i];
      }
    }
    return -1;
  }

  private boolean holds(int index, SkBuff skb, SetQuery query) {
    IpSet member = sets.at(members[index]);
    return query.dimension() >= member.type.dimension()
        && !member.options.inet6
        && member.peek(skb, query) >= 0;
  }

  /** The first member that holds the packet, or null. */
  IpSet holder(SkBuff skb, SetQuery query) {
    for (int i = 0; i < size; i++) {
      if (holds(i, skb, query)) {
        return sets.at(members[i]);
      }
    }
    return null;
  }

  @Override
  String packetElement(SkBuff skb, SetQuery query) {
    for (int i = 0; i < size; i++) {
      IpSet member = sets.at(members[i]);
      if (query.dimension() >= member.type.dimension() && !member.options.inet6) {
        String element = member.packetElement(skb, query);
        if (element != null) {
          return element;
        }
      }
    }
    return null;
  }
}
