// The folder that messages are moved out to. It is opened once, and every file is made in that very folder, whatever happens to its
// path meanwhile: no link of somebody else's leads out of it. A file has its name only when it is whole and on disk.

import { constants, existsSync } from 'node:fs';
import { access, type FileHandle, open, realpath, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { ControlError } from '../operation.js';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY, W_OK, X_OK } = constants;

/** An open folder. */
export class UnloadFolder {
  readonly #handle: FileHandle;
  /** As it was given, for people. */
  readonly #name: string;
  /** The folder itself, by its descriptor where the system has that. */
  readonly #place: string;

  private constructor(handle: FileHandle, name: string, place: string) {
    this.#handle = handle;
    this.#name = name;
    this.#place = place;
  }

  /** Opens a folder that is there already, outside of `spools`. @throws ControlError */
  static async open(folder: string, spools: readonly string[]): Promise<UnloadFolder> {
    if (!path.isAbsolute(folder))
      throw new ControlError(`path: found ${JSON.stringify(folder)}; expected an absolute path`);
    let handle: FileHandle;
    let real: string;
    try {
      handle = await open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      real = await realpath(folder);
    } catch (error) {
      throw new ControlError(`path: ${adviceOn(folder, error as NodeJS.ErrnoException)}`);
    }
    for (const given of spools) {
      const spool = await realpath(given).catch(() => given);
      if (real === spool || real.startsWith(`${spool}${path.sep}`)) {
        await handle.close();
        throw new ControlError(`path: ${folder} is in the spool; expected another folder`);
      }
    }
    const byDescriptor = `/proc/self/fd/${handle.fd}`;
    const place = existsSync(byDescriptor) ? byDescriptor : real;
    try {
      // Told once, instead of once for every message.
      await access(place, W_OK | X_OK);
    } catch (error) {
      await handle.close();
      throw new ControlError(`path: ${adviceOn(folder, error as NodeJS.ErrnoException)}`);
    }
    return new UnloadFolder(handle, folder, place);
  }

  /** Makes a file of that name with what `write` puts into it; resolves when a power cut cannot take it away. */
  async save(name: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
    const unfinished = path.join(this.#place, `.${name}.part`);
    const file = await this.#create(unfinished).catch((error: NodeJS.ErrnoException) => {
      // Node's message ends with the path of a descriptor, which means nothing to a person.
      throw new ControlError(`no file can be made in ${this.#name}: ${error.message.split(',', 1)[0]}`);
    });
    try {
      await write(file);
      await file.datasync();
    } catch (error) {
      await file.close();
      await unlink(unfinished).catch(() => {});
      throw error;
    }
    await file.close();
    // What has the name already is the same message, moved out before a crash.
    await rename(unfinished, path.join(this.#place, name));
    await this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #create(unfinished: string): Promise<FileHandle> {
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    try {
      return await open(unfinished, flags, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // Left behind by a crash: nobody has it under its name.
      await unlink(unfinished);
      return open(unfinished, flags, 0o600);
    }
  }
}

function adviceOn(folder: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return `there is no folder ${folder}; make it first`;
    case 'ENOTDIR':
    case 'ELOOP':
      return `${folder} is no folder, or a link to one; name the folder itself`;
    case 'EACCES':
      return `the daemon's user may not write in ${folder}; give the folder to that user`;
    case 'EROFS':
      return `${folder} is on a file system that is mounted read-only`;
    default:
      return message;
  }
}
