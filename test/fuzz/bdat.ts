// Messages in chunks against a server in this process. Half of the streams are right, and what comes of them is known
// beforehand, byte by byte; the other half has wrong sizes, orders and pieces. Whatever comes, each session ends, nothing is
// left under way, no chunk's byte is carried out as a command, and no look-alike of the final dot is taken.

import { once } from 'node:events';
import { connect } from 'node:net';
import { chunkBytes } from '../support/chunks.js';
import { SmtpFixture, until } from '../support/smtp-fixture.js';
import { mutate } from './language.js';
import type { SeededRandom } from './random.js';
import { SeededRandom as Random } from './random.js';

export interface BdatFuzzCounts {
  sessions: number;
  accepted: number;
  refused: number;
  chunks: number;
}

/** A session that does not end within this time after its client has ended hangs. */
const PATIENCE_MS = 10_000;
const lookAlike = /\r\n\.\r(?!\n)|\r\n\.\n|(?:^|[^\r])\n\.[\r\n]|\r\.[\r\n]/;

function bytes(random: SeededRandom): string {
  let text = '';
  for (let count = random.below(8); count > 0; count--)
    text += random.pick([
      'text',
      '\r\n',
      '.',
      '..',
      '\r\n.\r\n',
      '\0\xff',
      'QUIT\r\n',
      'MAIL FROM:<a@b.test>\r\nRCPT TO:<smuggled@d.test>\r\nDATA\r\n',
      'BDAT 5 LAST\r\n',
      random.chance(0.1) ? '\n' : 'x',
      random.chance(0.1) ? '\r' : 'y',
    ]);
  return text;
}

interface Stream {
  readonly text: string;
  /** What must have been accepted; undefined where anything goes. */
  readonly messages: readonly string[] | undefined;
  readonly chunks: number;
}

/** Mails as RFC 3030 has them. */
function right(random: SeededRandom): Stream {
  let text = 'EHLO c\r\n';
  let chunks = 0;
  const messages: string[] = [];
  for (let mails = 1 + random.below(3); mails > 0; mails--) {
    text += 'MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n';
    let message = '';
    for (let count = random.below(4); count > 0; count--) {
      const piece = bytes(random);
      message += piece;
      text += chunkBytes(piece);
      chunks++;
      if (random.chance(0.2))
        text += random.pick(['NOOP\r\n', 'VRFY x\r\n', 'DATA\r\n', 'RCPT TO:<x@y.test>\r\n']);
    }
    if (random.chance(0.1)) {
      text += 'RSET\r\n';
      continue;
    }
    const last = bytes(random);
    message += last;
    text += chunkBytes(last, 'LAST');
    chunks++;
    if (!lookAlike.test(`\r\n${message}\r\n`)) messages.push(message);
  }
  return { text: `${text}QUIT\r\n`, messages, chunks };
}

/** The same with something wrong. */
function wrong(random: SeededRandom): Stream {
  const { text, chunks } = right(random);
  const spoilt = random.pick([
    () => mutate(text, random),
    () => text.replace(/BDAT (\d+)/, (_, size: string) => `BDAT ${Number(size) + random.below(20) - 10}`),
    () =>
      text.replace(/BDAT \d+/, `BDAT ${random.pick(['', '-1', 'x', '99999999999999999999', '1 1', 'LAST'])}`),
    () => text.replace('RCPT TO', 'RCPT FROM'),
    () => text.replace('EHLO', 'HELO'),
    () => text.slice(0, random.below(text.length)),
    () => text.replace(' LAST', ''),
  ])();
  return { text: spoilt, messages: undefined, chunks };
}

async function play(port: number, text: string, random: SeededRandom): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let said = '';
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  for (let at = 0; at < text.length; ) {
    const length = random.chance(0.3) ? 1 + random.below(4) : 1 + random.below(text.length);
    socket.write(Buffer.from(text.slice(at, at + length), 'latin1'));
    at += length;
    if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.end();
  const patience = setTimeout(() => socket.destroy(new Error('the session hangs')), PATIENCE_MS);
  await closed;
  clearTimeout(patience);
  if (socket.errored?.message === 'the session hangs') throw new Error(`the session hangs; said: ${said}`);
  return said;
}

function check(fixture: SmtpFixture, from: number, said: string, { messages, text }: Stream): void {
  for (const line of said.split('\r\n').slice(0, -1))
    if (!/^\d{3}[ -]/.test(line)) throw new Error(`not a reply: ${JSON.stringify(line)}`);
  if (/internal/i.test(said)) throw new Error(`an internal error: ${said}`);
  const accepted = fixture.spool.committed
    .slice(from)
    .map(({ copies }) => copies[0]!.toString('latin1').replace(/^Received: .*\r\n(?:\t.*\r\n)*/, ''));
  for (const message of accepted)
    if (lookAlike.test(`\r\n${message}\r\n`))
      throw new Error(`a look-alike was accepted: ${JSON.stringify(message)}`);
  if (messages === undefined) return;
  if (JSON.stringify(accepted) !== JSON.stringify(messages))
    throw new Error(`accepted ${JSON.stringify(accepted)}, expected ${JSON.stringify(messages)}: ${text}`);
  const recipients = fixture.spool.committed.slice(from).flatMap(({ transaction }) => transaction.requests);
  if (recipients.some(({ recipient }) => recipient.localPart === 'smuggled'))
    throw new Error('bytes of a chunk were carried out as commands');
}

/** Runs for `seconds`, or `count` sessions. @throws with seed, number and stream of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<BdatFuzzCounts> {
  const random = new Random(seed);
  const fixture = await new SmtpFixture({ limits: { messageBytes: 1000, refusedChunkBytes: 2000 } }).start();
  const counts: BdatFuzzCounts = { sessions: 0, accepted: 0, refused: 0, chunks: 0 };
  const deadline = performance.now() + seconds * 1000;
  try {
    while (counts.sessions < count && performance.now() < deadline) {
      const stream = random.chance(0.5) ? right(random) : wrong(random);
      try {
        const said = await play(fixture.port, stream.text, random);
        // A message that was complete when its client went is finished all the same.
        await until(() => fixture.server.sessionCount === 0 && fixture.spool.underWay === 0);
        check(fixture, counts.accepted, said, stream);
        counts.refused += said.match(/^5\d\d /gm)?.length ?? 0;
      } catch (error) {
        throw new Error(`seed ${seed}, session ${counts.sessions}: ${JSON.stringify(stream.text)}`, {
          cause: error,
        });
      }
      counts.sessions++;
      counts.chunks += stream.chunks;
      counts.accepted = fixture.spool.committed.length;
    }
    if (fixture.spool.underWay !== 0)
      throw new Error(`seed ${seed}: ${fixture.spool.underWay} messages were left under way`);
  } finally {
    await fixture.stop();
  }
  return counts;
}
