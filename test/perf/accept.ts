// Accept and spool: how much mail is on disk and answered with 250 in a second, and what that costs, next to Postfix and
// Haraka, none of which delivers anything meanwhile.
//
// All servers of a case run at the same time, but only one has work: short bursts in turns, in an order that changes, so
// that what else the machine does hits all alike. CPU is that of the whole process tree, until it is quiet again.

import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Peer, skipReason } from '../support/peers.js';
import { createAuthority, type TestCertificate } from '../support/test-certificates.js';
import { harakaVersion, startHoldingHaraka, whyNoHaraka } from './haraka.js';
import {
  eightHooks,
  eightHooksAndEveryLine,
  startHoldingArgonite,
  startHoldingPostfix,
  type Wanted,
} from './held-servers.js';
import { type Load, startLoad } from './load.js';
import { median, table, treeCpuSeconds, treePssMiB, warmUp } from './measure.js';

interface AcceptCase {
  readonly name: string;
  readonly sizeBytes: number;
  readonly sessions: number;
  readonly tls: boolean;
  readonly pipelining: boolean;
}

const quickCases = '4k:1,4k:20,4k:100,4k:20:pipelining,4k:20:tls,100k:20';
const allCases = ['4k', '100k'].flatMap((size) =>
  [1, 20, 100, 1000].flatMap((sessions) => [`${size}:${sessions}`, `${size}:${sessions}:tls`]),
);

const servers: Readonly<Record<string, (wanted: Wanted) => Promise<Peer>>> = {
  postfix: startHoldingPostfix,
  haraka: startHoldingHaraka,
  argonite: (wanted) => startHoldingArgonite({}, wanted),
  'argonite-hooks': (wanted) => startHoldingArgonite(eightHooks, wanted),
  'argonite-lines': (wanted) => startHoldingArgonite(eightHooksAndEveryLine, wanted),
};

/** Those that run when none are chosen. */
const usualServers = ['postfix', 'haraka', 'argonite', 'argonite-hooks'];

/** `4k:20`, `100k:20:tls` or `4k:20:pipelining`. */
function parseCase(text: string): AcceptCase {
  const match = /^(\d+)k:(\d+)(:tls)?(:pipelining)?$/.exec(text);
  if (match === null)
    throw new Error(
      `"${text}" is no case; a case is KIB:SESSIONS[:tls][:pipelining], like 4k:20 or 100k:1:tls`,
    );
  const [, kib, sessions, tls, pipelining] = match;
  return {
    name: `${kib} KiB, ${sessions}${tls === undefined ? '' : ', TLS'}${pipelining === undefined ? '' : ', pipelined'}`,
    sizeBytes: Number(kib) * 1024,
    sessions: Number(sessions),
    tls: tls !== undefined,
    pipelining: pipelining !== undefined,
  };
}

interface AcceptOptions {
  readonly cases: readonly AcceptCase[];
  readonly servers: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
}

function parseOptions(args: readonly string[]): AcceptOptions {
  const given = new Map<string, string>();
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at]!;
    const value = args[at + 1];
    if (!['--cases', '--servers', '--rounds', '--seconds'].includes(name) || value === undefined)
      throw new Error(
        `accept takes --cases LIST|all, --servers LIST, --rounds N and --seconds S, not "${args.slice(at).join(' ')}"`,
      );
    given.set(name, value);
  }
  const cases = given.get('--cases') ?? quickCases;
  const chosen = given.get('--servers')?.split(',') ?? usualServers;
  for (const name of chosen) {
    if (servers[name] === undefined)
      throw new Error(`there is no server "${name}"; there are ${Object.keys(servers).join(', ')}`);
  }
  return {
    cases: (cases === 'all' ? allCases : cases.split(',')).map(parseCase),
    servers: chosen,
    rounds: Number(given.get('--rounds') ?? 5),
    seconds: Number(given.get('--seconds') ?? 1),
  };
}

interface Burst {
  readonly perSecond: number;
  readonly cpuPerThousand: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A server with its open sessions, and what was measured. */
interface Contestant {
  readonly name: string;
  readonly server: Peer;
  readonly load: Load;
  readonly bursts: Burst[];
}

/** CPU seconds of a process tree when it has stopped working; some servers have work left after the last reply. */
async function cpuWhenQuiet(pid: number): Promise<number> {
  let before = treeCpuSeconds(pid);
  for (let look = 0; look < 20; look++) {
    await sleep(100);
    const now = treeCpuSeconds(pid);
    if (now - before < 0.015) return now;
    before = now;
  }
  return before;
}

async function burst({ server, load, bursts }: Contestant, seconds: number): Promise<void> {
  const before = treeCpuSeconds(server.pid);
  const { count, seconds: took, p50Ms, p99Ms } = await load.burst(seconds);
  const cpuSeconds = (await cpuWhenQuiet(server.pid)) - before;
  bursts.push({ perSecond: count / took, cpuPerThousand: (cpuSeconds / count) * 1000, p50Ms, p99Ms });
}

async function runCase(
  one: AcceptCase,
  names: readonly string[],
  { rounds, seconds }: AcceptOptions,
  certificate: TestCertificate,
): Promise<string[][]> {
  const contestants: Contestant[] = [];
  try {
    const wanted = { sessions: one.sessions, certificate: one.tls ? certificate : undefined };
    for (const name of names) {
      const server = await servers[name]!(wanted);
      const load = await startLoad({ ...one, port: server.port }).catch(async (error: unknown) => {
        await server.stop();
        throw new Error(`${name}, ${one.name}: ${error instanceof Error ? error.message : String(error)}`);
      });
      contestants.push({ name, server, load, bursts: [] });
      await warmUp(async () => (await load.burst(1)).count);
      await cpuWhenQuiet(server.pid);
    }
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? contestants : [...contestants].reverse();
      for (const contestant of order) await burst(contestant, seconds);
    }
    return contestants.map((contestant) => rowOf(one.name, contestant, contestants));
  } finally {
    for (const { load, server } of contestants) {
      await load.stop();
      await server.stop();
    }
  }
}

function rowOf(caseName: string, { name, server, bursts }: Contestant, all: readonly Contestant[]): string[] {
  const middle = (key: keyof Burst): number => median(bursts.map((one) => one[key]));
  // Ratios are taken within a round: both had the same machine.
  const ratio = (key: keyof Burst, to: string): string => {
    const other = all.find((one) => one.name === to)?.bursts;
    if (other === undefined || to === name) return '';
    return median(bursts.map((one, round) => one[key] / other[round]![key])).toFixed(2);
  };
  return [
    caseName,
    name,
    middle('perSecond').toFixed(0),
    ratio('perSecond', 'postfix'),
    ratio('perSecond', 'haraka'),
    ratio('perSecond', 'argonite'),
    middle('cpuPerThousand').toFixed(3),
    ratio('cpuPerThousand', 'argonite'),
    middle('p50Ms').toFixed(2),
    middle('p99Ms').toFixed(1),
    treePssMiB(server.pid).toFixed(0),
  ];
}

const head = [
  'size, sessions',
  'server',
  'msg/s',
  'x postfix',
  'x haraka',
  'x argonite',
  'CPU s per 1,000',
  'CPU x argonite',
  'p50 ms',
  'p99 ms',
  'PSS MiB',
];

/** `--cases 4k:20,100k:100:tls` or `all`, `--servers`, `--rounds`, `--seconds` of a burst. */
export async function run(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  const missing: Readonly<Record<string, string | undefined>> = {
    postfix: skipReason('postfix'),
    haraka: whyNoHaraka(),
  };
  const names = options.servers.filter((name) => missing[name] === undefined);
  for (const name of options.servers) {
    if (missing[name] !== undefined) process.stdout.write(`without ${name}: ${missing[name]}\n`);
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-bench-keys-'));
  try {
    const certificate = createAuthority(folder).issue('bench.test', ['DNS:bench.test', 'IP:127.0.0.1']);
    const rows: string[][] = [];
    const loadBefore = loadavg()[0]!;
    for (const one of options.cases) {
      process.stderr.write(`${one.name}\n`);
      rows.push(...(await runCase(one, names, options, certificate)));
    }
    const haraka = names.includes('haraka') ? `; Haraka ${harakaVersion()}` : '';
    process.stdout.write(
      `Accept and spool, durable before 250, nothing delivered; median of ${options.rounds} bursts of ` +
        `${options.seconds} s in turns${haraka}; load average before ${loadBefore.toFixed(1)}\n\n${table(head, rows)}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
