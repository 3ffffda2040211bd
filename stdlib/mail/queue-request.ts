// The arguments of queue(), checked in one place: in eod, of any other message, of a message made by a script.

import { type CallContext, HslArray, type OptionKeys, type Parameter, ScriptFault, type Value } from '#lang';
import { servicesOf } from '../services.js';
import type { QueueRequest } from './envelope.js';
import {
  dsnParameterKeys,
  valueToAddress,
  valueToDsnParameters,
  valueToStringList,
  valueToStringMap,
} from './envelope-values.js';
import type { MessageSource, Pieces } from './message-source.js';
import type { SubmittedId } from './submission.js';

const queueKeys = {
  metadata: { type: 'array', doc: 'Kept with the message: string => string.' },
  hold: { type: 'boolean', default: false, doc: 'Go on hold instead of being delivered.' },
  jobid: { type: 'string|none', doc: 'Job id, a policy field.' },
  tenantid: { type: 'string|none', doc: 'Tenant id, a policy field.' },
  priority: { type: 'number', oneOf: [0, 1], doc: "Default: the connection's priority, else 0." },
  delay: { type: 'number', default: 0, doc: 'Seconds before the first attempt.' },
  quotas: { type: 'array', doc: 'Names whose usage is raised until the message leaves the queue.' },
  dsn: {
    type: 'array',
    keys: dsnParameterKeys,
    doc: 'What the sender wants to be told, and how (RFC 3461).',
  },
} as const satisfies OptionKeys;

/** What every queue() takes. */
export const queueParameters = [
  { name: 'sender', type: 'string|array', doc: '`""` is the null sender.' },
  { name: 'recipient', type: 'string|array' },
  { name: 'transportid', type: 'string' },
  { name: 'options', type: 'options', optional: true, keys: queueKeys },
] as const satisfies readonly Parameter[];

/** The options as `run` gets them. */
export interface QueueOptions {
  readonly metadata: HslArray | undefined;
  readonly hold: boolean;
  readonly jobid: string | null | undefined;
  readonly tenantid: string | null | undefined;
  readonly priority: number | undefined;
  readonly delay: number;
  readonly quotas: HslArray | undefined;
  readonly dsn: HslArray | undefined;
}

/** What a request has besides its arguments. */
export interface QueueDefaults {
  readonly number: number;
  readonly priority: 0 | 1;
}

/** A queue() call that has no message yet. */
export type CheckedRequest = { -readonly [K in keyof QueueRequest]: QueueRequest[K] };

const NO_PIECES: Pieces = [];

/** @throws ScriptFault for a bad address or option */
export function checkQueueRequest(
  senderValue: Value,
  recipientValue: Value,
  transportId: string,
  options: QueueOptions,
  defaults: QueueDefaults,
): CheckedRequest {
  const sender = valueToAddress(senderValue, 'queue: the sender');
  const recipient = valueToAddress(recipientValue, 'queue: the recipient');
  if (recipient.localPart === '' && recipient.domain === '')
    throw new ScriptFault('queue: the recipient is empty');
  if (!(options.delay >= 0 && options.delay < Number.POSITIVE_INFINITY))
    throw new ScriptFault(`queue: "delay" is ${options.delay}; expected seconds from 0`);
  // One literal with all that every request has: with parts that are spread in, V8 makes a dictionary of it, and the spool
  // and the queue, which read it, were slower by a tenth of what the eod script costs (test/perf/accept.ts).
  const request: CheckedRequest = {
    number: defaults.number,
    sender,
    recipient,
    transportId,
    pieces: NO_PIECES,
    metadata: options.metadata === undefined ? {} : valueToStringMap(options.metadata, 'queue: "metadata"'),
    hold: options.hold,
    priority: (options.priority ?? defaults.priority) === 1 ? 1 : 0,
    delaySeconds: options.delay,
    quotas: options.quotas === undefined ? [] : valueToStringList(options.quotas, 'queue: "quotas"'),
    dsn: options.dsn === undefined ? {} : valueToDsnParameters(options.dsn, 'queue: "dsn"'),
  };
  if (typeof options.jobid === 'string') request.jobId = options.jobid;
  if (typeof options.tenantid === 'string') request.tenantId = options.tenantid;
  return request;
}

/** Gives the request its message. */
export function withPieces(request: CheckedRequest, pieces: Pieces): QueueRequest {
  request.pieces = pieces;
  return request;
}

/** What queue() gives back. */
export function queuedIdToValue({ transaction, queue }: SubmittedId): HslArray {
  const id = HslArray.empty();
  id.set('transaction', transaction);
  id.set('queue', queue);
  return id;
}

/** Puts a message into the queue that did not come in by SMTP. @throws ScriptFault when it cannot be queued */
export async function submitMessage(
  message: { readonly source: MessageSource; readonly pieces: Pieces },
  [sender, recipient, transportId, options]: readonly [Value, Value, string, QueueOptions],
  ctx: CallContext,
): Promise<HslArray> {
  const { submission } = servicesOf(ctx).network;
  if (submission === undefined)
    throw new ScriptFault('queue: there is no queue here; only a running daemon has one');
  const request = checkQueueRequest(sender, recipient, transportId, options, { number: 1, priority: 0 });
  const answer = await submission.submit(message.source, withPieces(request, message.pieces));
  if ('problem' in answer) throw new ScriptFault(`queue: ${answer.problem}`);
  return queuedIdToValue(answer);
}
