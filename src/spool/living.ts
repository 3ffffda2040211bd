// Reads the records of what lives: for the start, which hands every message to the queue, and for a snapshot, which writes them
// anew. The tables say which messages live and in which file their record stands.

import type { SpoolFiles } from './files.js';
import { RecordKind } from './format.js';
import {
  changedDetails,
  type MetaHeader,
  payloadToHead,
  payloadToRest,
  type ReadHead,
  toQueuedMessage,
  uuidOf,
} from './records.js';
import { scan } from './scan.js';
import { unpacked } from './snapshot-file.js';
import type { QueuedMessage } from './spool.js';
import { readHeader, type SpoolEntry } from './survey.js';
import type { StoredMessages } from './tables.js';

/** How much is read at once: finding its records takes about a millisecond. */
const WINDOW_BYTES = 256 * 1024;
/** Transactions in one go. */
const SLICE = 100;

/** A transaction of which something lives. */
export interface LivingTransaction {
  readonly payload: Buffer;
  readonly head: ReadHead;
  /** For each message of the head its slot, or -1 when it does not live. */
  readonly slots: readonly number[];
}

/** Files that are read: those of the metadata log that nothing is added to. */
export type LivingSource = Pick<SpoolEntry, 'number' | 'path' | 'sizeBytes'>;

/**
 * Goes through the living transactions of files, a few at a time. `use` is called for each at once: between two steps messages
 * may die, and others get their slots. Every message comes once. What cannot be read is passed over. @throws SpoolError
 */
export async function* livingTransactions<T>(
  files: SpoolFiles,
  sources: readonly LivingSource[],
  messages: StoredMessages,
  use: (transaction: LivingTransaction) => T,
): AsyncGenerator<readonly T[]> {
  const seen = new Uint8Array(messages.top);
  for (const source of sources) {
    yield* payloadSlices(files, source, (payload) => {
      const head = payloadToHead(payload);
      let count = 0;
      const slots = head.messages.map(({ n }) => {
        const slot = messages.findWords(head.uuid, n);
        const isThis =
          slot >= 0 &&
          messages.home(slot) === source.number &&
          messages.imported(slot) === head.imported &&
          seen[slot] !== 1;
        if (!isThis) return -1;
        seen[slot] = 1;
        count++;
        return slot;
      });
      return count === 0 ? undefined : use({ payload, head, slots });
    });
  }
}

/** The messages of files, as they are now. */
export async function* livingMessages(
  files: SpoolFiles,
  sources: readonly LivingSource[],
  messages: StoredMessages,
): AsyncGenerator<readonly QueuedMessage[]> {
  const use = (transaction: LivingTransaction) => toMessages(transaction, messages);
  for await (const found of livingTransactions(files, sources, messages, use)) yield found.flat();
}

function toMessages({ payload, head, slots }: LivingTransaction, messages: StoredMessages): QueuedMessage[] {
  const { common, details } = payloadToRest(payload, head);
  const id = uuidOf(head);
  const found: QueuedMessage[] = [];
  for (const [i, slot] of slots.entries()) {
    if (slot < 0) continue;
    const rare = messages.rareOf(slot);
    const now = rare === undefined ? details[i]! : changedDetails(details[i]!, rare);
    found.push(toQueuedMessage(id, common, messages.headOf(slot, head.messages[i]!.n, 0), now));
  }
  return found;
}

/** Calls `take` for each transaction of a file and yields what it gave, in slices. */
async function* payloadSlices<T>(
  files: SpoolFiles,
  source: LivingSource,
  take: (payload: Buffer) => T | undefined,
): AsyncGenerator<readonly T[]> {
  const file = await files.open(source.path, 'read');
  try {
    const read = await readHeader<MetaHeader>(file, source, ['meta', 'snapshot']);
    if (read === undefined) throw new Error(`the header of ${source.path} cannot be read`);
    let slice: T[] = [];
    let count = 0;
    for await (const step of scan(file, read.start, source.sizeBytes, read.header.salt, WINDOW_BYTES)) {
      if (step.kind === 'bad') continue;
      for (const record of step.records) {
        const isTransaction = record.kind === RecordKind.Transaction;
        if (!isTransaction && record.kind !== RecordKind.Transactions) continue;
        for (const payload of isTransaction ? [record.payload] : unpacked(record.payload)) {
          const taken = take(payload);
          if (taken !== undefined) slice.push(taken);
          if (++count % SLICE !== 0) continue;
          yield slice;
          slice = [];
        }
      }
    }
    if (slice.length > 0) yield slice;
  } finally {
    await file.close().catch(() => {});
  }
}
