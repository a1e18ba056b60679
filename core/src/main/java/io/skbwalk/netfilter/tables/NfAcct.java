// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Plays nfnetlink_acct.c: the accounting objects of one machine, which {@code nfacct add} makes and
 * {@code -m nfacct} counts in.
 */
public final class NfAcct {
  /** The most bytes of a name (NFACCT_NAME_MAX less its end). */
  public static final int MOST_NAME = 31;

  private static final long NONE = -1;

  /** Plays struct nf_acct. */
  public static final class Account {
    private final String name;
    private final boolean ofPackets;
    private final long quota;
    private long packets;
    private long bytes;
    private boolean overquota;

    private Account(String name, boolean ofPackets, long quota) {
      this.name = name;
      this.ofPackets = ofPackets;
      this.quota = quota;
    }

    /**
     * Plays nfnl_acct_update and nfnl_acct_overquota: counts a packet.
     *
     * @return does it match? Always without a quota; with one, what comes beyond it
     */
    public boolean count(int length) {
      packets++;
      bytes += length;
      if (quota == NONE) {
        return true;
      }
      long now = ofPackets ? packets : bytes;
      overquota |= now >= quota;
      return now > quota;
    }

    /** What is left of the quota, for people. */
    public String left() {
      return quota - (ofPackets ? packets : bytes) + (ofPackets ? " packets" : " bytes");
    }

    /** As {@code nfacct list} prints it. */
    @Override
    public String toString() {
      String limit =
          quota == NONE
              ? ""
              : String.format(
                  Locale.ROOT,
                  ", quota = %020d, mode = %s, overquota = %s",
                  quota,
                  ofPackets ? "packet" : "byte",
                  overquota ? "yes" : "no");
      return String.format(
          Locale.ROOT, "{ pkts = %020d, bytes = %020d%s } = %s;", packets, bytes, limit, name);
    }
  }

  private final Map<String, Account> accounts = new LinkedHashMap<>();
  private final boolean assumed;

  /**
   * No objects yet.
   *
   * @param assumed a rule that names one finds it: nobody has said what there is
   */
  public NfAcct(boolean assumed) {
    this.assumed = assumed;
  }

  /**
   * Plays {@code nfacct add}.
   *
   * @param words {@code NAME} or {@code NAME byte|packet QUOTA}
   * @throws IllegalArgumentException with a message for users
   */
  public void add(String words) {
    String[] parts = words.strip().split("\\s+");
    String name = parts[0];
    boolean plain = parts.length == 1;
    boolean limited =
        parts.length == 3 && parts[1].matches("byte|packet") && parts[2].matches("[0-9]{1,18}");
    if (name.isEmpty() || name.length() > MOST_NAME || !plain && !limited) {
      throw new IllegalArgumentException(
          "an accounting object is NAME (up to 31 bytes), or NAME byte|packet QUOTA, not \""
              + words
              + "\"");
    }
    long quota = plain ? NONE : Long.parseLong(parts[2]);
    if (accounts.putIfAbsent(name, new Account(name, !plain && parts[1].equals("packet"), quota))
        != null) {
      throw new IllegalArgumentException("there is an accounting object " + name + " already");
    }
  }

  /** Plays nfnl_acct_find_get: the object called {@code name}, or null. */
  public Account find(String name) {
    return assumed
        ? accounts.computeIfAbsent(name, key -> new Account(key, false, NONE))
        : accounts.get(name);
  }

  /** The objects as {@code nfacct list} prints them, oldest first. */
  public List<String> list() {
    List<String> lines = new ArrayList<>();
    accounts.values().forEach(account -> lines.add(account.toString()));
    return lines;
  }
}
