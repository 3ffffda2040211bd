import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { scratchFolder } from '../../support/scratch-folder.js';

function load(privdrop: object) {
  const files = {
    'smtpd.yaml': JSON.stringify({
      version: '6.8',
      servers: [{ id: 'in', listeners: [{ address: '127.0.0.1', port: 0 }] }],
      environment: { privdrop },
    }),
    'smtpd-app.yaml': JSON.stringify({ version: '6.8', servers: [{ id: 'in' }] }),
  };
  return loadConfiguration(scratchFolder(files)).startup.privdrop;
}

function problems(privdrop: object): string {
  try {
    load(privdrop);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

test('a user has its own group where no other is named', () => {
  expect(load({ user: 'daemon' })).toMatchObject({ user: 'daemon', uid: 1, gid: 1 });
  expect(load({ user: 'daemon', group: 'sys' })).toMatchObject({ uid: 1, gid: 3 });
});

test('numbers need no user of the host, but a group then', () => {
  expect(load({ user: '54321', group: '54322' })).toMatchObject({ user: '54321', uid: 54321, gid: 54322 });
  expect(problems({ user: '54321' })).toContain('the user 54321 has no group of its own; expected "group"');
});

test('unknown names are told with file, line and column', () => {
  expect(problems({ user: 'no-such-user' })).toMatch(
    /smtpd\.yaml:1:\d+: error: environment\.privdrop\.user: this host has no user "no-such-user"/,
  );
  expect(problems({ user: 'daemon', group: 'no-such-group' })).toMatch(
    /smtpd\.yaml:1:\d+: error: environment\.privdrop\.group: this host has no group "no-such-group"/,
  );
  expect(problems({ group: 'daemon' })).toContain('the key "user" is missing');
});

test('root cannot be given up for root', () => {
  expect(problems({ user: 'root' })).toContain('found root; expected a user without the rights of root');
  expect(problems({ user: '0', group: 'daemon' })).toContain('found root;');
  expect(problems({ user: 'daemon', group: 'root' })).toContain('found the group root;');
});
