import { describe, expect, test } from 'vitest';
import { LONGEST_ADDRESS_LIST, parseAddressList } from '../../../../stdlib/mail/addresses/address-list.js';

/** `name|address`, with the group in front of those that are in one. */
function read(text: string): string[] {
  return parseAddressList(text)!.addresses.map(
    ({ name, address, group }) => `${group === undefined ? '' : `${group}: `}${name}|${address}`,
  );
}

test.each<readonly [string, string, readonly string[]]>([
  ['a bare address', 'bob@example.com', ['|bob@example.com']],
  ['a name', 'Bob B <bob@example.com>', ['Bob B|bob@example.com']],
  ['a quoted name', '"Last, \\"F\\" <x@y>" <lf@example.com>', ['Last, "F" <x@y>|lf@example.com']],
  ['several', 'a@x, B <b@y>;c@z', ['|a@x', 'B|b@y', '|c@z']],
  ['empty items', ',,a@x,, ;b@y,', ['|a@x', '|b@y']],
  ['a comment as name', 'bob@example.com (Bob (the) B\\))', ['Bob (the) B)|bob@example.com']],
  ['a comment behind a bracket', '<bob@example.com> (Bob)', ['Bob|bob@example.com']],
  ['a comment beside a name', 'Bob (work) <bob@example.com> (x)', ['Bob|bob@example.com']],
  ['comments inside', 'Bob <(a)bob(b)@(c)example.com(d)>', ['Bob|bob@example.com']],
  ['a comma in a comment', '(a, b@c) d@e', ['a, b@c|d@e']],
  ['folding', 'Bob\r\n\t<bob@\r\n example.com>,\r\n a@x', ['Bob|bob@example.com', '|a@x']],
  ['folding in quotes', '"Bob\r\n B" <b@x>', ['Bob B|b@x']],
  ['a group', 'Team: a@x, B <b@y>; c@z', ['Team: |a@x', 'Team: B|b@y', '|c@z']],
  ['an empty group', 'undisclosed-recipients:;', []],
  ['a quoted group', '"A: B": a@x;', ['A: B: |a@x']],
  ['a group without end', 'Team: a@x, b@y', ['Team: |a@x', 'Team: |b@y']],
  ['a route', '<@a.example,@b.example:bob@example.com>, c@z', ['|bob@example.com', '|c@z']],
  ['a URL for an address', '<mailto:bob@example.com>', ['|bob@example.com']],
  ['a null address', 'a@x, <>, b@y', ['|a@x', '|b@y']],
  ['a local part in brackets', 'Root <root>', ['Root|root']],
  ['a quoted local part', '"john doe"@example.com, X <"a,b>"@y>', ['|"john doe"@example.com', 'X|"a,b>"@y']],
  ['an address literal', 'bob@[192.0.2.7], <x@[IPv6:::1]>', ['|bob@[192.0.2.7]', '|x@[IPv6:::1]']],
  ['blanks around @', 'bob @ example.com', ['|bob@example.com']],
  ['bytes', 'J\xc3\xb6rg <j\xc3\xb6rg@ex\xc3\xa4mple.com>', ['J\xc3\xb6rg|j\xc3\xb6rg@ex\xc3\xa4mple.com']],
  [
    'an encoded word that separates nothing',
    '=?utf-8?Q?Doe,_J;_<x@y>?= <j@example.com>',
    ['=?utf-8?Q?Doe,_J;_<x@y>?=|j@example.com'],
  ],
  ['an initial', 'John Q. Public <jq@x>', ['John Q. Public|jq@x']],
])('%s', (_, text, expected) => {
  expect(read(text)).toEqual(expected);
});

describe('what mailers make of it', () => {
  test.each<readonly [string, string, readonly string[]]>([
    ['no comma', 'A <a@x> B <b@y> <c@z>', ['A|a@x', 'B|b@y', '|c@z']],
    ['no brackets', 'Bob bob@example.com', ['Bob|bob@example.com']],
    ['blanks for commas', 'a@x b@y', ['|a@x', '|b@y']],
    ['a bracket that never closes', 'Bob <bob@x, C <c@y>', ['Bob|bob@x', 'C|c@y']],
    ['a bracket at the end', 'Bob <bob@x', ['Bob|bob@x']],
    ['two brackets', 'Bob <<bob@x>>', ['Bob|bob@x']],
    ['an unclosed quote', '"Bob <bob@x>, a@y', ['"Bob|bob@x', '|a@y']],
    ['an unclosed comment', 'Bob <bob@x> (work, a@y', ['Bob|bob@x', '|a@y']],
    ['words behind', 'Bob <bob@x> and more, a@y', ['Bob|bob@x', '|a@y']],
    ['single quotes', "'Bob' <bob@x>", ["'Bob'|bob@x"]],
    ['an address for a name', 'bob@x <bob@x>', ['bob@x|bob@x']],
    ['an address for a name, quoted', '"ceo@bank.example" <eve@x>', ['ceo@bank.example|eve@x']],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });
});

describe('no address is made up', () => {
  test.each([
    'bob',
    'Bob B.',
    '@example.com',
    'bob@',
    'a@b@c',
    '<a@b@c>',
    '<bob smith@example.com>',
    '<not an address>',
    'bob@exa"m"ple.com',
    'bob@x[1.2.3.4]',
    '=?utf-8?q?bob=40example.com?=',
    '=?utf-8?q?bob?=@example.com',
    '"bob@example.com"',
    '>',
    '"',
    '(',
    '\\',
    'a\\@b',
    '@',
  ])('%j', (text) => {
    expect(parseAddressList(text)).toEqual({ addresses: [], unreadable: 1 });
  });

  test('and blanks, comments and empty brackets are not even unreadable', () => {
    for (const text of ['', ' \r\n\t', ',', ';', '(nobody)', '<>', ':;', '\0'])
      expect(parseAddressList(text)).toEqual({ addresses: [], unreadable: 0 });
  });

  test('what is unreadable among others is counted', () => {
    expect(parseAddressList('a@x, nobody, <no body>, b@y')).toMatchObject({ unreadable: 2 });
  });
});

describe('a text made to be slow is read in time that grows with its length', () => {
  const SIZE = 400_000;
  test.each([
    '"',
    '\\"',
    '"\\',
    '(',
    '(()',
    '(\\',
    '<',
    '<"',
    '<(',
    '<@',
    '<@a,',
    '@',
    'a@',
    '[',
    'a@[',
    '=?',
    '=?a?q?',
    '=?a?q?,',
    ':',
    'a:',
    ',',
    ';',
    '.',
    ' .',
    '>',
    'a ',
    'a@b,',
    'a@b c@d ',
    '\r\n ',
    '()',
    '""',
    'a <b@c> ',
  ])(
    '%j',
    (piece) => {
      const text = piece.repeat(Math.floor(SIZE / piece.length));
      parseAddressList(text);
      parseAddressList(`Bob <bob@x>, ${text}, a@y`);
    },
    3000,
  );

  test('in whatever order its pieces come', () => {
    const many = (piece: string) => piece.repeat(100_000);
    for (const text of [
      `${many('a ')}@${many(':')}`,
      `<${many('a ')}${many(':')}`,
      `<@${many('a')}${many(',')}${many(':')}`,
    ])
      parseAddressList(text);
  }, 3000);

  test('and one beyond the limit is not read', () => {
    expect(parseAddressList(' '.repeat(LONGEST_ADDRESS_LIST))).toBeDefined();
    expect(parseAddressList(' '.repeat(LONGEST_ADDRESS_LIST + 1))).toBeUndefined();
  });
});
