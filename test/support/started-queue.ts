// A queue in virtual time on a spool in memory, with a deliverer that does what the test says and remembers it.

import { onTestFinished } from 'vitest';
import type { AttemptReport, PostdeliveryOutcome, PredeliveryOutcome, QueueRequest } from '#hooks';
import { noTls } from '../../src/delivery/client/tls.js';
import type { Attempt, Destination, Transport, Verdict } from '../../src/delivery/deliverer.js';
import { DsnNotifier } from '../../src/dsn/notifier.js';
import { PickupPolicy } from '../../src/policy/pickup-policy.js';
import type { PolicyConfig } from '../../src/policy/policy-config.js';
import { MessageQueue, type MessageQueueOptions } from '../../src/queue/message-queue.js';
import type { PostdeliveryArguments } from '../../src/queue/queue-hooks.js';
import { type DiskSpool, openSpool } from '../../src/spool/disk-spool.js';
import type { QueuedMessage } from '../../src/spool/spool.js';
import { FrozenFiles } from './frozen-files.js';
import { commitMessage, keptLog, queueRequest, uuid } from './mail-samples.js';
import { VirtualClock } from './virtual-clock.js';

/** A reply to the message. */
export function replied(
  code: number,
  text: string,
  enhanced?: readonly [number, number, number],
): AttemptReport {
  return {
    result: { code, reason: [text], state: 'EOD', ...(enhanced && { enhanced }) },
    durationSeconds: 0,
  };
}

/** The peer takes the message. */
export const accepted = replied(250, 'ok', [2, 0, 0]);

/** A transport with nothing special about it. */
export function transport(changes: Partial<Transport> = {}): Transport {
  return {
    id: 'out',
    host: 'mx.to.test',
    port: 25,
    helo: undefined,
    protocol: 'smtp',
    tls: noTls,
    credentials: undefined,
    connectTimeoutSeconds: 30,
    timeouts: {},
    retryCount: 30,
    retryIntervals: [{ seconds: 60, notify: false }],
    retryDuringSeconds: undefined,
    dsnTransportId: 'dsn',
    pooling: { enabled: false, transactions: undefined, idleSeconds: 5 },
    ...changes,
  };
}

/** What a test may put in place. */
export interface QueueSetup {
  readonly files?: FrozenFiles;
  readonly clock?: VirtualClock;
  readonly transport?: Partial<Transport>;
  readonly policies?: PolicyConfig;
  readonly options?: Partial<MessageQueueOptions>;
  readonly resolve?: (domain: string) => Promise<Destination | AttemptReport>;
  readonly attempt?: (attempt: Attempt, signal: AbortSignal) => Promise<AttemptReport>;
  /** What becomes of a notification at the transport `dsn`. */
  readonly tell?: (attempt: Attempt) => Promise<AttemptReport>;
  readonly predelivery?: (message: QueuedMessage) => PredeliveryOutcome | Promise<PredeliveryOutcome>;
  readonly postdelivery?: (
    message: QueuedMessage,
    facts: PostdeliveryArguments,
    context: unknown,
  ) => PostdeliveryOutcome | Promise<PostdeliveryOutcome>;
}

/** An attempt as it was seen: when, by which message, to where. */
export interface SeenAttempt {
  readonly at: number;
  readonly id: string;
  readonly mx: string;
  readonly attempt: Attempt;
}

/** Everything a test of the queue looks at. */
export interface StartedQueue {
  readonly queue: MessageQueue;
  readonly spool: DiskSpool;
  readonly files: FrozenFiles;
  readonly clock: VirtualClock;
  readonly log: ReturnType<typeof keptLog>;
  readonly found: readonly QueuedMessage[];
  readonly attempts: readonly SeenAttempt[];
  /** Notifications that were handed to the transport `dsn`, which takes them, unseen by the hooks. */
  readonly told: readonly { readonly at: number; readonly attempt: Attempt; readonly text: string }[];
  readonly endings: readonly {
    readonly id: string;
    readonly facts: PostdeliveryArguments;
    readonly context: unknown;
  }[];
  /** Attempts under way now and at most, by next hop; the empty name counts all. */
  readonly open: ReadonlyMap<string, { now: number; most: number }>;
  /** Commits a message with these requests and hands it to the queue. */
  submit(...requests: readonly Partial<QueueRequest>[]): Promise<readonly QueuedMessage[]>;
}

/** The verdict by the first digit. */
export function judged(report: AttemptReport): Verdict {
  const { result, error } = report;
  if (result !== undefined)
    return result.code < 400 ? 'delivered' : result.code < 500 ? 'deferred' : 'failed';
  return error?.temporary === false ? 'failed' : 'deferred';
}

/** Starts it; the next hop is `mx.` and the recipient's domain, and takes everything, unless the setup says otherwise. */
export async function startedQueue(setup: QueueSetup = {}): Promise<StartedQueue> {
  const files = setup.files ?? new FrozenFiles();
  const clock = setup.clock ?? new VirtualClock();
  const log = keptLog();
  const began = clock.now();
  const sizes = { reserveBytes: 0 };
  const spool = await openSpool({ folder: '/spool', files, log, now: () => clock.now(), sizes });
  const found: QueuedMessage[] = [];
  await spool.recover((messages) => found.push(...messages));
  const attempts: SeenAttempt[] = [];
  const told: { at: number; attempt: Attempt; text: string }[] = [];
  const endings: { id: string; facts: PostdeliveryArguments; context: unknown }[] = [];
  const open = new Map<string, { now: number; most: number }>();
  const count = (name: string, change: 1 | -1) => {
    const entry = open.get(name) ?? { now: 0, most: 0 };
    entry.now += change;
    entry.most = Math.max(entry.most, entry.now);
    open.set(name, entry);
  };
  const queue = new MessageQueue({
    spool,
    clock,
    log,
    judge: judged,
    policy: new PickupPolicy(setup.policies ?? { policies: [] }),
    transport: (id) =>
      id === 'out' ? transport(setup.transport) : id === 'dsn' ? transport({ id: 'dsn' }) : undefined,
    notifier: new DsnNotifier({
      spool,
      hostname: 'mta.test',
      now: () => clock.now(),
      log,
      newBoundary: () => '=_boundary',
    }),
    hooks: {
      predelivery: (message) =>
        (message.transportId === 'dsn' ? undefined : setup.predelivery?.(message)) ?? {
          kind: 'Try',
          options: {},
          context: null,
        },
      postdelivery: (message, facts, context) => {
        if (message.transportId === 'dsn') return { kind: 'Default' };
        endings.push({ id: `${message.id.transaction}:${message.id.number}`, facts, context });
        return setup.postdelivery?.(message, facts, context) ?? { kind: 'Default' };
      },
    },
    deliverer: {
      resolve: (_transport, recipient) =>
        setup.resolve?.(recipient.domain) ??
        Promise.resolve({
          remoteMx: `mx.${recipient.domain}`,
          addresses: [{ ip: '127.0.0.1', port: 25, remoteMx: `mx.${recipient.domain}` }],
        }),
      attempt: async (attempt, signal) => {
        if (attempt.transport.id === 'dsn') {
          const chunks: Buffer[] = [];
          for await (const chunk of attempt.message.chunks()) chunks.push(chunk);
          told.push({ at: clock.now() - began, attempt, text: Buffer.concat(chunks).toString('latin1') });
          return (await setup.tell?.(attempt)) ?? accepted;
        }
        const mx = attempt.destination.remoteMx;
        const id = `${attempt.id.transaction}:${attempt.id.number}`;
        attempts.push({ at: clock.now() - began, id, mx, attempt });
        for (const name of ['', mx]) count(name, 1);
        try {
          return await (setup.attempt?.(attempt, signal) ?? Promise.resolve(accepted));
        } finally {
          for (const name of ['', mx]) count(name, -1);
        }
      },
    },
    ...setup.options,
  });
  onTestFinished(() => spool.close());
  queue.accept(found);
  queue.start();
  let transactions = found.length;
  return {
    queue,
    spool,
    files,
    clock,
    log,
    found,
    attempts,
    told,
    endings,
    open,
    submit: async (...requests) => {
      const id = uuid(++transactions);
      const wanted = requests.length === 0 ? [{}] : requests;
      const messages = await commitMessage(
        spool,
        id,
        Buffer.from('Subject: x\r\n\r\nHello\r\n'),
        wanted.map((changes, i) => queueRequest(i + 1, changes)),
        { ts: clock.now() },
      );
      queue.accept(messages);
      return messages;
    },
  };
}
