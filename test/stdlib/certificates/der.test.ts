import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MalformedDer,
  readElement,
  readOctets,
  readOid,
  readSmallInteger,
  readTime,
  readWhole,
  tags,
  unlessMalformed,
} from '../../../stdlib/certificates/der-reader.js';
import * as der from '../../../stdlib/certificates/der-writer.js';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('what is written is read again', () => {
  test('object identifiers', () => {
    const arc = fc.nat({ max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(fc.nat({ max: 2 }), fc.nat({ max: 39 }), fc.array(arc, { maxLength: 10 }), (a, b, rest) => {
        const dotted = [a, b, ...rest].join('.');
        expect(readOid(readWhole(der.oid(dotted)))).toBe(dotted);
      }),
      { numRuns: 200, seed: 1 },
    );
    expect(der.oid('1.2.840.113549').toString('hex')).toBe('06062a864886f70d');
    expect(der.oid('2.999.3').toString('hex')).toBe('0603883703');
  });
  test('small numbers', () => {
    for (const number of [0, 1, 127, 128, 255, 256, 32767, 32768, 2 ** 31, 2 ** 39 - 1])
      expect(readSmallInteger(readWhole(der.integer(number)))).toBe(number);
    expect(der.integer(128).toString('hex')).toBe('02020080');
  });
  test('times', () => {
    for (const seconds of [0, 1_767_323_045, 2_524_607_999, 2_524_608_000, 4_102_444_799])
      expect(readTime(readWhole(der.time(seconds)))).toBe(seconds);
    expect(der.time(2_524_607_999)[0]).toBe(tags.utcTime);
    expect(der.time(2_524_608_000)[0]).toBe(tags.generalizedTime);
  });
  test('contents of all lengths', () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65535, 65536])
      expect(readOctets(readWhole(der.octetString(Buffer.alloc(length, 7)))).length).toBe(length);
  });
  test('sets in the order of their bytes', () => {
    expect(der.setOf([der.integer(3), der.oid('1.2'), der.integer(1)]).toString('hex')).toBe(
      '310902010102010306012a',
    );
  });
});

describe('BER', () => {
  test('lengths that are unknown, and texts in pieces', () => {
    const element = readWhole(hex('24 80 04 02 6162 24 80 04 01 63 0000 04 00 0000'));
    expect(readOctets(element).toString()).toBe('abc');
  });
  test('an unknown length needs its end', () => {
    expect(() => readWhole(hex('3080 0500'))).toThrow(MalformedDer);
    expect(() => readWhole(hex('3080 0500 00'))).toThrow(MalformedDer);
    expect(() => readWhole(hex('0480 0000'))).toThrow(MalformedDer);
  });
  test('nests so far and no further', () => {
    const nested = (depth: number) =>
      Buffer.concat([Buffer.alloc(depth * 2, hex('3080')), Buffer.alloc(depth * 2)]);
    expect(readWhole(nested(20)).tag).toBe(tags.sequence);
    expect(() => readWhole(nested(50_000))).toThrow(MalformedDer);
  });
});

test.each([
  ['nothing', ''],
  ['half an identifier', '30'],
  ['a content that is cut off', '300305'],
  ['a length of too many bytes', '30850000000001 00'],
  ['a length that is larger than everything', '3084ffffffff'],
  ['a tag of several bytes', '1f8101 00'],
  ['bytes behind the end', '0500 00'],
])('%s is malformed', (_, bytes) => {
  expect(() => readWhole(hex(bytes))).toThrow(MalformedDer);
});

test('times that are none are malformed', () => {
  for (const text of ['260230000000Z', '2601010000Z+', 'x', '260101000000', '261301000000Z'])
    expect(() => readTime(readWhole(der.element(tags.utcTime, Buffer.from(text))))).toThrow(MalformedDer);
});

test('any bytes are read or refused, never anything else', () => {
  const walk = (bytes: Buffer): number => {
    let count = 0;
    const visit = (at: ReturnType<typeof readElement>, depth: number): void => {
      if (depth > 20 || ++count > 5000 || !at.isConstructed) return;
      for (const child of at.children()) visit(child, depth + 1);
    };
    visit(readElement(bytes), 0);
    return count;
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      unlessMalformed(() => walk(Buffer.from(bytes)));
    }),
    { numRuns: 2000, seed: 5 },
  );
});
