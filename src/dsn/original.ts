// What a report returns of the message that it is about: its header, or all of it while that is small. What is read is bounded,
// whatever the message is.

import { parseHeaderSection, traitsOf, unfold, withCrLf } from '#stdlib';
import type { MessageReader } from '../spool/spool.js';

/** Of a message that is longer only the header is returned, whatever was asked for. */
const MOST_RETURNED_BYTES = 1024 * 1024;
/** Of a header section that is longer only the first fields are returned. */
const MOST_HEADER_BYTES = 128 * 1024;
/** More than this of a thread is not named. */
const MOST_REFERENCES = 20;

/** A message as far as it was read; lines end with CR LF. */
export interface Original {
  /** Whole fields without the empty line; empty when the message has none, or could not be read. */
  readonly header: Buffer;
  readonly isHeaderCut: boolean;
  /** The whole message, when that was wanted and is possible. */
  readonly whole?: Buffer;
  readonly sizeBytes: number;
  /** With its brackets, once; absent when it is not there or is none. */
  readonly messageId?: string;
  /** Ids of the thread so far, its own not among them. */
  readonly references: readonly string[];
  /** To, when it is a report (RFC 6522); absent of any other message. */
  readonly reportsTo?: string;
}

/** What is left of a message that cannot be read. */
export const unreadableOriginal: Original = {
  header: Buffer.alloc(0),
  isHeaderCut: false,
  sizeBytes: 0,
  references: [],
};

/** Reads as much as is needed. @throws SpoolError */
export async function readOriginal(reader: MessageReader, wantsWhole: boolean): Promise<Original> {
  const { sizeBytes } = reader;
  const isSmall = wantsWhole && sizeBytes <= MOST_RETURNED_BYTES;
  const bytes = await firstBytes(reader, isSmall ? MOST_RETURNED_BYTES : MOST_HEADER_BYTES, !isSmall);
  const section = parseHeaderSection(bytes, 0, Math.min(bytes.length, MOST_HEADER_BYTES));
  const isRead = section.isClosed || (bytes.length === sizeBytes && section.end === sizeBytes);
  // A field that was cut off is left out; lines that are no fields are the sender's, and stay.
  const lastField = section.fields.at(-1);
  const end = isRead || lastField === undefined ? section.end : lastField.start;
  const whole = isSmall ? withCrLf(bytes) : undefined;
  const valuesOf = (name: string) =>
    section.fields
      .filter((field) => field.name === name)
      .map((field) => unfold(bytes.toString('latin1', field.valueStart, field.end)));
  const messageId = idOf(valuesOf('message-id')[0] ?? '');
  const isReport = /^multipart\/report\b/i.test(valuesOf('content-type')[0] ?? '');
  return {
    header: ended(withCrLf(bytes.subarray(0, end))),
    isHeaderCut: !isRead,
    ...(whole !== undefined && canBeSent(whole) ? { whole } : undefined),
    sizeBytes,
    ...(messageId === undefined ? undefined : { messageId }),
    references: idsOf(valuesOf('references')[0] ?? '', valuesOf('in-reply-to')[0] ?? ''),
    ...(isReport && { reportsTo: (valuesOf('to')[0] ?? '').slice(0, 1000) }),
  };
}

/** Bytes up to a limit; those of a header section end with the chunk that its end is in. */
async function firstBytes(reader: MessageReader, limit: number, isHeaderEnough: boolean): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  let tail = '';
  for await (const chunk of reader.chunks()) {
    chunks.push(chunk.subarray(0, limit - length));
    length += chunk.length;
    if (length >= limit) break;
    if (!isHeaderEnough) continue;
    const text = tail + chunk.toString('latin1');
    if (/\n\r?\n/.test(text)) break;
    tail = text.slice(-3);
  }
  return Buffer.concat(chunks);
}

/** A message inside of a message is not encoded (RFC 2046 §5.2.1): what no mail line may hold cannot be returned whole. */
function canBeSent(whole: Buffer): boolean {
  const { longestLine, unsafe } = traitsOf(whole);
  return longestLine <= 998 && unsafe === 0;
}

function ended(header: Buffer): Buffer {
  if (header.length === 0 || header.at(-1) === 0x0a) return header;
  return Buffer.concat([header, Buffer.from('\r\n')]);
}

/** The first message id of a text, however many brackets its writer has put around it. */
function idOf(text: string): string | undefined {
  const inside = /^[\s<]*([^\s<>]+)\s*(?:[>(]|$)/.exec(text)?.[1];
  return inside !== undefined && isId(inside) ? `<${inside}>` : undefined;
}

/** References of an answer (RFC 5322 §3.6.4): the first, and the last of a long thread. */
function idsOf(references: string, inReplyTo: string): string[] {
  const ids = matches(references);
  const parents = matches(inReplyTo);
  const all = ids.length > 0 ? ids : parents.length === 1 ? parents : [];
  return all.length <= MOST_REFERENCES ? all : [all[0]!, ...all.slice(1 - MOST_REFERENCES)];
}

function matches(text: string): string[] {
  return [...text.slice(0, 64 * 1024).matchAll(/<([^\s<>]+)>/g)].flatMap(([, id]) =>
    id !== undefined && isId(id) ? [`<${id}>`] : [],
  );
}

function isId(text: string): boolean {
  return /^[\x21-\x7e]{1,900}$/.test(text);
}
