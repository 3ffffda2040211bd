// Several folders as one spool (`spool.path` as a list): each is a spool of its own, on a disk of its own as a rule, with all its
// messages in it when its disk is moved to another machine. A transaction goes to one of them, chosen by its id; one
// that is full or broken is passed over, and the others go on, with its new mail and with what lies in them.
//
// Each folder has a log of its own, and a power cut may take back the end of one and not of the other. So a report lies in the
// folder of its message, where the log has the end of the one before that of the other. If that folder takes no mail, the report
// lies elsewhere, and its own end waits until that of its message is durable: else the message would be back, its report gone,
// and the sender would be told twice.

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
  /** Reports, by `uuid:number`, that lie elsewhere than the message they tell of, and where that is or was. */
  readonly #apart = new Map<string, DiskSpool>();
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

  receive(beside?: MessageId): IncomingMessage {
    let failure: unknown;
    for (const spool of this.#inTurn(this.#next++, 0, this.#homeOf(beside))) {
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
    const { message, requests, id, beside } = transaction;
    const known = requests
      .map(({ number }) => this.#find({ transaction: id, number }))
      .find((spool) => spool !== undefined);
    const only = known ?? (message instanceof MessageInFile ? this.#homes.get(message) : undefined);
    const home = this.#homeOf(beside);
    const inTurn = only === undefined ? this.#inTurn(crc32(id), message.sizeBytes, home) : [only];
    for (const spool of inTurn.slice(0, -1)) {
      try {
        return await this.#commitIn(spool, transaction, home);
      } catch (error) {
        // A fault of the disk is told by the spool that has it. A message in memory is as good for the next one.
        if (!(error instanceof SpoolError && error.isTold)) throw error;
      }
    }
    return this.#commitIn(inTurn.at(-1)!, transaction, home);
  }

  update(id: MessageId, change: MessageChange): Promise<void> {
    return this.#of(id).update(id, change);
  }

  async remove(id: MessageId): Promise<void> {
    const name = this.#apart.size === 0 ? '' : messageIdToText(id);
    await this.#apart.get(name)?.flushed();
    await this.#of(id).remove(id);
    this.#apart.delete(name);
  }

  open(id: MessageId): MessageReader {
    return this.#of(id).open(id);
  }

  openOriginal(id: MessageId): MessageReader {
    return this.#of(id).openOriginal(id);
  }

  isWritable(id?: MessageId): boolean {
    if (id === undefined) return this.#spools.some((spool) => spool.isWritable());
    const home = this.#apart.size === 0 ? undefined : this.#apart.get(messageIdToText(id));
    return this.#of(id).isWritable() && home?.isWritable() !== false;
  }

  isPartlyWritable(): boolean {
    return this.isWritable() && !this.#spools.every((spool) => spool.isWritable());
  }

  async close(): Promise<void> {
    await Promise.all(this.#spools.map((spool) => spool.close()));
  }

  /**
   * All spools: `first`, then from that one on. Those that have no room, or are in trouble and try to get out of it, come last.
   */
  #inTurn(from: number, sizeBytes: number, first: DiskSpool | undefined): readonly DiskSpool[] {
    const count = this.#spools.length;
    const inTurn = this.#spools.map((_, i) => this.#spools[(from + i) % count]!);
    const spools = first === undefined ? inTurn : [first, ...inTurn.filter((spool) => spool !== first)];
    const isGood = (spool: DiskSpool) => spool.takesMail && spool.isWritable() && spool.hasRoomFor(sizeBytes);
    const good = spools.filter(isGood);
    return [...good, ...spools.filter((spool) => !good.includes(spool))];
  }

  #homeOf(beside: MessageId | undefined): DiskSpool | undefined {
    return beside === undefined ? undefined : this.#find(beside);
  }

  async #commitIn(
    spool: DiskSpool,
    transaction: Transaction,
    home: DiskSpool | undefined,
  ): Promise<readonly QueuedMessage[]> {
    const isApart = home !== undefined && home !== spool;
    const names = transaction.requests.map(({ number }) =>
      messageIdToText({ transaction: transaction.id, number }),
    );
    if (isApart) for (const name of names) this.#apart.set(name, home);
    try {
      return await spool.commit(transaction);
    } catch (error) {
      if (isApart) for (const name of names) this.#apart.delete(name);
      throw error;
    }
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
