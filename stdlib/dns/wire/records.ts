// The data of resource records (RFC 1035 §3.3 and the RFCs named below) as the resolver hands them out.

import { bytesToAddress } from '../../network-values/ip-address.js';
import type { DnsRecord, RecordType } from '../resolver.js';
import { PacketProblem, type PacketReader } from './packet-reader.js';

/** Reads one record's data, to its last byte. @throws PacketProblem when it is not what the type says */
export function readRecord(type: RecordType, ttlSeconds: number, data: PacketReader): DnsRecord {
  const record = readData(type, ttlSeconds, data);
  if (data.left > 0) throw new PacketProblem(`${data.left} bytes too many in a record of type ${type}`);
  return record;
}

// One object literal per type: what a script asks for most is made without copying.
function readData(type: RecordType, ttlSeconds: number, data: PacketReader): DnsRecord {
  switch (type) {
    case 'a':
      return { type, ttlSeconds, address: readAddress(data, 4) };
    case 'aaaa': // RFC 3596 §2.2
      return { type, ttlSeconds, address: readAddress(data, 16) };
    case 'mx':
      return { type, ttlSeconds, preference: data.uint16(), hostname: data.name() };
    case 'txt':
      return { type, ttlSeconds, text: readTexts(data) };
    case 'cname':
    case 'ns':
    case 'ptr':
      return { type, ttlSeconds, hostname: data.name() };
    case 'srv': // RFC 2782
      return {
        type,
        ttlSeconds,
        priority: data.uint16(),
        weight: data.uint16(),
        port: data.uint16(),
        hostname: data.name(),
      };
    case 'soa':
      return {
        type,
        ttlSeconds,
        mname: data.name(),
        rname: data.name(),
        serial: data.uint32(),
        refresh: data.uint32(),
        retry: data.uint32(),
        expire: data.uint32(),
        minimum: data.uint32(),
      };
    case 'tlsa': // RFC 6698 §2.1
      return {
        type,
        ttlSeconds,
        usage: data.uint8(),
        selector: data.uint8(),
        matchingType: data.uint8(),
        data: data.bytes(data.left).toString('hex'),
      };
    case 'caa': // RFC 8659 §4.1
      return { type, ttlSeconds, flags: data.uint8(), tag: data.text(), value: data.rest() };
    case 'naptr': // RFC 3403 §4.1
      return {
        type,
        ttlSeconds,
        order: data.uint16(),
        preference: data.uint16(),
        flags: data.text(),
        services: data.text(),
        regexp: data.text(),
        replacement: data.name(),
      };
  }
}

function readAddress(data: PacketReader, length: 4 | 16): string {
  return bytesToAddress(data.bytes(length).toString('latin1'))!;
}

/** The pieces of a TXT record, joined as SPF and DKIM want them (RFC 7208 §3.3). */
function readTexts(data: PacketReader): string {
  let text = data.text();
  while (data.left > 0) text += data.text();
  return text;
}
