// Writes ASN.1 in DER (X.690 §10): the structures of CMS are put together from these few words.

import { context, tags } from './der-reader.js';

/** An element: identifier, length, content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthOctets(length)]), ...content]);
}

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

export const sequence = (...content: readonly Uint8Array[]): Buffer => element(tags.sequence, ...content);
export const octetString = (content: Uint8Array): Buffer => element(tags.octetString, content);
export const nullValue = (): Buffer => element(tags.null);
/** `[number] EXPLICIT`, and `[number] IMPLICIT` of a structure. */
export const tagged = (number: number, ...content: readonly Uint8Array[]): Buffer =>
  element(context(number), ...content);
/** `[number] IMPLICIT` of a primitive type. */
export const taggedPrimitive = (number: number, content: Uint8Array): Buffer =>
  element(context(number, true), content);

/** SET OF, in the order that DER wants: by the bytes of the elements. */
export function setOf(elements: readonly Buffer[], tag: number = tags.set): Buffer {
  return element(tag, ...[...elements].sort(Buffer.compare));
}

/** A small number. */
export function integer(value: number): Buffer {
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  if (octets.length === 0 || octets[0]! >= 0x80) octets.unshift(0);
  return element(tags.integer, Buffer.from(octets));
}

/** A BIT STRING of whole bytes. */
export const bitString = (content: Uint8Array): Buffer => element(tags.bitString, Buffer.from([0]), content);

/** An object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [root * 40 + second, ...rest].flatMap((number) => {
    const digits = [number % 128];
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift(0x80 | (left % 128));
    return digits;
  });
  return element(tags.oid, Buffer.from(octets));
}

/** AlgorithmIdentifier. Parameters that are absent are absent, not NULL. */
export const algorithm = (dotted: string, ...parameters: readonly Uint8Array[]): Buffer =>
  sequence(oid(dotted), ...parameters);

/** A Unix time: UTCTime up to 2049, GeneralizedTime afterwards (RFC 5652 §11.3). */
export function time(seconds: number): Buffer {
  const digits = new Date(Math.floor(seconds) * 1000).toISOString().replace(/[-:T]|\.\d+/g, '');
  const year = Number(digits.slice(0, 4));
  return year >= 1950 && year < 2050
    ? element(tags.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : element(tags.generalizedTime, Buffer.from(digits, 'latin1'));
}
