import { constants } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseTlsProtocols } from '../../../stdlib/sockets/tls-options.js';

const all = { minVersion: 'TLSv1', maxVersion: 'TLSv1.3', secureOptions: 0 };

test.each([
  ['!SSLv2,!SSLv3', all],
  ['!sslv2 !sslv3', all],
  ['SSLv3,TLSv1', { ...all, maxVersion: 'TLSv1' }],
  ['!SSLv2,!SSLv3,!TLSv1', { ...all, minVersion: 'TLSv1.1' }],
  ['!TLSv1,!TLSv1.1', { ...all, minVersion: 'TLSv1.2' }],
  ['-TLSv1.3', { ...all, maxVersion: 'TLSv1.2' }],
  ['TLSv1.2', { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', secureOptions: 0 }],
  ['+TLSv1.2:+TLSv1.3', { ...all, minVersion: 'TLSv1.2' }],
  ['TLSv1.0', { ...all, maxVersion: 'TLSv1' }],
  ['!TLSv1.1,!TLSv1.2', { ...all, secureOptions: constants.SSL_OP_NO_TLSv1_1 | constants.SSL_OP_NO_TLSv1_2 }],
  ['TLSv1,TLSv1.3,!TLSv1', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', secureOptions: 0 }],
])('"%s" is %o', (text, protocols) => {
  expect(parseTlsProtocols(text, 'test')).toEqual(protocols);
});

test('nothing said is nothing chosen', () => {
  expect(parseTlsProtocols(' , ', 'test')).toBeUndefined();
});

test('an unknown protocol is told with those that are known', () => {
  expect(() => parseTlsProtocols('!TLSv9', 'f: the option')).toThrow(
    /f: the option: "!TLSv9" is no protocol; expected SSLv2/,
  );
});

test('protocols that leave nothing are refused', () => {
  expect(() => parseTlsProtocols('SSLv3', 'f')).toThrow(/leaves no protocol/);
  expect(() => parseTlsProtocols('!TLSv1,!TLSv1.1,!TLSv1.2,!TLSv1.3', 'f')).toThrow(/leaves no protocol/);
});
