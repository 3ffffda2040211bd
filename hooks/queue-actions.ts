// What both hooks of the queue have: Queue with its options, and the message's metadata.

import { type Builtin, builtin, type CallContext, type HslArray, type OptionKeys, ScriptFault } from '#lang';
import { stringMapToValue, valueToStringList, valueToStringMap } from '#stdlib';
import { dsnKey, readDsnOptions } from './dsn-options.js';
import { frameOf, type QueueFrame } from './frame.js';
import { checkTransport } from './known-transport.js';
import { present } from './outcome.js';
import type { MetaDataChange, QueueOptions } from './outcomes.js';

/** The options of Queue, as the script wrote them. */
export const queueOptionKeys = {
  hold: { type: 'boolean', default: false, doc: 'Go on hold.' },
  delay: { type: 'number|none', doc: 'Seconds until the next attempt; default is by the retry table.' },
  reason: { type: 'string|none', doc: 'Why; logged and shown with the message.' },
  increment_retry: { type: 'boolean', default: true, doc: 'Count this as an attempt.' },
  reset_retry: { type: 'boolean', default: false, doc: 'Set the retry count back to 0.' },
  transportid: { type: 'string|none', doc: 'Another transport from now on.' },
  quotas: { type: 'array', doc: 'Other quota names from now on.' },
  metadata: { type: 'array', doc: 'Other metadata from now on: string => string.' },
  jobid: { type: 'string|none', doc: 'Another job id from now on; "" is none.' },
  tenantid: { type: 'string|none', doc: 'Another tenant id from now on; "" is none.' },
  dsn: dsnKey,
  dsn_delayed: {
    type: 'boolean|none',
    doc: 'Tell the sender now that it takes longer, unless that is the null sender or NOTIFY is NEVER; false: do not. Default: when an interval of the retry table with `notify` begins.',
  },
} as const satisfies OptionKeys;

interface WrittenQueueOptions {
  readonly hold: boolean;
  readonly delay: number | null | undefined;
  readonly reason: string | null | undefined;
  readonly increment_retry: boolean;
  readonly reset_retry: boolean;
  readonly transportid: string | null | undefined;
  readonly quotas: HslArray | undefined;
  readonly metadata: HslArray | undefined;
  readonly jobid: string | null | undefined;
  readonly tenantid: string | null | undefined;
  readonly dsn: HslArray | null | undefined;
  readonly dsn_delayed: boolean | null | undefined;
}

/** Queue's options as the queue takes them. @throws ScriptFault */
export function readQueueOptions(
  written: WrittenQueueOptions,
  frame: QueueFrame,
  ctx: CallContext,
): QueueOptions {
  const { delay, metadata, quotas, transportid } = written;
  if (typeof delay === 'number' && !(delay >= 0 && delay < Number.POSITIVE_INFINITY))
    throw new ScriptFault(`Queue: "delay" is ${delay}; expected seconds from 0`);
  if (typeof transportid === 'string') checkTransport(transportid, 'Queue: "transportid"', ctx);
  if (metadata !== undefined) setMetadata(frame, valueToStringMap(metadata, 'Queue: "metadata"'));
  return {
    hold: written.hold,
    incrementRetry: written.increment_retry,
    resetRetry: written.reset_retry,
    ...present({
      delaySeconds: delay ?? undefined,
      reason: written.reason ?? undefined,
      transportId: transportid ?? undefined,
      quotas: quotas === undefined ? undefined : valueToStringList(quotas, 'Queue: "quotas"'),
      jobId: written.jobid ?? undefined,
      tenantId: written.tenantid ?? undefined,
      dsn: readDsnOptions('Queue', written.dsn, ctx) ?? frame.notice,
      dsnDelayed: written.dsn_delayed ?? undefined,
    }),
  };
}

/** What an outcome says beside its action. */
export function metadataChange({ metadata, metadataChanged, notice }: QueueFrame): MetaDataChange {
  return { ...(metadataChanged ? { metadata } : {}), ...(notice === undefined ? {} : { notice }) };
}

function setMetadata(frame: QueueFrame, metadata: Readonly<Record<string, string>>): void {
  frame.metadata = metadata;
  frame.metadataChanged = true;
}

const SetMetaData = builtin({
  name: 'SetMetaData',
  summary: "Replaces the message's metadata.",
  group: 'queue',
  example: [
    'SetMetaData([...GetMetaData(), "seen" => "yes"]);',
    'echo json_encode(GetMetaData());  // {"campaign":"spring","seen":"yes"}',
  ].join('\n'),
  params: [{ name: 'metadata', type: 'array', doc: 'string => string.' }],
  returns: 'none',
  errors: 'Exception when a value is no string.',
  run: (metadata, ctx) => {
    setMetadata(frameOf(ctx, 'queue'), valueToStringMap(metadata, 'SetMetaData'));
    return null;
  },
});

const GetMetaData = builtin({
  name: 'GetMetaData',
  summary: "The message's metadata; an empty array when it has none.",
  group: 'queue',
  example: 'echo GetMetaData()["campaign"];  // spring',
  params: [],
  returns: 'array',
  run: (ctx) => stringMapToValue(frameOf(ctx, 'queue').metadata),
});

const SetDSN = builtin({
  name: 'SetDSN',
  summary: 'Older way to say how a notification is to look that comes of this run, or of its attempt.',
  details:
    'The option `dsn` of Bounce() and Queue() took its place; an action that has one does as that says. Postdelivery takes the place of what predelivery said. It is not kept for ' +
    'the next attempt.',
  group: 'queue',
  example: [
    'SetDSN(["from_name" => "Example Mail", "subject_prepend" => "Sorry: "]);',
    'echo "To be told, if at all: " . $message["sender"];  // To be told, if at all: alice@example.com',
  ].join('\n'),
  params: [{ name: 'options', type: 'array', doc: 'As the option `dsn` of Bounce() and Queue().' }],
  returns: 'none',
  errors: 'Exception for an option that makes no sense.',
  source: 'hooks 12.2',
  run: (options, ctx) => {
    frameOf(ctx, 'queue').notice = readDsnOptions('SetDSN', options, ctx) ?? {};
    return null;
  },
});

/** Functions of both hooks. */
export const metadataFunctions: readonly Builtin[] = [SetMetaData, GetMetaData, SetDSN];

/** The frame of one run. */
export function queueFrame(metadata: Readonly<Record<string, string>>, isDelivered: boolean): QueueFrame {
  return { kind: 'queue', metadata, metadataChanged: false, isDelivered };
}
