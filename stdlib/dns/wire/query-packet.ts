// A question as bytes: one name, recursion desired, EDNS0 with room for 1232 bytes (RFC 6891; larger datagrams are
// fragmented, and fragments can be forged or get lost).

import { loadDnsPacket } from '../../lazy-packages.js';
import type { RecordType } from '../resolver.js';

/** What a server may put into one datagram. */
export const UDP_PAYLOAD_BYTES = 1232;

/** What one server is asked. */
export interface Query {
  readonly id: number;
  /** Without the final dot. */
  readonly name: string;
  readonly type: RecordType;
  /** Old servers and broken middle boxes refuse questions with EDNS0. */
  readonly hasEdns: boolean;
  /** Ask for signatures (DO, RFC 3225), and so for the AD bit: only where it would be believed. */
  readonly wantsDnssec: boolean;
}

/** The bytes of a query, without the length that TCP puts before them. */
export function encodeQuery({ id, name, type, hasEdns, wantsDnssec }: Query): Buffer {
  const { encode, RECURSION_DESIRED, DNSSEC_OK } = loadDnsPacket();
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ type: wireType(type), name: name === '' ? '.' : name.replaceAll('\\032', ' ') }],
    ...(hasEdns
      ? {
          additionals: [
            {
              type: 'OPT' as const,
              name: '.',
              udpPayloadSize: UDP_PAYLOAD_BYTES,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: wantsDnssec ? DNSSEC_OK : 0,
              flag_do: wantsDnssec,
              options: [],
            },
          ],
        }
      : {}),
  });
}

function wireType<T extends RecordType>(type: T): Uppercase<T> {
  return type.toUpperCase() as Uppercase<T>;
}
