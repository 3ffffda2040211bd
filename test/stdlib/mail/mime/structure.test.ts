import { describe, expect, test } from 'vitest';
import type { MessageSource } from '../../../../stdlib/mail/message-source.js';
import { bytesToSource, MailDocument } from '../../../../stdlib/mail/mime/document.js';
import { DEEPEST_LEVEL, LONGEST_PART_HEADER, MOST_PARTS } from '../../../../stdlib/mail/mime/structure.js';
import { cpuSeconds } from '../../../support/cpu-time.js';

function parsed(text: string): MailDocument {
  const document = new MailDocument(bytesToSource(Buffer.from(text, 'latin1')));
  void document.loadParts();
  return document;
}

const bodies = ({ root }: MailDocument) =>
  root.children.map((part) => (part.body(false) as Buffer).toString('latin1'));

describe('what would be too much', () => {
  test('10,000 parts are found, and go out as they came in', async () => {
    const text = `Content-Type: multipart/mixed; boundary=B\r\n\r\n${'--B\r\nX: 1\r\n\r\nbody\r\n'.repeat(10_000)}--B--\r\n`;
    const document = parsed(text);
    expect(document.root.children).toHaveLength(10_000);
    expect(document.partById('10000')?.body(true).toString()).toBe('body');
    document.root.children[5000]!.change({ replacement: 'removed' });
    const out = (await document.toBytes()).toString();
    expect(out.length).toBe(text.length - '--B\r\nX: 1\r\n\r\nbody\r\n'.length);
  });

  test('behind the most parts the rest belongs to the last one', () => {
    const text = `Content-Type: multipart/mixed; boundary=B\r\n\r\n${'--B\r\n\r\nx\r\n'.repeat(MOST_PARTS + 5)}--B--\r\n`;
    const { root } = parsed(text);
    expect(root.children).toHaveLength(MOST_PARTS);
    expect([...root.place.errors].sort()).toEqual(['too_many_parts', 'unclosed_boundary']);
    expect(root.children.at(-1)!.end).toBe(text.length);
  });

  function nested(levels: number): string {
    let text = '';
    for (let level = 0; level < levels; level++)
      text += `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`;
    text += '\r\ninnermost';
    for (let level = levels - 1; level >= 0; level--) text += `\r\n--b${level}--`;
    return text;
  }

  test('100 levels are gone down to, and edited there', async () => {
    const document = parsed(nested(100));
    const innermost = [...document.root.descendants()].at(-1)!;
    expect(innermost.id.split('.')).toHaveLength(100);
    expect(innermost.body(true).toString()).toBe('innermost');
    innermost.change({ body: Buffer.from('new') });
    expect((await document.toBytes()).toString()).toBe(nested(100).replace('innermost', 'new'));
  });

  test('deeper multiparts than the limit are not opened', () => {
    const { root } = parsed(nested(DEEPEST_LEVEL + 10));
    const deepest = [...root.descendants()].at(-1)!;
    expect(deepest.id.split('.')).toHaveLength(DEEPEST_LEVEL);
    expect([...deepest.place.errors]).toEqual(['too_deep']);
  });

  test('a header line of a megabyte is one field', async () => {
    const line = `X-Long: ${'x'.repeat(1_000_000)}\r\n`;
    const text = `${line}Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n${line}X: 1\r\n\r\nbody\r\n--B--\r\n`;
    const document = parsed(text);
    const [part] = document.root.children;
    expect(part!.field('x-long', 0, { wholeField: false, decode: true })).toHaveLength(1_000_000);
    expect(part!.field('x', 0, { wholeField: false, decode: true })).toBe('1');
    part!.edits.set(part!.header, 'X', Buffer.from('X: 2\r\n'), 0);
    expect((await document.toBytes()).toString()).toBe(text.replace('X: 1', 'X: 2'));
  });

  test("a part's header ends at its limit, and the rest is its body", () => {
    const text = `Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nA: 1\r\nX: ${'x'.repeat(LONGEST_PART_HEADER)}\r\n\r\nbody\r\n--B--\r\n`;
    const [part] = parsed(text).root.children;
    expect(part!.header.fields.map(({ name }) => name)).toEqual(['a']);
    expect([...part!.place.errors]).toEqual(['bad_header']);
    expect((part!.body(false) as Buffer).subarray(0, 3).toString()).toBe('X: ');
  });

  test.each([
    ['blanks in a type', `Content-Type: ${' '.repeat(500_000)}x`],
    ['parentheses', `Content-Type: text/plain ${'('.repeat(500_000)}`],
    ['quotes', `Content-Type: text/plain; a=${'"'.repeat(500_000)}`],
    ['semicolons', `Content-Type: text/plain${';'.repeat(500_000)}`],
    [
      'sections',
      `Content-Type: text/plain${Array.from({ length: 50_000 }, (_, i) => `; name*${i}=x`).join('')}`,
    ],
    ['blanks before a colon', `Content-Type${' '.repeat(500_000)}: text/plain`],
    ['blanks at the end', `Content-Type: text/plain; name=x${' \t'.repeat(250_000)}x`],
    ['dashes', `Content-Type: multipart/mixed; boundary=B\r\n\r\n${'--B x\r\n'.repeat(100_000)}`],
    ['dashes and blanks', `Content-Type: multipart/mixed; boundary=B\r\n\r\n--B${' '.repeat(1_000_000)}x`],
  ])('%s, half a million, take no time to speak of', async (_, text) => {
    const seconds = await cpuSeconds(() => {
      const { root } = parsed(`${text}\r\n\r\n`);
      for (const part of [root, ...root.descendants()])
        [part.type, part.fileName, part.typeParameter('name')];
    });
    expect(seconds).toBeLessThan(2);
  });
});

test('what is wrong with a part is said', () => {
  const errors = (text: string) => [...parsed(text).root.place.errors];
  expect(errors('A: 1\r\nno field\r\n\r\n')).toEqual(['bad_header']);
  expect(errors('Content-Type: multipart/mixed\r\n\r\n')).toEqual(['bad_header']);
  expect(errors('Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nx')).toEqual([
    'unclosed_boundary',
  ]);
  expect(errors('Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nx\r\n--B--')).toEqual([]);
});

test('a delimiter of the outer multipart ends what is open inside', () => {
  const document = parsed(
    'Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nx\r\n--A\r\n\r\ny\r\n--A--\r\n',
  );
  expect(document.root.children.map(({ type }) => type)).toEqual(['multipart/mixed', 'text/plain']);
  expect([...document.root.children[0]!.place.errors]).toEqual(['unclosed_boundary']);
  expect(bodies(document)[1]).toBe('y');
});

test('a message on disk is read in windows, once, and only when its parts are asked for', async () => {
  const part = `--B\r\nContent-Type: text/plain\r\n\r\n${'text of a part\r\n'.repeat(20_000)}`;
  const whole = Buffer.from(
    `A: 1\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n${part.repeat(10)}--B--\r\n`,
  );
  const reads: number[] = [];
  const source: MessageSource = {
    sizeBytes: whole.length,
    head: whole.subarray(0, 1000),
    isComplete: false,
    read: async (start, end) => {
      reads.push(end - start);
      return Buffer.from(whole.subarray(start, end));
    },
  };
  const document = new MailDocument(source);
  expect(document.root.type).toBe('multipart/mixed');
  expect(reads).toEqual([]);
  await Promise.all([document.loadParts(), document.loadParts()]);
  expect(document.root.children).toHaveLength(10);
  const total = reads.reduce((sum, bytes) => sum + bytes, 0);
  expect(total).toBeLessThan(whole.length + 10_000);
  expect(Math.max(...reads)).toBeLessThan(1024 * 1024 + 10_000);
  const [, second] = document.root.children;
  expect((await second!.body(true)).length).toBe('text of a part\r\n'.length * 20_000 - 2);
  second!.edits.add('X', Buffer.from('X: 1\r\n'));
  reads.length = 0;
  expect(document.pieces()).toMatchObject([
    { kind: 'range', start: 0, end: second!.start },
    { kind: 'bytes' },
    { kind: 'range', start: second!.start, end: whole.length },
  ]);
  expect(reads).toEqual([]);
});

test('a read that fails is forgotten: the next one finds the same parts', async () => {
  const whole = Buffer.from('Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\nx\r\n--B--\r\n');
  let fails = true;
  const source: MessageSource = {
    sizeBytes: whole.length,
    head: whole.subarray(0, 45),
    isComplete: false,
    read: async (start, end) => {
      if (fails) throw new Error('disk');
      return whole.subarray(start, end);
    },
  };
  const document = new MailDocument(source);
  await expect(document.loadParts()).rejects.toThrow('disk');
  fails = false;
  await document.loadParts();
  expect(document.root.children).toHaveLength(1);
});
