// What smtpd-app.yaml says of the way to a next hop (queue-and-config 8.4).

import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { scratchFolder } from '../../support/scratch-folder.js';

/** A configuration with one group of transports, and other files. */
function folderWith(group: readonly string[], files: Readonly<Record<string, string>> = {}): string {
  return scratchFolder({
    'smtpd.yaml': 'version: "6.8"\nservers: [{ id: in, listeners: [{ address: 127.0.0.1, port: 0 }] }]\n',
    'smtpd-app.yaml': [
      'version: "6.8"',
      'servers: [{ id: in, transport: out }]',
      'transportgroups:',
      '  - id: g',
      ...group.map((line) => `    ${line}`),
      '',
    ].join('\n'),
    ...files,
  });
}

function load(group: string, own = '') {
  const folder = folderWith([
    `connection: { ${group} }`,
    'dsn: { transport: out }',
    `transports: [{ id: out, connection: { ${own} } }]`,
  ]);
  const { running, warnings } = loadConfiguration(folder);
  expect(warnings.map(({ message }) => message)).toEqual([]);
  return running.transports.get('out')!;
}

test('a transport without a server is for the mail hosts of its recipients, and nothing is wrong with that', () => {
  expect(load('')).toMatchObject({ host: undefined, port: 25, lookup: undefined, mx: {} });
});

test('a server may be looked up as a host or as a domain with mail hosts', () => {
  expect(load('server: relay.test, lookup: mx')).toMatchObject({ host: 'relay.test', lookup: 'mx' });
  expect(load('server: relay.test', 'lookup: address')).toMatchObject({ lookup: 'address' });
});

test('which mail hosts may be used is inherited, each list by itself', () => {
  const group = 'mx: { include: ["*.a.test"], exclude: [mx9.a.test] }';
  expect(load(group).mx).toEqual({ include: ['*.a.test'], exclude: ['mx9.a.test'] });
  expect(load(group, 'mx: { exclude: [] }').mx).toEqual({ include: ['*.a.test'], exclude: [] });
});

test('names of any letters are bytes from here on', () => {
  const { host, mx } = load('server: bücher.test, mx: { include: ["*.bücher.test"] }');
  expect(host).toBe('b\xc3\xbccher.test');
  expect(mx).toEqual({ include: ['*.b\xc3\xbccher.test'] });
});

test('a proxy is inherited, part by part', () => {
  const group = 'proxy: { address: 192.0.2.1, port: 8025 }';
  expect(load('').proxy).toBeUndefined();
  expect(load(group).proxy).toEqual({ ip: '192.0.2.1', port: 8025, version: undefined });
  expect(load(group, 'proxy: { version: 1 }').proxy).toEqual({ ip: '192.0.2.1', port: 8025, version: 1 });
});

test.each([
  ['proxy: { address: 192.0.2.1 }', /connection\.proxy needs .*found "192\.0\.2\.1" and no port/],
  ['proxy: { address: proxy.test, port: 1 }', /which is an IP address.*found "proxy\.test"/],
  ['proxy: { address: 192.0.2.1, port: 1, version: 3 }', /version/],
  ['lookup: address', /transport "out": connection\.lookup is "address" without a connection\.server/],
  ['lookup: srv', /smtpd-app\.yaml:5:\d+: error: .*lookup.*address/],
  ['sourceip: { ipv4: false, ipv6: false }', /switches off ipv4 and ipv6, so that nothing can be reached/],
  ['mx: { includes: [a] }', /includes/],
])('%s is told', (connection, message) => {
  expect(() => load(connection)).toThrow(message);
});

/** What is wrong with a group, and with other files, each with its line. */
function problemsOf(group: readonly string[], files: Readonly<Record<string, string>> = {}): string[] {
  const folder = folderWith(group, files);
  try {
    loadConfiguration(folder);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
  }
}

test('what is wrong is told where it stands: with the transport, or with its group', () => {
  const problems = problemsOf([
    'session: { tls: { mode: require, ciphers: NOSUCH } }',
    'dsn: { transport: nowhere }',
    'transports:',
    '  - id: out',
    '    connection: { sourceip: { ipv6: [nobody] }, lookup: address, proxy: { port: 1 } }',
  ]);
  for (const expected of [
    /^5 transportgroups\[0\]\.session\.tls\.ciphers: transport "out": tls\.ciphers: found "NOSUCH"; expected OpenSSL's/,
    /^6 transportgroups\[0\]\.dsn\.transport: dsn\.transport names the unknown transport "nowhere"/,
    /^9 transportgroups\[0\]\.transports\[0\]\.connection\.sourceip\.ipv6: .*there is no address "nobody"/,
    /^9 transportgroups\[0\]\.transports\[0\]\.connection\.lookup: .*without a connection\.server/,
    /^9 transportgroups\[0\]\.transports\[0\]\.connection\.proxy: .*found no address and port 1/,
  ])
    expect(problems).toContainEqual(expect.stringMatching(expected));
});

test('a name for EHLO has no spaces, and no line ends that would begin another command', () => {
  const expected = 'expected a host name in ASCII, or an address such as [192.0.2.1]';
  expect(
    problemsOf(['session: { helo: "a b" }', 'dsn: { transport: out }', 'transports: [{ id: out }]']),
  ).toEqual([`5 transportgroups[0].session.helo: found "a b"; ${expected}`]);
  expect(
    problemsOf(['session: { helo: "a\\r\\nRSET" }', 'dsn: { transport: out }', 'transports: [{ id: out }]']),
  ).toEqual([`5 transportgroups[0].session.helo: found "a\\r\\nRSET"; ${expected}`]);
  expect(
    problemsOf(['session: { helo: "[192.0.2.1]" }', 'dsn: { transport: out }', 'transports: [{ id: out }]']),
  ).toEqual([]);
});

test('a state that is none is told with those that are', () => {
  const delivery = 'version: "6.8"\ndelivery: { default: { timeout: { smtp: { FOO: 3 } } } }\n';
  expect(
    problemsOf(['dsn: { transport: out }', 'transports: [{ id: out }]'], { 'smtpd-delivery.yaml': delivery }),
  ).toEqual([
    expect.stringMatching(/^2 .*smtp: unknown key "FOO"; expected one of CONNECT, BANNER, .*, QUIT$/),
  ]);
});
