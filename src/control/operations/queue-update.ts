// G, QueueUpdate (control-api 4.3): changes the messages that fit, bounces or deletes them. What becomes of one message is the queue's
// affair (MessageQueue.wish); here is which ones, how many, and what exactly is wanted.

import type { Address } from '#hooks';
import { textToBytes } from '#lang';
import { isDomain, isLocalPart } from '#stdlib';
import type { ListedMessage, OperatorWish, WishResult } from '../../queue/message-queue.js';
import type { MessageChange, MessageId } from '../../spool/spool.js';
import { SpoolError } from '../../spool/spool.js';
import { givenConditions, type QueueConditions } from '../conditions/conditions.js';
import { type LookedAt, scan } from '../conditions/scan.js';
import { dateToUnix } from '../conditions/values.js';
import { ControlError, type Operation } from '../operation.js';

/** Wishes that are being carried out at once. */
const AT_ONCE = 200;

/** An address of a request. */
interface GivenAddress {
  readonly localpart?: string;
  readonly domain?: string;
}

/** `QueueUpdateRequest`. */
export interface QueueUpdateRequest {
  readonly conditions?: QueueConditions;
  readonly hold?: boolean;
  readonly active?: boolean;
  readonly defer?: { readonly delay?: number; readonly ts?: string };
  readonly bounce?: { readonly reason?: string; readonly dsn?: boolean };
  readonly delete?: { readonly reason?: string };
  readonly set?: {
    readonly transportid?: string;
    readonly jobid?: string;
    readonly tenantid?: string;
    readonly priority?: number;
    readonly sender?: GivenAddress;
    readonly recipient?: GivenAddress;
    readonly metadata?: {
      readonly set: Readonly<Record<string, string>>;
      readonly remove: readonly string[];
    };
    readonly retrycount?: number;
  };
  readonly duplicate?: boolean;
  readonly limit?: number;
}

/** What the operation works on. */
export interface QueueUpdateParts {
  readonly queue: LookedAt & { wish(id: MessageId, wish: OperatorWish): Promise<WishResult> };
  readonly now: () => number;
  readonly knowsTransport: (id: string) => boolean;
  /** Puts a copy of a message into the queue. @returns its id. @throws SpoolError */
  readonly duplicate: (id: MessageId) => Promise<MessageId>;
  readonly log: { info(fields: object, message: string): void };
}

/** What is wanted of one message, in order. */
type WishesOf = (listed: ListedMessage) => readonly OperatorWish[];

/** Changes messages. */
export function queueUpdate(
  parts: QueueUpdateParts,
): Operation<QueueUpdateRequest, { readonly affected: number }> {
  return {
    async run(request) {
      const { queue, now, log } = parts;
      const wishesOf = readWishes(request, parts);
      const copies = request.duplicate === true ? new Set<string>() : undefined;
      const { limit = Number.POSITIVE_INFINITY } = request;
      const crowd = new Crowd();
      if (limit === 0) return { affected: 0 };
      let begun = 0;
      await scan(queue, request.conditions, now(), (_passing, keep) => {
        const listed = keep();
        const { id } = listed.message;
        // What the copying has made is no message of those that were asked for.
        if (copies?.has(nameOf(id)) === true) return true;
        begun++;
        const isLast = begun >= limit;
        const room = crowd.add(async () => {
          if (copies !== undefined) copies.add(nameOf(await parts.duplicate(id)));
          const results: WishResult[] = [];
          for (const wish of wishesOf(listed)) results.push(await queue.wish(id, wish));
          return results.every((result) => result !== 'unknown');
        });
        return isLast ? false : (room?.then(() => true) ?? true);
      });
      const { affected, failures } = await crowd.over();
      const { conditions, ...wanted } = request;
      log.info(
        { command: 'QueueUpdate', affected, conditions: givenConditions(conditions), wanted },
        'messages were changed from outside',
      );
      if (failures.length > 0)
        throw new ControlError(
          `${affected} messages were changed, ${failures.length} were not: ${failures[0]!.message}`,
        );
      return { affected };
    },
  };
}

/** Work on many messages, so much of it at once. */
class Crowd {
  readonly #running = new Set<Promise<void>>();
  readonly #failures: Error[] = [];
  #mistake: { readonly error: unknown } | undefined;
  #affected = 0;

  /** Begins it. @returns a promise to wait for before the next is added, when many are under way. */
  add(work: () => Promise<boolean>): Promise<void> | undefined {
    const run = work().then(
      (counts) => {
        if (counts) this.#affected++;
      },
      (error: unknown) => {
        // A disk that says no is told once; anything else is our mistake, and the request's failure.
        if (error instanceof SpoolError || error instanceof ControlError) this.#failures.push(error);
        else this.#mistake ??= { error };
      },
    );
    const running = run.finally(() => this.#running.delete(running));
    this.#running.add(running);
    return this.#running.size < AT_ONCE ? undefined : Promise.race(this.#running);
  }

  /** When all is done. @throws the first mistake of ours */
  async over(): Promise<{ readonly affected: number; readonly failures: readonly Error[] }> {
    await Promise.all(this.#running);
    if (this.#mistake !== undefined) throw this.#mistake.error;
    return { affected: this.#affected, failures: this.#failures };
  }
}

const exclusive = ['hold', 'active', 'defer', 'bounce', 'delete'] as const;

/** Reads what is wanted. @throws ControlError */
function readWishes(request: QueueUpdateRequest, parts: QueueUpdateParts): WishesOf {
  const wanted = exclusive.filter((key) => request[key] !== undefined && request[key] !== false);
  if (wanted.length > 1)
    throw new ControlError(`found ${wanted.join(' and ')}; expected at most one of ${exclusive.join(', ')}`);
  const change = request.set === undefined ? undefined : readChange(request.set, parts.knowsTransport);
  const [action] = wanted;
  if ((action === 'bounce' || action === 'delete') && change !== undefined)
    throw new ControlError(`found set and ${action}; a message that ends is not changed`);
  if (action === undefined && change === undefined && request.duplicate !== true)
    throw new ControlError(
      `expected one of ${exclusive.join(', ')}, set or duplicate: there is nothing to do`,
    );
  const wish = action === undefined ? undefined : readAction(action, request, parts.now());
  return (listed) => [
    ...(change === undefined ? [] : [{ kind: 'set' as const, change: change(listed) }]),
    ...(wish === undefined ? [] : [wish]),
  ];
}

function readAction(
  action: (typeof exclusive)[number],
  request: QueueUpdateRequest,
  now: number,
): OperatorWish {
  switch (action) {
    case 'hold':
      return { kind: 'hold' };
    case 'active':
      return { kind: 'retry' };
    case 'defer': {
      const { delay, ts } = request.defer ?? {};
      if ((delay === undefined) === (ts === undefined))
        throw new ControlError('defer: expected one of "delay" (seconds) and "ts" (a date)');
      if (ts !== undefined) return { kind: 'defer', until: dateToUnix(ts, 'defer.ts') };
      if (!(delay! >= 0)) throw new ControlError(`defer.delay: found ${delay}; expected seconds, 0 or more`);
      return { kind: 'defer', until: now + delay! };
    }
    case 'bounce': {
      const { reason, dsn } = request.bounce ?? {};
      // Without a report it is a deletion, whatever it is called.
      return {
        kind: dsn === false ? 'delete' : 'bounce',
        reason: reasonOf(reason, 'bounced by the operator'),
      };
    }
    case 'delete':
      return { kind: 'delete', reason: reasonOf(request.delete?.reason, 'deleted by the operator') };
    default:
      return assertNever(action);
  }
}

function reasonOf(reason: string | undefined, otherwise: string): string {
  return reason === undefined || reason === '' ? otherwise : textToBytes(reason);
}

/** The change that `set` means for a message. @throws ControlError */
function readChange(
  set: NonNullable<QueueUpdateRequest['set']>,
  knowsTransport: (id: string) => boolean,
): (listed: ListedMessage) => MessageChange {
  const { transportid, jobid, tenantid, priority, sender, recipient, metadata, retrycount } = set;
  if (transportid !== undefined && !knowsTransport(textToBytes(transportid)))
    throw new ControlError(`set.transportid: there is no transport ${JSON.stringify(transportid)}`);
  if (priority !== undefined && priority !== 0 && priority !== 1)
    throw new ControlError(`set.priority: found ${priority}; expected 0 or 1`);
  const change: MessageChange = {
    ...(transportid !== undefined && { transportId: textToBytes(transportid) }),
    ...(jobid !== undefined && { jobId: textToBytes(jobid) }),
    ...(tenantid !== undefined && { tenantId: textToBytes(tenantid) }),
    ...(priority !== undefined && { priority: priority === 1 ? (1 as const) : (0 as const) }),
    ...(sender !== undefined && { sender: readAddress(sender, 'set.sender', true) }),
    ...(recipient !== undefined && { recipient: readAddress(recipient, 'set.recipient', false) }),
    ...(retrycount !== undefined && { retry: retrycount }),
  };
  if (Object.keys(change).length === 0 && metadata === undefined)
    throw new ControlError('set: expected something to set');
  if (metadata === undefined) return () => change;
  const added = Object.entries(metadata.set).map(([key, value]) => [textToBytes(key), textToBytes(value)]);
  const removed = metadata.remove.map(textToBytes);
  return ({ message }) => {
    const entries = Object.entries(message.metadata).filter(([key]) => !removed.includes(key));
    return { ...change, metadata: Object.fromEntries([...entries, ...added]) as Record<string, string> };
  };
}

/** An address of a request as the queue has it. @throws ControlError */
export function readAddress(
  { localpart = '', domain = '' }: GivenAddress,
  at: string,
  mayBeNull: boolean,
): Address {
  const address = { localPart: textToBytes(localpart), domain: textToBytes(domain) };
  if (localpart === '' && domain === '' && mayBeNull) return address;
  if (localpart === '' || !isLocalPart(address.localPart))
    throw new ControlError(`${at}.localpart: found ${JSON.stringify(localpart)}; expected a local part`);
  if (!isDomain(address.domain))
    throw new ControlError(`${at}.domain: found ${JSON.stringify(domain)}; expected a domain`);
  return address;
}

function nameOf({ transaction, number }: MessageId): string {
  return `${transaction}:${number}`;
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
