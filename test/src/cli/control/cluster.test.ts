import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { hostsIn } from '../../../../src/cli/control/cluster.js';
import { scratchFolder } from '../../../support/scratch-folder.js';

function written(text: string): string {
  const file = path.join(scratchFolder(), 'cli.yaml');
  writeFileSync(file, text);
  return file;
}

test('a cluster is a list of sockets with names', () => {
  const folder = scratchFolder();
  writeFileSync(path.join(folder, 'ca.pem'), 'PEM');
  const file = path.join(folder, 'cli.yaml');
  writeFileSync(
    file,
    `hosts:
  - name: mx1
    path: run/smtpd.ctl
  - { name: mx2, port: 5004 }
  - { name: mx3, address: "::1", port: 5004, tls: { ca: ca.pem } }
`,
  );
  expect(hostsIn(file)).toEqual([
    { name: 'mx1', socket: path.join(folder, 'run/smtpd.ctl') },
    { name: 'mx2', socket: '127.0.0.1:5004', tls: undefined },
    { name: 'mx3', socket: '[::1]:5004', tls: { ca: Buffer.from('PEM') } },
  ]);
});

test.each([
  ['hosts: []', ':1:1: hosts: expected a list of 1 to 256 hosts'],
  ['- a', ':1:1: expected "hosts:" with a list'],
  ['host: []', ':1:1: there is no setting "host"; expected version, hosts'],
  ['hosts:\n  - path: a', ':2:5: name: expected a text'],
  ['hosts:\n  - { name: a, path: b, port: 1 }', ':2:5: expected a text as "path" and nothing but a name'],
  ['hosts:\n  - { name: a, port: 0 }', ':2:5: expected "path", or "address" with a "port"'],
  ['hosts:\n  - { name: a, path: b }\n  - { name: a, path: c }', ':3:5: name: found "a" twice'],
  ['hosts:\n  - { name: a, port: 1, tls: { ca: none } }', 'ca: there is no file'],
  ['hosts: [', 'cli.yaml: '],
])('%j is refused with its place', (text, expected) => {
  expect(() => hostsIn(written(text))).toThrow(expected);
});

test('a file that is not there is told', () => {
  expect(() => hostsIn('/nowhere/cli.yaml')).toThrow('--config: there is no file /nowhere/cli.yaml');
});
