import { deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pack, unpack, zlibCompress, zlibUncompress } from '../../../stdlib/encodings/binary.builtins.js';
import { FakeContext, fromValue, toValue } from '../../support/fake-context.js';

function run(builtin: Parameters<FakeContext['call']>[0], ...args: unknown[]): unknown {
  return fromValue(new FakeContext().call(builtin, ...args.map(toValue)));
}
const hex = (bytes: unknown): unknown =>
  typeof bytes === 'string' ? Buffer.from(bytes, 'latin1').toString('hex') : bytes;

describe('pack', () => {
  test.each([
    [['N', 1], '00000001'],
    [['nv', 258, 258], '01020201'],
    [['V', 305419896], '78563412'],
    [['C3', 1, 2, 255], '0102ff'],
    [['C*', 72, 105], '4869'],
    [['a5', 'abc'], '6162630000'],
    [['a2', 'abcdef'], '6162'],
    [['a', 'xyz'], '78'],
    [['a0', 'xyz'], ''],
    [['a*', 'abc'], '616263'],
    [['Z*', 'abc'], '61626300'],
    [['Z5', 'abcdefgh'], '6162636400'],
    [['Z', 'abc'], '00'],
    [['H*', 'DEADbeef'], 'deadbeef'],
    [['H3', 'dead'], 'dea0'],
    [['x4'], '00000000'],
    [['nCa3N', 1, 2, 'xyz', 3], '00010278797a00000003'],
    [['E', 1.5], '3ff8000000000000'],
    [['e', -0.25], '000000000000d0bf'],
    [['n', -1], 'ffff'],
    [['C', 257.9], '01'],
    [['N', 4294967297], '00000001'],
    [['N', Number.NaN], '00000000'],
    [['N*'], ''],
    [[''], ''],
    [['n', 1, 2], '0001'],
  ])('%j is %s', (args, expected) => {
    expect(hex(run(pack, ...args))).toBe(expected);
  });
  test.each([
    [['NN', 1]],
    [['a']],
    [['Q', 1]],
    [['c', 1]],
    [['x*']],
    [['H*', 'xy']],
    [['H4', 'ab']],
    [['N 1', 1]],
    [['-', 1]],
  ])('%j is none', (args) => {
    expect(run(pack, ...args)).toBe(null);
  });
  test('refuses values of the wrong type and pieces without end', () => {
    expect(() => run(pack, 'n', 'x')).toThrow('argument 2 of pack must be a number, not string');
    expect(() => run(pack, 'na', 1, 2)).toThrow('argument 3 of pack must be a string, not number');
    expect(() => run(pack, 'x9999999999')).toThrow('at most');
    expect(() => run(pack, 'a9999999999', '')).toThrow('at most');
  });
});

describe('unpack', () => {
  test.each([
    [
      ['N*', '\x00\x00\x00\x01\x00\x00\x00\x02'],
      [1, 2],
    ],
    [
      ['nv', '\x01\x02\x01\x02'],
      [258, 513],
    ],
    [
      ['cC', '\xff\xff'],
      [-1, 255],
    ],
    [['H*', '\n\xff'], ['0aff']],
    [['H3', '\xab\xcd'], ['abc']],
    [['a3', 'abcdef'], ['abc']],
    [['a4', 'a\0b\0'], ['a\0b\0']],
    [
      ['Z4C', 'a\0b\0\x07'],
      ['a', 7],
    ],
    [
      ['Z*C', 'abc\0\x07'],
      ['abc', 7],
    ],
    [['Z*', 'abc'], ['abc']],
    [['n', '\x00\x01\x00\x02', 2], [2]],
    [['x2C', '\x01\x02\x03'], [3]],
    [['E', '@\x04\x00\x00\x00\x00\x00\x00'], [2.5]],
    [['V', '\xff\xff\xff\xff'], [4294967295]],
    [['a*', ''], ['']],
    [['n*', '\x00\x01\x02'], [1]],
    [['', 'abc'], []],
  ])('%j gives %j', (args, expected) => {
    expect(run(unpack, ...args)).toEqual(expected);
  });
  test.each([
    [['N', 'ab']],
    [['a3', 'ab']],
    [['x3', 'ab']],
    [['q', 'ab']],
    [['C', 'ab', 3]],
    [['C', 'ab', -1]],
    [['C99999999999', 'ab']],
  ])('%j is none', (args) => {
    expect(run(unpack, ...args)).toBe(null);
  });
});

test('what is packed unpacks to itself', () => {
  const field = fc.oneof(
    fc.nat(0xff).map((n) => ['C', n] as const),
    fc.nat(0xffff).map((n) => ['n', n] as const),
    fc.nat(0xffff).map((n) => ['v', n] as const),
    fc.nat(0xffffffff).map((n) => ['N', n] as const),
    fc.nat(0xffffffff).map((n) => ['V', n] as const),
    fc.double({ noNaN: true }).map((n) => ['E', n] as const),
    fc.double({ noNaN: true }).map((n) => ['e', n] as const),
    fc.string({ minLength: 3, maxLength: 3, unit: 'binary-ascii' }).map((s) => ['a3', s] as const),
  );
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      const format = fields.map(([code]) => code).join('');
      const values = fields.map(([, value]) => value);
      expect(run(unpack, format, run(pack, format, ...values))).toEqual(values);
    }),
  );
});

describe('zlib', () => {
  const text = 'abc'.repeat(500);
  test.each([15, 9, -15, -8, 31, 25])('round trip with window bits %i', (bits) => {
    expect(run(zlibUncompress, run(zlibCompress, text, 6, bits), bits)).toBe(text);
  });
  test('47 finds out what it is', () => {
    expect(run(zlibUncompress, gzipSync(text).toString('latin1'), 47)).toBe(text);
    expect(run(zlibUncompress, deflateSync(text).toString('latin1'), 47)).toBe(text);
  });
  test('broken, cut off and unknown is none', () => {
    expect(run(zlibUncompress, 'no zlib')).toBe(null);
    expect(run(zlibUncompress, deflateSync(text).toString('latin1').slice(0, -6))).toBe(null);
    expect(run(zlibUncompress, '', 99)).toBe(null);
    expect(run(zlibCompress, 'x', 10)).toBe(null);
    expect(run(zlibCompress, 'x', 6, 47)).toBe(null);
    expect(run(zlibCompress, 'x', Number.NaN)).toBe(null);
  });
  test('large inputs are done in the thread pool', async () => {
    const large = Array.from({ length: 40_000 }, (_, i) => String.fromCharCode((i * 7919) % 251)).join('');
    const ctx = new FakeContext();
    const packed = ctx.call(zlibCompress, large, 0);
    expect(packed).toBeInstanceOf(Promise);
    expect(await ctx.callAsync(zlibUncompress, await packed)).toBe(large);
  });
});
