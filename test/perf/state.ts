// State that executions share: operations a second, direct and from a script, next to a bare Map in the same run.
// The aim is 500,000 a second in process.

import { compile, DEPTH_ONLY, execute } from '#lang';
import { createLocalMemory, createLocalRates, createLocalServices } from '#stdlib';
import { createRunHost } from '../../src/scripting/host/index.js';
import { catalogEnvironment, createCompileHost } from '../support/script-host.js';
import { median, table } from './measure.js';

const AIM = 500_000;
const KEYS = 1000;
const keys = Array.from({ length: KEYS }, (_, i) => `192.0.2.${i}`);

/** Does something so many times. */
type Work = (times: number) => void | Promise<void>;

function bareMap(): Work {
  const map = new Map<string, number>();
  return (times) => {
    for (let i = 0; i < times; i++) {
      const key = keys[i % KEYS]!;
      map.set(key, (map.get(key) ?? 0) + 1);
    }
  };
}

function rateDirect(count: number): Work {
  const rates = createLocalRates();
  let now = 0;
  return (times) => {
    for (let i = 0; i < times; i++) {
      now += 1e-5;
      const request = {
        namespace: 'bench',
        entry: keys[i % KEYS]!,
        count,
        intervalSeconds: 1,
        nowSeconds: now,
        isShared: false,
      };
      if (count === 0) rates.count(request);
      else rates.hit(request);
    }
  };
}

function memoryDirect(): Work {
  const memory = createLocalMemory();
  return (times) => {
    for (let i = 0; i < times; i++) {
      const key = keys[i % KEYS]!;
      memory.tryLock(key);
      memory.set(key, ((memory.get(key) as number | undefined) ?? 0) + 1);
      memory.unlock(key);
    }
  };
}

/** A loop in a script; `call` is what its body does with $key. */
function script(call: string): Work {
  const text = `
    $keys = [];
    for ($i = 0; $i < ${KEYS}; $i += 1) $keys[] = "192.0.2." . $i;
    for ($i = 0; $i < $times; $i += 1) { $key = $keys[$i % ${KEYS}]; ${call} }`;
  const environment = {
    ...catalogEnvironment(),
    variables: [{ name: 'times', summary: 'How often.', readonly: true }],
  };
  const compiled = compile({ name: 'state.hsl', text }, environment, createCompileHost());
  const host = createRunHost({ echo: () => {} });
  const services = createLocalServices();
  return async (times) => {
    const { program, diagnostics } = await compiled;
    if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
    const result = await execute(program, { host, services, limits: DEPTH_ONLY, variables: [times] }).run();
    if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  };
}

const works: Readonly<Record<string, () => Work>> = {
  'bare Map, direct': bareMap,
  'rate: record, direct': () => rateDirect(50),
  'rate: ask, direct': () => rateDirect(0),
  'memory: lock, add 1, unlock, direct': memoryDirect,
  'empty loop, script': () => script(''),
  'rate(ns, key, 50, 1), script': () => script('rate("bench", $key, 50, 1);'),
  'rate(ns, key, 0, 1), script': () => script('rate("bench", $key, 0, 1);'),
  'memory_inc(key), script': () => script('memory_inc($key);'),
  'memory_store(key, i), script': () => script('memory_store($key, $i);'),
  'memory_fetch(key), script': () => script('memory_fetch($key);'),
  'memory_update(key, 1, f, 0), script': () =>
    script('memory_update($key, 1, function ($k, $c, $v) { return $c + $v; }, 0);'),
};

async function cpuSeconds(work: Work, times: number): Promise<number> {
  const before = process.cpuUsage();
  await work(times);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** `npm run bench -- state [--rounds N] [--times N]` */
export async function run(args: readonly string[]): Promise<void> {
  const option = (name: string, fallback: number) => {
    const at = args.indexOf(name);
    return at === -1 ? fallback : Number(args[at + 1]);
  };
  const rounds = option('--rounds', 5);
  const times = option('--times', 200_000);
  const made = Object.entries(works).map(([name, make]) => ({ name, work: make(), rates: [] as number[] }));
  for (const { work } of made) await cpuSeconds(work, times / 4);
  for (let round = 0; round < rounds; round++)
    for (const { work, rates } of made) rates.push(times / (await cpuSeconds(work, times)));
  const bare = median(made[0]!.rates);
  const rows = made.map(({ name, rates }) => {
    const perSecond = median(rates);
    return [
      name,
      Math.round(perSecond).toLocaleString('en'),
      (bare / perSecond).toFixed(1),
      perSecond >= AIM ? 'yes' : 'no',
    ];
  });
  process.stdout.write(
    `operations per CPU second over ${KEYS} keys, median of ${rounds} rounds in turns\n\n`,
  );
  process.stdout.write(`${table(['what', 'per second', 'x bare Map', '500,000'], rows)}\n`);
}
