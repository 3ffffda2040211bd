import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Reply, ReplyParser, replyLimits } from '../../../../src/delivery/client/reply-parser.js';

function parse(text: string, chunkBytes = text.length || 1): { replies: Reply[]; fault: string | undefined } {
  const parser = new ReplyParser();
  const replies: Reply[] = [];
  const bytes = Buffer.from(text, 'latin1');
  let fault: string | undefined;
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    fault = parser.push(bytes.subarray(start, start + chunkBytes), replies);
  }
  return { replies, fault };
}

describe('replies', () => {
  const table: [string, string, Reply[]][] = [
    ['one line', '250 ok\r\n', [{ code: 250, lines: ['ok'] }]],
    ['a code alone', '250\r\n', [{ code: 250, lines: [''] }]],
    ['a code and a space', '250 \r\n', [{ code: 250, lines: [''] }]],
    ['a bare LF as line end', '250 ok\n', [{ code: 250, lines: ['ok'] }]],
    ['several lines', '250-a\r\n250-b\r\n250 c\r\n', [{ code: 250, lines: ['a', 'b', 'c'] }]],
    ['an empty middle line', '250-a\r\n250-\r\n250 c\r\n', [{ code: 250, lines: ['a', '', 'c'] }]],
    [
      'pipelined replies',
      '250 a\r\n550 b\r\n',
      [
        { code: 250, lines: ['a'] },
        { code: 550, lines: ['b'] },
      ],
    ],
    [
      'an enhanced status',
      '550 5.1.1 no such user\r\n',
      [{ code: 550, enhanced: [5, 1, 1], lines: ['no such user'] }],
    ],
    ['an enhanced status alone', '250 2.0.0\r\n', [{ code: 250, enhanced: [2, 0, 0], lines: [''] }]],
    [
      'an enhanced status on each line',
      '550-5.7.1 a\r\n550 5.7.1 b\r\n',
      [{ code: 550, enhanced: [5, 7, 1], lines: ['a', 'b'] }],
    ],
    [
      'an enhanced status on the first line only',
      '550-5.7.1 a\r\n550 b\r\n',
      [{ code: 550, enhanced: [5, 7, 1], lines: ['a', 'b'] }],
    ],
    [
      'an enhanced status that contradicts its code',
      '550 4.7.1 later\r\n',
      [{ code: 550, enhanced: [4, 7, 1], lines: ['later'] }],
    ],
    ['what only looks like one', '250 2.0.0.1 ok\r\n', [{ code: 250, lines: ['2.0.0.1 ok'] }]],
    ['a class that does not exist', '250 3.0.0 ok\r\n', [{ code: 250, lines: ['3.0.0 ok'] }]],
    ['control characters', '250 a\tb\x00c\rd\r\n', [{ code: 250, lines: ['a?b?c?d'] }]],
    ['bytes above ASCII', '250 \xc3\xa5\r\n', [{ code: 250, lines: ['\xc3\xa5'] }]],
  ];
  test.each(table)('%s is read, whole and byte by byte', (_name, text, replies) => {
    expect(parse(text)).toEqual({ replies, fault: undefined });
    expect(parse(text, 1)).toEqual({ replies, fault: undefined });
  });

  test('half a reply is no reply', () => {
    expect(parse('250-a\r\n250 b').replies).toEqual([]);
  });
});

describe('faults', () => {
  const table: [string, string, RegExp][] = [
    ['no code', 'hello\r\n', /must begin with a code.*"hello"/],
    ['an empty line', '\r\n', /must begin with a code/],
    ['a code below 200', '100 continue\r\n', /must begin with a code/],
    ['a code above 599', '600 what\r\n', /must begin with a code/],
    ['two digits', '25 ok\r\n', /must begin with a code/],
    ['a code without a gap', '250ok\r\n', /space or a hyphen/],
    ['two codes in one reply', '250-a\r\n550 b\r\n', /must repeat its code.*after 250/],
    ['an endless line', `250 ${'x'.repeat(replyLimits.lineBytes)}`, /longer than 2048/],
    ['too many lines', '250-\r\n'.repeat(replyLimits.lines + 1), /more than 500 lines/],
    ['a reply of 1 MiB', `250-${'x'.repeat(1000)}\r\n`.repeat(1050), /65536 bytes/],
  ];
  test.each(table)('%s is refused', (_name, text, fault) => {
    expect(parse(text).fault).toMatch(fault);
    expect(parse(text, 7).fault).toMatch(fault);
  });

  test('a reply finished before the fault is still handed out', () => {
    expect(parse('250 ok\r\ngarbage\r\n').replies).toEqual([{ code: 250, lines: ['ok'] }]);
  });

  test('a fault shows nothing unprintable and is short', () => {
    const { fault } = parse(`\x1b[2J${'x'.repeat(500)}\r\n`);
    expect(fault).toMatch(/^[\x20-\x7e]*$/);
    expect(fault?.length).toBeLessThan(200);
  });
});

test('no bytes crash the parser, and its answer does not depend on how they are cut', () => {
  const piece = fc.oneof(
    fc.constantFrom('250', '550', '-', ' ', '\r\n', '\n', '\r', '5.1.1', '.', '354'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (pieces, chunkBytes) => {
      const text = pieces.join('').replace(/[^\x00-\xff]/g, '?');
      const whole = parse(text);
      expect(parse(text, chunkBytes)).toEqual(whole);
      for (const reply of whole.replies) {
        expect(reply.code >= 200 && reply.code <= 599).toBe(true);
        expect(reply.lines.length).toBeGreaterThan(0);
        for (const line of reply.lines) expect(line).not.toMatch(/[\x00-\x1f\x7f]/);
      }
    }),
    { numRuns: 500 },
  );
});
