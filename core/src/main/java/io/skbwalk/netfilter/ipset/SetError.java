// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

/** Plays the IPSET_ERR_ codes: why the kernel does not do what ipset asks. */
enum SetError {
  EXIST("the element is in the set already"),
  NOT_THERE("the element is not in the set"),
  TIMEOUT("timeout cannot be given: the set was created without"),
  COUNTER("packets and bytes cannot be given: the set was created without counters"),
  COMMENT("comment cannot be given: the set was created without"),
  SKBINFO("skbmark, skbprio and skbqueue cannot be given: the set was created without skbinfo"),
  INVALID_CIDR("the prefix length is not possible in this type of set"),
  INVALID_PROTO("protocol 0 is not possible"),
  INVALID("the address is zero under the set's netmask"),
  BITMAP_RANGE("the element lies outside of the set's range"),
  HASH_FULL("the set is full: it has maxelem elements"),
  HASH_ELEM("an element of zero cannot be stored"),
  RANGE_UNSUPPORTED("a range is not possible in this part of the element"),
  HASH_RANGE("the range is the whole address space"),
  NAME("the set that is to be the element does not exist"),
  LOOP("a list:set cannot be in another"),
  NAMEREF("the set named behind before or after does not exist"),
  REF_EXIST("the set named behind before or after is not in this set, or not there");

  /** What results are less than when they are errors; above are {@link IpSet}'s answers. */
  private static final int FIRST = -100;

  final String text;

  /** As the result of a function. */
  final int code = FIRST - ordinal();

  SetError(String text) {
    this.text = text;
  }

  /** The error that a result stands for, or null. */
  static SetError of(int result) {
    return result > FIRST ? null : values()[FIRST - result];
  }
}
