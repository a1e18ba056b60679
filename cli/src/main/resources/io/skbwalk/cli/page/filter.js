// SPDX-License-Identifier: Apache-2.0
// The common expressions of tcpdump, asked of a frame's beginning: pcap-filter(7) says what they mean.

const ETHER_TYPES = {ip: 0x0800, arp: 0x0806, rarp: 0x8035, ip6: 0x86dd};
const IP_PROTOCOLS = {icmp: 1, igmp: 2, tcp: 6, udp: 17, esp: 50, ah: 51, sctp: 132};
const PORT_PROTOCOLS = ['tcp', 'udp', 'sctp'];
const SERVICES = {ftp: 21, ssh: 22, telnet: 23, smtp: 25, domain: 53, bootps: 67, bootpc: 68, tftp: 69,
  http: 80, pop3: 110, ntp: 123, snmp: 161, https: 443, syslog: 514};

/** What stands for a number between brackets, and behind them. */
const OFFSETS = {tcpflags: 13, icmptype: 0, icmpcode: 1};
const VALUES = {'tcp-fin': 1, 'tcp-syn': 2, 'tcp-rst': 4, 'tcp-push': 8, 'tcp-ack': 16, 'tcp-urg': 32,
  'icmp-echoreply': 0, 'icmp-unreach': 3, 'icmp-redirect': 5, 'icmp-echo': 8, 'icmp-timxceed': 11};
const COMPARE = {
  '=': (a, b) => a === b, '==': (a, b) => a === b, '!=': (a, b) => a !== b,
  '<': (a, b) => a < b, '>': (a, b) => a > b, '<=': (a, b) => a <= b, '>=': (a, b) => a >= b};

/** Thrown where a text is no expression that is known here. */
const NO_EXPRESSION = {};

/** Thrown where a frame ends before what is asked: no expression takes it. */
const TOO_SHORT = {};

/** {bytes, length} of a frame whose beginning is there in hexadecimal. */
function frameOf(hex, length) {
  return {bytes: (hex.match(/../g) || []).map((pair) => parseInt(pair, 16)), length};
}

/** Does the expression take a frame? Null when {@code text} is none of those known here. */
function takesExpression(text) {
  let takes;
  try {
    takes = new Expression(text).whole();
  } catch (e) {
    if (e === NO_EXPRESSION) {
      return null;
    }
    throw e;
  }
  return (frame) => {
    try {
      return takes(frame);
    } catch (e) {
      if (e === TOO_SHORT) {
        return false;
      }
      throw e;
    }
  };
}

function bytesAt(frame, at, size) {
  if (at + size > frame.bytes.length) {
    throw TOO_SHORT;
  }
  let value = 0;
  for (let i = 0; i < size; i++) {
    value = value * 256 + frame.bytes[at + i];
  }
  return value;
}

/** An expression as it is read, from the left; "and" and "or" bind alike. */
class Expression {
  constructor(text) {
    this.rest = text.trim();
    /** Bytes of VLAN tags that have been asked for. */
    this.tags = 0;
    /** Of the last address or port, which the next one may leave out. */
    this.qualifiers = null;
  }

  whole() {
    const takes = this.expression();
    return this.rest === '' ? takes : this.fail();
  }

  fail() {
    throw NO_EXPRESSION;
  }

  /** Takes what the pattern, anchored, finds next; null when it finds nothing. */
  next(pattern) {
    const found = pattern.exec(this.rest);
    if (found) {
      this.rest = this.rest.slice(found[0].length).trimStart();
    }
    return found;
  }

  expression() {
    let left = this.term(false);
    for (;;) {
      const both = this.next(/^(and\b|&&)/i);
      if (!both && !this.next(/^(or\b|\|\|)/i)) {
        return left;
      }
      const [a, b] = [left, this.term(true)];
      left = both ? (frame) => a(frame) && b(frame) : (frame) => a(frame) || b(frame);
    }
  }

  /** {@code behind}: another stands before it, whose qualifiers may be meant. */
  term(behind) {
    if (this.next(/^(not\b|!)/i)) {
      const takes = this.term(behind);
      return (frame) => !takes(frame);
    }
    if (this.next(/^\(/)) {
      const takes = this.expression();
      return this.next(/^\)/) ? takes : this.fail();
    }
    return this.bytes() || this.length() || this.vlan() || this.qualified(behind);
  }

  // ---- what has no address ----------------------------------------------------------------------

  /** tcp[tcpflags] & tcp-syn != 0 and the like; null when it is none. */
  bytes() {
    const found = this.next(new RegExp('^(ether|ip|arp|tcp|udp|icmp)\\s*\\[\\s*([\\w-]+)\\s*(?::\\s*([124]))?\\s*\\]'
        + '\\s*(?:&\\s*(\\([^)]*\\)|[\\w-]+)\\s*)?(==|=|!=|<=|>=|<|>)\\s*([\\w-]+)', 'i'));
    if (!found) {
      return null;
    }
    const [, protocol, offset, size, mask, sign, value] = found;
    const at = this.number(offset, OFFSETS);
    const bits = !mask ? null : mask.replace(/[()]/g, '').split('|')
        .reduce((all, one) => all | this.number(one.trim(), VALUES), 0) >>> 0;
    const wanted = this.number(value, VALUES);
    const begin = this.beginOf(protocol.toLowerCase());
    return (frame) => {
      const from = begin(frame);
      if (from < 0) {
        return false;
      }
      const found = bytesAt(frame, from + at, Number(size || 1));
      return COMPARE[sign](bits === null ? found : (found & bits) >>> 0, wanted);
    };
  }

  number(text, names) {
    const name = text.toLowerCase();
    return name in names ? names[name] : /^(0x[\da-f]+|\d+)$/.test(name) ? Number(name) : this.fail();
  }

  /** Where the header of a protocol begins; -1 in frames that have none. */
  beginOf(protocol) {
    const network = 14 + this.tags;
    if (protocol === 'ether') {
      return () => 0;
    }
    if (protocol in ETHER_TYPES) {
      const is = this.ofType(ETHER_TYPES[protocol]);
      return (frame) => is(frame) ? network : -1;
    }
    const ip = this.ofType(ETHER_TYPES.ip);
    return (frame) => ip(frame) && bytesAt(frame, network + 9, 1) === IP_PROTOCOLS[protocol]
        && (bytesAt(frame, network + 6, 2) & 0x1fff) === 0
      ? network + (bytesAt(frame, network, 1) & 15) * 4 : -1;
  }

  length() {
    const found = this.next(/^(less|greater)\s+(\d+)\b/i);
    if (!found) {
      return null;
    }
    const most = found[1].toLowerCase() === 'less';
    const length = Number(found[2]);
    return (frame) => most ? frame.length <= length : frame.length >= length;
  }

  /** A tag; what is asked behind it is asked behind the tag. */
  vlan() {
    const found = this.next(/^vlan\b\s*(\d+\b)?/i);
    if (!found) {
      return null;
    }
    const at = 12 + this.tags;
    this.tags += 4;
    return (frame) => [0x8100, 0x88a8, 0x9100].includes(bytesAt(frame, at, 2))
        && (found[1] === undefined || (bytesAt(frame, at + 2, 2) & 0xfff) === Number(found[1]));
  }

  ofType(type) {
    const at = 12 + this.tags;
    return (frame) => bytesAt(frame, at, 2) === type;
  }

  /** IPv4 of that protocol, or IPv6 where that is usual. */
  ofProtocol(number, alsoIp6) {
    const network = 14 + this.tags;
    const ip = this.ofType(ETHER_TYPES.ip);
    const ip6 = this.ofType(ETHER_TYPES.ip6);
    return (frame) => {
      if (ip(frame)) {
        return bytesAt(frame, network + 9, 1) === number;
      }
      if (!alsoIp6 || !ip6(frame)) {
        return false;
      }
      const next = bytesAt(frame, network + 6, 1);
      return next === number || next === 44 && bytesAt(frame, network + 40, 1) === number;
    };
  }

  // ---- [protocol] [direction] [kind] what -------------------------------------------------------

  qualified(behind) {
    const word = (names) => {
      const found = this.next(new RegExp('^(' + names + ')(?![\\w.:/-])', 'i'));
      return found ? found[1].toLowerCase() : null;
    };
    const protocol = word('ether|' + Object.keys(ETHER_TYPES).join('|') + '|'
        + Object.keys(IP_PROTOCOLS).join('|'));
    if (word('broadcast')) {
      return !protocol || protocol === 'ether'
        ? (frame) => bytesAt(frame, 0, 4) === 0xffffffff && bytesAt(frame, 4, 2) === 0xffff : this.fail();
    }
    if (word('multicast')) {
      return this.multicast(protocol);
    }
    const ways = this.next(/^(src|dst)\s+(or|and)\s+(src|dst)(?![\w.:/-])/i);
    const direction = ways ? ways[2].toLowerCase() : word('src|dst');
    const kind = word('host|net|portrange|port|proto');
    if (protocol && !direction && !kind) {
      return this.alone(protocol);
    }
    if (!direction && !kind) {
      return behind && this.qualifiers ? this.one(this.qualifiers) : this.fail();
    }
    this.qualifiers = {protocol, direction, kind: kind || 'host'};
    return this.one(this.qualifiers);
  }

  alone(protocol) {
    this.qualifiers = null;
    if (protocol in ETHER_TYPES) {
      return this.ofType(ETHER_TYPES[protocol]);
    }
    return protocol === 'ether' ? this.fail()
      : this.ofProtocol(IP_PROTOCOLS[protocol], !['icmp', 'igmp'].includes(protocol));
  }

  multicast(protocol) {
    if (!protocol || protocol === 'ether') {
      return (frame) => (bytesAt(frame, 0, 1) & 1) === 1;
    }
    const ip = this.ofType(ETHER_TYPES.ip);
    const at = 30 + this.tags;
    return protocol === 'ip' ? (frame) => ip(frame) && bytesAt(frame, at, 1) >= 224 : this.fail();
  }

  one({protocol, direction, kind}) {
    const [text] = this.next(/^[^\s()|&!]+/) || this.fail();
    if (kind === 'proto') {
      // Names of protocols are words of the language, unless a backslash says that they are not.
      return direction || /^[a-z]/i.test(text) ? this.fail()
        : this.protocolNumber(protocol, text.replace('\\', ''));
    }
    if (kind === 'port' || kind === 'portrange') {
      return this.port(protocol, direction, kind, text);
    }
    if (protocol === 'ether') {
      return kind === 'host' ? this.mac(direction, text) : this.fail();
    }
    return this.address(protocol, direction, kind, text);
  }

  protocolNumber(protocol, text) {
    const ether = protocol === 'ether';
    const number = this.number(text, ether ? ETHER_TYPES : IP_PROTOCOLS);
    return ether ? this.ofType(number)
      : !protocol || protocol === 'ip' ? this.ofProtocol(number, !protocol) : this.fail();
  }

  /** Either end, or the one that is asked for. */
  ends(direction, source, destination) {
    return {
      src: source,
      dst: destination,
      and: (frame) => source(frame) && destination(frame),
    }[direction] || ((frame) => source(frame) || destination(frame));
  }

  port(protocol, direction, kind, text) {
    const [first, last] = kind === 'port' ? [text, text] : text.split('-');
    const low = this.number(first, SERVICES);
    const high = this.number(last === undefined ? first : last, SERVICES);
    if (protocol && !PORT_PROTOCOLS.includes(protocol) || high > 65535) {
      this.fail();
    }
    const some = (protocol ? [protocol] : PORT_PROTOCOLS).map((name) => IP_PROTOCOLS[name]);
    const network = 14 + this.tags;
    const ip = this.ofType(ETHER_TYPES.ip);
    const ip6 = this.ofType(ETHER_TYPES.ip6);
    const transport = (frame) => {
      if (ip(frame)) {
        return some.includes(bytesAt(frame, network + 9, 1)) && (bytesAt(frame, network + 6, 2) & 0x1fff) === 0
          ? network + (bytesAt(frame, network, 1) & 15) * 4 : -1;
      }
      return ip6(frame) && some.includes(bytesAt(frame, network + 6, 1)) ? network + 40 : -1;
    };
    const end = (by) => (frame) => {
      const at = transport(frame);
      const port = at < 0 ? -1 : bytesAt(frame, at + by, 2);
      return port >= low && port <= high;
    };
    return this.ends(direction, end(0), end(2));
  }

  mac(direction, text) {
    const bytes = /^[\da-f]{1,2}(:[\da-f]{1,2}){5}$/i.test(text)
      ? text.split(':').map((one) => parseInt(one, 16)) : this.fail();
    const end = (from) => (frame) => bytes.every((byte, i) => bytesAt(frame, from + i, 1) === byte);
    return this.ends(direction, end(6), end(0));
  }

  address(protocol, direction, kind, text) {
    const found = /^(\d{1,3}(?:\.\d{1,3}){0,3})(?:\/(\d{1,2}))?$/.exec(text) || this.fail();
    const octets = found[1].split('.').map(Number);
    if (octets.some((octet) => octet > 255)
        || kind === 'host' && (octets.length < 4 || found[2] !== undefined)) {
      this.fail();
    }
    const written = kind === 'net' ? this.next(/^mask\s+(\d+\.\d+\.\d+\.\d+)(?![\w.])/i) : null;
    const length = found[2] === undefined ? octets.length * 8 : Number(found[2]);
    const number = (parts) => [0, 1, 2, 3].reduce((all, i) => all * 256 + (parts[i] || 0), 0);
    const mask = written ? number(written[1].split('.').map(Number))
      : length === 0 ? 0 : -1 << 32 - length >>> 0;
    const network = number(octets);
    if (length > 32 || (network & ~mask) !== 0) {
      this.fail();
    }
    const has = (at) => (frame) => (bytesAt(frame, at, 4) & mask) >>> 0 === network;
    const begin = 14 + this.tags;
    const inIp = this.ends(direction, has(begin + 12), has(begin + 16));
    const inArp = this.ends(direction, has(begin + 14), has(begin + 24));
    const ip = this.ofType(ETHER_TYPES.ip);
    const arp = this.ofType(ETHER_TYPES.arp);
    const rarp = this.ofType(ETHER_TYPES.rarp);
    return {
      ip: (frame) => ip(frame) && inIp(frame),
      arp: (frame) => arp(frame) && inArp(frame),
      rarp: (frame) => rarp(frame) && inArp(frame),
      null: (frame) => ip(frame) ? inIp(frame) : (arp(frame) || rarp(frame)) && inArp(frame),
    }[protocol] || this.fail();
  }
}
