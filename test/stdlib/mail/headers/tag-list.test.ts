import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTagList } from '../../../../stdlib/mail/headers/tag-list.js';

const tags = (text: string) => {
  const read = parseTagList(text);
  return read && [...read].map(([name, value]) => `${name}=${value}`);
};

test.each<readonly [string, readonly string[]]>([
  ['v=1; a=x', ['v=1', 'a=x']],
  ['v=1;', ['v=1']],
  [' v = 1 ;\r\n\ta\t=\r\n x ', ['v=1', 'a=x']],
  ['v=1; \r\n ', ['v=1']],
  ['b=a==', ['b=a==']],
  ['b=', ['b=']],
  ['b= ; c=1', ['b=', 'c=1']],
  ['h=to:from:\r\n\t subject', ['h=to:from:\t subject']],
  ['n=two  words', ['n=two  words']],
  ['V=1; v=2', ['V=1', 'v=2']],
  ['a_1=x', ['a_1=x']],
  ['i=\xc3\xb6@x', ['i=\xc3\xb6@x']],
])('%j', (text, expected) => {
  expect(tags(text)).toEqual(expected);
});

describe('is no tag list', () => {
  test.each([
    '',
    ' \r\n ',
    ';',
    'v',
    'v=1;;a=x',
    ';v=1',
    'v=1; a',
    '=1',
    '1v=1',
    '_v=1',
    'v-w=1',
    'v=1; v=1',
    'v=\0',
    'v=a\nb',
    'v=a\rb',
    'v=1;;',
    'v=1; ;',
  ])('%j', (text) => {
    expect(parseTagList(text)).toBeUndefined();
  });

  test('nor is what is far too long', () => {
    expect(parseTagList(`v=${'x'.repeat(1024 * 1024)}`)).toBeUndefined();
    expect(parseTagList(Array.from({ length: 1001 }, (_, i) => `t${i}=1`).join(';'))).toBeUndefined();
    expect(parseTagList(Array.from({ length: 1000 }, (_, i) => `t${i}=1`).join(';'))).toHaveLength(1000);
  });
});

const blank = fc.constantFrom('', ' ', '\t', '\r\n ', '\r\n\t', '\n ');
const tagName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,5}$/);
const value = fc.stringMatching(/^(?:[!-:<-~](?:[!-:<-~ \t]{0,8}[!-:<-~])?)?$/);

test('what is written with any white space around is read as it was', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(tagName, value, blank, blank, blank, blank), {
        minLength: 1,
        selector: ([one]) => one,
      }),
      fc.boolean(),
      (list, isClosed) => {
        const text = list.map(([name, text, a, b, c, d]) => `${a + name + b}=${c}${text}${d}`).join(';');
        expect([...parseTagList(text + (isClosed ? ';' : ''))!]).toEqual(
          list.map(([name, text]) => [name, text]),
        );
      },
    ),
  );
});

test('a text made to be slow is read in time that grows with its length', () => {
  for (const piece of [' ', 'a', 'a=', ';', 'a ', '\r\n ', 'v= ', '=', 'a= \r\n'])
    parseTagList(`v=1;x=${piece.repeat(900_000 / piece.length)}`);
  for (const piece of [' ', 'a', '\r\n ', 'a ']) parseTagList(piece.repeat(900_000 / piece.length));
}, 3000);
