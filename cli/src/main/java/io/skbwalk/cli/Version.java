// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import picocli.CommandLine.IVersionProvider;

/** The version in the jar's manifest; classes run from a folder have none and say so. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    String version = Main.class.getPackage().getImplementationVersion();
    return new String[] {"skbwalk " + (version == null ? "(unpackaged)" : version)};
  }
}
