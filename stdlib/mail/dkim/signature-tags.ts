// What stands in the tags of signatures and key records (RFC 6376 §3.5, §3.6.1).

import { parseTagList } from '../headers/tag-list.js';

export type Canonicalization = 'simple' | 'relaxed';

/** What `a=` can say; rsa-sha1 is read and written only on request (RFC 8301 §3.1). */
export const ALGORITHMS = {
  'rsa-sha256': { keyType: 'rsa', hash: 'sha256' },
  'rsa-sha1': { keyType: 'rsa', hash: 'sha1' },
  'ed25519-sha256': { keyType: 'ed25519', hash: 'sha256' },
} as const;

export type Algorithm = keyof typeof ALGORITHMS;

/** RSA keys below are not used (RFC 8301 §3.2). */
export const SHORTEST_RSA_BITS = 1024;

/** Tags whose values may be folded anywhere: white space means nothing in them. */
const FOLDED_ANYWHERE = ['b', 'bh', 'h', 'p'];

/** Longer lists are refused; the longest in use (4096-bit keys, hundreds of signed fields) have a few thousand bytes. */
export const LONGEST_TAG_LIST = 64 * 1024;

/**
 * The tags of a list, sorted by name, names as written. White space around values goes, folding too. Empty places between
 * semicolons are forgiven: published key records have them.
 * @returns undefined when it is no tag list, or a name occurs twice
 */
export function readTagList(text: string): ReadonlyMap<string, string> | undefined {
  if (text.length > LONGEST_TAG_LIST) return undefined;
  const tags = parseTagList(text.replace(/;(?:[ \t\r\n]*;)+/g, ';'));
  if (tags === undefined) return undefined;
  for (const name of FOLDED_ANYWHERE) {
    const value = tags.get(name);
    if (value !== undefined) tags.set(name, value.replace(/[ \t]+/g, ''));
  }
  return new Map([...tags].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** A field's text with the value of its b= tag taken out; what is not there is not missed. */
export function withoutSignatureValue(field: string): string {
  let from = field.indexOf(':') + 1;
  while (from <= field.length) {
    const semicolon = field.indexOf(';', from);
    const end = semicolon === -1 ? field.length : semicolon;
    const spec = field.slice(from, end);
    const equals = spec.indexOf('=');
    if (equals !== -1 && spec.slice(0, equals).trim() === 'b')
      return field.slice(0, from + equals + 1) + field.slice(end);
    from = end + 1;
  }
  return field;
}

/** The bytes of a base64 value, or undefined when it is none. */
export function decodeBase64(value: string): Buffer | undefined {
  if (value === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return undefined;
  return Buffer.from(value, 'base64');
}

/** Whether a name may stand in d= or s= and be asked for. */
export function isTagDomain(name: string): boolean {
  return (
    name.length <= 253 &&
    /^[A-Za-z0-9_\x80-\xff](?:[A-Za-z0-9_.\x80-\xff-]*[A-Za-z0-9_\x80-\xff])?$/.test(name) &&
    !name.includes('..')
  );
}

/** Whether `name` is `domain` or lies below it. */
export function isWithin(name: string, domain: string): boolean {
  const lower = name.toLowerCase();
  const above = domain.toLowerCase();
  return lower === above || lower.endsWith(`.${above}`);
}
