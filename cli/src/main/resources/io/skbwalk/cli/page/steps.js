// SPDX-License-Identifier: Apache-2.0
// The events of a walk (docs/walk.schema.json) as the steps that a person takes one by one: where
// each stands in the diagram, and what the packet's headers and its connection are after it.

const PLACES = {
  ip_rcv: ['in', 'ip_rcv'],
  ip_rcv_options: ['in', 'ip_rcv'],
  ip_rcv_finish: ['route'],
  ip_forward: ['route'],
  vlan_do_receive: ['in', 'softirq'],
  __netif_receive_skb_core: ['in', 'softirq'],
  ip_defrag: ['route'],
  ip_finish_output2: ['out', 'neighbour'],
  ip_do_fragment: ['out', 'neighbour'],
  neigh_resolve_output: ['out', 'neighbour'],
  packet_snd: ['out', 'transmit'],
  loopback_xmit: ['out', 'transmit'],
  icmp_rcv: ['local', 'icmp'],
  ip_route_output_flow: ['routeOut'],
  ip_route_me_harder: ['routeOut'],
  __ip_local_out: ['routeOut'],
};

/** Hook functions that have no row of their own stand with the one whose priority they share. */
const ROWS = {helper: 'confirm', 'nat helper': 'confirm', seqadj: 'confirm', synproxy: 'confirm'};

const TCP_STATES = ['SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'FIN_WAIT', 'CLOSE_WAIT', 'LAST_ACK',
  'TIME_WAIT', 'CLOSE'];

/** What the fields of a packet were called in its summary: "TCP a:p > b:q [S] 60 bytes". */
function fieldsOfSummary(summary) {
  const parts = /^(\S+).*? ?(\d[\d.]*(?::\d+)?) > (\d[\d.]*(?::\d+)?)/.exec(summary);
  return parts ? new Map([['protocol', parts[1].toLowerCase()], ['source', parts[2]],
    ['destination', parts[3]]]) : new Map();
}

/** The header fields of an Ethernet frame in hexadecimal; of a damaged one those that are there. */
function fieldsOfFrame(hex) {
  const bytes = (hex.match(/../g) || []).map((pair) => parseInt(pair, 16));
  const u16 = (at) => bytes[at] << 8 | bytes[at + 1];
  const hex16 = (at) => '0x' + u16(at).toString(16).padStart(4, '0');
  const mac = (at) => bytes.slice(at, at + 6).map((b) => b.toString(16).padStart(2, '0')).join(':');
  const fields = new Map();
  if (bytes.length < 14) {
    return fields;
  }
  let at = 12;
  while ((u16(at) === 0x8100 || u16(at) === 0x88a8) && at + 6 <= bytes.length) {
    fields.set('vlan', String(u16(at + 2) & 0xfff));
    at += 4;
  }
  if (u16(at) !== 0x0800 || at + 22 > bytes.length) {
    fields.set('ethernet source', mac(6));
    fields.set('ethernet destination', mac(0));
    fields.set('ethernet type', hex16(at));
    return fields;
  }
  const ip = at + 2;
  const protocol = bytes[ip + 9];
  const names = {1: 'icmp', 6: 'tcp', 17: 'udp'};
  const transport = ip + (bytes[ip] & 15) * 4;
  const later = (u16(ip + 6) & 0x1fff) !== 0;
  const ports = !later && (protocol === 6 || protocol === 17) && transport + 4 <= bytes.length;
  const end = (from, port) =>
    bytes.slice(from, from + 4).join('.') + (ports ? ':' + u16(port) : '');
  fields.set('source', end(ip + 12, transport));
  fields.set('destination', end(ip + 16, transport + 2));
  fields.set('protocol', names[protocol] || String(protocol));
  if (protocol === 6 && !later && transport + 20 <= bytes.length) {
    const flags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'];
    fields.set('flags', flags.filter((name, bit) => bytes[transport + 13] >> bit & 1).join(' ')
        || 'none');
    fields.set('window', String(u16(transport + 14)));
  } else if (protocol === 1 && !later && transport + 2 <= bytes.length) {
    fields.set('icmp type', bytes[transport] + ', code ' + bytes[transport + 1]);
  }
  fields.set('ttl', String(bytes[ip + 8]));
  fields.set('tos', '0x' + bytes[ip + 1].toString(16).padStart(2, '0'));
  fields.set('id', String(u16(ip + 4)));
  const part = u16(ip + 6);
  if (part & 0x3fff) {
    fields.set('fragment', 'offset ' + (part & 0x1fff) * 8 + (part & 0x2000 ? ', more follow' : ''));
  }
  fields.set('length', String(u16(ip + 2)));
  return fields;
}

/** The steps of one walk, in order. */
function stepsOf(walk, frame) {
  const steps = [];
  const levels = [{hook: null, table: null, place: null,
    fields: frame ? fieldsOfFrame(frame) : fieldsOfSummary(walk.steps[0].summary || '')}];
  let connection = [];

  function add(event, label, text, place, more) {
    const level = levels[levels.length - 1];
    const at = place || level.place;
    level.place = at;
    const step = Object.assign({
      number: steps.length,
      event,
      depth: levels.length - 1,
      hook: level.hook,
      table: level.table,
      label,
      text,
      node: at ? at[0] : null,
      row: at && at[1] ? at[1] : null,
      notes: [],
      changes: [],
      before: level.fields,
      after: level.fields,
      connection,
    }, more);
    steps.push(step);
    return step;
  }

  function change(step, field, before, after) {
    const level = levels[levels.length - 1];
    if (step.after === level.fields) {
      level.fields = new Map(level.fields);
      step.after = level.fields;
    }
    if (!step.before.has(field)) {
      step.before = new Map(step.before).set(field, before);
    }
    level.fields.set(field, after);
    step.changes.push({field, before, after});
  }

  function leaveMade() {
    if (levels.length > 1) {
      levels.pop();
    }
  }

  for (const event of walk.steps) {
    const level = levels[levels.length - 1];
    const last = steps[steps.length - 1];
    const inHook = level.hook ? [level.hook, level.table || ROWS[event.name] || event.name] : null;
    switch (event.type) {
      case 'frame':
        add(event, event.outgoing ? 'sent by the host' : 'frame', event.summary,
            !event.outgoing ? ['in', 'nic']
              : /^ARP\b/.test(event.summary) ? ['arp', 'arp'] : ['local', 'sockets']);
        break;
      case 'initCall':
        add(event, 'initcall ' + event.level, event.function + ': ' + event.text, null);
        break;
      case 'nic':
        add(event, 'nic', event.text, ['in', 'nic']);
        break;
      case 'hardIrq':
        add(event, 'hard irq', event.text, ['in', 'hard irq']);
        break;
      case 'softIrq':
        add(event, 'softirq', event.text, ['in', 'softirq']);
        break;
      case 'hookEnter':
        level.hook = event.hook;
        break;
      case 'hookLeave':
        level.hook = null;
        level.table = null;
        break;
      case 'tableEnter':
        level.table = event.table;
        level.rules = event.rules;
        break;
      case 'tableLeave':
        level.table = null;
        break;
      case 'hookStep': {
        const fact = {name: event.name, text: event.text};
        connection = connection.filter((one) => one.name !== fact.name).concat([fact]);
        add(event, event.name, event.text, inHook);
        break;
      }
      case 'ruleMatched':
        add(event, event.table, event.chain + ' rule ' + event.number, inHook,
            {rule: event.rule || '(matches everything)', source: event.source, held: true});
        break;
      case 'ruleMissed':
        add(event, event.table, event.chain + ' rule ' + event.number, inHook,
            {rule: event.rule, source: event.source, held: false, reason: event.reason});
        break;
      case 'policy':
        add(event, event.table, event.chain + ' policy ' + event.policy
            + (level.rules === 0 ? ' (no rules)' : ''), inHook, {policy: event.policy});
        break;
      case 'detail':
        if (last) {
          last.notes.push(event.text);
        }
        break;
      case 'changed':
        // A connection's later packets are translated without a word from the nat table.
        change(level.hook && !level.table && last.event.type !== 'hookStep'
          ? add(event, 'nat', event.field + ' ' + event.before + ' -> ' + event.after,
              [level.hook, 'nat'])
          : last, event.field, event.before, event.after);
        break;
      case 'log':
        add(event, level.table || 'log', 'log: ' + event.line, inHook);
        break;
      case 'route':
        add(event, event.function, event.result + ': ' + event.text,
            PLACES[event.function] || (level.hook ? inHook : ['routeOut']), {routed: event.result});
        break;
      case 'socket':
        add(event, event.function, event.socket + ': ' + event.text, ['local', 'sockets']);
        break;
      case 'made':
        add(event, event.function, 'makes ' + event.summary, null);
        levels.push({hook: null, table: null, made: true, fields: fieldsOfSummary(event.summary),
          place: event.function.startsWith('arp') ? ['arp', 'arp'] : ['local', 'icmp']});
        break;
      case 'sent':
        add(event, 'transmit', event.device + ' #' + event.index + ': ' + event.summary,
            ['out', 'transmit']);
        leaveMade();
        break;
      case 'withheld':
        add(event, event.function, "held back: the machine's own answers are in the capture",
            event.function === 'arp_xmit' ? ['arp', 'arp'] : null);
        leaveMade();
        break;
      case 'dropped':
        add(event, event.function, 'dropped, ' + event.reason, null, {dropped: true});
        leaveMade();
        break;
      default: {
        const name = event.function || event.type;
        const step = add(event, name, event.text || '', level.hook ? inHook
            : PLACES[name] || (name.startsWith('arp') ? ['arp', 'arp'] : null));
        const ttl = /\bttl (\d+) -> (\d+)/.exec(event.text || '');
        if (ttl) {
          change(step, 'ttl', ttl[1], ttl[2]);
        }
      }
    }
  }
  return steps;
}

/** A step in one line, as it is spoken. */
function inWords(step) {
  const where = step.hook ? step.hook + ', ' : '';
  if (step.held === undefined) {
    return where + step.label + ': ' + step.text;
  }
  return where + step.label + ' ' + step.text
      + (step.held ? ' matched: ' + step.rule : ' did not match: ' + step.reason);
}
