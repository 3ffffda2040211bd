// The two engines against each other: whatever the parser hands to V8 must compile in PCRE2 and give the same offsets.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPatternEngine } from '../../../../../src/scripting/host/patterns/engine.js';
import { parsePattern } from '../../../../../src/scripting/host/patterns/parse-pattern.js';

const missing = { kind: 'missing', problem: 'left out by this test' } as const;
const v8 = createPatternEngine({ library: missing, cachedPatterns: 2 });
const pcre2 = createPatternEngine({ only: 'pcre2', cachedPatterns: 2 });

// Pieces that meet in all orders: many results are errors or PCRE2's alone, which is fine.
const atoms = [
  'a',
  'b',
  'A',
  'k',
  '1',
  ' ',
  '_',
  '-',
  '.',
  '^',
  '$',
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\N',
  '\\b',
  '\\B',
  '\\A',
  '\\z',
  '\\Z',
  '\\n',
  '\\t',
  '\\.',
  '\\x41',
  '\\x{e5}',
  '\\xa0',
  '\xe5',
  '\xc5',
  '\n',
  '#',
  '\\#',
  '[ab]',
  '[^a]',
  '[a-c1]',
  '[\\d_]',
  '[^\\s]',
  '[\\S]',
  '[[:alpha:]]',
  '[[:^digit:]]',
  '[[:punct:]-]',
  '[]a]',
  '[^]a]',
  '[a\\]-]',
  '[\\x00-\\x20]',
  '[\xe0-\xff]',
  '[-a]',
  '[.]',
  '[\\b]',
  '[a-b-]',
  '[K-k]',
];
const quantifiers = ['*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,3}?', '{1,}', ' +'];
const openers = ['(', '(?:', '(?<n>', '(?i:', '(?s:', '(?=', '(?!', '(?-i:', '(?x:'];
const settings = ['(?i)', '(?-i)', '(?m)', '(?s)', '(?x)', '(?U)', '(?is-m)'];

const quantified = (pattern: fc.Arbitrary<string>) =>
  fc.tuple(pattern, fc.option(fc.constantFrom(...quantifiers), { nil: '', freq: 3 })).map(([p, q]) => p + q);

const { pattern } = fc.letrec<{ pattern: string; branch: string; item: string }>((tie) => ({
  pattern: fc.array(tie('branch'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('item'), { maxLength: 4 }).map((items) => items.join('')),
  item: fc.oneof(
    { maxDepth: 4 },
    { weight: 8, arbitrary: quantified(fc.constantFrom(...atoms)) },
    { weight: 1, arbitrary: fc.constantFrom(...settings) },
    {
      weight: 3,
      arbitrary: quantified(
        fc.tuple(fc.constantFrom(...openers), tie('pattern')).map(([o, p]) => `${o}${p})`),
      ),
    },
  ),
}));

const flags = fc.subarray(['i', 'm', 's', 'x', 'U', 'X']).map((letters) => letters.join(''));
const subject = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'c', 'A', 'K', 'k', '1', ' ', '_', '-', ']', '#') },
      {
        weight: 2,
        arbitrary: fc.constantFrom('\n', '\r', '\t', '\x0b', '\xe5', '\xc5', '\xa0', '\x85', '\xff', '\0'),
      },
    ),
    { maxLength: 14 },
  )
  .map((bytes) => bytes.join(''));

describe('V8 and PCRE2 agree', () => {
  test('on every pattern that the parser gives to V8', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        pattern,
        flags,
        fc.array(subject, { minLength: 3, maxLength: 3 }),
        (source, letters, subjects) => {
          if (parsePattern(source, letters) === undefined) return;
          const theirs = pcre2.compile(source, letters);
          let ours: ReturnType<typeof v8.compile>;
          try {
            ours = v8.compile(source, letters);
          } catch {
            return; // not proven safe
          }
          expect(ours.engine).toBe('v8');
          expect([ours.groupCount, ours.names]).toEqual([theirs.groupCount, theirs.names]);
          for (const text of subjects) {
            compared++;
            expect(ours.test(text)).toBe(theirs.test(text));
            for (const start of [0, 1, text.length]) {
              for (const notEmpty of [false, true]) {
                const mine = ours.exec(text, start, notEmpty);
                const other = theirs.exec(text, start, notEmpty);
                expect(mine && [...Array.from(mine)], `${JSON.stringify([text, start, notEmpty])}`).toEqual(
                  other && [...Array.from(other)],
                );
              }
            }
          }
        },
      ),
      { seed: 20_240_607, numRuns: 6000 },
    );
    // The comparison must not have gone empty.
    expect(compared).toBeGreaterThan(3000);
  });
});
