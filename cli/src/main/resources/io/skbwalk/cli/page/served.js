// SPDX-License-Identifier: Apache-2.0
// What a served page asks its server for: all packets, one walk, the packets of a tcpdump
// expression, and a replay with the rules as they are edited.

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

async function askWalk(packet) {
  try {
    const told = await ask('walk', {packet: packet.n});
    page.walks.set(packet.n, told);
    return told;
  } catch (wrong) {
    byId('result').textContent = '#' + packet.n + ': ' + wrong.problem;
    return null;
  }
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
    panel.append(make('div', {id: 'editor'},
        make('label', {for: 'rules-text'}, 'Rules'), files.length > 1 ? this.select : ' of ' + this.file.name,
        this.lines, this.state), make('div', {id: 'rules'}));
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

  async replay() {
    const {name, text} = this.file;
    try {
      const replayed = await ask('rules', {file: name}, {method: 'POST', body: text});
      this.mark(null);
      this.say('Replayed ' + counted(replayed.report.frames.in, 'frame') + ' with these rules.');
      reload(replayed);
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
}

/** Shows a new replay with the same packet chosen, at the same step if it still has it. */
function reload(replayed) {
  const before = page.packet;
  page.walks.clear();
  load(replayed);
  const same = before && page.packets.find((packet) => packet.n === before.n);
  if (same) {
    page.packet = same;
    listPackets();
    choosePacket(same, page.at);
  }
}

async function beginServed() {
  document.body.classList.add('served');
  byId('filter-label').textContent = 'Filter';
  byId('filter-help').textContent = 'A tcpdump expression, such as tcp port 22 and host 192.0.2.1';
  byId('filter-text').addEventListener('input', afterPause(askFilter));
  new Editor(byId('panel-rules'), contents.files);
  page.ask = askWalk;
  byId('about').textContent = 'The capture is being replayed …';
  try {
    load(await ask('replay'));
    begin();
  } catch (wrong) {
    byId('about').textContent = wrong.problem;
  }
}

if (contents.served) {
  beginServed();
}
