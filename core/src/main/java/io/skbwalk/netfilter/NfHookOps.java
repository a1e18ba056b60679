// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

/**
 * Plays struct nf_hook_ops: where a function is hung in.
 *
 * @param priority those with a smaller one are asked before it
 */
public record NfHookOps(Hook hook, int priority, HookRole role, HookFunction function) {}
