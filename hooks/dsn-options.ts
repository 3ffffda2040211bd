// The `dsn` option of Queue and Bounce in both hooks of the queue: how the notification that the action makes is to look, by whom
// it is sent, and to whom (hooks 15). One declaration for all four actions.

import {
  type CallContext,
  type HslArray,
  HslObject,
  type OptionKey,
  type OptionKeys,
  ScriptFault,
  type Value,
} from '#lang';
import {
  type Address,
  isFieldName,
  mimePartText,
  parseHeaderSection,
  type SignatureRequest,
  signatureRequestsOfArray,
  traitsOf,
  valueToAddress,
  valueToStringList,
  valueToStringMap,
} from '#stdlib';
import { checkTransport } from './known-transport.js';
import { takeOption } from './nested-options.js';
import { present } from './outcome.js';

/** How one notification differs from what is made without a word. All texts are bytes. */
export interface DsnOptions {
  readonly transportId?: string;
  /** Who gets it; absent: the sender of the message. */
  readonly recipient?: Address;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly from?: Address;
  readonly fromName?: string;
  readonly signatures?: readonly SignatureRequest[];
  readonly jobId?: string;
  readonly tenantId?: string;
  readonly priority?: 0 | 1;
  readonly quotas?: readonly string[];
  readonly hold?: boolean;
  readonly delaySeconds?: number;
  /** Takes the place of the first part: header, empty line, body. */
  readonly readablePart?: string;
  /** False: neither the header nor the message is returned, unless `originalMessage` says so. */
  readonly originalHeaders?: boolean;
  /** Absent: as RET says. */
  readonly originalMessage?: boolean;
  readonly subject?: string;
  readonly subjectPrepend?: string;
  /** What the readable part says besides. */
  readonly reason?: string;
  /** Fields above the report; one that the report has anyway takes its place. */
  readonly headers?: readonly HeaderLine[];
}

/** A header field as a script wrote it. */
export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** The keys of `dsn`, as the script writes them. */
export const dsnOptionKeys = {
  transportid: {
    type: 'string|none',
    doc: "Transport that carries the notification. Default: the `dsn.transport` of the message's transport, else that transport.",
  },
  recipient: {
    type: 'string|array|none',
    doc: 'Who gets it: text, or an array with `localpart` and `domain`. Default: the sender of the message.',
  },
  metadata: { type: 'array|none', doc: 'Metadata of the notification: string => string.' },
  from: {
    type: 'string|array|none',
    doc: "Address in From. Default: the transport's `dsn.from`, else MAILER-DAEMON at the hostname.",
  },
  from_name: { type: 'string|none', doc: 'Name in From. Default: "Mail Delivery System".' },
  dkim: {
    type: 'array|none',
    doc: 'Sign it: an array with `selector`, `domain`, `key` and any option of signDKIM.',
  },
  jobid: { type: 'string|none', doc: 'Job id of the notification.' },
  readable_mimepart: {
    type: 'string|object|none',
    doc: 'A whole MIME part in place of the text for people: a MIME, or a text with header, empty line and body, as `MIME()->toString()` makes it.',
  },
  original_headers: { type: 'boolean', default: true, doc: 'Return the header of the message.' },
  original_message: {
    type: 'boolean|none',
    doc: 'Return the whole message, up to 1 MiB. Default: what RET asked for; only the header in a notification of delay or success.',
  },
  subject_prepend: { type: 'string|none', doc: 'Put before the subject.' },
  headers: { type: 'array|none', doc: 'More fields of the header: texts such as "Name: value".' },
  subject: {
    type: 'string|none',
    doc: "The subject. Default: the transport's `dsn.subject`, else a sentence.",
  },
  reason: { type: 'string|none', doc: 'A sentence that the text for people says besides.' },
  tenantid: { type: 'string|none', doc: 'Tenant id of the notification.' },
  priority: { type: 'number|none', oneOf: [0, 1, null], doc: 'Priority of the notification; 0.' },
  quotas: { type: 'array|none', doc: 'Names whose usage the notification raises.' },
  hold: { type: 'boolean', default: false, doc: 'The notification goes on hold.' },
  delay: { type: 'number|none', doc: 'Seconds before it is sent.' },
} as const satisfies OptionKeys;

/** The option itself, in a declaration. */
export const dsnKey = {
  type: 'array|none',
  keys: dsnOptionKeys,
  doc: 'How the notification that is made now is to look, and how it goes on its way (hooks 15).',
} as const satisfies OptionKey;

/** Bytes of a part that a script may hand in: as many as are returned of a message. */
const MOST_PART_BYTES = 1024 * 1024;
/** RFC 5322 §2.1.1. */
const LONGEST_LINE = 998;
/** Fields that say how the report is built. */
const STRUCTURE = /^(?:content-.*|mime-version)$/i;

/** Reads the `dsn` option of an action. @throws ScriptFault for a value that makes no sense */
export function readDsnOptions(
  action: string,
  given: HslArray | null | undefined,
  ctx: CallContext,
): DsnOptions | undefined {
  if (given === undefined || given === null) return undefined;
  const where = (name: string) => `${action}: "${name}" in "dsn"`;
  const take = (name: keyof typeof dsnOptionKeys) =>
    takeOption(dsnOptionKeys[name], given.get(name), where(name));
  const text = (name: keyof typeof dsnOptionKeys) => take(name) as string | undefined;
  const array = (name: keyof typeof dsnOptionKeys) => take(name) as HslArray | undefined;
  const address = (name: 'recipient' | 'from') => {
    const value = take(name) as Value | undefined;
    return value === undefined ? undefined : readAddress(value, where(name));
  };
  const metadata = array('metadata');
  const quotas = array('quotas');
  const headers = array('headers');
  const dkim = array('dkim');
  const part = take('readable_mimepart');
  const transportId = text('transportid');
  if (transportId !== undefined) checkTransport(transportId, where('transportid'), ctx);
  return present({
    transportId,
    recipient: address('recipient'),
    metadata: metadata && valueToStringMap(metadata, where('metadata')),
    from: address('from'),
    fromName: text('from_name'),
    signatures: dkim && readSignatures(dkim, `"dkim" in "dsn" of ${action}`, ctx),
    jobId: text('jobid'),
    tenantId: text('tenantid'),
    priority: take('priority') as 0 | 1 | undefined,
    quotas: quotas && valueToStringList(quotas, where('quotas')),
    hold: (take('hold') as boolean | undefined) || undefined,
    delaySeconds: readDelay(take('delay') as number | undefined, where('delay')),
    readablePart:
      part === undefined || part === null ? undefined : readPart(part, where('readable_mimepart'), ctx),
    originalHeaders: take('original_headers') === false ? false : undefined,
    originalMessage: take('original_message') as boolean | undefined,
    subject: text('subject'),
    subjectPrepend: text('subject_prepend'),
    reason: text('reason'),
    headers: headers && readHeaders(headers, where('headers')),
  });
}

function readAddress(value: Value, what: string): Address {
  const { localPart, domain } = valueToAddress(value, what);
  if (localPart === '') throw new ScriptFault(`${what} is empty; expected an address`);
  return { localPart, domain };
}

function readDelay(seconds: number | undefined, what: string): number | undefined {
  if (seconds === undefined || (seconds >= 0 && seconds < Number.POSITIVE_INFINITY)) return seconds;
  throw new ScriptFault(`${what} is ${seconds}; expected seconds from 0`);
}

function readSignatures(dkim: HslArray, what: string, ctx: CallContext): readonly SignatureRequest[] {
  const requests = signatureRequestsOfArray(dkim, what, ctx);
  if (requests !== undefined) return requests;
  throw new ScriptFault(
    `${what} cannot sign: the selector, the domain or the identity cannot stand in a signature, or the key cannot be read, is too short, or does not fit the algorithm`,
  );
}

function readHeaders(lines: HslArray, what: string): HeaderLine[] {
  return valueToStringList(lines, what).map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim();
    if (!isFieldName(name))
      throw new ScriptFault(`${what} has "${line.slice(0, 80)}" in it; expected lines such as "Name: value"`);
    if (STRUCTURE.test(name))
      throw new ScriptFault(
        `${what} has the field "${name}" in it, which says how the notification is built; it cannot be another`,
      );
    const value = line.slice(colon + 1).replace(/\r?\n$/, '');
    if (/[\r\n](?![ \t]|\n[ \t])|\x00/.test(value))
      throw new ScriptFault(
        `${what}: the field "${name}" has a line end in it that would begin another field; one blank must follow it`,
      );
    return { name, value: value.trim() };
  });
}

/** Lines end with CR LF in the report; here both ways are taken. */
function readPart(written: Value, what: string, ctx: CallContext): string {
  const part = written instanceof HslObject ? mimePartText(written, ctx) : String(written);
  if (part === undefined) throw new ScriptFault(`${what} must be a MIME or a text, not another object`);
  if (part.length > MOST_PART_BYTES)
    throw new ScriptFault(`${what} has ${part.length} bytes; at most ${MOST_PART_BYTES} are possible`);
  const bytes = Buffer.from(part, 'latin1');
  const { fields, isClosed } = parseHeaderSection(bytes);
  if (!isClosed || fields.some(({ name }) => name === ''))
    throw new ScriptFault(
      `${what} is no MIME part; expected header lines, an empty line and a body, as MIME()->toString() makes them`,
    );
  const { unsafe, longestLine } = traitsOf(bytes);
  if (unsafe > 0)
    throw new ScriptFault(`${what} has a NUL or a lone CR in it; encode its body, as MIME() does`);
  if (longestLine > LONGEST_LINE)
    throw new ScriptFault(
      `${what} has a line of ${longestLine} bytes; at most ${LONGEST_LINE} can be sent; encode its body, as MIME() does`,
    );
  return part;
}
