import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeCsvRecord } from '../../../stdlib/encodings/csv.js';
import { csvDecode, csvEncode } from '../../../stdlib/encodings/data-formats.builtins.js';
import { FakeContext, fromValue, keyed, toValue } from '../../support/fake-context.js';

const encode = (values: unknown, options: unknown = {}): unknown =>
  new FakeContext().call(csvEncode, toValue(values), toValue(options));
const decode = (text: string, options: unknown = {}): unknown =>
  fromValue(new FakeContext().call(csvDecode, text, toValue(options)));

describe('csv_encode', () => {
  test.each([
    [['Ada', 'Bo', 'Cy Dee'], 'Ada,Bo,"Cy Dee"'],
    [['a,b', 'c"d', 'e\nf'], '"a,b","c""d","e\nf"'],
    [[1, true, null, 2.5], '1,true,,2.5'],
    [[], ''],
  ])('%j is %s', (values, expected) => {
    expect(encode(values)).toBe(expected);
  });
  test('takes another delimiter of one byte', () => {
    expect(encode(['a', 'b;c'], { delimiter: ';' })).toBe('a;"b;c"');
    expect(() => encode(['a'], { delimiter: ';;' })).toThrow('csv_encode: the delimiter must be one byte');
    expect(() => encode(['a'], { delimiter: '"' })).toThrow('one byte');
  });
});

describe('csv_decode', () => {
  const rows = { header: false };
  test.each([
    [
      'a,b\nc,d\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,b\r\nc,d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    [
      'a,\n,b\n',
      [
        ['a', ''],
        ['', 'b'],
      ],
    ],
    ['a,', [['a', '']]],
    ['"a,""b""\nc",d', [['a,"b"\nc', 'd']]],
    ['a\n\n\r\nb\n', [['a'], ['b']]],
    ['""\n', [['']]],
    ['a"b,"c"d\n', [['a"b', 'cd']]],
    ['"a\r\nb"\r\n', [['a\r\nb']]],
    ['', []],
    ['\xef\xbb\xbfa', [['a']]],
  ])('%j has rows %j', (text, expected) => {
    expect(decode(text, rows)).toEqual(expected);
  });
  test('keys rows by the header', () => {
    expect(decode('id,name\n1,Bob\n')).toEqual([keyed(['id', '1'], ['name', 'Bob'])]);
    expect(decode('id;note\n1;"a;b"\n', { delimiter: ';' })).toEqual([keyed(['id', '1'], ['note', 'a;b'])]);
    expect(decode('id\n')).toEqual([]);
  });
  test.each(['a,b\n1\n', 'a,b\n1,2,3\n', 'a,"b\n1,2', '"open'])('%j is none', (text) => {
    expect(decode(text)).toBe(null);
  });
  test('types columns by a schema', () => {
    const schema = {
      n: { type: 'number' },
      ok: { type: 'boolean', true: ['yes'], false: ['no'] },
      opt: { type: 'string', nullable: ['NULL'] },
      e: { nullable: true },
    };
    expect(decode('n,ok,opt,e\n5,yes,NULL,\n-7.5,no,z,q\n', { schema })).toEqual([
      keyed(['n', 5], ['ok', true], ['opt', null], ['e', null]),
      keyed(['n', -7.5], ['ok', false], ['opt', 'z'], ['e', 'q']),
    ]);
    expect(decode('n\nx\n', { schema })).toBe(null);
    expect(decode('n\n0x1F\n', { schema })).toBe(null);
    expect(decode('ok\nmaybe\n', { schema })).toBe(null);
    expect(decode('1,x\n', { header: false, schema: { 0: { type: 'number' } } })).toEqual([[1, 'x']]);
    expect(() => decode('n\n1\n', { schema: { n: { type: 'int' } } })).toThrow('type');
    expect(() => decode('n\n1\n', { schema: { n: 'number' } })).toThrow('array');
  });
});

test('records that are written are read back', () => {
  const field = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', ';', '\xe5') });
  fc.assert(
    fc.property(
      fc.array(fc.array(field, { minLength: 2, maxLength: 4 })),
      fc.constantFrom(',', ';'),
      (table, delimiter) => {
        const text = table.map((row) => encodeCsvRecord(row, delimiter)).join('\r\n');
        expect(decode(text, { header: false, delimiter })).toEqual(table);
      },
    ),
  );
});
