import { describe, expect, test } from 'vitest';
import { parsePattern } from '../../../../../src/scripting/host/patterns/parse-pattern.js';
import { safeSubjectLength } from '../../../../../src/scripting/host/patterns/prove-safe.js';
import { v8Source } from '../../../../../src/scripting/host/patterns/v8-source.js';
import { cpuSeconds } from '../../../../support/cpu-time.js';

function longest(source: string, flags = ''): number | undefined {
  const tree = parsePattern(source, flags);
  if (tree === undefined) throw new Error(`${source} is not V8's at all`);
  return safeSubjectLength(tree);
}

describe('patterns that must not run in V8', () => {
  test.each([
    ['^(a+)+$', 'nested repeats'],
    ['^(?:a|a)+$', 'a repeat that can take a byte in two ways'],
    ['(?:a?)*', 'a repeat of nothing'],
    ['(a?)?', 'an optional empty group, which V8 leaves unset'],
    ['(?:(a)|b)*', 'a group that an earlier round may have set'],
    ['(?:a{0,30}){30}', 'repeats of bounded repeats'],
    ['a?'.repeat(40) + 'a'.repeat(40), 'many optional parts'],
    ['.*.*.*.*.*x', 'adjacent repeats that overlap'],
  ])('%s: %s', (source) => {
    expect(longest(source)).toBeUndefined();
  });
});

describe('patterns that run in V8', () => {
  test.each([
    ['^[a-z0-9._-]+@([a-z0-9-]+)$', 100_000],
    ['@example\\.org$', 10_000],
    ['^\\s*$', 100_000],
    ['foo|bar|baz', 10_000],
    ['[a-z]+@[a-z.]+', 500],
    ['^Received: from (\\S+) \\((.*)\\)$', 200],
    ['^(?:ab|cd)+$', 100_000],
  ])('%s for texts of %i bytes and more', (source, least) => {
    expect(longest(source)).toBeGreaterThanOrEqual(least);
  });
});

test('the longest allowed subject of hard patterns is quick in V8', async () => {
  const hard: [string, string][] = [
    ['\\s+$', ' '],
    ['[a-z]+@', 'a'],
    ['.*.*x', 'a'],
    ['a+(?=.*x)b', 'a'],
    ['(?:a|b)+[ab]+c', 'a'],
    ['a*a*a*b', 'a'],
    ['(a{1,9}a{1,9}){1}a*b', 'a'],
  ];
  for (const [source, byte] of hard) {
    const length = longest(source);
    if (length === undefined) continue;
    const regexp = new RegExp(v8Source(parsePattern(source, '')!.body));
    const subject = `${byte.repeat(length - 1)}!`;
    expect(await cpuSeconds(() => regexp.test(subject)), source).toBeLessThan(0.2);
  }
});
