import { expect, test } from 'vitest';
import { parseXclient, xclientExtension } from '../../../../src/smtp/edge/xclient.js';
import { replies } from '../../../../src/smtp/replies.js';

test('XCLIENT announces its attributes as Postfix does', () => {
  expect(xclientExtension).toBe('XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT');
});

test.each([
  ['NAME=spike.example.test ADDR=168.100.189.2', { name: 'spike.example.test', address: '168.100.189.2' }],
  ['addr=IPV6:2001:DB8::1 port=4711', { address: '2001:db8::1', port: 4711 }],
  ['ADDR=ipv6:::ffff:192.0.2.1', { address: '192.0.2.1' }],
  ['PROTO=esmtp HELO=host+2Etest', { protocol: 'ESMTP', helo: 'host.test' }],
  ['NAME=[UNAVAILABLE] ADDR=[unavailable] PORT=[TempUnavail]', { name: null, address: null, port: null }],
  ['NAME=[TEMPUNAVAIL] HELO=[UNAVAILABLE] LOGIN=[UNAVAILABLE]', { name: null, helo: null, login: null }],
  ['LOGIN=a+2Bb@c.test', { login: 'a+b@c.test' }],
  ['DESTADDR=192.0.2.7 DESTPORT=25', { destinationAddress: '192.0.2.7', destinationPort: 25 }],
  ['  ADDR=192.0.2.1   PORT=1 ', { address: '192.0.2.1', port: 1 }],
  ['HELO=a+zz', { helo: 'a+zz' }],
])('XCLIENT %s', (argument, request) => {
  expect(parseXclient(argument)).toEqual(request);
});

test.each([
  '',
  'ADDR',
  'ADDR=',
  'ADDR=192.0.2',
  'ADDR=host.test',
  'PORT=65536',
  'PORT=-1',
  'PROTO=LMTP',
  'PROTO=[UNAVAILABLE]',
  'NAME=two+20words',
  'NAME=a..b',
  'HELO=line+0D+0Aend',
  'LOGIN=nul+00',
  `HELO=${'x'.repeat(256)}`,
  'COLOUR=blue',
  '=x',
])('XCLIENT %j is refused', (argument) => {
  expect(parseXclient(argument)).toBe(replies.xclientSyntax);
});
