// From the arguments of an action to an outcome (outcomes.ts), and from an outcome to the reply it means. A wrong use of
// an action is the script's mistake and is told to the script.

import { HslArray, type OptionKey, type Parameter, ScriptFault, type Value } from '#lang';
import type { EnhancedStatus, ReplyWish } from './outcomes.js';
import type { DefaultReply } from './phase.js';

/** More lines than this are no reply but a mistake. */
const mostReplyLines = 100;

// --- Parts of action declarations ---------------------------------------------------------------------------------

/** First parameter of Reject and Defer. */
export const reasonParameter = {
  name: 'reason',
  type: 'string|array|none',
  default: null,
  doc: 'Text of the reply: a string is split at line feeds, an array is one line for each element.',
} as const satisfies Parameter;

export const reasonKey = {
  type: 'string|array|none',
  doc: 'Text of the reply: a string is split at line feeds, an array is one line for each element.',
} as const satisfies OptionKey;

export const replyCodesKey = {
  type: 'array',
  doc: '`code` (number) and `enhanced` (three numbers); what is missing keeps its default.',
} as const satisfies OptionKey;

export const disconnectKey = {
  type: 'boolean',
  default: false,
  doc: 'Close the connection after the reply.',
} as const satisfies OptionKey;

// --- Arguments → outcome --------------------------------------------------------------------------------------------

/** The classes of codes that an action may ask for. */
const codeClasses = {
  Accept: { from: 200, to: 399, words: '200 to 399' },
  Reject: { from: 400, to: 599, words: '400 to 599' },
  Defer: { from: 400, to: 599, words: '400 to 599' },
  Reply: { from: 200, to: 599, words: '200 to 599' },
  recipients: { from: 200, to: 599, words: '200 to 299 or 400 to 599' },
} as const;

/** What a script asked the reply to be. @throws ScriptFault */
export function readReplyWish(
  action: keyof typeof codeClasses,
  reason: string | HslArray | null | undefined,
  replyCodes: HslArray | undefined,
  disconnect = false,
): ReplyWish {
  const code = replyCodes?.get('code') ?? null;
  const enhanced = replyCodes?.get('enhanced') ?? null;
  return present({
    reason: readReason(action, reason),
    code: code === null ? undefined : readCode(action, code),
    enhanced: enhanced === null ? undefined : readEnhanced(action, enhanced),
    disconnect: disconnect || undefined,
  });
}

function readReason(action: string, reason: string | HslArray | null | undefined): string[] | undefined {
  if (reason === null || reason === undefined) return undefined;
  const texts = typeof reason === 'string' ? [reason] : reason.toList();
  const lines: string[] = [];
  for (const text of texts) {
    if (typeof text !== 'string') throw new ScriptFault(`${action}: "reason" must hold strings only`);
    lines.push(...text.replaceAll('\r', '').split('\n'));
  }
  // A text that ends with a line feed does not ask for an empty last line.
  if (lines.length > 1 && lines.at(-1) === '') lines.pop();
  if (lines.length > mostReplyLines)
    throw new ScriptFault(
      `${action}: "reason" has ${lines.length} lines; at most ${mostReplyLines} are possible`,
    );
  return lines.length === 0 ? undefined : lines;
}

function readCode(action: keyof typeof codeClasses, code: Value): number {
  const { from, to, words } = codeClasses[action];
  // After a message there is nothing to go on with: 3xx would leave the client waiting.
  const isMisplaced = action === 'recipients' && typeof code === 'number' && code >= 300 && code < 400;
  if (typeof code !== 'number' || !Number.isInteger(code) || code < from || code > to || isMisplaced)
    throw new ScriptFault(`${action}: "code" in "reply_codes" is ${described(code)}; expected ${words}`);
  return code;
}

function readEnhanced(action: string, enhanced: Value): EnhancedStatus {
  const numbers = enhanced instanceof HslArray ? enhanced.toList() : [];
  const [statusClass, subject, detail] = numbers;
  if (numbers.length === 3 && isClass(statusClass) && isDetail(subject) && isDetail(detail))
    return [statusClass, subject, detail];
  throw new ScriptFault(
    `${action}: "enhanced" in "reply_codes" must be three numbers such as [5, 7, 1] (RFC 3463)`,
  );
}

function isClass(value: Value | undefined): value is number {
  return value === 2 || value === 4 || value === 5;
}

function isDetail(value: Value | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 999;
}

function described(value: Value): string {
  return typeof value === 'object' ? 'no number' : String(value);
}

/** The record without the keys whose value is undefined. */
export function present<T extends object>(record: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept: Partial<T> = {};
  for (const key in record) if (record[key] !== undefined) kept[key] = record[key];
  return kept as { [K in keyof T]: Exclude<T[K], undefined> };
}

// --- Outcome → reply ------------------------------------------------------------------------------------------------

/** What goes into one reply. */
export interface ReplyParts {
  readonly code: number;
  readonly enhanced: EnhancedStatus | undefined;
  readonly lines: readonly string[];
}

/** The default reply with what the script wished instead. */
export function replyParts(defaults: DefaultReply, wish: ReplyWish): ReplyParts {
  const code = wish.code ?? defaults.code;
  let { enhanced } = wish;
  if (enhanced === undefined && defaults.enhanced !== undefined) {
    // A 450 must not carry 5.7.1: the default follows the class of the code, and 3xx has none (RFC 2034 §4).
    const statusClass = Math.trunc(code / 100);
    if (statusClass !== 3) enhanced = [statusClass, defaults.enhanced[1], defaults.enhanced[2]];
  }
  return { code, enhanced, lines: wish.reason ?? [defaults.text] };
}
