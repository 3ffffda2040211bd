// The record types that can be asked for, and their numbers on the wire.

import type { RecordType } from './resolver.js';

/** By IANA's registry of resource record types. */
export const typeNumbers: Readonly<Record<RecordType, number>> = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  ptr: 12,
  mx: 15,
  txt: 16,
  aaaa: 28,
  srv: 33,
  naptr: 35,
  tlsa: 52,
  caa: 257,
};

/** All of them, in the order of the documents. */
export const recordTypes = [
  'a',
  'aaaa',
  'mx',
  'txt',
  'cname',
  'ns',
  'ptr',
  'soa',
  'srv',
  'tlsa',
  'caa',
  'naptr',
] as const satisfies readonly RecordType[];
