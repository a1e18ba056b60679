// SPDX-License-Identifier: Apache-2.0

/** Drives captures through a host and tells what happened: fates, reports, files, walks. */
package io.skbwalk.replay;
