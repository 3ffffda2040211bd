// How many clients a server bears: what an idle connection costs, and how many new ones it takes in a second.
//
//   memory   a server in a process of its own, heap and RSS after a collection, per connection that has said EHLO
//   daemon   RSS of the real daemon with as many idle connections
//   rate     connections that come, hear 220, say QUIT and go: per second, and CPU of the daemon for 1,000

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as dialTls } from 'node:tls';
import { Daemon } from '../support/daemon.js';
import { root, stopChild } from '../support/peers.js';
import { createAuthority } from '../support/test-certificates.js';
import { median, table, treeCpuSeconds } from './measure.js';

const heapAimBytes = 12 * 1024;
const rssAimMiB = 400;
const rateAim = 1500;
/** Connections that are opened at once. */
const atOnce = 50;

interface Memory {
  readonly sessions: number;
  readonly heapUsed: number;
  readonly rss: number;
}

/** Opens connections that have said EHLO and now say nothing. */
async function openIdle(port: number, count: number, isTls: boolean): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const one = async (index: number): Promise<void> => {
    // Ports of one address are not enough for many.
    const where = { host: '127.0.0.1', port, localAddress: `127.0.0.${2 + (index % 50)}` };
    const socket = isTls ? dialTls({ ...where, rejectUnauthorized: false }) : dial(where);
    socket.on('error', () => {});
    await once(socket, 'data');
    const answered = once(socket, 'data');
    socket.write('EHLO idle.test\r\n');
    await answered;
    sockets.push(socket);
  };
  for (let index = 0; index < count; ) {
    const batch: Promise<void>[] = [];
    for (; batch.length < atOnce && index < count; index++) batch.push(one(index));
    await Promise.all(batch);
  }
  return sockets;
}

async function ask(child: ChildProcess): Promise<Memory> {
  const answer = once(child, 'message');
  child.send('memory');
  const [memory] = (await answer) as [Memory];
  return memory;
}

/** Heap and RSS of one idle connection, in bytes. */
async function memoryOf(count: number, credentials?: { readonly key: string; readonly cert: string }) {
  const child = fork(path.join(root, 'dist/test/perf/connections-child.js'), {
    execArgv: ['--expose-gc'],
    env: {
      ...process.env,
      ...(credentials === undefined ? {} : { BENCH_KEY: credentials.key, BENCH_CERT: credentials.cert }),
    },
  });
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const isTls = credentials !== undefined;
    // What is made once belongs to no connection.
    const first = await openIdle(port, Math.min(100, count), isTls);
    const before = await ask(child);
    const more = await openIdle(port, count, isTls);
    const after = await ask(child);
    for (const socket of [...first, ...more]) socket.destroy();
    const sessions = after.sessions - before.sessions;
    return {
      sessions,
      heapBytes: (after.heapUsed - before.heapUsed) / sessions,
      rssBytes: (after.rss - before.rss) / sessions,
      rssMiB: after.rss / 1024 ** 2,
    };
  } finally {
    await stopChild(child);
  }
}

function rssMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;
}

/** Comes, hears the greeting, says QUIT, and goes. */
function visit(port: number, isTls: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const where = { host: '127.0.0.1', port };
    const socket = isTls ? dialTls({ ...where, rejectUnauthorized: false }) : dial(where);
    socket.once('data', () => socket.write('QUIT\r\n'));
    socket.on('data', () => {});
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
}

async function rateOf(daemon: Daemon, count: number, isTls: boolean) {
  const cpuBefore = treeCpuSeconds(daemon.pid);
  const begin = performance.now();
  let left = count;
  const visitor = async (): Promise<void> => {
    while (left-- > 0) await visit(daemon.port, isTls);
  };
  await Promise.all(Array.from({ length: atOnce }, visitor));
  const seconds = (performance.now() - begin) / 1000;
  return {
    perSecond: count / seconds,
    cpuPer1000: ((treeCpuSeconds(daemon.pid) - cpuBefore) * 1000) / count,
  };
}

function option(args: readonly string[], name: string, standard: number): number {
  const at = args.indexOf(`--${name}`);
  return at === -1 ? standard : Number(args[at + 1]);
}

/** `--idle N` connections (5,000), `--count N` visits a round (5,000), `--rounds N` (3). */
export async function run(args: readonly string[]): Promise<void> {
  const idle = option(args, 'idle', 5000);
  const count = option(args, 'count', 5000);
  const rounds = option(args, 'rounds', 3);
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-bench-'));
  try {
    const credentials = createAuthority(folder).issue('mx.test', ['DNS:mx.test']);
    const rows: string[][] = [];
    for (const [name, given] of [
      ['plain', undefined],
      ['TLS', credentials],
    ] as const) {
      const { sessions, heapBytes, rssBytes, rssMiB: whole } = await memoryOf(idle, given);
      rows.push([
        name,
        String(sessions),
        `${(heapBytes / 1024).toFixed(1)} KiB`,
        `${(rssBytes / 1024).toFixed(1)} KiB`,
        `${whole.toFixed(0)} MiB`,
      ]);
    }
    process.stdout.write(
      `\n## Idle connections, after EHLO (aims: ${heapAimBytes / 1024} KiB of heap each, 20,000 in ${rssAimMiB} MiB)\n\n` +
        `${table(['', 'connections', 'heap each', 'RSS each', 'RSS of the server'], rows)}\n`,
    );

    const pki = {
      private: [{ id: 'k', privatekey: { data: credentials.key }, certificate: { data: credentials.cert } }],
    };
    const plain = await Daemon.start();
    const secure = await Daemon.start({
      start: { listeners: [{ address: '127.0.0.1', port: 0, id: 'tls' }] },
      server: { tls: { certs: { cert: 'k' }, implicit: ['tls'] } },
      app: { pki },
    });
    try {
      const before = rssMiB(plain.pid);
      const sockets = await openIdle(plain.port, idle, false);
      const after = rssMiB(plain.pid);
      for (const socket of sockets) socket.destroy();
      process.stdout.write(
        `\nThe daemon: ${before.toFixed(0)} MiB at rest, ${after.toFixed(0)} MiB with ${sockets.length} idle connections\n`,
      );
      const rates = new Map<string, Awaited<ReturnType<typeof rateOf>>[]>([
        ['plain', []],
        ['TLS', []],
      ]);
      for (let round = 0; round < rounds; round++) {
        rates.get('plain')!.push(await rateOf(plain, count, false));
        rates.get('TLS')!.push(await rateOf(secure, Math.ceil(count / 5), true));
      }
      process.stdout.write(
        `\n## New connections: 220, QUIT, 221 (aim: ${rateAim} a second), medians of ${rounds} rounds\n\n${table(
          ['', 'a second', 'CPU s for 1,000'],
          [...rates].map(([name, values]) => [
            name,
            median(values.map(({ perSecond }) => perSecond)).toFixed(0),
            median(values.map(({ cpuPer1000 }) => cpuPer1000)).toFixed(3),
          ]),
        )}\n`,
      );
    } finally {
      await plain.dispose();
      await secure.dispose();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
