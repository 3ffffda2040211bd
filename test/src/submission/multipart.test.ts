import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundaryOf, MalformedForm, MultipartReader } from '../../../src/submission/multipart.js';

/** A form as text, read in pieces of at most so many bytes: heads and contents of its parts. */
function read(text: string, boundary = 'b', pieceBytes = text.length): (readonly unknown[])[] {
  const parts: { head: readonly unknown[]; content: string; isWhole: boolean }[] = [];
  const reader = new MultipartReader(boundary, {
    begin: ({ name, type, encoding }) =>
      void parts.push({ head: [name, type, encoding], content: '', isWhole: false }),
    content: (piece) => {
      parts.at(-1)!.content += piece.toString('latin1');
    },
    end: () => {
      parts.at(-1)!.isWhole = true;
    },
  });
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += Math.max(pieceBytes, 1))
    reader.feed(bytes.subarray(at, at + Math.max(pieceBytes, 1)));
  reader.end();
  expect(parts.every(({ isWhole }) => isWhole)).toBe(true);
  return parts.map(({ head, content }) => [...head, content]);
}

const disposition = 'Content-Disposition: form-data; name=a';
const part = (content: string, header = disposition) => `--b\r\n${header}\r\n\r\n${content}\r\n`;

describe('RFC 2046 §5.1.1', () => {
  test('parts have what stands between their header and the next delimiter, to the byte', () => {
    expect(read(`${part('one')}${part('')}${part('\r\n')}${part('--b')}${part('x\r\n--')}--b--`)).toEqual([
      ['a', 'text/plain', '7bit', 'one'],
      ['a', 'text/plain', '7bit', ''],
      ['a', 'text/plain', '7bit', '\r\n'],
      ['a', 'text/plain', '7bit', '--b'],
      ['a', 'text/plain', '7bit', 'x\r\n--'],
    ]);
  });

  test('a preamble and an epilogue are no content, whatever they are', () => {
    expect(read(`pre\r\namble --b\n\r\n${part('x')}--b--anything\r\n${part('y')}`)).toEqual([
      ['a', 'text/plain', '7bit', 'x'],
    ]);
    expect(read('--b--')).toEqual([]);
  });

  test('blanks may stand behind a boundary, and nothing else', () => {
    expect(read(`--b \t \r\n${disposition}\r\n\r\nx\r\n--b--`)).toHaveLength(1);
    for (const tail of ['x', '-', '- -', ' '.repeat(300), '\rx', '\n'])
      expect(() => read(`--b${tail}\r\n${disposition}\r\n\r\nx\r\n--b--`)).toThrow(MalformedForm);
  });

  test('a delimiter begins with CR LF: a bare line end makes none', () => {
    expect(read(`${part('x\n--b\r\ny\r--b--')}--b--`)).toEqual([
      ['a', 'text/plain', '7bit', 'x\n--b\r\ny\r--b--'],
    ]);
  });

  test('a form that is cut off is not whole, wherever that is', () => {
    const whole = `${part('one')}${part('two')}--b--`;
    for (let at = 0; at < whole.length; at++)
      expect(() => read(whole.slice(0, at))).toThrow('it ends before its last boundary');
  });
});

describe('RFC 7578 §4: the header of a part', () => {
  test.each([
    ['CONTENT-DISPOSITION : Form-Data ; x=y; NAME = "a"', ['a', 'text/plain', '7bit']],
    [
      'Content-Disposition: form-data; name="a\\"b\\\\"; filename="x; name=z"',
      ['a"b\\', 'text/plain', '7bit'],
    ],
    ['Content-Disposition: form-data;\r\n name=a;', ['a', 'text/plain', '7bit']],
    [`${disposition}\r\nContent-Type: Message/RFC822; charset=x`, ['a', 'message/rfc822', '7bit']],
    [`X: y\r\n${disposition}\r\nContent-Transfer-Encoding: BASE64`, ['a', 'text/plain', 'base64']],
    ['Content-Disposition: form-data; name=""', ['', 'text/plain', '7bit']],
  ])('%j', (header, head) => {
    expect(read(`${part('x', header)}--b--`)).toEqual([[...head, 'x']]);
  });

  test.each([
    [''],
    ['Content-Disposition: form-data'],
    ['Content-Disposition: attachment; name=a'],
    ['Content-Disposition: form-datax; name=a'],
    ['Content-Disposition: form-data; name="a'],
    ['Content-Disposition: form-data; name=a b'],
    [`${disposition}\r\nno colon`],
    [`${disposition}\r\n: x`],
    [`${disposition}${'\r\nX: y'.repeat(40)}`],
    [`${disposition}\r\nX: ${'y'.repeat(9000)}`],
  ])('%j is malformed', (header) => {
    expect(() => read(`${part('x', header)}--b--`)).toThrow(MalformedForm);
  });

  test('without an end is given up at its limit, not collected', () => {
    const reader = new MultipartReader('b', { begin: () => {}, content: () => {}, end: () => {} });
    reader.feed(Buffer.from('--b\r\nX: '));
    let fed = 0;
    expect(() => {
      for (; fed < 100; fed++) reader.feed(Buffer.alloc(1024, 'y'));
    }).toThrow('larger than 8192 bytes');
    expect(fed).toBeLessThan(10);
  });
});

test('any contents come back as they were, however the bytes are cut', () => {
  const piece = fc.constantFrom('\r', '\n', '-', 'b', '\r\n', '--b', '\r\n--', '\r\n-', 'x', '\0', 'ü');
  const content = fc
    .array(piece, { maxLength: 30 })
    .map((pieces) => pieces.join('').replaceAll('\r\n--b', ''));
  fc.assert(
    fc.property(
      fc.array(content, { maxLength: 4 }),
      fc.integer({ min: 1, max: 40 }),
      (contents, pieceBytes) => {
        const usable = contents.filter((text) => !`\r\n${text}\r\n--b`.slice(0, -5).includes('\r\n--b'));
        const text = `${usable.map((one) => part(one)).join('')}--b--`;
        expect(read(text, 'b', pieceBytes).map((one) => one[3])).toEqual(usable);
      },
    ),
    { seed: 21, numRuns: 2000 },
  );
});

test('whatever comes, it is read or malformed, and the same in any pieces', () => {
  const piece = fc.oneof(
    fc.constantFrom('\r\n', '--b', '--b--', '\r\n--b\r\n', `${disposition}\r\n\r\n`, ':', '"', ';', 'name='),
    fc.string({ unit: 'binary', maxLength: 4 }).map((text) => Buffer.from(text).toString('latin1')),
  );
  const outcome = (text: string, pieceBytes: number): unknown => {
    try {
      return read(text, 'b', pieceBytes);
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedForm);
      return 'malformed';
    }
  };
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 9 }), (pieces, pieceBytes) => {
      const text = pieces.join('');
      expect(outcome(text, pieceBytes)).toEqual(outcome(text, text.length));
    }),
    { seed: 22, numRuns: 3000 },
  );
});

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['multipart/form-data;charset=utf-8; Boundary="a b:c"', 'a b:c'],
  ['multipart/form-data', undefined],
  ['multipart/form-data; boundary=', undefined],
  ['multipart/form-data; boundary="ends with a blank "', undefined],
  ['multipart/form-data; boundary="x', undefined],
  [`multipart/form-data; boundary=${'x'.repeat(201)}`, undefined],
  ['multipart/form-data; boundary="\t"', undefined],
])('the boundary of %j is %j', (contentType, boundary) => {
  expect(boundaryOf(contentType)).toBe(boundary);
});
