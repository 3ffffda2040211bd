// What scripts write about header fields, as complete fields: the same for messages that came in and messages in the making.

import { type CallContext, type OptionKey, ScriptFault } from '#lang';
import { FARTHEST_SECONDS } from '../dates/calendar.js';
import { formatTime } from '../dates/strftime.js';
import { uuidV4 } from '../ids/uuid.js';
import { servicesOf } from '../services.js';
import { encodeField, isFieldName, rawField, type WordEncoding } from './mime/header-text.js';

export const encodeOption = {
  type: 'boolean',
  default: true,
  doc: 'Make encoded words of what is not ASCII, and fold. Without it the value goes in as it is.',
} as const satisfies OptionKey;

export const encodingOption = {
  type: 'string',
  oneOf: ['q', 'Q', 'quoted-printable', 'b', 'B', 'base64'],
  default: 'q',
  doc: 'How encoded words are written.',
} as const satisfies OptionKey;

/** The options of a call that writes a field. */
export interface FieldOptions {
  readonly encode: boolean;
  readonly encoding?: string;
}

/** @throws ScriptFault when the name cannot be a header name */
export function newField(
  called: string,
  name: string,
  value: string,
  { encode, encoding = 'q' }: FieldOptions,
): Buffer {
  checkFieldName(called, name);
  const words: WordEncoding = encoding[0]!.toLowerCase() === 'b' ? 'b' : 'q';
  return encode ? encodeField(name, value, words) : rawField(name, value);
}

/** @throws ScriptFault when the name cannot be a header name */
export function checkFieldName(called: string, name: string): void {
  if (!isFieldName(name))
    throw new ScriptFault(`${called}: "${name}" is no header name; expected printable ASCII without a colon`);
}

/** A Date field of that moment, in the local zone (RFC 5322 §3.3). @throws ScriptFault */
export function dateField(called: string, unixSeconds: number, ctx: CallContext): Buffer {
  if (!(Math.abs(unixSeconds) <= FARTHEST_SECONDS))
    throw new ScriptFault(`${called}: the time ${unixSeconds} is beyond the calendar`);
  const zone = servicesOf(ctx).timeZone();
  return Buffer.from(`Date: ${formatTime('%a, %d %b %Y %H:%M:%S %z', unixSeconds, zone)}\r\n`, 'latin1');
}

/** A boundary that nobody can guess and no encoded body can hold (`=_` is neither base64 nor quoted-printable). */
export function newBoundary(ctx: CallContext): string {
  return `=_${uuidV4(ctx.host.random.bytes(16))}`;
}
