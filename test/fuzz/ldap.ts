// What a directory may send: messages of all kinds, broken at random, cut anywhere. Each operation ends, with a result or
// an error of this side, and nothing else happens.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import * as ldapts from 'ldapts';
import { LdapConnection } from '../../stdlib/ldap/connection.js';
import { RequestWriter } from '../../stdlib/ldap/messages.js';
import { connectStream } from '../../stdlib/sockets/connect-stream.js';
import { patience } from '../../stdlib/sockets/patience.js';
import { SeededRandom } from './random.js';

export interface LdapFuzzCounts {
  connections: number;
  entries: number;
  results: number;
  errors: number;
}

const writer = new RequestWriter(ldapts);

function tlv(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const value = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  );
  const length =
    value.length < 128
      ? Buffer.from([value.length])
      : Buffer.from([0x82, value.length >> 8, value.length & 255]);
  return Buffer.concat([Buffer.from([tag]), length, value]);
}

function message(random: SeededRandom): Buffer {
  const id = tlv(2, Buffer.from([random.pick([1, 1, 1, 1, 2, 0])]));
  const code = Buffer.from([random.pick([0, 0, 4, 10, 32, 255])]);
  const value = () => tlv(4, random.pick(['', 'x', '\xff\x00', 'long '.repeat(random.below(300))]));
  const values = () => Array.from({ length: random.below(4) }, value);
  const attribute = () => tlv(0x30, tlv(4, random.pick(['cn', 'mail', ''])), tlv(0x31, ...values()));
  const body = random.pick([
    () => tlv(0x64, value(), tlv(0x30, ...Array.from({ length: random.below(4) }, attribute))),
    () => tlv(0x64, value(), tlv(0x30, attribute())),
    () => tlv(0x73, ...values()),
    () =>
      tlv(0x65, tlv(0x0a, code), value(), value(), ...(random.chance(0.2) ? [tlv(0xa3, ...values())] : [])),
    () => tlv(random.below(256), value()),
  ])();
  return tlv(0x30, id, body);
}

function broken(bytes: Buffer, random: SeededRandom): Buffer {
  const changed = Buffer.from(bytes);
  for (let changes = random.below(3); changes > 0; changes--)
    changed[random.below(changed.length)] = random.pick([0, 1, 0x7f, 0x80, 0x84, 0xff, random.below(256)]);
  return random.chance(0.1) ? changed.subarray(0, random.below(changed.length)) : changed;
}

function stream(random: SeededRandom): Buffer {
  const messages = Array.from({ length: 1 + random.below(8) }, () => {
    const bytes = message(random);
    return random.chance(0.3) ? broken(bytes, random) : bytes;
  });
  return Buffer.concat(messages);
}

async function writeInPieces(socket: Socket, bytes: Buffer, random: SeededRandom): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + random.below(random.pick([3, 50, 5000]));
    socket.write(bytes.subarray(at, at + size));
    at += size;
    if (random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
}

/** Runs for `seconds`, or `count` connections. @throws with seed and number of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<LdapFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: LdapFuzzCounts = { connections: 0, entries: 0, results: 0, errors: 0 };
  const deadline = performance.now() + seconds * 1000;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => void writeInPieces(socket, stream(random), random));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { signal } = new AbortController();
  try {
    while (counts.connections < count && performance.now() < deadline) {
      const connected = await connectStream(
        { kind: 'address', address: '127.0.0.1', port },
        patience(10, signal),
      );
      if (connected.kind === 'failure') throw new Error(`no connection: ${connected.error}`);
      const connection = new LdapConnection(connected.socket, writer);
      const wish = { base: '', scope: 'sub', filter: '(a=b)', attributes: [], timeLimitSeconds: 0 } as const;
      const { code } = await connection.search(wish, patience(10, signal), (response) => {
        if (response.kind === 'entry') counts.entries++;
        return true;
      });
      if (code === -5) throw new Error(`seed ${seed}, connection ${counts.connections}: nothing came of it`);
      if (code < 0) counts.errors++;
      else counts.results++;
      connection.close();
      counts.connections++;
    }
  } finally {
    server.close();
  }
  return counts;
}
