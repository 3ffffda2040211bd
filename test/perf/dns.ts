// Names asked for: from the cache, directly and by a script's dns_query, next to a bare Map; from a server on loopback,
// next to node:dns. CPU is this process's alone, the server has its own.

import { fork } from 'node:child_process';
import { Resolver as NodeResolver } from 'node:dns/promises';
import path from 'node:path';
import { compile, DEPTH_ONLY, execute } from '#lang';
import { type CountingResolver, createLocalServices, createResolver } from '#stdlib';
import { createRunHost } from '../../src/scripting/host/index.js';
import { root } from '../support/peers.js';
import { catalogEnvironment, createCompileHost } from '../support/script-host.js';
import { median, table } from './measure.js';

const NAMES = 1000;
const IN_FLIGHT = 200;
const names = Array.from({ length: NAMES }, (_, index) => `host${index}.example.test`);

/** Does something so many times. */
type Work = (times: number) => Promise<void>;

interface Cost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

function bareMap(): Work {
  const map = new Map(names.map((name) => [`a ${name}`, { address: '192.0.2.1' }]));
  let found = 0;
  return async (times) => {
    for (let i = 0; i < times; i++) if (map.get(`a ${names[i % NAMES]!}`) !== undefined) found++;
    if (found === 0) throw new Error('nothing was found');
  };
}

function cachedDirect(resolver: CountingResolver): Work {
  return async (times) => {
    for (let i = 0; i < times; i++) {
      const answer = resolver.query({ name: names[i % NAMES]!, type: 'a' });
      if (answer instanceof Promise || answer.kind !== 'records') throw new Error('it was not in the cache');
    }
  };
}

function script(resolver: CountingResolver, body: string): Work {
  const text = `
    $names = [];
    for ($i = 0; $i < ${NAMES}; $i += 1) $names[] = "host$i.example.test";
    for ($i = 0; $i < $times; $i += 1) { $name = $names[$i % ${NAMES}]; ${body} }`;
  const environment = {
    ...catalogEnvironment(),
    variables: [{ name: 'times', summary: 'How often.', readonly: true }],
  };
  const compiled = compile({ name: 'dns.hsl', text }, environment, createCompileHost());
  const network = {
    resolver,
    mailClient: undefined,
    backgroundRequests: undefined,
    submission: undefined,
  };
  const services = createLocalServices({ network });
  return async (times) => {
    const { program, diagnostics } = await compiled;
    if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
    const host = createRunHost({ echo: () => {} });
    const result = await execute(program, { host, services, limits: DEPTH_ONLY, variables: [times] }).run();
    if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  };
}

/** Names that nobody asked for before, so many at a time. */
function uncached(ask: (name: string) => Promise<boolean>): Work {
  let asked = 0;
  return async (times) => {
    const end = asked + times;
    const askOn = async (): Promise<void> => {
      while (asked < end) if (!(await ask(`n${asked++}.example.test`))) throw new Error('no answer');
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, askOn));
  };
}

async function costOf(work: Work, times: number): Promise<Cost> {
  const before = process.cpuUsage();
  const started = performance.now();
  await work(times);
  const wallSeconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { wallSeconds, cpuSeconds: (user + system) / 1e6 };
}

/** Runs all in turns. @returns rows: what, per second, per CPU second, times the first */
async function compare(
  works: Readonly<Record<string, Work>>,
  times: number,
  rounds: number,
): Promise<string[][]> {
  const made = Object.entries(works).map(([name, work]) => ({ name, work, costs: [] as Cost[] }));
  for (const { work } of made) await work(Math.ceil(times / 4));
  for (let round = 0; round < rounds; round++)
    for (const { work, costs } of made) costs.push(await costOf(work, times));
  const cpu = (costs: readonly Cost[]) => times / median(costs.map(({ cpuSeconds }) => cpuSeconds));
  return made.map(({ name, costs }) => [
    name,
    Math.round(times / median(costs.map(({ wallSeconds }) => wallSeconds))).toLocaleString('en'),
    Math.round(cpu(costs)).toLocaleString('en'),
    (cpu(made[0]!.costs) / cpu(costs)).toFixed(1),
  ]);
}

/** `npm run bench -- dns [--rounds N] [--times N]`: `times` cache hits, a twentieth of it uncached. */
export async function run(args: readonly string[]): Promise<void> {
  const option = (name: string, fallback: number) => {
    const at = args.indexOf(name);
    return at === -1 ? fallback : Number(args[at + 1]);
  };
  const rounds = option('--rounds', 5);
  const times = option('--times', 200_000);
  const responder = fork(path.join(root, 'dist/test/perf/dns-responder.js'));
  const port = await new Promise<number>((resolve, reject) => {
    responder.once('message', (message) => resolve(Number(message)));
    responder.once('exit', () => reject(new Error('the server ended')));
  });
  const server = `127.0.0.1:${port}`;
  const cached = createResolver({ servers: [server], cacheSize: NAMES });
  const fresh = createResolver({ servers: [server], cacheSize: 0 });
  const node = new NodeResolver();
  node.setServers([server]);
  try {
    await Promise.all(names.map((name) => cached.query({ name, type: 'a' })));
    const hits = await compare(
      {
        'bare Map, direct': bareMap(),
        'resolver, cached': cachedDirect(cached),
        'empty loop, script': script(cached, ''),
        'dns_query, cached, script': script(cached, 'dns_query($name);'),
      },
      times,
      rounds,
    );
    const asks = await compare(
      {
        'node:dns resolve4': uncached(async (name) => (await node.resolve4(name)).length === 1),
        'resolver, uncached': uncached(
          async (name) => (await fresh.query({ name, type: 'a' })).kind === 'records',
        ),
      },
      Math.ceil(times / 20),
      rounds,
    );
    process.stdout.write(`questions, median of ${rounds} rounds in turns; CPU of this process alone\n\n`);
    for (const rows of [hits, asks])
      process.stdout.write(
        `${table(['what', 'per second', 'per CPU second', `x ${rows[0]![0]!}`], rows)}\n\n`,
      );
  } finally {
    cached.close();
    fresh.close();
    responder.disconnect();
  }
}
