// The one place where envelope records and script values are turned into each other.

import { HslArray, type OptionKeys, ScriptFault, type Value } from '#lang';
import { isDomain, isLocalPart, lowerCaseAscii, mailboxToText, textToMailbox } from './addresses/mailbox.js';
import type { Address, DsnParameters } from './envelope.js';

/**
 * Reads an address as scripts write it: text (`""` is the null sender), or an array with `localpart`, `domain` and
 * perhaps `params`. `what` names it in the error.
 * @throws ScriptFault
 */
export function valueToAddress(value: Value, what: string): Address {
  if (typeof value === 'string') {
    if (value === '') return { localPart: '', domain: '' };
    const mailbox = textToMailbox(value);
    if (mailbox === undefined)
      throw new ScriptFault(`${what} is no address: "${value}"; expected local@domain`);
    return mailbox;
  }
  if (!(value instanceof HslArray)) throw new ScriptFault(`${what} must be a string or an array`);
  const localPart = value.get('localpart') ?? null;
  const domain = value.get('domain') ?? null;
  if (typeof localPart !== 'string' || typeof domain !== 'string')
    throw new ScriptFault(`${what} needs the keys "localpart" and "domain", both strings`);
  if (!isLocalPart(localPart)) throw new ScriptFault(`${what} has a control character in its local part`);
  if (domain !== '' && !isDomain(domain)) throw new ScriptFault(`${what} has a bad domain: "${domain}"`);
  if (localPart === '' && domain !== '') throw new ScriptFault(`${what} has a domain and no local part`);
  const params = value.get('params');
  if (params === undefined || params === null) return { localPart, domain };
  return { localPart, domain, params: valueToParameters(params, what) };
}

/** `localpart` and `domain`, case as sent. */
export function addressToValue(address: Address): HslArray {
  const value = HslArray.empty();
  value.set('localpart', address.localPart);
  value.set('domain', address.domain);
  return value;
}

/** The whole address in lower case, `""` for the null sender. */
export function addressToLowerText(address: Address): string {
  return lowerCaseAscii(mailboxToText(address));
}

/** Reads an array of string => string. @throws ScriptFault */
export function valueToStringMap(value: Value, what: string): Record<string, string> {
  if (!(value instanceof HslArray)) throw new ScriptFault(`${what} must be an array of string => string`);
  const map: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [key, text] of value.entries()) {
    if (typeof text !== 'string')
      throw new ScriptFault(`${what}: the value of "${String(key)}" must be a string; use string() on it`);
    map[String(key)] = text;
  }
  return map;
}

/** An array of string => string. */
export function stringMapToValue(map: Readonly<Record<string, string>>): HslArray {
  const value = HslArray.empty();
  for (const key in map) value.set(key, map[key]!);
  return value;
}

/** Reads a list of strings. @throws ScriptFault */
export function valueToStringList(value: HslArray, what: string): string[] {
  const list: string[] = [];
  for (const text of value.values()) {
    if (typeof text !== 'string') throw new ScriptFault(`${what} must hold strings only`);
    list.push(text);
  }
  return list;
}

/** The keys of the `dsn` option of `queue()` and Try. */
export const dsnParameterKeys = {
  envid: { type: 'string|none', doc: "The sender's name for the message, decoded, up to 100 bytes." },
  ret: {
    type: 'string|none',
    doc: 'What a notification of failure returns: "FULL" the message, "HDRS" its header.',
  },
  notify: { type: 'string|none', doc: '"NEVER", or a list of SUCCESS, FAILURE and DELAY, with commas.' },
  orcpt: {
    type: 'string|none',
    doc: 'The recipient as the sender wrote it: type, semicolon and the address, decoded, up to 500 bytes.',
  },
} as const satisfies OptionKeys;

/** RFC 3461 §4.4 and §4.2. */
const LONGEST_ENVID = 100;
const LONGEST_ORCPT = 500;

/** Reads the `dsn` option of `queue()` and of Try. @throws ScriptFault */
export function valueToDsnParameters(value: HslArray, what: string): DsnParameters {
  const dsn: { -readonly [K in keyof DsnParameters]: DsnParameters[K] } = {};
  for (const [key, text] of value.entries()) {
    if (key !== 'envid' && key !== 'ret' && key !== 'notify' && key !== 'orcpt') continue;
    if (text === null) continue;
    if (typeof text !== 'string') throw new ScriptFault(`${what}: "${key}" must be a string`);
    switch (key) {
      case 'ret':
        dsn.ret = checkedRet(text, what);
        break;
      case 'notify':
        dsn.notify = checkedNotify(text, what);
        break;
      case 'orcpt':
        dsn.orcpt = checkedOriginalRecipient(text, what);
        break;
      default:
        dsn.envid = checkedLength(text, LONGEST_ENVID, `${what}: "envid"`);
    }
  }
  return dsn;
}

function checkedRet(text: string, what: string): 'FULL' | 'HDRS' | '' {
  const ret = text.toUpperCase();
  if (ret === 'FULL' || ret === 'HDRS' || ret === '') return ret;
  throw new ScriptFault(`${what}: "ret" is "${text}"; expected "FULL", "HDRS" or ""`);
}

/** What stands before the semicolon goes over the wire as it is. */
function checkedOriginalRecipient(text: string, what: string): string {
  if (text.includes(';') && !/^[A-Za-z0-9-]+;[\s\S]+$/.test(text))
    throw new ScriptFault(
      `${what}: "orcpt" is "${text.slice(0, 80)}"; expected a type, a semicolon and an address, such as "rfc822;user@example.com"`,
    );
  return checkedLength(text, LONGEST_ORCPT, `${what}: "orcpt"`);
}

function checkedLength(text: string, most: number, what: string): string {
  if (text.length <= most) return text;
  throw new ScriptFault(`${what} has ${text.length} bytes; at most ${most} can be sent (RFC 3461 4)`);
}

/** NEVER alone, or any of the three others (RFC 3461 §4.1). */
export function isNotifyList(text: string): boolean {
  return /^(?:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*)$/i.test(text);
}

function checkedNotify(text: string, what: string): string {
  if (text !== '' && !isNotifyList(text))
    throw new ScriptFault(
      `${what}: "notify" is "${text}"; expected "NEVER" or a list of SUCCESS,FAILURE,DELAY`,
    );
  return text.toUpperCase();
}

function valueToParameters(value: Value, what: string): Record<string, string> {
  const given = valueToStringMap(value, `${what}, "params"`);
  const params: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const key in given) {
    if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(key) || !/^[\x21-\x3c\x3e-\x7e]*$/.test(given[key]!))
      throw new ScriptFault(`${what}: "${key}" is no ESMTP parameter that can be sent (RFC 5321 4.1.2)`);
    params[key.toUpperCase()] = given[key]!;
  }
  return params;
}
