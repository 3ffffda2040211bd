// DNS packets of all kinds, read as answers: nothing is thrown, nothing takes long, and what is read is bounded by the
// bytes. Some are sent by a server on loopback, so that sockets, retries and the cache are part of it.

import { type Answer, encode } from 'dns-packet';
import { createResolver } from '../../stdlib/dns/create-resolver.js';
import { recordTypes } from '../../stdlib/dns/record-types.js';
import type { RecordType } from '../../stdlib/dns/resolver.js';
import type { Query } from '../../stdlib/dns/wire/query-packet.js';
import { readResponse } from '../../stdlib/dns/wire/response.js';
import { DnsServer, parseRecord } from '../support/dns-server.js';
import { SeededRandom } from './random.js';

/** What was done. */
export interface DnsFuzzCounts {
  packets: number;
  understood: number;
  broken: number;
  records: number;
  exchanges: number;
}

const NAME = 'fuzz.example.test';
const TOLERATED_MS = 250;
const samples: readonly string[] = [
  'A 192.0.2.1',
  'AAAA 2001:db8::1',
  'MX 10 mx.fuzz.example.test',
  'TXT "some" "text"',
  'CNAME other.example.test',
  'NS ns.example.test',
  'PTR host.example.test',
  'SOA ns.example.test root.example.test 1 2 3 4 5',
  'SRV 1 2 3 www.example.test',
  'TLSA 3 1 1 0123456789',
  'CAA 0 issue ca.test',
  'NAPTR 1 2 U E2U !x! .',
];

/** A response that nobody has touched yet. */
function wholesome(random: SeededRandom, query: Query): Buffer {
  const answers: Answer[] = [];
  for (let left = random.below(6); left > 0; left--) {
    const owner = random.pick([NAME, NAME, 'other.example.test', 'elsewhere.test']);
    answers.push(parseRecord(owner, random.pick(samples), random.pick([0, 60, 2 ** 31])));
  }
  return encode({
    type: 'response',
    id: query.id,
    flags: random.pick([0, 0, 0, 2, 3, 5, 9, 0x0200, 0x20]),
    questions: [{ name: NAME, type: query.type.toUpperCase() as 'A' }],
    answers,
    authorities: random.chance(0.5) ? [parseRecord('test', samples[7]!, 60)] : [],
    additionals: random.chance(0.3) ? [parseRecord('test', samples[0]!, 60)] : [],
  });
}

/** Compression as nobody writes it: long chains, circles, names that end beyond the packet. */
function tangled(random: SeededRandom, query: Query): Buffer {
  const head = wholesome(random, query);
  const bytes = Buffer.alloc(random.pick([512, 4096, 65_535]));
  head.copy(bytes, 0, 0, Math.min(head.length, 12 + NAME.length + 6));
  for (let at = 12 + NAME.length + 6; at + 1 < bytes.length; at += 2) {
    const target = random.pick([at - 2, at, 12, random.below(0x4000), Math.max(at - 14, 0)]);
    bytes.writeUInt16BE(random.chance(0.9) ? 0xc000 | (target & 0x3fff) : random.below(0x10000), at);
  }
  bytes.writeUInt16BE(random.pick([1, 900, 5000, 65_535]), 6);
  bytes.writeUInt16BE(random.pick([0, 100, 65_535]), 8);
  return bytes;
}

function mutated(random: SeededRandom, query: Query): Buffer {
  let bytes = wholesome(random, query);
  for (let changes = random.below(8); changes > 0 && bytes.length > 0; changes--) {
    const at = random.below(bytes.length);
    switch (random.below(5)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at] = random.pick([0, 0x3f, 0x40, 0x80, 0xc0, 0xff]);
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(bytes.length))]);
        break;
      default:
        bytes = Buffer.concat([bytes, Buffer.from(Array.from({ length: 20 }, () => random.below(256)))]);
    }
  }
  // Most should get beyond the header.
  if (bytes.length > 2 && random.chance(0.9)) bytes.writeUInt16BE(query.id, 0);
  return bytes;
}

function noise(random: SeededRandom): Buffer {
  return Buffer.from(Array.from({ length: random.below(600) }, () => random.below(256)));
}

function packet(random: SeededRandom, query: Query): Buffer {
  const kind = random.below(20);
  if (kind === 0) return tangled(random, query);
  if (kind === 1) return noise(random);
  return kind < 5 ? wholesome(random, query) : mutated(random, query);
}

function queryOf(random: SeededRandom): Query {
  const type = random.pick(recordTypes);
  return { id: random.below(0x10000), name: NAME, type, hasEdns: true, wantsDnssec: true };
}

function check(bytes: Buffer, query: Query, counts: DnsFuzzCounts): void {
  const started = performance.now();
  const response = readResponse(bytes, query);
  const tookMs = performance.now() - started;
  if (tookMs > TOLERATED_MS) throw new Error(`it took ${tookMs.toFixed(0)} ms to read ${bytes.length} bytes`);
  if (response === 'broken') counts.broken++;
  if (typeof response === 'string') return;
  counts.understood++;
  counts.records += response.answers.length;
  if (response.answers.length * 11 > bytes.length)
    throw new Error('there are more records than bytes for them');
  for (const { owner, record } of response.answers) {
    if (record.type !== query.type && record.type !== 'cname')
      throw new Error(`nobody wanted ${record.type}`);
    const names = [owner, 'hostname' in record ? record.hostname : ''];
    for (const name of names)
      if (/[^\x21-\x7e]/.test(name) || name.length > 1024)
        throw new Error(`a name is ${JSON.stringify(name)}`);
  }
}

/** Asks a server that answers with such packets. @throws when a question is not answered in time, whatever it is */
async function exchange(random: SeededRandom, questions: number): Promise<void> {
  const server = await DnsServer.start({
    behave: ({ packet: asked, name, type }) => {
      const query = { ...queryOf(random), id: asked.id ?? 0, name, type: type.toLowerCase() as RecordType };
      return Array.from({ length: 1 + random.below(3) }, () => packet(random, query));
    },
  });
  const resolver = createResolver({
    servers: [server.serverText],
    timeoutSeconds: 0.05,
    retries: 1,
    hostsFile: undefined,
  });
  try {
    const asked = Array.from({ length: questions }, () => {
      const name = random.chance(0.7) ? NAME : `n${random.below(1000)}.test`;
      return resolver.query({ name, type: random.pick(recordTypes), timeoutSeconds: 2 });
    });
    const late = new Promise<'late'>((resolve) => {
      setTimeout(resolve, 20_000, 'late').unref();
    });
    if ((await Promise.race([Promise.all(asked), late])) === 'late')
      throw new Error('a question was not answered within 20 s');
    const { running, pending } = resolver.counters;
    if (running + pending > 0) throw new Error(`${running + pending} questions were answered and go on`);
  } finally {
    resolver.close();
    await server.close();
  }
}

/** Runs for `seconds`, or `count` packets; every 5000th round goes over sockets. @throws with seed and packet */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<DnsFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: DnsFuzzCounts = { packets: 0, understood: 0, broken: 0, records: 0, exchanges: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.packets < count && performance.now() < deadline) {
    if (counts.packets % 5000 === 0) {
      await exchange(random, 100);
      counts.exchanges += 100;
    }
    const query = queryOf(random);
    const bytes = packet(random, query);
    try {
      check(bytes, query, counts);
    } catch (error) {
      const shown = bytes.toString('base64');
      throw new Error(`seed ${seed}, packet ${counts.packets}, type ${query.type}: ${shown}`, {
        cause: error,
      });
    }
    counts.packets++;
  }
  return counts;
}
