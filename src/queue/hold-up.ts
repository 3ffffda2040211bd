// Why a message is where it is: what an operator asks when mail does not move (`argonite queue explain`).

import type { ObstacleFacts } from '../policy/counter.js';

/** What keeps a message. Times are Unix seconds. */
export type HoldUp =
  /** Nobody but an operator lets it go. */
  | { readonly kind: 'held' }
  /** Its time has not come. */
  | { readonly kind: 'deferred'; readonly until: number }
  /** Its time has come; so many are before the predelivery hook. */
  | { readonly kind: 'due'; readonly waiting: number }
  /** The predelivery hook has it, or its next hop is being looked up. */
  | { readonly kind: 'preparing' }
  /** A policy holds it back. */
  | { readonly kind: 'policy'; readonly obstacle: ObstacleFacts | undefined }
  /** All attempts that may be made at once are being made. */
  | { readonly kind: 'concurrency'; readonly limit: number }
  /** It is picked up as soon as it is its turn. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'sending'; readonly since: number }
  /** The postdelivery hook has it, or its end is being written. */
  | { readonly kind: 'finishing' }
  /** An operator's change is being written. */
  | { readonly kind: 'updating' };
