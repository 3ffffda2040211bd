// Whether a sender is told of what becomes of a message, and by which transport (RFC 3461, queue-and-config 1.3). Pure.
//
// - The null sender and NOTIFY=NEVER are told nothing, ever, whoever asks.
// - Failures are told unless NOTIFY leaves them out.
// - Delays are told when the retry table says so and NOTIFY does not leave them out, or when a script insists.
// - Success is told when NOTIFY asks for it and the next hop will not do it itself.

import type { Address, DsnOptions, DsnParameters, TryOptions } from '#hooks';
import type { Transport } from '../delivery/deliverer.js';
import type { QueuedMessage } from '../spool/spool.js';

/** What a DSN says has become of a recipient (RFC 3464 §2.3.3). */
export type NoticeKind = 'failed' | 'delayed' | 'relayed' | 'delivered';

/** A notification that is to be made. */
export interface NoticePlan {
  readonly kind: NoticeKind;
  /** The transport that carries it. */
  readonly transportId: string;
  readonly options: DsnOptions;
  /** Who gets it. */
  readonly recipient: Address;
  /** It is about a message that has no sender to tell (a double bounce). */
  readonly isForPostmaster?: boolean;
  /** When the message is given up, of a delay; Unix seconds. */
  readonly retriesUntil?: number;
}

/** Why nobody is told. */
export type Silence = 'null-sender' | 'notify' | 'no-dsn-transport';

/** The transport a message has, or nothing when the configuration no longer knows it. */
export type KnownTransport = Transport | undefined;

/** What is asked about: the message with its DSN parameters as they are in effect. */
type Subject = Pick<QueuedMessage, 'sender' | 'recipient' | 'transportId' | 'dsn'>;

/** The DSN parameters of an attempt: as queued, with what Try says over them. */
export function dsnInEffect(queued: DsnParameters, options: Pick<TryOptions, 'dsn'>): DsnParameters {
  if (options.dsn === undefined) return queued;
  const { success: _, ...said } = options.dsn;
  return { ...queued, ...said };
}

/**
 * The notification of a failure. An explicit wish (Bounce(), an operator) finds its transport; a default needs one that is
 * configured.
 */
export function planFailure(
  message: Subject,
  transport: KnownTransport,
  options: DsnOptions,
  isExplicit: boolean,
): NoticePlan | Silence {
  if (isNull(message.sender)) return 'null-sender';
  if (!wants(message.dsn.notify, 'FAILURE')) return 'notify';
  return planned('failed', message, transport, options, isExplicit);
}

/** The notification of a delay; `isForced` goes past a NOTIFY without DELAY. */
export function planDelay(
  message: Subject,
  transport: KnownTransport,
  options: DsnOptions,
  isForced: boolean,
): NoticePlan | Silence {
  if (isNull(message.sender)) return 'null-sender';
  if (isForced ? isNever(message.dsn.notify) : !wants(message.dsn.notify, 'DELAY')) return 'notify';
  return planned('delayed', message, transport, options, isForced);
}

/** The notification of a success, when the next hop does not know the extension (RFC 3461 §5.2.2). */
export function planSuccess(
  message: Subject,
  transport: KnownTransport,
  kind: 'relayed' | 'delivered',
  options: DsnOptions = {},
): NoticePlan | Silence {
  if (isNull(message.sender)) return 'null-sender';
  if (!hasWord(message.dsn.notify, 'SUCCESS')) return 'notify';
  return planned(kind, message, transport, options, false);
}

/**
 * A double bounce: what has no sender failed, and somebody here wants to know. A report that fails on its way there is told to
 * nobody.
 */
export function planDoubleBounce(
  message: Subject,
  transport: KnownTransport,
  postmaster: Address | undefined,
): NoticePlan | undefined {
  if (postmaster === undefined || !isNull(message.sender)) return undefined;
  if (isSame(message.recipient, postmaster)) return undefined;
  const transportId = transport?.dsnTransportId ?? message.transportId;
  return { kind: 'failed', transportId, options: {}, recipient: postmaster, isForPostmaster: true };
}

function planned(
  kind: NoticeKind,
  message: Subject,
  transport: KnownTransport,
  options: DsnOptions,
  isExplicit: boolean,
): NoticePlan | Silence {
  const transportId =
    options.transportId ?? transport?.dsnTransportId ?? (isExplicit ? message.transportId : undefined);
  if (transportId === undefined) return 'no-dsn-transport';
  const recipient = options.recipient ?? {
    localPart: message.sender.localPart,
    domain: message.sender.domain,
  };
  return { kind, transportId, options, recipient };
}

/** Whether that is the null reverse-path. */
export function isNull({ localPart, domain }: Address): boolean {
  return localPart === '' && domain === '';
}

function isSame(one: Address, other: Address): boolean {
  return one.localPart === other.localPart && one.domain.toLowerCase() === other.domain.toLowerCase();
}

/** RFC 3461 §4.1: without NOTIFY failures are told and delays may be; with it only what is listed. */
function wants(notify: string | undefined, word: 'FAILURE' | 'DELAY'): boolean {
  return notify === undefined || notify === '' || hasWord(notify, word);
}

function isNever(notify: string | undefined): boolean {
  return hasWord(notify, 'NEVER');
}

function hasWord(notify: string | undefined, word: string): boolean {
  if (notify === undefined || notify === '') return false;
  return notify
    .toUpperCase()
    .split(',')
    .some((listed) => listed.trim() === word);
}
