// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

/** What a hook function is there for, as far as {@link NfFlowHook} has to know. */
public enum HookRole {
  /** Puts fragments together; does nothing to a whole packet. */
  DEFRAGMENT,
  /** Finds the packet's connection. */
  TRACK,
  /** Judges by rules. */
  TABLE,
  /** Translates as the connection is bound. */
  TRANSLATE,
  /** Enters a new connection into the table; tells its events. */
  CONFIRM,
  /** Something else, which must see every packet. */
  OTHER
}
