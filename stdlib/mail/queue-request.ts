// The arguments of queue(), checked in one place: in eod, of any other message, of a message made by a script.

import { type CallContext, HslArray, type OptionKeys, type Parameter, ScriptFault, type Value } from '#lang';
import { servicesOf } from '../services.js';
import type { QueueRequest } from './envelope.js';
import {
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
  dsn: { type: 'array', doc: '`envid`, `ret`, `notify`, `orcpt` (RFC 3461).' },
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

/** A queue() call without its message. */
export type CheckedRequest = Omit<QueueRequest, 'pieces'>;

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
  return {
    number: defaults.number,
    sender,
    recipient,
    transportId,
    metadata: options.metadata === undefined ? {} : valueToStringMap(options.metadata, 'queue: "metadata"'),
    hold: options.hold,
    ...(typeof options.jobid === 'string' ? { jobId: options.jobid } : undefined),
    ...(typeof options.tenantid === 'string' ? { tenantId: options.tenantid } : undefined),
    priority: (options.priority ?? defaults.priority) === 1 ? 1 : 0,
    delaySeconds: options.delay,
    quotas: options.quotas === undefined ? [] : valueToStringList(options.quotas, 'queue: "quotas"'),
    dsn: options.dsn === undefined ? {} : valueToDsnParameters(options.dsn, 'queue: "dsn"'),
  };
}

/** The request with its message. */
export function withPieces(request: CheckedRequest, pieces: Pieces): QueueRequest {
  return { ...request, pieces };
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
