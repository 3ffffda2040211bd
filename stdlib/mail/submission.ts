// Queueing a message that did not come in by SMTP: MIME()->queue(), MailMessage->queue() outside eod.

import type { QueueRequest } from './envelope.js';
import type { MessageSource } from './message-source.js';

/** What `queue()` returns to the script: both parts of the queued message's id. */
export interface SubmittedId {
  readonly transaction: string;
  readonly queue: number;
}

export interface Submission {
  /**
   * Puts the message on disk and into the queue. `request.pieces` are of `source`.
   * @returns its id once it is durable; a sentence when it cannot be taken now
   */
  submit(source: MessageSource, request: QueueRequest): Promise<SubmittedId | { readonly problem: string }>;
}
