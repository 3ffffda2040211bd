import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const transports = `transportgroups:
  - id: g
    transports:
      - id: out
        connection: { server: 127.0.0.1, port: 2526 }
        dsn: { transport: out }
`;

function load(app: string, { type = 'http', listeners = '[{ address: 127.0.0.1, port: 0 }]' } = {}) {
  return loadConfiguration(
    scratchFolder({
      'smtpd.yaml': `version: "6.8"\nservers:\n  - { id: web, type: ${type}, listeners: ${listeners} }\n`,
      'smtpd-app.yaml': `version: "6.8"\nservers:\n  - id: web\n    type: ${type}\n    transport: out\n${app}${transports}`,
      'hooks/eod/x.hsl': '',
    }),
  );
}

function problems(...given: Parameters<typeof load>): string {
  try {
    load(...given);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

test('a server of type http has its defaults, and of a key only its SHA-256', () => {
  const { running, warnings } = load('    apikeys: [sésame]\n');
  const [server] = running.servers;
  expect(server).toMatchObject({ id: 'web', type: 'http', transportId: 'out' });
  expect(server!.submission).toEqual({
    apiKeys: [{ id: undefined, sha256: sha256('sésame') }],
    optionsBytes: 1024 * 1024,
    requestSeconds: 600,
    requests: 500,
    requestsPerKey: 0,
    idempotencySeconds: 3600,
    idempotencyKeys: 10_000,
  });
  expect(warnings).toEqual([]);
});

test('everything about it can be set', () => {
  const hex = sha256('k').toString('hex');
  const { running } = load(`    apikeys: [{ id: shop, sha256: ${hex.toUpperCase()} }]
    submission:
      maxoptions: 2MiB
      timeout: 1m
      concurrency: { total: 7, key: 3 }
      idempotency: { ttl: 1d, keys: 5 }
`);
  expect(running.servers[0]!.submission).toEqual({
    apiKeys: [{ id: 'shop', sha256: sha256('k') }],
    optionsBytes: 2 * 1024 * 1024,
    requestSeconds: 60,
    requests: 7,
    requestsPerKey: 3,
    idempotencySeconds: 86_400,
    idempotencyKeys: 5,
  });
});

test.each([
  ['12345', 'found a number'],
  ['""', 'found a string'],
  ['{ id: a, sha256: abc }', 'found a object'],
  [`{ sha256: "${'a'.repeat(64)}" }`, 'found a object'],
  [`{ id: a, sha256: "${'a'.repeat(64)}", key: secret }`, 'found a object'],
])('%s is no API key, and is not shown', (key, found) => {
  const text = problems(`    apikeys: [${key}]\n`);
  expect(text).toContain(
    `servers[0].apikeys[0]: ${found}; expected the key as a text, or {id: ..., sha256: 64 hex digits}`,
  );
  expect(text).not.toContain('secret');
});

test('two keys with one id are a problem, as are two listeners', () => {
  const key = `{ id: a, sha256: "${'a'.repeat(64)}" }`;
  expect(problems(`    apikeys: [${key}, ${key}]\n`)).toContain('there are two keys with the id "a"');
  const listeners = '[{ port: 0, address: 127.0.0.1 }, { port: 0, address: 127.0.0.2 }]';
  expect(problems('    apikeys: [k]\n', { listeners })).toContain(
    'server "web" has 2 listeners; a server of type http has one',
  );
});

test('https without certificates is refused: nothing is ever sent in the clear by mistake', () => {
  expect(problems('    apikeys: [k]\n', { type: 'https' })).toContain(
    'server "web" has no certificates; a server of type https needs servers[].tls.certs in smtpd-app.yaml',
  );
});

test('what is probably not meant is a warning: no keys, no TLS beyond loopback, scripts that never run', () => {
  const warningsOf = (...given: Parameters<typeof load>) =>
    load(...given).warnings.map(({ path, message }) => `${path}: ${message}`);
  expect(warningsOf('')).toEqual([
    'servers[0]: server "web" has no apikeys: every submission is answered 401',
  ]);
  expect(warningsOf('    apikeys: [k]\n', { listeners: '[{ port: 0 }]' })).toEqual([
    expect.stringContaining('servers[0].type: server "web" listens beyond loopback without TLS'),
  ]);
  expect(
    warningsOf(
      '    apikeys: [k]\n    phases: { helo: {}, connect: { remoteptr: true }, rcptto: { maxrecipients: 5 }, eod: { hook: x } }\n',
    ),
  ).toEqual([
    'servers[0].phases.helo: without effect: of the scripts, HTTP submission runs that of eod only',
  ]);
  expect(
    warningsOf('    apikeys: [k]\n', { listeners: '[{ port: 0, address: 127.0.0.1, xclient: [] }]' }),
  ).toEqual(['servers[0]: "xclient" is without effect for server "web": XCLIENT is a command of SMTP']);
});
