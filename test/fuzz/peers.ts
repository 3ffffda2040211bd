// The SMTP and LMTP client against peers that say anything: every attempt ends, with a verdict that the dialogue bears out. A
// message counts as delivered only when the peer had all of it and then said 2xx, and as failed only when somebody said 5xx or
// the peer had announced that it cannot take it.
//
// The peers are in memory, so that thousands of dialogues take seconds. They do not fall silent without closing: deadlines
// have tests of their own.

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { judge } from '../../src/delivery/failure.js';
import { SmtpDeliverer } from '../../src/delivery/smtp-deliverer.js';
import { makeAttempt } from '../support/delivery-attempt.js';
import { SeededRandom } from './random.js';

export interface PeerFuzzCounts {
  attempts: number;
  delivered: number;
  deferred: number;
  failed: number;
}

/** No dialogue in memory takes as long. */
const MOST_MILLISECONDS = 2000;

const good: Readonly<Record<string, string>> = {
  BANNER: '220 peer.test ESMTP\r\n',
  EHLO: '250 peer.test\r\n',
  LHLO: '250 peer.test\r\n',
  DATA: '354 go ahead\r\n',
  QUIT: '221 bye\r\n',
};
const extensions = [
  'PIPELINING',
  '8BITMIME',
  'CHUNKING',
  'DSN',
  'SMTPUTF8',
  'SIZE',
  'SIZE 10',
  'SIZE x',
  'AUTH',
  '',
  ' ',
  '\0',
];
const bad = [
  '250-one\r\n250 two\r\n',
  '250-one\r\n550 two\r\n',
  '250\r\n',
  '299 odd\r\n',
  '354 what\r\n',
  '354\r\n',
  '421 4.3.2 leaving\r\n',
  '450 4.2.1 later\r\n',
  '452 4.3.1 full\r\n',
  '503 5.5.1 order\r\n',
  '550 5.1.1 no\r\n',
  '550-5.1.1 no\r\n550 5.1.1 more\r\n',
  '552 5.5.3 many\r\n',
  '554 no\r\n',
  '250 ok\r\n250 and one more\r\n',
  '250 ok\r\n550 no\r\n',
  '250 ok\n',
  '\r\n',
  '999 no\r\n',
  'hello\r\n',
  '25',
  '250-half',
  '250-x\r\n'.repeat(600),
  `250 ${'y'.repeat(3000)}\r\n`,
  '\0\0\0\xff\r\n',
];

/** One connection's other end. */
class HostilePeer extends Duplex {
  readonly localAddress = '127.0.0.1';
  readonly localPort = 40_000;
  hasSaid5xx = false;
  hasAnnouncedLimits = false;
  /** 2xx said after a whole message. */
  hasTaken = false;
  readonly #random: SeededRandom;
  readonly #rate: number;
  #pending = '';
  #isInMessage = false;
  #chunkBytes: number | undefined;
  #isLastChunk = false;

  constructor(random: SeededRandom) {
    super();
    this.#random = random;
    this.#rate = random.below(5) === 0 ? 0 : 1 + random.below(12);
    setImmediate(() => {
      this.emit('connect');
      this.#answer('BANNER');
    });
  }

  setNoDelay(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#pending += chunk.toString('latin1');
    while (!this.destroyed && this.#take());
    done();
  }

  override _final(done: () => void): void {
    done();
    this.push(null);
  }

  #take(): boolean {
    if (this.#chunkBytes !== undefined) {
      if (this.#pending.length < this.#chunkBytes) return false;
      this.#pending = this.#pending.slice(this.#chunkBytes);
      this.#chunkBytes = undefined;
      this.#answer('BDAT', this.#isLastChunk);
      return true;
    }
    if (this.#isInMessage) {
      const isEmpty = this.#pending.startsWith('.\r\n');
      const end = isEmpty ? 0 : this.#pending.indexOf('\r\n.\r\n');
      if (end === -1) return false;
      this.#pending = this.#pending.slice(isEmpty ? 3 : end + 5);
      this.#isInMessage = false;
      this.#answer('EOD', !isEmpty);
      return true;
    }
    const end = this.#pending.indexOf('\r\n');
    if (end === -1) return false;
    const line = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end + 2);
    const chunk = /^BDAT (\d+)( LAST)?$/.exec(line);
    if (chunk !== null) {
      this.#chunkBytes = Number(chunk[1]);
      this.#isLastChunk = chunk[2] !== undefined;
      return true;
    }
    const said = this.#answer(line.slice(0, 4).toUpperCase());
    if (line === 'DATA' && said.startsWith('354')) this.#isInMessage = true;
    return true;
  }

  #answer(verb: string, isWholeMessage = false): string {
    const random = this.#random;
    const isGood = this.#rate === 0 || random.below(this.#rate) !== 0;
    let text = isGood ? (good[verb] ?? '250 2.0.0 ok\r\n') : bad[random.below(bad.length)]!;
    if (isGood && (verb === 'EHLO' || verb === 'LHLO')) text = this.#announcement();
    if (/^5\d\d/m.test(text)) this.hasSaid5xx = true;
    if (isWholeMessage && /^2\d\d/m.test(text)) this.hasTaken = true;
    for (let start = 0; start < text.length; ) {
      const length = random.below(4) === 0 ? 1 + random.below(9) : text.length - start;
      this.push(Buffer.from(text.slice(start, start + length), 'latin1'));
      start += length;
    }
    // What is not a whole reply is followed by the end, since nothing else would follow.
    const isWhole = /(?:^|\n)\d{3}(?: [^\n]*)?\r?\n$/.test(text);
    if (!isWhole || (!isGood && random.below(3) === 0)) this.push(null);
    return text;
  }

  #announcement(): string {
    const offered = extensions.filter(() => this.#random.below(2) === 0);
    if (offered.includes('SIZE 10')) this.hasAnnouncedLimits = true;
    const lines = ['peer.test', ...offered];
    return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('');
  }
}

/** Runs attempts until the time, or their number, is over. @throws on the first that is judged wrongly */
export async function run(
  seconds: number,
  seed: number,
  most = Number.POSITIVE_INFINITY,
): Promise<PeerFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: PeerFuzzCounts = { attempts: 0, delivered: 0, deferred: 0, failed: 0 };
  const end = performance.now() + seconds * 1000;
  let peers: HostilePeer[] = [];
  const deliverer = new SmtpDeliverer({
    hostname: 'host.test',
    poolSize: () => 4,
    connect: () => {
      const peer = new HostilePeer(random);
      peers.push(peer);
      return peer as unknown as Socket;
    },
  });
  while (counts.attempts < most && performance.now() < end) {
    const pooled = peers.filter(({ destroyed }) => !destroyed);
    for (const peer of pooled) {
      peer.hasTaken = false;
      peer.hasSaid5xx = false;
    }
    peers = pooled;
    const isLarge = random.below(20) === 0;
    const message = isLarge
      ? `Subject: x\r\n\r\n${'line\r\n'.repeat(120_000)}`
      : 'Subject: x\r\n\r\n.dot\r\nend';
    const attempt = makeAttempt(25, {
      message,
      sender: {
        localPart: 'a',
        domain: 'a.test',
        params: random.below(4) === 0 ? { 'MT-PRIORITY': '3' } : {},
      },
      recipient: { localPart: random.below(5) === 0 ? 'j\xc3\xbcrgen' : 'b', domain: 'b.test' },
      transport: {
        protocol: random.below(4) === 0 ? 'lmtp' : 'smtp',
        pooling: { enabled: random.below(2) === 0, transactions: undefined, idleSeconds: 60 },
      },
    });
    const begun = performance.now();
    const report = await deliverer.attempt(attempt, new AbortController().signal);
    const told = JSON.stringify(report);
    if (performance.now() - begun > MOST_MILLISECONDS) throw new Error(`seed ${seed}: too slow: ${told}`);
    const verdict = judge(report);
    counts.attempts++;
    counts[verdict]++;
    if (verdict === 'delivered' && !peers.some(({ hasTaken }) => hasTaken))
      throw new Error(`seed ${seed}: called delivered, and nobody took it: ${told}`);
    const mayFail =
      peers.some((peer) => peer.hasSaid5xx || peer.hasAnnouncedLimits) ||
      /^5\.6\.7/.test(report.error?.message ?? '');
    if (verdict === 'failed' && !mayFail)
      throw new Error(`seed ${seed}: called failed, and nobody said so: ${told}`);
  }
  await deliverer.close();
  return counts;
}
