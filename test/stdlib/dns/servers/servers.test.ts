import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isLocalServer, parseServerAddress } from '../../../../stdlib/dns/servers/server-address.js';
import { parseResolvConf, systemServers } from '../../../../stdlib/dns/servers/system-servers.js';
import { scratchFolder } from '../../../support/scratch-folder.js';

test.each([
  ['192.0.2.1', { ip: '192.0.2.1', port: 53 }],
  ['192.0.2.1:5353', { ip: '192.0.2.1', port: 5353 }],
  ['2001:db8::1', { ip: '2001:db8::1', port: 53 }],
  ['[2001:db8::1]', { ip: '2001:db8::1', port: 53 }],
  ['[2001:db8::1]:5353', { ip: '2001:db8::1', port: 5353 }],
  ['[192.0.2.1]:53', undefined],
  ['dns.example.com', undefined],
  ['192.0.2.1:0', undefined],
  ['192.0.2.1:65536', undefined],
  ['192.0.2.1:', undefined],
  ['', undefined],
])('a server written %s', (text, server) => {
  expect(parseServerAddress(text)).toEqual(server);
});

test('servers on this machine are local', () => {
  expect(isLocalServer({ ip: '127.0.0.53', port: 53 })).toBe(true);
  expect(isLocalServer({ ip: '192.0.2.1', port: 53 })).toBe(false);
});

test('resolv.conf names servers; other lines do not matter', () => {
  const text =
    '# made by hand\nsearch example.com\nnameserver 192.0.2.1 # first\n nameserver 192.0.2.9\nnameserver\t2001:db8::1\nnameserver nonsense\noptions ndots:2\n';
  expect(parseResolvConf(text)).toEqual([
    { ip: '192.0.2.1', port: 53 },
    { ip: '2001:db8::1', port: 53 },
  ]);
});

test('a new resolv.conf is noticed, a missing one is not the end', () => {
  let now = 0;
  const file = path.join(scratchFolder({ 'resolv.conf': 'nameserver 192.0.2.1\n' }), 'resolv.conf');
  const servers = systemServers(() => now, file);
  expect(servers()).toEqual([{ ip: '192.0.2.1', port: 53 }]);
  writeFileSync(file, 'nameserver 192.0.2.2\n');
  expect(servers()).toEqual([{ ip: '192.0.2.1', port: 53 }]);
  now = 10_001;
  expect(servers()).toEqual([{ ip: '192.0.2.2', port: 53 }]);
  writeFileSync(file, '');
  now = 30_000;
  expect(servers()).toEqual([{ ip: '192.0.2.2', port: 53 }]);
  expect(systemServers(() => 0, `${file}.not-there`)()).toEqual([{ ip: '127.0.0.1', port: 53 }]);
});
