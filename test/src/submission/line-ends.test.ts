import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineEnds } from '../../../src/submission/line-ends.js';

function normalised(pieces: readonly string[]): string {
  const lineEnds = new LineEnds();
  // Copies, because the reader may change what it is given.
  const out = pieces.map((piece) => lineEnds.feed(Buffer.from(piece, 'latin1')).toString('latin1'));
  return [...out, lineEnds.end().toString('latin1')].join('');
}

test.each([
  ['', ''],
  ['a', 'a\r\n'],
  ['a\n', 'a\r\n'],
  ['a\r\n', 'a\r\n'],
  ['a\r', 'a\r\n'],
  ['\n', '\r\n'],
  ['\r', '\r\n'],
  ['\n\n', '\r\n\r\n'],
  ['\n\r', '\r\n\r\n'],
  ['\r\r\n', ' \r\n'],
  ['a\rb\nc', 'a b\r\nc\r\n'],
  ['a\r\r\r', 'a  \r\n'],
])('%j becomes %j', (sent, stored) => {
  expect(normalised([sent])).toBe(stored);
});

const text = fc.string({ unit: fc.constantFrom('\r', '\n', '.', 'a'), maxLength: 24 });

test('whatever comes, in whatever pieces: every line ends in CR LF, no CR or LF stands alone, the rest is as it was', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (pieces) => {
      const whole = pieces.join('');
      const out = normalised(pieces);
      expect(out).toBe(normalised([whole]));
      expect(out).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
      if (whole !== '') expect(out).toMatch(/\r\n$/);
      expect(out.replace(/[\r\n ]/g, '')).toBe(whole.replace(/[\r\n]/g, ''));
    }),
    { seed: 42, numRuns: 2000 },
  );
});
