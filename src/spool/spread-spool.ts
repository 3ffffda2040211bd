// Several folders as one spool (`spool.path` as a list): each is a spool of its own, on a disk of its own as a rule, with all its
// messages in it when its disk is moved to another machine. A transaction goes to one of them, chosen by its id; one
// that is full or broken is passed over, and the others go on.

import { crc32 } from 'node:zlib';
import { diskFiles } from './disk-files.js';
import { type DiskSpool, openSpool, type SpoolOptions } from './disk-spool.js';
import { errorCode, spoolError } from './files.js';
import { messageIdToText } from './id-table.js';
import { MessageInFile } from './incoming.js';
import type { SpoolLog } from './log.js';
import {
  type IncomingMessage,
  type MessageChange,
  type MessageId,
  type MessageReader,
  type QueuedMessage,
  type ReceivedMessage,
  type Spool,
  SpoolError,
  type Transaction,
} from './spool.js';

/** How to open one or more folders. */
export interface SpoolsOptions extends Omit<SpoolOptions, 'folder'> {
  readonly folders: readonly string[];
}

/**
 * Takes the spool folders for this process. Of several each must be there: one that is missing may be a disk that is not
 * mounted, with mail on it. Call `recover` next. @throws SpoolError
 */
export async function openSpools({ folders, ...options }: SpoolsOptions): Promise<Spool> {
  const [first, ...others] = folders;
  if (first === undefined) throw new Error('a spool needs a folder');
  if (others.length === 0) return openSpool({ ...options, folder: first });
  for (const folder of folders) await mustBeThere(folder, options);
  const spools: DiskSpool[] = [];
  try {
    for (const folder of folders) spools.push(await openSpool({ ...options, folder }));
  } catch (error) {
    for (const spool of spools) await spool.close().catch(() => {});
    throw error;
  }
  return new SpreadSpool(spools, options.log);
}

async function mustBeThere(
  folder: string,
  { files = diskFiles }: Pick<SpoolOptions, 'files'>,
): Promise<void> {
  try {
    await files.list(folder);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw spoolError('use the spool folder', folder, error);
    throw new SpoolError(
      `the spool folder ${folder} does not exist; spool.path names several, and one that is missing may hold mail: ` +
        'mount its disk, or create the folder if it is new',
      false,
      { cause: error },
    );
  }
}

/** Several spools as one. */
export class SpreadSpool implements Spool {
  readonly #spools: readonly DiskSpool[];
  readonly #log: SpoolLog;
  /** Where a message in a file of its own lies: it can be committed nowhere else. */
  readonly #homes = new WeakMap<ReceivedMessage, DiskSpool>();
  #next = 0;

  constructor(spools: readonly DiskSpool[], log: SpoolLog) {
    this.#spools = spools;
    this.#log = log;
  }

  async recover(found: (messages: readonly QueuedMessage[]) => void): Promise<void> {
    for (const [i, spool] of this.#spools.entries()) {
      const before = this.#spools.slice(0, i);
      const doubles: MessageId[] = [];
      await spool.recover((messages) => {
        const isNew = ({ id }: QueuedMessage) => !before.some((other) => other.has(id));
        for (const message of messages) if (!isNew(message)) doubles.push(message.id);
        found(doubles.length === 0 ? messages : messages.filter(isNew));
      });
      for (const id of doubles) {
        this.#log.warn(
          { id: messageIdToText(id) },
          'a message is in two spool folders: a disk that failed has kept what it refused, and another has taken it; one is left out',
        );
        await spool.remove(id);
      }
    }
  }

  receive(): IncomingMessage {
    let failure: unknown;
    for (const spool of this.#inTurn(this.#next++, 0)) {
      try {
        return this.#receiveIn(spool);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  hasRoomFor(sizeBytes: number): boolean {
    return this.#spools.some((spool) => spool.hasRoomFor(sizeBytes));
  }

  async commit(transaction: Transaction): Promise<readonly QueuedMessage[]> {
    const { message, requests, id } = transaction;
    const known = requests
      .map(({ number }) => this.#find({ transaction: id, number }))
      .find((spool) => spool !== undefined);
    const only = known ?? (message instanceof MessageInFile ? this.#homes.get(message) : undefined);
    if (only !== undefined) return only.commit(transaction);
    const inTurn = this.#inTurn(crc32(id), message.sizeBytes);
    for (const spool of inTurn.slice(0, -1)) {
      try {
        return await spool.commit(transaction);
      } catch (error) {
        // A fault of the disk is told by the spool that has it. A message in memory is as good for the next one.
        if (!(error instanceof SpoolError && error.isTold)) throw error;
      }
    }
    return inTurn.at(-1)!.commit(transaction);
  }

  update(id: MessageId, change: MessageChange): Promise<void> {
    return this.#of(id).update(id, change);
  }

  remove(id: MessageId): Promise<void> {
    return this.#of(id).remove(id);
  }

  open(id: MessageId): MessageReader {
    return this.#of(id).open(id);
  }

  openOriginal(id: MessageId): MessageReader {
    return this.#of(id).openOriginal(id);
  }

  isWritable(id?: MessageId): boolean {
    return id === undefined ? this.#spools.some((spool) => spool.isWritable()) : this.#of(id).isWritable();
  }

  async close(): Promise<void> {
    await Promise.all(this.#spools.map((spool) => spool.close()));
  }

  /** All spools from that one on; those that have no room, or are in trouble and try to get out of it, come last. */
  #inTurn(from: number, sizeBytes: number): readonly DiskSpool[] {
    const count = this.#spools.length;
    const spools = this.#spools.map((_, i) => this.#spools[(from + i) % count]!);
    const good = spools.filter((spool) => spool.takesMail && spool.hasRoomFor(sizeBytes));
    return [...good, ...spools.filter((spool) => !good.includes(spool))];
  }

  #receiveIn(spool: DiskSpool): IncomingMessage {
    const incoming = spool.receive();
    return {
      write: (chunk) => incoming.write(chunk),
      finish: async () => {
        const message = await incoming.finish();
        this.#homes.set(message, spool);
        return message;
      },
      discard: () => incoming.discard(),
    };
  }

  #find(id: MessageId): DiskSpool | undefined {
    return this.#spools.find((spool) => spool.has(id));
  }

  /** One that does not have it says so as well as any. */
  #of(id: MessageId): DiskSpool {
    return this.#find(id) ?? this.#spools[0]!;
  }
}
