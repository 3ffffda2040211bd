// How many connections delivery bears, and whether a bad destination costs a good one anything.
//
//   memory   N deliveries in parallel to a sink that holds every one of them, RSS and heap of each
//   tarpit   messages a second to a fast destination, alone and beside N deliveries that a tarpit holds, in turns

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { root, stopChild } from '../support/peers.js';
import { median, table } from './measure.js';
import type { Endpoint, Order, OutboundState } from './outbound-child.js';
import type { SinkCounts } from './slow-sink.js';

const aimBytes = 40 * 1024;
const aimLoss = 0.05;
/** Ephemeral ports of one pair of addresses are 28,000; some are still closing. */
const connectionsPerAddress = 5_000;

/** A child with as many files as the system allows. */
function start(script: string, args: readonly string[], nodeArgs: readonly string[] = []): ChildProcess {
  const file = path.join(root, 'dist/test/perf', script);
  return spawn(
    'sh',
    ['-c', 'ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"', process.execPath, ...nodeArgs, file, ...args],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
}

async function heard<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T];
  return message;
}

async function ask<T>(child: ChildProcess, question: Order | string): Promise<T> {
  const answer = heard<T>(child);
  child.send(question);
  return answer;
}

async function until(
  sink: ChildProcess,
  met: (counts: SinkCounts) => boolean,
  seconds: number,
): Promise<SinkCounts> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const counts = await ask<SinkCounts>(sink, 'counts');
    if (met(counts) || performance.now() > end) return counts;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function memoryAt(point: 'BANNER' | 'EOD', count: number, sizeBytes: number): Promise<string[]> {
  const addresses = Math.max(2, Math.ceil(count / connectionsPerAddress));
  const sink = start('slow-sink.js', [String(addresses), point]);
  const deliverer = start('outbound-child.js', [String(sizeBytes)], ['--expose-gc']);
  try {
    const [{ ports }] = await Promise.all([heard<{ ports: Endpoint[] }>(sink), heard(deliverer)]);
    // What is made once belongs to no connection.
    const first = Math.min(100, count);
    await ask(deliverer, { kind: 'open', count: first, ports });
    await until(sink, ({ held }) => held >= first, 30);
    const before = await ask<OutboundState>(deliverer, { kind: 'state' });
    await ask(deliverer, { kind: 'open', count, ports });
    const { held } = await until(sink, (counts) => counts.held >= first + count, 120);
    const during = await ask<OutboundState>(deliverer, { kind: 'state' });
    await ask(sink, 'go');
    await until(sink, ({ messages }) => messages >= first + count, 120);
    await until(sink, ({ open }) => open === 0, 30);
    const after = await ask<OutboundState>(deliverer, { kind: 'state' });
    for (const why of after.failed) process.stdout.write(`failed: ${why}\n`);
    const each = (what: (state: OutboundState) => number) =>
      `${((what(during) - what(before)) / count / 1024).toFixed(1)} KiB`;
    return [
      point,
      String(held),
      each(({ rss }) => rss),
      each(({ heapUsed }) => heapUsed),
      each(({ external }) => external),
      `${(during.rss / 1024 ** 2).toFixed(0)} MiB`,
      `${after.delivered} of ${first + count}`,
    ];
  } finally {
    await Promise.all([stopChild(deliverer), stopChild(sink)]);
  }
}

async function besideTarpit(held: number, rounds: number, seconds: number, lanes: number) {
  const fast = start('slow-sink.js', ['1']);
  const rates: { readonly alone: number; readonly beside: number }[] = [];
  try {
    const { ports } = await heard<{ ports: Endpoint[] }>(fast);
    const port = ports[0]!;
    for (let round = 0; round < rounds; round++) {
      const tarpit = start('slow-sink.js', [
        String(Math.max(2, Math.ceil(held / connectionsPerAddress))),
        'EOD',
        '500',
      ]);
      const deliverer = start('outbound-child.js', ['4096'], ['--expose-gc']);
      try {
        const [{ ports: slow }] = await Promise.all([heard<{ ports: Endpoint[] }>(tarpit), heard(deliverer)]);
        const drive: Order = { kind: 'drive', lanes, seconds, port };
        await ask(deliverer, { ...drive, seconds: 1 });
        const { count: alone } = await ask<{ count: number }>(deliverer, drive);
        await ask(deliverer, { kind: 'open', count: held, ports: slow });
        await until(tarpit, (counts) => counts.held >= held, 120);
        const { count: beside } = await ask<{ count: number }>(deliverer, drive);
        rates.push({ alone: alone / seconds, beside: beside / seconds });
      } finally {
        await Promise.all([stopChild(deliverer), stopChild(tarpit)]);
      }
    }
  } finally {
    await stopChild(fast);
  }
  return rates;
}

function option(args: readonly string[], name: string, standard: number): number {
  const at = args.indexOf(`--${name}`);
  return at === -1 ? standard : Number(args[at + 1]);
}

/**
 * `--connections N` (1,000), `--size BYTES` (4,096), `--tarpit N` deliveries held (500), `--lanes N` (20), `--rounds N` (3),
 * `--seconds S` (3); `--only memory` or `--only tarpit`.
 */
export async function run(args: readonly string[]): Promise<void> {
  const only = args[args.indexOf('--only') + 1];
  const isOnly = args.includes('--only');
  if (!isOnly || only === 'memory') {
    const count = option(args, 'connections', 1000);
    const sizeBytes = option(args, 'size', 4096);
    const rows = [await memoryAt('BANNER', count, sizeBytes), await memoryAt('EOD', count, sizeBytes)];
    process.stdout.write(
      `\n## Deliveries in parallel, held by the next hop (aim: 20,000 at ${aimBytes / 1024} KiB each)\n\n${table(
        ['held at', 'connections', 'RSS each', 'heap each', 'external each', 'RSS', 'delivered'],
        rows,
      )}\n`,
    );
  }
  if (!isOnly || only === 'tarpit') {
    const rounds = option(args, 'rounds', 3);
    const rates = await besideTarpit(
      option(args, 'tarpit', 500),
      rounds,
      option(args, 'seconds', 3),
      option(args, 'lanes', 20),
    );
    const loss = median(rates.map(({ alone, beside }) => 1 - beside / alone));
    process.stdout.write(
      `\n## A fast destination beside a tarpit (aim: it loses at most ${aimLoss * 100} %)\n\n${table(
        ['round', 'alone, a second', 'beside, a second'],
        rates.map(({ alone, beside }, index) => [String(index + 1), alone.toFixed(0), beside.toFixed(0)]),
      )}\n\nmedian loss: ${(loss * 100).toFixed(1)} %\n`,
    );
  }
}
