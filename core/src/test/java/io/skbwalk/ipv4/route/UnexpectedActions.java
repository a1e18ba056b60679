// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.skb.SkBuff;

/** Routes whose every action fails the test; a test overrides those that it expects. */
public abstract class UnexpectedActions implements RouteActions {
  @Override
  public void localDeliver(SkBuff skb) {
    throw new AssertionError("localDeliver");
  }

  @Override
  public void forward(SkBuff skb) {
    throw new AssertionError("forward");
  }

  @Override
  public void error(SkBuff skb) {
    throw new AssertionError("error");
  }

  @Override
  public void output(SkBuff skb) {
    throw new AssertionError("output");
  }

  @Override
  public void multicastOutput(SkBuff skb) {
    throw new AssertionError("multicastOutput");
  }

  @Override
  public void routeBug(SkBuff skb) {
    throw new AssertionError("routeBug");
  }

  @Override
  public void discard(SkBuff skb) {
    throw new AssertionError("discard");
  }
}
