import { expect, test } from 'vitest';
import { LineReader } from '../../../src/smtp/line-reader.js';

function readAll(chunks: readonly string[], longest = 20): string[] {
  const reader = new LineReader(longest);
  const lines: string[] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk, 'latin1'));
    for (let line = reader.next(); line !== undefined; line = reader.next())
      lines.push(typeof line === 'string' ? line : `"${line.text}"`);
  }
  return lines;
}

test('a line ends with CR LF', () => {
  expect(readAll(['NOOP\r\nQUIT\r\n'])).toEqual(['"NOOP"', '"QUIT"']);
  expect(readAll(['\r\n'])).toEqual(['""']);
});

test('a line that ends with LF alone, or holds a bare CR, is faulty; the next one is not', () => {
  expect(readAll(['NOOP\nQUIT\r\n'])).toEqual(['bare-line-end', '"QUIT"']);
  expect(readAll(['NO\rOP\r\nQUIT\r\n'])).toEqual(['bare-line-end', '"QUIT"']);
  expect(readAll(['NOOP\r\r\nQUIT\r\n'])).toEqual(['bare-line-end', '"QUIT"']);
  expect(readAll(['\n\r\n'])).toEqual(['bare-line-end', '""']);
});

test('every way of cutting the bytes reads the same', () => {
  const input = 'NOOP\r\nA\nB\rC\r\n\r\nthis line is longer than twenty\r\nQUIT\r\n';
  const whole = readAll([input]);
  expect(whole).toEqual(['"NOOP"', 'bare-line-end', 'bare-line-end', '""', 'too-long', '"QUIT"']);
  for (let cut = 0; cut <= input.length; cut++)
    expect(readAll([input.slice(0, cut), input.slice(cut)])).toEqual(whole);
  expect(readAll([...input])).toEqual(whole);
});

test('a line without end is thrown away as it comes', () => {
  const reader = new LineReader(20);
  for (let round = 0; round < 100; round++) {
    reader.push(Buffer.alloc(1000, 'x'));
    expect(reader.next()).toBeUndefined();
    expect(reader.waitingBytes).toBe(0);
  }
  expect(reader.skippedBytes).toBe(100_000);
  reader.push(Buffer.from('\r\nQUIT\r\n'));
  expect(reader.next()).toBe('too-long');
  expect(reader.next()).toEqual({ text: 'QUIT' });
});

test('the longest line is counted with its end', () => {
  expect(readAll([`${'x'.repeat(18)}\r\n`])).toEqual([`"${'x'.repeat(18)}"`]);
  expect(readAll([`${'x'.repeat(19)}\r\n`])).toEqual(['too-long']);
});
