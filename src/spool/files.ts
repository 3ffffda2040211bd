// The file layer of the spool: the few operations it needs, as an interface, so that a test can refuse, tear or freeze
// each one of them. `disk-files.ts` is the real one.

import { SpoolError } from './spool.js';

/** An open file. Positions are explicit: nothing here has a cursor. */
export interface SpoolFile {
  /** Writes all the buffers, one after the other, from `position` on. */
  write(buffers: readonly Buffer[], position: number): Promise<void>;
  /** Fills `target` from `position`; the number of bytes is smaller only at the end of the file. */
  read(target: Buffer, position: number): Promise<number>;
  /** Resolves when what was written is on the disk (fdatasync). */
  sync(): Promise<void>;
  /** Cuts the file off. */
  truncate(sizeBytes: number): Promise<void>;
  /** Gives the descriptor back. */
  close(): Promise<void>;
}

/** What a file is opened for. */
export type OpenHow = 'create' | 'read' | 'rewrite';

/** Room left on the file system. */
export interface FreeSpace {
  readonly bytes: number;
  readonly inodes: number;
}

/** What the spool asks of a file system. Every rejection is the system's own error (`code` is ENOSPC, EIO, ...). */
export interface SpoolFiles {
  /** `create` makes an empty file for reading and writing, `read` and `rewrite` open one that exists. */
  open(path: string, how: OpenHow): Promise<SpoolFile>;
  makeFolder(folder: string): Promise<void>;
  list(folder: string): Promise<readonly { readonly name: string; readonly sizeBytes: number }[]>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes names that were created, renamed or removed in the folder durable. */
  syncFolder(folder: string): Promise<void>;
  freeSpace(folder: string): Promise<FreeSpace>;
  /** Takes the folder for this process; the result gives it back. @throws SpoolError when another process has it */
  lock(folder: string): Promise<() => Promise<void>>;
}

/** The same files without waiting for the disk, for `spool.fsync: false`. */
export function withoutSync(files: SpoolFiles): SpoolFiles {
  return {
    makeFolder: (folder) => files.makeFolder(folder),
    list: (folder) => files.list(folder),
    rename: (from, to) => files.rename(from, to),
    remove: (path) => files.remove(path),
    freeSpace: (folder) => files.freeSpace(folder),
    lock: (folder) => files.lock(folder),
    syncFolder: async () => {},
    open: async (path, how) => {
      const file = await files.open(path, how);
      return {
        write: (buffers, position) => file.write(buffers, position),
        read: (target, position) => file.read(target, position),
        truncate: (sizeBytes) => file.truncate(sizeBytes),
        close: () => file.close(),
        sync: async () => {},
      };
    },
  };
}

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT']);

/** Turns a system error into the spool's, told as a person needs it. */
export function spoolError(what: string, path: string, cause: unknown): SpoolError {
  if (cause instanceof SpoolError) return cause;
  const code = errorCode(cause);
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SpoolError(`cannot ${what} ${path}: ${reason}${advice(code)}`, NO_SPACE.has(code), { cause });
}

/** The system's name of an error, or the empty string. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function advice(code: string): string {
  switch (code) {
    case 'ENOSPC':
      return '; free some space on that disk, the spool goes on by itself';
    case 'EDQUOT':
      return '; raise the quota of the user that argonite runs as';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return '; the user that argonite runs as must be able to write in the spool folder';
    case 'EMFILE':
    case 'ENFILE':
      return '; raise the limit of open files (environment.rlimit.nofile)';
    case 'EIO':
      return '; the disk reports a fault, see the system log';
    default:
      return '';
  }
}
