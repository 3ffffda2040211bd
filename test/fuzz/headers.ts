// Header sections of all kinds, parsed and edited: the fields tile the section, whatever was not edited goes out as the
// same bytes in the same order, and no value, whatever it holds, makes a field of its own.

import { MailDocument, type MimePart } from '#stdlib';
import { bytesToSource } from '../../stdlib/mail/mime/document.js';
import { encodeField, rawField } from '../../stdlib/mail/mime/header-text.js';
import { SeededRandom } from './random.js';

export interface HeaderFuzzCounts {
  messages: number;
  edits: number;
  fields: number;
}

const names = ['Subject', 'To', 'X-A', 'x-a', 'Content-Type', 'Received', 'DKIM-Signature'];

function line(random: SeededRandom): string {
  const end = random.pick(['\r\n', '\r\n', '\r\n', '\n']);
  const text = random.pick([
    `${random.pick(names)}: value`,
    `${random.pick(names)}:`,
    `${random.pick(names)} : obsolete`,
    `${random.pick(names)}: =?utf-8?q?=C3=A5?= =?x?b?!!?= =?utf-8?b?w6U=?=`,
    `${random.pick(names)}: ${'long '.repeat(random.below(60))}`,
    ' folded',
    '\tfolded',
    ' ',
    'no field at all',
    ': no name',
    'b\xe5d: raw 8 bit \xff\xfe',
    `Content-Type: text/plain; charset=${random.pick(['utf-8', 'iso-8859-1', '"', 'x-none', ''])}`,
    `N\x00L: \x00`,
    'bare\rreturn: x',
    '\rx: y',
  ]);
  return text + end;
}

function message(random: SeededRandom): Buffer {
  // As in the daemon, where our own trace field is always on top.
  let text = 'Received: by us\r\n';
  for (let lines = random.below(12); lines > 0; lines--) text += line(random);
  if (random.chance(0.85)) text += random.pick(['\r\n', '\n']);
  else if (random.chance(0.5)) text = text.replace(/\r?\n$/, '');
  else return Buffer.from(text, 'latin1');
  for (let lines = random.below(4); lines > 0; lines--)
    text += random.pick(['body\r\n', 'X-A: in the body\r\n', '\r\n', '\x00\xff']);
  return Buffer.from(text, 'latin1');
}

function value(random: SeededRandom): string {
  const piece = () =>
    random.pick([
      'text',
      ' ',
      '\r\nInjected: yes',
      '\nInjected: yes',
      '\rInjected: yes',
      '\r\n\r\nInjected: body',
      '\r\n folded',
      '\x00',
      '\xc3\xa5',
      '\xff',
      '=?utf-8?q?x?=',
      'word '.repeat(40),
      '\r\n',
      '\n\n',
      '\u2028'.slice(0, 0),
    ]);
  let text = '';
  for (let pieces = random.below(5); pieces > 0; pieces--) text += piece();
  return text;
}

/** Edits at random. @returns the names that were touched, in lower case */
function edit(part: MimePart, random: SeededRandom, counts: HeaderFuzzCounts): Set<string> {
  const touched = new Set<string>();
  for (let edits = random.below(6); edits > 0; edits--) {
    const name = random.pick([...names, 'X-New']);
    const bytes = (random.chance(0.5) ? encodeField : rawField)(name, value(random));
    const index = random.pick([0, 0, 0, 1, -1, 5, -7]);
    touched.add(name.toLowerCase());
    counts.edits++;
    switch (random.below(3)) {
      case 0:
        part.edits.add(name, bytes);
        break;
      case 1:
        part.edits.set(part.header, name, bytes, index);
        break;
      default:
        part.edits.delete(part.header, name, random.chance(0.5) ? undefined : index);
    }
  }
  return touched;
}

function checkTiling(part: MimePart, original: Buffer): void {
  let at = 0;
  for (const { start, valueStart, end } of part.header.fields) {
    if (start !== at || end <= start || valueStart < start || valueStart > end)
      throw new Error(`the fields do not tile the section at ${at}`);
    at = end;
  }
  if (at !== part.header.end || at > original.length)
    throw new Error('the section ends elsewhere than its fields');
}

function checkGetters(part: MimePart): void {
  for (const name of names)
    for (const wholeField of [false, true])
      for (const decode of [false, true]) {
        part.fields(name, { wholeField, decode });
        part.field(name, -1, { wholeField, decode });
      }
}

/** What was not touched is in `out`, as the same bytes in the same order, and the rest of the message behind it. */
function checkUntouched(part: MimePart, touched: ReadonlySet<string>, original: Buffer, out: Buffer): void {
  const rest = original.subarray(part.header.end);
  if (!out.subarray(out.length - rest.length).equals(rest)) throw new Error('the body is not what it was');
  if (touched.size === 0 && !out.equals(original))
    throw new Error('nothing was edited, and the bytes differ');
  const edited = new MailDocument(bytesToSource(out)).root.header;
  const untouched = (bytes: Buffer, { fields }: typeof edited) =>
    fields
      .filter(({ name }) => !touched.has(name))
      .map(({ start, end }) => bytes.toString('latin1', start, end));
  const before = untouched(original, part.header);
  const after = untouched(out, edited);
  // A last line without its end gets one when a field is put below it.
  const closed = (fields: string[]) => fields.map((field) => (field.endsWith('\n') ? field : `${field}\r\n`));
  if (JSON.stringify(closed(before)) !== JSON.stringify(closed(after)))
    throw new Error(`untouched fields were ${JSON.stringify(before)}, are ${JSON.stringify(after)}`);
  if (edited.fields.some(({ name }) => name === 'injected'))
    throw new Error('a value made a field of its own');
}

/** Parses and edits one message. @throws when a byte that nobody touched has changed */
async function runOne(original: Buffer, random: SeededRandom, counts: HeaderFuzzCounts): Promise<void> {
  const document = new MailDocument(bytesToSource(Buffer.from(original)));
  const { root } = document;
  checkTiling(root, original);
  checkGetters(root);
  counts.fields += root.header.fields.length;
  const touched = edit(root, random, counts);
  const out = await document.toBytes();
  checkUntouched(root, touched, original, out);
  document.reset();
  if (!(await document.toBytes()).equals(original)) throw new Error('reset did not bring the message back');
}

/** Runs for `seconds`, or `count` messages. @throws with seed, number and message of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<HeaderFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: HeaderFuzzCounts = { messages: 0, edits: 0, fields: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.messages < count && performance.now() < deadline) {
    const original = message(random);
    try {
      await runOne(original, random, counts);
    } catch (error) {
      const shown = JSON.stringify(original.toString('latin1'));
      throw new Error(`seed ${seed}, message ${counts.messages}: ${shown}`, { cause: error });
    }
    counts.messages++;
  }
  return counts;
}
