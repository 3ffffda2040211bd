import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DotStuffer } from '../../../../src/delivery/client/dot-stuffing.js';
import { type BareCr, CanonicalBody } from '../../../../stdlib/mail/dkim/canonical-body.js';
import type { Canonicalization } from '../../../../stdlib/mail/dkim/signature-tags.js';
import { cpuSeconds } from '../../../support/cpu-time.js';

function canonical(form: Canonicalization, chunks: readonly Buffer[], bareCr: BareCr = 'space'): string {
  let out = '';
  const body = new CanonicalBody(form, bareCr, (bytes) => {
    out += bytes.toString('latin1');
  });
  for (const chunk of chunks) body.push(chunk);
  body.end();
  return out;
}

/** The same by the words of RFC 6376 §3.4, on a body in wire form that ends with a line end. */
function reference(form: Canonicalization, wire: string): string {
  const lines = wire.split('\r\n');
  if (lines.at(-1) === '') lines.pop();
  const written =
    form === 'simple' ? lines : lines.map((line) => line.replace(/[ \t]+/g, ' ').replace(/ $/, ''));
  while (written.at(-1) === '') written.pop();
  const text = written.map((line) => `${line}\r\n`).join('');
  return text === '' && form === 'simple' ? '\r\n' : text;
}

/** What a receiver gets of a stored body. */
function delivered(body: Buffer): string {
  const stuffer = new DotStuffer();
  const wire = Buffer.concat([stuffer.push(body), stuffer.end()]).toString('latin1');
  return wire.slice(0, -3).replace(/(^|\r\n)\./g, '$1');
}

const bodies = fc
  .array(
    fc.constantFrom(
      'a',
      'bc',
      ' ',
      '  ',
      '\t',
      '\r\n',
      '\r\n',
      '\n',
      '\r',
      '.',
      '\r\n.',
      '\xff',
      '\x00',
      '\x0b',
    ),
  )
  .map((words) => Buffer.from(words.join(''), 'latin1'));

describe('a relaxed body', () => {
  test.each([
    [' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['', ''],
    ['\r\n\r\n', ''],
    [' \t\r\n', ''],
    ['a', 'a\r\n'],
    ['a\r\n\r\nb', 'a\r\n\r\nb\r\n'],
    ['a\r\n \r\n\t\r\n', 'a\r\n'],
    ['\r\na\r\n', '\r\na\r\n'],
  ])('%j is hashed as %j', (body, expected) => {
    expect(canonical('relaxed', [Buffer.from(body)])).toBe(expected);
  });
});

describe('a simple body', () => {
  test.each([
    [' C \r\nD \t E\r\n\r\n\r\n', ' C \r\nD \t E\r\n'],
    ['', '\r\n'],
    ['\r\n\r\n', '\r\n'],
    ['a', 'a\r\n'],
    ['a\r\n \r\n', 'a\r\n \r\n'],
  ])('%j is hashed as %j', (body, expected) => {
    expect(canonical('simple', [Buffer.from(body)])).toBe(expected);
  });
});

describe.each(['simple', 'relaxed'] as const)('any body, %s', (form) => {
  test('is hashed as the receiver will see it', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        expect(canonical(form, [body])).toBe(reference(form, delivered(body)));
      }),
      { numRuns: 2000 },
    );
  });

  test('gives the same whatever the chunks are', () => {
    fc.assert(
      fc.property(bodies, fc.constantFrom<BareCr>('space', 'itself'), (body, bareCr) => {
        const single = [...body].map((byte) => Buffer.from([byte]));
        expect(canonical(form, single, bareCr)).toBe(canonical(form, [body], bareCr));
      }),
      { numRuns: 500 },
    );
  });

  test('keeps a bare CR where it is taken as it came', () => {
    expect(canonical(form, [Buffer.from('a\rb\r\r\nc\n\r\n')], 'itself')).toBe('a\rb\r\r\nc\r\n');
  });

  test('gives 3 MB of empty lines in pieces of bounded size when text follows', () => {
    const pieces: number[] = [];
    let text = 0;
    const body = new CanonicalBody(form, 'space', (bytes) => {
      pieces.push(bytes.length);
      text += bytes.length;
    });
    const lines = Buffer.from('\n'.repeat(100_000));
    for (let i = 0; i < 15; i++) body.push(lines);
    expect(pieces).toEqual([]);
    body.push(Buffer.from('x'));
    body.end();
    expect(text).toBe(15 * 200_000 + 3);
    expect(Math.max(...pieces)).toBeLessThanOrEqual(64 * 1024);
  });

  test.each(['\n', '\r', ' ', '\r\n', 'a ', 'a  ', '\ra', '\na', ' \n', '\t\r\n'])(
    'takes no longer for 4 MB of %j than a slow disk would',
    async (text) => {
      const chunk = Buffer.from(text.repeat(256 * 1024));
      const body = new CanonicalBody(form, 'space', () => {});
      const seconds = await cpuSeconds(() => {
        for (let size = 0; size < 4e6; size += chunk.length) body.push(chunk);
        body.end();
      });
      expect(seconds).toBeLessThan(2);
    },
  );

  test('is right where blocks meet', () => {
    for (let length = 16 * 1024 - 4; length < 16 * 1024 + 4; length++) {
      const body = `${'x'.repeat(length)} \t\r\n\n \r\ny${' y'.repeat(40_000)}`;
      expect(canonical(form, [Buffer.from(body)])).toBe(reference(form, body.replace(/\r?\n/g, '\r\n')));
    }
  });
});
