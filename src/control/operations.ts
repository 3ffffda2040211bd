// The operations of the control socket, by letter: which of the daemon's parts each works on.

import type { LookUp } from '#stdlib';
import type { HopAnswer, HopQuery } from '../delivery/next-hops/query.js';
import type { LogLines } from '../log/log-lines.js';
import type { Logger } from '../log/logger.js';
import type { MessageQueue } from '../queue/message-queue.js';
import type { Spool } from '../spool/spool.js';
import type { Deployment, DeployResult } from '../staging/staging.js';
import type { StageStatus } from '../staging/status.js';
import type { CommandLetter } from './commands.js';
import type { Operation } from './operation.js';
import { connectionList, type InboundConnection } from './operations/connection-list.js';
import { liveStaging } from './operations/live-staging.js';
import { logFollowing } from './operations/log.js';
import { queueExplain } from './operations/queue-explain.js';
import { queueGroupBy } from './operations/queue-group-by.js';
import { QueueImport } from './operations/queue-import.js';
import { queueList } from './operations/queue-list.js';
import { queueMessage } from './operations/queue-message.js';
import { queueQuota } from './operations/queue-quota.js';
import { queueUnload } from './operations/queue-unload.js';
import { queueUpdate } from './operations/queue-update.js';
import { type ReloadResult, reloading } from './operations/reloading.js';
import { resolverList } from './operations/resolver-list.js';
import { resolverQuery } from './operations/resolver-query.js';
import { type ScriptData, scriptData } from './operations/script-data.js';
import { processStats, type StatisticsSources } from './statistics/process-stats.js';

/** What operations work on. */
export interface ControlParts {
  readonly queue: MessageQueue;
  readonly spool: Pick<Spool, 'receive' | 'commit' | 'open' | 'hasRoomFor' | 'isWritable'>;
  /** Where it lies. */
  readonly spoolFolders: readonly string[];
  /** A new id of a transaction. */
  readonly newId: () => string;
  readonly knowsTransport: (id: string, stageKey?: string) => boolean;
  readonly log: Logger;
  readonly logLines: LogLines;
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
    /** The questions that wait for answers. */
    lookUps(): Iterable<LookUp>;
    /** Finds the next hop of mail for a domain. */
    nextHop(query: HopQuery, signal: AbortSignal): Promise<HopAnswer>;
  };
  readonly scriptData: ScriptData;
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
  const { queue, spool, staging, statistics, now, reload, resolver, connections, shutdown } = parts;
  const queueImport = new QueueImport(parts);
  return {
    ...liveStaging(staging),
    ...reloading(reload),
    ...scriptData(parts.scriptData),
    q: processStats(statistics),
    C: bare(() => resolver.clear()),
    k: bare(() => resolver.renew()),
    n: { run: () => ({}) },
    D: queueGroupBy(queue, now),
    E: queueImport,
    F: queueList(queue, now),
    G: queueUpdate({ ...parts, duplicate: (id) => queueImport.duplicate(id) }),
    I: queueQuota(() => queue.quotas),
    L: resolverQuery(resolver.nextHop),
    M: resolverList(resolver, () => queue.statistics().resolving),
    J: queueUnload(parts),
    m: queueMessage(spool),
    X: queueExplain(parts),
    R: logFollowing(parts.logLines),
    T: connectionList(connections),
    U: {
      run: ({ reason }: { readonly reason?: string }) => {
        shutdown(reason === undefined || reason === '' ? 'asked by the control socket' : reason);
        return undefined;
      },
    },
  };
}
