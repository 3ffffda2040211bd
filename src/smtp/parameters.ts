// The parameters of MAIL and RCPT: which are taken, when, and what they may say. Nothing is done with them here; scripts
// find them as sent in `params`, the rest of the engine asks for the few it needs.
//
//   MAIL  SIZE                 RFC 1870       RCPT  NOTIFY  ORCPT   RFC 3461, 6533 (DSN)
//         BODY                 RFC 6152
//         SMTPUTF8             RFC 6531
//         AUTH                 RFC 4954
//         RET  ENVID           RFC 3461 (DSN)
//         BY                   RFC 2852 (DELIVERBY)
//         HOLDFOR  HOLDUNTIL   RFC 4865 (FUTURERELEASE)
//         MT-PRIORITY          RFC 6710
//         REQUIRETLS           RFC 8689
//
// A parameter counts when its extension was announced in this session. A parameter named like an extension that a script
// announced is taken as it is, unless the engine speaks that extension itself: the script knows what it means.

import { type DsnParameters, isNotifyList } from '#stdlib';
import { announcedValues, isAnnounced } from './extensions.js';
import type { PathParameters } from './paths.js';
import { replies } from './replies.js';
import { type Reply, reply } from './reply.js';

interface ParameterRule {
  /** Taken when this is announced. */
  readonly extension: string;
  readonly isValid: (value: string) => boolean;
}

const xtext = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*$/i;
/** RFC 6533 §3: xtext, and in a transaction with SMTPUTF8 the characters themselves. */
const utf8Xtext = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e\x80-\xff]|\+[0-9A-F]{2})*$/i;
const byValue = /^([+-]?[0-9]{1,9});([NR])(T?)$/i;
/** RFC 3339 §5.6. */
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

const isAbsent = (value: string) => value === '';

const mailRules: Readonly<Record<string, ParameterRule>> = {
  SIZE: { extension: 'SIZE', isValid: (value) => /^[0-9]{1,20}$/.test(value) },
  // BINARYMIME is never announced: a message without lines could be given to hardly any next hop.
  BODY: { extension: '8BITMIME', isValid: (value) => /^(?:7BIT|8BITMIME)$/i.test(value) },
  SMTPUTF8: { extension: 'SMTPUTF8', isValid: isAbsent },
  AUTH: { extension: 'AUTH', isValid: (value) => value.length <= 500 && value !== '' && xtext.test(value) },
  RET: { extension: 'DSN', isValid: (value) => /^(?:FULL|HDRS)$/i.test(value) },
  ENVID: {
    extension: 'DSN',
    // RFC 3461 §4.4: reports have to name it, so that it is text, and ASCII.
    isValid: (value) =>
      value.length <= 100 && xtext.test(value) && /^[\t\x20-\x7e]*$/.test(decodeXtext(value)),
  },
  BY: { extension: 'DELIVERBY', isValid: isByValue },
  HOLDFOR: { extension: 'FUTURERELEASE', isValid: (value) => /^[1-9][0-9]{0,8}$/.test(value) },
  HOLDUNTIL: { extension: 'FUTURERELEASE', isValid: (value) => timeOf(value) !== undefined },
  'MT-PRIORITY': { extension: 'MT-PRIORITY', isValid: (value) => /^(?:-?[1-9]|0)$/.test(value) },
  REQUIRETLS: { extension: 'REQUIRETLS', isValid: isAbsent },
};

const rcptRules: Readonly<Record<string, ParameterRule>> = {
  NOTIFY: { extension: 'DSN', isValid: isNotifyList },
  ORCPT: {
    extension: 'DSN',
    // RFC 3461 §4.2: text, likewise.
    isValid: (value) =>
      value.length <= 500 &&
      /^[A-Za-z0-9-]+;./.test(value) &&
      utf8Xtext.test(value) &&
      !/[\x00-\x08\x0a-\x1f\x7f]/.test(decodeXtext(value)),
  },
};

/** Extensions with parameters of their own, or none: a parameter of that name is nobody's. */
const ownExtensions: ReadonlySet<string> = new Set(
  '8BITMIME AUTH CHUNKING DELIVERBY DSN ENHANCEDSTATUSCODES ETRN FUTURERELEASE HELP LIMITS MT-PRIORITY PIPELINING REQUIRETLS SIZE SMTPUTF8 STARTTLS XCLIENT'.split(
    ' ',
  ),
);

/** What the parameters are judged by. */
export interface ParameterContext {
  /** Extensions of this session, each with its values. */
  readonly announced: readonly string[];
  /** The longest message; 0 = no limit. */
  readonly mostBytes: number;
  readonly unixSeconds: () => number;
  /** Whether the spool can take a message of that size. */
  readonly hasRoomFor: (sizeBytes: number) => boolean;
}

/** Looks at the parameters of MAIL; undefined when there is nothing to say against them. */
export function refuseMailParameters(params: PathParameters, context: ParameterContext): Reply | undefined {
  return (
    refuseParameters(params, mailRules, context.announced) ??
    refuseSize(params, context) ??
    refuseHold(params, context) ??
    refuseDeliverBy(params, context)
  );
}

/** Looks at the parameters of RCPT. */
export function refuseRcptParameters(
  params: PathParameters,
  { announced }: Pick<ParameterContext, 'announced'>,
): Reply | undefined {
  return refuseParameters(params, rcptRules, announced);
}

function refuseParameters(
  params: PathParameters,
  rules: Readonly<Record<string, ParameterRule>>,
  announced: readonly string[],
): Reply | undefined {
  for (const keyword in params) {
    const rule = Object.hasOwn(rules, keyword) ? rules[keyword]! : undefined;
    const isKnown =
      rule === undefined
        ? !ownExtensions.has(keyword) && isAnnounced(announced, keyword)
        : isAnnounced(announced, rule.extension);
    if (!isKnown) return reply(555, [5, 5, 4], `The parameter ${keyword.slice(0, 40)} is not known here`);
    if (rule !== undefined && !rule.isValid(params[keyword]!)) return replies.badParameter;
  }
  return undefined;
}

/** RFC 1870 §6.1: better said before the transfer than after it. */
function refuseSize(
  { SIZE }: PathParameters,
  { mostBytes, hasRoomFor }: ParameterContext,
): Reply | undefined {
  if (SIZE === undefined) return undefined;
  if (mostBytes > 0 && Number(SIZE) > mostBytes) return replies.tooBig;
  return hasRoomFor(Number(SIZE)) ? undefined : replies.noSpace;
}

/** RFC 4865 §4: one of the two, and within what was announced (`FUTURERELEASE seconds date`). */
function refuseHold(params: PathParameters, { announced, unixSeconds }: ParameterContext): Reply | undefined {
  const { HOLDFOR, HOLDUNTIL } = params;
  if (HOLDFOR === undefined && HOLDUNTIL === undefined) return undefined;
  if (HOLDFOR !== undefined && HOLDUNTIL !== undefined) return replies.badParameter;
  const [longest, latest] = announcedValues(announced, 'FUTURERELEASE') ?? [];
  const until = timeOf(HOLDUNTIL) ?? unixSeconds() + Number(HOLDFOR);
  const isTooFar =
    (longest !== undefined && /^[0-9]+$/.test(longest) && until > unixSeconds() + Number(longest)) ||
    until > (timeOf(latest) ?? Number.POSITIVE_INFINITY);
  return isTooFar ? replies.holdTooLong : undefined;
}

/** RFC 2852 §4: `R` gives the message back after that time, which must be possible (`DELIVERBY least-seconds`). */
function refuseDeliverBy({ BY }: PathParameters, { announced }: ParameterContext): Reply | undefined {
  const [, seconds, mode] = BY === undefined ? [] : (byValue.exec(BY) ?? []);
  if (seconds === undefined || mode?.toUpperCase() !== 'R') return undefined;
  const [least] = announcedValues(announced, 'DELIVERBY') ?? [];
  const isTooSoon = least !== undefined && /^[0-9]+$/.test(least) && Number(seconds) < Number(least);
  return isTooSoon ? replies.deliverBySooner : undefined;
}

function isByValue(value: string): boolean {
  const match = byValue.exec(value);
  return match !== null && (match[2]!.toUpperCase() === 'N' || Number(match[1]) > 0);
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined || !dateTime.test(text)) return undefined;
  const milliseconds = Date.parse(text.toUpperCase());
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}

// --- What an envelope without a script asks for -------------------------------------------------------------------

/** The DSN parameters of an envelope, decoded: for mail that no script queues. */
export function dsnOfEnvelope(mail: PathParameters = {}, rcpt: PathParameters = {}): DsnParameters {
  const dsn: { -readonly [K in keyof DsnParameters]: DsnParameters[K] } = {};
  const ret = mail['RET']?.toUpperCase();
  if (ret === 'FULL' || ret === 'HDRS') dsn.ret = ret;
  if (mail['ENVID'] !== undefined) dsn.envid = decodeXtext(mail['ENVID']);
  if (rcpt['NOTIFY'] !== undefined) dsn.notify = rcpt['NOTIFY'].toUpperCase();
  if (rcpt['ORCPT'] !== undefined) dsn.orcpt = decodeXtext(rcpt['ORCPT']);
  return dsn;
}

/** For how long the sender wants the message to be held (RFC 4865): for mail that no script queues. */
export function delayOfEnvelope({ HOLDFOR, HOLDUNTIL }: PathParameters = {}, unixSeconds: number): number {
  if (HOLDFOR !== undefined) return Number(HOLDFOR);
  return Math.max(0, (timeOf(HOLDUNTIL) ?? 0) - unixSeconds);
}

function decodeXtext(text: string): string {
  return text.replace(/\+([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
