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
    flow.fates[packet.fate] = (flow.fates[packet.fate] || 0) + 1;
  }
  return [...flows.values()];
}

function fateCounts(fates) {
  return Object.keys(FATES).filter((fate) => fates[fate]).map((fate) =>
    make('span', {class: 'fate ' + fate}, make('span', {'aria-hidden': 'true'}, FATES[fate] + ' '),
        fates[fate].toLocaleString('en') + ' ' + fate));
}

/** Rules by table and chain, as they are tried, each with the packets that it counted. */
function rulesTable(rules, choose) {
  if (rules.length === 0) {
    return [make('p', {class: 'none'}, 'No rules are loaded.')];
  }
  const most = Math.max(1, ...rules.map((rule) => rule.packets));
  const chains = new Map();
  for (const rule of rules) {
    const name = rule.table + ' ' + rule.chain;
    chains.set(name, (chains.get(name) || []).concat([rule]));
  }
  const parts = [];
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

/** A bar for each pair of reason and function, the most frequent first. */
function dropsChart(dropped, choose) {
  if (dropped.length === 0) {
    return [make('p', {class: 'none'}, 'No frame was dropped.')];
  }
  const most = Math.max(...dropped.map((drop) => drop.packets));
  return [make('h2', {}, 'Frames dropped, by reason'),
    make('ul', {class: 'chart'}, ...dropped.map((drop) => {
      const bar = make('span', {class: 'bar', 'aria-hidden': 'true'});
      bar.style.width = Math.max(1, 100 * drop.packets / most) + '%';
      return make('li', {}, make('button', {type: 'button', onclick: () => choose(drop)},
          make('span', {class: 'reason'}, drop.reason),
          make('span', {class: 'hits'}, counted(drop.packets, 'frame')),
          make('span', {class: 'source'}, 'in ' + drop.at), bar));
    }))];
}
