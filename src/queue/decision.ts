// What becomes of a message after an attempt, or when it ends without one: first what would happen by default, which
// postdelivery is told, then what its answer makes of it. Pure: the queue carries decisions out. Whether the sender is told of it
// is planned in notice-plan.ts.

import type {
  Address,
  AttemptReport,
  DefaultAction,
  DsnOptions,
  PostdeliveryOutcome,
  QueueOptions,
} from '#hooks';
import type { Verdict } from '../delivery/deliverer.js';
import type { MessageChange, QueuedMessage } from '../spool/spool.js';
import { keptReason } from './diagnostic.js';
import {
  type KnownTransport,
  type NoticePlan,
  planDelay,
  planDoubleBounce,
  planFailure,
  planSuccess,
  type Silence,
} from './notice-plan.js';
import { endOfRetries, isExpired, notifiesOf, retryInterval, unknownTransport } from './retry-table.js';

/** What happens unless the script decides otherwise. */
export interface Expectation {
  readonly expired: boolean;
  /** Absent after a success. */
  readonly action?: DefaultAction;
  /** Why the action is DELETE, or why a Bounce tells nobody; `script`: it wants it so. */
  readonly silence?: Silence | 'script';
  /** The notification that is made; absent: none. */
  readonly notice?: NoticePlan;
  /** QUEUE is to be on hold: it cannot be tried any more, and its sender cannot be told. */
  readonly isForOperator?: true;
}

/** What the queue does with a message. A notification is in the spool before anything else is done. */
export type Decision =
  | {
      readonly kind: 'done';
      readonly how: 'delivered' | 'bounced' | 'deleted';
      readonly reason: string;
      /** Why nobody is told of a failure. */
      readonly silence?: Silence | 'script';
      readonly notice?: NoticePlan;
    }
  | {
      readonly kind: 'defer';
      readonly change: MessageChange & { readonly nextTry: number };
      readonly notice?: NoticePlan;
      /** It was to end, but its sender cannot be told yet: why. */
      readonly problem?: string;
    }
  | {
      readonly kind: 'hold';
      readonly change: MessageChange & { readonly hold: true };
      readonly notice?: NoticePlan;
      readonly problem?: string;
    };

/** The default after an attempt or a failed look-up. `successTold` is how a success is called. */
export function expectationAfter(
  verdict: Verdict,
  message: QueuedMessage,
  transport: KnownTransport,
  now: number,
  report?: AttemptReport,
  successTold: 'relayed' | 'delivered' = 'relayed',
  dsn: DsnOptions = {},
): Expectation {
  if (verdict === 'delivered') {
    // The next hop was asked to tell the sender itself (RFC 3461 §5.2.1).
    const plan =
      report?.connection?.takesDsn === true ? 'notify' : planSuccess(message, transport, successTold, dsn);
    return { expired: false, ...(typeof plan === 'string' ? undefined : { notice: plan }) };
  }
  if (verdict === 'failed') return { expired: false, ...failureAction(message, transport, dsn) };
  if (isExpired(transport ?? unknownTransport, message.retry, now - message.ts)) {
    // Not the message's fault, and there is no transport that says how to tell its sender.
    if (transport === undefined) return { expired: true, action: 'QUEUE', isForOperator: true };
    return { expired: true, ...failureAction(message, transport, dsn) };
  }
  const plan = delayByTable(message, transport, dsn);
  const nextTry = now + retryInterval(transport, message.retry);
  const notice = plan && withEnd(plan, message, transport, message.retry + 1, nextTry);
  return { expired: false, action: 'QUEUE', ...(notice && { notice }) };
}

/** The default when predelivery or an operator ended the message. */
export function expectationOfEnd(
  kind: 'Bounce' | 'Delete',
  message: QueuedMessage,
  transport: KnownTransport,
  dsn: DsnOptions = {},
): Expectation {
  if (kind === 'Delete') return { expired: false, action: 'DELETE', silence: 'script' };
  const plan = planFailure(message, transport, dsn, true);
  return {
    expired: false,
    action: 'BOUNCE',
    ...(typeof plan === 'string' ? { silence: plan } : { notice: plan }),
  };
}

function failureAction(
  message: QueuedMessage,
  transport: KnownTransport,
  dsn: DsnOptions,
): Pick<Expectation, 'action' | 'silence' | 'notice'> {
  const plan = planFailure(message, transport, dsn, false);
  return typeof plan === 'string' ? { action: 'DELETE', silence: plan } : { action: 'BOUNCE', notice: plan };
}

/** `intervals[r].notify`: the sender is told when that interval is started, once (queue-and-config 1.3). */
function delayByTable(
  message: QueuedMessage,
  transport: KnownTransport,
  options: DsnOptions = {},
): NoticePlan | undefined {
  if (!notifiesOf(transport, message.retry)) return undefined;
  const plan = planDelay(message, transport, options, false);
  return typeof plan === 'string' ? undefined : plan;
}

function withEnd(
  plan: NoticePlan,
  message: QueuedMessage,
  transport: KnownTransport,
  retry: number,
  nextTry: number,
): NoticePlan {
  const retriesUntil = endOfRetries(transport, message.ts, retry, nextTry);
  return retriesUntil === undefined ? plan : { ...plan, retriesUntil };
}

/** What else is asked for when a decision is made. */
export interface DecisionContext {
  /** Unix seconds. */
  readonly now: number;
  /** Hears of failures that have no sender to be told. */
  readonly postmaster?: Address | undefined;
  /** Finds the transport that Queue() gives the message to. */
  readonly transportOf: (id: string) => KnownTransport;
}

/** What is done after postdelivery has answered. */
export function decide(
  outcome: PostdeliveryOutcome,
  expected: Expectation,
  message: QueuedMessage,
  transport: KnownTransport,
  reason: string,
  context: DecisionContext,
): Decision {
  const { now, postmaster } = context;
  const expectation = withNotice(expected, outcome.notice);
  // After a success there is nothing left to decide; the actions themselves raise an error in the script.
  if (expectation.action === undefined)
    return { kind: 'done', how: 'delivered', reason, ...noticeOf(expectation) };
  switch (outcome.kind) {
    case 'Queue':
      return decideQueue(outcome.options, message, transport, reason, context);
    case 'Delete':
      return { kind: 'done', how: 'deleted', reason, silence: 'script' };
    case 'Bounce':
      // Without options of its own it is the one that predelivery asked for.
      return decideEnd(
        outcome.dsn === undefined && expectation.notice?.kind === 'failed'
          ? expectation
          : expectationOfEnd('Bounce', message, transport, outcome.dsn),
        message,
        transport,
        reason,
        postmaster,
      );
    case 'Default':
      if (expectation.isForOperator === true)
        return { kind: 'hold', change: { hold: true, nextTry: 0, reason } };
      if (expectation.action === 'QUEUE') return decideRetry(expectation, message, transport, reason, now);
      return decideEnd(expectation, message, transport, reason, postmaster);
    default:
      return assertNever(outcome);
  }
}

/** The default with a notification that looks as postdelivery says (SetDSN). */
function withNotice(expectation: Expectation, options: DsnOptions | undefined): Expectation {
  const { notice } = expectation;
  if (notice === undefined || options === undefined) return expectation;
  const { transportId = notice.transportId, recipient = notice.recipient } = options;
  return { ...expectation, notice: { ...notice, options, transportId, recipient } };
}

/** An answer of postdelivery with what predelivery wanted a notification to look like, where it has no wish of its own. */
export function withEarlierNotice(
  outcome: PostdeliveryOutcome,
  earlier: DsnOptions | undefined,
): PostdeliveryOutcome {
  if (earlier === undefined) return outcome;
  switch (outcome.kind) {
    case 'Bounce':
      return { ...outcome, dsn: outcome.dsn ?? earlier };
    case 'Queue':
      return { ...outcome, options: { ...outcome.options, dsn: outcome.options.dsn ?? earlier } };
    default:
      // The default has it already (expectationAfter).
      return outcome;
  }
}

/** What `Queue()` asks for, in either hook. */
export function decideQueue(
  options: QueueOptions,
  message: QueuedMessage,
  transport: KnownTransport,
  reason: string,
  { now, transportOf }: Pick<DecisionContext, 'now' | 'transportOf'>,
): Decision {
  const retry = options.resetRetry ? 0 : message.retry + (options.incrementRetry ? 1 : 0);
  const change: MessageChange = {
    retry,
    reason: keptReason(options.reason ?? reason),
    ...(options.transportId === undefined ? undefined : { transportId: options.transportId }),
    ...(options.quotas === undefined ? undefined : { quotas: options.quotas }),
    ...(options.jobId === undefined ? undefined : { jobId: options.jobId }),
    ...(options.tenantId === undefined ? undefined : { tenantId: options.tenantId }),
  };
  if (options.hold) {
    const plan =
      options.dsnDelayed === true ? planDelay(message, transport, options.dsn ?? {}, true) : undefined;
    const notice = typeof plan === 'object' ? { notice: plan } : undefined;
    return { kind: 'hold', change: { ...change, hold: true, nextTry: 0 }, ...notice };
  }
  const nextTry = now + (options.delaySeconds ?? retryInterval(transport, message.retry));
  const plan = delayOfQueue(options, message, transport);
  const next = options.transportId === undefined ? transport : transportOf(options.transportId);
  const notice = plan && withEnd(plan, message, next, retry, nextTry);
  return { kind: 'defer', change: { ...change, nextTry }, ...(notice && { notice }) };
}

/** Told when the script says so; without a word, when it starts an interval of the table that tells. */
function delayOfQueue(
  { dsn = {}, dsnDelayed, delaySeconds, incrementRetry }: QueueOptions,
  message: QueuedMessage,
  transport: KnownTransport,
): NoticePlan | undefined {
  if (dsnDelayed === undefined && delaySeconds === undefined && incrementRetry)
    return delayByTable(message, transport, dsn);
  if (dsnDelayed !== true) return undefined;
  const plan = planDelay(message, transport, dsn, true);
  return typeof plan === 'string' ? undefined : plan;
}

function decideRetry(
  expectation: Expectation,
  message: QueuedMessage,
  transport: KnownTransport,
  reason: string,
  now: number,
): Decision {
  const nextTry = now + retryInterval(transport, message.retry);
  return { kind: 'defer', change: { retry: message.retry + 1, nextTry, reason }, ...noticeOf(expectation) };
}

function decideEnd(
  { notice, silence }: Expectation,
  message: QueuedMessage,
  transport: KnownTransport,
  reason: string,
  postmaster: Address | undefined,
): Decision {
  if (notice !== undefined) return { kind: 'done', how: 'bounced', reason, notice };
  const doubleBounce =
    silence === 'null-sender' ? planDoubleBounce(message, transport, postmaster) : undefined;
  return {
    kind: 'done',
    how: 'deleted',
    reason,
    ...(silence && { silence }),
    ...(doubleBounce && { notice: doubleBounce }),
  };
}

function noticeOf({ notice }: Expectation): { readonly notice?: NoticePlan } {
  return notice === undefined ? {} : { notice };
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
