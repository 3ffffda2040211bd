// q, ProcessStats: what all parts of the daemon have counted, in the shape of ProcessStatsResponse. Each part counts for itself; here
// the counts get the names by which they are known outside (families.ts).

import type { PoolCounters } from '../../delivery/pool.js';
import type { QueueStatistics } from '../../queue/queue-statistics.js';
import { toMilliseconds } from '../listed-values.js';
import type { Operation } from '../operation.js';
import type { StatisticsTree } from './families.js';

/** A script's runs. */
export interface ScriptStatistics {
  readonly running: number;
  readonly pending: number;
  readonly finished: number;
  readonly errors: number;
}

/** What a server has counted. */
export interface ServerStatistics {
  readonly id: string;
  readonly connections: { readonly concurrency: number; readonly limit: number; readonly total: number };
  readonly messages: { readonly accepted: number; readonly rejected: number; readonly deferred: number };
  /** By phase. */
  readonly scripts: ReadonlyMap<string, ScriptStatistics>;
}

/** What the resolver has counted. */
export interface ResolverStatistics {
  readonly size: number;
  readonly hits: number;
  readonly misses: number;
  readonly expires: number;
  readonly evicts: number;
  readonly running: number;
  readonly pending: number;
}

/** Where the counts come from. */
export interface StatisticsSources {
  readonly version: string;
  readonly elapsedSeconds: () => number;
  readonly servers: () => readonly ServerStatistics[];
  readonly queueScripts: () => ReadonlyMap<string, ScriptStatistics>;
  readonly queue: () => QueueStatistics;
  readonly pool: () => PoolCounters;
  readonly resolver: () => ResolverStatistics;
  readonly isReady: () => boolean;
  readonly isHealthy: () => boolean;
}

/** All statistics, as they are now. */
export function collectStatistics(sources: StatisticsSources): StatisticsTree {
  const queue = sources.queue();
  const { running, pending, ...cache } = sources.resolver();
  return {
    process: {
      pid: process.pid,
      elapsed: toMilliseconds(sources.elapsedSeconds()),
      memory: { rss: process.memoryUsage.rss() },
      version: sources.version,
    },
    servers: Object.fromEntries(
      sources
        .servers()
        .map(({ id, connections, messages, scripts }) => [
          id,
          { connections, messages, scripts: treeOf(scripts) },
        ]),
    ),
    scripts: treeOf(sources.queueScripts()),
    queue: {
      loader: { count: queue.accepted, pending: queue.due, active: queue.preparing },
      quota: { size: queue.quotas },
      queues: {
        active: { 0: queue.activeByPriority[0], 1: queue.activeByPriority[1] },
        defer: queue.defer,
        hold: queue.hold,
        update: queue.update,
        pending: queue.pending,
      },
      policy: {
        dynamic: { suspends: 0, conditions: 0 },
        concurrency: { suspends: queue.obstacles, counters: queue.counters },
        rate: { suspends: 0, buckets: 0 },
        connectinterval: { suspends: 0 },
      },
      pickup: queue.pickup,
      connections: { concurrency: queue.sending, limit: queue.concurrency, total: queue.attempts },
      pooling: sources.pool(),
      delivery: queue.verdicts,
    },
    resolver: { cache: { ...cache, skips: 0 }, running, pending },
    monitor: { ready: Number(sources.isReady()), healthy: Number(sources.isHealthy()) },
  } as unknown as StatisticsTree;
}

/** Answers with them. */
export function processStats(sources: StatisticsSources): Operation<undefined, StatisticsTree> {
  return { run: () => collectStatistics(sources) };
}

function treeOf(scripts: ReadonlyMap<string, ScriptStatistics>): StatisticsTree {
  return Object.fromEntries(
    [...scripts].map(([name, { running, pending, finished, errors }]) => [
      name,
      { running, pending, finished, errors },
    ]),
  );
}
