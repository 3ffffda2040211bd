// Spools whose files were damaged in every way: recovery answers with what can still be read or with a SpoolError, never
// with anything else. What it hands out is what was committed, byte for byte, and the spool can be used again.

import { type DiskSpool, openSpool } from '../../src/spool/disk-spool.js';
import type { CorruptPolicy } from '../../src/spool/recover.js';
import { type QueuedMessage, SpoolError } from '../../src/spool/spool.js';
import { FrozenFiles } from '../support/frozen-files.js';
import { commitMessage, keptLog, queueRequest, readMessage, uuid } from '../support/mail-samples.js';
import { SeededRandom } from './random.js';

export interface SpoolFuzzCounts {
  spools: number;
  recovered: number;
  refused: number;
  messages: number;
  lost: number;
}

const policies: readonly CorruptPolicy[] = ['fail', 'rename', 'delete', 'ignore'];
const sizes = {
  memoryBytes: 2000,
  bodySegmentBytes: 4000,
  metaSegmentBytes: 1500,
  snapshotBytes: 3000,
  reserveBytes: 0,
};
const open = (files: FrozenFiles, corrupt: CorruptPolicy) =>
  openSpool({ folder: '/spool', files, log: keptLog(), now: () => 1000, corrupt, sizes });

interface Filled {
  readonly files: FrozenFiles;
  /** Bytes by `uuid:number`. */
  readonly bodies: ReadonlyMap<string, Buffer>;
}

async function recovered(spool: DiskSpool): Promise<readonly QueuedMessage[]> {
  const found: QueuedMessage[] = [];
  await spool.recover((messages) => found.push(...messages));
  return found;
}

const nameOf = ({ id }: QueuedMessage) => `${id.transaction}:${id.number}`;

/** A spool with messages of several kinds, some changed, some gone, as a kill leaves it. */
async function fill(random: SeededRandom): Promise<Filled> {
  const files = new FrozenFiles();
  const spool = await open(files, 'rename');
  await spool.recover(() => {});
  const bodies = new Map<string, Buffer>();
  for (let n = 1; n <= 6 + random.below(10); n++) {
    const body = Buffer.alloc(20 + random.below(random.chance(0.2) ? 5000 : 500), `message ${n} `);
    const extra = Buffer.from(`X-Edit: ${n}\r\n`);
    const requests = [queueRequest(1), queueRequest(2, { metadata: { n: String(n) } })].slice(
      0,
      1 + random.below(2),
    );
    const isEdited = random.chance(0.3);
    const pieces = [
      { kind: 'bytes', bytes: extra } as const,
      { kind: 'range', start: 5, end: body.length } as const,
    ];
    const found = await commitMessage(
      spool,
      uuid(n),
      body,
      isEdited ? requests.map((request) => ({ ...request, pieces })) : requests,
    );
    for (const message of found) {
      bodies.set(nameOf(message), isEdited ? Buffer.concat([extra, body.subarray(5)]) : body);
      if (random.chance(0.2))
        await spool.update(message.id, { retry: n, nextTry: 2000, reason: `reason ${n}` });
      if (random.chance(0.3)) await spool.remove(message.id);
    }
  }
  const copy = files.copy();
  await spool.close();
  return { files: copy, bodies };
}

function damage(files: FrozenFiles, random: SeededRandom): void {
  for (let wounds = 1 + random.below(3); wounds > 0; wounds--) {
    const name = random.pick([...files.names.keys()]);
    const number = files.names.get(name)!;
    const bytes = Buffer.from(files.contents[number]!);
    const at = random.below(bytes.length + 1);
    const length = random.below(random.chance(0.5) ? 8 : 400);
    const noise = () => Buffer.from(Array.from({ length }, () => random.below(256)));
    switch (random.below(8)) {
      case 0:
        files.names.delete(name);
        break;
      case 1:
        files.contents[number] = bytes.subarray(0, at);
        break;
      case 2:
        files.contents[number] = Buffer.concat([bytes.subarray(0, at), noise(), bytes.subarray(at)]);
        break;
      case 3:
        files.contents[number] = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      case 4:
        files.contents[number] = bytes.fill(0, at, Math.min(at + length, bytes.length));
        break;
      case 5:
        files.contents[number] = Buffer.concat([bytes, bytes.subarray(at)]);
        break;
      case 6: {
        const other = files.contents[files.names.get(random.pick([...files.names.keys()]))!]!;
        files.contents[number] = Buffer.from(other);
        break;
      }
      default:
        noise().copy(bytes, at);
        files.contents[number] = bytes;
    }
    if (files.names.size === 0) return;
  }
}

const image = (files: FrozenFiles) =>
  JSON.stringify(
    [...files.names].sort().map(([name, number]) => [name, files.contents[number]!.toString('latin1')]),
  );

/** Everything that is found is what was committed under its name. @returns how many messages there are */
async function checkFound(
  spool: DiskSpool,
  found: readonly QueuedMessage[],
  { bodies }: Filled,
): Promise<number> {
  for (const message of found) {
    const name = nameOf(message);
    const body = bodies.get(name);
    if (body === undefined) throw new Error(`recovery made up the message ${name}`);
    const read = await readMessage(spool, message.id).catch((error: unknown) => {
      // A message in a file of its own is checked when it is read.
      if (error instanceof SpoolError && body.length > sizes.memoryBytes / 2) return body;
      throw error;
    });
    if (!read.equals(body)) throw new Error(`${name} is not what it was`);
  }
  if (new Set(found.map(nameOf)).size !== found.length) throw new Error('a message was found twice');
  return found.length;
}

async function runOne(filled: Filled, random: SeededRandom, counts: SpoolFuzzCounts): Promise<void> {
  const { files } = filled;
  damage(files, random);
  const policy = random.pick(policies);
  const before = image(files);
  const spool = await open(files, policy);
  let found: readonly QueuedMessage[];
  try {
    found = await recovered(spool);
  } catch (error) {
    await spool.close();
    if (!(error instanceof SpoolError)) throw error;
    counts.refused++;
    if (policy === 'fail' && image(files) !== before) throw new Error('"fail" has touched the files');
    return;
  }
  counts.recovered++;
  const known = await checkFound(spool, found, filled);
  counts.messages += known;
  counts.lost += filled.bodies.size - known;
  await commitMessage(spool, uuid(99), Buffer.from('after'));
  // Damage goes with the snapshot that follows it.
  await spool.compacted();
  await spool.close();
  if (policy === 'ignore') return;
  // What was damaged is settled: the next start finds the same.
  const again = await open(files, policy === 'fail' ? policy : 'rename');
  const rest = await recovered(again);
  const same = [...found.map(nameOf), `${uuid(99)}:1`].sort();
  if (JSON.stringify(rest.map(nameOf).sort()) !== JSON.stringify(same))
    throw new Error(`the second start found ${rest.map(nameOf)}, the first ${same}`);
  await again.close();
}

/** Runs for `seconds`, or `count` spools. @throws with seed and number of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<SpoolFuzzCounts> {
  const counts: SpoolFuzzCounts = { spools: 0, recovered: 0, refused: 0, messages: 0, lost: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.spools < count && performance.now() < deadline) {
    // A generator for each, so that one spool can be looked at without all those before it.
    const random = new SeededRandom(seed * 100_003 + counts.spools);
    try {
      await runOne(await fill(random), random, counts);
    } catch (error) {
      throw new Error(`seed ${seed}, spool ${counts.spools}`, { cause: error });
    }
    counts.spools++;
  }
  return counts;
}
