// A message on its way from the connection into its reception, however it comes:
//
//   DATA           all bytes up to the final dot
//   BDAT n         n bytes, answered at once; BDAT n LAST: n bytes, and the message is whole (RFC 3030)
//   refused BDAT   n bytes that are read and thrown away, so that the next command is found
//
// A chunk that is refused refuses the message: every further one gets the same reply, whatever is pipelined, until RSET or
// LAST.

import { ChunkReader } from './chunk-reader.js';
import type { MessageReader } from './message-reader.js';
import type { MessageReception } from './reception.js';
import { replies } from './replies.js';
import { closing, Reply, reply } from './reply.js';

/** What BDAT says. */
export interface ChunkRequest {
  readonly sizeBytes: number;
  readonly isLast: boolean;
  /** Why the chunk is not taken. */
  readonly refusal?: Reply | undefined;
  /** And with it the message, although this may be its first. */
  readonly refusesMessage?: boolean;
}

/** The argument of BDAT; undefined when it is none. */
export function readChunk(argument: string): ChunkRequest | undefined {
  const match = /^ *([0-9]{1,20})(?: +(LAST))? *$/i.exec(argument);
  return match === null ? undefined : { sizeBytes: Number(match[1]), isLast: match[2] !== undefined };
}

/**
 * A chunk that is to be read and thrown away, as its bytes are on their way already (RFC 3030 §2); or the last reply, where
 * that would be too many.
 */
export function refusedChunk(chunk: ChunkRequest, refusal: Reply, mostBytes: number): ChunkRequest | Reply {
  return chunk.sizeBytes <= mostBytes ? { ...chunk, refusal } : closing(refusal);
}

/** What the bytes fed led to; `rest` are bytes behind the end. */
export type InputStep =
  | { readonly kind: 'more' }
  /** The chunk is answered, the message goes on. */
  | { readonly kind: 'chunk'; readonly reply: Reply; readonly rest: Buffer }
  /** The message is whole. */
  | { readonly kind: 'whole'; readonly reception: MessageReception; readonly rest: Buffer }
  /** The chunk was thrown away. */
  | { readonly kind: 'refused'; readonly reply: Reply; readonly isLast: boolean; readonly rest: Buffer };

/** Opens a reception, or says why none can be. */
export type OpenReception = (reader: MessageReader) => MessageReception | Reply;

const more: InputStep = { kind: 'more' };
const nothing = Buffer.alloc(0);

/** The input of one transaction's message. */
export class MessageInput {
  #reception: MessageReception | undefined;
  readonly #chunks: ChunkReader | undefined;
  readonly #mostBytes: number;
  #chunk: ChunkRequest | undefined;
  /** Bytes of this chunk still to come. */
  #left = 0;
  /** Of all chunks. */
  #bytes = 0;
  /** Why the message's chunks are thrown away. */
  #refusal: Reply | undefined;
  #isReading = false;

  private constructor(reception: MessageReception | undefined, chunks?: ChunkReader, mostBytes = 0) {
    this.#reception = reception;
    this.#chunks = chunks;
    this.#mostBytes = mostBytes;
  }

  /** A message after DATA. */
  static ofData(reception: MessageReception): MessageInput {
    const input = new MessageInput(reception);
    input.#isReading = true;
    return input;
  }

  /** A message in chunks, of at most so many bytes; 0 = no limit. */
  static ofChunks(open: OpenReception, mostBytes: number): MessageInput {
    const reader = new ChunkReader();
    const opened = open(reader);
    const input = new MessageInput(opened instanceof Reply ? undefined : opened, reader, mostBytes);
    if (opened instanceof Reply) input.#refusal = opened;
    return input;
  }

  /** A chunk that belongs to no message. */
  static ofNothing(): MessageInput {
    return new MessageInput(undefined);
  }

  /** Whether what comes belongs to the message. Between two chunks it does not. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Whether this is a message at all. */
  get isMessage(): boolean {
    return this.#reception !== undefined || this.#chunks !== undefined;
  }

  /** Settles when the spool can take more; undefined when it can now. */
  get storing(): Promise<void> | undefined {
    return this.#reception?.storing;
  }

  /** A chunk follows. */
  expect(chunk: ChunkRequest): void {
    this.#bytes += chunk.sizeBytes;
    this.#refusal ??= chunk.refusal;
    if (this.#mostBytes > 0 && this.#bytes > this.#mostBytes) this.#refusal ??= replies.tooBig;
    this.#chunk = { ...chunk, refusal: this.#refusal };
    this.#left = chunk.sizeBytes;
    this.#isReading = true;
    if (this.#refusal === undefined) this.#chunks?.expect(chunk.sizeBytes);
    else this.giveUp('a chunk was refused');
  }

  /** Takes what came; undefined when nothing has. */
  feed(bytes: Buffer | undefined): InputStep | undefined {
    const chunk = this.#chunk;
    if (bytes === undefined && (chunk === undefined || this.#left > 0)) return undefined;
    const came = bytes ?? nothing;
    if (chunk === undefined) return this.#feedData(this.#reception!, came);
    return chunk.refusal === undefined
      ? this.#feedChunk(this.#reception!, chunk, came)
      : this.#skip(chunk, chunk.refusal, came);
  }

  /** The session or the transaction is over. */
  giveUp(reason: string): void {
    this.#reception?.giveUp(reason);
    this.#reception = undefined;
  }

  #feedData(reception: MessageReception, bytes: Buffer): InputStep {
    if (!reception.feed(bytes)) return more;
    this.#isReading = false;
    return { kind: 'whole', reception, rest: reception.rest };
  }

  #feedChunk(reception: MessageReception, { sizeBytes, isLast }: ChunkRequest, bytes: Buffer): InputStep {
    this.#left -= Math.min(this.#left, bytes.length);
    if (!reception.feed(bytes)) return more;
    this.#isReading = false;
    const { rest, refusal } = reception;
    if (isLast) return { kind: 'whole', reception, rest };
    if (refusal !== undefined) {
      this.#refusal = refusal;
      this.giveUp('a chunk was refused');
      return { kind: 'refused', reply: refusal, isLast, rest };
    }
    return { kind: 'chunk', reply: reply(250, [2, 0, 0], `${sizeBytes} octets received`), rest };
  }

  #skip({ isLast }: ChunkRequest, refusal: Reply, bytes: Buffer): InputStep {
    const skipped = Math.min(this.#left, bytes.length);
    this.#left -= skipped;
    if (this.#left > 0) return more;
    this.#isReading = false;
    return { kind: 'refused', reply: refusal, isLast, rest: bytes.subarray(skipped) };
  }
}
