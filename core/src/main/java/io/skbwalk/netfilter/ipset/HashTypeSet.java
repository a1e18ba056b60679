// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.ipset.SetType.Part;
import io.skbwalk.skb.SkBuff;
import java.util.Arrays;

/**
 * Plays ip_set_hash_gen.h: a set whose elements are found by a hash, alone or once for each prefix
 * length that its networks have. Elements are numbers.
 */
final class HashTypeSet extends IpSet {
  private static final int FORGOTTEN = -2;

  final KeyLayout layout;
  private final int initval;
  private final int networks;
  private final PrefixLengths[] lengths;
  private final int addressMask;
  private final RangeWalk ranges = new RangeWalk(this);

  private HashTable table;
  private int bucketsize;
  private int maxelemOfRegion;

  private final HashElements elements;
  private final SetEntry shown = new SetEntry();

  private long nextCollection;
  private int nextRegion;

  HashTypeSet(SetOptions options, Clock clock, int initval) {
    super(options, clock);
    this.initval = initval;
    layout = new KeyLayout(type, options.inet6);
    networks = (int) type.parts.stream().filter(part -> part == Part.NET).count();
    elements = new HashElements(layout, type.parts.contains(Part.IFACE), initval, extensions);
    lengths = new PrefixLengths[networks];
    Arrays.setAll(lengths, i -> new PrefixLengths());
    addressMask =
        options.netmask != 0
            ? Ip4.mask(options.netmask)
            : options.bitmask != null ? options.bitmask[0] : -1;
    bucketsize = options.bucketsize;
    setTable(new HashTable(bitsFor(options.hashsize)));
    nextCollection = clock.jiffies() + Clock.HZ;
  }

  /** The number of bits of a table of {@code hashsize} buckets. */
  static int bitsFor(long hashsize) {
    return 64 - Long.numberOfLeadingZeros(Math.max(64, hashsize) - 1);
  }

  private void setTable(HashTable table) {
    this.table = table;
    maxelemOfRegion = Integer.divideUnsigned(options.maxelem, table.regions());
  }

  // ---- what rules ask ---------------------------------------------------------------------------

  /** The element of a packet; false when it has none. */
  private boolean read(SkBuff skb, SetQuery query, SetEntry entry, boolean tests) {
    if (!PacketElement.read(type, skb, query, entry)) {
      return false;
    }
    entry.mark &= options.markmask;
    entry.ip[0] &= addressMask;
    if (type == SetType.HASH_NETNET) {
      entry.ip2[0] &= addressMask;
    }
    boolean masked = type == SetType.HASH_IP || type == SetType.HASH_IPPORT && addressMask != -1;
    if (masked && entry.ip[0] == 0) {
      return false;
    }
    entry.cidr = 32;
    entry.cidr2 = 32;
    if (!tests && networks > 0) {
      // What a rule adds gets the longest prefix length that there is.
      int longest = lengths[0].longest(32);
      if (type == SetType.HASH_IPPORTNET) {
        entry.cidr2 = longest;
        entry.ip2[0] &= Ip4.mask(longest);
      } else {
        entry.cidr = longest;
        entry.ip[0] &= Ip4.mask(longest);
      }
      if (networks == 2) {
        entry.cidr2 = lengths[1].longest(32);
        entry.ip2[0] &= Ip4.mask(entry.cidr2);
      }
    }
    return true;
  }

  @Override
  int testPacket(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    return read(skb, query, entry, true) ? search(entry, query, skb.length()) : NONE;
  }

  @Override
  int addPacket(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    if (!read(skb, query, entry, false)) {
      return SetError.INVALID.code;
    }
    query.foundIn = this;
    int result = insert(entry, query.exist);
    query.found = lastElement;
    return result;
  }

  @Override
  int deletePacket(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    if (!read(skb, query, entry, false)) {
      return SetError.INVALID.code;
    }
    query.foundIn = this;
    query.found = FORGOTTEN;
    return remove(entry);
  }

  /**
   * Plays mtype_test and mtype_test_cidrs.
   *
   * @param query counts and compares, or null: the first element that holds the packet is answered
   *     in {@link #lastElement}
   */
  private int search(SetEntry entry, SetQuery query, int length) {
    lastElement = -1;
    elements.sameNetwork = 0;
    if (networks == 0) {
      return searchBucket(entry, query, length);
    }
    boolean second = type == SetType.HASH_IPPORTNET;
    int address = second ? entry.ip2[0] : entry.ip[0];
    int other = entry.ip2[0];
    for (int i = 0; i < lengths[0].size() && elements.sameNetwork == 0; i++) {
      int cidr = lengths[0].get(i);
      if (second) {
        entry.cidr2 = cidr;
        entry.ip2[0] = address & Ip4.mask(cidr);
      } else {
        entry.cidr = cidr;
        entry.ip[0] = address & Ip4.mask(cidr);
      }
      int answer = NONE;
      if (networks == 1) {
        answer = searchBucket(entry, query, length);
      }
      for (int k = 0; networks == 2 && answer == NONE && k < lengths[1].size(); k++) {
        entry.cidr2 = lengths[1].get(k);
        entry.ip2[0] = other & Ip4.mask(entry.cidr2);
        answer = searchBucket(entry, query, length);
      }
      if (answer != NONE) {
        return answer;
      }
    }
    return NONE;
  }

  private int lastElement;

  private int searchBucket(SetEntry entry, SetQuery query, int length) {
    elements.lookFor(entry);
    int block = table.block(elements.hashOfKey() & table.buckets() - 1);
    if (block == 0) {
      return NONE;
    }
    int pos = table.pos(block);
    for (int place = 0; place < pos; place++) {
      if (!table.isUsed(block, place)) {
        continue;
      }
      int element = table.element(block, place);
      if (!elements.isSame(element, entry.iface)) {
        continue;
      }
      lastElement = element;
      if (query == null) {
        return elements.isException(element) ? EXCLUDED : MATCH;
      }
      if (extensions.matches(element, query, query.skipsCounters, query.comparesCounters, length)) {
        query.foundIn = this;
        query.found = element;
        return elements.isException(element) ? EXCLUDED : MATCH;
      }
      elements.sameNetwork = 0;
    }
    return NONE;
  }

  // ---- elements ---------------------------------------------------------------------------------

  /** Plays mtype_add; {@link #RESIZE} when the table must grow first. */
  int insert(SetEntry entry, boolean exist) {
    collectWhatIsDue();
    elements.lookFor(entry);
    lastElement = -1;
    int bucket = elements.hashOfKey() & table.buckets() - 1;
    int region = table.region(bucket);
    int count = table.elements(region);
    int maxelem = maxelemOfRegion;
    boolean force = false;
    if (Integer.compareUnsigned(count, maxelem) >= 0) {
      if (extensions.timeouts) {
        collect(region);
      }
      maxelem = options.maxelem;
      count = table.elements();
      force = Integer.compareUnsigned(count, maxelem) >= 0 && options.forceadd;
    }
    boolean full = Integer.compareUnsigned(count, maxelem) >= 0;
    int block = table.block(bucket);
    if (block == 0) {
      if (force || full) {
        // Surprising: a forced addition needs somebody to throw out in its own bucket.
        return SetError.HASH_FULL.code;
      }
      block = table.open(bucket);
      return put(bucket, block, 0, entry);
    }
    int pos = table.pos(block);
    int free = -1;
    boolean gap = false;
    elements.sameNetwork = 0;
    for (int place = 0; place < pos; place++) {
      int element = table.element(block, place);
      if (!table.isUsed(block, place)) {
        if (free < 0) {
          gap = true;
          free = place;
        }
        continue;
      }
      if (elements.isSame(element, entry.iface)) {
        lastElement = element;
        if (!exist && !extensions.isExpired(element)) {
          return SetError.EXIST.code;
        }
        elements.setException(element, entry.nomatch);
        extensions.start(element, entry);
        return NONE;
      }
      if (free < 0 && extensions.isExpired(element)) {
        free = place;
      }
    }
    if (free >= 0 || force) {
      int place = Math.max(0, free);
      if (!gap) {
        forget(table.element(block, place));
        table.count(bucket, -1);
      }
      return put(bucket, block, place, entry);
    }
    if (full) {
      return SetError.HASH_FULL.code;
    }
    if (pos >= table.size(block)) {
      if (elements.interfaces) {
        if (bucketsize >= HashTable.LONGEST) {
          return SetError.HASH_FULL.code;
        }
        if (bucketsize <= elements.sameNetwork) {
          bucketsize += HashTable.STEP;
        }
      }
      if (table.size(block) >= bucketsize) {
        return RESIZE;
      }
      block = table.grow(bucket);
    }
    return put(bucket, block, pos, entry);
  }

  /** Puts what is looked for into a place of a bucket. */
  private int put(int bucket, int block, int place, SetEntry entry) {
    int element = table.element(block, place);
    if (element < 0) {
      element = elements.allocate();
      table.setElement(block, place, element);
    }
    elements.put(element, entry);
    for (int i = 0; i < networks; i++) {
      lengths[i].add(elements.prefixLength(element, i));
    }
    extensions.start(element, entry);
    table.setUsed(block, place, true);
    table.setPos(block, Math.max(table.pos(block), place + 1));
    table.count(bucket, 1);
    lastElement = element;
    return NONE;
  }

  /** An element is none any more; its place and number stay. */
  private void forget(int element) {
    for (int i = 0; i < networks; i++) {
      lengths[i].remove(elements.prefixLength(element, i));
    }
    extensions.forget(element);
  }

  /** Plays mtype_del. */
  int remove(SetEntry entry) {
    collectWhatIsDue();
    elements.lookFor(entry);
    int bucket = elements.hashOfKey() & table.buckets() - 1;
    int block = table.block(bucket);
    int pos = block == 0 ? 0 : table.pos(block);
    for (int place = 0; place < pos; place++) {
      if (!table.isUsed(block, place)
          || !elements.isSame(table.element(block, place), entry.iface)) {
        continue;
      }
      int element = table.element(block, place);
      if (extensions.isExpired(element)) {
        return SetError.NOT_THERE.code;
      }
      table.setUsed(block, place, false);
      if (place + 1 == pos) {
        table.setPos(block, pos - 1);
      }
      table.count(bucket, -1);
      forget(element);
      tidy(bucket, gaps(block), table.pos(block));
      return NONE;
    }
    return SetError.NOT_THERE.code;
  }

  private int gaps(int block) {
    int gaps = 0;
    for (int place = 0; place < table.pos(block); place++) {
      gaps += table.isUsed(block, place) ? 0 : 1;
    }
    return gaps;
  }

  /** Frees a bucket with gaps only, and closes the gaps of one with two or more. */
  private void tidy(int bucket, int gaps, int limit) {
    int block = table.block(bucket);
    boolean closes = gaps == limit;
    if (!closes && gaps < HashTable.STEP) {
      return;
    }
    for (int place = 0; place < table.size(block); place++) {
      int element = table.element(block, place);
      if (element >= 0 && !(place < table.pos(block) && table.isUsed(block, place))) {
        elements.release(element);
      }
    }
    if (closes) {
      table.close(bucket);
    } else {
      table.shrink(bucket);
    }
  }

  /** Plays mtype_gc as it would have run since anybody changed the set. */
  private void collectWhatIsDue() {
    long now = clock.jiffies();
    if (!extensions.timeouts || nextCollection > now) {
      return;
    }
    int regions = table.regions();
    long step = Math.max(GarbagePeriod.ticks(options.timeout) / regions, Clock.HZ / 10);
    long due = (now - nextCollection) / step + 1;
    // One round of all regions finds everything; three close what gaps there are.
    for (long run = Math.max(0, due - 3L * regions); run < due; run++) {
      collect((int) ((nextRegion + run) % regions));
    }
    nextRegion = (int) ((nextRegion + due) % regions);
    nextCollection += due * step;
  }

  /** Plays mtype_gc_do: throws out what has run out of one region. */
  private void collect(int region) {
    for (int bucket = table.firstBucket(region); bucket <= table.lastBucket(region); bucket++) {
      int block = table.block(bucket);
      if (block == 0) {
        continue;
      }
      int gaps = 0;
      for (int place = 0; place < table.pos(block); place++) {
        int element = table.element(block, place);
        if (!table.isUsed(block, place)) {
          gaps++;
        } else if (extensions.isExpired(element)) {
          table.setUsed(block, place, false);
          table.count(bucket, -1);
          forget(element);
          gaps++;
        }
      }
      if (gaps >= HashTable.STEP) {
        tidy(bucket, gaps, table.size(block));
      }
    }
  }

  /** Plays mtype_resize: twice the buckets, or more when one would be too long then. */
  void resize() {
    for (int bits = table.bits + 1; ; bits++) {
      HashTable larger = new HashTable(bits);
      if (fill(larger)) {
        dropGaps();
        setTable(larger);
        return;
      }
    }
  }

  private boolean fill(HashTable larger) {
    for (int bucket = 0; bucket < table.buckets(); bucket++) {
      int block = table.block(bucket);
      for (int place = 0; block != 0 && place < table.pos(block); place++) {
        int element = table.element(block, place);
        if (!table.isUsed(block, place) || extensions.isExpired(element)) {
          continue;
        }
        int to = elements.hash(element) & larger.buckets() - 1;
        int into = larger.block(to);
        if (into == 0) {
          into = larger.open(to);
        } else if (larger.pos(into) >= larger.size(into)) {
          if (larger.size(into) >= bucketsize) {
            return false;
          }
          into = larger.grow(to);
        }
        int pos = larger.pos(into);
        larger.setElement(into, pos, element);
        larger.setUsed(into, pos, true);
        larger.setPos(into, pos + 1);
        larger.count(to, 1);
      }
    }
    return true;
  }

  /** Releases what the old table alone knows: gaps, and what had run out. */
  private void dropGaps() {
    for (int bucket = 0; bucket < table.buckets(); bucket++) {
      int block = table.block(bucket);
      for (int place = 0; block != 0 && place < table.size(block); place++) {
        int element = table.element(block, place);
        boolean used = place < table.pos(block) && table.isUsed(block, place);
        if (element >= 0 && (!used || extensions.isExpired(element))) {
          elements.release(element);
        }
      }
    }
  }

  // ---- what the user asks -----------------------------------------------------------------------

  @Override
  int add(SetEntry entry, boolean exist) {
    return ranges.each(entry, true, exist);
  }

  @Override
  int delete(SetEntry entry, boolean exist) {
    return ranges.each(entry, false, exist);
  }

  /** The bits under which the first address of an element is kept, and the second in net,net. */
  int addressMask() {
    return addressMask;
  }

  @Override
  void flush() {
    for (int bucket = 0; bucket < table.buckets(); bucket++) {
      int block = table.block(bucket);
      for (int place = 0; block != 0 && place < table.size(block); place++) {
        if (table.element(block, place) >= 0) {
          elements.release(table.element(block, place));
        }
      }
    }
    setTable(new HashTable(table.bits));
    for (PrefixLengths one : lengths) {
      one.clear();
    }
  }

  // ---- for people -------------------------------------------------------------------------------

  @Override
  void appendOwn(StringBuilder out, String option) {
    switch (option) {
      case "hashsize" -> out.append(" hashsize ").append(table.buckets());
      case "maxelem" -> out.append(" maxelem ").append(Integer.toUnsignedString(options.maxelem));
      case "bucketsize" -> out.append(" bucketsize ").append(bucketsize);
      case "initval" -> out.append(String.format(" initval 0x%08x", initval));
      case "markmask" -> out.append(String.format(" markmask 0x%08x", options.markmask));
      default -> throw new IllegalStateException(option);
    }
  }

  @Override
  void appendElements(StringBuilder out) {
    for (int bucket = 0; bucket < table.buckets(); bucket++) {
      int block = table.block(bucket);
      for (int place = 0; block != 0 && place < table.pos(block); place++) {
        int element = table.element(block, place);
        if (table.isUsed(block, place) && !extensions.isExpired(element)) {
          appendElement(out, element);
        }
      }
    }
  }

  @Override
  public int size() {
    int size = 0;
    for (int bucket = 0; bucket < table.buckets(); bucket++) {
      int block = table.block(bucket);
      for (int place = 0; block != 0 && place < table.pos(block); place++) {
        boolean used = table.isUsed(block, place);
        size += used && !extensions.isExpired(table.element(block, place)) ? 1 : 0;
      }
    }
    return size;
  }

  @Override
  boolean isFlagged(int element, String option) {
    return option.equals("nomatch") ? elements.isException(element) : elements.isWildcard(element);
  }

  @Override
  String element(int element) {
    elements.show(element, shown);
    return ElementText.of(type, shown, options.inet6);
  }

  @Override
  int peek(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    return read(skb, query, entry, true) && search(entry, null, 0) != NONE ? lastElement : -1;
  }

  @Override
  String packetElement(SkBuff skb, SetQuery query) {
    SetEntry entry = packetEntry(skb, query);
    return read(skb, query, entry, true) ? ElementText.of(type, entry, false) : null;
  }
}
