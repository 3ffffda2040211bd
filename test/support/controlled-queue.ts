// A queue with the operations that work on it, asked in JSON as the control socket would.

import { createLocalMemory, createLocalRates, type LocalMemory, type LocalRates } from '#stdlib';
import type { CommandLetter } from '../../src/control/commands.js';
import { commands } from '../../src/control/commands.js';
import type { Caller } from '../../src/control/operation.js';
import { operationsOf } from '../../src/control/operations.js';
import type { StatisticsSources } from '../../src/control/statistics/process-stats.js';
import { toJsonText, wireShapes } from '../../src/control/wire-shapes.js';
import { LogLines } from '../../src/log/log-lines.js';
import { createFunctionCache, type ProcessCache } from '../../src/scripting/host/index.js';
import { uuid } from './mail-samples.js';
import { type QueueSetup, type StartedQueue, startedQueue } from './started-queue.js';
import { TestLog } from './test-log.js';

/** A queue and its operations. */
export interface ControlledQueue extends StartedQueue {
  readonly controlLog: TestLog;
  /** What scripts would keep. */
  readonly memory: LocalMemory;
  readonly cache: ProcessCache;
  readonly rates: LocalRates;
  /** Asks as with a body of JSON; the answer is read again from its JSON. @throws ControlError */
  ask(letter: CommandLetter, request?: object): Promise<Record<string, unknown>>;
}

/** A caller nobody listens to. */
export const deafCaller: Caller = {
  signal: new AbortController().signal,
  stream: { send: () => true, onRoom: () => {}, keep: () => {} },
};

/** Starts one. */
export async function controlledQueue(setup: QueueSetup = {}): Promise<ControlledQueue> {
  const started = await startedQueue(setup);
  const { queue, spool, clock } = started;
  const controlLog = new TestLog();
  const memory = createLocalMemory();
  const cache = createFunctionCache({ clock: { now: () => clock.now(), monotonic: () => clock.now() } });
  const rates = createLocalRates();
  let copies = 0;
  const statistics: StatisticsSources = {
    version: '0.0.0',
    elapsedSeconds: () => 1,
    servers: () => [],
    queueScripts: () => new Map(),
    queue: () => queue.statistics(),
    pool: () => ({ size: 0, hits: 0, misses: 0, expires: 0, evicts: 0, skips: 0 }),
    resolver: () => ({ size: 0, hits: 0, misses: 0, expires: 0, evicts: 0, running: 0, pending: 0 }),
    isReady: () => true,
    isHealthy: () => true,
  };
  const operations = operationsOf({
    queue,
    spool,
    spoolFolders: ['/spool'],
    newId: () => uuid(1_000_000 + ++copies),
    knowsTransport: (id) => id === 'out' || id === 'other',
    log: controlLog,
    logLines: new LogLines(),
    staging: {
      deploy: () => Promise.resolve({ kind: 'deployed', warnings: '' }),
      status: () => undefined,
      cancel: () => false,
    },
    statistics,
    now: () => clock.now(),
    reload: () => Promise.resolve({}),
    resolver: {
      clear: () => {},
      renew: () => {},
      lookUps: () => [],
      nextHop: () => Promise.reject(new Error('nobody asks for next hops')),
    },
    connections: () => [],
    scriptData: {
      memory,
      cache,
      rates,
      monotonic: () => clock.now(),
      // As of a process: it has no longer timer.
      after: (seconds, call) => clock.setTimer(Math.min(seconds, (2 ** 31 - 1) / 1000), call),
    },
    shutdown: () => {},
  });
  const shapes = await wireShapes();
  return {
    ...started,
    controlLog,
    memory,
    cache,
    rates,
    ask: async (letter, request = {}) => {
      const { name, hasBody } = commands[letter];
      const read = hasBody ? shapes.fromJson(`${name}Request`, JSON.stringify(request)) : undefined;
      const answer = (await operations[letter]!.run(read as never, deafCaller)) as object | undefined;
      if (answer === undefined) return {};
      // Both forms must be able to say it.
      await shapes.toBytes(`${name}Response`, answer);
      return JSON.parse(await toJsonText(answer)) as Record<string, unknown>;
    },
  };
}

/** The items of a list, as `id: field`. */
export function itemsOf(answer: Record<string, unknown>): readonly Record<string, unknown>[] {
  return answer['items'] as readonly Record<string, unknown>[];
}
