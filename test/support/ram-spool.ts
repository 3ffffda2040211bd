// A spool in memory with the face of the real one: what receiving and the queue are tested against. It can be told to
// fail or to be slow, at the places where a disk would.

import { piecesSize } from '#stdlib';
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
} from '../../src/spool/spool.js';

/** A message at rest: what recovery would find, and its bytes. */
interface Kept {
  message: QueuedMessage;
  readonly bytes: Buffer;
  /** As received. */
  readonly original: Buffer;
}

export class RamSpool implements Spool {
  /** Committed transactions in order, with the bytes of every queued copy. */
  readonly committed: { readonly transaction: Transaction; readonly copies: readonly Buffer[] }[] = [];
  /** Messages received or being received, neither committed nor discarded: 0 when nothing is under way. */
  underWay = 0;
  /** Bytes written so far, of all messages. */
  writtenBytes = 0;
  /** What there is room for. */
  roomBytes = Number.POSITIVE_INFINITY;
  failOnReceive: SpoolError | undefined;
  failOnWrite: SpoolError | undefined;
  failOnCommit: SpoolError | undefined;
  /** When set, every write asks to wait for it. */
  slowWrite: Promise<void> | undefined;
  /** When set, commits wait for it. */
  slowCommit: Promise<void> | undefined;
  readonly #kept = new Map<string, Kept>();

  receive(): IncomingMessage {
    if (this.failOnReceive !== undefined) throw this.failOnReceive;
    const chunks: Buffer[] = [];
    this.underWay++;
    let isOpen = true;
    const close = () => {
      if (isOpen) this.underWay--;
      isOpen = false;
    };
    return {
      write: (chunk) => {
        if (!isOpen) throw new Error('written to after its end');
        if (this.failOnWrite !== undefined) return Promise.reject(this.failOnWrite);
        chunks.push(chunk);
        this.writtenBytes += chunk.length;
        return this.slowWrite;
      },
      finish: async () => {
        if (!isOpen) throw new Error('finished after its end');
        return this.#received(Buffer.concat(chunks), close);
      },
      discard: close,
    };
  }

  hasRoomFor(sizeBytes: number): boolean {
    return sizeBytes <= this.roomBytes;
  }

  #received(bytes: Buffer, close: () => void): ReceivedMessage {
    return {
      sizeBytes: bytes.length,
      head: bytes,
      isComplete: true,
      read: async (start, end) => bytes.subarray(start, end),
      discard: close,
    };
  }

  async commit(transaction: Transaction): Promise<readonly QueuedMessage[]> {
    await this.slowCommit;
    transaction.message.discard();
    if (this.failOnCommit !== undefined) throw this.failOnCommit;
    const copies = transaction.requests.map(({ pieces }) =>
      Buffer.concat(
        pieces.map((piece) =>
          piece.kind === 'bytes' ? piece.bytes : transaction.message.head.subarray(piece.start, piece.end),
        ),
      ),
    );
    this.committed.push({ transaction, copies });
    return transaction.requests.map((request, index) => {
      const { pieces, number, delaySeconds, ...rest } = request;
      const message: QueuedMessage = {
        ...rest,
        id: { transaction: transaction.id, number },
        ts: transaction.ts,
        serverId: transaction.serverId,
        senderIp: transaction.senderIp,
        senderHelo: transaction.senderHelo,
        ...(transaction.stageKey === undefined ? undefined : { stageKey: transaction.stageKey }),
        sizeBytes: piecesSize(pieces),
        retry: 0,
        nextTry: delaySeconds === 0 ? 0 : transaction.ts + delaySeconds,
      };
      const original = transaction.message.head;
      this.#kept.set(keyOf(message.id), { message, bytes: copies[index]!, original });
      return message;
    });
  }

  isPartlyWritable(): boolean {
    return false;
  }

  isWritable(): boolean {
    return true;
  }

  async update(id: MessageId, change: MessageChange): Promise<void> {
    const kept = this.#kept.get(keyOf(id));
    if (kept !== undefined) kept.message = { ...kept.message, ...change };
  }

  async remove(id: MessageId): Promise<void> {
    this.#kept.delete(keyOf(id));
  }

  open(id: MessageId): MessageReader {
    return readerOf(this.#mustHave(id).bytes);
  }

  openOriginal(id: MessageId): MessageReader {
    return readerOf(this.#mustHave(id).original);
  }

  #mustHave(id: MessageId): Kept {
    const kept = this.#kept.get(keyOf(id));
    if (kept === undefined) throw new SpoolError(`there is no message ${keyOf(id)}`, false);
    return kept;
  }

  async recover(found: (messages: readonly QueuedMessage[]) => void): Promise<void> {
    found([...this.#kept.values()].map(({ message }) => message));
  }

  async close(): Promise<void> {}
}

function keyOf({ transaction, number }: MessageId): string {
  return `${transaction}:${number}`;
}

function readerOf(bytes: Buffer): MessageReader {
  return {
    sizeBytes: bytes.length,
    async *chunks() {
      yield bytes;
    },
    whole: async () => bytes,
  };
}
