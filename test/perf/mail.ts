// What the mail benchmarks share: servers under test as processes, load from Postfix's smtp-source, a bare sink behind.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Daemon, type DaemonConfig } from '../support/daemon.js';
import { root, skipReason, smtpSource, stopChild } from '../support/peers.js';
import { median, table, treeCpuSeconds, treePssMiB, warmUp } from './measure.js';

export interface Case {
  readonly sizeBytes: number;
  readonly sessions: number;
  readonly count: number;
}

export interface Sink {
  readonly port: number;
  /** Resolves when so many more messages have come. */
  expect(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** On any free port of loopback, or where it is told. */
export async function startBareSink(address = '127.0.0.1', wantedPort = 0): Promise<Sink> {
  const program = path.join(root, 'dist/test/perf/bare-sink.js');
  const child = spawn(process.execPath, [program, address, String(wantedPort)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  return {
    port,
    async expect(count) {
      child.stdin.write(`${count}\n`);
      await lines.next();
    },
    stop: () => stopChild(child),
  };
}

export interface Server {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const emptyScript = '// nothing to decide\n';
const queueAll = `foreach ($transaction["recipients"] as $r)
	$arguments["mail"]->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
Accept();
`;

/** Configurations of ours: without scripts, or with one in every hook. */
export const argonites: Readonly<Record<string, DaemonConfig>> = {
  argonite: {},
  'argonite, a script in every hook': {
    hooks: {
      connect: emptyScript,
      helo: emptyScript,
      mailfrom: `if (str_lower($arguments["address"]["domain"]) == "blocked.test") Reject("no");\n`,
      rcptto: `if (str_lower($arguments["address"]["domain"]) == "blocked.test") Reject("no");\n`,
      eod: queueAll,
      disconnect: emptyScript,
      predelivery: emptyScript,
      postdelivery: emptyScript,
    },
  },
};

export async function startArgonite(config: DaemonConfig, nextHopPort: number): Promise<Server> {
  const daemon = await Daemon.start({ ...config, nextHopPort, environment: { syslog: { mask: 127 } } });
  return { port: daemon.port, pid: daemon.pid, stop: () => daemon.dispose() };
}

/** One round: `count` messages in, until the sink (or, without one, the load generator) has seen the last. */
export async function measure(server: Server, sink: Sink | undefined, { sizeBytes, sessions, count }: Case) {
  const cpuBefore = treeCpuSeconds(server.pid);
  const began = performance.now();
  const arrived = sink?.expect(count);
  const injectSeconds = await smtpSource(server.port, { count, sessions, sizeBytes });
  await arrived;
  const seconds = (performance.now() - began) / 1000;
  return {
    perSecond: count / seconds,
    injectPerSecond: count / injectSeconds,
    cpuPerThousand: ((treeCpuSeconds(server.pid) - cpuBefore) / count) * 1000,
    pssMiB: treePssMiB(server.pid),
  };
}

export type Measured = Awaited<ReturnType<typeof measure>>;

/** Arguments `--rounds N`, `--count N`, `--size BYTES`, `--sessions N`, each with a default. */
export function parseOptions(args: readonly string[]): { rounds: number; cases: Case[] } {
  const get = (name: string) => {
    const at = args.indexOf(`--${name}`);
    return at === -1 ? undefined : Number(args[at + 1]);
  };
  const [sizes, sessionCounts] = [get('size'), get('sessions')].map((value) =>
    value === undefined ? undefined : [value],
  );
  const cases: Case[] = [];
  for (const sizeBytes of sizes ?? [4096, 102_400]) {
    for (const sessions of sessionCounts ?? [1, 20, 100]) {
      cases.push({ sizeBytes, sessions, count: get('count') ?? (sizeBytes > 50_000 ? 1000 : 3000) });
    }
  }
  return { rounds: get('rounds') ?? 5, cases };
}

/** Runs servers in turns, a fresh start each, and prints medians with the ratio to the first one in the same round. */
export async function compare(
  title: string,
  servers: Readonly<Record<string, (sinkPort: number) => Promise<Server>>>,
  options: {
    readonly rounds: number;
    readonly cases: readonly Case[];
    /** Each round has a sink behind it. */
    readonly sink?: () => Promise<Sink>;
  },
): Promise<void> {
  const reason = skipReason('postfix', 'smtp-source');
  if (reason !== undefined) throw new Error(`cannot compare: ${reason}`);
  const rows: string[][] = [];
  for (const one of options.cases) {
    const results = new Map<string, Measured[]>(Object.keys(servers).map((name) => [name, []]));
    for (let round = 0; round < options.rounds; round++) {
      for (const [name, start] of Object.entries(servers)) {
        const sink = await options.sink?.();
        const server = await start(sink?.port ?? 1);
        try {
          await warmUp(async () => {
            const count = Math.min(1000, one.count);
            await measure(server, sink, { ...one, count });
            return count;
          });
          results.get(name)!.push(await measure(server, sink, one));
        } finally {
          await server.stop();
          await sink?.stop();
        }
      }
    }
    const [first] = Object.keys(servers);
    const reference = results.get(first!)!;
    for (const [name, measured] of results) {
      const ratio = median(measured.map(({ perSecond }, round) => perSecond / reference[round]!.perSecond));
      rows.push([
        `${one.sizeBytes / 1024} KiB, ${one.sessions}`,
        name,
        median(measured.map(({ perSecond }) => perSecond)).toFixed(0),
        median(measured.map(({ cpuPerThousand }) => cpuPerThousand)).toFixed(3),
        median(measured.map(({ pssMiB }) => pssMiB)).toFixed(0),
        ratio.toFixed(2),
      ]);
    }
  }
  process.stdout.write(
    `${title}; median of ${options.rounds} rounds in turns\n\n${table(['size, sessions', 'server', 'msg/s', 'CPU s per 1,000', 'PSS MiB', `x ${Object.keys(servers)[0]}`], rows)}\n`,
  );
}
