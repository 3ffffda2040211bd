// How records lie in the spool's files. Both logs, and snapshots of the metadata log, are made of the same frame:
//
//    0         2         3      4          8             12       16
//    +---------+---------+------+----------+-------------+--------+---------------------+
//    | A7 52   | version | kind | length   | batch start | crc 32 | payload             |
//    +---------+---------+------+----------+-------------+--------+---------------------+
//      magic       2        1     u32 LE      u32 LE       u32 LE   `length` bytes
//
// - The CRC covers the first twelve bytes and the payload. It starts from the segment's salt, a random number that only the
//   segment's first record tells, so that nobody can put bytes into a message that look like a record of ours.
// - `batch start` is where, in this file, the batch begins that the record was written with. It tells the last batch, which
//   may never have been acknowledged, from those before it, which were (recover.ts).
// - The first record of every file is a SegmentHeader with salt 0.
//
// Bodies are the bytes themselves. What the metadata log says is mostly JSON (records.ts): any JavaScript string survives it, a
// new field needs no new version, an operator can read it with `strings`.

import { crc32 } from 'node:zlib';

/** Bytes before the payload. */
export const HEADER_BYTES = 16;

const MAGIC = Buffer.of(0xa7, 0x52);
/** 2: a transaction's record begins with numbers. */
export const VERSION = 2;

/** What a record is. The numbers are on disk: never reuse one. */
export const RecordKind = {
  SegmentHeader: 1,
  /** The bytes of a message as received. */
  Body: 2,
  /** A message as edited: its pieces and the new bytes. */
  Version: 3,
  /** A transaction with its queued messages. */
  Transaction: 4,
  /** What changed in a queued message. */
  Change: 5,
  /** A queued message is done. */
  Removal: 6,
  /** Bodies now lie elsewhere. */
  Move: 7,
  /** A snapshot is complete. */
  SnapshotEnd: 8,
  /** Transactions in a snapshot, several under one checksum: each with its length (u32 LE) in front. */
  Transactions: 9,
  /** Says nothing: a write that finds out whether the disk writes. */
  Probe: 10,
  /** The whole of the file that says where the log ended when the spool was closed. */
  Closed: 11,
} as const;

/** One of the values of `RecordKind`. */
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** The sixteen bytes that go before a payload, which may lie in several buffers. */
export function recordHeader(
  kind: RecordKind,
  payload: readonly Buffer[],
  batchStart: number,
  salt: number,
): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  let length = 0;
  for (const part of payload) length += part.length;
  header[0] = MAGIC[0]!;
  header[1] = MAGIC[1]!;
  header[2] = VERSION;
  header[3] = kind;
  header.writeUInt32LE(length, 4);
  header.writeUInt32LE(batchStart, 8);
  let crc = crc32(header.subarray(0, 12), salt);
  for (const part of payload) crc = crc32(part, crc);
  header.writeUInt32LE(crc >>> 0, 12);
  return header;
}

/** How many bytes the record at `at` takes with its header, or `undefined` if no record can begin there. */
export function recordSize(buffer: Buffer, at: number): number | undefined {
  if (buffer[at] !== MAGIC[0] || buffer[at + 1] !== MAGIC[1] || buffer[at + 2] !== VERSION) return undefined;
  const kind = buffer[at + 3]!;
  if (kind < RecordKind.SegmentHeader || kind > RecordKind.Closed) return undefined;
  return HEADER_BYTES + buffer.readUInt32LE(at + 4);
}

/** The version a record was written with; `undefined` when it is ours or there is no record. */
export function foreignVersion(buffer: Buffer): number | undefined {
  const isRecord = buffer.length >= HEADER_BYTES && buffer[0] === MAGIC[0] && buffer[1] === MAGIC[1];
  return isRecord && buffer[2] !== VERSION ? buffer[2] : undefined;
}

/** True when the whole record of `size` bytes at `at` is as it was written. */
export function isIntact(buffer: Buffer, at: number, size: number, salt: number): boolean {
  const crc = crc32(buffer.subarray(at + HEADER_BYTES, at + size), crc32(buffer.subarray(at, at + 12), salt));
  return crc >>> 0 === buffer.readUInt32LE(at + 12);
}

/** A record as found in a file. */
export interface FoundRecord {
  readonly kind: RecordKind;
  readonly payload: Buffer;
  readonly offset: number;
  readonly end: number;
  readonly batchStart: number;
}

/** Reads the fields of an intact record. */
export function recordAt(buffer: Buffer, at: number, size: number, offset: number): FoundRecord {
  return {
    kind: buffer[at + 3] as RecordKind,
    payload: buffer.subarray(at + HEADER_BYTES, at + size),
    offset,
    end: offset + size,
    batchStart: buffer.readUInt32LE(at + 8),
  };
}

/** Where a record could begin, from `from` on, or -1. */
export function nextMagic(buffer: Buffer, from: number): number {
  return buffer.indexOf(MAGIC, from);
}
