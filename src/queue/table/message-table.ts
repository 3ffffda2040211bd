// All queued messages in columns: a slot is a row, and everything else in this room speaks of slots. Some 150 bytes a message
// where objects take three times that. A whole `QueuedMessage` is made only when a hook, an attempt or a list wants to see it.

import type { Address } from '#hooks';
import { enlarged, IdTable } from '../../spool/id-table.js';
import { SharedTexts } from '../../spool/shared-texts.js';
import type { MessageChange, MessageId, QueuedMessage } from '../../spool/spool.js';
import { Interned } from './interned.js';
import { Quotas } from './quotas.js';

/**
 * Where a message stands. The moves:
 *
 *     (new) ─► Held | Deferred | Due          Deferred ─► Due          Due ─► Preparing
 *     Preparing ─► Ready | Deferred | Held | (gone)        Ready ─► Sending ─► Finishing
 *     Finishing ─► Deferred | Held | (gone)
 *     Held, Deferred, Due, Ready ─► Updating ─► Held | Due       (an operator's wish)
 */
export const Stage = {
  Held: 0,
  Deferred: 1,
  /** Its time has come; waits for the predelivery hook. */
  Due: 2,
  /** In the predelivery hook, or its next hop is being looked up. */
  Preparing: 3,
  /** In a sub-queue, to be picked up. */
  Ready: 4,
  Sending: 5,
  /** In the postdelivery hook, or its end is being written. */
  Finishing: 6,
  Updating: 7,
} as const;

/** One of the values of `Stage`. */
export type Stage = (typeof Stage)[keyof typeof Stage];

/** The states that lists and the API show (queue-and-config 1.1). */
export type QueueState = 'ACTIVE' | 'DEFER' | 'SENDING' | 'UNKNOWN' | 'HOLD' | 'UPDATE';

const stateOfStage: Readonly<Record<Stage, QueueState>> = {
  [Stage.Held]: 'HOLD',
  [Stage.Deferred]: 'DEFER',
  [Stage.Due]: 'ACTIVE',
  [Stage.Preparing]: 'UNKNOWN',
  [Stage.Ready]: 'ACTIVE',
  [Stage.Sending]: 'SENDING',
  [Stage.Finishing]: 'UNKNOWN',
  [Stage.Updating]: 'UPDATE',
};

/** Where a message came from; shared by all that came the same way. */
interface Origin {
  readonly serverId: string;
  readonly senderIp: string;
  readonly senderHelo: string;
  readonly saslUsername?: string;
}

/** What most messages do not have. */
type Extras = Pick<QueuedMessage, 'metadata' | 'jobId' | 'tenantId' | 'quotas' | 'dsn' | 'stageKey'>;

const NO_EXTRAS: Extras = Object.freeze({
  metadata: Object.freeze({}),
  quotas: Object.freeze([]),
  dsn: Object.freeze({}),
});

/** No slot. */
export const NONE = -1;

/** The messages of the queue. */
export class MessageTable {
  readonly #ids = new IdTable();
  readonly #origins = new Interned<Origin>();
  readonly #addresses = new Interned<Address>();
  readonly #words = new Interned<string>();
  #stages = new Uint8Array(0);
  #priorities = new Uint8Array(0);
  #retries = new Uint16Array(0);
  #times = new Float64Array(0);
  /** When it is tried next (Unix seconds); from Due to Ready, when that has come, its place in the order of entry into ACTIVE. */
  #nextTries = new Float64Array(0);
  #sizes = new Uint32Array(0);
  #originOf = new Uint32Array(0);
  #senderOf = new Uint32Array(0);
  #recipientDomain = new Uint32Array(0);
  #transportOf = new Uint32Array(0);
  /** Links of the list that the message is in; of a deferred one, `#next` is its place in the heap. */
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  readonly #recipientLocal: string[] = [];
  readonly #recipientParams = new Map<number, NonNullable<Address['params']>>();
  /** Of those messages that have any. */
  readonly #extras = new Map<number, Extras>();
  readonly #reasons: (string | undefined)[] = [];
  readonly #texts = new SharedTexts();
  /** By stage, those of high priority 8 further on. */
  readonly #counts = new Uint32Array(16);
  /** The quotas of the messages in it. */
  readonly quotas = new Quotas();
  #nextEntry = 1;

  get size(): number {
    return this.#ids.size;
  }

  find(id: MessageId): number {
    return this.#ids.find(id);
  }

  idOf(slot: number): MessageId {
    return this.#ids.idOf(slot);
  }

  /** A row for a message; its stage is `Updating` until it is put somewhere. */
  add(message: QueuedMessage): number {
    const slot = this.#ids.add(message.id);
    if (slot >= this.#stages.length) this.#grow(this.#ids.capacity);
    this.#stages[slot] = Stage.Updating;
    this.#priorities[slot] = message.priority;
    this.#count(slot, 1);
    this.#retries[slot] = Math.min(message.retry, 0xffff);
    this.#times[slot] = message.ts;
    this.#nextTries[slot] = message.nextTry;
    this.#sizes[slot] = message.sizeBytes;
    this.#originOf[slot] = this.#addOrigin(message);
    this.#senderOf[slot] = this.#addresses.add(addressKey(message.sender), message.sender);
    this.#setRecipient(slot, message.recipient);
    this.#transportOf[slot] = this.#words.add(message.transportId, message.transportId);
    this.#setExtras(slot, extrasOf(message));
    this.quotas.add(message.quotas, message.sizeBytes);
    this.#reasons[slot] = this.#texts.share(message.reason);
    this.#next[slot] = NONE;
    this.#previous[slot] = NONE;
    return slot;
  }

  remove(slot: number): void {
    this.#count(slot, -1);
    this.quotas.remove(this.extras(slot).quotas, this.#sizes[slot]!);
    this.#origins.release(this.#originOf[slot]!);
    this.#addresses.release(this.#senderOf[slot]!);
    this.#words.release(this.#recipientDomain[slot]!);
    this.#words.release(this.#transportOf[slot]!);
    this.#recipientLocal[slot] = '';
    this.#recipientParams.delete(slot);
    this.#extras.delete(slot);
    this.#reasons[slot] = undefined;
    this.#ids.remove(slot);
  }

  /** The message of a row, as it is now. */
  message(slot: number): QueuedMessage {
    const reason = this.#reasons[slot];
    return {
      id: this.#ids.idOf(slot),
      ts: this.#times[slot]!,
      ...this.origin(slot),
      sender: this.sender(slot),
      recipient: this.recipient(slot),
      transportId: this.transportId(slot),
      ...this.extras(slot),
      priority: this.#priorities[slot] === 1 ? 1 : 0,
      sizeBytes: this.#sizes[slot]!,
      hold: this.#stages[slot] === Stage.Held,
      retry: this.#retries[slot]!,
      nextTry: this.nextTry(slot),
      ...(reason === undefined ? undefined : { reason }),
    };
  }

  /** When it came (Unix seconds). */
  ts(slot: number): number {
    return this.#times[slot]!;
  }

  /** Where it came from. */
  origin(slot: number): Readonly<Origin> {
    return this.#origins.get(this.#originOf[slot]!);
  }

  sender(slot: number): Address {
    return this.#addresses.get(this.#senderOf[slot]!);
  }

  transportId(slot: number): string {
    return this.#words.get(this.#transportOf[slot]!);
  }

  /** What most messages do not have. */
  extras(slot: number): Extras {
    return this.#extras.get(slot) ?? NO_EXTRAS;
  }

  sizeBytes(slot: number): number {
    return this.#sizes[slot]!;
  }

  retry(slot: number): number {
    return this.#retries[slot]!;
  }

  reason(slot: number): string | undefined {
    return this.#reasons[slot];
  }

  /** The staged configuration that brought the message. */
  stageKey(slot: number): string | undefined {
    return this.#extras.get(slot)?.stageKey;
  }

  recipient(slot: number): Address {
    const params = this.#recipientParams.size === 0 ? undefined : this.#recipientParams.get(slot);
    const localPart = this.#recipientLocal[slot]!;
    const domain = this.#words.get(this.#recipientDomain[slot]!);
    return params === undefined ? { localPart, domain } : { localPart, domain, params };
  }

  /** Changes what a message may change, while it is in no list; `hold` is the stage's affair. */
  change(slot: number, change: MessageChange): void {
    if (change.retry !== undefined) this.#retries[slot] = Math.min(change.retry, 0xffff);
    if (change.nextTry !== undefined) this.#nextTries[slot] = change.nextTry;
    if (change.reason !== undefined) this.#reasons[slot] = this.#texts.share(change.reason);
    if (change.transportId !== undefined) {
      this.#words.release(this.#transportOf[slot]!);
      this.#transportOf[slot] = this.#words.add(change.transportId, change.transportId);
    }
    if (change.priority !== undefined) {
      this.#count(slot, -1);
      this.#priorities[slot] = change.priority;
      this.#count(slot, 1);
    }
    if (change.sender !== undefined) {
      this.#addresses.release(this.#senderOf[slot]!);
      this.#senderOf[slot] = this.#addresses.add(addressKey(change.sender), change.sender);
    }
    if (change.recipient !== undefined) {
      this.#words.release(this.#recipientDomain[slot]!);
      this.#setRecipient(slot, change.recipient);
    }
    this.#changeExtras(slot, change);
  }

  #changeExtras(slot: number, { metadata, quotas, jobId, tenantId }: MessageChange): void {
    if (metadata === undefined && quotas === undefined && jobId === undefined && tenantId === undefined)
      return;
    const extras = this.extras(slot);
    if (quotas !== undefined) {
      this.quotas.remove(extras.quotas, this.#sizes[slot]!);
      this.quotas.add(quotas, this.#sizes[slot]!);
    }
    const now = extrasOf({
      metadata: metadata ?? extras.metadata,
      quotas: quotas ?? extras.quotas,
      jobId: (jobId ?? extras.jobId) || undefined,
      tenantId: (tenantId ?? extras.tenantId) || undefined,
      dsn: extras.dsn,
      stageKey: extras.stageKey,
    });
    this.#setExtras(slot, now);
  }

  #setExtras(slot: number, extras: Extras): void {
    if (extras === NO_EXTRAS) this.#extras.delete(slot);
    else this.#extras.set(slot, extras);
  }

  /** All of a message that `change` can change, as it is now. */
  changeable(slot: number): MessageChange {
    const message = this.message(slot);
    const { hold, retry, nextTry, transportId, metadata, quotas, priority, sender, recipient } = message;
    const { reason = '', jobId = '', tenantId = '' } = message;
    return {
      hold,
      retry,
      nextTry,
      reason,
      transportId,
      metadata,
      quotas,
      jobId,
      tenantId,
      priority,
      sender,
      recipient,
    };
  }

  stage(slot: number): Stage {
    return this.#stages[slot] as Stage;
  }

  /** A message must not go back to wait right from a stage in which it had entered ACTIVE: its next try is not known there. */
  setStage(slot: number, stage: Stage): void {
    if (hasEntered(this.#stages[slot] as Stage) && !hasEntered(stage)) this.#nextTries[slot] = 0;
    this.#count(slot, -1);
    this.#stages[slot] = stage;
    this.#count(slot, 1);
  }

  #count(slot: number, by: 1 | -1): void {
    this.#counts[this.#stages[slot]! + 8 * this.#priorities[slot]!]! += by;
  }

  state(slot: number): QueueState {
    return stateOfStage[this.#stages[slot] as Stage];
  }

  /** How many messages are in a stage, of one priority or of both. */
  countOf(stage: Stage, priority?: 0 | 1): number {
    if (priority !== undefined) return this.#counts[stage + 8 * priority]!;
    return this.#counts[stage]! + this.#counts[stage + 8]!;
  }

  /** How many messages are in each state. */
  counts(): Record<QueueState, number> {
    const counts = { ACTIVE: 0, DEFER: 0, SENDING: 0, UNKNOWN: 0, HOLD: 0, UPDATE: 0 };
    for (const stage of Object.values(Stage)) counts[stateOfStage[stage]] += this.countOf(stage);
    return counts;
  }

  isHigh(slot: number): boolean {
    return this.#priorities[slot] === 1;
  }

  /** Unix seconds; 0 when that has come. */
  nextTry(slot: number): number {
    return hasEntered(this.#stages[slot] as Stage) ? 0 : this.#nextTries[slot]!;
  }

  /** Where a message stands in the order of entry into ACTIVE. */
  entry(slot: number): number {
    return this.#nextTries[slot]!;
  }

  /** It enters ACTIVE now: its time has come. */
  enter(slot: number): void {
    this.setStage(slot, Stage.Due);
    this.#nextTries[slot] = this.#nextEntry++;
  }

  next(slot: number): number {
    return this.#next[slot]!;
  }

  setNext(slot: number, value: number): void {
    this.#next[slot] = value;
  }

  previous(slot: number): number {
    return this.#previous[slot]!;
  }

  setPrevious(slot: number, value: number): void {
    this.#previous[slot] = value;
  }

  /** All slots in use. Messages may come and go between two steps. */
  *slots(): Generator<number> {
    for (let slot = 0; slot < this.#ids.top; slot++) if (this.#ids.has(slot)) yield slot;
  }

  #setRecipient(slot: number, { localPart, domain, params }: Address): void {
    this.#recipientDomain[slot] = this.#words.add(domain, domain);
    this.#recipientLocal[slot] = localPart;
    if (params === undefined) this.#recipientParams.delete(slot);
    else this.#recipientParams.set(slot, params);
  }

  #addOrigin({ serverId, senderIp, senderHelo, saslUsername }: QueuedMessage): number {
    const key = `${serverId}\n${senderIp}\n${senderHelo}\n${saslUsername ?? '\n'}`;
    const known = { serverId, senderIp, senderHelo };
    return this.#origins.add(key, saslUsername === undefined ? known : { ...known, saslUsername });
  }

  #grow(capacity: number): void {
    this.#stages = enlarged(this.#stages, capacity);
    this.#priorities = enlarged(this.#priorities, capacity);
    this.#retries = enlarged(this.#retries, capacity);
    this.#times = enlarged(this.#times, capacity);
    this.#nextTries = enlarged(this.#nextTries, capacity);
    this.#sizes = enlarged(this.#sizes, capacity);
    this.#originOf = enlarged(this.#originOf, capacity);
    this.#senderOf = enlarged(this.#senderOf, capacity);
    this.#recipientDomain = enlarged(this.#recipientDomain, capacity);
    this.#transportOf = enlarged(this.#transportOf, capacity);
    this.#next = enlarged(this.#next, capacity);
    this.#previous = enlarged(this.#previous, capacity);
  }
}

/** Its time has come, and it has not been picked up. */
function hasEntered(stage: Stage): boolean {
  return stage === Stage.Due || stage === Stage.Preparing || stage === Stage.Ready;
}

/** The null path has an empty key of its own; parameters are part of the address. */
function addressKey({ localPart, domain, params }: Address): string {
  return params === undefined
    ? `${localPart}\n${domain}`
    : `${localPart}\n${domain}\n${JSON.stringify(params)}`;
}

/** The extras, with `undefined` for what is not there. */
type GivenExtras = { readonly [K in keyof Extras]: Extras[K] | undefined } & Pick<
  Extras,
  'metadata' | 'quotas' | 'dsn'
>;

function extrasOf(given: GivenExtras | QueuedMessage): Extras {
  const { metadata, jobId, tenantId, quotas, dsn, stageKey } = given;
  if (
    jobId === undefined &&
    tenantId === undefined &&
    stageKey === undefined &&
    quotas.length === 0 &&
    isEmpty(metadata) &&
    isEmpty(dsn)
  ) {
    return NO_EXTRAS;
  }
  return {
    metadata,
    quotas,
    dsn,
    ...(jobId === undefined ? undefined : { jobId }),
    ...(tenantId === undefined ? undefined : { tenantId }),
    ...(stageKey === undefined ? undefined : { stageKey }),
  };
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}
