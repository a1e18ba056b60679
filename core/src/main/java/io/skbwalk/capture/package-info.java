// SPDX-License-Identifier: Apache-2.0

/**
 * Captures: pcap and pcapng read in large blocks through a cursor that allocates nothing per frame,
 * merged by time, filtered by libpcap's expressions, and written by streaming.
 *
 * <p>Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, pcap-savefile(5), pcap-filter(7),
 * and the registry of link types at tcpdump.org.
 */
package io.skbwalk.capture;
