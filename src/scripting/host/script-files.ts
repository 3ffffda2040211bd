// The files that scripts open when they run (`File("name")`): those of the configuration by name, and with `file://` what
// lies below the script root. Nothing outside the root is ever opened: not by `..`, not through a symbolic link; and
// nothing that is no plain file, for opening a pipe or a device may wait for ever or do something.

import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { bytesToText } from '#lang';
import { bytesToFile, type FileContent } from '#stdlib';

export interface ScriptFilesOptions {
  /** Files by name, as bytes (`scripting.files` of a configuration). */
  readonly files?: ReadonlyMap<string, string>;
  /** The script root (`scripting.rootpath`); without one, no name with `file://` is found. */
  readonly root?: string | undefined;
  /** Told, in a sentence, why a file that is there was not opened. */
  readonly onRefusal?: (sentence: string) => void;
}

/** Makes what answers `ConfiguredThings.file`: names are bytes, as all text of scripts. */
export function createScriptFiles(
  options: ScriptFilesOptions,
): (name: string) => Promise<FileContent | undefined> {
  const { files, root, onRefusal = () => {} } = options;
  return async (name) => {
    if (!name.startsWith(SCHEME)) {
      const text = files?.get(name);
      return text === undefined ? undefined : bytesToFile(Buffer.from(text, 'latin1'));
    }
    const below = pathBelowRoot(name.slice(SCHEME.length));
    if (root === undefined || below === undefined) return undefined;
    const opened = await openBelow(root, below);
    if (opened === undefined || !('refusal' in opened)) return opened;
    onRefusal(`the script file ${JSON.stringify(bytesToText(name))} is not opened: ${opened.refusal}`);
    return undefined;
  };
}

const SCHEME = 'file://';

/** What a name means below the root: slashes at its beginning stand for the root. Undefined when it leads out of it. */
function pathBelowRoot(name: string): string | undefined {
  if (name.includes('\0')) return undefined;
  const normal = path.posix.normalize(name.replace(/^\/+/, ''));
  const isOutside = normal === '..' || normal.startsWith('../');
  return isOutside || normal === '.' ? undefined : bytesToText(normal);
}

// A link in the last place is followed by realpath, never by open. Without waiting, so that a pipe put there meanwhile does no harm.
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function openBelow(
  root: string,
  below: string,
): Promise<FileContent | { readonly refusal: string } | undefined> {
  let handle: FileHandle | undefined;
  try {
    const realRoot = await realpath(root);
    const real = await realpath(path.join(realRoot, below));
    if (!real.startsWith(realRoot.endsWith('/') ? realRoot : `${realRoot}/`))
      return { refusal: `it is a link that leads out of the script root ${root}` };
    handle = await open(real, OPEN_FLAGS);
    const stat = await handle.stat();
    if (stat.isFile()) {
      const file = new DiskFile(real, stat.size, handle);
      handle = undefined;
      return file;
    }
    return { refusal: 'it is no plain file' };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    return { refusal: error instanceof Error ? error.message : String(error) };
  } finally {
    await handle?.close();
  }
}

/** A file on the disk, open until it is closed. Its size is that of the moment when it was opened. */
class DiskFile implements FileContent {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  #isClosed = false;

  constructor(realPath: string, sizeBytes: number, handle: FileHandle) {
    this.path = realPath;
    this.sizeBytes = sizeBytes;
    this.#handle = handle;
  }

  /** Fewer bytes when the file has become shorter. */
  async read(start: number, end: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(end - start);
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, buffer.length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A read that is under way is waited for; a failure to close has nobody left to care.
    this.#handle.close().catch(() => {});
  }
}
