// How requests and answers lie in the stream (control-api 1):
//
//     request   [major minor]  letter  [length: 8 bytes, little-endian  body]       the version only before the first request,
//     answer    status  length: 8 bytes, little-endian  data                        the body only of commands that have one

/** The version that we speak. */
export const protocolVersion = { major: 5, minor: 7 } as const;

/** A body may have so many bytes. */
export const LONGEST_BODY = 256 * 1024 * 1024;

/** Bytes of a length. */
export const LENGTH_BYTES = 8;

/** How an answer begins: done, refused, a line of a stream. */
export type Status = '+' | 'E' | '=';

/** The bytes of an answer. */
export function answerFrame(status: Status, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(1 + LENGTH_BYTES + data.length);
  frame.write(status, 0, 'latin1');
  frame.writeBigUInt64LE(BigInt(data.length), 1);
  frame.set(data, 1 + LENGTH_BYTES);
  return frame;
}

/** The bytes of a request; the version is for the first of a connection. */
export function requestFrame(letter: string, body: Uint8Array | undefined, isFirst: boolean): Buffer {
  const head = Buffer.from([
    ...(isFirst ? [protocolVersion.major, protocolVersion.minor] : []),
    letter.charCodeAt(0),
  ]);
  if (body === undefined) return head;
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(body.length));
  return Buffer.concat([head, length, body]);
}
