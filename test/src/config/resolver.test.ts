import { expect, test } from 'vitest';
import { createResolver } from '#stdlib';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const smtpd = 'version: "6.8"\nservers:\n  - id: in\n    listeners: [{ address: 127.0.0.1, port: 0 }]\n';
const app = 'version: "6.8"\nservers: [{ id: in }]\n';

function load(resolver: string) {
  const folder = scratchFolder({ 'smtpd.yaml': smtpd, 'smtpd-app.yaml': `${app}resolver:\n${resolver}` });
  return loadConfiguration(folder).running.resolver;
}

function problems(resolver: string): string {
  try {
    load(resolver);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  return '';
}

test('what is written is what the resolver gets', () => {
  const settings = load(`
  servers: ["192.0.2.53", "127.0.0.1:5353", "[::1]:53"]
  trusted: [192.0.2.53]
  timeout: 1m30s
  retries: 1
  cache: { size: 500 }
  hosts:
    example.com: { a: [192.0.2.1], mx: ["10 mx1.example.com"], txt: ["v=spf1 -all"], tlsa: ["3 1 1 ab"], secure: true }
`);
  expect(settings).toEqual({
    servers: ['192.0.2.53', '127.0.0.1:5353', '[::1]:53'],
    trusted: ['192.0.2.53'],
    timeoutSeconds: 90,
    retries: 1,
    cacheSize: 500,
    hosts: {
      'example.com': {
        a: ['192.0.2.1'],
        mx: ['10 mx1.example.com'],
        txt: ['v=spf1 -all'],
        tlsa: ['3 1 1 ab'],
        secure: true,
      },
    },
  });
  const resolver = createResolver(settings);
  expect(resolver.query({ name: 'example.com', type: 'a' })).toMatchObject({ isSecure: true });
  resolver.close();
});

test('what is left out is left to the resolver', () => {
  expect(load('  {}\n')).toEqual({});
});

test.each([
  [
    '  servers: [dns.example.com]\n',
    'resolver.servers[0]: found "dns.example.com"; expected "ip", "ip:port"',
  ],
  ['  servers: ["127.0.0.1:99999"]\n', 'resolver.servers[0]: found "127.0.0.1:99999"; expected'],
  ['  trusted: [10.0.0.0/8]\n', 'resolver.trusted[0]: found "10.0.0.0/8"; expected an IP address'],
  ['  timeout: 0\n', 'resolver.timeout: found 0; expected a time above 0'],
  ['  timeout: soon\n', 'resolver.timeout: found "soon"; expected a number of seconds'],
  ['  retries: -1\n', 'resolver.retries: found -1; the minimum is 0'],
  [
    '  hosts: { x.test: { a: ["::1"] } }\n',
    'resolver.hosts.x.test.a[0]: found "::1"; expected an IPv4 address',
  ],
  ['  hosts: { x.test: { mx: [mx.test] } }\n', 'found "mx.test"; expected a preference and a host name'],
  ['  hosts: { x.test: { tlsa: ["3 1"] } }\n', 'found "3 1"; expected three numbers and hexadecimal data'],
  ['  hosts: { x.test: { aa: ["::1"] } }\n', 'resolver.hosts.x.test: unknown key "aa"'],
  ['  hosts: { a..b: {} }\n', 'resolver.hosts.a..b: "a..b" is no domain name'],
  ['  cache: { sise: 1 }\n', 'unknown key "sise"; did you mean "size"?'],
])('%j is refused', (resolver, message) => {
  expect(problems(resolver)).toContain(message);
});
