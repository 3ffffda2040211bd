// The header that a proxy puts in front of a connection to say who the client is (HAProxy's PROXY protocol, versions 1 and
// 2). Pure: bytes in, a header out. Whose header is believed is decided by the server, which asks only trusted peers for
// one, and then insists on it: who may leave it out could be anybody behind the proxy (section 2 of the specification).

import { isIPv4, isIPv6 } from 'node:net';
import { addressToBytes, bytesToAddress } from '#stdlib';
import { crc32c } from './crc32c.js';
import { plainIp } from './networks.js';

/** Both ends of the client's connection to the proxy. */
export interface ProxiedAddresses {
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
}

/** What the bytes so far are. */
export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly problem: string }
  | {
      readonly kind: 'header';
      /** Bytes it takes; what follows is the client's. */
      readonly length: number;
      /** Undefined when the proxy speaks for itself (LOCAL), or does not know (UNKNOWN, other families). */
      readonly addresses: ProxiedAddresses | undefined;
      /** What follows the addresses in version 2, in hex. */
      readonly tlv: string | undefined;
    };

const incomplete: ProxyHeader = { kind: 'incomplete' };

/** Section 2.1: "PROXY UNKNOWN" with the longest addresses, and its line end. */
const longestLine = 107;
/** Section 2.2 allows 64 KiB of type-length-values. What proxies send, a client's certificate included, is far below this. */
export const longestHeader = 16 * 1024;

const lineStart = Buffer.from('PROXY ', 'latin1');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

const malformed = (problem: string): ProxyHeader => ({ kind: 'malformed', problem });

/** Reads the header at the start of a connection from all the bytes that have come. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAs(bytes, signature)) return bytes.length < signature.length ? incomplete : parseVersion2(bytes);
  if (startsAs(bytes, lineStart)) return bytes.length < lineStart.length ? incomplete : parseLine(bytes);
  return malformed('it begins like neither version of the PROXY protocol');
}

function startsAs(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, length, 0, length) === 0;
}

function parseLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestLine).indexOf('\r\n', 0, 'latin1');
  if (end === -1)
    return bytes.length < longestLine
      ? incomplete
      : malformed(`the line is longer than ${longestLine} bytes`);
  const length = end + 2;
  const words = bytes.toString('latin1', lineStart.length, end).split(' ');
  // Section 2.1: whatever stands behind UNKNOWN is ignored.
  if (words[0] === 'UNKNOWN') return { kind: 'header', length, addresses: undefined, tlv: undefined };
  const [family, remoteIp = '', localIp = '', remote = '', local = ''] = words;
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  if (isAddress === undefined) return malformed('the family is none of TCP4, TCP6 and UNKNOWN');
  if (words.length !== 5) return malformed('expected two addresses and two ports');
  if (!isAddress(remoteIp) || !isAddress(localIp))
    return malformed(`an address is not of the family ${family}`);
  const remotePort = portOf(remote);
  const localPort = portOf(local);
  if (remotePort === undefined || localPort === undefined)
    return malformed('a port is not a number up to 65535');
  return {
    kind: 'header',
    length,
    addresses: { remoteIp: usualForm(remoteIp), remotePort, localIp: usualForm(localIp), localPort },
    tlv: undefined,
  };
}

/** A zone names an interface of the proxy; it means nothing here. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function usualForm(address: string): string {
  return plainIp(bytesToAddress(addressToBytes(address)!)!);
}

function portOf(text: string): number | undefined {
  return /^(?:0|[1-9][0-9]{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

// Version 2 (section 2.2):
//
//   12 bytes  signature
//    1        version 2 in the high half, command in the low: 0 LOCAL, 1 PROXY
//    1        family in the high half, transport in the low
//    2        length of what follows
//             addresses and ports, by family; then type-length-values
function parseVersion2(bytes: Buffer): ProxyHeader {
  const fixed = signature.length + 4;
  if (bytes.length < fixed) return incomplete;
  const versionAndCommand = bytes[12]!;
  const familyAndTransport = bytes[13]!;
  if (versionAndCommand >> 4 !== 2) return malformed(`version ${versionAndCommand >> 4} is not known`);
  const command = versionAndCommand & 15;
  if (command > 1) return malformed(`command ${command} is not known`);
  const addressBytes = addressLengths.get(familyAndTransport);
  if (addressBytes === undefined)
    return malformed(`family and transport 0x${familyAndTransport.toString(16)} are not known`);
  const length = fixed + bytes.readUInt16BE(14);
  if (length > longestHeader) return malformed(`it is longer than ${longestHeader} bytes`);
  // A proxy that speaks for itself may send any family, and addresses that are to be ignored.
  const isLocal = command === 0;
  if (!isLocal && length < fixed + addressBytes) return malformed('it is too short for its addresses');
  if (bytes.length < length) return incomplete;
  const header = bytes.subarray(0, length);
  const start = Math.min(fixed + addressBytes, length);
  const problem = isLocal ? undefined : problemOfTlvs(header, start);
  if (problem !== undefined) return malformed(problem);
  return {
    kind: 'header',
    length,
    addresses: isLocal ? undefined : addressesIn(header, fixed, familyAndTransport),
    tlv: isLocal || start === length ? undefined : header.toString('hex', start),
  };
}

/** Section 2.2: these combinations exist, and all others are to be refused. Of UDP and UNIX only the length is known. */
const addressLengths: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x12, 12],
  [0x21, 36],
  [0x22, 36],
  [0x31, 216],
  [0x32, 216],
]);

function addressesIn(header: Buffer, at: number, familyAndTransport: number): ProxiedAddresses | undefined {
  if (familyAndTransport !== 0x11 && familyAndTransport !== 0x21) return undefined;
  const size = familyAndTransport === 0x11 ? 4 : 16;
  const textOf = size === 4 ? quadAt : groupsAt;
  const ports = at + 2 * size;
  return {
    remoteIp: textOf(header, at),
    remotePort: header.readUInt16BE(ports),
    localIp: textOf(header, at + size),
    localPort: header.readUInt16BE(ports + 2),
  };
}

function quadAt(bytes: Buffer, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
}

function groupsAt(bytes: Buffer, at: number): string {
  return plainIp(bytesToAddress(bytes.toString('latin1', at, at + 16))!);
}

const CRC32C = 0x03;

/** Each value: one byte type, two bytes length, the value. A checksum, if there is one, must be right (section 2.2.3). */
function problemOfTlvs(header: Buffer, start: number): string | undefined {
  let at = start;
  while (at < header.length) {
    if (at + 3 > header.length) return 'a type-length-value is cut off';
    const value = at + 3;
    const end = value + header.readUInt16BE(at + 1);
    if (end > header.length) return 'a type-length-value is longer than the header';
    if (header[at] === CRC32C) {
      if (end - value !== 4) return 'the checksum does not have four bytes';
      const zeroed = Buffer.from(header);
      zeroed.fill(0, value, end);
      if (crc32c(zeroed) !== header.readUInt32BE(value)) return 'the checksum is wrong';
    }
    at = end;
  }
  return undefined;
}
