// SPDX-License-Identifier: Apache-2.0
// The packets of the list. Each is {n, since, length, summary, outcome}: nanoseconds since the first,
// and what became of it, an object that packets of the same outcome may share.

function nanoseconds(time) {
  const [whole, part] = time.slice(0, -1).split('.');
  return {seconds: Date.parse(whole + 'Z') / 1000, nanos: Number(part)};
}

/** The packets of walks in full. */
function packetsOfWalks(walks) {
  const first = walks.length > 0 ? nanoseconds(walks[0].time) : null;
  return walks.map((walk) => {
    const time = nanoseconds(walk.time);
    return {
      n: walk.n,
      since: (time.seconds - first.seconds) * 1e9 + time.nanos - first.nanos,
      length: walk.length,
      summary: walk.steps[0].summary,
      outcome: Object.assign({}, walk, {out: (walk.out || []).map((out) => out.interface)}),
    };
  });
}

/** What packets look like, by number, of a server's flat list of four values each. */
function looksOf(flat) {
  const looks = new Map();
  let n = 0;
  let since = 0;
  for (let i = 0; i < flat.length; i += 4) {
    n += flat[i];
    since += flat[i + 1];
    looks.set(n, {since, length: flat[i + 2], summary: flat[i + 3]});
  }
  return looks;
}

/** The packets of a server's replay; null when {@code looks} does not have them all. */
function packetsOfReplay(replayed, looks) {
  const packets = [];
  let n = 0;
  for (let i = 0; i < replayed.packets.length; i += 2) {
    n += replayed.packets[i];
    const look = looks.get(n);
    if (!look) {
      return null;
    }
    packets.push({n, since: look.since, length: look.length, summary: look.summary,
      outcome: replayed.outcomes[replayed.packets[i + 1]]});
  }
  return packets;
}

/** The outcomes of a server's replay by the packets' numbers. */
function outcomesOf(replayed) {
  const outcomes = new Map();
  let n = 0;
  for (let i = 0; i < replayed.packets.length; i += 2) {
    n += replayed.packets[i];
    outcomes.set(n, replayed.outcomes[replayed.packets[i + 1]]);
  }
  return outcomes;
}

/** Would somebody who looks at the two ends say that they differ? */
function differ(one, other) {
  return one.fate !== other.fate || one.reason !== other.reason || one.at !== other.at
      || one.out.join() !== other.out.join();
}

/** Numbers as --packet takes them: 1-7,9. */
function ranges(numbers) {
  const parts = [];
  let i = 0;
  while (i < numbers.length) {
    let end = i;
    while (end + 1 < numbers.length && numbers[end + 1] === numbers[end] + 1) {
      end++;
    }
    parts.push(end === i ? numbers[i] : numbers[i] + '-' + numbers[end]);
    i = end + 1;
  }
  return parts.join();
}

function passed(nanos) {
  return '+' + (nanos / 1e9).toFixed(6) + ' s';
}

/** Where it came from and where it went. */
function interfacesOf(outcome) {
  const from = outcome.in || 'own';
  return outcome.fate === 'forwarded' ? from + ' → ' + outcome.out.join(', ') : from;
}

/** The list's row; {@code before} is what became of it under other rules, or null. */
function packetRow(packet, before) {
  const {outcome} = packet;
  return make('div', {class: 'packet-row ' + outcome.fate},
      make('span', {class: 'line'},
          make('b', {}, '#' + packet.n),
          make('span', {class: 'quiet'}, passed(packet.since)),
          make('span', {class: 'quiet interfaces'}, interfacesOf(outcome)),
          make('span', {class: 'fates'},
              before ? make('span', {class: 'was'}, 'was ', before.fate, ' ') : null,
              fateWord(outcome.fate))),
      make('span', {class: 'line summary'}, packet.summary.replace(/ bytes$/, ' B')));
}
