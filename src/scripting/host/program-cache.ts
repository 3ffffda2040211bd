// Compiled programs on disk. What lies here is run as code, so a folder that somebody else could write to is not used,
// and an entry that is not exactly what was written (a torn write, a flipped bit) is no entry.
//
// An entry:   "ARGOPRG1" | SHA-256 of the content, 32 bytes | content
//
// Losing entries costs time only. So nothing is synced to disk, and a write that fails is given up silently.

import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { ProgramCache } from '#lang';

export type OpenedCache =
  | { readonly kind: 'open'; readonly cache: ProgramCache }
  /** The cache is not used; `problem` is a sentence for the log. */
  | { readonly kind: 'refused'; readonly problem: string };

const MARK = Buffer.from('ARGOPRG1', 'latin1');
const HASH_BYTES = 32;
const ENDING = '.program';
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
/** Entries used in this time keep their date: a read should not write. */
const FRESH_MS = 3_600_000;

/** Opens the folder, making it (for its owner only) when it is missing. */
export function openProgramCache(folder: string, maxBytes = DEFAULT_MAX_BYTES): OpenedCache {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const problem = problemOfFolder(folder);
    if (problem !== undefined) return { kind: 'refused', problem };
    return { kind: 'open', cache: new FolderCache(realpathSync(folder), maxBytes) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'refused', problem: `the folder for compiled scripts cannot be used: ${reason}` };
  }
}

/** Where `hsh` and other tools of a user keep compiled scripts. */
export function userCacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'];
  const isUsable = base !== undefined && path.isAbsolute(base);
  return path.join(isUsable ? base : path.join(os.homedir(), '.cache'), 'argonite');
}

/** Who else could put something there: the folder's own mode first, then those who could put another in its place. */
function problemOfFolder(folder: string): string | undefined {
  const own = lstatSync(folder);
  if (!own.isDirectory())
    return `${folder} is not a folder (or is a link), so compiled scripts are not kept there`;
  const user = process.geteuid?.() ?? own.uid;
  if (own.uid !== user)
    return `${folder} belongs to user ${own.uid}, not to ${user} who runs this, so compiled scripts are not kept there`;
  if ((own.mode & 0o022) !== 0)
    return `others may write to ${folder}, so compiled scripts are not kept there: chmod go-w ${folder}`;
  for (let parent = path.dirname(realpathSync(folder)); ; parent = path.dirname(parent)) {
    const { mode, uid } = statSync(parent);
    const isSticky = (mode & 0o1000) !== 0;
    if (((mode & 0o002) !== 0 && !isSticky) || (uid !== user && uid !== 0))
      return `others could replace ${folder} (through ${parent}), so compiled scripts are not kept there`;
    if (parent === path.dirname(parent)) return undefined;
  }
}

class FolderCache implements ProgramCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** Bytes in the folder as far as this process knows; undefined before the first write. */
  #bytes: number | undefined;
  #written = 0;

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  read(key: string): Uint8Array | undefined {
    const file = this.#fileOf(key);
    try {
      const entry = readFileSync(file);
      const content = contentOf(entry);
      if (content === undefined) {
        rmSync(file, { force: true });
        return undefined;
      }
      this.#markUsed(file);
      return content;
    } catch {
      return undefined; // Not there, or not readable: the script is compiled.
    }
  }

  write(key: string, bytes: Uint8Array): void {
    const size = MARK.length + HASH_BYTES + bytes.length;
    if (size > this.#maxBytes / 4) return;
    const file = this.#fileOf(key);
    const fresh = `${file}.${process.pid}.${this.#written++}.new`;
    try {
      this.#bytes ??= this.#entries().reduce((sum, entry) => sum + entry.size, 0);
      writeFileSync(fresh, Buffer.concat([MARK, hashOf(bytes), bytes]), { flag: 'wx', mode: 0o600 });
      renameSync(fresh, file);
      this.#bytes += size;
      if (this.#bytes > this.#maxBytes) this.#makeRoom();
    } catch {
      rmSync(fresh, { force: true });
    }
  }

  /** Keys are hashes already, but nothing depends on it. */
  #fileOf(key: string): string {
    const name = /^[0-9a-f]{16,128}$/.test(key) ? key : createHash('sha256').update(key).digest('hex');
    return path.join(this.#folder, name + ENDING);
  }

  #markUsed(file: string): void {
    const now = Date.now();
    if (now - statSync(file).mtimeMs > FRESH_MS) utimesSync(file, now / 1000, now / 1000);
  }

  /** Drops what was not used for longest, down to three quarters; counts anew, since others write here, too. */
  #makeRoom(): void {
    const entries = this.#entries().sort((a, b) => a.usedMs - b.usedMs);
    let bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
    for (const { file, size } of entries) {
      if (bytes <= this.#maxBytes * 0.75) break;
      rmSync(file, { force: true });
      bytes -= size;
    }
    this.#bytes = bytes;
  }

  /** All entries; half-written ones that a crash left behind are removed on the way. */
  #entries(): { file: string; size: number; usedMs: number }[] {
    const entries: { file: string; size: number; usedMs: number }[] = [];
    for (const name of readdirSync(this.#folder)) {
      const file = path.join(this.#folder, name);
      const stat = statSync(file, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      if (name.endsWith(ENDING)) entries.push({ file, size: stat.size, usedMs: stat.mtimeMs });
      else if (name.endsWith('.new') && Date.now() - stat.mtimeMs > FRESH_MS) rmSync(file, { force: true });
    }
    return entries;
  }
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function contentOf(entry: Buffer): Uint8Array | undefined {
  const start = MARK.length + HASH_BYTES;
  if (entry.length < start || !entry.subarray(0, MARK.length).equals(MARK)) return undefined;
  const content = entry.subarray(start);
  return hashOf(content).equals(entry.subarray(MARK.length, start)) ? content : undefined;
}
