// SPDX-License-Identifier: Apache-2.0
// Elements of the page. Text enters it as text only, never as markup.
'use strict';

const SVG = 'http://www.w3.org/2000/svg';

const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An element of HTML, such as make('p', {class: 'x'}, 'text', otherElement). */
function make(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
function draw(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function counted(number, noun) {
  return number.toLocaleString('en') + ' ' + noun + (number === 1 ? '' : 's');
}

const FATES = {
  delivered: '✓',
  forwarded: '→',
  sent: '↑',
  answered: '↩',
  consumed: '·',
  dropped: '✗',
};

/** A fate in a sign, a colour and a word. */
function fateWord(fate) {
  return make('span', {class: 'fate ' + fate},
      make('span', {'aria-hidden': 'true'}, FATES[fate] + ' '), fate);
}

/**
 * A list of which only the rows in sight exist, so that 100,000 are no more work than 20. It is a
 * listbox: arrow keys, Page Up, Page Down, Home and End move.
 */
class LongList {
  constructor(box, rowHeight, row, chosen) {
    this.box = box;
    this.rowHeight = rowHeight;
    this.row = row;
    this.chosen = chosen;
    this.items = [];
    this.at = -1;
    this.space = make('div', {class: 'space', role: 'presentation'});
    box.append(this.space);
    box.addEventListener('scroll', () => this.paint());
    box.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.paint()).observe(box);
  }

  show(items, at) {
    this.items = items;
    this.at = at;
    this.space.style.height = items.length * this.rowHeight + 'px';
    this.reveal();
    this.paint();
  }

  choose(at) {
    if (at < 0 || at >= this.items.length) {
      return;
    }
    this.at = at;
    this.reveal();
    this.paint();
    this.chosen(this.items[at]);
  }

  reveal() {
    const top = this.at * this.rowHeight;
    const height = this.box.clientHeight;
    if (this.at < 0) {
      this.box.scrollTop = 0;
    } else if (top < this.box.scrollTop) {
      this.box.scrollTop = top;
    } else if (top + this.rowHeight > this.box.scrollTop + height) {
      this.box.scrollTop = top + this.rowHeight - height;
    }
  }

  paint() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.rowHeight) - 4);
    const rows = Math.ceil(this.box.clientHeight / this.rowHeight) + 8;
    const last = Math.min(this.items.length, first + rows);
    const shown = [];
    let active = null;
    for (let i = first; i < last; i++) {
      const row = this.row(this.items[i]);
      fill(row, {
        role: 'option',
        id: this.box.id + '-' + i,
        'aria-selected': i === this.at ? 'true' : 'false',
        'aria-setsize': this.items.length,
        'aria-posinset': i + 1,
        onclick: () => this.choose(i),
      }, []);
      row.style.top = i * this.rowHeight + 'px';
      row.style.height = this.rowHeight + 'px';
      active = i === this.at ? row.id : active;
      shown.push(row);
    }
    this.space.replaceChildren(...shown);
    if (active) {
      this.box.setAttribute('aria-activedescendant', active);
    } else {
      this.box.removeAttribute('aria-activedescendant');
    }
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.rowHeight) - 1);
    const last = this.items.length - 1;
    const to = {
      ArrowDown: this.at + 1,
      ArrowUp: this.at - 1,
      PageDown: Math.min(last, this.at + page),
      PageUp: Math.max(0, this.at - page),
      Home: 0,
      End: last,
    }[event.key];
    if (to !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.choose(to);
    }
  }
}
