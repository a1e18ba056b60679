// SPDX-License-Identifier: Apache-2.0
// What a served page asks its server for: all packets, walks, the packets of a tcpdump expression, a
// replay with the rules as they are edited, and some packets as a page of their own.

/** Walks that are kept, so that going back asks nobody. */
const MOST_WALKS = 600;

/** Packets that a saved page takes. */
const MOST_SAVED = 2000;

/** What packets look like, by number; rules change nothing about it. */
let looks = new Map();

async function ask(path, fields, options) {
  let answer;
  try {
    answer = await fetch(path + '?' + new URLSearchParams(fields || {}), options);
  } catch (e) {
    throw {problem: 'the server does not answer; is skbwalk serve still running?'};
  }
  const json = await answer.json();
  if (!answer.ok) {
    throw json;
  }
  return json;
}

/** Calls done once the typing has paused. */
function afterPause(done) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(done, 350);
  };
}

// ---- walks --------------------------------------------------------------------------------------

/** The question that is being answered; one at a time, since the server has one machine. */
let asked = null;

/** The packet chosen last, while somebody waits for it. */
let wanted = null;

async function fetchWalks(packets) {
  const under = page.packets;
  const told = await ask('walks', {packets: packets.map((packet) => packet.n).join()});
  if (under !== page.packets) {
    return;
  }
  for (const one of told.walks) {
    page.walks.set(one.walk.n, one);
  }
  for (const n of page.walks.keys()) {
    if (page.walks.size <= MOST_WALKS) {
      break;
    }
    page.walks.delete(n);
  }
}

/** The walk of a packet; null when another is chosen before the server comes to it. */
async function askWalk(packet) {
  wanted = packet;
  while (asked) {
    await asked.catch(() => {});
    if (wanted !== packet) {
      return null;
    }
  }
  try {
    if (!page.walks.has(packet.n)) {
      asked = fetchWalks([packet]).finally(() => {
        asked = null;
      });
      await asked;
    }
    askNeighbours(packet);
    return page.walks.get(packet.n) || null;
  } catch (wrong) {
    byId('result').textContent = '#' + packet.n + ': ' + wrong.problem;
    return null;
  }
}

/** Asks for those beside it in the list, which are the likeliest to be chosen next. */
function askNeighbours(packet) {
  setTimeout(() => {
    const at = page.shown.indexOf(packet);
    if (asked || wanted !== packet || at < 0) {
      return;
    }
    const some = page.shown.slice(Math.max(0, at - 8), at + 16)
        .filter((one) => !page.walks.has(one.n));
    if (some.length > 0) {
      asked = fetchWalks(some).catch(() => {}).finally(() => {
        asked = null;
      });
    }
  }, 200);
}

// ---- the filter -------------------------------------------------------------------------------

async function askFilter() {
  const box = byId('filter-text');
  const expression = box.value.trim();
  const state = byId('filter-state');
  try {
    const numbers = expression
      ? new Set((await ask('filter', {expression})).numbers) : null;
    if (box.value.trim() !== expression) {
      return;
    }
    page.takes = numbers ? (packet) => numbers.has(packet.n) : () => true;
    box.removeAttribute('aria-invalid');
    state.className = '';
    listPackets();
  } catch (wrong) {
    box.setAttribute('aria-invalid', 'true');
    state.className = 'wrong';
    state.textContent = wrong.problem;
  }
}

// ---- the rules --------------------------------------------------------------------------------

class Editor {
  constructor(panel, files) {
    this.files = files;
    this.file = files[0];
    this.select = make('select', {id: 'rules-file', onchange: () => {
      this.file = this.files[this.select.selectedIndex];
      this.show();
    }}, ...files.map((file) => make('option', {}, file.name)));
    this.numbers = make('ol', {'aria-hidden': 'true'});
    this.text = make('textarea', {id: 'rules-text', spellcheck: 'false', autocomplete: 'off',
      wrap: 'off', 'aria-describedby': 'rules-state'});
    this.lines = make('div', {class: 'lines'}, this.numbers, this.text);
    this.state = make('p', {id: 'rules-state', role: 'status'});
    this.changes = make('div', {id: 'rules-changes'});
    panel.append(make('div', {id: 'editor'},
        make('label', {for: 'rules-text'}, 'Rules'), files.length > 1 ? this.select : ' of ' + this.file.name,
        this.lines, this.state, this.changes), make('div', {id: 'rules'}));
    this.select.setAttribute('aria-label', 'File of rules');
    const replay = afterPause(() => this.replay());
    this.text.addEventListener('input', () => {
      this.file.text = this.text.value;
      this.number();
      replay();
    });
    this.text.addEventListener('scroll', () => {
      this.numbers.scrollTop = this.text.scrollTop;
    });
    this.show();
    this.say('Edit them here: every change is replayed at once. The file is not changed.');
  }

  show() {
    this.text.value = this.file.text;
    this.number();
    this.mark(this.wrong);
  }

  number() {
    const count = this.file.text.split('\n').length;
    while (this.numbers.children.length < count) {
      this.numbers.append(make('li', {}, String(this.numbers.children.length + 1)));
    }
    while (this.numbers.children.length > count) {
      this.numbers.lastChild.remove();
    }
  }

  mark(wrong) {
    this.wrong = wrong;
    const here = wrong && (!wrong.file || wrong.file === this.file.name);
    [...this.numbers.children].forEach((line, i) => {
      line.className = here && i + 1 === wrong.line ? 'wrong' : '';
    });
    this.lines.className = here ? 'lines wrong' : 'lines';
    this.text.setAttribute('aria-invalid', String(Boolean(here)));
  }

  say(...words) {
    this.state.className = this.wrong ? 'wrong' : '';
    this.state.replaceChildren(...words);
  }

  goTo(wrong) {
    const before = this.file.text.split('\n').slice(0, wrong.line - 1)
        .reduce((sum, line) => sum + line.length + 1, 0);
    const at = before + Math.max(0, wrong.column - 1);
    this.text.focus();
    this.text.setSelectionRange(at, at);
    this.text.scrollTop = Math.max(0, (wrong.line - 5) * 18);
  }

  /** Replays what is written; what is typed meanwhile afterwards, in one. */
  async replay() {
    this.again = Boolean(this.busy);
    if (this.busy) {
      return;
    }
    this.busy = true;
    try {
      do {
        this.again = false;
        await this.replayOnce();
      } while (this.again);
    } finally {
      this.busy = false;
    }
  }

  async replayOnce() {
    const {name, text} = this.file;
    try {
      const replayed = await ask('rules', {file: name}, {method: 'POST', body: text});
      this.mark(null);
      this.say('Replayed ' + counted(replayed.report.frames.in, 'frame') + ' with these rules.');
      await reload(replayed);
      this.tell();
    } catch (wrong) {
      if (this.file.text !== text) {
        return;
      }
      this.mark(wrong.problem ? wrong : {problem: String(wrong)});
      this.say('✗ ' + (wrong.line ? (wrong.file || name) + ':' + wrong.line + ':' + wrong.column + ': ' : '')
          + this.wrong.problem + ' ',
      wrong.line ? make('button', {type: 'button', onclick: () => this.goTo(wrong)}, 'Go there') : '',
      ' The packets are shown under the last rules that were right.');
    }
  }

  /** Says which packets end otherwise than under the rules as written. */
  tell() {
    const edited = this.files.some((file) => file.text !== file.written);
    if (!edited) {
      this.changes.replaceChildren();
      return;
    }
    const changes = changesOf(page.packets, page.written);
    const sum = changes.reduce((all, change) => all + change.packets, 0);
    this.changes.replaceChildren(
        make('p', {role: 'status'}, sum === 0 ? 'Every packet ends as under the rules as written.'
          : counted(sum, 'packet') + (sum === 1 ? ' ends' : ' end')
            + ' otherwise than under the rules as written:'),
        make('ul', {class: 'chart'}, ...changes.map((change) => make('li', {},
            make('button', {type: 'button', onclick: () => listOnly({
              label: change.before + ' before, now ' + change.after,
              takes: (packet) => packet.outcome.fate === change.after
                  && (changed(packet) || {}).fate === change.before})},
            fateWord(change.before), make('span', {'aria-label': 'now'}, ' ⇒ '), fateWord(change.after),
            ' ', make('span', {class: 'hits'}, counted(change.packets, 'packet')))))),
        make('button', {type: 'button', class: 'link', onclick: () => this.putBack()},
            'Put back what is written in ' + (this.files.length === 1 ? this.file.name : 'the files')));
  }

  /** Forgets all edits. */
  async putBack() {
    const edited = this.files.filter((file) => file.text !== file.written);
    for (const file of edited) {
      file.text = file.written;
      this.file = file;
      this.show();
      await this.replay();
    }
    this.select.selectedIndex = this.files.indexOf(this.file);
    this.text.focus();
  }
}

// ---- what is loaded -----------------------------------------------------------------------------

/** Shows a server's replay, asking for what is not known yet of its packets. */
async function show(replayed) {
  let packets = packetsOfReplay(replayed, looks);
  if (!packets) {
    looksOf(await ask('packets')).forEach((look, n) => looks.set(n, look));
    packets = packetsOfReplay(replayed, looks) || [];
  }
  page.walks.clear();
  load(Object.assign({}, replayed, {packets}));
}

/** Shows a new replay with the same packet chosen, at the same step if it still has it. */
async function reload(replayed) {
  const before = page.packet;
  await show(replayed);
  const same = before && page.packets.find((packet) => packet.n === before.n);
  if (same) {
    page.packet = same;
    listPackets();
    choosePacket(same, page.at);
  }
}

/** Lets the packets that are listed be saved. */
function offerSaving() {
  const save = byId('save');
  const some = page.shown.slice(0, MOST_SAVED);
  save.hidden = some.length === 0;
  save.textContent = 'Save ' + (some.length < page.shown.length
    ? 'the first ' + counted(some.length, 'packet') : 'this list') + ' as a page';
  save.href = 'page?packets=' + ranges(some.map((packet) => packet.n));
}

async function beginServed() {
  document.body.classList.add('served');
  if (contents.scenario) {
    filterByWords();
  } else {
    byId('filter-help').textContent = 'A tcpdump expression, such as tcp port 22 and host 192.0.2.1';
    byId('filter-text').addEventListener('input', afterPause(askFilter));
  }
  const editor = new Editor(byId('panel-rules'), contents.files);
  page.ask = askWalk;
  page.listed = offerSaving;
  byId('about').textContent = 'The capture is being replayed …';
  try {
    looks = looksOf(await ask('packets'));
    page.written = outcomesOf(await ask('written'));
    await show(await ask('replay'));
    editor.tell();
    begin();
  } catch (wrong) {
    byId('about').textContent = wrong.problem || String(wrong);
  }
}

if (contents.served) {
  beginServed();
}
