// The operations of the control socket, by letter: which of the daemon's parts each works on.

import type { MessageQueue } from '../queue/message-queue.js';
import type { Deployment, DeployResult } from '../staging/staging.js';
import type { StageStatus } from '../staging/status.js';
import type { CommandLetter } from './commands.js';
import type { Operation } from './operation.js';
import { connectionList, type InboundConnection } from './operations/connection-list.js';
import { liveStaging } from './operations/live-staging.js';
import { queueList } from './operations/queue-list.js';
import { queueQuota } from './operations/queue-quota.js';
import { type ReloadResult, reloading } from './operations/reloading.js';
import { processStats, type StatisticsSources } from './statistics/process-stats.js';

/** What operations work on. */
export interface ControlParts {
  readonly queue: MessageQueue;
  readonly staging: {
    deploy(deployment: Deployment): Promise<DeployResult>;
    status(): StageStatus | undefined;
    cancel(): boolean;
  };
  readonly statistics: StatisticsSources;
  /** Unix seconds. */
  readonly now: () => number;
  /** Applies what is in the files: all of it, or the policies, or the settings of deliveries alone. */
  readonly reload: (what: 'all' | 'policies' | 'delivery') => Promise<ReloadResult>;
  readonly resolver: {
    /** Forgets what was learnt. */
    clear(): void;
    /** Reads its settings, those of the system too, anew. */
    renew(): void;
  };
  readonly connections: (serverIds: readonly string[]) => Iterable<InboundConnection>;
  /** Stops the daemon, soon. */
  readonly shutdown: (reason: string) => void;
}

/** A command that has nothing to say beyond that it is done. */
function bare(call: () => void): Operation<undefined> {
  return {
    run() {
      call();
      return undefined;
    },
  };
}

/** All that can be done now. */
export function operationsOf(parts: ControlParts): Readonly<Partial<Record<CommandLetter, Operation>>> {
  const { queue, staging, statistics, now, reload, resolver, connections, shutdown } = parts;
  return {
    ...liveStaging(staging),
    ...reloading(reload),
    q: processStats(statistics),
    C: bare(() => resolver.clear()),
    k: bare(() => resolver.renew()),
    n: { run: () => ({}) },
    F: queueList(queue, now),
    I: queueQuota(() => queue.quotas),
    T: connectionList(connections),
    U: {
      run: ({ reason }: { readonly reason?: string }) => {
        shutdown(reason === undefined || reason === '' ? 'asked by the control socket' : reason);
        return undefined;
      },
    },
  };
}
