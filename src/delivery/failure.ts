// What a delivery failure means. The client reports what happened, this file alone decides: is the message delivered,
// deferred or failed; may another address of the destination be tried; may the connection be used again.
//
// The rules, in the order they matter:
//
// 1. Unknown means temporary. Only a reply with a 5xx code, or something we know this peer can never take, is permanent.
// 2. The first digit of the reply code decides (RFC 5321 §4.2.1), in every state: 4xx defers, 5xx fails. An enhanced
//    status that contradicts its code changes nothing, it is only shown.
// 3. What is wrong on our side (configuration, spool, the name of a configured host) is temporary: a slip of ours must
//    not return other people's mail. (hooks 13 has `config` among the permanent ones; only a loop is, see next-hops/failures.ts.)
//
// Codes with a history:
//
// - 421 in any state: the server is leaving (RFC 5321 §3.8). Deferred, and the connection is not used again. On a pooled
//   connection before MAIL was accepted it only means that the connection had grown old.
// - 552 to RCPT: RFC 821 used it for too many recipients, and RFC 5321 §4.5.3.1.10 asks to read it as 452. We send one
//   recipient, so it is about the mailbox or the message and permanent, unless the enhanced status says x.5.3.
// - 5xx to EHLO: not a failure before HELO was tried (client/greeting.ts).
// - 4xx or 5xx in the greeting, 5xx to HELO: about the host, not the message (RFC 7504 gives 521 this meaning). The other
//   addresses are tried; only when each of them refuses for good does the message fail.
// - 4xx or 5xx to STARTTLS, AUTH, XCLIENT: about our credentials or the protection we want, a slip of ours or of the host's
//   administrator: deferred, whatever the code says. After 5xx to AUTH the other addresses are not tried: each try counts
//   against the account.
// - A TLS session that fails, or is not with the right peer: deferred, the other addresses are tried. Who demanded the
//   protection (security/) may say that it is permanent: a message with REQUIRETLS that no host can protect. With TLS mode
//   `optional` a handshake that fails, falls silent or is cut off is followed by one more connection without TLS; a
//   peer that spoke in plain text behind its go-ahead is not given that chance, since nothing honest does.
// - A message that one host cannot take because of what the host is (no SMTPUTF8, no REQUIRETLS, no BINARYMIME): the other
//   hosts are asked, and if none of them can it fails. Nothing is taken away from a message to make it fit.
// - A message above the limit that a host announces (SIZE): fails, and the other hosts are not asked, as with the 552 that RFC 1870
//   §6.1 has the host say to MAIL, and as Postfix does. A host of lower preference with a higher limit would pass it on to this one.
// - A proxy that cannot be reached (PROXY protocol): like a host that cannot, but the other addresses lie behind it too.
// - 503 or 554 to a pipelined DATA after a refused RCPT: an echo; the first refusal decides (client/transaction.ts).
// - 4xx or 5xx while the message is still being sent: taken as the reply to the message.
// - Any 2xx to the message is success, also 251 and codes nobody has heard of; 3xx there is a protocol error.
// - Anything to RSET and QUIT: says nothing about a message.

import type { AttemptReport } from '#hooks';
import type { Reply } from './client/reply-parser.js';
import type { SmtpState, Trouble } from './client/trouble.js';
import type { Verdict } from './deliverer.js';

/** The part of a report that says how it ended. */
export type Ending = Pick<AttemptReport, 'result' | 'error'>;

/** Decides what becomes of the message. */
export function judge(report: Ending): Verdict {
  const { result, error } = report;
  if (result !== undefined) {
    if (result.code >= 200 && result.code < 300) return result.state === 'EOD' ? 'delivered' : 'deferred';
    return result.code >= 500 &&
      result.code < 600 &&
      !isTooManyRecipients(result) &&
      !isAboutUs(result.state as SmtpState)
      ? 'failed'
      : 'deferred';
  }
  return error !== undefined && !error.temporary ? 'failed' : 'deferred';
}

function isTooManyRecipients({ code, enhanced, state }: NonNullable<AttemptReport['result']>): boolean {
  return state === 'RCPT' && code === 552 && enhanced?.[1] === 5 && enhanced[2] === 3;
}

/** Whether the peer refused who we say we are, or how we want to talk, and not the message. */
function isAboutUs(state: SmtpState): boolean {
  return state === 'STARTTLS' || state === 'XCLIENT' || isLogIn(state);
}

function isLogIn(state: SmtpState): boolean {
  return state === 'AUTH' || state.startsWith('AUTH-');
}

/** The ending of a message that was accepted; in another state, of a question that was answered well. */
export function successEnding(reply: Reply, state: SmtpState = 'EOD'): Ending {
  return { result: replyResult(reply, state) };
}

/** The ending that a trouble amounts to. */
export function troubleEnding(trouble: Trouble): Ending {
  const { state } = trouble;
  switch (trouble.kind) {
    case 'refused':
      return { result: replyResult(trouble.reply, state) };
    case 'unreachable': // no dialogue, hence no state
      return { error: { temporary: true, type: 'network', message: trouble.message } };
    case 'closed':
      return {
        error: { temporary: true, type: 'network', state, message: ambiguous(state, trouble.message) },
      };
    case 'timeout': {
      const message = `no answer in state ${state} within ${trouble.seconds} s`;
      return { error: { temporary: true, type: 'network', state, message: ambiguous(state, message) } };
    }
    case 'cancelled': {
      const message = `the attempt was given up in state ${state}`;
      return { error: { temporary: true, type: 'network', state, message: ambiguous(state, message) } };
    }
    case 'tls': {
      const { type = 'tls', temporary = true, status } = trouble.unmet ?? {};
      const told =
        temporary || status === undefined ? trouble.message : `${status.join('.')} ${trouble.message}`;
      return { error: { temporary, type, state, message: ambiguous(state, told) } };
    }
    case 'protocol':
      return {
        error: { temporary: true, type: 'protocol', state, message: ambiguous(state, trouble.message) },
      };
    case 'impossible': {
      const message = `${trouble.status.join('.')} ${trouble.message}`;
      return { error: { temporary: false, type: 'smtp', state, message } };
    }
    case 'misconfigured':
    case 'unreadable':
      return { error: { temporary: true, type: 'config', state, message: trouble.message } };
    default:
      return assertNever(trouble);
  }
}

/** An attempt that failed through a mistake of ours. */
export function unexpectedEnding(error: unknown): Ending {
  const message = error instanceof Error ? error.message : String(error);
  return { error: { temporary: true, type: 'config', message: `internal error: ${message}` } };
}

/**
 * Between the final dot and its reply the message may have been accepted. It is deferred all the same: a second copy can be
 * thrown away, a message that was never taken cannot be brought back (RFC 5321 §4.5.4.1, RFC 1047).
 */
function ambiguous(state: SmtpState, message: string): string {
  return state === 'EOD' ? `${message}; the message was sent whole and may arrive twice` : message;
}

/** Whether the destination's next address may do better: this one failed before it was asked about the message, or cannot take it. */
export function triesNextAddress(trouble: Trouble): boolean {
  if (trouble.kind === 'cancelled') return false;
  // A proxy that is not there is not there for the other addresses either.
  if (trouble.kind === 'unreachable') return trouble.isProxy !== true;
  if (trouble.kind === 'impossible') return trouble.isAboutPeer === true;
  if (isLogIn(trouble.state)) return trouble.kind !== 'misconfigured' && !isRefusedForGood(trouble);
  return isGreeting(trouble.state);
}

/** Whether it is so for all addresses of the host: it was not even connected to, for what is known of its name. */
export function isAboutHost(trouble: Trouble): boolean {
  return trouble.kind === 'tls' && trouble.cause === 'not-tried';
}

function isRefusedForGood(trouble: Trouble): boolean {
  return trouble.kind === 'refused' && trouble.reply.code >= 500;
}

function isGreeting(state: SmtpState): boolean {
  return (
    state === 'BANNER' ||
    state === 'EHLO' ||
    state === 'HELO' ||
    state === 'LHLO' ||
    state === 'STARTTLS' ||
    state === 'XCLIENT'
  );
}

/** Whether the same address is to be tried once more without TLS. `fallsBack`: the demand on the host allows it. */
export function fallsBackToPlainText(trouble: Trouble, fallsBack: boolean): boolean {
  if (!fallsBack || trouble.state !== 'STARTTLS') return false;
  return trouble.kind === 'tls' || trouble.kind === 'timeout' || trouble.kind === 'closed';
}

/** Which of two addresses' troubles to report: one that leaves hope, else the later. */
export function weightier(earlier: Trouble | undefined, later: Trouble): Trouble {
  if (earlier === undefined) return later;
  const isEarlierOnlyHope =
    judge(troubleEnding(earlier)) === 'deferred' && judge(troubleEnding(later)) === 'failed';
  return isEarlierOnlyHope ? earlier : later;
}

/**
 * Whether a reused connection had grown old without our knowing. Nothing of the message was accepted, so a fresh
 * connection takes over and no attempt is counted.
 */
export function isStale(trouble: Trouble): boolean {
  if (trouble.kind === 'cancelled') return false;
  if (trouble.state === 'RSET') return true;
  if (trouble.state !== 'MAIL') return false;
  if (trouble.kind === 'refused') return trouble.reply.code === 421;
  return trouble.kind === 'closed' || trouble.kind === 'protocol';
}

/** Whether the dialogue is still in step after a trouble, so that another transaction may follow. */
export function sparesConnection(trouble: Trouble): boolean {
  switch (trouble.kind) {
    case 'refused':
      return (
        trouble.reply.code !== 421 &&
        !isGreeting(trouble.state) &&
        !isLogIn(trouble.state) &&
        trouble.state !== 'RSET'
      );
    case 'impossible':
    case 'unreadable': // before anything was said; in the middle of a message the connection was dropped
      return true;
    default:
      return false;
  }
}

function replyResult(reply: Reply, state: SmtpState): NonNullable<AttemptReport['result']> {
  return {
    code: reply.code,
    ...(reply.enhanced === undefined ? {} : { enhanced: reply.enhanced }),
    reason: reply.lines,
    state,
  };
}

function assertNever(trouble: never): never {
  throw new Error(`unknown trouble ${JSON.stringify(trouble)}`);
}
