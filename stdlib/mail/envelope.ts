// What a message is queued with. These records are made by `queue()` in a script (here) or by the daemon's own defaults,
// checked once, and then carried as they are through spool, queue and delivery. The room of the hooks passes them on.

import type { Mailbox } from './addresses/mailbox.js';
import type { Pieces } from './message-source.js';

/** An envelope address. The null reverse-path is `{ localPart: '', domain: '' }`. Bytes as sent, unquoted local part. */
export interface Address extends Mailbox {
  /** ESMTP parameters, upper-case keys, values as sent; `''` for a parameter without value. */
  readonly params?: Readonly<Record<string, string>>;
}

/** RFC 3461 parameters of one recipient, as `queue()` and Try's `dsn` take them. */
export interface DsnParameters {
  readonly envid?: string;
  readonly ret?: 'FULL' | 'HDRS' | '';
  /** Comma list: NEVER, or any of SUCCESS, FAILURE, DELAY. */
  readonly notify?: string;
  /** Decoded, with its `rfc822;` type. */
  readonly orcpt?: string;
}

/** One `queue()` call: one recipient, with the message as edited at that moment. */
export interface QueueRequest {
  /** Counts from 1 within the transaction. */
  readonly number: number;
  readonly sender: Address;
  readonly recipient: Address;
  readonly transportId: string;
  /** The message as edited; one whole range when untouched. */
  readonly pieces: Pieces;
  readonly metadata: Readonly<Record<string, string>>;
  readonly hold: boolean;
  readonly jobId?: string;
  readonly tenantId?: string;
  readonly priority: 0 | 1;
  readonly delaySeconds: number;
  readonly quotas: readonly string[];
  readonly dsn: DsnParameters;
}
