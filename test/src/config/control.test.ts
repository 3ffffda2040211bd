import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { scratchFolder } from '../../support/scratch-folder.js';
import { createAuthority } from '../../support/test-certificates.js';

function load(more: object, app: object = {}) {
  const base = { version: '6.8', servers: [{ id: 'in', listeners: [{ address: '127.0.0.1', port: 0 }] }] };
  const files = {
    'smtpd.yaml': JSON.stringify({ ...base, ...more }),
    'smtpd-app.yaml': JSON.stringify({ version: '6.8', servers: [{ id: 'in' }], ...app }),
  };
  return { configuration: loadConfiguration(scratchFolder(files)) };
}

function problems(more: object, app: object = {}): string {
  try {
    load(more, app);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

const socket = (controlsocket: object) => ({ environment: { controlsocket } });

test('the control socket has a place and permissions without being configured', () => {
  const { startup } = load({}).configuration;
  expect(startup.control).toMatchObject({ path: '/run/argonite/smtpd.ctl', mode: 0o660, isDefault: true });
  expect(startup.monitor).toBeUndefined();
});

test('path, owner, group and permissions are taken; paths begin in the folder', () => {
  const { startup } = load(socket({ path: 'ctl', chmod: '0600', owner: 'root', group: '0' })).configuration;
  expect(startup.control).toMatchObject({ mode: 0o600, owner: 'root', group: '0', isDefault: false });
  expect(startup.control.path).toMatch(/^\/.*\/ctl$/);
});

test('what belongs to UNIX sockets and what belongs to TCP are not mixed', () => {
  expect(problems(socket({ port: 1, path: 'x', chmod: '0600' }))).toMatch(/only a UNIX socket has "path"/);
  expect(problems(socket({ address: '127.0.0.1' }))).toContain('a UNIX socket has no "address"');
});

test('a port beyond loopback without certificates of clients is a warning', () => {
  const { startup, warnings } = load(socket({ port: 0, address: '0.0.0.0' })).configuration;
  expect(startup.control).toMatchObject({ path: undefined, port: 0, address: '0.0.0.0' });
  expect(warnings.map(({ message }) => message).join()).toContain('controls the daemon');
});

test('TLS needs a certificate and its key, and the key is never shown', () => {
  const authority = createAuthority(scratchFolder());
  const { cert, key } = authority.issue('ctl', ['DNS:ctl.test']);
  const other = authority.issue('other', ['DNS:other.test']);
  const tls = (privatekey: string) =>
    socket({
      port: 0,
      tls: {
        server: { certificate: { data: cert }, privatekey: { data: privatekey } },
        client: { certificate: { data: authority.cert }, verifyname: 'admin.test' },
      },
    });
  expect(load(tls(key)).configuration.startup.control.tls).toMatchObject({
    server: { certificate: cert },
    client: { verify: true, verifyName: 'admin.test' },
  });
  const said = problems(tls(other.key));
  expect(said).toContain('cannot be used together');
  expect(said).not.toContain('PRIVATE');
});

test('the monitor endpoint has its older spelling, thresholds and keys', () => {
  const monitor = { listener: { port: 0 }, healthy: { maxmessages: { upper: 10, lower: 5 } } };
  const { startup, running } = load({ monitor }, { monitor: { apikeys: ['k'] } }).configuration;
  expect(startup.monitor).toEqual({ address: '127.0.0.1', port: 0, upperMessages: 10, lowerMessages: 5 });
  expect(running.monitorKeys).toHaveLength(1);
  expect(load({ monitor: { port: 7 } }).configuration.startup.monitor).toMatchObject({ port: 7 });
  expect(problems({ monitor: { ...monitor, port: 7 } })).toContain('monitor.listener says it already');
  expect(
    problems({ monitor: { listener: { port: 0 }, healthy: { maxmessages: { upper: 5, lower: 10 } } } }),
  ).toContain('expected at most that');
});
