// A server's answer to one query: is it the answer to that query at all, and what does it say. Only the answer section
// is read, of the authority section the SOA that bounds how long "there is none" may be remembered, and of the additional
// section the upper bits of the response code (RFC 6891 §6.1.3).

import { typeNumbers } from '../record-types.js';
import type { DnsRecord, RecordType } from '../resolver.js';
import { PacketProblem, PacketReader } from './packet-reader.js';
import type { Query } from './query-packet.js';
import { readRecord } from './records.js';

/** A record and the name it belongs to. */
export interface OwnedRecord {
  readonly owner: string;
  readonly record: DnsRecord;
}

export interface Response {
  /** All twelve bits where EDNS0 came back (RFC 6891 §6.1.3), else the four of the header. */
  readonly rcode: number;
  readonly isTruncated: boolean;
  /** AD: the server says it has validated the answer (RFC 4035 §3.2.3). */
  readonly isAuthentic: boolean;
  /** Records of the type asked for, and CNAMEs; in the order sent. */
  readonly answers: readonly OwnedRecord[];
  /** From the authority section: the zone, and how long its "no" holds (RFC 2308 §5). */
  readonly negative: { readonly zone: string; readonly ttlSeconds: number } | undefined;
  readonly sizeBytes: number;
}

/** `stranger`: not the answer to this query, whoever sent it. `broken`: it is, and cannot be read. */
export type ReadResponse = Response | 'stranger' | 'broken';

const QR = 0x8000;
const OPCODE = 0x7800;
const TC = 0x0200;
const AD = 0x0020;
const IN = 1;
const SOA = typeNumbers.soa;
const CNAME = typeNumbers.cname;
const OPT = 41;
/** More than this in an answer is no answer that a mail server has a use for. */
const MOST_RECORDS = 1024;
const LONGEST_TTL = 0x7fff_ffff;

/** Reads what came for `query`. `sameCase`: the name must have come back letter for letter (0x20). Never throws. */
export function readResponse(bytes: Buffer, query: Query, sameCase = false): ReadResponse {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== query.id) return 'stranger';
  const flags = bytes.readUInt16BE(2);
  if ((flags & QR) === 0 || (flags & OPCODE) !== 0) return 'stranger';
  const reader = new PacketReader(bytes, 12);
  try {
    const rcode = flags & 15;
    const questions = bytes.readUInt16BE(4);
    // A server that could not read the question may leave it out (RFC 1035 §4.1.1, format error).
    const isBareRefusal = questions === 0 && rcode !== 0 && bytes.length === 12;
    if (!isBareRefusal && !(questions === 1 && isQuestionOf(reader, query, sameCase))) return 'stranger';
    const head = {
      rcode,
      isTruncated: (flags & TC) !== 0,
      isAuthentic: (flags & AD) !== 0,
      sizeBytes: bytes.length,
    };
    // What was cut is asked for again over TCP: its end may be in the middle of a record.
    if (head.isTruncated || isBareRefusal) return { ...head, answers: [], negative: undefined };
    const [answerCount, authorityCount] = [bytes.readUInt16BE(6), bytes.readUInt16BE(8)];
    const additionalCount = bytes.readUInt16BE(10);
    if (answerCount + authorityCount > MOST_RECORDS) return 'broken';
    return {
      ...head,
      answers: readAnswers(reader, answerCount, query.type),
      negative: readNegative(reader, authorityCount),
      rcode: rcode | (readUpperRcode(reader, Math.min(additionalCount, MOST_RECORDS)) << 4),
    };
  } catch (problem) {
    if (problem instanceof PacketProblem) return 'broken';
    throw problem;
  }
}

function isQuestionOf(reader: PacketReader, { name, type }: Query, sameCase: boolean): boolean {
  const asked = reader.name();
  const isName = sameCase ? asked === name : asked.toLowerCase() === name.toLowerCase();
  return reader.uint16() === typeNumbers[type] && reader.uint16() === IN && isName;
}

function readAnswers(reader: PacketReader, count: number, type: RecordType): OwnedRecord[] {
  const wanted = typeNumbers[type];
  const answers: OwnedRecord[] = [];
  for (let left = count; left > 0; left--) {
    const owner = reader.name();
    const [number, className, ttl] = [reader.uint16(), reader.uint16(), reader.uint32()];
    const data = reader.part(reader.uint16());
    if (className !== IN) continue;
    if (number === wanted) answers.push({ owner, record: readRecord(type, ttlOf(ttl), data) });
    else if (number === CNAME) answers.push({ owner, record: readRecord('cname', ttlOf(ttl), data) });
  }
  return answers;
}

/** The first SOA; the reader is behind the section afterwards. */
function readNegative(reader: PacketReader, count: number): Response['negative'] {
  let negative: Response['negative'];
  for (let left = count; left > 0; left--) {
    const zone = reader.name();
    const [number, className, ttl] = [reader.uint16(), reader.uint16(), reader.uint32()];
    const data = reader.part(reader.uint16());
    if (negative !== undefined || number !== SOA || className !== IN) continue;
    const soa = readRecord('soa', ttlOf(ttl), data);
    if (soa.type === 'soa') negative = { zone, ttlSeconds: Math.min(soa.ttlSeconds, ttlOf(soa.minimum)) };
  }
  return negative;
}

/**
 * The upper eight bits of the response code; 0 without EDNS0. What was asked for has been read by now, so an additional section
 * that cannot be read takes nothing away from it.
 */
function readUpperRcode(reader: PacketReader, count: number): number {
  try {
    for (let left = count; left > 0; left--) {
      const owner = reader.name();
      const [number, , ttl] = [reader.uint16(), reader.uint16(), reader.uint32()];
      reader.skip(reader.uint16());
      if (number === OPT && owner === '') return ttl >>> 24;
    }
  } catch (problem) {
    if (!(problem instanceof PacketProblem)) throw problem;
  }
  return 0;
}

/** RFC 2181 §8: with the highest bit set it counts as zero. */
function ttlOf(value: number): number {
  return value > LONGEST_TTL ? 0 : value;
}
