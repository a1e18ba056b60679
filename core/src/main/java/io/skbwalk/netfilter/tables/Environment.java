// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.nat.NatEngine;
import io.skbwalk.skb.Net;

/**
 * What matches and targets of one machine may ask for (Linux reaches it through struct net).
 *
 * @param net clock, timers, randomness
 * @param ipv4 routes, answers; null only where no rule asks for it
 * @param nat binds connections; null without a nat table
 * @param log who hears LOG and TRACE lines; null when nobody
 */
public record Environment(Net net, Ipv4Operations ipv4, NatEngine nat, LogListener log) {}
