// The predelivery phase: a message is about to be tried.

import { builtin, HslArray, type OptionKeys, ScriptFault, type Value } from '#lang';
import {
  type Address,
  type DsnParameters,
  dsnParameterKeys,
  smtpStates,
  valueToAddress,
  valueToDsnParameters,
  valueToStringList,
  valueToTimeouts,
} from '#stdlib';
import { dsnKey, readDsnOptions } from './dsn-options.js';
import { frameOf } from './frame.js';
import { $message } from './message-state.js';
import { keysOf, laterTryOptions, refuseLaterOptions } from './not-yet.js';
import { present } from './outcome.js';
import type { MetaDataChange, PredeliveryOutcome, TryOptions } from './outcomes.js';
import { definePhase } from './phase.js';
import { metadataChange, metadataFunctions, queueOptionKeys, readQueueOptions } from './queue-actions.js';
import { readSessionOptions, sessionOptionKeys } from './session-options.js';
import { readSourceOptions, sourceOptionKeys } from './source-options.js';
import { $context, argumentsVariable } from './state.js';

/** A predelivery decision before `$context` is taken from the ended script and put beside it. */
export type PredeliveryDecision = MetaDataChange &
  (
    | { readonly kind: 'Try'; readonly options: TryOptions }
    | Extract<PredeliveryOutcome, { kind: 'Queue' | 'Bounce' | 'Delete' }>
  );

const tryOptionKeys = {
  host: {
    type: 'string|none',
    doc: 'Address or name of the next hop; "lookup-mx" for the mail hosts of the domain; default is the transport.',
  },
  port: { type: 'number|none', doc: 'Its port.' },
  domain: { type: 'string|none', doc: "Whose mail hosts are looked up; default is the recipient's domain." },
  mx_include: { type: 'array', doc: 'Mail hosts that may be used: names; `*.` is one label.' },
  mx_exclude: { type: 'array', doc: 'Mail hosts that are not used, likewise.' },
  sender: { type: 'string|array|none', doc: 'Envelope sender on the wire.' },
  recipient: { type: 'string|array|none', doc: 'Envelope recipient on the wire.' },
  helo: { type: 'string|none', doc: 'The name to say in EHLO.' },
  protocol: { type: 'string|none', oneOf: ['smtp', 'lmtp', null], doc: '"smtp" or "lmtp".' },
  jobid: { type: 'string|none', doc: 'Job id, a policy field.' },
  timeout: { type: 'array', doc: `Seconds by SMTP state: ${smtpStates.join(', ')}.` },
  connect_timeout: { type: 'number|none', doc: 'Seconds.' },
  dsn: {
    type: 'array',
    keys: {
      ...dsnParameterKeys,
      success: {
        type: 'string|none',
        oneOf: ['relayed', 'delivered', null],
        doc: 'What a success is called that the sender is told of here, since the next hop does not: "relayed".',
      },
    },
    doc: 'What is said here takes the place of what the message was queued with.',
  },
  ...sessionOptionKeys,
  ...sourceOptionKeys,
  ...keysOf(laterTryOptions),
} as const satisfies OptionKeys;

const Try = builtin({
  name: 'Try',
  summary: 'Tries to deliver the message; the options hold for this attempt only.',
  group: 'actions',
  example: [
    'if ($message["recipientaddress"]["domain"] == "example.org")',
    '  Try(["host" => "192.0.2.25", "port" => 26, "connect_timeout" => 10]);',
    '// Try {"host":"192.0.2.25","port":26,"connectTimeoutSeconds":10}',
  ].join('\n'),
  params: [{ name: 'options', type: 'options', optional: true, keys: tryOptionKeys }],
  returns: 'none',
  ends: true,
  run: (options, ctx): PredeliveryDecision => {
    refuseLaterOptions('Try', laterTryOptions, options);
    const {
      host,
      port,
      domain,
      mx_include,
      mx_exclude,
      helo,
      sender,
      recipient,
      protocol,
      jobid,
      timeout,
      connect_timeout,
      dsn,
    } = options;
    if (host === '') throw new ScriptFault('Try: "host" is empty');
    if (domain === '') throw new ScriptFault('Try: "domain" is empty');
    if (typeof port === 'number' && !(Number.isInteger(port) && port >= 1 && port <= 65535))
      throw new ScriptFault(`Try: "port" is ${port}; expected 1 to 65535`);
    if (typeof connect_timeout === 'number') checkSeconds('connect_timeout', connect_timeout);
    return {
      kind: 'Try',
      options: present({
        host: host ?? undefined,
        port: port ?? undefined,
        domain: domain ?? undefined,
        mxInclude: mx_include === undefined ? undefined : valueToStringList(mx_include, 'Try: "mx_include"'),
        mxExclude: mx_exclude === undefined ? undefined : valueToStringList(mx_exclude, 'Try: "mx_exclude"'),
        helo: helo ?? undefined,
        sender: sender === null || sender === undefined ? undefined : valueToAddress(sender, 'Try: "sender"'),
        recipient: recipient === null || recipient === undefined ? undefined : readRecipient(recipient),
        protocol: protocol === 'smtp' || protocol === 'lmtp' ? protocol : undefined,
        jobId: jobid ?? undefined,
        timeouts: timeout === undefined ? undefined : valueToTimeouts(timeout, 'Try: "timeout"'),
        connectTimeoutSeconds: connect_timeout ?? undefined,
        dsn: dsn === undefined ? undefined : readTryDsn(dsn),
        ...readSessionOptions(options),
        ...readSourceOptions(options, ctx),
      }),
      ...metadataChange(frameOf(ctx, 'queue')),
    };
  },
});

/** Mail to nobody would be refused, and its sender told so: a slip of the script is no fault of the mail. */
function readRecipient(value: Value): Address {
  const recipient = valueToAddress(value, 'Try: "recipient"');
  if (recipient.localPart === '') throw new ScriptFault('Try: "recipient" is empty; expected an address');
  return recipient;
}

function checkSeconds(name: string, seconds: Value): void {
  if (typeof seconds !== 'number' || !(seconds > 0 && seconds < Number.POSITIVE_INFINITY))
    throw new ScriptFault(`Try: "${name}" must be a number of seconds above 0`);
}

function readTryDsn(value: HslArray): DsnParameters & { success?: 'relayed' | 'delivered' } {
  const success = value.get('success') ?? null;
  if (success !== null && success !== 'relayed' && success !== 'delivered')
    throw new ScriptFault('Try: "success" in "dsn" must be "relayed" or "delivered"');
  return {
    ...valueToDsnParameters(value, 'Try: "dsn"'),
    ...present({ success: success ?? undefined }),
  };
}

const Queue = builtin({
  name: 'Queue',
  summary: 'Does not try now; the message waits.',
  group: 'actions',
  example: [
    'if (strftime("%H") < "06")',
    '  Queue(["delay" => 3600, "reason" => "Not before six", "increment_retry" => false]);',
    '// Queue {"incrementRetry":false,"delaySeconds":3600,"reason":"Not before six"}',
  ].join('\n'),
  params: [{ name: 'options', type: 'options', optional: true, keys: queueOptionKeys }],
  returns: 'none',
  ends: true,
  run: (options, ctx): PredeliveryDecision => {
    const frame = frameOf(ctx, 'queue');
    return { kind: 'Queue', options: readQueueOptions(options, frame, ctx), ...metadataChange(frame) };
  },
});

const Reschedule = builtin({
  name: 'Reschedule',
  summary: 'Older name of Queue, with the delay as an argument of its own.',
  group: 'actions',
  example: [
    'if (strftime("%H") < "06")',
    '  Reschedule(3600, ["increment_retry" => false]);',
    '// Queue {"incrementRetry":false,"delaySeconds":3600}',
  ].join('\n'),
  params: [
    { name: 'delay', type: 'number', doc: 'Seconds until the next attempt.' },
    { name: 'options', type: 'options', optional: true, keys: queueOptionKeys },
  ],
  returns: 'none',
  ends: true,
  deprecated: 'Queue',
  run: (delay, options, ctx): PredeliveryDecision => {
    const frame = frameOf(ctx, 'queue');
    const queueOptions = readQueueOptions({ ...options, delay }, frame, ctx);
    return { kind: 'Queue', options: queueOptions, ...metadataChange(frame) };
  },
});

const reasonKey = { type: 'string|none', doc: 'Why: the diagnostic text.' } as const;

const Bounce = builtin({
  name: 'Bounce',
  summary: 'Does not try: the postdelivery hook decides with the default action BOUNCE.',
  group: 'actions',
  example: [
    'if ($arguments["retry"] > 2)',
    '  Bounce(["reason" => "Nobody has ever answered there", "dsn" => ["original_headers" => false]]);',
    '// Bounce {"dsn":{"originalHeaders":false},"reason":"Nobody has ever answered there"}',
  ].join('\n'),
  params: [{ name: 'options', type: 'options', optional: true, keys: { reason: reasonKey, dsn: dsnKey } }],
  returns: 'none',
  ends: true,
  run: ({ reason, dsn }, ctx): PredeliveryDecision => {
    const frame = frameOf(ctx, 'queue');
    return {
      kind: 'Bounce',
      ...present({ reason: reason ?? undefined, dsn: readDsnOptions('Bounce', dsn, ctx) ?? frame.notice }),
      ...metadataChange(frame),
    };
  },
});

const Delete = builtin({
  name: 'Delete',
  summary: 'Does not try: the postdelivery hook decides with the default action DELETE.',
  group: 'actions',
  example: [
    'if ($message["sender"] == "alice@example.com")',
    '  Delete(["reason" => "Alice has called it back"]);',
    '// Delete {"reason":"Alice has called it back"}',
  ].join('\n'),
  params: [{ name: 'options', type: 'options', optional: true, keys: { reason: reasonKey } }],
  returns: 'none',
  ends: true,
  run: ({ reason }, ctx): PredeliveryDecision => ({
    kind: 'Delete',
    ...present({ reason: reason ?? undefined }),
    ...metadataChange(frameOf(ctx, 'queue')),
  }),
});

/** Runs each time a message is picked for an attempt, before its next hop is resolved. */
export const predelivery = definePhase<PredeliveryDecision>({
  name: 'predelivery',
  summary: 'Runs each time a message is picked for an attempt, before its next hop is resolved.',
  variables: [
    argumentsVariable({ retry: 'Number of attempts so far, 0 before the first.' }),
    $message,
    { ...$context, summary: 'Free for the script: the postdelivery hook of this attempt finds it.' },
  ],
  declarations: [Try, Queue, Bounce, Delete, Reschedule, ...metadataFunctions],
  atEndOfScript: { kind: 'Try', options: {} },
  onScriptError: {
    kind: 'Queue',
    options: {
      hold: false,
      delaySeconds: 300,
      incrementRetry: false,
      resetRetry: false,
      reason: 'predelivery script error',
    },
  },
});

/** `$arguments` of the predelivery hook. */
export function predeliveryArguments(retry: number): HslArray {
  const value = HslArray.empty();
  value.set('retry', retry);
  return value;
}
