// From a server's response to what the asker wanted to know: the CNAME chain is followed inside the response, names that
// nobody asked about are left aside (a server may answer for the question and its chain only), and the lifetime is found.

import { isWithin } from './names.js';
import type { DnsAnswer, DnsError, DnsRecord, RecordType } from './resolver.js';
import type { OwnedRecord, Response } from './wire/response.js';

/** `next`: the response ends at an alias, whose target must be asked for. Lifetimes are seconds; 0 is not kept. */
export type Reading =
  | { readonly kind: 'answer'; readonly answer: DnsAnswer; readonly lifetimeSeconds: number }
  | {
      readonly kind: 'next';
      readonly name: string;
      readonly lifetimeSeconds: number;
      readonly hops: number;
    };

/** What is known from the responses before this one. */
export interface ChainSoFar {
  readonly isSecure: boolean;
  readonly lifetimeSeconds: number;
  readonly hops: number;
}

/** Longer chains of aliases are loops or mischief. */
export const MOST_ALIASES = 12;
const LONGEST_SECONDS = 86_400;
/** RFC 2308 §5: one to three hours have been found to work well. */
const LONGEST_NEGATIVE_SECONDS = 10_800;

const NOERROR = 0;
const NXDOMAIN = 3;
const rcodeErrors: Readonly<Record<number, DnsError>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  4: 'NOTIMP',
  5: 'REFUSED',
};

/** The start of a chain. */
export const noChain: ChainSoFar = { isSecure: true, lifetimeSeconds: LONGEST_SECONDS, hops: 0 };

/** Reads the response for `name` and `type`. `isSecure`: this response and all before it were validated. */
export function readAnswer(
  response: Response,
  name: string,
  type: RecordType,
  isSecure: boolean,
  chain: ChainSoFar,
): Reading {
  if (response.rcode !== NOERROR && response.rcode !== NXDOMAIN) {
    return failure(rcodeErrors[response.rcode] ?? 'SERVFAIL', false, 0);
  }
  let { lifetimeSeconds, hops } = chain;
  let canonicalName = name;
  for (;;) {
    const records = recordsOf(response.answers, canonicalName, type);
    if (records.length > 0) {
      lifetimeSeconds = records.reduce(
        (least, record) => Math.min(least, record.ttlSeconds),
        lifetimeSeconds,
      );
      return {
        kind: 'answer',
        answer: { kind: 'records', records, canonicalName, isSecure },
        lifetimeSeconds,
      };
    }
    const alias = recordsOf(response.answers, canonicalName, 'cname')[0];
    if (alias?.type !== 'cname') break;
    if (++hops > MOST_ALIASES) return failure('SERVFAIL', isSecure, 0);
    lifetimeSeconds = Math.min(lifetimeSeconds, alias.ttlSeconds);
    canonicalName = alias.hostname;
  }
  const { negative } = response;
  if (canonicalName !== name && response.rcode === NOERROR && negative === undefined) {
    return { kind: 'next', name: canonicalName, lifetimeSeconds, hops };
  }
  // A "no" without a SOA of the name's own zone may be believed, but not remembered (RFC 2308 §5).
  const holds = negative !== undefined && isWithin(canonicalName, negative.zone) ? negative.ttlSeconds : 0;
  const error = response.rcode === NXDOMAIN ? 'NXDOMAIN' : 'NODATA';
  return failure(error, isSecure, Math.min(holds, lifetimeSeconds, LONGEST_NEGATIVE_SECONDS));
}

function failure(error: DnsError, isSecure: boolean, lifetimeSeconds: number): Reading {
  return { kind: 'answer', answer: { kind: 'failure', error, isSecure }, lifetimeSeconds };
}

function recordsOf(answers: readonly OwnedRecord[], name: string, type: RecordType): readonly DnsRecord[] {
  const lower = name.toLowerCase();
  const records = answers
    .filter(({ owner, record }) => record.type === type && owner.toLowerCase() === lower)
    .map(({ record }) => record);
  return type === 'mx' ? byPreference(records) : records;
}

/** Most wanted first; equal ones in the order the server gave them. */
export function byPreference(records: readonly DnsRecord[]): readonly DnsRecord[] {
  const preference = (record: DnsRecord) => (record.type === 'mx' ? record.preference : 0);
  return [...records].sort((a, b) => preference(a) - preference(b));
}
