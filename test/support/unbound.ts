// A validating resolver, unpacked and private: unbound with zones of ours, signed by ldns, below one scratch folder. What it
// says with the AD bit was proven by signatures and not by a setting.

import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  freePort,
  type Peer,
  peerEnvironment,
  peerProgram,
  runProgram,
  stopChild,
  untilListening,
} from './peers.js';
import { scratchFolder } from './scratch-folder.js';

/** A zone: its records without the apex's SOA and NS, as `name TTL type data` lines relative to it. */
export interface SignedZone {
  readonly name: string;
  readonly records: readonly string[];
  /** Signed; without, it is what most of the world is. */
  readonly isSigned: boolean;
  /** Done to the signed text: what an attacker on the path would do. */
  readonly forge?: (zone: string) => string;
}

/** Starts it on a free port of loopback; it knows these zones and asks nobody. */
export async function startUnbound(zones: readonly SignedZone[]): Promise<Peer> {
  const folder = scratchFolder();
  const anchors = path.join(folder, 'anchors');
  writeFileSync(anchors, '');
  const files = new Map<string, string>();
  for (const zone of zones) files.set(zone.name, await writeZone(folder, zone, anchors));
  const port = await freePort();
  const configuration = path.join(folder, 'unbound.conf');
  writeFileSync(
    configuration,
    [
      'server:',
      `  directory: "${folder}"`,
      ...['username', 'chroot', 'pidfile'].map((key) => `  ${key}: ""`),
      '  interface: 127.0.0.1',
      `  port: ${port}`,
      '  do-daemonize: no',
      '  use-syslog: no',
      `  logfile: "${path.join(folder, 'log')}"`,
      '  do-ip6: no',
      '  num-threads: 1',
      '  access-control: 127.0.0.0/8 allow',
      `  trust-anchor-file: "${anchors}"`,
      '  trust-anchor-signaling: no',
      // Names below "test" are answered by nobody unless that is said.
      '  local-zone: "test." nodefault',
      '  module-config: "validator iterator"',
      'remote-control:',
      '  control-enable: no',
      ...[...files].flatMap(([name, file]) => [
        'auth-zone:',
        `  name: ${name}`,
        `  zonefile: ${file}`,
        '  for-downstream: no',
        '  for-upstream: yes',
        '  fallback-enabled: no',
      ]),
      '',
    ].join('\n'),
  );
  const child = spawn(peerProgram('unbound'), ['-d', '-c', configuration], {
    env: peerEnvironment(),
    stdio: 'ignore',
  });
  try {
    await untilListening(port, child);
  } catch (error) {
    await stopChild(child);
    throw new Error(`unbound did not start: ${String(error)}`);
  }
  return { port, pid: child.pid!, stop: () => stopChild(child) };
}

async function writeZone(folder: string, zone: SignedZone, anchors: string): Promise<string> {
  const { name, records, isSigned, forge = (text) => text } = zone;
  const plain = path.join(folder, `${name}.zone`);
  writeFileSync(
    plain,
    [
      `$ORIGIN ${name}.`,
      `@ 300 IN SOA ns.${name}. root.${name}. 1 3600 600 86400 300`,
      `@ 300 IN NS ns.${name}.`,
      'ns 300 IN A 127.0.0.1',
      ...records,
      '',
    ].join('\n'),
  );
  if (!isSigned) return plain;
  const key = (await ldns(folder, 'ldns-keygen', ['-a', 'ECDSAP256SHA256', '-k', name])).trim();
  await ldns(folder, 'ldns-signzone', [plain, key]);
  appendFileSync(anchors, readFileSync(path.join(folder, `${key}.key`)));
  const signed = `${plain}.signed`;
  writeFileSync(signed, forge(readFileSync(signed, 'utf8')));
  return signed;
}

async function ldns(folder: string, program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(peerProgram(program), args, {
    env: peerEnvironment(),
    cwd: folder,
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`);
  return stdout;
}
