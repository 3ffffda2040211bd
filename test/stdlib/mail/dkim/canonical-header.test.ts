import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../../stdlib/mail/dkim/byte-writer.js';
import type { BareCr } from '../../../../stdlib/mail/dkim/canonical-body.js';
import {
  canonicalFields,
  HeaderReader,
  selectFields,
  writeField,
} from '../../../../stdlib/mail/dkim/canonical-header.js';

function read(text: string, chunkSize = 1000, bareCr: BareCr = 'space') {
  const bytes = Buffer.from(text, 'latin1');
  const reader = new HeaderReader(bareCr, 1_000_000);
  for (let from = 0; from < bytes.length; from += chunkSize) {
    const bodyStart = reader.push(bytes.subarray(from, from + chunkSize));
    if (bodyStart !== -1)
      return { header: reader.finish(), body: bytes.toString('latin1', from + bodyStart) };
  }
  return { header: reader.finish(), body: undefined };
}

function relaxed(field: string): string {
  const { header } = read(`${field}\r\n\r\n`);
  const writer = new ByteWriter();
  for (const one of header.section.fields) writeField(header.bytes, one, 'relaxed', writer);
  return writer.written().toString('latin1');
}

describe('a relaxed field', () => {
  test.each([
    ['A: X', 'a:X\r\n'],
    ['B : Y\t\r\n\tZ  ', 'b:Y Z\r\n'],
    ['Subject:', 'subject:\r\n'],
    ['SUBJect \t:  \r\n  a  b \t c\t', 'subject:a b c\r\n'],
    ['X-8: \xe5 \xff', 'x-8:\xe5 \xff\r\n'],
  ])('%j is hashed as %j', (field, expected) => {
    expect(relaxed(field)).toBe(expected);
  });
});

describe('the header section', () => {
  test.each([1, 2, 3, 7, 1000])('is found in chunks of %d bytes', (size) => {
    const { header, body } = read('A: 1\r\nB: 2\n 3\r\n\r\nbody: x\r\n', size);
    expect(header.bytes.toString()).toBe('A: 1\r\nB: 2\r\n 3\r\n');
    expect(header.section.fields.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(body?.startsWith('b')).toBe(true);
  });

  test('may end with the message, in the middle of a line', () => {
    expect(read('A: 1').header.bytes.toString()).toBe('A: 1\r\n');
    expect(read('A: 1\r').header.bytes.toString()).toBe('A: 1\r\n');
    expect(read('').header.bytes.toString()).toBe('');
  });

  test('has a bare CR as the blank that is sent for it, so that a line behind it is folded', () => {
    expect(read('A: 1\r\n\rB: 2\r\n\r\n').header.section.fields).toHaveLength(1);
    expect(read('A: 1\r\n\rB: 2\r\n\r\n', 1000, 'itself').header.section.fields).toHaveLength(2);
    expect(read('A: 1\r\r\n\r\n').header.bytes.toString()).toBe('A: 1 \r\n');
  });

  test('that is too long is not kept', () => {
    const reader = new HeaderReader('space', 10_000);
    for (let i = 0; i < 100; i++) reader.push(Buffer.from(`A: ${'x'.repeat(1000)}\r\n`));
    expect(reader.isTooLong).toBe(true);
  });
});

describe('a list of names', () => {
  const { header } = read('A: 1\r\nB: 2\r\nA: 3\r\nno field\r\n\r\n');
  const values = (names: string[]) =>
    selectFields(header.section, names).map((field) =>
      header.bytes.toString('latin1', field.valueStart + 1, field.end - 2),
    );

  test('takes fields of one name from the bottom up (RFC 6376 §5.4.2)', () => {
    expect(values(['a', 'b', 'a'])).toEqual(['3', '2', '1']);
    expect(values(['a'])).toEqual(['3']);
  });

  test('stands for nothing where there is no further field', () => {
    expect(values(['b', 'b', 'c', 'a', 'a', 'a'])).toEqual(['2', '3', '1']);
  });

  test('does not count the field that is left out', () => {
    const without = header.section.fields[2]!;
    expect(canonicalFields(header, ['a', 'a'], 'relaxed', without).toString()).toBe('a:1\r\n');
  });
});
