// A file system in memory for the spool, with a diary of everything that changes it. From the diary the disk can be rebuilt as
// it was at any moment: as a killed process leaves it (all that was written is there), or as a power cut does (only what was
// flushed is sure; the rest is there, or not, or torn). Operations can be made to fail.

import type { FreeSpace, OpenHow, SpoolFile, SpoolFiles } from '../../src/spool/files.js';
import { SpoolError } from '../../src/spool/spool.js';

type Entry =
  | { readonly kind: 'create'; readonly name: string; readonly file: number }
  | { readonly kind: 'write'; readonly file: number; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly sizeBytes: number }
  | { readonly kind: 'sync' | 'failedSync'; readonly file: number }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }
  | { readonly kind: 'remove'; readonly name: string }
  | { readonly kind: 'syncFolder' }
  | { readonly kind: 'mark'; readonly text: string };

/** What `fail` is asked before each operation. */
export interface Operation {
  readonly kind: 'open' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncFolder' | 'read';
  readonly name: string;
  readonly sizeBytes: number;
}

/** A system error as node:fs makes it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants it`), { code });
}

/** The file system. */
export class FrozenFiles implements SpoolFiles {
  /** Names to file numbers, and the files' bytes. */
  readonly names = new Map<string, number>();
  readonly contents: Buffer[] = [];
  readonly diary: Entry[] = [];
  free: FreeSpace = { bytes: 1e12, inodes: 1e9 };
  /** The same for folders with a disk of their own. */
  readonly freeOf = new Map<string, FreeSpace>();
  /** Folders that are there; any, when absent. */
  folders: ReadonlySet<string> | undefined;
  /** Says how an operation fails, or `undefined` to let it pass. A write may be let through in part. */
  fail: (operation: Operation) => { readonly code: string; readonly written?: number } | undefined = () =>
    undefined;
  readonly #locked = new Set<string>();

  /** Notes something in the diary, such as an acknowledgement. */
  mark(text: string): void {
    this.diary.push({ kind: 'mark', text });
  }

  /** Names of the files in a folder, without it. */
  async list(folder: string): Promise<{ name: string; sizeBytes: number }[]> {
    if (this.folders?.has(folder) === false) throw systemError('ENOENT');
    return [...this.names]
      .filter(([name]) => name.startsWith(`${folder}/`))
      .map(([name, file]) => ({
        name: name.slice(name.lastIndexOf('/') + 1),
        sizeBytes: this.contents[file]!.length,
      }));
  }

  /** The bytes of a file whose name contains `part`. */
  bytesOf(part: string): Buffer {
    return this.contents[this.names.get(this.nameOf(part))!]!;
  }

  /** Replaces the bytes of a file, behind the spool's back. */
  setBytes(part: string, bytes: Buffer): void {
    this.contents[this.names.get(this.nameOf(part))!] = bytes;
  }

  nameOf(part: string): string {
    const found = [...this.names.keys()].filter((name) => name.includes(part));
    if (found.length !== 1)
      throw new Error(`${found.length} files match "${part}": ${[...this.names.keys()]}`);
    return found[0]!;
  }

  /** A copy that can be opened again, without diary. */
  copy(): FrozenFiles {
    const copy = new FrozenFiles();
    for (const [name, file] of this.names) copy.#put(name, Buffer.from(this.contents[file]!));
    return copy;
  }

  async open(name: string, how: OpenHow): Promise<SpoolFile> {
    await this.#step({ kind: 'open', name, sizeBytes: 0 });
    let file = this.names.get(name);
    if (how === 'create') {
      file = this.contents.push(Buffer.alloc(0)) - 1;
      this.names.set(name, file);
      this.diary.push({ kind: 'create', name, file });
    }
    if (file === undefined) throw systemError('ENOENT');
    return this.#handle(name, file);
  }

  #handle(name: string, file: number): SpoolFile {
    return {
      write: async (buffers, position) => {
        const bytes = Buffer.concat(buffers);
        const refusal = await this.#refusal({ kind: 'write', name, sizeBytes: bytes.length });
        const part = refusal === undefined ? bytes : bytes.subarray(0, refusal.written ?? 0);
        if (part.length > 0) {
          this.contents[file] = written(this.contents[file]!, part, position);
          this.diary.push({ kind: 'write', file, position, bytes: part });
        }
        if (refusal !== undefined) throw systemError(refusal.code);
      },
      read: async (target, position) => {
        await this.#step({ kind: 'read', name, sizeBytes: target.length });
        return this.contents[file]!.copy(target, 0, position);
      },
      sync: async () => {
        const refusal = await this.#refusal({ kind: 'sync', name, sizeBytes: 0 });
        this.diary.push({ kind: refusal === undefined ? 'sync' : 'failedSync', file });
        if (refusal !== undefined) throw systemError(refusal.code);
      },
      truncate: async (sizeBytes) => {
        await this.#step({ kind: 'truncate', name, sizeBytes });
        this.contents[file] = resized(this.contents[file]!, sizeBytes);
        this.diary.push({ kind: 'truncate', file, sizeBytes });
      },
      close: async () => {},
    };
  }

  async makeFolder(): Promise<void> {}

  async rename(name: string, to: string): Promise<void> {
    await this.#step({ kind: 'rename', name, sizeBytes: 0 });
    const file = this.names.get(name);
    if (file === undefined) throw systemError('ENOENT');
    this.names.delete(name);
    this.names.set(to, file);
    this.diary.push({ kind: 'rename', name, to });
  }

  async remove(name: string): Promise<void> {
    await this.#step({ kind: 'remove', name, sizeBytes: 0 });
    if (!this.names.delete(name)) throw systemError('ENOENT');
    this.diary.push({ kind: 'remove', name });
  }

  async syncFolder(): Promise<void> {
    await this.#step({ kind: 'syncFolder', name: '', sizeBytes: 0 });
    this.diary.push({ kind: 'syncFolder' });
  }

  freeSpace(folder: string): Promise<FreeSpace> {
    return Promise.resolve(this.freeOf.get(folder) ?? this.free);
  }

  async lock(folder: string): Promise<() => Promise<void>> {
    if (this.#locked.has(folder)) throw new SpoolError('the spool is in use', false);
    this.#locked.add(folder);
    return async () => {
      this.#locked.delete(folder);
    };
  }

  /** The same files as one process sees them: when it is killed, whatever it does never ends. */
  process(): { readonly files: SpoolFiles; kill(): void } {
    let isDead = false;
    const never = new Promise<never>(() => {});
    const ifAlive = <T>(act: () => Promise<T>): Promise<T> => (isDead ? never : act());
    const files: SpoolFiles = {
      open: (name, how) =>
        ifAlive(async () => {
          const file = await this.open(name, how);
          return {
            write: (buffers, position) => ifAlive(() => file.write(buffers, position)),
            read: (target, position) => ifAlive(() => file.read(target, position)),
            sync: () => ifAlive(() => file.sync()),
            truncate: (sizeBytes) => ifAlive(() => file.truncate(sizeBytes)),
            close: () => ifAlive(() => file.close()),
          };
        }),
      makeFolder: () => ifAlive(() => this.makeFolder()),
      list: (folder) => ifAlive(() => this.list(folder)),
      rename: (name, to) => ifAlive(() => this.rename(name, to)),
      remove: (name) => ifAlive(() => this.remove(name)),
      syncFolder: () => ifAlive(() => this.syncFolder()),
      freeSpace: (folder) => ifAlive(() => this.freeSpace(folder)),
      lock: (folder) => ifAlive(() => this.lock(folder)),
    };
    return {
      files,
      kill: () => {
        isDead = true;
        this.#locked.clear();
      },
    };
  }

  /** The texts that were marked before a moment. */
  marksUntil(moment: number): string[] {
    return this.diary.slice(0, moment).flatMap((entry) => (entry.kind === 'mark' ? [entry.text] : []));
  }

  /** The disk as a process leaves it that is killed after `moment` entries; its last write may be torn at `tornAt`. */
  afterKill(moment: number, tornAt?: number): FrozenFiles {
    const image = new FrozenFiles();
    for (const [i, entry] of this.diary.slice(0, moment).entries()) {
      if (entry.kind === 'write' && i === moment - 1 && tornAt !== undefined) {
        image.#replay({ ...entry, bytes: entry.bytes.subarray(0, tornAt) });
      } else {
        image.#replay(entry);
      }
    }
    return image;
  }

  /**
   * The disk after a power cut: what was not flushed yet survives by chance, and so does what was there when a flush failed,
   * whatever later flushes say. Names change in order.
   */
  afterPowerCut(moment: number, random: () => number): FrozenFiles {
    const entries = this.diary.slice(0, moment);
    const isSynced = new Map<number, boolean>();
    const durable = new Set<Entry>();
    let folderSync = -1;
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i]!;
      if (entry.kind === 'sync') isSynced.set(entry.file, true);
      else if (entry.kind === 'failedSync') isSynced.set(entry.file, false);
      else if (entry.kind === 'syncFolder') folderSync = Math.max(folderSync, i);
      else if ('file' in entry && isSynced.get(entry.file) === true) durable.add(entry);
    }
    const isName = (entry: Entry) =>
      entry.kind === 'create' || entry.kind === 'rename' || entry.kind === 'remove';
    const pending = entries.filter((entry, i) => i > folderSync && isName(entry));
    const survivors = new Set(pending.slice(0, Math.floor(random() * (pending.length + 1))));
    const image = new FrozenFiles();
    for (const [i, entry] of entries.entries()) {
      if (isName(entry)) {
        if (i <= folderSync || survivors.has(entry)) image.#replay(entry);
        else if (entry.kind === 'create') image.contents[entry.file] = Buffer.alloc(0);
      } else if (entry.kind === 'write') {
        image.contents[entry.file] ??= Buffer.alloc(0);
        if (durable.has(entry)) image.#replay(entry);
        else image.#replayByChance(entry, random);
      } else if (entry.kind === 'truncate') {
        if (durable.has(entry) || random() < 0.5) image.#replay(entry);
      }
    }
    return image;
  }

  #put(name: string, bytes: Buffer): void {
    this.names.set(name, this.contents.push(bytes) - 1);
  }

  #replay(entry: Entry): void {
    switch (entry.kind) {
      case 'create':
        this.contents[entry.file] = Buffer.alloc(0);
        this.names.set(entry.name, entry.file);
        return;
      case 'write':
        this.contents[entry.file] = written(this.contents[entry.file]!, entry.bytes, entry.position);
        return;
      case 'truncate':
        this.contents[entry.file] = resized(this.contents[entry.file]!, entry.sizeBytes);
        return;
      case 'rename': {
        const file = this.names.get(entry.name)!;
        this.names.delete(entry.name);
        this.names.set(entry.to, file);
        return;
      }
      case 'remove':
        this.names.delete(entry.name);
        return;
      default:
    }
  }

  /** A write that was not flushed: lost, whole, cut short, or full of zeros in the first half. */
  #replayByChance(entry: Entry & { readonly kind: 'write' }, random: () => number): void {
    // Written once more as it stands there: whichever sectors are new, they are the same.
    const there = this.contents[entry.file]!.subarray(entry.position, entry.position + entry.bytes.length);
    if (there.equals(entry.bytes)) return;
    const chance = random();
    if (chance < 0.3) return;
    const bytes = Buffer.from(entry.bytes);
    if (chance >= 0.5 && chance < 0.7) bytes.fill(0, 0, bytes.length >> 1);
    const length = chance < 0.5 ? Math.floor(random() * bytes.length) : bytes.length;
    this.#replay({ ...entry, bytes: bytes.subarray(0, length) });
  }

  async #step(operation: Operation): Promise<void> {
    const refusal = await this.#refusal(operation);
    if (refusal !== undefined) throw systemError(refusal.code);
  }

  /** Every operation takes a turn, so that others come in between as they do on a disk. */
  async #refusal(
    operation: Operation,
  ): Promise<{ readonly code: string; readonly written?: number } | undefined> {
    await Promise.resolve();
    return this.fail(operation);
  }
}

function written(content: Buffer, bytes: Buffer, position: number): Buffer {
  const next = resized(content, Math.max(content.length, position + bytes.length));
  bytes.copy(next, position);
  return next;
}

function resized(content: Buffer, length: number): Buffer {
  const next = Buffer.alloc(length);
  content.copy(next, 0, 0, Math.min(length, content.length));
  return next;
}
