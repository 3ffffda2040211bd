// The control socket and queue files, fed with all kinds of bytes: whole requests, cut and changed ones, noise. A reader never throws,
// holds no more than what came, answers each whole request before a mistake in order, and nothing after the first mistake.

import { ControlError } from '../../src/control/operation.js';
import { requestFrame } from '../../src/control/socket/frames.js';
import { type RawRequest, RequestReader } from '../../src/control/socket/request-reader.js';
import { readQueueFile } from '../../src/control/transfer/queue-file.js';
import { wireShapes } from '../../src/control/wire-shapes.js';
import { SeededRandom } from './random.js';

export interface ControlFuzzCounts {
  streams: number;
  requests: number;
  bodies: number;
  files: number;
}

const names = ['QueueListRequest', 'QueueUpdateRequest', 'QueueImportRequest', 'LogRequest'] as const;

const bodies = [
  '{}',
  '{"conditions":{"jobids":[{"jobid":"a","regex":true}]},"limit":3}',
  '{"set":{"metadata":{"set":{"a":"b"},"remove":["c"]},"priority":1}}',
  '{"conditions":{"ages":[{"op":"GT","value":1e999}]}}',
  '{"__proto__":{"a":1},"constructor":2}',
  '[[[[[[[[[[',
  '{"envelope":{"recipients":[{"localpart":"\\u0000"}]},"message":"AAAA"}',
];

const head = JSON.stringify({
  format: 'argonite queue file',
  version: 1,
  id: { transaction: '00000000-0000-4000-8000-000000000001', number: 1 },
  ts: 1000,
  serverId: 'in',
  senderIp: '192.0.2.1',
  senderHelo: 'a',
  sender: { localPart: 'a', domain: 'x.test' },
  recipient: { localPart: 'b', domain: 'x.test' },
  transportId: 'out',
  metadata: { a: 'b' },
  priority: 0,
  quotas: [],
  dsn: { notify: 'NEVER' },
  sizeBytes: 3,
  hold: false,
  retry: 0,
  nextTry: 0,
});

function noise(random: SeededRandom, most: number): Buffer {
  return Buffer.from(Array.from({ length: random.below(most) }, () => random.below(256)));
}

/** Changes some bytes, or cuts the end off. */
function damaged(bytes: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(bytes);
  for (let changes = random.below(4); changes > 0 && copy.length > 0; changes--)
    copy[random.below(copy.length)] = random.below(256);
  return random.chance(0.3) ? copy.subarray(0, random.below(copy.length + 1)) : copy;
}

function request(random: SeededRandom, isFirst: boolean): Buffer {
  const letter = random.pick(['F', 'G', 'E', 'R', 'q', 'r', 'X']);
  const body = random.chance(0.7) ? Buffer.from(random.pick(bodies)) : noise(random, 60);
  return requestFrame(letter, letter === 'q' || letter === 'r' ? undefined : body, isFirst);
}

/** Reads a stream in pieces. @returns the requests before the end or a mistake */
function read(stream: Buffer, random: SeededRandom): RawRequest[] {
  const reader = new RequestReader();
  const found: RawRequest[] = [];
  let isBroken = false;
  for (let at = 0; at < stream.length; ) {
    const piece = stream.subarray(at, at + 1 + random.below(40));
    at += piece.length;
    reader.push(piece);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      if (isBroken) throw new Error('a request came after a mistake');
      if (next.kind === 'request') found.push(next.request);
      else isBroken = true;
    }
    if (reader.heldBytes > stream.length) throw new Error(`${reader.heldBytes} bytes are held`);
  }
  return found;
}

/** Runs for `seconds`, or `count` streams. @throws with the seed and the number of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<ControlFuzzCounts> {
  const random = new SeededRandom(seed);
  const shapes = await wireShapes();
  const counts: ControlFuzzCounts = { streams: 0, requests: 0, bodies: 0, files: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.streams < count && performance.now() < deadline) {
    try {
      const whole = Array.from({ length: 1 + random.below(5) }, (_, index) => request(random, index === 0));
      const stream = Buffer.concat(whole);
      if (read(stream, random).length !== whole.length) throw new Error('not all requests were read');
      counts.requests += read(damaged(stream, random), random).length;
      read(noise(random, 200), random);
      checkBody(shapes, random, counts);
      await checkFile(random, counts);
    } catch (error) {
      throw new Error(`seed ${seed}, stream ${counts.streams}`, { cause: error });
    }
    counts.streams++;
  }
  return counts;
}

/** A body is read, or refused with a reason. */
function checkBody(
  shapes: Awaited<ReturnType<typeof wireShapes>>,
  random: SeededRandom,
  counts: ControlFuzzCounts,
): void {
  const name = random.pick([...names]);
  const bytes = random.chance(0.5) ? damaged(Buffer.from(random.pick(bodies)), random) : noise(random, 80);
  for (const form of [
    () => shapes.fromJson(name, bytes.toString('utf8')),
    () => shapes.fromBytes(name, bytes),
  ]) {
    try {
      form();
      counts.bodies++;
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
    }
  }
  if (Object.hasOwn(Object.prototype, 'a'))
    throw new Error('a body has reached the prototype of all objects');
}

/** A queue file is read, or refused with a reason. */
async function checkFile(random: SeededRandom, counts: ControlFuzzCounts): Promise<void> {
  const bytes = damaged(Buffer.from(`${head}\nabc`), random);
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + 1 + random.below(300));
      at += piece.length;
      yield piece;
    }
  }
  try {
    const { message, body } = await readQueueFile(pieces());
    for await (const chunk of body) if (chunk.length === 0) throw new Error('an empty piece');
    if (!/^[0-9a-f-]{36}$/.test(message.id.transaction)) throw new Error('an id that is none');
    counts.files++;
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
  }
}
