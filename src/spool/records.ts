// What the metadata log says: the JSON of each kind of record, and the way between it and the types of spool.ts. Keys are
// short because every message writes them; what has its default is left out.

import type { Address, QueueRequest } from '#hooks';
import type { MessageChange, MessageId, QueuedMessage, Transaction } from './spool.js';

/**
 * Where bytes lie: `[segment, offset, size]` in the body log, the size without the record's header; or `[0, number, size, crc]`
 * for a file of its own.
 */
export type StoredPlace =
  | readonly [segment: number, offset: number, size: number]
  | readonly [segment: 0, number: number, size: number, crc: number];

/** `[localPart, domain]`, and the ESMTP parameters if there are any. */
type StoredAddress = readonly [string, string] | readonly [string, string, Readonly<Record<string, string>>];

/** One queued message of a transaction. */
export interface StoredMessage {
  readonly n: number;
  readonly from: StoredAddress;
  readonly to: StoredAddress;
  readonly transport: string;
  readonly size: number;
  /** Index into the transaction's versions; absent = the message as received. */
  readonly v?: number;
  readonly meta?: Readonly<Record<string, string>>;
  readonly job?: string;
  readonly tenant?: string;
  readonly high?: 1;
  readonly quotas?: readonly string[];
  readonly dsn?: QueuedMessage['dsn'];
  readonly hold?: 1;
  readonly retry?: number;
  readonly next?: number;
  readonly why?: string;
}

/** RecordKind.Transaction. */
export interface StoredTransaction {
  readonly id: string;
  readonly ts: number;
  readonly server: string;
  readonly ip: string;
  readonly helo: string;
  readonly sasl?: string;
  /** Absent from most, and from all that were written before there were staged configurations. */
  readonly stage?: string;
  readonly body: StoredPlace;
  readonly versions?: readonly StoredPlace[];
  readonly messages: readonly StoredMessage[];
}

/** RecordKind.Change. */
export interface StoredChange {
  readonly id: string;
  readonly n: number;
  readonly change: MessageChange;
}

/** RecordKind.Removal. */
export interface StoredRemoval {
  readonly id: string;
  readonly n: number;
}

/** RecordKind.Move: old and new offsets in turns. */
export interface StoredMove {
  readonly from: number;
  readonly to: number;
  readonly offsets: readonly number[];
}

/** The first record of a file of the metadata log. */
export interface MetaHeader {
  readonly log: 'meta' | 'snapshot';
  readonly number: number;
  readonly salt: number;
  /** The file before this one, and where what counts in it ends: what follows was never acknowledged. */
  readonly previous?: { readonly number: number; readonly end: number };
  /** The first number that no body segment had when this file began. */
  readonly nextBody: number;
  /** Messages that the recovery before this file gave up, as `uuid:number`. */
  readonly removed?: readonly string[];
}

/** The first record of a body segment. */
export interface BodyHeader {
  readonly log: 'body';
  readonly number: number;
  readonly salt: number;
}

/** RecordKind.SnapshotEnd. */
export interface SnapshotEnd {
  readonly transactions: number;
}

/** The payload of a record. */
export function toPayload(
  record:
    | StoredTransaction
    | StoredChange
    | StoredRemoval
    | StoredMove
    | MetaHeader
    | BodyHeader
    | SnapshotEnd,
): Buffer {
  return Buffer.from(JSON.stringify(record), 'utf8');
}

/** The other way. The CRC vouches for the bytes, so that the caller may say what they are. */
export function fromPayload<T>(payload: Buffer): T {
  return JSON.parse(payload.toString('utf8')) as T;
}

/** The messages of a transaction with its requests, before their bodies have a place. */
export function storeMessages(
  requests: readonly QueueRequest[],
  now: number,
  versionOf: (request: QueueRequest) => { readonly index: number | undefined; readonly sizeBytes: number },
): readonly StoredMessage[] {
  return requests.map((request) => {
    const { index, sizeBytes } = versionOf(request);
    return {
      n: request.number,
      from: storeAddress(request.sender),
      to: storeAddress(request.recipient),
      transport: request.transportId,
      size: sizeBytes,
      ...(index === undefined ? undefined : { v: index }),
      ...(isEmpty(request.metadata) ? undefined : { meta: request.metadata }),
      ...(request.jobId === undefined ? undefined : { job: request.jobId }),
      ...(request.tenantId === undefined ? undefined : { tenant: request.tenantId }),
      ...(request.priority === 1 ? { high: 1 as const } : undefined),
      ...(request.quotas.length === 0 ? undefined : { quotas: request.quotas }),
      ...(isEmpty(request.dsn) ? undefined : { dsn: request.dsn }),
      ...(request.hold ? { hold: 1 as const } : undefined),
      ...(request.delaySeconds > 0 ? { next: now + request.delaySeconds } : undefined),
    };
  });
}

/** The record of a transaction. */
export function storeTransaction(
  transaction: Transaction,
  messages: readonly StoredMessage[],
  body: StoredPlace,
  versions: readonly StoredPlace[],
): StoredTransaction {
  return {
    id: transaction.id,
    ts: transaction.ts,
    server: transaction.serverId,
    ip: transaction.senderIp,
    helo: transaction.senderHelo,
    ...(transaction.saslUsername === undefined ? undefined : { sasl: transaction.saslUsername }),
    ...(transaction.stageKey === undefined ? undefined : { stage: transaction.stageKey }),
    body,
    ...(versions.length === 0 ? undefined : { versions }),
    messages,
  };
}

/** The queued message that a record tells of. */
export function toQueuedMessage(
  transaction: Omit<StoredTransaction, 'body' | 'versions' | 'messages'>,
  message: StoredMessage,
): QueuedMessage {
  return {
    id: { transaction: transaction.id, number: message.n },
    ts: transaction.ts,
    serverId: transaction.server,
    senderIp: transaction.ip,
    senderHelo: transaction.helo,
    ...(transaction.sasl === undefined ? undefined : { saslUsername: transaction.sasl }),
    ...(transaction.stage === undefined ? undefined : { stageKey: transaction.stage }),
    sender: toAddress(message.from),
    recipient: toAddress(message.to),
    transportId: message.transport,
    metadata: message.meta ?? NOTHING,
    ...(message.job === undefined ? undefined : { jobId: message.job }),
    ...(message.tenant === undefined ? undefined : { tenantId: message.tenant }),
    priority: message.high === 1 ? 1 : 0,
    quotas: message.quotas ?? NO_QUOTAS,
    dsn: message.dsn ?? NOTHING,
    sizeBytes: message.size,
    hold: message.hold === 1,
    retry: message.retry ?? 0,
    nextTry: message.next ?? 0,
    ...(message.why === undefined ? undefined : { reason: message.why }),
  };
}

/** A message after a change. */
export function changed(message: StoredMessage, change: MessageChange): StoredMessage {
  const { hold, retry, next, why, high, job, tenant, ...rest } = message;
  const isHeld = change.hold ?? hold === 1;
  const isHigh = (change.priority ?? high) === 1;
  return {
    ...rest,
    ...(change.sender === undefined ? undefined : { from: storeAddress(change.sender) }),
    ...(change.recipient === undefined ? undefined : { to: storeAddress(change.recipient) }),
    ...(change.transportId === undefined ? undefined : { transport: change.transportId }),
    ...(change.metadata === undefined ? undefined : { meta: change.metadata }),
    ...(change.quotas === undefined ? undefined : { quotas: change.quotas }),
    ...storedText('job', change.jobId ?? job),
    ...storedText('tenant', change.tenantId ?? tenant),
    ...(isHigh ? { high: 1 as const } : undefined),
    ...(isHeld ? { hold: 1 as const } : undefined),
    ...storedNumber('retry', change.retry ?? retry),
    ...storedNumber('next', change.nextTry ?? next),
    ...storedText('why', change.reason ?? why),
  };
}

/** The record of a change. */
export function storeChange(id: MessageId, change: MessageChange): StoredChange {
  return { id: id.transaction, n: id.number, change };
}

/** The empty text is none. */
function storedText<K extends string>(
  key: K,
  value: string | undefined,
): { readonly [k in K]?: string } | undefined {
  return value === undefined || value === '' ? undefined : ({ [key]: value } as { readonly [k in K]: string });
}

function storedNumber<K extends string>(
  key: K,
  value: number | undefined,
): { readonly [k in K]?: number } | undefined {
  return value === undefined || value === 0 ? undefined : ({ [key]: value } as { readonly [k in K]: number });
}

const NOTHING: Readonly<Record<string, never>> = Object.freeze({});
const NO_QUOTAS: readonly string[] = Object.freeze([]);

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}

function storeAddress(address: Address): StoredAddress {
  return address.params === undefined
    ? [address.localPart, address.domain]
    : [address.localPart, address.domain, address.params];
}

function toAddress([localPart, domain, params]: StoredAddress): Address {
  return params === undefined ? { localPart, domain } : { localPart, domain, params };
}
