// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;
import java.util.HexFormat;
import java.util.Locale;

/** Plays nf_log_syslog.c: the line that LOG, TRACE and conntrack write about a packet. */
public final class LogLine {
  /** --log-tcp-sequence. */
  public static final int TCP_SEQUENCE = 0x01;

  /** --log-tcp-options. */
  public static final int TCP_OPTIONS = 0x02;

  /** --log-ip-options. */
  public static final int IP_OPTIONS = 0x04;

  /** --log-uid; the kernel's own sockets belong to nobody. */
  public static final int UID = 0x08;

  /** --log-macdecode. */
  public static final int MAC_DECODE = 0x20;

  /** NF_LOG_DEFAULT_MASK: what TRACE logs. */
  public static final int DEFAULT_FLAGS = 0x0F;

  /** TRACE lines are warnings. */
  public static final int TRACE_LEVEL = 4;

  /** Those of conntrack are notices. */
  public static final int DEFAULT_LEVEL = 5;

  private static final int IPPROTO_ESP = 50;
  private static final int IPPROTO_AH = 51;
  private static final int IPPROTO_UDPLITE = 136;
  private static final int FRAGMENTATION_NEEDED = 4;

  private final SkBuff skb;
  private final int flags;
  private final StringBuilder out = new StringBuilder(256);

  private LogLine(SkBuff skb, int flags) {
    this.skb = skb;
    this.flags = flags;
  }

  /**
   * Writes the line about a packet to whoever listens; does nothing when nobody does.
   *
   * @param log null for nobody
   * @param now nanoseconds since the epoch
   * @param in the interface that it came in on, or null
   * @param out the interface that it will leave on, or null
   */
  public static void write(
      LogListener log,
      long now,
      SkBuff skb,
      NetDevice in,
      NetDevice out,
      String prefix,
      int level,
      int flags) {
    if (log == null && skb.trace == null) {
      return;
    }
    LogLine line = new LogLine(skb, flags);
    line.packet(in, out, prefix);
    String text = line.out.toString();
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Log(text));
    }
    if (log != null) {
      log.log(now, level, text);
    }
  }

  private void packet(NetDevice from, NetDevice to, String prefix) {
    out.append(prefix);
    out.append("IN=").append(from == null ? "" : from.name);
    out.append(" OUT=").append(to == null ? "" : to.name).append(' ');
    if (from != null) {
      mac(from);
    }
    ip(skb.networkHeader, true);
  }

  private void mac(NetDevice from) {
    boolean there =
        skb.macHeader >= 0 && skb.networkHeader - skb.macHeader >= EthernetHeader.LENGTH;
    // Only Ethernet's header is decoded; the loopback interface has one, but another type.
    if ((flags & MAC_DECODE) == 0 || from.isLoopback()) {
      out.append("MAC=");
      if (there) {
        out.append(
            HexFormat.ofDelimiter(":").formatHex(skb.head, skb.macHeader, skb.macHeader + 14));
      }
      out.append(' ');
    } else if (there) {
      HexFormat mac = HexFormat.ofDelimiter(":");
      out.append("MACSRC=").append(mac.formatHex(skb.head, skb.macHeader + 6, skb.macHeader + 12));
      out.append(" MACDST=").append(mac.formatHex(skb.head, skb.macHeader, skb.macHeader + 6));
      out.append(
          String.format(Locale.ROOT, " MACPROTO=%04x ", EthernetHeader.type(skb, skb.macHeader)));
    }
  }

  private void ip(int ip, boolean outer) {
    int left = skb.tail - ip;
    if (left < IpHeader.MIN_LENGTH) {
      out.append("TRUNCATED");
      return;
    }
    int tos = skb.u8(ip + IpHeader.TOS_OFFSET);
    int fragment = skb.u16(ip + IpHeader.FRAGMENT_OFFSET);
    int header = (skb.u8(ip) & 15) * 4;
    out.append("SRC=").append(Ip4.format(skb.u32(ip + IpHeader.SOURCE_OFFSET)));
    out.append(" DST=").append(Ip4.format(skb.u32(ip + IpHeader.DESTINATION_OFFSET)));
    out.append(
        String.format(
            Locale.ROOT,
            " LEN=%d TOS=0x%02X PREC=0x%02X TTL=%d ID=%d ",
            skb.u16(ip + IpHeader.TOTAL_LENGTH_OFFSET),
            tos & 0x1E,
            tos & 0xE0,
            skb.u8(ip + IpHeader.TTL_OFFSET),
            skb.u16(ip + IpHeader.ID_OFFSET)));
    out.append((fragment & 0x8000) != 0 ? "CE " : "");
    out.append((fragment & IpHeader.IP_DF) != 0 ? "DF " : "");
    out.append((fragment & IpHeader.IP_MF) != 0 ? "MF " : "");
    boolean later = (fragment & IpHeader.IP_OFFSET) != 0;
    if (later) {
      out.append("FRAG:").append(fragment & IpHeader.IP_OFFSET).append(' ');
    }
    if ((flags & IP_OPTIONS) != 0 && header > IpHeader.MIN_LENGTH) {
      if (left < header) {
        out.append("TRUNCATED");
        return;
      }
      options(ip + IpHeader.MIN_LENGTH, ip + header);
    }
    int at = ip + header;
    int protocol = skb.u8(ip + IpHeader.PROTOCOL_OFFSET);
    switch (protocol) {
      case IpHeader.IPPROTO_TCP -> {
        if (!tcp(at, later)) {
          return;
        }
      }
      case IpHeader.IPPROTO_UDP, IPPROTO_UDPLITE -> {
        out.append(protocol == IPPROTO_UDPLITE ? "PROTO=UDPLITE " : "PROTO=UDP ");
        if (!later) {
          if (skb.tail - at < UdpHeader.LENGTH) {
            incomplete(at);
            return;
          }
          out.append("SPT=").append(skb.u16(at)).append(" DPT=").append(skb.u16(at + 2));
          out.append(" LEN=").append(skb.u16(at + UdpHeader.LENGTH_OFFSET)).append(' ');
        }
      }
      case IpHeader.IPPROTO_ICMP -> icmp(at, later, outer);
      case IPPROTO_AH -> {
        if (!later) {
          out.append("PROTO=AH ");
          spi(at, 12, at + 4);
        }
      }
      case IPPROTO_ESP -> {
        out.append("PROTO=ESP ");
        if (!later) {
          spi(at, 8, at);
        }
      }
      default -> out.append("PROTO=").append(protocol).append(' ');
    }
    if (outer && (flags & UID) != 0 && skb.sk instanceof SocketOwner owner) {
      out.append("UID=").append(Integer.toUnsignedString(owner.uid()));
      out.append(" GID=").append(Integer.toUnsignedString(owner.gid())).append(' ');
    }
    if (outer && skb.mark != 0) {
      out.append("MARK=0x").append(Integer.toHexString(skb.mark)).append(' ');
    }
  }

  private void spi(int at, int length, int spi) {
    if (skb.tail - at < length) {
      incomplete(at);
    } else {
      out.append("SPI=0x").append(Integer.toHexString(skb.u32(spi))).append(' ');
    }
  }

  private void options(int from, int to) {
    out.append("OPT (");
    out.append(HexFormat.of().withUpperCase().formatHex(skb.head, from, to)).append(") ");
  }

  private void incomplete(int at) {
    out.append("INCOMPLETE [").append(Integer.toUnsignedString(skb.tail - at)).append(" bytes] ");
  }

  /** False when nothing more is to be written about the packet. */
  private boolean tcp(int at, boolean later) {
    out.append("PROTO=TCP ");
    if (later) {
      return true;
    }
    if (skb.tail - at < TcpHeader.MIN_LENGTH) {
      incomplete(at);
      return false;
    }
    out.append("SPT=").append(skb.u16(at)).append(" DPT=").append(skb.u16(at + 2)).append(' ');
    if ((flags & TCP_SEQUENCE) != 0) {
      out.append("SEQ=").append(Integer.toUnsignedString(skb.u32(at + TcpHeader.SEQUENCE_OFFSET)));
      out.append(" ACK=").append(Integer.toUnsignedString(skb.u32(at + TcpHeader.ACK_OFFSET)));
      out.append(' ');
    }
    out.append("WINDOW=").append(skb.u16(at + TcpHeader.WINDOW_OFFSET));
    // The four reserved bits, as the kernel shifts them out of the flag word.
    int reserved = (skb.u8(at + TcpHeader.DATA_OFFSET) & 15) << 2;
    out.append(String.format(Locale.ROOT, " RES=0x%02x ", reserved));
    int set = TcpHeader.flags(skb, at);
    String[] names = {"CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"};
    for (int i = 0; i < names.length; i++) {
      if ((set & 0x80 >>> i) != 0) {
        out.append(names[i]).append(' ');
      }
    }
    out.append("URGP=").append(skb.u16(at + TcpHeader.URGENT_OFFSET)).append(' ');
    int length = TcpHeader.headerLength(skb, at);
    if ((flags & TCP_OPTIONS) != 0 && length > TcpHeader.MIN_LENGTH) {
      if (skb.tail - at < length) {
        out.append("OPT (TRUNCATED)");
        return false;
      }
      options(at + TcpHeader.MIN_LENGTH, at + length);
    }
    return true;
  }

  private void icmp(int at, boolean later, boolean outer) {
    out.append("PROTO=ICMP ");
    if (later) {
      return;
    }
    if (skb.tail - at < IcmpHeader.LENGTH) {
      incomplete(at);
      return;
    }
    int type = skb.u8(at);
    int code = skb.u8(at + 1);
    out.append("TYPE=").append(type).append(" CODE=").append(code).append(' ');
    int needed =
        switch (type) {
          case IcmpHeader.TIMESTAMP, IcmpHeader.TIMESTAMP_REPLY -> 20;
          case IcmpHeader.ADDRESS, IcmpHeader.ADDRESS_REPLY -> 12;
          default -> IcmpHeader.isError(type) ? IcmpHeader.LENGTH + IpHeader.MIN_LENGTH : 0;
        };
    if (skb.tail - at < needed) {
      incomplete(at);
      return;
    }
    switch (type) {
      case IcmpHeader.ECHO, IcmpHeader.ECHO_REPLY -> {
        out.append("ID=").append(skb.u16(at + IcmpHeader.ID_OFFSET));
        out.append(" SEQ=").append(skb.u16(at + IcmpHeader.SEQUENCE_OFFSET)).append(' ');
      }
      case IcmpHeader.PARAMETER_PROBLEM ->
          out.append("PARAMETER=").append(skb.u8(at + IcmpHeader.ID_OFFSET)).append(' ');
      case IcmpHeader.REDIRECT,
          IcmpHeader.DEST_UNREACH,
          IcmpHeader.SOURCE_QUENCH,
          IcmpHeader.TIME_EXCEEDED -> {
        if (type == IcmpHeader.REDIRECT) {
          out.append("GATEWAY=").append(Ip4.format(skb.u32(at + IcmpHeader.ID_OFFSET))).append(' ');
        }
        if (outer) {
          out.append('[');
          ip(at + IcmpHeader.LENGTH, false);
          out.append("] ");
        }
        if (type == IcmpHeader.DEST_UNREACH && code == FRAGMENTATION_NEEDED) {
          out.append("MTU=").append(skb.u16(at + IcmpHeader.SEQUENCE_OFFSET)).append(' ');
        }
      }
      default -> {}
    }
  }
}
