// What can go wrong between us and a peer, as data. The client only says what happened; what that means for the message
// is decided in ../failure.ts and nowhere else.

import type { EnhancedStatus } from '#hooks';
import type { Reply } from './reply-parser.js';

/** Where in the dialogue we are (hooks 14). DATA lasts until the final dot is sent, EOD from there to its reply. */
export type SmtpState =
  | 'BANNER'
  | 'EHLO'
  | 'HELO'
  | 'LHLO'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'EOD'
  | 'RSET'
  | 'NOOP'
  | 'QUIT';

/** Why a connection is of no more use. */
export type Breakage =
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'closed'; readonly message: string }
  | { readonly kind: 'timeout'; readonly seconds: number }
  | { readonly kind: 'protocol'; readonly message: string }
  | { readonly kind: 'cancelled' }
  /** A reply nobody asked for that says no: 421 at any time, any 4xx or 5xx while the message is being sent. */
  | { readonly kind: 'refused'; readonly reply: Reply };

/** Why a message did not go through. */
export type Trouble =
  | (Breakage & { readonly state: SmtpState })
  /** This peer cannot take this message, ever; found out before anything was sent. */
  | {
      readonly kind: 'impossible';
      readonly state: SmtpState;
      readonly status: EnhancedStatus;
      readonly message: string;
    }
  /** What configuration or script asked for cannot be said in SMTP. */
  | { readonly kind: 'misconfigured'; readonly state: SmtpState; readonly message: string }
  /** The spool did not give us the message. */
  | { readonly kind: 'unreadable'; readonly state: SmtpState; readonly message: string };

/** Seconds to wait in a state. */
export type SecondsFor = (state: SmtpState) => number;
