import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DotStuffer } from '../../../../src/delivery/client/dot-stuffing.js';

function stuff(text: string, cuts: readonly number[] = []): string {
  const bytes = Buffer.from(text, 'latin1');
  const stuffer = new DotStuffer();
  let wire = '';
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    wire += stuffer.push(bytes.subarray(start, cut)).toString('latin1');
    start = cut;
  }
  return wire + stuffer.end().toString('latin1');
}

describe('on the wire', () => {
  const table: [string, string, string][] = [
    ['an empty message', '', '.\r\n'],
    ['a message with its last line ended', 'a\r\n', 'a\r\n.\r\n'],
    ['a message without a last line end gets one', 'a', 'a\r\n.\r\n'],
    ['a dot at the start is doubled', '.a\r\n', '..a\r\n.\r\n'],
    ['a dot at the start of a line is doubled', 'a\r\n.\r\n..b\r\n', 'a\r\n..\r\n...b\r\n.\r\n'],
    ['a dot elsewhere is not', 'a.\r\nb.c\r\n', 'a.\r\nb.c\r\n.\r\n'],
    ['a lone dot', '.', '..\r\n.\r\n'],
    ['a bare LF becomes a line end', 'a\nb', 'a\r\nb\r\n.\r\n'],
    ['a message of one LF', '\n', '\r\n.\r\n'],
    ['LF dot LF is no end of data', 'a\n.\nMAIL', 'a\r\n..\r\nMAIL\r\n.\r\n'],
    ['LF dot CRLF is no end of data', 'a\n.\r\nMAIL', 'a\r\n..\r\nMAIL\r\n.\r\n'],
    ['a bare CR becomes a space', 'a\rb', 'a b\r\n.\r\n'],
    ['CR dot CR is no end of data', 'a\r.\rMAIL\r\n', 'a . MAIL\r\n.\r\n'],
    ['CR CR LF keeps one line end', 'a\r\r\nb\r\n', 'a \r\nb\r\n.\r\n'],
    ['a CR at the very end becomes the line end', 'a\r', 'a\r\n.\r\n'],
    ['LF CR is a line end and a space', 'a\n\rb', 'a\r\n b\r\n.\r\n'],
  ];
  test.each(table)('%s, however it is cut', (_name, stored, wire) => {
    expect(stuff(stored)).toBe(wire);
    for (let cut = 0; cut <= stored.length; cut++) expect(stuff(stored, [cut])).toBe(wire);
    expect(
      stuff(
        stored,
        [...stored].map((_, index) => index),
      ),
    ).toBe(wire);
  });

  test('a chunk that needs no change is not copied', () => {
    const chunk = Buffer.from('a\r\nb\r\n');
    expect(new DotStuffer().push(chunk)).toBe(chunk);
  });
});

test('unstuffing gives the message back, cut anywhere, and there is one end of data however line ends are read', () => {
  const piece = fc.constantFrom('.', '..', '\r\n', '\n', '\r', 'a', 'xyz', '\r\n.\r\n', '\n.\n', '\xff');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
      fc.array(fc.nat(200), { maxLength: 6 }),
      (stored, cuts) => {
        const inside = cuts.filter((cut) => cut <= stored.length).sort((a, b) => a - b);
        const wire = stuff(stored, inside);
        expect(wire.endsWith('.\r\n')).toBe(true);
        expect(wire.search(/(^|[\r\n])\.[\r\n]/)).toBe(wire.length === 3 ? 0 : wire.length - 4);
        expect(wire).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
        const received = wire.slice(0, -3).replace(/(^|\r\n)\./g, '$1');
        // The last CR stands for the line end that is missing behind it.
        const clean = stored
          .replace(/\r$/, '\r\n')
          .replace(/\r(?!\n)/g, ' ')
          .replace(/(?<!\r)\n/g, '\r\n');
        expect(received).toBe(clean === '' || clean.endsWith('\r\n') ? clean : `${clean}\r\n`);
      },
    ),
    { numRuns: 1000 },
  );
});
