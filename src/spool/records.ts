// What the metadata log says, and the way between it and the types of spool.ts.
//
// Most kinds of record are JSON. A transaction is half and half: what must be known of a million messages before the first is
// delivered (ids, places, what changes) stands in front as numbers, the rest follows as JSON and is read once, for those
// that live. A snapshot writes new numbers in front of the same JSON (test/perf/start.ts).
//
//     0  uuid                   u32 x 4
//    16  import                 u32   0; of an import a number that tells it from what had its ids before
//    20  versions, messages     u32 x 2
//    28  place of the body      u32 x 4   segment, offset, size, 0; for a file of its own 0, number, size, crc
//    44  places of the versions
//        messages               number u32, size u32, version u32 or ffffffff, next try f64, retry u16, flags u8,
//                               reason: length u32 and bytes (latin1, or UTF-16 by flag)
//        JSON                   { ts, server, ..., messages: [details, ...] }, utf-8
//
// Keys are short because every message writes them; what has its default is left out.

import type { Address, QueueRequest } from '#hooks';
import type { MessageChange, MessageId, QueuedMessage, Transaction } from './spool.js';
import { readUuid, type UuidWords, uuidToText } from './uuid-words.js';

/**
 * Where bytes lie: in the body log, the size without the record's header; or with segment 0 in a file of its own, `offset` being
 * its number.
 */
export type StoredPlace = readonly [segment: number, offset: number, size: number, crc: number];

/** `[localPart, domain]`, and the ESMTP parameters if there are any. */
type StoredAddress = readonly [string, string] | readonly [string, string, Readonly<Record<string, string>>];

/** No version: the message as received. */
export const UNTOUCHED = -1;

/** What stands in front of a queued message: what recovery needs to know and what changes all the time. */
export interface MessageHead {
  readonly n: number;
  readonly size: number;
  /** Index into the transaction's versions, or UNTOUCHED. */
  readonly version: number;
  readonly hold: boolean;
  readonly retry: number;
  readonly next: number;
  /** Empty = none. */
  readonly why: string;
}

/** The rest of a queued message. */
export interface MessageDetails {
  readonly from: StoredAddress;
  readonly to: StoredAddress;
  readonly transport: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly job?: string;
  readonly tenant?: string;
  readonly high?: 1;
  readonly quotas?: readonly string[];
  readonly dsn?: QueuedMessage['dsn'];
}

/** One queued message of a transaction. */
export interface StoredMessage extends MessageHead {
  readonly details: MessageDetails;
}

/** What the messages of a transaction have in common. */
export interface TransactionCommon {
  readonly ts: number;
  readonly server: string;
  readonly ip: string;
  readonly helo: string;
  readonly sasl?: string;
  /** Absent from most. */
  readonly stage?: string;
}

/** What stands in front of a transaction's record. */
export interface TransactionHead {
  readonly uuid: UuidWords;
  readonly imported: number;
  readonly body: StoredPlace;
  readonly versions: readonly StoredPlace[];
  readonly messages: readonly MessageHead[];
}

/** RecordKind.Transaction. */
export interface StoredTransaction extends TransactionHead {
  readonly common: TransactionCommon;
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
  /** The same for messages in files of their own. */
  readonly nextLarge: number;
  /** Messages, as `uuid:number`, that recovery gave up, or whose removal stands behind `previous.end`. */
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

/** The payload of a record that is JSON. */
export function toPayload(
  record: StoredChange | StoredRemoval | StoredMove | MetaHeader | BodyHeader | SnapshotEnd,
): Buffer {
  return Buffer.from(JSON.stringify(record), 'utf8');
}

/** The other way. The CRC vouches for the bytes, so that the caller may say what they are. */
export function fromPayload<T>(payload: Buffer): T {
  return JSON.parse(payload.toString('utf8')) as T;
}

const PLACE_BYTES = 16;
const FIRST_PLACE = 28;
const MESSAGE_BYTES = 27;
const HOLD = 1;
const WIDE_REASON = 2;
const NO_VERSION = 0xffffffff;

/** The payload of a transaction's record. */
export function transactionToPayload(stored: StoredTransaction): Buffer {
  const details = stored.messages.map((message) => message.details);
  return headToPayload(stored, Buffer.from(JSON.stringify({ ...stored.common, messages: details }), 'utf8'));
}

/** The payload with these numbers in front of JSON that is there already. */
export function headToPayload(head: TransactionHead, json: Buffer): Buffer {
  const reasons = head.messages.map(({ why }) => reasonToBytes(why));
  let size = FIRST_PLACE + PLACE_BYTES * (1 + head.versions.length) + MESSAGE_BYTES * head.messages.length;
  for (const reason of reasons) size += reason.length;
  const payload = Buffer.allocUnsafe(size + json.length);
  for (let i = 0; i < 4; i++) payload.writeUInt32LE(head.uuid[i]!, 4 * i);
  payload.writeUInt32LE(head.imported, 16);
  payload.writeUInt32LE(head.versions.length, 20);
  payload.writeUInt32LE(head.messages.length, 24);
  let at = writePlace(payload, FIRST_PLACE, head.body);
  for (const place of head.versions) at = writePlace(payload, at, place);
  for (const [i, message] of head.messages.entries()) {
    const reason = reasons[i]!;
    const isWide = reason.length !== message.why.length;
    payload.writeUInt32LE(message.n, at);
    payload.writeUInt32LE(message.size, at + 4);
    payload.writeUInt32LE(message.version === UNTOUCHED ? NO_VERSION : message.version, at + 8);
    payload.writeDoubleLE(message.next, at + 12);
    payload.writeUInt16LE(Math.min(message.retry, 0xffff), at + 20);
    payload[at + 22] = (message.hold ? HOLD : 0) | (isWide ? WIDE_REASON : 0);
    payload.writeUInt32LE(reason.length, at + 23);
    at += MESSAGE_BYTES;
    reason.copy(payload, at);
    at += reason.length;
  }
  json.copy(payload, at);
  return payload;
}

/** A head as read, and where the JSON behind it begins. */
export interface ReadHead extends TransactionHead {
  readonly end: number;
}

/** Reads the numbers of a transaction's record. */
export function payloadToHead(payload: Buffer): ReadHead {
  const uuid: UuidWords = [
    payload.readUInt32LE(0),
    payload.readUInt32LE(4),
    payload.readUInt32LE(8),
    payload.readUInt32LE(12),
  ];
  let versionsLeft = payload.readUInt32LE(20);
  let messagesLeft = payload.readUInt32LE(24);
  const body = readPlace(payload, FIRST_PLACE);
  let at = FIRST_PLACE + PLACE_BYTES;
  const versions: StoredPlace[] = [];
  for (; versionsLeft > 0; versionsLeft--, at += PLACE_BYTES) versions.push(readPlace(payload, at));
  const messages: MessageHead[] = [];
  for (; messagesLeft > 0; messagesLeft--) {
    const flags = payload[at + 22]!;
    const version = payload.readUInt32LE(at + 8);
    const whyEnd = at + MESSAGE_BYTES + payload.readUInt32LE(at + 23);
    messages.push({
      n: payload.readUInt32LE(at),
      size: payload.readUInt32LE(at + 4),
      version: version === NO_VERSION ? UNTOUCHED : version,
      hold: (flags & HOLD) !== 0,
      retry: payload.readUInt16LE(at + 20),
      next: payload.readDoubleLE(at + 12),
      why:
        whyEnd === at + MESSAGE_BYTES
          ? ''
          : payload.toString((flags & WIDE_REASON) === 0 ? 'latin1' : 'utf16le', at + MESSAGE_BYTES, whyEnd),
    });
    at = whyEnd;
  }
  return { uuid, imported: payload.readUInt32LE(16), body, versions, messages, end: at };
}

/** Reads the rest of it. */
export function payloadToRest(
  payload: Buffer,
  head: ReadHead,
): { readonly common: TransactionCommon; readonly details: readonly MessageDetails[] } {
  // The details stay in what is called common: a copy without them took as long as a tenth of all the reading.
  const common = JSON.parse(payload.toString('utf8', head.end)) as TransactionCommon & {
    readonly messages: readonly MessageDetails[];
  };
  return { common, details: common.messages };
}

function writePlace(payload: Buffer, at: number, place: StoredPlace): number {
  for (let i = 0; i < 4; i++) payload.writeUInt32LE(place[i]!, at + 4 * i);
  return at + PLACE_BYTES;
}

function readPlace(payload: Buffer, at: number): StoredPlace {
  return [
    payload.readUInt32LE(at),
    payload.readUInt32LE(at + 4),
    payload.readUInt32LE(at + 8),
    payload.readUInt32LE(at + 12),
  ];
}

const NO_BYTES = Buffer.alloc(0);

/** One byte a character where that is possible: any JavaScript string comes back as it was. */
function reasonToBytes(why: string): Buffer {
  if (why === '') return NO_BYTES;
  for (let i = 0; i < why.length; i++) if (why.charCodeAt(i) > 0xff) return Buffer.from(why, 'utf16le');
  return Buffer.from(why, 'latin1');
}

/** The words of a transaction's id, which the id table has accepted. */
export function uuidWords(id: string): UuidWords {
  const words = new Uint32Array(4);
  if (!readUuid(id, words)) throw new Error(`"${id}" is no UUID`);
  return [words[0]!, words[1]!, words[2]!, words[3]!];
}

/** The messages of a transaction with its requests, before their bodies have a place. */
export function storeMessages(
  { requests, imported }: Pick<Transaction, 'requests' | 'imported'>,
  now: number,
  versionOf: (request: QueueRequest) => { readonly version: number; readonly sizeBytes: number },
): readonly StoredMessage[] {
  return requests.map((request) => {
    const { version, sizeBytes } = versionOf(request);
    return {
      n: request.number,
      size: sizeBytes,
      version,
      hold: request.hold,
      retry: imported?.retry ?? 0,
      next: imported?.nextTry ?? (request.delaySeconds > 0 ? now + request.delaySeconds : 0),
      why: imported?.reason ?? '',
      details: {
        from: storeAddress(request.sender),
        to: storeAddress(request.recipient),
        transport: request.transportId,
        ...(isEmpty(request.metadata) ? undefined : { meta: request.metadata }),
        ...(request.jobId === undefined ? undefined : { job: request.jobId }),
        ...(request.tenantId === undefined ? undefined : { tenant: request.tenantId }),
        ...(request.priority === 1 ? { high: 1 as const } : undefined),
        ...(request.quotas.length === 0 ? undefined : { quotas: request.quotas }),
        ...(isEmpty(request.dsn) ? undefined : { dsn: request.dsn }),
      },
    };
  });
}

/** What the messages of a transaction have in common. */
export function storeCommon(transaction: Transaction): TransactionCommon {
  return {
    ts: transaction.ts,
    server: transaction.serverId,
    ip: transaction.senderIp,
    helo: transaction.senderHelo,
    ...(transaction.saslUsername === undefined ? undefined : { sasl: transaction.saslUsername }),
    ...(transaction.stageKey === undefined ? undefined : { stage: transaction.stageKey }),
  };
}

/** The queued message that a record tells of. */
export function toQueuedMessage(
  transaction: string,
  common: TransactionCommon,
  head: MessageHead,
  details: MessageDetails,
): QueuedMessage {
  return {
    id: { transaction, number: head.n },
    ts: common.ts,
    serverId: common.server,
    senderIp: common.ip,
    senderHelo: common.helo,
    ...(common.sasl === undefined ? undefined : { saslUsername: common.sasl }),
    ...(common.stage === undefined ? undefined : { stageKey: common.stage }),
    sender: toAddress(details.from),
    recipient: toAddress(details.to),
    transportId: details.transport,
    metadata: details.meta ?? NOTHING,
    ...(details.job === undefined ? undefined : { jobId: details.job }),
    ...(details.tenant === undefined ? undefined : { tenantId: details.tenant }),
    priority: details.high === 1 ? 1 : 0,
    quotas: details.quotas ?? NO_QUOTAS,
    dsn: details.dsn ?? NOTHING,
    sizeBytes: head.size,
    hold: head.hold,
    retry: head.retry,
    nextTry: head.next,
    ...(head.why === '' ? undefined : { reason: head.why }),
  };
}

/** What changes all the time stands in the columns of tables.ts and in front of a record; the rest of a change is rare. */
export type RareChange = Omit<MessageChange, 'hold' | 'retry' | 'nextTry' | 'reason'>;

/** A message's details after a change. */
export function changedDetails(details: MessageDetails, change: RareChange): MessageDetails {
  const { high, job, tenant, ...rest } = details;
  return {
    ...rest,
    ...(change.sender === undefined ? undefined : { from: storeAddress(change.sender) }),
    ...(change.recipient === undefined ? undefined : { to: storeAddress(change.recipient) }),
    ...(change.transportId === undefined ? undefined : { transport: change.transportId }),
    ...(change.metadata === undefined ? undefined : { meta: change.metadata }),
    ...(change.quotas === undefined ? undefined : { quotas: change.quotas }),
    ...storedText('job', change.jobId ?? job),
    ...storedText('tenant', change.tenantId ?? tenant),
    ...((change.priority ?? high) === 1 ? { high: 1 as const } : undefined),
  };
}

/** The record of a change. */
export function storeChange(id: MessageId, change: MessageChange): StoredChange {
  return { id: id.transaction, n: id.number, change };
}

/** The text of a transaction's id. */
export function uuidOf({ uuid: [a, b, c, d] }: Pick<TransactionHead, 'uuid'>): string {
  return uuidToText(a, b, c, d);
}

/** The empty text is none. */
function storedText<K extends string>(
  key: K,
  value: string | undefined,
): { readonly [k in K]?: string } | undefined {
  return value === undefined || value === ''
    ? undefined
    : ({ [key]: value } as { readonly [k in K]: string });
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
