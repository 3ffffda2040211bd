// All queued messages in columns: a slot is a row, and everything else in this room speaks of slots. Some 150 bytes a message
// where objects take three times that. A whole `QueuedMessage` is made only when a hook, an attempt or a list wants to see it.

import type { Address } from '#hooks';
import { IdTable } from '../../spool/id-table.js';
import { SharedTexts } from '../../spool/shared-texts.js';
import type { MessageChange, MessageId, QueuedMessage } from '../../spool/spool.js';
import { IN_STRETCH, STRETCH_BITS, STRETCH_ROWS } from '../../spool/stretches.js';
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

/** The columns of some thousand rows. */
class Stretch {
  readonly stages = new Uint8Array(STRETCH_ROWS);
  readonly priorities = new Uint8Array(STRETCH_ROWS);
  readonly retries = new Uint16Array(STRETCH_ROWS);
  readonly times = new Float64Array(STRETCH_ROWS);
  /** When it is tried next (Unix seconds); from Due to Ready, when that has come, its place in the order of entry into ACTIVE. */
  readonly nextTries = new Float64Array(STRETCH_ROWS);
  readonly sizes = new Uint32Array(STRETCH_ROWS);
  readonly originOf = new Uint32Array(STRETCH_ROWS);
  readonly senderOf = new Uint32Array(STRETCH_ROWS);
  readonly recipientDomain = new Uint32Array(STRETCH_ROWS);
  readonly transportOf = new Uint32Array(STRETCH_ROWS);
  /** Links of the list that the message is in; of a deferred one, `next` is its place in the heap. */
  readonly next = new Int32Array(STRETCH_ROWS);
  readonly previous = new Int32Array(STRETCH_ROWS);
  readonly recipientLocal = new Array<string>(STRETCH_ROWS).fill('');
  readonly reasons = new Array<string | undefined>(STRETCH_ROWS).fill(undefined);
}

/** The messages of the queue. */
export class MessageTable {
  readonly #ids = new IdTable();
  readonly #origins = new Interned<Origin>();
  readonly #addresses = new Interned<Address>();
  readonly #words = new Interned<string>();
  readonly #stretches: Stretch[] = [];
  readonly #recipientParams = new Map<number, NonNullable<Address['params']>>();
  /** Of those messages that have any. */
  readonly #extras = new Map<number, Extras>();
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
    if (slot >>> STRETCH_BITS === this.#stretches.length) this.#stretches.push(new Stretch());
    const rows = this.#of(slot);
    const at = slot & IN_STRETCH;
    rows.stages[at] = Stage.Updating;
    rows.priorities[at] = message.priority;
    this.#count(slot, 1);
    rows.retries[at] = Math.min(message.retry, 0xffff);
    rows.times[at] = message.ts;
    rows.nextTries[at] = message.nextTry;
    rows.sizes[at] = message.sizeBytes;
    rows.originOf[at] = this.#addOrigin(message);
    rows.senderOf[at] = this.#addresses.add(addressKey(message.sender), message.sender);
    this.#setRecipient(slot, message.recipient);
    rows.transportOf[at] = this.#words.add(message.transportId, message.transportId);
    this.#setExtras(slot, extrasOf(message));
    this.quotas.add(message.quotas, message.sizeBytes);
    rows.reasons[at] = this.#texts.share(message.reason);
    rows.next[at] = NONE;
    rows.previous[at] = NONE;
    return slot;
  }

  remove(slot: number): void {
    const rows = this.#of(slot);
    const at = slot & IN_STRETCH;
    this.#count(slot, -1);
    this.quotas.remove(this.extras(slot).quotas, rows.sizes[at]!);
    this.#origins.release(rows.originOf[at]!);
    this.#addresses.release(rows.senderOf[at]!);
    this.#words.release(rows.recipientDomain[at]!);
    this.#words.release(rows.transportOf[at]!);
    rows.recipientLocal[at] = '';
    this.#recipientParams.delete(slot);
    this.#extras.delete(slot);
    rows.reasons[at] = undefined;
    this.#ids.remove(slot);
  }

  /** The message of a row, as it is now. */
  message(slot: number): QueuedMessage {
    const rows = this.#of(slot);
    const at = slot & IN_STRETCH;
    const reason = rows.reasons[at];
    return {
      id: this.#ids.idOf(slot),
      ts: rows.times[at]!,
      ...this.origin(slot),
      sender: this.sender(slot),
      recipient: this.recipient(slot),
      transportId: this.transportId(slot),
      ...this.extras(slot),
      priority: rows.priorities[at] === 1 ? 1 : 0,
      sizeBytes: rows.sizes[at]!,
      hold: rows.stages[at] === Stage.Held,
      retry: rows.retries[at]!,
      nextTry: this.nextTry(slot),
      ...(reason === undefined ? undefined : { reason }),
    };
  }

  /** When it came (Unix seconds). */
  ts(slot: number): number {
    return this.#of(slot).times[slot & IN_STRETCH]!;
  }

  /** Where it came from. */
  origin(slot: number): Readonly<Origin> {
    return this.#origins.get(this.#of(slot).originOf[slot & IN_STRETCH]!);
  }

  sender(slot: number): Address {
    return this.#addresses.get(this.#of(slot).senderOf[slot & IN_STRETCH]!);
  }

  transportId(slot: number): string {
    return this.#words.get(this.#of(slot).transportOf[slot & IN_STRETCH]!);
  }

  /** What most messages do not have. */
  extras(slot: number): Extras {
    return this.#extras.get(slot) ?? NO_EXTRAS;
  }

  sizeBytes(slot: number): number {
    return this.#of(slot).sizes[slot & IN_STRETCH]!;
  }

  retry(slot: number): number {
    return this.#of(slot).retries[slot & IN_STRETCH]!;
  }

  reason(slot: number): string | undefined {
    return this.#of(slot).reasons[slot & IN_STRETCH];
  }

  /** The staged configuration that brought the message. */
  stageKey(slot: number): string | undefined {
    return this.#extras.get(slot)?.stageKey;
  }

  recipient(slot: number): Address {
    const params = this.#recipientParams.size === 0 ? undefined : this.#recipientParams.get(slot);
    const localPart = this.#of(slot).recipientLocal[slot & IN_STRETCH]!;
    const domain = this.#words.get(this.#of(slot).recipientDomain[slot & IN_STRETCH]!);
    return params === undefined ? { localPart, domain } : { localPart, domain, params };
  }

  /** Changes what a message may change, while it is in no list; `hold` is the stage's affair. */
  change(slot: number, change: MessageChange): void {
    const rows = this.#of(slot);
    const at = slot & IN_STRETCH;
    if (change.retry !== undefined) rows.retries[at] = Math.min(change.retry, 0xffff);
    if (change.nextTry !== undefined) rows.nextTries[at] = change.nextTry;
    if (change.reason !== undefined) rows.reasons[at] = this.#texts.share(change.reason);
    if (change.transportId !== undefined) {
      this.#words.release(rows.transportOf[at]!);
      rows.transportOf[at] = this.#words.add(change.transportId, change.transportId);
    }
    if (change.priority !== undefined) {
      this.#count(slot, -1);
      rows.priorities[at] = change.priority;
      this.#count(slot, 1);
    }
    if (change.sender !== undefined) {
      this.#addresses.release(rows.senderOf[at]!);
      rows.senderOf[at] = this.#addresses.add(addressKey(change.sender), change.sender);
    }
    if (change.recipient !== undefined) {
      this.#words.release(rows.recipientDomain[at]!);
      this.#setRecipient(slot, change.recipient);
    }
    this.#changeExtras(slot, change);
  }

  #changeExtras(slot: number, { metadata, quotas, jobId, tenantId }: MessageChange): void {
    if (metadata === undefined && quotas === undefined && jobId === undefined && tenantId === undefined)
      return;
    const extras = this.extras(slot);
    if (quotas !== undefined) {
      this.quotas.remove(extras.quotas, this.#of(slot).sizes[slot & IN_STRETCH]!);
      this.quotas.add(quotas, this.#of(slot).sizes[slot & IN_STRETCH]!);
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
    return this.#of(slot).stages[slot & IN_STRETCH] as Stage;
  }

  /** A message must not go back to wait right from a stage in which it had entered ACTIVE: its next try is not known there. */
  setStage(slot: number, stage: Stage): void {
    if (hasEntered(this.#of(slot).stages[slot & IN_STRETCH] as Stage) && !hasEntered(stage))
      this.#of(slot).nextTries[slot & IN_STRETCH] = 0;
    this.#count(slot, -1);
    this.#of(slot).stages[slot & IN_STRETCH] = stage;
    this.#count(slot, 1);
  }

  #count(slot: number, by: 1 | -1): void {
    this.#counts[
      this.#of(slot).stages[slot & IN_STRETCH]! + 8 * this.#of(slot).priorities[slot & IN_STRETCH]!
    ]! += by;
  }

  state(slot: number): QueueState {
    return stateOfStage[this.#of(slot).stages[slot & IN_STRETCH] as Stage];
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
    return this.#of(slot).priorities[slot & IN_STRETCH] === 1;
  }

  /** Unix seconds; 0 when that has come. */
  nextTry(slot: number): number {
    return hasEntered(this.#of(slot).stages[slot & IN_STRETCH] as Stage)
      ? 0
      : this.#of(slot).nextTries[slot & IN_STRETCH]!;
  }

  /** Where a message stands in the order of entry into ACTIVE. */
  entry(slot: number): number {
    return this.#of(slot).nextTries[slot & IN_STRETCH]!;
  }

  /** It enters ACTIVE now: its time has come. */
  enter(slot: number): void {
    this.setStage(slot, Stage.Due);
    this.#of(slot).nextTries[slot & IN_STRETCH] = this.#nextEntry++;
  }

  next(slot: number): number {
    return this.#of(slot).next[slot & IN_STRETCH]!;
  }

  setNext(slot: number, value: number): void {
    this.#of(slot).next[slot & IN_STRETCH] = value;
  }

  previous(slot: number): number {
    return this.#of(slot).previous[slot & IN_STRETCH]!;
  }

  setPrevious(slot: number, value: number): void {
    this.#of(slot).previous[slot & IN_STRETCH] = value;
  }

  /** All slots in use. Messages may come and go between two steps. */
  *slots(): Generator<number> {
    for (let slot = 0; slot < this.#ids.top; slot++) if (this.#ids.has(slot)) yield slot;
  }

  #setRecipient(slot: number, { localPart, domain, params }: Address): void {
    this.#of(slot).recipientDomain[slot & IN_STRETCH] = this.#words.add(domain, domain);
    this.#of(slot).recipientLocal[slot & IN_STRETCH] = localPart;
    if (params === undefined) this.#recipientParams.delete(slot);
    else this.#recipientParams.set(slot, params);
  }

  #addOrigin({ serverId, senderIp, senderHelo, saslUsername }: QueuedMessage): number {
    const key = `${serverId}\n${senderIp}\n${senderHelo}\n${saslUsername ?? '\n'}`;
    const known = { serverId, senderIp, senderHelo };
    return this.#origins.add(key, saslUsername === undefined ? known : { ...known, saslUsername });
  }

  #of(slot: number): Stretch {
    return this.#stretches[slot >>> STRETCH_BITS]!;
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
