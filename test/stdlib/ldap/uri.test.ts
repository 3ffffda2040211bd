import { expect, test } from 'vitest';
import { parseLdapServers, parseLdapUri } from '../../../stdlib/ldap/uri.js';

const host = (name: string, port: number, isSecure = false) => ({ kind: 'host', host: name, port, isSecure });

test.each([
  ['ldap://ds.test', { server: host('ds.test', 389), base: '' }],
  ['LDAPS://ds.test/', { server: host('ds.test', 636, true), base: '' }],
  ['ldap://ds.test:3890/dc=a%20b,dc=c?cn?sub?(a=b)', { server: host('ds.test', 3890), base: 'dc=a b,dc=c' }],
  ['ldap://[::1]:389', { server: host('::1', 389), base: '' }],
  ['ldap://', { server: host('localhost', 389), base: '' }],
  ['ldapi://%2Frun%2Fslapd', { server: { kind: 'path', path: '/run/slapd' }, base: '' }],
  ['ldapi:///', { server: { kind: 'path', path: '/var/run/slapd/ldapi' }, base: '' }],
])('%s is %o', (uri, parsed) => {
  expect(parseLdapUri(uri)).toEqual(parsed);
});

test.each([
  'http://x',
  'ldap:x',
  'ldap://a:b',
  'ldap://a:0',
  'ldap://a:99999',
  'ldap://u@h',
  'ldap://a b',
  'ldap://a\n',
])('%s is no URI of a directory', (uri) => {
  expect(parseLdapUri(uri)).toBeUndefined();
});

test('several are tried in turn, and one that is none is told', () => {
  expect(parseLdapServers('ldap://a ldaps://b')).toEqual([host('a', 389), host('b', 636, true)]);
  expect(() => parseLdapServers('ldap://a http://u:secret@b')).toThrow(
    /"http:\/\/b" is no URI of a directory/,
  );
  expect(() => parseLdapServers(' ')).toThrow(/the URI is empty/);
});
