// m, QueueMessage: the bytes of a message, a piece of them at a time.

import { type MessageId, type Spool, SpoolError } from '../../spool/spool.js';
import { ControlError, type Operation } from '../operation.js';

/** The largest piece. */
const LONGEST_PIECE = 1024 * 1024;

/** An id as requests have it. */
export interface GivenId {
  readonly transaction?: string;
  readonly queue?: number;
}

/** `QueueMessageRequest`. */
interface QueueMessageRequest {
  readonly id?: GivenId;
  readonly offset?: number;
  readonly length?: number;
}

/** Reads messages. */
export function queueMessage(spool: Pick<Spool, 'open'>): Operation<QueueMessageRequest> {
  return {
    async run({ id, offset = 0, length = LONGEST_PIECE }) {
      const end = offset + Math.min(length, LONGEST_PIECE);
      try {
        const reader = spool.open(readId(id));
        const pieces: Buffer[] = [];
        let at = 0;
        for await (const chunk of reader.chunks()) {
          if (at + chunk.length > offset)
            pieces.push(chunk.subarray(Math.max(0, offset - at), Math.max(0, end - at)));
          at += chunk.length;
          if (at >= end) break;
        }
        return { size: reader.sizeBytes, data: Buffer.concat(pieces) };
      } catch (error) {
        if (error instanceof SpoolError) throw new ControlError(error.message);
        throw error;
      }
    },
  };
}

/** The id of a message. @throws ControlError */
export function readId(id: GivenId | undefined): MessageId {
  const { transaction = '', queue = 0 } = id ?? {};
  if (transaction === '' || queue === 0) throw new ControlError('id: expected "transaction" and "queue"');
  return { transaction: transaction.toLowerCase(), number: queue };
}
