// What can go wrong between us and a peer, as data. The client only says what happened; what that means for the message
// is decided in ../failure.ts and nowhere else.

import type { EnhancedStatus } from '#hooks';
import type { SmtpState } from '#stdlib';
import type { UnmetDemand } from '../security/demand.js';
import type { Reply } from './reply-parser.js';

export type { SmtpState } from '#stdlib';

/**
 * Why there is no session protected as it should be: the host is not to be talked to at all, no STARTTLS, a handshake that
 * failed, a certificate that is no good.
 */
export type TlsCause = 'not-tried' | 'not-offered' | 'handshake' | 'unverified';

/** Why a connection is of no more use. */
export type Breakage =
  | { readonly kind: 'unreachable'; readonly message: string; readonly isProxy?: boolean }
  | { readonly kind: 'closed'; readonly message: string }
  | { readonly kind: 'timeout'; readonly seconds: number }
  | { readonly kind: 'protocol'; readonly message: string }
  | { readonly kind: 'cancelled' }
  /** What configuration or script asked for cannot be said in SMTP, or makes no sense. */
  | { readonly kind: 'misconfigured'; readonly message: string }
  | {
      readonly kind: 'tls';
      readonly cause: TlsCause;
      readonly message: string;
      /** What it means where more than an ordinary TLS mode asked for the protection. */
      readonly unmet?: UnmetDemand;
    }
  /** A reply nobody asked for that says no: 421 at any time, any 4xx or 5xx while the message is being sent. */
  | { readonly kind: 'refused'; readonly reply: Reply };

/** Why a message did not go through. `recipientIndex`: of several recipients, the one it is about. */
export type Trouble = { readonly state: SmtpState; readonly recipientIndex?: number } & (
  | Breakage
  /** This peer cannot take this message, ever; found out before anything was sent. `isAboutPeer`: another perhaps can. */
  | {
      readonly kind: 'impossible';
      readonly status: EnhancedStatus;
      readonly message: string;
      readonly isAboutPeer?: boolean;
    }
  /** The spool did not give us the message. */
  | { readonly kind: 'unreadable'; readonly message: string }
);

/** Seconds to wait in a state. */
export type SecondsFor = (state: SmtpState) => number;
