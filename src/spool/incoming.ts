// A message while it is being received, and until it is committed: up to a limit (1 MiB) in memory, beyond it in a file of
// its own, which is called `incoming-N.tmp` until the commit gives it its name. Nothing of it counts until then.

import path from 'node:path';
import { crc32 } from 'node:zlib';
import { type SpoolFile, type SpoolFiles, spoolError } from './files.js';
import type { IncomingMessage, ReceivedMessage, SpoolError } from './spool.js';

/** Bytes that may wait for the disk before `write` asks the sender to wait. */
const BACKLOG_BYTES = 1024 * 1024;

/** What receiving needs of the spool. */
export interface IncomingSettings {
  readonly files: SpoolFiles;
  readonly folder: string;
  /** A message that grows beyond it goes to a file. */
  readonly memoryBytes: number;
  /** A new number for a file of its own. */
  readonly nextNumber: () => number;
  /** Takes note of a failure; the result is the error to throw. */
  readonly tell: (error: SpoolError) => SpoolError;
}

/** Collects a message's bytes. */
export class IncomingBody implements IncomingMessage {
  readonly #settings: IncomingSettings;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;
  #large: LargeFile | undefined;
  #head: Buffer | undefined;
  #isOver = false;

  constructor(settings: IncomingSettings) {
    this.#settings = settings;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#isOver) throw new Error('the message is finished or discarded, nothing can be added to it');
    this.#sizeBytes += chunk.length;
    if (this.#large !== undefined) return this.#large.write(chunk);
    this.#chunks.push(chunk);
    if (this.#sizeBytes <= this.#settings.memoryBytes) return undefined;
    this.#head = Buffer.concat(this.#chunks, this.#sizeBytes);
    this.#chunks = [];
    this.#large = new LargeFile(this.#settings);
    return this.#large.write(this.#head);
  }

  async finish(): Promise<ReceivedMessage> {
    this.#isOver = true;
    if (this.#large === undefined) {
      // Always a copy, even of one chunk: that is a view of a socket's buffer, many times as large.
      const bytes = Buffer.concat(this.#chunks, this.#sizeBytes);
      this.#chunks = [];
      return new MessageInMemory(bytes);
    }
    try {
      await this.#large.flushed();
    } catch (error) {
      this.#large.discard();
      throw error;
    }
    return new MessageInFile(this.#head ?? Buffer.alloc(0), this.#sizeBytes, this.#large);
  }

  discard(): void {
    this.#isOver = true;
    this.#chunks = [];
    this.#head = undefined;
    this.#large?.discard();
  }
}

/** A message received whole that sits in memory. */
export class MessageInMemory implements ReceivedMessage {
  readonly head: Buffer;
  readonly isComplete = true;

  constructor(bytes: Buffer) {
    this.head = bytes;
  }

  get sizeBytes(): number {
    return this.head.length;
  }

  read(start: number, end: number): Promise<Buffer> {
    return Promise.resolve(this.head.subarray(start, end));
  }

  discard(): void {}
}

/** A message received whole that lies in a file of its own. */
export class MessageInFile implements ReceivedMessage {
  readonly head: Buffer;
  readonly sizeBytes: number;
  readonly isComplete = false;
  readonly file: LargeFile;

  constructor(head: Buffer, sizeBytes: number, file: LargeFile) {
    this.head = head;
    this.sizeBytes = sizeBytes;
    this.file = file;
  }

  read(start: number, end: number): Promise<Buffer> {
    if (end <= this.head.length) return Promise.resolve(this.head.subarray(start, end));
    return this.file.read(start, end);
  }

  discard(): void {
    this.file.discard();
  }
}

/** The name of a committed message's own file. */
export function largeName(number: number): string {
  return `large-${String(number).padStart(8, '0')}.body`;
}

/** The name it has until then; recovery deletes such files. */
export function incomingName(number: number): string {
  return `incoming-${String(number).padStart(8, '0')}.tmp`;
}

/** A file that takes a message's bytes, one write at a time. */
export class LargeFile {
  readonly number: number;
  readonly #files: SpoolFiles;
  readonly #folder: string;
  readonly #tell: IncomingSettings['tell'];
  #path: string;
  #file: SpoolFile | undefined;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #written = 0;
  #crc = 0;
  #failure: SpoolError | undefined;
  #isDiscarded = false;
  /** Settles when nothing waits any more; replaced by each new run. */
  #running: Promise<void> | undefined;

  constructor({ files, folder, nextNumber, tell }: IncomingSettings) {
    this.#files = files;
    this.#folder = folder;
    this.#tell = tell;
    this.number = nextNumber();
    this.#path = path.join(folder, incomingName(this.number));
  }

  /** The CRC of all that was written, as it is kept in the transaction's record. */
  get crc(): number {
    return this.#crc >>> 0;
  }

  write(chunk: Buffer): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    this.#running ??= this.#run();
    return this.#waitingBytes > BACKLOG_BYTES ? this.#settled(this.#running) : undefined;
  }

  /** Resolves when every byte is with the system (not yet on the disk). */
  async flushed(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Makes the bytes durable, then gives the file its final name and makes that durable. */
  async keep(): Promise<void> {
    const final = path.join(this.#folder, largeName(this.number));
    try {
      await this.#file?.sync();
      await this.#files.rename(this.#path, final);
      this.#path = final;
      await this.#files.syncFolder(this.#folder);
    } catch (error) {
      throw spoolError('store a message in', final, error);
    }
    await this.#close();
  }

  async read(start: number, end: number): Promise<Buffer> {
    const target = Buffer.allocUnsafe(end - start);
    try {
      if (this.#file === undefined) throw new Error('the file is closed');
      return target.subarray(0, await this.#file.read(target, start));
    } catch (error) {
      throw spoolError('read', this.#path, error);
    }
  }

  /** Removes the file, as soon as what is being done with it has ended. */
  discard(): void {
    if (this.#isDiscarded) return;
    this.#isDiscarded = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    void (this.#running ?? Promise.resolve()).then(() => this.#remove());
  }

  async #settled(running: Promise<void>): Promise<void> {
    await running;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Writes until nothing waits. Never rejects: a failure is kept for the next caller. */
  async #run(): Promise<void> {
    try {
      this.#file ??= await this.#files.open(this.#path, 'create');
      while (this.#waiting.length > 0) {
        const buffers = this.#waiting;
        const sizeBytes = this.#waitingBytes;
        this.#waiting = [];
        for (const buffer of buffers) this.#crc = crc32(buffer, this.#crc);
        await this.#file.write(buffers, this.#written);
        this.#written += sizeBytes;
        // Only now, so that a sender who is asked to wait waits for the disk and not for a list to be swapped.
        this.#waitingBytes -= sizeBytes;
        if (this.#isDiscarded) this.#waitingBytes = 0;
      }
    } catch (error) {
      this.#failure = this.#tell(spoolError('store a message in', this.#path, error));
      this.#waiting = [];
    }
    this.#running = undefined;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    // Everything is synced or given up by now: a failing close loses nothing.
    await file?.close().catch(() => {});
  }

  async #remove(): Promise<void> {
    const wasOpened = this.#file !== undefined;
    await this.#close();
    // The file may never have been made, and what cannot be removed now is removed by the next start.
    if (wasOpened || this.#path.endsWith('.body')) await this.#files.remove(this.#path).catch(() => {});
  }
}
