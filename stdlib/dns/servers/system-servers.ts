// The servers of this machine, from /etc/resolv.conf. The file is looked at again now and then, since network managers
// rewrite it while we run. Of its options none is read: time limits and retries are ours.

import { readFileSync } from 'node:fs';
import { parseServerAddress, type ServerAddress } from './server-address.js';

const CHECK_EVERY_MS = 10_000;
const MOST_SERVERS = 8;

/** The `nameserver` lines of resolv.conf(5). */
export function parseResolvConf(text: string): ServerAddress[] {
  const servers: ServerAddress[] = [];
  for (const line of text.split('\n')) {
    const ip = /^nameserver[ \t]+([^\s#;]+)/.exec(line)?.[1];
    const server = ip === undefined ? undefined : parseServerAddress(ip);
    if (server !== undefined && servers.length < MOST_SERVERS) servers.push(server);
  }
  return servers;
}

/** Gives the machine's servers; without any, the one that would run on this machine, as the C library does. */
export function systemServers(
  nowMs: () => number,
  file = '/etc/resolv.conf',
): () => readonly ServerAddress[] {
  let servers: readonly ServerAddress[] = [{ ip: '127.0.0.1', port: 53 }];
  let checkAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (nowMs() < checkAtMs) return servers;
    checkAtMs = nowMs() + CHECK_EVERY_MS;
    try {
      const found = parseResolvConf(readFileSync(file, 'latin1'));
      if (found.length > 0) servers = found;
    } catch {
      // No such file, or it is just being replaced: what we know still holds.
    }
    return servers;
  };
}
