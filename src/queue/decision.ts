// What becomes of a message after an attempt, or when it ends without one: first what would happen by default, which
// postdelivery is told, then what its answer makes of it. Pure: the queue carries decisions out.
//
// One rule is for the time being: DSNs cannot be made yet. A message whose sender would have to be told, or that would be deleted
// only because its transport has no way to tell, goes on hold with its reason. No accepted mail disappears for want of a feature.

import type { AttemptReport, DefaultAction, PostdeliveryOutcome, QueueOptions } from '#hooks';
import type { Transport, Verdict } from '../delivery/deliverer.js';
import type { MessageChange, QueuedMessage } from '../spool/spool.js';
import type { Diagnostic } from './queue-hooks.js';
import { isExpired, retryInterval } from './retry-table.js';

/** Why a failure is not told to the sender. */
export type Silence = 'script' | 'null-sender' | 'notify' | 'no-dsn-transport';

/** What happens unless the script decides otherwise. */
export interface Expectation {
  readonly expired: boolean;
  /** Absent after a success. */
  readonly action?: DefaultAction;
  /** Why the action is DELETE. */
  readonly silence?: Silence;
}

/** What the queue does with a message. */
export type Decision =
  | { readonly kind: 'done'; readonly how: 'delivered' | 'deleted'; readonly reason: string }
  | { readonly kind: 'defer'; readonly change: MessageChange & { readonly nextTry: number } }
  | {
      readonly kind: 'hold';
      readonly change: MessageChange & { readonly hold: true };
      /** Nobody asked for it: an operator must hear of it. */
      readonly isLoud: boolean;
    };

/** The transport a message has, or nothing when the configuration no longer knows it. */
type KnownTransport = Transport | undefined;

/** The default after an attempt or a failed look-up. */
export function expectationAfter(
  verdict: Verdict,
  message: QueuedMessage,
  transport: Transport,
  now: number,
): Expectation {
  if (verdict === 'delivered') return { expired: false };
  if (verdict === 'failed') return { expired: false, ...failureAction(message, transport) };
  return isExpired(transport, message.retry, now - message.ts)
    ? { expired: true, ...failureAction(message, transport) }
    : { expired: false, action: 'QUEUE' };
}

/** The default when predelivery ended the message. */
export function expectationOfEnd(kind: 'Bounce' | 'Delete'): Expectation {
  return kind === 'Bounce'
    ? { expired: false, action: 'BOUNCE' }
    : { expired: false, action: 'DELETE', silence: 'script' };
}

function failureAction(
  message: QueuedMessage,
  transport: KnownTransport,
): { readonly action: 'BOUNCE' } | { readonly action: 'DELETE'; readonly silence: Silence } {
  const silence = silenceOf(message, transport);
  return silence === undefined ? { action: 'BOUNCE' } : { action: 'DELETE', silence };
}

function silenceOf(message: QueuedMessage, transport: KnownTransport): Silence | undefined {
  if (message.sender.localPart === '' && message.sender.domain === '') return 'null-sender';
  if (!wantsFailures(message.dsn.notify)) return 'notify';
  return transport?.dsnTransportId === undefined ? 'no-dsn-transport' : undefined;
}

/** RFC 3461 §4.1: without NOTIFY failures are told; with it only when FAILURE is listed. */
function wantsFailures(notify: string | undefined): boolean {
  if (notify === undefined || notify === '') return true;
  return notify
    .toUpperCase()
    .split(',')
    .some((word) => word.trim() === 'FAILURE');
}

/** What is done after postdelivery has answered. */
export function decide(
  outcome: PostdeliveryOutcome,
  expectation: Expectation,
  message: QueuedMessage,
  transport: KnownTransport,
  reason: string,
  now: number,
): Decision {
  // After a success there is nothing left to decide; the actions themselves raise an error in the script.
  if (expectation.action === undefined) return { kind: 'done', how: 'delivered', reason };
  switch (outcome.kind) {
    case 'Queue':
      return decideQueue(outcome.options, message, transport, reason, now);
    case 'Delete':
      return { kind: 'done', how: 'deleted', reason };
    case 'Bounce':
      return decideFailure(silenceOf(message, transport), reason);
    case 'Default':
      if (expectation.action === 'QUEUE') return decideRetry(message, transport, reason, now);
      // The script's Bounce in predelivery is as explicit as one here: who must not be told is looked up now.
      return decideFailure(expectation.silence ?? silenceOf(message, transport), reason);
    default:
      return assertNever(outcome);
  }
}

/** What `Queue()` asks for, in either hook. */
export function decideQueue(
  options: QueueOptions,
  message: QueuedMessage,
  transport: KnownTransport,
  reason: string,
  now: number,
): Decision {
  const change: MessageChange = {
    retry: options.resetRetry ? 0 : message.retry + (options.incrementRetry ? 1 : 0),
    reason: options.reason ?? reason,
    ...(options.transportId === undefined ? undefined : { transportId: options.transportId }),
    ...(options.quotas === undefined ? undefined : { quotas: options.quotas }),
  };
  if (options.hold) return { kind: 'hold', change: { ...change, hold: true, nextTry: 0 }, isLoud: false };
  const delay = options.delaySeconds ?? retryInterval(transport, message.retry);
  return { kind: 'defer', change: { ...change, nextTry: now + delay } };
}

function decideRetry(
  message: QueuedMessage,
  transport: KnownTransport,
  reason: string,
  now: number,
): Decision {
  const nextTry = now + retryInterval(transport, message.retry);
  return { kind: 'defer', change: { retry: message.retry + 1, nextTry, reason } };
}

function decideFailure(silence: Silence | undefined, reason: string): Decision {
  switch (silence) {
    case 'script':
    case 'null-sender':
    case 'notify':
      return { kind: 'done', how: 'deleted', reason };
    case 'no-dsn-transport':
      return heldForWantOfDsn(
        `${reason} (not deleted: the transport has no dsn.transport to tell the sender by)`,
      );
    case undefined:
      return heldForWantOfDsn(`${reason} (not bounced: DSNs cannot be made yet)`);
    default:
      return assertNever(silence);
  }
}

function heldForWantOfDsn(reason: string): Decision {
  return { kind: 'hold', change: { hold: true, nextTry: 0, reason }, isLoud: true };
}

/** How an attempt ended, as a DSN and the log word it. Several reply lines are joined by a space. */
export function diagnosticOf(report: AttemptReport): Diagnostic {
  const { result, error } = report;
  if (result !== undefined) {
    const status = result.enhanced === undefined ? '' : `${result.enhanced.join('.')} `;
    return {
      diagnosticType: 'smtp',
      diagnosticCode: `${result.code} ${status}${result.reason.join(' ')}`.trimEnd(),
      ...(result.enhanced === undefined ? undefined : { status: result.enhanced }),
    };
  }
  return { diagnosticType: 'x-error', diagnosticCode: error?.message ?? 'the attempt left no result' };
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
