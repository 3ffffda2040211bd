// The postdelivery phase: an attempt has ended, or a message ends without one.

import { builtin, HslArray, ScriptFault } from '#lang';
import { dsnKey, readDsnOptions } from './dsn-options.js';
import { frameOf, type QueueFrame } from './frame.js';
import { $message, attemptToValue, type MessageFacts } from './message-state.js';
import { present } from './outcome.js';
import type { AttemptReport, EnhancedStatus, PostdeliveryOutcome } from './outcomes.js';
import { definePhase } from './phase.js';
import { metadataChange, metadataFunctions, queueOptionKeys, readQueueOptions } from './queue-actions.js';
import { $context, argumentsVariable } from './state.js';

/** What happens to the message unless the script decides otherwise. */
export type DefaultAction = 'QUEUE' | 'BOUNCE' | 'DELETE';

/** What postdelivery is told beside the message. */
export interface PostdeliveryFacts {
  readonly retry: number;
  readonly expired: boolean;
  /** Absent after a success. */
  readonly action?: DefaultAction;
  /** Absent when no attempt was made. */
  readonly attempt?: AttemptReport;
  readonly grouping?: string;
  /** The policies that counted the attempt. */
  readonly policy?: {
    readonly tags: readonly string[];
    readonly policies: readonly { readonly fields: readonly string[] }[];
  };
  /** The notification that will be made unless the script decides otherwise. */
  readonly dsn?: {
    /** Absent: none will be. */
    readonly action?: 'failed' | 'delayed' | 'relayed' | 'delivered';
    /** Without `action`, of the one that Bounce() would make. */
    readonly id?: MessageFacts['id'];
    readonly diagnosticType: string;
    readonly diagnosticCode: string;
    readonly status?: EnhancedStatus;
  };
}

function stillQueued(action: string, frame: QueueFrame): QueueFrame {
  if (frame.isDelivered)
    throw new ScriptFault(`${action}: the message was delivered; only Default() is possible after a success`);
  return frame;
}

const Queue = builtin({
  name: 'Queue',
  summary: 'Keeps the message for another attempt.',
  group: 'actions',
  example: [
    '$code = $arguments["attempt"]["result"]["code"] ?? 0;',
    'if ($code == 450 and $arguments["retry"] < 10)',
    '  Queue(["delay" => 900, "dsn_delayed" => $arguments["retry"] == 3, "dsn" => ["subject_prepend" => "Not making it in time: "]]);',
    '// Queue {"delaySeconds":900,"dsn":{"subjectPrepend":"Not making it in time: "},"dsnDelayed":true}',
  ].join('\n'),
  params: [{ name: 'options', type: 'options', optional: true, keys: queueOptionKeys }],
  returns: 'none',
  errors: 'Exception after a successful delivery.',
  ends: true,
  run: (options, ctx): PostdeliveryOutcome => {
    const frame = stillQueued('Queue', frameOf(ctx, 'queue'));
    return { kind: 'Queue', options: readQueueOptions(options, frame, ctx), ...metadataChange(frame) };
  },
});

const Retry = builtin({
  name: 'Retry',
  summary: 'Older name of Queue.',
  group: 'actions',
  example: [
    'if ($arguments["action"] == "QUEUE")',
    '  Retry(["delay" => 900, "increment_retry" => false]);',
    '// Queue {"incrementRetry":false,"delaySeconds":900}',
  ].join('\n'),
  params: [{ name: 'options', type: 'options', optional: true, keys: queueOptionKeys }],
  returns: 'none',
  errors: 'Exception after a successful delivery.',
  ends: true,
  deprecated: 'Queue',
  run: (options, ctx): PostdeliveryOutcome => {
    const frame = stillQueued('Retry', frameOf(ctx, 'queue'));
    return { kind: 'Queue', options: readQueueOptions(options, frame, ctx), ...metadataChange(frame) };
  },
});

const Bounce = builtin({
  name: 'Bounce',
  summary: 'Removes the message and tells its sender.',
  details:
    'The report is in the spool before the message is gone. While it cannot be stored, the message stays, and all is decided ' +
    'anew after a minute. Nobody is told when the sender is the null sender, or when NOTIFY is there without FAILURE.',
  group: 'actions',
  example: [
    'if ($arguments["dsn"]["status"] == [4, 2, 1] and $arguments["retry"] > 2)',
    '  Bounce(["dsn" => ["from_name" => "Example Mail", "subject_prepend" => "Sorry: "]]);',
    '// Bounce {"dsn":{"fromName":"Example Mail","subjectPrepend":"Sorry: "}}',
  ].join('\n'),
  params: [{ name: 'options', type: 'options', optional: true, keys: { dsn: dsnKey } }],
  returns: 'none',
  errors: 'Exception after a successful delivery, and for an option of the notification that makes no sense.',
  ends: true,
  run: ({ dsn }, ctx): PostdeliveryOutcome => {
    const frame = stillQueued('Bounce', frameOf(ctx, 'queue'));
    return {
      kind: 'Bounce',
      ...present({ dsn: readDsnOptions('Bounce', dsn, ctx) ?? frame.notice }),
      ...metadataChange(frame),
    };
  },
});

const Delete = builtin({
  name: 'Delete',
  summary: 'Removes the message and tells nobody.',
  group: 'actions',
  example: [
    'if ($arguments["action"] == "BOUNCE" or $message["sender"] == "alice@example.com")',
    '  Delete();',
    '// Delete',
  ].join('\n'),
  params: [],
  returns: 'none',
  errors: 'Exception after a successful delivery.',
  ends: true,
  run: (ctx): PostdeliveryOutcome => ({
    kind: 'Delete',
    ...metadataChange(stillQueued('Delete', frameOf(ctx, 'queue'))),
  }),
});

const Default = builtin({
  name: 'Default',
  summary: 'Does what `$arguments["action"]` says.',
  group: 'actions',
  example: [
    'if ($arguments["action"])',
    '  memory_inc("failed: " . $message["recipientaddress"]["domain"]);',
    'Default();',
    '// Default',
  ].join('\n'),
  params: [],
  returns: 'none',
  ends: true,
  run: (ctx): PostdeliveryOutcome => ({ kind: 'Default', ...metadataChange(frameOf(ctx, 'queue')) }),
});

/** Runs after every delivery attempt, and when a message ends without one. */
export const postdelivery = definePhase<PostdeliveryOutcome>({
  name: 'postdelivery',
  summary: 'Runs after every delivery attempt, and when a message ends without one.',
  variables: [
    argumentsVariable({
      retry: 'Current retry.',
      expired: 'Whether the maximum age or retry count is exceeded.',
      action: 'What happens by default: "QUEUE", "BOUNCE" or "DELETE"; absent after a success.',
      grouping: 'Matched grouping; optional.',
      policy: 'Array with `tags` and `policies`, each with its `fields`; absent when no attempt was made.',
      dsn: 'The notification that will be made by default: `action` ("failed", "delayed", "relayed", "delivered"; absent: none will be), `id` (array with `transaction` and `queue`: of this one; a script that tells of something else, such as Bounce() where a delay would be told, makes one with another id), `status` (three numbers), `diagnostictype` ("smtp", "x-error"), `diagnosticcode`; absent after a success of which nobody is told.',
      attempt:
        'Array with `result` or `error`, `connection`, `duration`; absent when none was made. An `error` of type "config" is temporary, unless the message would come back to this server.',
    }),
    $message,
    { ...$context, readonly: true, summary: 'What predelivery left; undefined when it did not run.' },
  ],
  declarations: [Queue, Bounce, Delete, Default, Retry, ...metadataFunctions],
  atEndOfScript: { kind: 'Default' },
  onScriptError: { kind: 'Default' },
});

/** `$arguments` of the postdelivery hook. */
export function postdeliveryArguments(facts: PostdeliveryFacts): HslArray {
  const value = HslArray.empty();
  value.set('retry', facts.retry);
  value.set('expired', facts.expired);
  if (facts.action !== undefined) value.set('action', facts.action);
  if (facts.grouping !== undefined) value.set('grouping', facts.grouping);
  if (facts.policy !== undefined) value.set('policy', policyToValue(facts.policy));
  if (facts.dsn !== undefined) value.set('dsn', dsnToValue(facts.dsn));
  if (facts.attempt !== undefined) value.set('attempt', attemptToValue(facts.attempt));
  return value;
}

function policyToValue({ tags, policies }: NonNullable<PostdeliveryFacts['policy']>): HslArray {
  const value = HslArray.empty();
  value.set('tags', HslArray.fromList([...tags]));
  const list = policies.map(({ fields }) => {
    const policy = HslArray.empty();
    policy.set('fields', HslArray.fromList([...fields]));
    return policy;
  });
  value.set('policies', HslArray.fromList(list));
  return value;
}

function dsnToValue({
  action,
  id,
  diagnosticType,
  diagnosticCode,
  status,
}: NonNullable<PostdeliveryFacts['dsn']>): HslArray {
  const value = HslArray.empty();
  if (action !== undefined) value.set('action', action);
  if (id !== undefined) value.set('id', idToValue(id));
  if (status !== undefined) value.set('status', HslArray.fromList([...status]));
  value.set('diagnostictype', diagnosticType);
  value.set('diagnosticcode', diagnosticCode);
  return value;
}

function idToValue({ transaction, number }: MessageFacts['id']): HslArray {
  const value = HslArray.empty();
  value.set('transaction', transaction);
  value.set('queue', number);
  return value;
}
