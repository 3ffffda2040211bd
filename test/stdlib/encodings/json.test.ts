import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HslArray, HslResource, isSame, textToBytes, type Value } from '#lang';
import { jsonDecode, jsonEncode } from '../../../stdlib/encodings/data-formats.builtins.js';
import { decodeJson } from '../../../stdlib/encodings/json-decode.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';

const encode = (value: unknown, options: unknown = {}): unknown =>
  new FakeContext().call(jsonEncode, toValue(value), toValue(options));
const decode = (text: string, options: unknown = {}): Value =>
  new FakeContext().call(jsonDecode, textToBytes(text), toValue(options));

/** Values that JSON can say, keys in any order. */
const jsonValues = fc.letrec<{ value: Value; array: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
    fc.integer(),
    fc.string({ unit: 'grapheme' }).map((text) => textToBytes(text)),
    tie('array'),
  ),
  array: fc.oneof(
    fc.array(tie('value'), { maxLength: 5 }).map((list) => HslArray.fromList(list)),
    fc
      .array(fc.tuple(fc.oneof(fc.string({ maxLength: 3 }), fc.integer()), tie('value')), {
        minLength: 1,
        maxLength: 5,
      })
      .map((entries) =>
        HslArray.fromEntries(
          entries.map(([key, value]) => [typeof key === 'string' ? textToBytes(key) : key, value]),
        ),
      ),
  ),
})).value;

describe('json_encode', () => {
  test.each([
    [[1, 'two', true, null], '[1,"two",true,null]'],
    [{ a: 1, b: { c: 2 } }, '{"a":1,"b":{"c":2}}'],
    [[], '[]'],
    [{ 1: 'a', 2: 'b' }, '{"1":"a","2":"b"}'],
    ['q" b\\ n\n t\t \x01\x7f', '"q\\" b\\\\ n\\n t\\t \\u0001\x7f"'],
    [textToBytes('å€😀'), '"\\u00e5\\u20ac\\ud83d\\ude00"'],
    [[0.5, 10, -3, 1.25, 1e21, -0], '[0.5,10,-3,1.25,1e+21,0]'],
    ['a/b', '"a/b"'],
    [{ [textToBytes('å')]: 1 }, '{"\\u00e5":1}'],
  ])('%j is %s', (value, expected) => {
    expect(encode(value)).toBe(expected);
  });
  test('keeps characters beyond ASCII when told so', () => {
    expect(encode(textToBytes('å€'), { ensure_ascii: false })).toBe(textToBytes('"å€"'));
  });
  test('prints prettily with four blanks', () => {
    expect(encode({ a: [1, 2], b: [] }, { pretty_print: true })).toBe(
      '{\n    "a": [\n        1,\n        2\n    ],\n    "b": []\n}',
    );
  });
  test.each([
    ['bytes that are no UTF-8', '\xff'],
    ['not a number', Number.NaN],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['functions', [() => null]],
    ['resources', new HslResource('Regex', undefined)],
    ['keys that are arrays', HslArray.fromEntries([[HslArray.empty(), 1]])],
  ])('has no form for %s', (_, value) => {
    expect(encode(value)).toBe(null);
  });
  test('ends at 512 levels', () => {
    const nest = (levels: number): HslArray => {
      let array = HslArray.empty();
      for (let i = 1; i < levels; i++) array = HslArray.fromList([array]);
      return array;
    };
    expect(encode(nest(512))).toBe(`${'['.repeat(512)}${']'.repeat(512)}`);
    expect(encode(nest(513))).toBe(null);
  });
  test('refuses a small array that stands for a very long text', () => {
    let array = HslArray.fromList(['x'.repeat(1024)]);
    for (let i = 0; i < 40; i++) {
      array.shared = true;
      array = HslArray.fromList([array, array]);
    }
    const ctx = new FakeContext();
    ctx.charge = (bytes) => {
      ctx.charged += bytes;
      if (ctx.charged > 10_000_000) throw new Error('memory limit');
    };
    expect(() => ctx.call(jsonEncode, array)).toThrow('memory limit');
  });
});

describe('json_decode', () => {
  test.each([
    ['[1e3,-0.25,12345678901]', [1000, -0.25, 12345678901]],
    [' {"a" : {"b":[1,2,3]} } ', keyed(['a', keyed(['b', [1, 2, 3]])])],
    ['{"b":1,"1":2,"a":3}', keyed(['b', 1], [1, 2], ['a', 3])],
    ['{"a":1,"b":2,"a":3}', keyed(['a', 3], ['b', 2])],
    ['{"__proto__":1}', keyed(['__proto__', 1])],
    ['{"0":1,"1":2}', [1, 2]],
    ['"\\u00e5\\ud83d\\ude00\\/\\b\\f"', textToBytes('å😀/\b\f')],
    ['"\\ud83dx"', '\xef\xbf\xbdx'],
    ['"\\ud83d\\u0041"', '\xef\xbf\xbdA'],
    ['"å"', textToBytes('å')],
    ['null', null],
    ['true', true],
    ['{}', []],
    ['\ufeff1', 1],
  ])('%j gives %j', (text, expected) => {
    expect(fromValue(decode(text))).toEqual(expected);
  });
  test.each([
    '',
    '{bad',
    '[1,]',
    '{"a":1,}',
    '01',
    '1.',
    '.5',
    '+1',
    "'a'",
    '"a',
    '"\n"',
    '"\\x"',
    '"\\u12"',
    'nul',
    'truex',
    '1 2',
    '1e999',
    'NaN',
    '{"a" 1}',
    '{1:2}',
    '/**/1',
    '[1',
  ])('%j is none', (text) => {
    expect('problem' in decodeJson(text, false)).toBe(true);
  });
  test('refuses text that is no UTF-8', () => {
    expect('problem' in decodeJson('"\xff"', false)).toBe(true);
  });
  test('skips comments when allowed', () => {
    const text = '// head\n{ /* a */ "a" /* b\n * c **/ : // d\n [1 /**/, 2] }\n//';
    expect(fromValue(decode(text, { allow_comments: true }))).toEqual(keyed(['a', [1, 2]]));
    expect(decode(text)).toBe(null);
    expect(decode('1 /* open', { allow_comments: true })).toBe(null);
  });
  test('skips any number of comments', () => {
    expect(decode(`${'/**/ '.repeat(2_000_000)}1`, { allow_comments: true })).toBe(1);
    expect(decode(`/*${'*a'.repeat(2_000_000)}`, { allow_comments: true })).toBe(null);
  });
  test('says in which line it went wrong', () => {
    expect(decodeJson('{\n"a": 1,\n"b": x\n}', false)).toEqual({
      problem: 'found "x" where a value was expected',
      line: 3,
    });
  });
  test('stops at depth, and quickly', () => {
    expect(decode('['.repeat(512) + ']'.repeat(512))).not.toBe(null);
    expect(decode('['.repeat(513) + ']'.repeat(513))).toBe(null);
    expect(decode('['.repeat(1_000_000))).toBe(null);
    expect(decode('{"a":'.repeat(1_000_000))).toBe(null);
  });
});

test('what is encoded decodes to the same value', () => {
  fc.assert(
    fc.property(jsonValues, fc.boolean(), fc.boolean(), (value, ensureAscii, pretty) => {
      const text = encode(value, { ensure_ascii: ensureAscii, pretty_print: pretty }) as string;
      expect(isSame(new FakeContext().call(jsonDecode, text), value)).toBe(true);
      expect(() => JSON.parse(Buffer.from(text, 'latin1').toString())).not.toThrow();
    }),
  );
});

test('agrees with JavaScript about what is JSON', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '1',
    '-',
    '0',
    '.5',
    'e1',
    'true',
    'null',
    ' ',
    '"',
    '\\n',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
      const text = parts.join('');
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect('value' in decodeJson(text, false)).toBe(isJson);
    }),
    { numRuns: 2000 },
  );
});
