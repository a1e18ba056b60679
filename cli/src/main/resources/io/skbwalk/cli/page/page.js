// SPDX-License-Identifier: Apache-2.0
// The page: which packet is chosen, at which step it stands, and what of the capture is listed.

const contents = JSON.parse(byId('contents').textContent);

const page = {
  packets: [],
  walks: new Map(),
  packet: null,
  steps: [],
  at: 0,
  shown: [],
  /** What only some packets are listed for: {label, takes(packet)}. */
  only: null,
  /** What the text of the filter takes. */
  takes: () => true,
  /** Outcomes by number under the rules as their files have them; null before any edit. */
  written: null,
};

const packetList = new LongList(byId('packets'), () => 47,
    (packet) => packetRow(packet, changed(packet)), choosePacket);
const diagram = new Diagram(byId('diagram'), visit);
const flowList = new LongList(
    fill(byId('panel-flows').appendChild(make('div', {id: 'flows'})),
        {role: 'listbox', tabindex: 0, 'aria-label': 'Flows'}, []),
    () => 66, flowRow, (flow) => listOnly({label: 'flow ' + flow.from + ' – ' + flow.to,
      takes: (packet) => (flowOf(packet) || {}).key === flow.key}));

// ---- the list of packets ----------------------------------------------------------------------

/** What became of it under the rules as written, when that was something else. */
function changed(packet) {
  const before = page.written ? page.written.get(packet.n) : null;
  return before && differ(before, packet.outcome) ? before : null;
}

function flowRow(flow) {
  return make('div', {class: 'packet-row'},
      make('span', {class: 'line'}, make('b', {}, flow.protocol),
          make('span', {class: 'quiet'}, counted(flow.packets, 'packet') + ', '
              + counted(flow.bytes, 'byte'))),
      make('span', {class: 'line summary'}, flow.from + ' > ' + flow.to),
      make('span', {class: 'line'}, ...fateCounts(flow.fates)));
}

function listPackets() {
  page.shown = page.packets.filter((packet) =>
    page.takes(packet) && (!page.only || page.only.takes(packet)));
  packetList.show(page.shown, page.shown.indexOf(page.packet));
  const all = page.packets.length;
  byId('filter-state').textContent = page.shown.length === all ? counted(all, 'packet')
    : page.shown.length.toLocaleString('en') + ' of ' + counted(all, 'packet');
  const clear = byId('filter-clear');
  clear.hidden = !page.only;
  clear.textContent = page.only ? 'Only ' + page.only.label + ' ✕' : '';
  clear.setAttribute('aria-label', page.only ? 'Only ' + page.only.label + '; show all again' : '');
  if (page.listed) {
    page.listed();
  }
}

function listOnly(only) {
  page.only = only;
  showTab(byId('tab-packets'));
  listPackets();
  byId('packets').focus();
}

const WORDS_HELP = 'Words that must all occur in a packet’s line, such as dropped tcp :22 or filter/INPUT#8';
const EITHER_HELP = 'A tcpdump expression, such as tcp port 22 and host 192.0.2.1; or words that must all '
    + 'occur in a packet’s line, such as dropped filter/INPUT#8';

/** Every word must occur somewhere in what the list knows of a packet. */
function takesWords(text) {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word);
  return (packet) => {
    const {outcome} = packet;
    const line = ['#' + packet.n, packet.summary, interfacesOf(outcome), outcome.fate,
      outcome.reason, outcome.ctstate].concat(outcome.rules || []).join(' ').toLowerCase();
    return words.every((word) => line.includes(word));
  };
}

// ---- one packet -------------------------------------------------------------------------------

async function choosePacket(packet, at) {
  if (!packet) {
    return;
  }
  page.packet = packet;
  const told = page.walks.get(packet.n) || (page.ask ? await page.ask(packet) : null);
  if (page.packet !== packet || !told) {
    return;
  }
  page.walk = told.walk;
  page.steps = stepsOf(told.walk, told.frame);
  byId('result').replaceChildren(
      make('b', {}, '#' + packet.n + ' '), fateWord(packet.outcome.fate), ' ',
      // Most results begin with the fate.
      make('span', {}, told.walk.result.replace(new RegExp('^' + packet.outcome.fate + '\\b;? ?'), '')),
      ...(told.walk.changed.length === 0 ? [] : [make('span', {class: 'changed'}, ' Changed: '
        + told.walk.changed.map((one) => one.field + ' ' + one.before + ' → ' + one.after).join('; '))]));
  stepList.show(stepRows(), -1);
  const first = page.steps.findIndex((step) => step.event.type !== 'initCall' && step.number > 0);
  go(at !== undefined && at < page.steps.length ? at : Math.max(0, first), true);
}

// ---- one step ---------------------------------------------------------------------------------

const stepList = new LongList(byId('steps'), (row) => row.begins ? 52 : 28, stepRow,
    (row) => go(row.step.number));

/** The steps; the first in a hook begins it. */
function stepRows() {
  return page.steps.map((step, i) => ({step,
    begins: step.hook && (i === 0 || page.steps[i - 1].hook !== step.hook
      || page.steps[i - 1].depth !== step.depth) ? step.hook : null}));
}

/** "rule 3" in a chain that the hook already names, else the chain, too. */
function shortName(step) {
  return step.hook && NODES[step.hook].title === step.event.chain ? 'rule ' + step.event.number
    : step.event.chain + ' ' + step.event.number;
}

function stepRow(row) {
  const {step} = row;
  const sign = step.dropped ? '✗' : step.held === true ? '✓' : step.held === false ? '–'
    : step.changes.length > 0 ? '∗' : '';
  const kind = step.dropped ? ' dropped' : step.held === false ? ' missed' : step.held ? ' held' : '';
  const line = make('span', {class: 'line'},
      make('span', {class: 'sign', 'aria-hidden': 'true'}, sign),
      make('span', {class: 'label'}, step.label),
      make('span', {class: 'text'}, step.rule ? shortName(step) + '  ' + step.rule : step.text),
      step.held === undefined ? null : make('span', {class: 'unseen'},
          step.held ? 'matched' : 'did not match: ' + step.reason));
  const hook = row.begins ? make('span', {class: 'hook'}, NODES[row.begins].title) : null;
  for (const part of [hook, line]) {
    if (part) {
      part.style.paddingLeft = 8 + 14 * step.depth + 'px';
    }
  }
  return make('div', {class: 'step-row' + kind}, hook, line);
}

function go(at, silently) {
  page.at = Math.max(0, Math.min(page.steps.length - 1, at));
  const step = page.steps[page.at];
  if (!step) {
    return;
  }
  diagram.show(page.steps, page.at);
  if (stepList.at !== page.at) {
    stepList.at = page.at;
    stepList.reveal();
    stepList.paint();
  }
  byId('where').replaceChildren(
      make('b', {}, 'Step ' + (page.at + 1) + ' of ' + page.steps.length), ' ',
      make('span', {class: 'quiet'}, inWords(step)));
  byId('back').setAttribute('aria-disabled', String(page.at === 0));
  byId('on').setAttribute('aria-disabled', String(page.at === page.steps.length - 1));
  byId('step').replaceChildren(...detail(step));
  byId('step').scrollTop = 0;
  if (!silently && document.activeElement !== byId('steps')) {
    byId('spoken').textContent = 'Step ' + (page.at + 1) + ': ' + inWords(step);
  }
  history.replaceState(null, '', '#' + page.packet.n + '.' + (page.at + 1));
}

/** The first step at a place of the diagram, or the next one there when it is already shown. */
function visit(node, row) {
  const there = page.steps.filter((step) => step.node === node && (!row || step.row === row
      || !NODES[node].rows.includes(step.row)));
  if (there.length > 0) {
    go((there.find((step) => step.number > page.at) || there[0]).number);
  }
}

function detail(step) {
  const parts = [make('h2', {}, step.hook ? make('span', {class: 'quiet'},
      step.hook + ' › ') : '', step.label)];
  if (step.rule) {
    parts.push(
        make('p', {class: 'verdict ' + (step.held ? 'held' : 'missed')},
            step.held ? '✓ ' + step.text + ' matched' + (step.event.target ? ': ' + step.event.target : '')
              : '– ' + step.text + ' did not match: ' + step.reason),
        make('pre', {class: 'rule'}, make('code', {}, step.rule)),
        step.source ? make('p', {class: 'source'}, step.source) : null);
  } else {
    parts.push(make('p', {class: step.dropped ? 'verdict dropped' : ''},
        (step.dropped ? '✗ ' : '') + step.text));
  }
  if (step.notes.length > 0) {
    parts.push(make('ul', {class: 'notes'}, ...step.notes.map((note) => make('li', {}, note))));
  }
  parts.push(...headers(step), ...connectionOf(step));
  return parts.filter((part) => part);
}

function headers(step) {
  if (step.after.size === 0) {
    return [];
  }
  const changed = new Set(step.changes.map((one) => one.field));
  const rows = [...step.after].map(([field, after]) => {
    const before = step.before.get(field);
    return make('tr', {class: changed.has(field) ? 'changed' : ''},
        make('th', {scope: 'row'}, field),
        make('td', {}, before === undefined ? after : before),
        make('td', {}, changed.has(field) ? make('b', {}, '→ ' + after) : 'same'));
  });
  return [make('h3', {}, step.depth > 0 ? 'Packet made here' : 'Packet'),
    make('table', {}, make('thead', {}, make('tr', {}, make('th', {scope: 'col'}, 'field'),
        make('th', {scope: 'col'}, 'before this step'), make('th', {scope: 'col'}, 'after'))),
    make('tbody', {}, ...rows))];
}

const CT_STATES = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED'];

/** States in the order in which a connection takes them; where it was and where it is now. */
function stateLine(label, states, before, now) {
  return make('div', {class: 'states'}, make('span', {}, label),
      make('ol', {'aria-label': label}, ...states.map((state) => make('li',
          state === now ? {class: 'now', 'aria-current': 'step'}
            : state === before ? {class: 'was'} : {},
          state, state === before && before !== now ? make('span', {class: 'unseen'}, ', before') : null))));
}

function connectionOf(step) {
  const facts = step.event.type === 'hookStep' || step.connection.length === 0
    ? step.connection.filter((one) => one.name !== step.event.name)
        .concat(step.event.type === 'hookStep' ? [step.event] : [])
    : step.connection;
  if (facts.length === 0) {
    return [];
  }
  const tracked = facts.find((one) => one.name === 'conntrack');
  const text = tracked ? tracked.text : '';
  const move = /, state (\S+) -> (\S+?)(?:,|$)/.exec(text);
  const tcp = / tcp (\S+) /.exec(text);
  const now = (/^[A-Z]+/.exec(text) || [''])[0];
  const last = step.number === page.steps.length - 1;
  return [make('h3', {}, 'Connection'),
    make('dl', {}, ...facts.flatMap((one) => [make('dt', {}, one.name), make('dd', {}, one.text)]),
        ...(last && page.walk.connection
          ? [make('dt', {}, 'entry'), make('dd', {}, page.walk.connection)] : [])),
    CT_STATES.includes(now) ? stateLine('state for rules', CT_STATES, null, now) : null,
    tcp ? stateLine('state of TCP', TCP_STATES, move ? move[1] : null, tcp[1]) : null];
}

// ---- keys, tabs, what is loaded -----------------------------------------------------------------

byId('back').addEventListener('click', () => go(page.at - 1));
byId('on').addEventListener('click', () => go(page.at + 1));

document.addEventListener('keydown', (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (typing || event.altKey || event.ctrlKey || event.metaKey) {
    return;
  }
  if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
    // Among the tabs they lead to the next one.
    if (event.target.getAttribute('role') === 'tab') {
      return;
    }
    event.preventDefault();
    go(page.at + (event.key === 'ArrowLeft' ? -1 : 1));
  } else if (event.key === '/') {
    event.preventDefault();
    showTab(byId('tab-packets'));
    byId('filter-text').focus();
  }
});

const tabs = [...byId('tabs').children];

function showTab(chosen) {
  for (const tab of tabs) {
    const is = tab === chosen;
    tab.setAttribute('aria-selected', String(is));
    tab.tabIndex = is ? 0 : -1;
    byId(tab.getAttribute('aria-controls')).hidden = !is;
  }
  document.body.dataset.tab = chosen.id.slice(4);
  if (!byId('panel-flows').hidden && page.flowsOf !== page.packets) {
    page.flowsOf = page.packets;
    flowList.show(flowsOf(page.packets), -1);
  }
  flowList.paint();
  packetList.paint();
}

tabs.forEach((tab, i) => {
  tab.addEventListener('click', () => showTab(tab));
  tab.addEventListener('keydown', (event) => {
    const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (by) {
      const next = tabs[(i + by + tabs.length) % tabs.length];
      showTab(next);
      next.focus();
    }
  });
});

byId('filter').addEventListener('submit', (event) => event.preventDefault());
byId('filter-clear').addEventListener('click', () => {
  page.only = null;
  listPackets();
  byId('packets').focus();
});

/** Shows what a replay came to: its report, its rules and its packets. */
function load(replayed) {
  page.packets = replayed.packets;
  const frames = replayed.report.frames;
  byId('about').textContent = (replayed.input ? replayed.input + ' through ' : '') + replayed.machine
      + (frames.in === page.packets.length ? ''
        : '; ' + page.packets.length + ' of ' + counted(frames.in, 'frame') + ' are in this page');
  byId('fates').replaceChildren(...Object.keys(FATES).filter((fate) => frames[fate]).map((fate) =>
    make('li', {}, make('button', {type: 'button', class: 'fate ' + fate, onclick: () =>
      listOnly({label: fate, takes: (packet) => packet.outcome.fate === fate})},
    make('span', {'aria-hidden': 'true'}, FATES[fate] + ' '),
    frames[fate].toLocaleString('en') + ' ' + fate))));
  diagram.use(replayed.rules.map((rule) => rule.table));
  showTab(tabs.find((tab) => tab.getAttribute('aria-selected') === 'true'));
  (byId('rules') || byId('panel-rules')).replaceChildren(...rulesTable(replayed.rules, (rule) => {
    const label = rule.table + '/' + rule.chain + '#' + rule.number;
    const policy = rule.table + '/' + rule.chain + ' policy';
    listOnly(rule.number
      ? {label, takes: ({outcome}) => (outcome.rules || []).includes(label)}
      : {label: policy, takes: ({outcome}) => decider(outcome) === policy});
  }));
  byId('panel-drops').replaceChildren(...dropsChart(replayed.report.dropped, page.packets,
      replayed.rules, (drop, rule) => listOnly({label: drop.reason + ' in ' + drop.at + (rule ? ' by ' + rule : ''),
        takes: ({outcome}) => outcome.reason === drop.reason && outcome.at === drop.at
            && (!rule || decider(outcome) === rule)})));
  listPackets();
}

/** The packet and the step that the address names, or the first packet. */
function begin() {
  const named = /^#(\d+)(?:\.(\d+))?$/.exec(location.hash);
  const packet = named && page.packets.find((one) => one.n === Number(named[1]));
  const start = packet || page.packets[0];
  choosePacket(start, packet && named[2] ? Number(named[2]) - 1 : undefined).then(() => {
    packetList.at = page.shown.indexOf(start);
    packetList.reveal();
    packetList.paint();
  });
}

/** The filter where no server has the frames. */
function filterByWords() {
  byId('filter-help').textContent = WORDS_HELP;
  byId('filter-text').addEventListener('input', (event) => {
    page.takes = takesWords(event.target.value);
    listPackets();
  });
}

/** The filter of a page that has them: a tcpdump expression when the text is one, else words. */
function filterByEither() {
  const frames = new Map();
  const frame = (packet) => {
    if (!frames.has(packet.n)) {
      frames.set(packet.n, frameOf(page.walks.get(packet.n).frame, packet.length));
    }
    return frames.get(packet.n);
  };
  const help = byId('filter-help');
  const tell = (words) => {
    help.textContent = words;
  };
  tell(EITHER_HELP);
  byId('filter-text').addEventListener('input', (event) => {
    const text = event.target.value;
    const takes = text.trim() ? takesExpression(text) : null;
    page.takes = takes ? (packet) => takes(frame(packet)) : takesWords(text);
    tell(!text.trim() ? EITHER_HELP : takes ? 'Read as a tcpdump expression' : 'Read as words');
    listPackets();
  });
}

if (!contents.served) {
  filterByEither();
  contents.walks.forEach((walk, i) => page.walks.set(walk.n, {walk, frame: contents.frames[i]}));
  load(Object.assign({}, contents, {packets: packetsOfWalks(contents.walks)}));
  begin();
}
