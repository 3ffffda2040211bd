// The seams of the spool: what receiving, the queue and delivery may ask of it. The implementation is append-only
// segments with group commit (design.md 5); tests have one in memory with the same face.

import type { Address, DsnParameters, QueueRequest } from '#hooks';
import type { MessageSource } from '#stdlib';

/** A queued message's name: the transaction's UUID and a number from 1, written `uuid:number`. */
export interface MessageId {
  readonly transaction: string;
  readonly number: number;
}

/** A message while its bytes arrive. */
export interface IncomingMessage {
  /** Takes the next bytes (the caller does not reuse the buffer). A promise means: wait before the next write. @throws SpoolError */
  write(chunk: Buffer): Promise<void> | undefined;
  /** All bytes have come. @throws SpoolError */
  finish(): Promise<ReceivedMessage>;
  /** Forget it: nothing stays behind. */
  discard(): void;
}

/** A message received whole, not yet promised to anybody. `discard` it or hand it to `commit`, once. */
export interface ReceivedMessage extends MessageSource {
  discard(): void;
}

/** What a transaction leaves in the spool: one body, one queued message for each request. */
export interface Transaction {
  readonly id: string;
  /** Unix seconds with decimals. */
  readonly ts: number;
  readonly serverId: string;
  readonly senderIp: string;
  readonly senderHelo: string;
  readonly saslUsername?: string;
  /** The staged configuration whose connection brought it (src/staging); unknown after a restart. */
  readonly stageKey?: string;
  readonly message: ReceivedMessage;
  readonly requests: readonly QueueRequest[];
  /**
   * The message that this one tells of (a report): they belong into the same folder, so that no power cut takes back that the one has
   * ended and keeps that the other has.
   */
  readonly beside?: MessageId;
  /**
   * Present for an import (control-api 4.1): what the messages bring along beside their ids. The ids may have been in the spool
   * before; one that is in it now is refused, as ever.
   */
  readonly imported?: Pick<QueuedMessage, 'retry' | 'nextTry' | 'reason'>;
}

/** Everything a queued message is, as it comes from the spool at start and goes into it. */
export interface QueuedMessage {
  readonly id: MessageId;
  readonly ts: number;
  readonly serverId: string;
  readonly senderIp: string;
  readonly senderHelo: string;
  readonly saslUsername?: string;
  /** The staged configuration whose connection brought it (src/staging); unknown after a restart. */
  readonly stageKey?: string;
  readonly sender: Address;
  readonly recipient: Address;
  readonly transportId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly jobId?: string;
  readonly tenantId?: string;
  readonly priority: 0 | 1;
  readonly quotas: readonly string[];
  readonly dsn: DsnParameters;
  readonly sizeBytes: number;
  readonly hold: boolean;
  /** Failed attempts that counted. */
  readonly retry: number;
  /** Unix seconds; 0 = now. */
  readonly nextTry: number;
  /** Why it waits or is held: the last error or a script's reason. */
  readonly reason?: string;
}

/** What may change in a queued message while it is in the spool. An empty reason, jobId or tenantId takes the old one away. */
export type MessageChange = Partial<
  Pick<
    QueuedMessage,
    | 'hold'
    | 'retry'
    | 'nextTry'
    | 'reason'
    | 'transportId'
    | 'metadata'
    | 'quotas'
    | 'jobId'
    | 'tenantId'
    | 'priority'
    | 'sender'
    | 'recipient'
  >
>;

/** The bytes to deliver, in order; each chunk at most 64 KiB or as it lies in the log. */
export interface MessageReader {
  readonly sizeBytes: number;
  chunks(): AsyncIterable<Buffer>;
  /** The whole message when it is small enough to sit in memory anyway (at most 1 MiB); saves the iterator on the hot path. */
  whole(): Promise<Buffer> | undefined;
}

/** The disk said no. `noSpace` is answered 452 4.3.1, anything else 451 4.3.0. */
export class SpoolError extends Error {
  /** The spool has said it in the log, once for all that fails in the same way: nobody needs to say it again. */
  readonly isTold: boolean;

  constructor(
    message: string,
    readonly noSpace: boolean,
    { isTold = false, ...options }: ErrorOptions & { readonly isTold?: boolean } = {},
  ) {
    super(message, options);
    this.isTold = isTold;
  }
}

/** Whether an error is the spool's and in the log already. */
export function isTold(error: unknown): boolean {
  return error instanceof SpoolError && error.isTold;
}

/** The bytes of a message are not what was received. No later try can mend it: the message waits for a person. */
export class DamagedMessageError extends SpoolError {
  constructor(message: string) {
    super(message, false);
  }
}

export interface Spool {
  /** Begins to receive a message; `beside` as in Transaction. @throws SpoolError */
  receive(beside?: MessageId): IncomingMessage;
  /** Whether a message of that size would leave the room that `spool.minfree` asks for, as far as is known. */
  hasRoomFor(sizeBytes: number): boolean;
  /**
   * Puts a transaction on disk. Resolves when body and metadata are durable (fdatasync of both logs): only then may 250 be said.
   * On rejection nothing of it is in the spool. @throws SpoolError
   */
  commit(transaction: Transaction): Promise<readonly QueuedMessage[]>;
  /** Writes a change; resolves when it is durable. */
  update(id: MessageId, change: MessageChange): Promise<void>;
  /**
   * Forgets a message that is done; resolves when a killed process cannot bring it back. A power cut can until the next write
   * is durable, as with a file that was unlinked and not flushed: the message would then be delivered again.
   */
  remove(id: MessageId): Promise<void>;
  /** The message's bytes with its edits. @throws SpoolError */
  open(id: MessageId): MessageReader;
  /** The message's bytes as they were received. @throws SpoolError */
  openOriginal(id: MessageId): MessageReader;
  /** Hands over every message found at start, some at a time. Called once, before anything else. @throws SpoolError */
  recover(found: (messages: readonly QueuedMessage[]) => void): Promise<void>;
  /**
   * False while what is done with a message (with any, without an id) could not be written down: then it should not be sent, since
   * a crash would bring it back. The spool tries by itself until it can.
   */
  isWritable(id?: MessageId): boolean;
  /** Whether `isWritable` is to be asked for each message: some are in a folder that cannot be written to, and others are not. */
  isPartlyWritable(): boolean;
  /** Flushes and closes; pending commits settle first. */
  close(): Promise<void>;
}
