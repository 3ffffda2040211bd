// Messages to sign: odd in white space, folding, repetition and line ends, yet all of them mail that any program reads
// alike once it was sent.

import { DotStuffer } from '../../../../src/delivery/client/dot-stuffing.js';
import type { SeededRandom } from '../../../fuzz/random.js';

function words(random: SeededRandom): string {
  let text = '';
  for (let count = random.below(6); count > 0; count--)
    text +=
      random.pick([
        'hello',
        'a',
        '=?utf-8?q?=C3=A5?=',
        'x@y.test',
        '1;2=3',
        '\xc3\xa5',
        '.',
        'word '.repeat(20),
      ]) + random.pick([' ', '  ', '\t', ' \t ']);
  return text;
}

function value(random: SeededRandom, end: string): string {
  let text = random.pick(['', ' ', '  ', '\t']) + words(random);
  for (let folds = random.below(3); folds > 0; folds--)
    text += `${end}${random.pick([' ', '\t', '  '])}x${words(random)}`;
  return text;
}

/** A message as it might be stored. */
export function generatedMessage(random: SeededRandom): Buffer {
  const end = random.pick(['\r\n', '\r\n', '\n']);
  const fields = [`From:${random.pick(['', ' ', '\t '])}A <a@example.com>${random.pick(['', ' '])}${end}`];
  const names = ['To', 'Cc', 'SUBJECT', 'Subject', 'date', 'Received', 'X-Long', 'List-Id', 'DKIM-Signature'];
  for (let count = random.below(9); count > 0; count--) {
    const place = random.below(fields.length + 1);
    fields.splice(place, 0, `${random.pick(names)}:${value(random, end)}${end}`);
  }
  let body = '';
  for (let lines = random.below(30); lines > 0; lines--)
    body += random.pick([words(random), words(random), '', '', '.', '..x', ' ', '\t', 'a  b ']) + end;
  if (random.chance(0.2)) body += 'the end without a line end';
  if (random.chance(0.05)) body += `${'long line '.repeat(90)}${end}`;
  if (random.chance(0.05)) body += `${'more text\t\r\n'.repeat(4000)}`;
  return Buffer.from(`${fields.join('')}${end}${body}`, 'latin1');
}

/** The message as a receiver has it after delivery. */
export function asDelivered(message: Buffer): Buffer {
  const stuffer = new DotStuffer();
  const wire = Buffer.concat([stuffer.push(message), stuffer.end()]).toString('latin1');
  return Buffer.from(wire.slice(0, -3).replace(/(^|\r\n)\./g, '$1'), 'latin1');
}
