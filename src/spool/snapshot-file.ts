// The file of a snapshot: transactions in groups under one checksum each, since a checksum for every one of a million took
// as long as reading them. A group is small, for a bit that flips costs all of it.

import type { SpoolFile } from './files.js';
import { RecordKind, recordHeader } from './format.js';
import { type MetaHeader, type SnapshotEnd, toPayload } from './records.js';

const GROUP_BYTES = 16 * 1024;
const WRITE_BYTES = 256 * 1024;

/** Writes a snapshot, in large pieces. */
export class SnapshotWriter {
  readonly #file: SpoolFile;
  readonly #salt: number;
  #group: Buffer[] = [];
  #groupBytes = 0;
  #buffers: Buffer[] = [];
  #bufferedBytes = 0;
  #written = 0;
  #transactions = 0;

  constructor(file: SpoolFile, header: MetaHeader) {
    this.#file = file;
    this.#salt = header.salt;
    this.#record(RecordKind.SegmentHeader, [toPayload(header)], 0);
  }

  /** Adds a transaction's payload. */
  add(payload: Buffer): void {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(payload.length, 0);
    this.#group.push(length, payload);
    this.#groupBytes += 4 + payload.length;
    this.#transactions++;
    if (this.#groupBytes >= GROUP_BYTES) this.#endGroup();
  }

  /** Writes what has come together, if it is worth it. */
  async flushIfFull(): Promise<void> {
    if (this.#bufferedBytes >= WRITE_BYTES) await this.#flush();
  }

  /** Completes the snapshot and makes it durable; the result is its size. */
  async end(): Promise<number> {
    this.#endGroup();
    const end: SnapshotEnd = { transactions: this.#transactions };
    this.#record(RecordKind.SnapshotEnd, [toPayload(end)], this.#salt);
    await this.#flush();
    await this.#file.sync();
    return this.#written;
  }

  #endGroup(): void {
    if (this.#group.length === 0) return;
    this.#record(RecordKind.Transactions, this.#group, this.#salt);
    this.#group = [];
    this.#groupBytes = 0;
  }

  #record(kind: RecordKind, payload: readonly Buffer[], salt: number): void {
    const header = recordHeader(kind, payload, 0, salt);
    this.#buffers.push(header, ...payload);
    this.#bufferedBytes += header.length;
    for (const part of payload) this.#bufferedBytes += part.length;
  }

  async #flush(): Promise<void> {
    await this.#file.write([Buffer.concat(this.#buffers, this.#bufferedBytes)], this.#written);
    this.#written += this.#bufferedBytes;
    this.#buffers = [];
    this.#bufferedBytes = 0;
  }
}

/** The payloads in a group. */
export function* unpacked(group: Buffer): Generator<Buffer> {
  for (let at = 0; at < group.length; ) {
    const end = at + 4 + group.readUInt32LE(at);
    yield group.subarray(at + 4, end);
    at = end;
  }
}
