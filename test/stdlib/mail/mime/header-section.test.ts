import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseHeaderSection } from '../../../../stdlib/mail/mime/header-section.js';
import { cpuSeconds } from '../../../support/cpu-time.js';

function fieldsOf(text: string): [string, string][] {
  const bytes = Buffer.from(text, 'latin1');
  return parseHeaderSection(bytes).fields.map(({ name, start, end }) => [
    name,
    bytes.toString('latin1', start, end),
  ]);
}

test('fields keep their folding and line ends', () => {
  expect(fieldsOf('Subject: a\r\n b\r\nTO:x\r\n\r\nbody: no\r\n')).toEqual([
    ['subject', 'Subject: a\r\n b\r\n'],
    ['to', 'TO:x\r\n'],
  ]);
});

test('lines may end with LF alone', () => {
  expect(fieldsOf('A: 1\nB: 2\r\n\nbody')).toEqual([
    ['a', 'A: 1\n'],
    ['b', 'B: 2\r\n'],
  ]);
});

test.each([
  ['From somebody Mon\r\nA: 1\r\n\r\n', ['', 'a']],
  [' starts with a blank\r\nA: 1\r\n\r\n', ['', 'a']],
  ['A : 1\r\n\r\n', ['a']],
  ['two words: 1\r\n\r\n', ['']],
  [': 1\r\n\r\n', ['']],
  ['A: 1', ['a']],
  ['no header at all', ['']],
  ['\r\nbody: no\r\n', []],
  ['', []],
])('%j is survived', (text, names) => {
  expect(fieldsOf(text).map(([name]) => name)).toEqual(names);
});

test('every byte before the empty line belongs to exactly one field', () => {
  const piece = fc.constantFrom('A', ':', ' ', '\t', '\r', '\n', '\r\n', 'b', '\xff', '\x00');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''), 'latin1');
      const { fields, end, isClosed } = parseHeaderSection(bytes);
      let at = 0;
      for (const field of fields) {
        expect(field.start).toBe(at);
        expect(field.valueStart).toBeGreaterThanOrEqual(field.start);
        expect(field.valueStart).toBeLessThanOrEqual(field.end);
        at = field.end;
      }
      expect(at).toBe(end);
      if (isClosed) expect(/^\r?\n/.test(bytes.toString('latin1', end))).toBe(true);
      else expect(end).toBe(bytes.length);
    }),
    { numRuns: 2000 },
  );
});

test('a large section without any colon is read in linear time', async () => {
  const seconds = await cpuSeconds(() => parseHeaderSection(Buffer.from('a\n'.repeat(500_000))));
  expect(seconds).toBeLessThan(2);
});
