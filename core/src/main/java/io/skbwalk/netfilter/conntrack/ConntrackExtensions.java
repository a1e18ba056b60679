// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import java.util.Arrays;

/**
 * Plays struct nf_ct_ext: what only few entries have, in 16 words that an entry gets with the first
 * of them and that {@link ConntrackMemory#EXTENSIONS} is the handle of.
 *
 * <pre>
 *   word  0           master
 *         1           what a SYNPROXY keeps (handle, ConntrackSynproxy)
 *         2           CT timeout policy
 *         3           event masks: of the connection, above them of its expectations
 *         4  .. 7     labels 0 to 127
 *         8           security mark
 *         9  .. 14    sequence adjustment of both directions (nf_conn_seqadj)
 * </pre>
 *
 * <p>What a helper keeps (nf_conn_help) is an object beside the words.
 */
final class ConntrackExtensions extends Slab {
  static final int MASTER = 0;
  static final int SYNPROXY = 1;
  static final int TIMEOUT_POLICY = 2;
  static final int EVENT_MASKS = 3;
  static final int LABELS = 4;
  static final int SECMARK = 8;
  static final int SEQUENCE_ADJUSTMENT = 9;

  private static final int WORD_SHIFT = 4;

  private ConntrackHelp[] helps = new ConntrackHelp[16];

  ConntrackExtensions() {
    super(WORD_SHIFT);
  }

  /** Plays nfct_help; null without a helper. */
  ConntrackHelp help(int handle) {
    return handle < helps.length ? helps[handle] : null;
  }

  void setHelp(int handle, ConntrackHelp help) {
    if (handle >= helps.length) {
      helps = Arrays.copyOf(helps, Math.max(handle + 1, helps.length * 2));
    }
    helps[handle] = help;
  }
}
