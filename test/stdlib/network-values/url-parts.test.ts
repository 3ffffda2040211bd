import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textToUrlParts } from '../../../stdlib/network-values/url-parts.js';

/** Only what is there. */
function parts(text: string): Record<string, unknown> | undefined {
  const read = textToUrlParts(text);
  return read && Object.fromEntries(Object.entries(read).filter(([, part]) => part !== undefined));
}

test.each([
  [
    'https://ann:pa%20ss@Example.COM:8443/a/b?c=d&e#f?g',
    {
      scheme: 'https',
      username: 'ann',
      password: 'pa%20ss',
      hostname: 'example.com',
      port: 8443,
      path: '/a/b',
      query: 'c=d&e',
      fragment: 'f?g',
    },
  ],
  ['HTTP://example.com', { scheme: 'http', hostname: 'example.com' }],
  ['http://example.com:', { scheme: 'http', hostname: 'example.com' }],
  ['http://[2001:DB8::1]:25/', { scheme: 'http', hostname: '2001:db8::1', port: 25, path: '/' }],
  ['http://[v1.a:b]/', { scheme: 'http', hostname: 'v1.a:b', path: '/' }],
  ['ftp://ann@h/', { scheme: 'ftp', username: 'ann', hostname: 'h', path: '/' }],
  ['ftp://ann:@h/', { scheme: 'ftp', username: 'ann', password: '', hostname: 'h', path: '/' }],
  ['ftp://a@b@h/', { scheme: 'ftp', username: 'a@b', hostname: 'h', path: '/' }],
  ['file:///etc/passwd', { scheme: 'file', path: '/etc/passwd' }],
  ['mailto:bob@example.com?subject=x', { scheme: 'mailto', path: 'bob@example.com', query: 'subject=x' }],
  ['//example.com/x', { hostname: 'example.com', path: '/x' }],
  ['/a/b?', { path: '/a/b', query: '' }],
  ['?q', { query: 'q' }],
  ['#f', { fragment: 'f' }],
  ['www.example.com/a', { path: 'www.example.com/a' }],
  ['http://h?x=/y#', { scheme: 'http', hostname: 'h', query: 'x=/y', fragment: '' }],
  ['data:,x', { scheme: 'data', path: ',x' }],
  ['urn:a:b', { scheme: 'urn', path: 'a:b' }],
  ['http://b\xc3\xa5r/', { scheme: 'http', hostname: 'b\xc3\xa5r', path: '/' }],
])('%s', (url, expected) => {
  expect(parts(url)).toEqual(expected);
});

describe('is refused', () => {
  test.each([
    '',
    'not a url',
    'http://a\nb/',
    'http://a\0/',
    'http://h:port/',
    'http://h:65536/',
    'http://h:-1/',
    'http://[::1/',
    'http://[nonsense]/',
    'http://[::1]x/',
    'http://a:1:2/',
    'http://user@/',
    'http://:80/',
  ])('%j', (url) => {
    expect(textToUrlParts(url)).toBeUndefined();
  });
});

test('the parts make up the whole again', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abc019-._~%20'), maxLength: 6 });
  const some = <T>(what: fc.Arbitrary<T>) => fc.option(what, { nil: undefined });
  const host = word.map((text) => `h${text.replaceAll('%', '')}`);
  fc.assert(
    fc.property(
      some(word),
      some(word),
      host,
      some(fc.nat(65535)),
      word,
      some(word),
      some(word),
      (user, password, hostname, port, path, query, fragment) => {
        const credentials =
          user === undefined ? '' : `${user}${password === undefined ? '' : `:${password}`}@`;
        const url = `https://${credentials}${hostname}${port === undefined ? '' : `:${port}`}/${path}${query === undefined ? '' : `?${query}`}${fragment === undefined ? '' : `#${fragment}`}`;
        expect(textToUrlParts(url)).toEqual({
          scheme: 'https',
          username: user,
          password: user === undefined ? undefined : password,
          hostname,
          port,
          path: `/${path}`,
          query,
          fragment,
        });
      },
    ),
  );
});

test('whatever a text holds, it is read in no time', () => {
  for (const piece of ['@', ':', '[', '/', '?', '#', 'a:', '//', '%', '[:'])
    textToUrlParts(`http://${piece.repeat(500_000)}`);
}, 5000);
