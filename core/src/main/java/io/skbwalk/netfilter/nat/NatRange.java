// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

/**
 * Plays struct nf_nat_range2: what a NAT rule may translate to, immutable.
 *
 * @param flags the FLAG_ bits
 * @param minAddress first address, with MAP_IPS
 * @param maxAddress last address, with MAP_IPS
 * @param minPort first port or ICMP id, with PROTO_SPECIFIED
 * @param maxPort last port or ICMP id, with PROTO_SPECIFIED
 * @param basePort with PROTO_OFFSET: the original port that maps to {@code minPort}
 */
public record NatRange(
    int flags, int minAddress, int maxAddress, int minPort, int maxPort, int basePort) {
  /** NF_NAT_RANGE_MAP_IPS: the addresses count. */
  public static final int MAP_IPS = 1;

  /** NF_NAT_RANGE_PROTO_SPECIFIED: the ports count. */
  public static final int PROTO_SPECIFIED = 1 << 1;

  /** NF_NAT_RANGE_PROTO_RANDOM: --random. */
  public static final int PROTO_RANDOM = 1 << 2;

  /** NF_NAT_RANGE_PERSISTENT: --persistent. */
  public static final int PERSISTENT = 1 << 3;

  /** NF_NAT_RANGE_PROTO_RANDOM_FULLY: --random-fully. */
  public static final int PROTO_RANDOM_FULLY = 1 << 4;

  /** NF_NAT_RANGE_PROTO_OFFSET: ports are shifted from {@code basePort}. */
  public static final int PROTO_OFFSET = 1 << 5;

  /** Has it that bit? */
  public boolean has(int flag) {
    return (flags & flag) != 0;
  }
}
