// PROXY headers of both versions, whole, mutated and cut: nothing throws, no header ends beyond its bytes, one that is
// complete stays what it is whatever follows, one that is refused stays refused, and what a header says is what its bytes
// say. Then the same through a server: whatever is sent, the connection ends, and only a good header gets a greeting.

import { connect, isIP } from 'node:net';
import { NetworkList } from '../../src/smtp/edge/networks.js';
import { longestHeader, parseProxyHeader } from '../../src/smtp/edge/proxy-protocol.js';
import { proxyV2, tlv } from '../support/proxy-header.js';
import { SmtpFixture } from '../support/smtp-fixture.js';
import { SeededRandom } from './random.js';

export interface ProxyFuzzCounts {
  headers: number;
  accepted: number;
  refused: number;
  connections: number;
}

const PATIENCE_MS = 10_000;

function quad(random: SeededRandom): string {
  return [0, 0, 0, 0].map(() => random.below(256)).join('.');
}

function groups(random: SeededRandom): string {
  if (random.chance(0.2)) return `::ffff:${quad(random)}`;
  return Array.from({ length: 8 }, () => random.pick(['0', 'ffff', random.below(65_536).toString(16)])).join(
    ':',
  );
}

function line(random: SeededRandom): Buffer {
  const family = random.pick(['TCP4', 'TCP4', 'TCP6', 'TCP6', 'UNKNOWN', 'UDP4', '']);
  const address = family === 'TCP6' ? groups : quad;
  const port = () => String(random.pick([0, 25, 65_535, 65_536, random.below(70_000)]));
  const words = [family, address(random), address(random), port(), port()];
  return Buffer.from(`PROXY ${words.join(random.chance(0.95) ? ' ' : '  ')}\r\n`, 'latin1');
}

function binary(random: SeededRandom): Buffer {
  const address = random.chance(0.5) ? quad : groups;
  const values = Array.from({ length: random.below(4) }, () =>
    tlv(random.below(256), Buffer.alloc(random.below(random.chance(0.02) ? 9000 : 40), random.below(256))),
  ).filter((value) => value[0] !== 3);
  return proxyV2({
    version: random.chance(0.97) ? 2 : random.below(16),
    command: random.chance(0.95) ? random.below(2) : random.below(16),
    ...(random.chance(0.8)
      ? {
          addresses: {
            remoteIp: address(random),
            remotePort: random.below(65_536),
            localIp: address(random),
            localPort: random.below(65_536),
          },
        }
      : {
          family: random.pick([0, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32, random.below(256)]),
          payload: Buffer.alloc(random.pick([0, 12, 36, 216, random.below(300)]), random.below(256)),
        }),
    values,
    hasChecksum: random.chance(0.3),
  });
}

function mutated(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(copy.length);
    copy[at] = random.pick([0, 10, 13, 32, 255, copy[at]! ^ (1 << random.below(8))]);
  }
  return random.chance(0.2) ? Buffer.concat([copy.subarray(0, random.below(copy.length)), copy]) : copy;
}

function header(random: SeededRandom): Buffer {
  const good = random.chance(0.4) ? line(random) : binary(random);
  return random.chance(0.5) ? good : mutated(good, random);
}

function check(bytes: Buffer, random: SeededRandom): 'header' | 'malformed' | 'incomplete' {
  const whole = parseProxyHeader(bytes);
  if (whole.kind === 'header') {
    if (whole.length > bytes.length || whole.length > longestHeader)
      throw new Error('it ends beyond its bytes');
    const { addresses, tlv: values } = whole;
    if (addresses !== undefined) {
      const { remoteIp, remotePort, localIp, localPort } = addresses;
      if (isIP(remoteIp) === 0 || isIP(localIp) === 0)
        throw new Error(`no address: ${JSON.stringify(addresses)}`);
      for (const port of [remotePort, localPort])
        if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`no port: ${port}`);
    }
    if (values !== undefined && !bytes.toString('hex', 0, whole.length).endsWith(values))
      throw new Error('the values are not those of the header');
  }
  // What is known of a prefix holds for all that begins with it.
  const cut = random.below(bytes.length + 1);
  const before = parseProxyHeader(bytes.subarray(0, cut));
  const after = parseProxyHeader(Buffer.concat([bytes, Buffer.from('EHLO c\r\n')]));
  if (
    before.kind !== 'incomplete' &&
    JSON.stringify(before) !== JSON.stringify(whole) &&
    before.kind !== whole.kind
  )
    throw new Error(`${cut} bytes were ${before.kind}, all of them are ${whole.kind}`);
  if (whole.kind === 'header' && JSON.stringify(after) !== JSON.stringify(whole))
    throw new Error('what follows changes the header');
  if (whole.kind === 'malformed' && after.kind !== 'malformed') throw new Error('more bytes make it good');
  if (whole.kind === 'header')
    for (let length = 0; length < whole.length; length++) {
      const { kind } = parseProxyHeader(bytes.subarray(0, length));
      if (kind !== 'incomplete') throw new Error(`${length} bytes of ${whole.length} are ${kind}`);
      if (length > 300) break;
    }
  return whole.kind;
}

/** Sends it to a server, cut into packets. @returns what the server said until the end */
async function play(port: number, bytes: Buffer, random: SeededRandom): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let said = '';
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(bytes.length);
    socket.write(bytes.subarray(at, at + length));
    at += length;
    if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end('QUIT\r\n');
  const patience = setTimeout(() => socket.destroy(new Error('the connection hangs')), PATIENCE_MS);
  await closed;
  clearTimeout(patience);
  if (socket.errored?.message === 'the connection hangs') throw socket.errored;
  return said;
}

/** Runs for `seconds`, or `count` headers. @throws with seed, number and bytes of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<ProxyFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: ProxyFuzzCounts = { headers: 0, accepted: 0, refused: 0, connections: 0 };
  const listeners = [{ address: '127.0.0.1', port: 0, proxies: new NetworkList(['127.0.0.1']) }];
  const fixture = await new SmtpFixture({ listeners }).start();
  const deadline = performance.now() + seconds * 1000;
  try {
    while (counts.headers < count && performance.now() < deadline) {
      const bytes = header(random);
      try {
        const kind = check(bytes, random);
        if (kind === 'header') counts.accepted++;
        if (kind === 'malformed') counts.refused++;
        if (counts.headers % 20 === 0) {
          const said = await play(fixture.port, bytes, random);
          const isGreeted = said.startsWith('220 ');
          if (kind === 'header' && !isGreeted) throw new Error(`a good header got ${JSON.stringify(said)}`);
          if (kind === 'malformed' && said !== '')
            throw new Error(`a bad header got ${JSON.stringify(said)}`);
          counts.connections++;
        }
      } catch (error) {
        throw new Error(`seed ${seed}, header ${counts.headers}: ${bytes.toString('hex')}`, { cause: error });
      }
      counts.headers++;
    }
  } finally {
    await fixture.stop();
  }
  return counts;
}
