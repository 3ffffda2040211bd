// Mail over HTTP: how many submissions a second are on disk and answered 200, and what they cost, next to the same mail over
// SMTP. One process serves both, in short bursts in turns; nothing is delivered meanwhile.

import { startHoldingArgonite } from './held-servers.js';
import { type Load, startLoad } from './load.js';
import { median, table, treeCpuSeconds } from './measure.js';

interface Burst {
  readonly perSecond: number;
  readonly cpuPerThousand: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** A way in, and what was measured of it. */
interface Way {
  readonly name: string;
  readonly load: Load;
  readonly bursts: Burst[];
}

const warmUpSeconds = 2;

async function runCase(
  connections: number,
  { sizeBytes, rounds, seconds }: { sizeBytes: number; rounds: number; seconds: number },
): Promise<string[][]> {
  const server = await startHoldingArgonite({ http: {} }, { sessions: connections, certificate: undefined });
  const ways: Way[] = [];
  try {
    const { port, httpPort } = server;
    const add = async (name: string, load: Promise<Load>) =>
      void ways.push({ name, load: await load, bursts: [] });
    await add('smtp', startLoad({ port, sessions: connections, sizeBytes }));
    await add('smtp, pipelined', startLoad({ port, sessions: connections, sizeBytes, pipelining: true }));
    await add(
      'http',
      startLoad({ port: httpPort, sessions: connections, sizeBytes }, 'submission-client.js'),
    );
    for (const { load } of ways) await load.burst(warmUpSeconds);
    for (let round = 0; round < rounds; round++) {
      for (const { load, bursts } of round % 2 === 0 ? ways : [...ways].reverse()) {
        const before = treeCpuSeconds(server.pid);
        const { count, seconds: took, p50Ms, p99Ms } = await load.burst(seconds);
        const cpuSeconds = treeCpuSeconds(server.pid) - before;
        bursts.push({ perSecond: count / took, cpuPerThousand: (cpuSeconds / count) * 1000, p50Ms, p99Ms });
      }
    }
  } finally {
    for (const { load } of ways) await load.stop();
    await server.stop();
  }
  const smtp = ways[0]!.bursts;
  return ways.map(({ name, bursts }) => {
    const middle = (key: keyof Burst) => median(bursts.map((one) => one[key]));
    const ratio = (key: keyof Burst) => median(bursts.map((one, round) => one[key] / smtp[round]![key]));
    return [
      `${sizeBytes / 1024} KiB, ${connections}`,
      name,
      middle('perSecond').toFixed(0),
      ratio('perSecond').toFixed(2),
      middle('cpuPerThousand').toFixed(3),
      ratio('cpuPerThousand').toFixed(2),
      middle('p50Ms').toFixed(2),
      middle('p99Ms').toFixed(1),
    ];
  });
}

const head = [
  'size, connections',
  'way in',
  'msg/s',
  'x smtp',
  'CPU s per 1,000',
  'CPU x smtp',
  'p50 ms',
  'p99 ms',
];

/** `--size BYTES`, `--connections 1,20,100`, `--rounds`, `--seconds` of a burst. */
export async function run(args: readonly string[]): Promise<void> {
  const get = (name: string): string | undefined => {
    const at = args.indexOf(`--${name}`);
    return at === -1 ? undefined : args[at + 1];
  };
  const options = {
    sizeBytes: Number(get('size') ?? 4096),
    rounds: Number(get('rounds') ?? 5),
    seconds: Number(get('seconds') ?? 1),
  };
  const rows: string[][] = [];
  for (const connections of (get('connections') ?? '1,20,100').split(','))
    rows.push(...(await runCase(Number(connections), options)));
  process.stdout.write(
    `Mail over HTTP and SMTP, durable, delivery held; median of ${options.rounds} rounds in turns\n\n${table(head, rows)}\n`,
  );
}
