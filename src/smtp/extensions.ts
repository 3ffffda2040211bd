// The extensions this server speaks, each with the parameters it brings to MAIL and RCPT.
//
//   PIPELINING           RFC 2920   replies are collected and written at once
//   SIZE                 RFC 1870   MAIL: SIZE=n
//   8BITMIME             RFC 6152   MAIL: BODY=7BIT or 8BITMIME
//   ENHANCEDSTATUSCODES  RFC 2034
//   DSN                  RFC 3461   only when a helo script announces it. MAIL: RET, ENVID; RCPT: NOTIFY, ORCPT
//
// A parameter named like an extension that a script announced is taken as it is: the script knows what it means.

import { type DsnParameters, isNotifyList } from '#stdlib';
import type { SmtpServerOptions } from './options.js';
import type { PathParameters } from './paths.js';
import { replies } from './replies.js';
import { type Reply, reply } from './reply.js';

interface ParameterRule {
  /** Taken when this is announced; absent: always. */
  readonly extension?: string;
  readonly isValid: (value: string) => boolean;
}

const xtext = /^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-Fa-f]{2})*$/;

const mailParameters: Readonly<Record<string, ParameterRule>> = {
  SIZE: { isValid: (value) => /^[0-9]{1,20}$/.test(value) },
  BODY: { isValid: (value) => /^(?:7BIT|8BITMIME)$/i.test(value) },
  RET: { extension: 'DSN', isValid: (value) => /^(?:FULL|HDRS)$/i.test(value) },
  ENVID: { extension: 'DSN', isValid: (value) => value.length <= 100 && xtext.test(value) },
};

const rcptParameters: Readonly<Record<string, ParameterRule>> = {
  NOTIFY: { extension: 'DSN', isValid: isNotifyList },
  ORCPT: { extension: 'DSN', isValid: (value) => /^[A-Za-z0-9-]+;/.test(value) && xtext.test(value) },
};

/** What EHLO announces unless a script says otherwise. */
export function announcedExtensions({ pipelining, eightBitMime, limits }: SmtpServerOptions): string[] {
  const extensions: string[] = [];
  if (pipelining) extensions.push('PIPELINING');
  extensions.push(limits.messageBytes > 0 ? `SIZE ${limits.messageBytes}` : 'SIZE');
  if (eightBitMime) extensions.push('8BITMIME');
  extensions.push('ENHANCEDSTATUSCODES');
  return extensions;
}

/** Looks at the parameters of MAIL; undefined when there is nothing to say against them. */
export function refuseMailParameters(
  params: PathParameters,
  announced: readonly string[],
  mostBytes: number,
): Reply | undefined {
  const refusal = refuseParameters(params, mailParameters, announced);
  if (refusal !== undefined) return refusal;
  const size = params['SIZE'];
  return size !== undefined && mostBytes > 0 && Number(size) > mostBytes ? replies.tooBig : undefined;
}

/** Looks at the parameters of RCPT. */
export function refuseRcptParameters(
  params: PathParameters,
  announced: readonly string[],
): Reply | undefined {
  return refuseParameters(params, rcptParameters, announced);
}

function refuseParameters(
  params: PathParameters,
  rules: Readonly<Record<string, ParameterRule>>,
  announced: readonly string[],
): Reply | undefined {
  for (const keyword in params) {
    const rule = Object.hasOwn(rules, keyword) ? rules[keyword] : undefined;
    if (rule === undefined || (rule.extension !== undefined && !isAnnounced(announced, rule.extension))) {
      if (rule === undefined && isAnnounced(announced, keyword)) continue;
      return reply(555, [5, 5, 4], `The parameter ${keyword.slice(0, 40)} is not known here`);
    }
    if (!rule.isValid(params[keyword]!)) return replies.badParameter;
  }
  return undefined;
}

function isAnnounced(announced: readonly string[], keyword: string): boolean {
  return announced.some((extension) => extension.split(' ', 1)[0]!.toUpperCase() === keyword);
}

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

function decodeXtext(text: string): string {
  return text.replace(/\+([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
