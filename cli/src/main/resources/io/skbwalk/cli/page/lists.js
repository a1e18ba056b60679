// SPDX-License-Identifier: Apache-2.0
// Flows, rules with their hits, and drops: what the packets come to.

/** "TCP a:p > b:q" of a summary, with its ends in one order for both directions; null for others. */
function flowOf(packet) {
  const parts = /^(\S+).*? ?(\d+\.\d+\.\d+\.\d+(?::\d+)?) > (\d+\.\d+\.\d+\.\d+(?::\d+)?)/
      .exec(packet.summary);
  if (!parts) {
    return null;
  }
  const [, protocol, from, to] = parts;
  return {key: protocol + ' ' + [from, to].sort().join(' '), protocol, from, to};
}

/** The flows of packets in the order of their beginning. */
function flowsOf(packets) {
  const flows = new Map();
  for (const packet of packets) {
    const ends = flowOf(packet);
    if (!ends) {
      continue;
    }
    let flow = flows.get(ends.key);
    if (!flow) {
      flow = Object.assign(ends, {packets: 0, bytes: 0, fates: {}});
      flows.set(ends.key, flow);
    }
    flow.packets++;
    flow.bytes += packet.length;
    const {fate} = packet.outcome;
    flow.fates[fate] = (flow.fates[fate] || 0) + 1;
  }
  return [...flows.values()];
}

function fateCounts(fates) {
  return Object.keys(FATES).filter((fate) => fates[fate]).map((fate) =>
    make('span', {class: 'fate ' + fate}, make('span', {'aria-hidden': 'true'}, FATES[fate] + ' '),
        fates[fate].toLocaleString('en') + ' ' + fate));
}

/** Rules that a browser still shows with ease. */
const MOST_RULES = 1000;

/** Rules by table and chain, as they are tried, each with the packets that it counted. */
function rulesTable(all, choose) {
  if (all.length === 0) {
    return [make('p', {class: 'none'}, 'No rules are loaded.')];
  }
  const rules = all.length > MOST_RULES ? all.filter((rule) => rule.packets) : all;
  const most = Math.max(1, ...rules.map((rule) => rule.packets));
  const chains = new Map();
  for (const rule of rules) {
    const name = rule.table + ' ' + rule.chain;
    chains.set(name, (chains.get(name) || []).concat([rule]));
  }
  const parts = rules.length === all.length ? [] : [make('p', {class: 'quiet'},
      'Those with hits: ' + rules.length.toLocaleString('en') + ' of ' + counted(all.length, 'rule'))];
  for (const [name, some] of chains) {
    parts.push(make('h2', {}, name), make('ol', {class: 'rules'}, ...some.map((rule) => {
      const bar = make('span', {class: 'bar', 'aria-hidden': 'true'});
      bar.style.width = 100 * rule.packets / most + '%';
      const button = make('button', {type: 'button', class: rule.packets ? '' : 'unhit',
        onclick: () => choose(rule)},
      make('code', {}, rule.text || '(matches everything)'), bar,
      make('span', {class: 'hits'}, rule.packets ? counted(rule.packets, 'hit') : 'no hit'),
      make('span', {class: 'source'}, rule.source));
      return make('li', {value: rule.number || null, class: rule.number ? '' : 'policy'}, button);
    })));
  }
  return parts;
}

/** A bar for each pair of reason and function, the most frequent first, and who decided on it. */
function dropsChart(dropped, packets, rules, choose) {
  if (dropped.length === 0) {
    return [make('p', {class: 'none'}, 'No frame was dropped.')];
  }
  const most = Math.max(...dropped.map((drop) => drop.packets));
  const keyOf = (one) => one.reason + ' ' + one.at;
  const deciders = new Map();
  for (const {outcome} of packets) {
    if (outcome.fate === 'dropped' && outcome.verdict) {
      const counts = deciders.get(keyOf(outcome)) || new Map();
      deciders.set(keyOf(outcome), counts);
      const label = decider(outcome);
      counts.set(label, (counts.get(label) || 0) + 1);
    }
  }
  const texts = new Map(rules.filter((rule) => rule.number).map((rule) =>
    [rule.table + '/' + rule.chain + '#' + rule.number, rule.text]));
  return [make('h2', {}, 'Frames dropped, by reason'),
    make('ul', {class: 'chart'}, ...dropped.map((drop) => {
      const bar = make('span', {class: 'bar', 'aria-hidden': 'true'});
      bar.style.width = Math.max(1, 100 * drop.packets / most) + '%';
      const by = [...(deciders.get(keyOf(drop)) || [])].sort((a, b) => b[1] - a[1]);
      return make('li', {}, make('button', {type: 'button', onclick: () => choose(drop, null)},
          make('span', {class: 'reason'}, drop.reason),
          make('span', {class: 'hits'}, counted(drop.packets, 'frame')),
          make('span', {class: 'source'}, 'in ' + drop.at), bar),
      by.length === 0 ? null : make('ul', {class: 'parts'}, ...by.map(([label, count]) => {
        const part = make('span', {class: 'bar', 'aria-hidden': 'true'});
        part.style.width = Math.max(1, 100 * count / most) + '%';
        return make('li', {}, make('button', {type: 'button', onclick: () => choose(drop, label)},
            make('span', {class: 'hits'}, counted(count, 'frame')), ' by ',
            make('code', {}, label), ' ',
            make('code', {class: 'quiet'}, texts.get(label) || ''), part));
      })));
    }))];
}

/** The rule or policy that decided, as packets.jsonl names rules; empty when none did. */
function decider(outcome) {
  const {verdict} = outcome;
  return !verdict ? '' : verdict.table + '/' + verdict.chain
      + (verdict.rule ? '#' + verdict.rule : ' policy');
}

/** Packets whose end is another one than under the rules as written, by both fates. */
function changesOf(packets, written) {
  const changes = new Map();
  for (const packet of packets) {
    const before = written.get(packet.n);
    if (before && differ(before, packet.outcome)) {
      const key = before.fate + ' ' + packet.outcome.fate;
      const change = changes.get(key)
          || {before: before.fate, after: packet.outcome.fate, packets: 0};
      change.packets++;
      changes.set(key, change);
    }
  }
  return [...changes.values()].sort((a, b) => b.packets - a.packets);
}
