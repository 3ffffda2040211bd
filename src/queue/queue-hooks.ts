// The two hooks of the queue as functions. That a script is behind them is the scripting room's affair, and so is what a broken
// script means; should one of these throw all the same, the queue does what the rules say of a script error.

import type { PostdeliveryFacts, PostdeliveryOutcome, PredeliveryOutcome } from '#hooks';
import type { PolicyReport } from '../policy/pickup-policy.js';
import type { QueuedMessage } from '../spool/spool.js';

/** What postdelivery is told beside the message and the context (hooks 13). */
export interface PostdeliveryArguments extends PostdeliveryFacts {
  /** The policies that counted the attempt; absent when none was made. */
  readonly policy?: { readonly tags: readonly string[]; readonly policies: readonly PolicyReport[] };
}

/** The hooks of the queue. `context` goes from one to the other untouched. */
export interface QueueHooks {
  predelivery(message: QueuedMessage): PredeliveryOutcome | Promise<PredeliveryOutcome>;
  postdelivery(
    message: QueuedMessage,
    facts: PostdeliveryArguments,
    context: unknown,
  ): PostdeliveryOutcome | Promise<PostdeliveryOutcome>;
}
