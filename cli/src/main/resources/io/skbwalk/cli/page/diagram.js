// SPDX-License-Identifier: Apache-2.0
// The packet path as one picture, lying on a wide screen and standing on a narrow one.

const HEAD = 25;
const ROW = 19;

/** The places of the path; wide and tall are x, y and width in either layout. */
const NODES = {
  in: {title: 'driver', rows: ['nic', 'hard irq', 'softirq', 'ip_rcv'], kind: 'device',
    wide: [8, 200, 112], tall: [6, 6, 112]},
  arp: {title: 'ARP', rows: ['arp'], words: {arp: 'neighbours'}, kind: 'local',
    wide: [8, 84, 112], tall: [6, 168, 112]},
  PRE_ROUTING: {title: 'PREROUTING', rows: ['defrag', 'raw', 'conntrack', 'mangle', 'nat'],
    kind: 'hook', wide: [152, 200, 118], tall: [136, 6, 112]},
  route: {title: 'routing', rows: ['decision'], kind: 'route',
    wide: [302, 200, 112], tall: [266, 6, 108]},
  LOCAL_IN: {title: 'INPUT', rows: ['mangle', 'filter', 'security', 'nat', 'confirm'], kind: 'hook',
    wide: [302, 6, 112], tall: [136, 168, 112]},
  local: {title: 'this machine', rows: ['sockets', 'icmp'], words: {icmp: 'ICMP, resets'},
    kind: 'local', wide: [446, 6, 118], tall: [136, 330, 112]},
  routeOut: {title: 'routing', rows: ['decision'], kind: 'route',
    wide: [596, 6, 104], tall: [6, 330, 112]},
  LOCAL_OUT: {title: 'OUTPUT',
    rows: ['defrag', 'raw', 'conntrack', 'mangle', 'nat', 'filter', 'security'], kind: 'hook',
    wide: [732, 6, 118], tall: [6, 430, 112]},
  FORWARD: {title: 'FORWARD', rows: ['mangle', 'filter', 'security'], kind: 'hook',
    wide: [446, 200, 118], tall: [266, 168, 108]},
  POST_ROUTING: {title: 'POSTROUTING', rows: ['mangle', 'nat', 'confirm'], kind: 'hook',
    wide: [732, 200, 118], tall: [136, 430, 112]},
  out: {title: 'driver', rows: ['neighbour', 'transmit'], kind: 'device',
    wide: [880, 200, 112], tall: [266, 430, 108]},
};

/** Ways between them, with the sides that they leave and enter in the wide and the tall layout. */
const EDGES = [
  ['in', 'PRE_ROUTING', 'RL', 'RL'],
  ['in', 'arp', 'TB', 'BT'],
  // Past all hooks.
  ['arp', 'out', 'LB', 'LB'],
  ['PRE_ROUTING', 'route', 'RL', 'RL'],
  ['route', 'LOCAL_IN', 'TB', 'BT'],
  ['route', 'FORWARD', 'RL', 'BT'],
  ['LOCAL_IN', 'local', 'RL', 'BT'],
  ['local', 'routeOut', 'RL', 'LR'],
  ['routeOut', 'LOCAL_OUT', 'RL', 'BT'],
  ['LOCAL_OUT', 'POST_ROUTING', 'BT', 'RL'],
  ['FORWARD', 'POST_ROUTING', 'RL', 'BT'],
  ['POST_ROUTING', 'out', 'RL', 'RL'],
];

const TABLES = ['raw', 'mangle', 'nat', 'filter', 'security'];

const heightOf = (node) => HEAD + node.rows.length * ROW + 7;

/** The edges from one place to another, the fewest; null when no way leads there. */
function wayBetween(from, to) {
  const before = new Map([[from, null]]);
  const queue = [from];
  while (queue.length > 0) {
    const here = queue.shift();
    if (here === to) {
      const way = [];
      for (let at = to; before.get(at) !== null; at = before.get(at)[0]) {
        way.unshift(before.get(at));
      }
      return way;
    }
    for (const edge of EDGES) {
      if (edge[0] === here && !before.has(edge[1])) {
        before.set(edge[1], edge);
        queue.push(edge[1]);
      }
    }
  }
  return null;
}

/** What of the diagram the steps up to {@code end} light: rows, places and edges. */
function lit(steps, end) {
  const light = {rows: new Set(), nodes: new Set(), edges: new Set(), made: new Set()};
  const lastAt = [];
  for (let i = 0; i <= end && i < steps.length; i++) {
    const step = steps[i];
    lastAt.length = step.depth + 1;
    if (!step.node) {
      continue;
    }
    const before = lastAt[step.depth]
        || (step.depth > 0 ? (step.node === 'arp' || lastAt[0] === 'arp' ? 'arp' : 'local') : null);
    // A packet socket hands its frame to the driver, past all hooks.
    const straight = step.event.function === 'packet_snd' && before !== 'arp';
    if (before && before !== step.node && !straight) {
      for (const edge of wayBetween(before, step.node) || []) {
        light.edges.add(edge);
        light.nodes.add(edge[0]).add(edge[1]);
        if (step.depth > 0) {
          light.made.add(edge);
        }
      }
    }
    lastAt[step.depth] = step.node;
    light.nodes.add(step.node);
    if (step.row) {
      light.rows.add(step.node + ' ' + step.row);
    }
  }
  return light;
}

class Diagram {
  /** In {@code box}; visit(node, row) is called when one of its places is clicked. */
  constructor(box, visit) {
    this.box = box;
    this.visit = visit;
    this.used = new Set();
    this.tall = window.matchMedia('(max-width: 760px)');
    this.tall.addEventListener('change', () => this.lay());
    this.lay();
  }

  /** The tables that have rules; the others' rows are pale. */
  use(tables) {
    this.used = new Set(tables);
    this.lay();
  }

  isPale(name, row) {
    return NODES[name].kind === 'hook' && TABLES.includes(row) && !this.used.has(row);
  }

  place(name) {
    const [x, y, width] = NODES[name][this.tall.matches ? 'tall' : 'wide'];
    return {x, y, width, height: heightOf(NODES[name])};
  }

  anchor(name, side) {
    const {x, y, width, height} = this.place(name);
    const line = y + HEAD / 2 + 1;
    return {L: [x, line], R: [x + width, line], T: [x + width / 2, y], B: [x + width / 2, y + height]}[side];
  }

  edgePath([from, to, wide, tall]) {
    const sides = this.tall.matches ? tall : wide;
    const [ax, ay] = this.anchor(from, sides[0]);
    const [bx, by] = this.anchor(to, sides[1]);
    if (ax === bx || ay === by) {
      return `M${ax} ${ay}L${bx} ${by}`;
    }
    if (sides === 'LB') {
      return `M${ax} ${ay}H3V${this.size()[1] - 3}H${bx}V${by}`;
    }
    if ('TB'.includes(sides[0])) {
      const middle = by > ay ? by - 16 : by + 16;
      return `M${ax} ${ay}V${middle}H${bx}V${by}`;
    }
    const middle = bx - 16;
    return `M${ax} ${ay}H${middle}V${by}H${bx}`;
  }

  size() {
    return this.tall.matches ? [380, 605] : [1000, 338];
  }

  lay() {
    const size = this.size();
    this.edges = new Map();
    this.nodes = new Map();
    this.rows = new Map();
    const picture = draw('svg', {viewBox: `0 0 ${size[0]} ${size[1]}`, role: 'img'},
        draw('defs', {}, ...['', 'lit', 'ahead'].map((kind) =>
          draw('marker', {id: 'tip' + kind, class: 'tip ' + kind, viewBox: '0 0 8 8', refX: 7, refY: 4,
            markerWidth: 7, markerHeight: 7, markerUnits: 'userSpaceOnUse', orient: 'auto'},
          draw('path', {d: 'M0 0L8 4L0 8z'})))));
    for (const edge of EDGES) {
      const path = draw('path', {d: this.edgePath(edge), class: 'edge'});
      this.edges.set(edge, path);
      picture.append(path);
    }
    for (const [name, node] of Object.entries(NODES)) {
      const {x, y, width, height} = this.place(name);
      const group = draw('g', {class: 'node ' + node.kind});
      group.append(
          draw('rect', {x, y, width, height, rx: node.kind === 'route' ? 20 : 7, class: 'box',
            onclick: () => this.visit(name, null)}),
          draw('text', {x: x + width / 2, y: y + 17, class: 'title'}, node.title));
      node.rows.forEach((row, i) => {
        const top = y + HEAD + i * ROW;
        const words = (node.words || {})[row] || row;
        const line = draw('g', {class: 'row' + (this.isPale(name, row) ? ' pale' : ''),
          onclick: () => this.visit(name, row)},
        draw('rect', {x: x + 5, y: top, width: width - 10, height: ROW - 2, rx: 4}),
        draw('text', {x: x + 24, y: top + 13}, words),
        draw('text', {x: x + 11, y: top + 13, class: 'sign'}, ''));
        this.rows.set(name + ' ' + row, line);
        group.append(line);
      });
      this.nodes.set(name, group);
      picture.append(group);
    }
    this.packet = draw('circle', {r: 5, class: 'packet', cx: 0, cy: 0});
    picture.append(this.packet);
    this.picture = picture;
    this.box.replaceChildren(picture, make('p', {class: 'legend'},
        '✓ a rule matched   – the policy decided   slanted: no rules there'));
    if (this.shown) {
      this.show(...this.shown);
    }
  }

  /** Lights the way of these steps up to number {@code at}. */
  show(steps, at) {
    this.shown = [steps, at];
    const done = lit(steps, at);
    const all = lit(steps, steps.length - 1);
    const state = (set, rest, one) => set.has(one) ? ' lit' : rest.has(one) ? ' ahead' : '';
    for (const [edge, path] of this.edges) {
      const kind = state(done.edges, all.edges, edge);
      path.setAttribute('class', 'edge' + kind + (all.made.has(edge) ? ' made' : ''));
      path.setAttribute('marker-end', `url(#tip${kind.trim()})`);
    }
    for (const [name, group] of this.nodes) {
      group.setAttribute('class', 'node ' + NODES[name].kind + state(done.nodes, all.nodes, name));
    }
    const step = steps[at];
    const node = step && step.node ? NODES[step.node] : null;
    const here = node ? step.node + ' ' + (node.rows.includes(step.row) ? step.row
        : step.node === 'route' || step.node === 'routeOut' ? 'decision' : '') : '';
    const signs = new Map();
    for (const one of steps.slice(0, at + 1)) {
      if (one.row && (one.held || one.policy)) {
        signs.set(one.node + ' ' + one.row, one.held ? '✓' : '–');
      }
    }
    const bad = step && (step.dropped || step.policy === 'DROP'
        || step.held && /^(DROP|REJECT)$/.test(step.event.target));
    for (const [name, line] of this.rows) {
      const space = name.indexOf(' ');
      const where = name.slice(0, space);
      const passed = NODES[where].kind === 'route' ? state(done.nodes, all.nodes, where)
        : state(done.rows, all.rows, name);
      line.setAttribute('class', 'row' + passed + (name === here ? ' here' + (bad ? ' bad' : '') : '')
          + (!passed && this.isPale(where, name.slice(space + 1)) ? ' pale' : ''));
      line.lastChild.textContent = name === here ? '' : signs.get(name) || (passed === ' lit' ? '·' : '');
    }
    if (node) {
      const {x, y} = this.place(step.node);
      const row = node.rows.indexOf(here.slice(step.node.length + 1));
      const top = row < 0 ? y + 13 : y + HEAD + row * ROW + 8.5;
      this.packet.style.transform = `translate(${x + 14}px, ${top}px)`;
    }
    this.packet.setAttribute('class', 'packet' + (node ? '' : ' nowhere')
        + (step && step.depth > 0 ? ' made' : '') + (step && step.dropped ? ' dropped' : ''));
    const words = [...new Set(steps.filter((one) => one.node && one.depth === 0)
        .map((one) => NODES[one.node].title))];
    this.picture.setAttribute('aria-label', steps.length === 0 ? 'The packet path'
        : 'The packet goes through ' + words.join(', ') + '; now at '
          + (node ? node.title + (step.row ? ', ' + step.row : '') : step ? step.label : ''));
  }
}
