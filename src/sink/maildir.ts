// Messages as files, one each, in a maildir: written under tmp/, then moved to new/, so that a reader never sees half a one.

import { mkdir, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';

/** A folder that takes messages. */
export class Maildir {
  readonly #folder: string;
  // Slash and colon have a meaning in maildir names.
  readonly #origin = `P${process.pid}.${hostname().replace(/[/:]/g, '_')}`;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens a maildir, making its folders where they are missing. */
  static async open(folder: string): Promise<Maildir> {
    for (const part of ['tmp', 'new', 'cur']) await mkdir(path.join(folder, part), { recursive: true });
    return new Maildir(folder);
  }

  /** Writes one message as it was received; resolves with the path of its file. */
  async write(message: Buffer, nowMs: number): Promise<string> {
    const name = `${Math.floor(nowMs / 1000)}.Q${++this.#count}${this.#origin}`;
    const unfinished = path.join(this.#folder, 'tmp', name);
    const finished = path.join(this.#folder, 'new', name);
    await writeFile(unfinished, message);
    await rename(unfinished, finished);
    return finished;
  }
}
