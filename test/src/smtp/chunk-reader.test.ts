import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChunkReader } from '../../../src/smtp/chunk-reader.js';

/** What a reader makes of a message that comes in chunks, each cut into packets. */
function read(chunks: readonly (readonly string[])[]): { text: string; hasLookAlike: boolean } {
  const reader = new ChunkReader();
  let text = '';
  for (const packets of chunks) {
    reader.expect(packets.join('').length);
    let isOver = packets.length === 0 && reader.feed(Buffer.alloc(0));
    for (const packet of packets) {
      isOver = reader.feed(Buffer.from(packet, 'latin1'));
      text += reader.piece.toString('latin1');
    }
    expect(isOver || packets.length === 0).toBe(true);
  }
  reader.end();
  return { text, hasLookAlike: reader.hasLookAlike };
}

/** The rule in one line: take out what is right, and see whether a lone dot between line ends is left. */
function hasLookAlike(text: string): boolean {
  const whole = `\r\n${text}\r\n`;
  for (let at = whole.indexOf('.'); at !== -1; at = whole.indexOf('.', at + 1)) {
    const isLone = /[\r\n]/.test(whole[at - 1]!) && /[\r\n]/.test(whole[at + 1]!);
    if (isLone && whole.slice(at - 2, at) + whole.slice(at + 1, at + 3) !== '\r\n\r\n') return true;
  }
  return false;
}

test('the bytes behind a chunk are left alone', () => {
  const reader = new ChunkReader();
  reader.expect(3);
  expect(reader.feed(Buffer.from('abcQUIT\r\n'))).toBe(true);
  expect(reader.piece.toString()).toBe('abc');
  expect(reader.rest.toString()).toBe('QUIT\r\n');
});

test('an empty chunk is over at once, and takes nothing', () => {
  const reader = new ChunkReader();
  reader.expect(0);
  expect(reader.feed(Buffer.from('RSET\r\n'))).toBe(true);
  expect(reader.piece).toHaveLength(0);
  expect(reader.rest.toString()).toBe('RSET\r\n');
});

test('dots are bytes like others: a line with one dot is kept', () => {
  expect(read([['a\r\n.\r\n..b\r\n']])).toEqual({ text: 'a\r\n.\r\n..b\r\n', hasLookAlike: false });
  expect(read([['.\r\n']])).toEqual({ text: '.\r\n', hasLookAlike: false });
});

test.each(['\n.\n', '\n.\r\n', '\r.\r', '\r.\n', '\r\n.\n', '\r\n.\r', '\r.\r\n', '\n.\r'])(
  'a look-alike of the final dot is seen, however it is cut: %j',
  (end) => {
    const text = `a${end}b`;
    for (let cut = 0; cut <= text.length; cut++) {
      expect(read([[text.slice(0, cut), text.slice(cut)]]).hasLookAlike).toBe(true);
      expect(read([[text.slice(0, cut)], [text.slice(cut)]]).hasLookAlike).toBe(true);
    }
  },
);

test('a last line without its end counts as if it had one, because DATA will add it', () => {
  expect(read([['a\n.']]).hasLookAlike).toBe(true);
  expect(read([['a\r\n.']]).hasLookAlike).toBe(false);
});

test('for any bytes in any cut the message is what was sent, and look-alikes are those of the rule', () => {
  const piece = fc.array(fc.constantFrom('\r', '\n', '.', 'a', '\r\n'), { maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(
        fc.array(
          piece.map((parts) => parts.join('')).filter((text) => text !== ''),
          { maxLength: 3 },
        ),
        {
          maxLength: 4,
        },
      ),
      (chunks) => {
        const text = chunks.flat().join('');
        expect(read(chunks)).toEqual({ text, hasLookAlike: hasLookAlike(text) });
      },
    ),
    { seed: 4711, numRuns: 3000 },
  );
});
