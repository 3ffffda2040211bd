// One message as a file of its own (`.hqf`, control-api 4.4): a line of JSON with all that the queue knows of it, then its bytes. Written
// by `unload`, read by `import`, on this node or another. The file comes from wherever an operator has it: it is read as hostile.

import type { FileHandle } from 'node:fs/promises';
import type { Address, DsnParameters } from '#hooks';
import { isDomain, isLocalPart, isNotifyList } from '#stdlib';
import type { QueuedMessage } from '../../spool/spool.js';
import { ControlError } from '../operation.js';

/** What such a file says it is. */
const FORMAT = 'argonite queue file';
const VERSION = 1;
/** The line of JSON is no longer. */
const LONGEST_HEAD = 1024 * 1024;
const MOST_ENTRIES = 10_000;
/** The tables of the spool and of the queue count no further. */
const LARGEST_MESSAGE_BYTES = 2 ** 32 - 1;
const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The name of a message's file; its parts are what an id consists of, and nothing else. */
export function queueFileName({ id: { transaction, number } }: Pick<QueuedMessage, 'id'>): string {
  if (!idForm.test(transaction) || !Number.isInteger(number))
    throw new ControlError(`the message ${transaction}:${number} has no id that can be a file name`);
  return `${transaction}-${number}.hqf`;
}

/**
 * The first line of a message's file, with its end. A configuration that was staged here means nothing elsewhere.
 * @throws ControlError when nobody could read it: the message must not leave for such a file
 */
function queueFileHead({ stageKey: _, ...message }: QueuedMessage): Buffer {
  const line = JSON.stringify({ format: FORMAT, version: VERSION, ...message });
  const head = Buffer.from(`${line}\n`, 'utf8');
  if (head.length - 1 > LONGEST_HEAD)
    throw new ControlError(
      `what the queue knows of the message takes ${head.length - 1} bytes; a file of it may have ${LONGEST_HEAD} bytes for that`,
    );
  readHead(line);
  return head;
}

/** Writes a message's file from its beginning. */
export async function writeQueueFile(
  file: FileHandle,
  message: QueuedMessage,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  await writeAll(file, queueFileHead(message));
  let written = 0;
  for await (const chunk of chunks) {
    await writeAll(file, chunk);
    written += chunk.length;
  }
  if (written !== message.sizeBytes)
    throw new ControlError(`the message has ${written} bytes instead of ${message.sizeBytes}`);
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

/** A message's file, its first line read. */
export interface QueueFile {
  readonly message: QueuedMessage;
  /** The bytes behind the first line. */
  readonly body: AsyncIterable<Buffer>;
}

/** Reads the first line of a file that comes in chunks. @throws ControlError that says what is wrong with it */
export async function readQueueFile(chunks: AsyncIterable<Buffer>): Promise<QueueFile> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) throw new ControlError(`this is no ${FORMAT}: it has no first line`);
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
    const end = head.indexOf(0x0a);
    if (end > LONGEST_HEAD || (end === -1 && head.length > LONGEST_HEAD))
      throw new ControlError(`this is no ${FORMAT}: its first line is longer than ${LONGEST_HEAD} bytes`);
    if (end === -1) continue;
    const rest = head.subarray(end + 1);
    return { message: readHead(head.toString('utf8', 0, end)), body: restOf(rest, iterator) };
  }
}

async function* restOf(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** The message that the first line tells of. @throws ControlError */
function readHead(line: string): QueuedMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ControlError(`this is no ${FORMAT}: its first line is not JSON`);
  }
  const head = objectAt(value, 'the first line');
  if (head['format'] !== FORMAT)
    throw new ControlError(`this is no ${FORMAT}: its first line does not say so`);
  if (head['version'] !== VERSION)
    throw new ControlError(
      `a ${FORMAT} of version ${JSON.stringify(head['version'])}; expected version ${VERSION}`,
    );
  const id = objectAt(head['id'], 'id');
  const transaction = textAt(id['transaction'], 'id.transaction');
  if (!idForm.test(transaction))
    throw new ControlError(`id.transaction: found ${shown(transaction)}; expected a UUID in lower case`);
  const reason = optional(head['reason'], (found) => textAt(found, 'reason'));
  const jobId = optional(head['jobId'], (found) => textAt(found, 'jobId'));
  const tenantId = optional(head['tenantId'], (found) => textAt(found, 'tenantId'));
  const saslUsername = optional(head['saslUsername'], (found) => textAt(found, 'saslUsername'));
  return {
    id: { transaction, number: countAt(id['number'], 'id.number', 1, 0xffffffff) },
    ts: numberAt(head['ts'], 'ts'),
    serverId: textAt(head['serverId'], 'serverId'),
    senderIp: textAt(head['senderIp'], 'senderIp'),
    senderHelo: textAt(head['senderHelo'], 'senderHelo'),
    ...(saslUsername === undefined ? undefined : { saslUsername }),
    sender: addressAt(head['sender'], 'sender', true),
    recipient: addressAt(head['recipient'], 'recipient', false),
    transportId: textAt(head['transportId'], 'transportId'),
    metadata: textsAt(head['metadata'], 'metadata'),
    ...(jobId === undefined ? undefined : { jobId }),
    ...(tenantId === undefined ? undefined : { tenantId }),
    priority: countAt(head['priority'], 'priority', 0, 1) === 1 ? 1 : 0,
    quotas: listAt(head['quotas'], 'quotas'),
    dsn: dsnAt(head['dsn']),
    sizeBytes: countAt(head['sizeBytes'], 'sizeBytes', 0, LARGEST_MESSAGE_BYTES),
    hold: head['hold'] === true,
    retry: countAt(head['retry'], 'retry', 0, 0xffff),
    nextTry: numberAt(head['nextTry'], 'nextTry'),
    ...(reason === undefined ? undefined : { reason }),
  };
}

function optional<T>(value: unknown, read: (found: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function objectAt(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(at, value, 'an object');
  return value as Record<string, unknown>;
}

/** Bytes, one for each character. */
function textAt(value: unknown, at: string): string {
  if (typeof value !== 'string' || /[^\x00-\xff]/.test(value)) throw wrong(at, value, 'a text of bytes');
  return value;
}

function numberAt(value: unknown, at: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value < 1e11)) throw wrong(at, value, 'Unix seconds');
  return value;
}

function countAt(value: unknown, at: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw wrong(at, value, `a whole number from ${least} to ${most}`);
  return value;
}

function listAt(value: unknown, at: string): readonly string[] {
  if (!Array.isArray(value) || value.length > MOST_ENTRIES) throw wrong(at, value, 'a list of texts');
  return value.map((one: unknown, index) => textAt(one, `${at}[${index}]`));
}

function textsAt(value: unknown, at: string): Readonly<Record<string, string>> {
  const entries = Object.entries(objectAt(value, at));
  if (entries.length > MOST_ENTRIES) throw wrong(at, value, `at most ${MOST_ENTRIES} entries`);
  return Object.fromEntries(entries.map(([key, text]) => [textAt(key, at), textAt(text, `${at}.${key}`)]));
}

function addressAt(value: unknown, at: string, mayBeNull: boolean): Address {
  const found = objectAt(value, at);
  const localPart = textAt(found['localPart'], `${at}.localPart`);
  const domain = textAt(found['domain'], `${at}.domain`);
  const params = optional(found['params'], (given) => textsAt(given, `${at}.params`));
  const isNull = localPart === '' && domain === '';
  // `postmaster` alone is an address too (RFC 5321 §4.5.1).
  if (isNull ? !mayBeNull : !isLocalPart(localPart) || (domain !== '' && !isDomain(domain)))
    throw wrong(at, value, 'an address');
  return params === undefined ? { localPart, domain } : { localPart, domain, params };
}

function dsnAt(value: unknown): DsnParameters {
  const dsn = textsAt(value, 'dsn');
  for (const [key, text] of Object.entries(dsn)) {
    if (!['envid', 'ret', 'notify', 'orcpt'].includes(key)) throw wrong(`dsn.${key}`, text, 'no such key');
    if (key === 'ret' && !['FULL', 'HDRS', ''].includes(text)) throw wrong('dsn.ret', text, 'FULL or HDRS');
    if (key === 'notify' && text !== '' && !isNotifyList(text))
      throw wrong('dsn.notify', text, 'NEVER, or a list of SUCCESS, FAILURE and DELAY');
    // envid and orcpt may hold any byte that a client wrote in xtext; whoever says them again encodes them again.
  }
  return dsn as DsnParameters;
}

function wrong(at: string, value: unknown, expected: string): ControlError {
  return new ControlError(`${at}: found ${shown(value)}; expected ${expected}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
