// Command streams against a server in this process: some are dialogues with pieces flipped, dropped and doubled, some
// smuggle. Whatever comes, each session ends, nothing is left under way, nobody makes an internal error, and no message
// that holds a look-alike of the final dot is taken, nor a command behind one.

import { once } from 'node:events';
import { connect } from 'node:net';
import { SmtpFixture } from '../support/smtp-fixture.js';
import { mutate } from './language.js';
import type { SeededRandom } from './random.js';
import { SeededRandom as Random } from './random.js';

export interface SmtpFuzzCounts {
  sessions: number;
  accepted: number;
  replies: number;
}

/** A session that does not end within this time after its client has ended hangs. */
const PATIENCE_MS = 10_000;

/** Ends of a message for some servers and none for us: everything around a lone dot but CR LF on both sides. */
const lookAlikes = ['\n.\n', '\r\n.\n', '\n.\r\n', '\r.\r', '\r\n.\r', '\r.\r\n', '\r.\n', '\n.\r'];

function path(random: SeededRandom): string {
  return random.pick([
    '<a@b.test>',
    '<>',
    '<"odd name"@b.test>',
    '<a@[127.0.0.1]>',
    '<@relay.test:a@b.test>',
    'a@b.test',
    '< a@b.test >',
    '<a@b..test>',
    '<postmaster>',
    '<"\\""@b.test>',
    `<${'x'.repeat(random.below(400))}@b.test>`,
    '<\xc3\xa5@b.test>',
  ]);
}

function command(random: SeededRandom): string {
  const parameter = random.pick([
    '',
    '',
    ' SIZE=100',
    ' BODY=8BITMIME',
    ' SIZE=x',
    ' FOO',
    ' NOTIFY=NEVER',
    ' =',
  ]);
  return random.pick([
    'EHLO c.test',
    'HELO c.test',
    'NOOP',
    'NOOP x',
    'RSET',
    'VRFY a',
    'HELP',
    'EXPN list',
    'STARTTLS',
    'BDAT 5 LAST',
    'XYZZY',
    '',
    ' ',
    `MAIL FROM:${path(random)}${parameter}`,
    `RCPT TO:${path(random)}${parameter}`,
    `MAIL FROM: ${path(random)}`,
    'DATA',
    'QUIT',
  ]);
}

function body(random: SeededRandom): string {
  let text = random.pick(['Subject: x\r\n\r\n', '', '\r\n', 'no header at all\r\n', ': \r\n\t\r\n']);
  for (let lines = random.below(6); lines > 0; lines--)
    text += random.pick([
      'text\r\n',
      '..\r\n',
      '..dot\r\n',
      '\r\n',
      '\x00\xff\r\n',
      'bare\nfeed\r\n',
      'bare\rreturn\r\n',
      `${'y'.repeat(2000)}\r\n`,
    ]);
  return text;
}

/** A dialogue that goes well, with other commands strewn in. */
function dialogue(random: SeededRandom): string {
  let text = '';
  for (let mails = 1 + random.below(3); mails > 0; mails--) {
    for (const line of ['EHLO c.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA']) {
      if (random.chance(0.15)) text += `${command(random)}\r\n`;
      if (!random.chance(0.05)) text += `${line}\r\n`;
    }
    text += `${body(random)}${random.chance(0.05) ? '' : '.\r\n'}`;
  }
  return random.chance(0.5) ? `${text}QUIT\r\n` : text;
}

/** A message with a look-alike inside and commands of its own behind it. */
function smuggling(random: SeededRandom): string {
  const head =
    'EHLO c.test\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nX-Smuggle: yes\r\n\r\nbody';
  const hidden = 'MAIL FROM:<a@b.test>\r\nRCPT TO:<smuggled@d.test>\r\nDATA\r\nX-Smuggle: yes\r\n\r\nhidden';
  return `${head}${random.pick(lookAlikes)}${hidden}\r\n.\r\nQUIT\r\n`;
}

function stream(random: SeededRandom): string {
  if (random.chance(0.3)) return smuggling(random);
  const text = dialogue(random);
  return random.chance(0.6) ? mutate(text, random) : text;
}

/** Plays one session, cut into packets at random. @returns what the server said */
export async function play(port: number, text: string, random: SeededRandom): Promise<string> {
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

function check(fixture: SmtpFixture, from: number, said: string): void {
  for (const line of said.split('\r\n').slice(0, -1))
    if (!/^\d{3}[ -]/.test(line)) throw new Error(`not a reply: ${JSON.stringify(line)}`);
  if (/internal/i.test(said)) throw new Error(`an internal error: ${said}`);
  for (const { transaction, copies } of fixture.spool.committed.slice(from)) {
    if (transaction.requests.some(({ recipient }) => recipient.localPart === 'smuggled'))
      throw new Error('a command behind a look-alike was carried out');
    if (copies.some((copy) => copy.includes('X-Smuggle: yes')))
      throw new Error('a message with a look-alike of the final dot was accepted');
  }
}

/** Runs for `seconds`, or `count` sessions. @throws with seed, number and stream of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<SmtpFuzzCounts> {
  const random = new Random(seed);
  const fixture = await new SmtpFixture().start();
  const counts: SmtpFuzzCounts = { sessions: 0, accepted: 0, replies: 0 };
  const deadline = performance.now() + seconds * 1000;
  try {
    while (counts.sessions < count && performance.now() < deadline) {
      const text = stream(random);
      const from = fixture.spool.committed.length;
      try {
        const said = await play(fixture.port, text, random);
        check(fixture, from, said);
        counts.replies += said.match(/^\d{3} /gm)?.length ?? 0;
      } catch (error) {
        throw new Error(`seed ${seed}, session ${counts.sessions}: ${JSON.stringify(text)}`, {
          cause: error,
        });
      }
      counts.sessions++;
    }
    counts.accepted = fixture.spool.committed.length;
    if (fixture.spool.underWay !== 0)
      throw new Error(`seed ${seed}: ${fixture.spool.underWay} messages were left under way`);
  } finally {
    await fixture.stop();
  }
  return counts;
}
