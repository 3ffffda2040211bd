import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataReader } from '../../../src/smtp/data-reader.js';

interface Read {
  message: string;
  isOver: boolean;
  rest: string;
  hasLookAlike: boolean;
}

function read(chunks: readonly string[]): Read {
  const reader = new DataReader();
  let message = '';
  for (const [index, chunk] of chunks.entries()) {
    const isOver = reader.feed(Buffer.from(chunk, 'latin1'));
    message += reader.piece.toString('latin1');
    if (isOver) {
      const rest = reader.rest.toString('latin1') + chunks.slice(index + 1).join('');
      return { message, isOver, rest, hasLookAlike: reader.hasLookAlike };
    }
  }
  return { message, isOver: false, rest: '', hasLookAlike: reader.hasLookAlike };
}

/** The same, one byte at a time, written as plainly as possible: only for complete messages. */
function readPlainly(input: string): Read {
  const text = `\r\n${input}`;
  const end = text.indexOf('\r\n.\r\n');
  const content = text.slice(2, end === -1 ? text.length : end + 2);
  const seen = text.slice(0, end === -1 ? text.length : end + 2);
  // Overlapping line ends: look from each place anew.
  const hasLookAlike = /[\r\n]\.(?=[\r\n])/.test(seen.replace(/\r\n\.(?=\r\n)/g, ''));
  return {
    message: `\r\n${content}`.replace(/\r\n\./g, '\r\n').slice(2),
    isOver: end !== -1,
    rest: end === -1 ? '' : text.slice(end + 5),
    hasLookAlike,
  };
}

describe('the end of a message', () => {
  test('is a dot alone between CR LFs', () => {
    expect(read(['a\r\nb\r\n.\r\nQUIT\r\n'])).toEqual({
      message: 'a\r\nb\r\n',
      isOver: true,
      rest: 'QUIT\r\n',
      hasLookAlike: false,
    });
  });

  test('may come first: the message is empty', () => {
    expect(read(['.\r\n'])).toMatchObject({ message: '', isOver: true });
  });

  test.each([
    'a\n.\nb\r\n.\r\n',
    'a\n.\r\nb\r\n.\r\n',
    'a\r\n.\nb\r\n.\r\n',
    'a\r.\rb\r\n.\r\n',
    'a\r.\nb\r\n.\r\n',
    'a\r.\r\nb\r\n.\r\n',
    'a\r\n.\rb\r\n.\r\n',
    'a\n.\rb\r\n.\r\n',
    '.\nb\r\n.\r\n',
    '.\rb\r\n.\r\n',
    'a\r\n.\r.\r\n.\r\n',
  ])('is not %j, and that is noticed', (input) => {
    const result = read([input]);
    expect(result).toMatchObject({ isOver: true, rest: '', hasLookAlike: true });
  });

  test.each([
    'a\nb\r\n.\r\n',
    'a\rb\r\n.\r\n',
    'a\n.b\r\n.\r\n',
    'a\r\n..\r\n.\r\n',
    'a.\r\n.\r\n',
    '.\r.b\r\n.\r\n',
  ])('is found after %j', (input) => {
    expect(read([input])).toMatchObject({ isOver: true, rest: '' });
  });

  test('is not faked by bare line ends elsewhere', () => {
    expect(read(['a\nb\rc\r\n.\r\n'])).toMatchObject({ message: 'a\nb\rc\r\n', hasLookAlike: false });
  });
});

test('stuffed dots are taken out, and only those', () => {
  expect(read(['..a\r\n...b\r\n.c\r\nd.\r\n.\r\n']).message).toBe('.a\r\n..b\r\nc\r\nd.\r\n');
});

test('every way of cutting the bytes reads the same', () => {
  const input = '..a\r\n.b\r\n.\n\r\r\n..\r\nc\n.\nd\r.\re\r\n.\r\nNOOP\r\n';
  const whole = read([input]);
  for (let first = 0; first <= input.length; first++)
    for (let second = first; second <= input.length; second++)
      expect(read([input.slice(0, first), input.slice(first, second), input.slice(second)])).toEqual(whole);
  expect(read([...input])).toEqual(whole);
});

test('it agrees with a plain reading of any bytes, cut anywhere', () => {
  const bytes = fc.array(fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.', '\r\n.\r\n'), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(40), { maxLength: 4 }), (pieces, cuts) => {
      const input = pieces.join('');
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, input.length)).sort((a, b) => a - b),
        input.length,
      ];
      const chunks = places.slice(1).map((end, index) => input.slice(places[index], end));
      // What waits for its next byte at the end of unfinished input does not count: make it finished.
      const ended = [...chunks, 'x\r\n.\r\n'];
      expect(read(ended)).toEqual(readPlainly(ended.join('')));
    }),
    { numRuns: 5000 },
  );
});
