import { describe, expect, test } from 'vitest';
import { PatternError, PatternLimitError } from '#lang';
import { createPatternEngine } from '../../../../../src/scripting/host/patterns/engine.js';

const engine = createPatternEngine();
const bare = createPatternEngine({ library: { kind: 'missing', problem: 'the addon is not built' } });

/** The whole match and its groups as texts. */
function match(source: string, flags: string, subject: string): (string | undefined)[] | undefined {
  const found = engine.compile(source, flags).exec(subject, 0);
  if (found === undefined) return undefined;
  const texts: (string | undefined)[] = [];
  for (let i = 0; i < found.length; i += 2)
    texts.push(found[i]! < 0 ? undefined : subject.slice(found[i], found[i + 1]));
  return texts;
}

describe('patterns as published scripts write them', () => {
  test.each([
    ['(?<user>\\w+)@(?<host>[\\w.]+)', '', 'to: joe@example.org', ['joe@example.org', 'joe', 'example.org']],
    [
      '(?(DEFINE)(?<octet>25[0-5]|2[0-4]\\d|1?\\d?\\d))^(?&octet)(?:\\.(?&octet)){3}$',
      '',
      '192.0.2.1',
      ['192.0.2.1', undefined],
    ],
    ['\\((?:[^()]++|(?R))*+\\)', '', 'x(a(b)c)y', ['(a(b)c)']],
    ['foo\\Kbar', '', 'foobar', ['bar']],
    ['(?<=\\$)\\d+', '', 'cost $42', ['42']],
    ['(?<!\\$)\\b\\d+', '', '$42 17', ['17']],
    ['[[:upper:]]+[[:digit:]]', '', 'abCD3', ['CD3']],
    ['(?>a+)b', '', 'aaab', ['aaab']],
    ['(.)\\1', '', 'hello', ['ll', 'l']],
    ['a.c', 's', 'a\nc', ['a\nc']],
    ['^b$', 'm', 'a\nb\nc', ['b']],
    [' a  b # comment', 'x', 'ab', ['ab']],
    ['<.+>', 'U', '<a><b>', ['<a>']],
    ['HALON', 'i', 'the halon mta', ['halon']],
    ['^.$', 'u', '\xc3\xa5', ['\xc3\xa5']],
    ['\xc3\x85', 'iu', '\xc3\xa5', ['\xc3\xa5']],
    ['\\x{20ac}', 'u', '5 \xe2\x82\xac', ['\xe2\x82\xac']],
    ['^\\w+$', 'u', '\xc3\xa5', undefined],
    ['\\j', '', 'j', ['j']],
    ['(?i)subject: (.*)$', 'm', 'X: 1\nSUBJECT: hi\nY: 2', ['SUBJECT: hi', 'hi']],
    ['a$', '', 'a\n', ['a']],
  ] as const)('/%s/%s on %j', (source, flags, subject, expected) => {
    expect(match(source, flags, subject)).toEqual(expected);
  });

  test('an unknown escape is an error with the flag X', () => {
    expect(() => engine.compile('\\j', 'X')).toThrow(PatternError);
  });
});

describe('which engine runs a pattern', () => {
  test('simple patterns run in V8, others in PCRE2', () => {
    expect(engine.compile('^[a-z]+@example\\.org$', 'i').engine).toBe('v8');
    expect(engine.compile('(?<=a)b', '').engine).toBe('pcre2');
    expect(engine.compile('^(a+)+$', '').engine).toBe('pcre2');
  });

  test('long subjects of a V8 pattern go to PCRE2 with the same result', () => {
    const pattern = engine.compile('[a-z]+@', '');
    expect(pattern.engine).toBe('v8');
    expect(pattern.test(`${'1'.repeat(100_000)}a@`)).toBe(true);
    expect(pattern.test(`${'1'.repeat(100_000)}a`)).toBe(false);
  });

  test('equal arguments give the same object', () => {
    expect(engine.compile('a+', 'i')).toBe(engine.compile('a+', 'i'));
    expect(engine.compile('a+', 'i')).not.toBe(engine.compile('a+', ''));
  });

  test('patterns used last are kept, and no more than asked for', () => {
    const small = createPatternEngine({ cachedPatterns: 8 });
    const kept = small.compile('kept', '');
    for (let i = 0; i < 100; i++) {
      small.compile(`other${i}`, '');
      expect(small.compile('kept', '')).toBe(kept);
    }
    expect(small.compile('other1', '')).not.toBe(undefined);
  });
});

describe('limits and faults', () => {
  test('a catastrophic pattern ends quickly, with an error that names it', () => {
    const before = process.cpuUsage();
    const pattern = engine.compile('^(a+)+$', '');
    for (const round of [1, 2])
      expect(() => pattern.test(`${'a'.repeat(40)}!`), `round ${round}`).toThrow(PatternLimitError);
    expect(() => engine.compile('\\s+$', '').test(`${' '.repeat(3_000_000)}x`)).toThrow(/takes too long/);
    // Of this process: others may have the machine.
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  });

  test('the error says what to do', () => {
    expect(() => engine.compile('^(a+)+$', '').test(`${'a'.repeat(40)}!`)).toThrow(
      'matching /^(a+)+$/ against a text of 41 bytes was stopped: there are too many ways to try (the limit is 1000000 steps). ' +
        'Make repeated parts that can match the same text possessive (a++), or anchor the pattern.',
    );
  });

  test('a bad pattern has a sentence and the byte', () => {
    try {
      engine.compile('ab[c', '');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PatternError);
      expect(error).toMatchObject({
        message: 'missing terminating ] for character class at byte 4 of the pattern /ab[c/',
        offset: 4,
      });
    }
  });

  test('an unknown flag is refused', () => {
    expect(() => engine.compile('a', 'g')).toThrow('unknown pattern flag "g"; the flags are i m s x u U X');
  });
});

describe('without the addon', () => {
  test('simple patterns work, with their groups', () => {
    const pattern = bare.compile('(\\w+)@(x)?', '');
    expect(Array.from(pattern.exec('to joe@box', 0)!)).toEqual([3, 7, 3, 6, -1, -1]);
  });

  test('other patterns are refused with the reason', () => {
    expect(() => bare.compile('(?<=a)b', '')).toThrow(
      new PatternError('the pattern /(?<=a)b/ needs PCRE2, but the addon is not built', 0),
    );
  });

  test('a subject too long for V8 is refused', () => {
    expect(() => bare.compile('[a-z]+@', '').test('a'.repeat(100_000))).toThrow(PatternLimitError);
  });
});
