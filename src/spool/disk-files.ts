// The spool's file layer on a real file system. Callback calls of node:fs, one promise for each operation: the spool
// makes few of them (two writes and two syncs for a whole batch), so they need no further care. Only small writes are
// made at once, since they do not wait for the disk.

import * as fs from 'node:fs';
import path from 'node:path';
import { errorCode, type OpenHow, type SpoolFile, type SpoolFiles } from './files.js';
import { lockFolder } from './lock.js';

type Done = (error: NodeJS.ErrnoException | null) => void;

function settled(start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === null ? resolve() : reject(error))));
}

/**
 * A write that small goes into the page cache faster than a thread of the pool can be woken for it and answer: with one
 * session, two such round trips for each message are much of its latency (test/perf/relay.ts, 4 KiB, 1 session).
 */
const SMALL_WRITE_BYTES = 64 * 1024;

class DiskFile implements SpoolFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(buffers: readonly Buffer[], position: number): Promise<void> {
    let sizeBytes = 0;
    for (const buffer of buffers) sizeBytes += buffer.length;
    return sizeBytes <= SMALL_WRITE_BYTES
      ? this.#writeNow(buffers, position)
      : this.#write(buffers, position);
  }

  /** In this turn of the event loop. Not `async` in effect, so an error is a rejection all the same. */
  async #writeNow(buffers: readonly Buffer[], position: number): Promise<void> {
    let left = buffers;
    let at = position;
    while (left.length > 0) {
      const written = fs.writevSync(this.#descriptor, left, at);
      if (written === 0) throw new Error('the system wrote nothing');
      left = after(left, written);
      at += written;
    }
  }

  #write(buffers: readonly Buffer[], position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const next = (left: readonly Buffer[], at: number): void => {
        fs.writev(this.#descriptor, left, at, (error, written) => {
          if (error !== null) return reject(error);
          const rest = after(left, written);
          if (rest.length === 0) return resolve();
          // A full disk writes what fits and says so only to the next call; nothing at all written would loop for ever.
          if (written === 0) return reject(new Error('the system wrote nothing'));
          next(rest, at + written);
        });
      };
      next(buffers, position);
    });
  }

  read(target: Buffer, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const next = (filled: number): void => {
        fs.read(
          this.#descriptor,
          target,
          filled,
          target.length - filled,
          position + filled,
          (error, count) => {
            if (error !== null) return reject(error);
            if (count === 0 || filled + count === target.length) return resolve(filled + count);
            next(filled + count);
          },
        );
      };
      next(0);
    });
  }

  sync(): Promise<void> {
    return settled((done) => fs.fdatasync(this.#descriptor, done));
  }

  truncate(sizeBytes: number): Promise<void> {
    return settled((done) => fs.ftruncate(this.#descriptor, sizeBytes, done));
  }

  close(): Promise<void> {
    return settled((done) => fs.close(this.#descriptor, done));
  }
}

/** The buffers without their first `count` bytes. */
function after(buffers: readonly Buffer[], count: number): readonly Buffer[] {
  let skip = count;
  for (let i = 0; i < buffers.length; i++) {
    const buffer = buffers[i]!;
    if (skip < buffer.length) return [buffer.subarray(skip), ...buffers.slice(i + 1)];
    skip -= buffer.length;
  }
  return [];
}

function open(name: string, flags: string): Promise<number> {
  return new Promise((resolve, reject) =>
    fs.open(name, flags, 0o640, (error, descriptor) =>
      error === null ? resolve(descriptor) : reject(error),
    ),
  );
}

/** `undefined` when it is gone: another process that tries to take the folder makes and removes a file there. */
async function sizeOf(name: string): Promise<number | undefined> {
  try {
    return (await fs.promises.stat(name)).size;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

const flags: Readonly<Record<OpenHow, string>> = { create: 'w+', read: 'r', rewrite: 'r+' };

/** The spool's files on the disk of this machine. */
export const diskFiles: SpoolFiles = {
  open: async (name, how) => new DiskFile(await open(name, flags[how])),
  makeFolder: async (folder) => {
    await fs.promises.mkdir(folder, { recursive: true, mode: 0o750 });
  },
  list: async (folder) => {
    const found: { name: string; sizeBytes: number }[] = [];
    for (const entry of await fs.promises.readdir(folder, { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const sizeBytes = await sizeOf(path.join(folder, entry.name));
      if (sizeBytes !== undefined) found.push({ name: entry.name, sizeBytes });
    }
    return found;
  },
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (name) => fs.promises.unlink(name),
  syncFolder: async (folder) => {
    const descriptor = await open(folder, 'r');
    try {
      await settled((done) => fs.fsync(descriptor, done));
    } finally {
      await settled((done) => fs.close(descriptor, done));
    }
  },
  freeSpace: async (folder) => {
    const { bavail, bsize, ffree } = await fs.promises.statfs(folder);
    return { bytes: bavail * bsize, inodes: ffree };
  },
  lock: lockFolder,
};
