import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GrowingText } from '../../../stdlib/strings/growing-text.js';

test('a growing text is its pieces, however many and however long', () => {
  const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
  const piece = fc.tuple(byte, fc.integer({ min: 0, max: 40_000 })).map(([one, times]) => one.repeat(times));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = new GrowingText();
      for (const one of pieces) text.add(one);
      expect(text.length).toBe(pieces.join('').length);
      expect(text.toString()).toBe(pieces.join(''));
    }),
    { numRuns: 50 },
  );
});
