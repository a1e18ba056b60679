// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.synproxy;

/**
 * Plays struct nf_synproxy_info: what a rule says of the servers behind it.
 *
 * @param options the bits below: what the servers understand
 * @param windowScale 0 to 255, as written
 * @param mss bytes
 */
public record SynproxyInfo(int options, int windowScale, int mss) {
  /** NF_SYNPROXY_OPT_MSS. */
  public static final int MSS = 1;

  /** NF_SYNPROXY_OPT_WSCALE. */
  public static final int WSCALE = 1 << 1;

  /** NF_SYNPROXY_OPT_SACK_PERM. */
  public static final int SACK_PERM = 1 << 2;

  /** NF_SYNPROXY_OPT_TIMESTAMP. */
  public static final int TIMESTAMP = 1 << 3;

  /** NF_SYNPROXY_OPT_ECN. */
  public static final int ECN = 1 << 4;

  /** Is any of {@code bits} set? */
  public boolean has(int bits) {
    return (options & bits) != 0;
  }
}
