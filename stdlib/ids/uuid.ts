// UUIDs (RFC 9562). Version 1 for ids that sort by age, 4 for ids that give nothing away, 5 for ids made of a name.

import { createHash } from 'node:crypto';

/** Seconds from the Gregorian reform, where version 1 begins to count, to 1970. */
const GREGORIAN_SECONDS = 12_219_292_800n;

/** Sixteen bytes with version and variant set, as text. */
function uuidText(bytes: Buffer, version: number): string {
  bytes[6] = (bytes[6]! & 0x0f) | (version << 4);
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The last moment of a version 1 id, in 100 ns: a second id in the same moment gets the next one. */
let lastTicks = 0n;

/**
 * Version 1. Node and clock sequence are random in every id (RFC 9562 §6.10), so neither machine nor process shows.
 * `randomBytes` are at least 8.
 */
export function uuidV1(unixSeconds: number, randomBytes: string): string {
  const now = (BigInt(Math.round(unixSeconds * 1e6)) + GREGORIAN_SECONDS * 1_000_000n) * 10n;
  lastTicks = now > lastTicks || lastTicks - now > 10_000_000n ? now : lastTicks + 1n;
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(Number(lastTicks & 0xffffffffn), 0);
  bytes.writeUInt16BE(Number((lastTicks >> 32n) & 0xffffn), 4);
  bytes.writeUInt16BE(Number((lastTicks >> 48n) & 0x0fffn), 6);
  bytes.write(randomBytes.slice(0, 8), 8, 'latin1');
  // The multicast bit says that the node is no hardware address.
  bytes[10] = bytes[10]! | 0x01;
  return uuidText(bytes, 1);
}

/** Version 4 of 16 random bytes. */
export function uuidV4(randomBytes: string): string {
  return uuidText(Buffer.from(randomBytes, 'latin1'), 4);
}

/** Version 5: the same namespace and name give the same id. Undefined when the namespace is no UUID. */
export function uuidV5(namespace: string, name: string): string | undefined {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(namespace)) return undefined;
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'latin1');
  return uuidText(hash.digest(), 5);
}
