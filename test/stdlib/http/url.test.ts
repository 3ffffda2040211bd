import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillPlaces, parseHttpUrl, redirectTarget } from '../../../stdlib/http/url.js';

test.each([
  ['http://h/$1/$2', ['a b', 'ä'], 'http://h/a%20b/%E4'],
  ['http://h/?q=$1&r=$1', ['&'], 'http://h/?q=%26&r=%26'],
  ['http://h/$3/$0/$', ['x'], 'http://h/$3/$0/$'],
  ['http://h/$10', ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'ten'], 'http://h/ten'],
  ['http://h/$1', ['$2'], 'http://h/%242'],
])('%s with %o is %s', (url, values, filled) => {
  expect(fillPlaces(url, values)).toBe(filled);
});

test('no value leaves its place in the URL', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      const value = Buffer.from(text).toString('latin1');
      const filled = parseHttpUrl(fillPlaces('http://h.test/a/$1/b?c=$1', [value]))!;
      expect(filled.host).toBe('h.test');
      expect(filled.searchParams.size).toBe(1);
      expect(filled.hash).toBe('');
    }),
  );
});

test.each([
  ['http://example.com', 'http://example.com/'],
  ['HTTP://Example.com:80/a b', 'http://example.com/a%20b'],
  ['https://[::1]:8443/x?y#z', 'https://[::1]:8443/x?y#z'],
  ['http://example.com/\xe4\xff?\xe4', 'http://example.com/%E4%FF?%E4'],
  ['http://b\xc3\xbccher.example/', 'http://xn--bcher-kva.example/'],
])('%s is %s', (text, url) => {
  expect(parseHttpUrl(text)?.href).toBe(url);
});

test.each([
  'ftp://example.com/',
  'example.com',
  'http://',
  'http://ho st/',
  'http://example.com/\r\nX: y',
  '',
])('%j is no URL for HTTP', (text) => {
  expect(parseHttpUrl(text)).toBeUndefined();
});

test('a redirect is taken relative to where it came from, and only for HTTP', () => {
  const from = new URL('http://a.test/b/c?d');
  expect(redirectTarget('e', from)?.href).toBe('http://a.test/b/e');
  expect(redirectTarget('//other.test/\xe4', from)?.href).toBe('http://other.test/%E4');
  expect(redirectTarget('file:///etc/passwd', from)).toBeUndefined();
  expect(redirectTarget('http://', from)).toBeUndefined();
});
