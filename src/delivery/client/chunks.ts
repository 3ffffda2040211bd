// A message in chunks (RFC 3030), instead of DATA. When: the peer offers CHUNKING, and the message is large or binary. A large
// one is worth it because every chunk is answered: a peer that does not want the message says so after half a mebibyte and not
// after all of it, and the connection is still good then. For a small one DATA is as fast, and better tested by the world.
//
// Rules kept:
//
// - No chunk is sent before every recipient was accepted: a peer that refuses the envelope gets no bytes to throw away, and
//   what it says to BDAT cannot be taken for what it says of the recipient.
// - The last chunk is sent only when all before it were accepted. Until then nothing can be taken for a whole message.
// - A chunk that was announced is sent whole. The first refusal is the answer to the message; the replies to chunks already on
//   their way are read and mean nothing, and RSET follows before anything else (RFC 3030 §2).

import type { Connection } from './connection.js';
import { DotStuffer } from './dot-stuffing.js';
import { positive } from './greeting.js';
import { isBinary, type Parcel, unreadable } from './parcel.js';
import type { Reply } from './reply-parser.js';
import type { SecondsFor, Trouble } from './trouble.js';

const LARGE_BYTES = 256 * 1024;
const CHUNK_BYTES = 512 * 1024;
/** Chunks on their way at once to a peer with PIPELINING. */
const MOST_UNANSWERED = 2;
/** RFC 5321 §4.5.3.2.5, for a block of the message. */
const BLOCK_SECONDS = 180;

/** Whether the message goes to this peer in chunks. */
export function goesInChunks(parcel: Parcel, connection: Connection): boolean {
  if (!connection.capabilities.chunking) return false;
  return parcel.message.sizeBytes >= LARGE_BYTES || isBinary(parcel);
}

/** Sends all chunks, the last as well. What follows are the replies to the message; a trouble means there will be none. */
export async function sendChunks(
  connection: Connection,
  parcel: Parcel,
  replies: number,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const sender = new ChunkSender(connection, secondsFor);
  // Line ends are put right as for DATA; the bytes of a binary message are nobody's lines.
  const lines = isBinary(parcel) ? undefined : new DotStuffer(false);
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  try {
    for await (const piece of piecesOf(parcel)) {
      const bytes = lines === undefined ? piece : lines.push(piece);
      if (gatheredBytes > 0 && gatheredBytes + bytes.length > CHUNK_BYTES) {
        const trouble = await sender.send(Buffer.concat(gathered, gatheredBytes));
        if (trouble !== undefined) return trouble;
        gathered = [];
        gatheredBytes = 0;
      }
      gathered.push(bytes);
      gatheredBytes += bytes.length;
    }
  } catch (error) {
    connection.drop();
    return unreadable(error instanceof Error ? error.message : String(error));
  }
  if (lines !== undefined) gathered.push(lines.lastLineEnd());
  const trouble = await sender.sendLast(Buffer.concat(gathered), replies);
  if (trouble === undefined) parcel.whole = undefined;
  return trouble;
}

async function* piecesOf({ whole, message }: Parcel): AsyncGenerator<Buffer> {
  if (whole !== undefined) {
    for (let start = 0; start < whole.length; start += CHUNK_BYTES)
      yield whole.subarray(start, start + CHUNK_BYTES);
    return;
  }
  let readBytes = 0;
  for await (const chunk of message.chunks()) {
    readBytes += chunk.length;
    yield chunk;
  }
  if (readBytes !== message.sizeBytes)
    throw new Error(`the spool gave ${readBytes} of ${message.sizeBytes} bytes`);
}

/** Says BDAT and counts the answers. */
class ChunkSender {
  readonly #connection: Connection;
  readonly #seconds: number;
  readonly #mostUnanswered: number;
  #unanswered = 0;

  constructor(connection: Connection, secondsFor: SecondsFor) {
    this.#connection = connection;
    this.#seconds = Math.max(BLOCK_SECONDS, secondsFor('DATA'));
    this.#mostUnanswered = connection.capabilities.pipelining ? MOST_UNANSWERED : 1;
  }

  /** One that is not the last. */
  async send(chunk: Buffer): Promise<Trouble | undefined> {
    this.#connection.sendChunk(`BDAT ${chunk.length}\r\n`, chunk, 1);
    this.#unanswered++;
    return (
      (await this.#connection.writable('DATA', this.#seconds)) ??
      (await this.#answered(this.#mostUnanswered - 1))
    );
  }

  async sendLast(chunk: Buffer, replies: number): Promise<Trouble | undefined> {
    // Of a connection that broke before, nothing is sent, and nobody need fear that the message arrives twice.
    const trouble = (await this.#answered(0)) ?? this.#connection.trouble('DATA');
    if (trouble === undefined) this.#connection.sendChunk(`BDAT ${chunk.length} LAST\r\n`, chunk, replies);
    return trouble;
  }

  /** Waits until no more than so many chunks are without an answer. */
  async #answered(most: number): Promise<Trouble | undefined> {
    while (this.#unanswered > most) {
      const answer = await this.#next();
      if (!('kind' in answer)) continue;
      // In step again before the next command; what is said to these chunks decides nothing.
      while (answer.kind === 'refused' && this.#unanswered > 0 && !this.#connection.isBroken)
        await this.#next();
      // A refusal in mid-message is the answer to the message, only early.
      return answer.kind === 'refused' ? { ...answer, state: 'EOD' } : answer;
    }
    return undefined;
  }

  async #next(): Promise<Reply | Trouble> {
    const answer = positive('DATA', await this.#connection.reply('DATA', this.#seconds));
    this.#unanswered--;
    // Whoever answers a chunk with 3xx speaks something else.
    if ('kind' in answer && answer.kind === 'protocol') this.#connection.drop();
    return answer;
  }
}
