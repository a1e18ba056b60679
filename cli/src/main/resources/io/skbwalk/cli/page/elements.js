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
  /** heightOf(item) is in pixels; row(item) makes its element; chosen(item) is called. */
  constructor(box, heightOf, row, chosen) {
    this.box = box;
    this.heightOf = heightOf;
    this.row = row;
    this.chosen = chosen;
    this.items = [];
    this.tops = new Float64Array(1);
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
    this.tops = new Float64Array(items.length + 1);
    for (let i = 0; i < items.length; i++) {
      this.tops[i + 1] = this.tops[i] + this.heightOf(items[i]);
    }
    this.space.style.height = this.tops[items.length] + 'px';
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
    const height = this.box.clientHeight;
    if (this.at < 0) {
      this.box.scrollTop = 0;
    } else if (this.tops[this.at] < this.box.scrollTop) {
      this.box.scrollTop = this.tops[this.at];
    } else if (this.tops[this.at + 1] > this.box.scrollTop + height) {
      this.box.scrollTop = this.tops[this.at + 1] - height;
    }
  }

  /** The row that lies there. */
  rowAt(y) {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.tops[middle + 1] <= y) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  paint() {
    const first = Math.max(0, this.rowAt(this.box.scrollTop) - 4);
    const last = Math.min(this.items.length,
        this.rowAt(this.box.scrollTop + this.box.clientHeight) + 5);
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
      row.style.top = this.tops[i] + 'px';
      row.style.height = this.tops[i + 1] - this.tops[i] + 'px';
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
    const page = this.rowAt(this.tops[Math.max(0, this.at)] + this.box.clientHeight)
        - Math.max(0, this.at) - 1;
    const last = this.items.length - 1;
    const to = {
      ArrowDown: this.at + 1,
      ArrowUp: this.at - 1,
      PageDown: Math.min(last, this.at + Math.max(1, page)),
      PageUp: Math.max(0, this.at - Math.max(1, page)),
      Home: 0,
      End: last,
    }[event.key];
    if (to !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.choose(to);
    }
  }
}
