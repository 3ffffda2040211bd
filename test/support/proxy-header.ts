// Headers of the PROXY protocol, version 2, right ones and wrong ones.

import { isIPv4 } from 'node:net';
import { addressToBytes } from '#stdlib';
import { crc32c } from '../../src/smtp/edge/crc32c.js';
import type { ProxiedAddresses } from '../../src/smtp/edge/proxy-protocol.js';

export interface ProxyV2 {
  readonly version?: number;
  readonly command?: number;
  /** Family and transport; that of the addresses when absent. */
  readonly family?: number;
  readonly addresses?: ProxiedAddresses;
  /** Instead of addresses. */
  readonly payload?: Buffer;
  readonly values?: readonly Buffer[];
  readonly hasChecksum?: boolean;
}

/** One type-length-value. */
export function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}

/** A header as bytes. */
export function proxyV2({
  version = 2,
  command = 1,
  addresses,
  family = addresses === undefined ? 0 : isIPv4(addresses.remoteIp) ? 0x11 : 0x21,
  payload = addresses === undefined ? Buffer.alloc(0) : addressBytes(addresses),
  values = [],
  hasChecksum = false,
}: ProxyV2): Buffer {
  const rest = Buffer.concat([payload, ...values, ...(hasChecksum ? [tlv(0x03, Buffer.alloc(4))] : [])]);
  const fixed = Buffer.from([version * 16 + command, family, rest.length >> 8, rest.length & 255]);
  const header = Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), fixed, rest]);
  if (hasChecksum) header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

function addressBytes({ remoteIp, remotePort, localIp, localPort }: ProxiedAddresses): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(remotePort, 0);
  ports.writeUInt16BE(localPort, 2);
  const both = [remoteIp, localIp].map((address) => Buffer.from(addressToBytes(address)!, 'latin1'));
  return Buffer.concat([...both, ports]);
}
