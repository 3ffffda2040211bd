import { expect, test } from 'vitest';
import { compileOption, type NativePattern, native } from '../../../src/native/index.js';
import { cpuSeconds } from '../../support/cpu-time.js';

const generous = { steps: 1_000_000, heapKibibytes: 65_536, milliseconds: 250 };

function compile(source: string, options = 0, limits = generous): NativePattern {
  const { patterns } = native();
  if (patterns.kind === 'missing') throw new Error(patterns.problem);
  const made = patterns.part.compile(source, options, 0, limits);
  if ('message' in made) throw new Error(made.message);
  return made;
}

test('a match leaves the offsets of all groups, -1 for those that took no part', () => {
  const pattern = compile('(a)|(b)|(c)');
  expect(pattern.exec('xb', 0, false)).toBe('match');
  expect([...pattern.offsets]).toEqual([1, 2, -1, -1, 1, 2, -1, -1]);
});

test('names come in order of appearance', () => {
  expect(compile('(?<z>a)(b)(?<a>c)').names).toEqual([
    { name: 'z', group: 1 },
    { name: 'a', group: 3 },
  ]);
});

test('bytes above 127 and zero bytes are matched as they are', () => {
  expect(compile('\\xff\\x00\xe5').exec('..\xff\x00\xe5', 0, false)).toBe('match');
});

test('a bad pattern has a message and the byte where it went wrong', () => {
  const { patterns } = native();
  if (patterns.kind === 'missing') throw new Error(patterns.problem);
  expect(patterns.part.compile('ab(c', 0, 0, generous)).toEqual({
    message: 'missing closing parenthesis',
    offset: 4,
  });
});

test('a subject that is asked about again and again is not mixed up with another', () => {
  const pattern = compile('b');
  const long = `${'a'.repeat(1000)}b${'a'.repeat(1000)}b`;
  expect(pattern.exec(long, 0, false)).toBe('match');
  expect(pattern.offsets[0]).toBe(1000);
  expect(pattern.exec(long, 1001, false)).toBe('match');
  expect(pattern.offsets[0]).toBe(2001);
  expect(pattern.exec('short', 0, false)).toBe('none');
  expect(pattern.exec(long, 2002, false)).toBe('none');
  expect(pattern.exec(long, 5, false)).toBe('match');
});

test('a subject larger than every buffer so far is matched to its end', () => {
  for (const size of [4095, 4096, 4097, 5_000_000, 10]) {
    expect(compile('x$').exec(`${'a'.repeat(size)}x`, 0, false)).toBe('match');
  }
});

test('a start past the end is no match', () => {
  expect(compile('').exec('abc', 4, false)).toBe('none');
  expect(compile('').exec('abc', 3, false)).toBe('match');
});

test.each([
  ['exponential', '^(a+)+$', `${'a'.repeat(40)}!`, 'steps'],
  ['cubic from every place', '(?:x+x+x+[yz])', 'x'.repeat(20_000), 'steps'],
  ['quadratic over a long text', '\\s+$', `${' '.repeat(2_000_000)}x`, 'time'],
  ['recursive without end', '(?<r>(?:a|(?&r))+)+$', `${'a'.repeat(30)}!`, 'steps'],
  ['deep for the JIT, large for the interpreter', '^(?:.|\\n)*Z', 'abc\n'.repeat(500_000), 'memory'],
] as const)('a pattern that is %s is stopped', async (_what, source, subject, limit) => {
  const pattern = compile(source);
  const seconds = await cpuSeconds(() => {
    // The interpreter first, then the JIT.
    expect(pattern.exec(subject, 0, false)).toBe(limit);
    expect(pattern.exec(subject, 0, false)).toBe(limit);
  });
  expect(seconds).toBeLessThan(5);
});

test('a match that needs more than the stack of the JIT is found by the interpreter', () => {
  const pattern = compile('^(?:.|\\n)*c$');
  const subject = `${'ab\n'.repeat(20_000)}c`;
  for (let round = 0; round < 3; round++) expect(pattern.exec(subject, 0, false)).toBe('match');
});

test('UTF-8 patterns match characters, start at one, and match nothing that is not UTF-8', () => {
  const pattern = compile('(.)', compileOption.utf);
  expect(pattern.exec('\xc3\xa5b', 0, false)).toBe('match');
  expect([...pattern.offsets]).toEqual([0, 2, 0, 2]);
  expect(pattern.exec('\xc3\xa5b', 1, false)).toBe('match');
  expect([...pattern.offsets]).toEqual([2, 3, 2, 3]);
  for (const broken of ['a\xff', '\xc3', '\xc0\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', 'abcdefgh\x80'])
    expect(pattern.exec(broken, 0, false)).toBe('none');
  for (const good of ['\xed\x9f\xbf', '\xf4\x8f\xbf\xbf', '\xe2\x82\xac'])
    expect(pattern.exec(good, 0, false)).toBe('match');
});

test('a pattern that asks for UTF-8 itself is as safe', () => {
  const pattern = compile('(*UTF)^.$');
  expect(pattern.exec('\xc3\xa5', 0, false)).toBe('match');
  expect(pattern.exec('\xc3', 0, false)).toBe('none');
  expect(() => compile('(*UTF)a\\Cb')).toThrow(/\\C/);
});

test('the clock in front of a pattern changes no meaning', () => {
  expect(compile('a|b').exec('b', 0, false)).toBe('match');
  expect(compile('\\Qa)').exec('a)', 0, false)).toBe('match');
  expect(compile('(?x) a # comment').exec('a', 0, false)).toBe('match');
  expect(compile('(*CRLF)^b', compileOption.multiline).exec('a\r\nb', 0, false)).toBe('match');
  const group = compile('(a)\\1(?R)?');
  expect(group.exec('aaaa', 0, false)).toBe('match');
  expect([...group.offsets]).toEqual([0, 4, 0, 1]);
  expect(() => compile('a)(?:b')).toThrow('unmatched closing parenthesis');
});

test('ten thousand patterns do not pile up', () => {
  // Other files have run in this process.
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 10_000; i++) expect(compile(`a${i}(b+)`).exec(`a${i}b`, 0, false)).toBe('match');
  expect(process.memoryUsage().rss - before).toBeLessThan(1 << 30);
});
