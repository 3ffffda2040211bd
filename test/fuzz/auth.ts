// AUTH and the proxy phase against clients that do it wrong: base64 of every damage, exchanges left, cancelled, too long,
// commands inside of them; and a proxy script that passes, replaces and answers lines at random.
//
// Whatever comes: every session ends, with replies and no error of ours; a script is asked only about what the client said
// (in the one base64 there is for it), never about an empty name or password; the proxy script sees no line of an exchange
// and no byte that cannot be in a line; nobody is let in without having said the password.

import type { AuthAttempt, ProxyOutcome } from '#hooks';
import { SmtpFixture } from '../support/smtp-fixture.js';
import { mutate } from './language.js';
import type { SeededRandom } from './random.js';
import { SeededRandom as Random } from './random.js';
import { play } from './smtp.js';

export interface AuthFuzzCounts {
  sessions: number;
  asked: number;
  letIn: number;
  proxied: number;
}

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
const goodPlain = base64('\0ada\0lace');

function message(random: SeededRandom): string {
  return random.pick([
    '\0ada\0lace',
    '\0ada\0lace',
    'ada',
    'lace',
    '\0ada\0wrong',
    'ada\0ada\0lace',
    'root\0ada\0lace',
    '\0\0',
    '\0ada\0',
    '',
    'ada',
    'lace',
    '\0a\0b\0c',
    `\0ada\0${'x'.repeat(random.below(9300))}`,
    `\0${Array.from({ length: 1 + random.below(20) }, () => String.fromCharCode(random.below(256))).join('')}\0x`,
  ]);
}

/** A response: mostly base64, often not quite. */
function response(random: SeededRandom): string {
  const text = base64(message(random));
  if (random.chance(0.8)) return text;
  return random.pick([
    '*',
    '=',
    '',
    ' ',
    `${text}=`,
    text.replace(/=+$/, ''),
    text.replaceAll('+', '-').replaceAll('/', '_'),
    ` ${text}`,
    `${text} `,
    `${text}\0`,
    text.slice(0, -1),
    mutate(text, random),
    'QUIT',
    'NOOP',
    'x'.repeat(13_000),
  ]);
}

function exchange(random: SeededRandom): string {
  const verb = random.pick(['AUTH', 'auth', 'AUTH ', 'AUTH  ']);
  const odd = ['plain', 'CRAM-MD5', '', 'P\xc4', 'A'.repeat(30)];
  const mechanism = random.chance(0.85) ? random.pick(['PLAIN', 'LOGIN', 'X-OWN']) : random.pick(odd);
  const initial = random.chance(0.5) ? ` ${response(random)}` : '';
  let text = `${verb} ${mechanism}${initial}\r\n`;
  for (let more = random.below(4); more > 0; more--)
    text += `${response(random)}${random.chance(0.95) ? '\r' : ''}\n`;
  return text;
}

function stream(random: SeededRandom): string {
  let text = random.chance(0.9) ? 'EHLO c.test\r\n' : '';
  for (let parts = 1 + random.below(5); parts > 0; parts--)
    text += random.chance(0.7)
      ? exchange(random)
      : random.pick([
          'NOOP\r\n',
          'MAIL FROM:<a@b.test>\r\n',
          'RSET\r\n',
          'X\xff\xfe y\r\n',
          'RCPT TO:<a@b.test>\r\nDATA\r\nAUTH PLAIN\r\n.\r\n',
          'EHLO d\r\n',
          '\r\n',
        ]);
  return random.chance(0.2) ? mutate(text, random) : text;
}

/** Runs for `seconds`, or `count` sessions. @throws with seed, number and stream of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<AuthFuzzCounts> {
  const random = new Random(seed);
  const counts: AuthFuzzCounts = { sessions: 0, asked: 0, letIn: 0, proxied: 0 };
  const attempts: AuthAttempt[] = [];
  const proxied: string[] = [];
  const fixture = await new SmtpFixture({
    auth: { enabled: true, requireTls: false, maxFailures: 4 },
    verbose: true,
    limits: { errorsPerConnection: 0 },
    hooks: {
      helo: (_host, extensions) => ({ kind: 'Accept', extensions: [...(extensions ?? []), 'AUTH X-OWN'] }),
      proxy: (command): ProxyOutcome => {
        proxied.push(command);
        const next = random.chance(0.1);
        if (random.chance(0.85)) return { kind: 'Pass', next };
        if (random.chance(0.5))
          return { kind: 'Pass', next, command: random.pick(['NOOP', 'AUTH LOGIN', '']) };
        return {
          kind: 'Reply',
          next,
          reason: [command.slice(0, 3)],
          code: random.pick([250, 354, 421, 500]),
        };
      },
      auth: (attempt) => {
        attempts.push(attempt);
        if ('password' in attempt)
          return { kind: attempt.username === 'ada' && attempt.password === 'lace' ? 'Accept' : 'Reject' };
        return random.pick([
          { kind: 'Reply', challenge: '\xff\0' },
          { kind: 'Reject' },
          { kind: 'Defer' },
        ] as const);
      },
    },
  }).start();
  const deadline = performance.now() + seconds * 1000;
  try {
    while (counts.sessions < count && performance.now() < deadline) {
      const text = stream(random);
      attempts.length = 0;
      proxied.length = 0;
      fixture.log.lines.length = 0;
      try {
        const said = await play(fixture.port, text, random);
        check(fixture, text, said, attempts, proxied);
        counts.letIn += said.includes('235 2.7.0') ? 1 : 0;
      } catch (error) {
        throw new Error(`seed ${seed}, session ${counts.sessions}: ${JSON.stringify(text)}`, {
          cause: error,
        });
      }
      counts.sessions++;
      counts.asked += attempts.length;
      counts.proxied += proxied.length;
    }
  } finally {
    await fixture.stop();
  }
  return counts;
}

function check(
  { log }: SmtpFixture,
  text: string,
  said: string,
  attempts: readonly AuthAttempt[],
  proxied: readonly string[],
): void {
  for (const line of said.split('\r\n').slice(0, -1))
    if (!/^\d{3}[ -]/.test(line)) throw new Error(`not a reply: ${JSON.stringify(line)}`);
  const faults = log.lines.filter(
    ({ level, message: what }) => level === 'error' && !what.startsWith('script error'),
  );
  if (faults.length > 0) throw new Error(`an error of ours: ${JSON.stringify(faults)}`);
  for (const attempt of attempts) {
    for (const response of responsesOf(attempt))
      if (!response.some((form) => form === '' || text.includes(form)))
        throw new Error(`a script was asked about what nobody said: ${JSON.stringify(attempt)}`);
    if ('password' in attempt && (attempt.username === '' || attempt.password === ''))
      throw new Error('a script was asked about an empty name or password');
  }
  const isGood = (attempt: AuthAttempt) =>
    'password' in attempt && attempt.username === 'ada' && attempt.password === 'lace';
  if (said.includes('235 2.7.0') && !attempts.some(isGood)) throw new Error('let in without a password');
  for (const line of proxied) {
    if (/[\r\n\0]/.test(line)) throw new Error(`the proxy script saw ${JSON.stringify(line)}`);
    if (line.length > 2046 && !/^AUTH /i.test(line)) throw new Error('the proxy script saw too long a line');
  }
  // What stands behind a whole AUTH PLAIN is a password whether it is right or not.
  const logged = JSON.stringify(log.lines);
  if (/C: AUTH PLAIN (?!\*\*\*)/i.test(logged) || (logged.includes(goodPlain) && isWhole(text)))
    throw new Error('a password is in the log');
}

/** Each response of the attempt, in the forms in which the client may have said it. */
function responsesOf(attempt: AuthAttempt): string[][] {
  if (!('password' in attempt)) return [attempt.response === undefined ? [''] : [base64(attempt.response)]];
  const { mechanism, username, password } = attempt;
  if (mechanism === 'LOGIN') return [[base64(username)], [base64(password)]];
  return [[base64(`\0${username}\0${password}`), base64(`${username}\0${username}\0${password}`)]];
}

/** Whether the good password is only said behind AUTH, so that nobody could take it for anything else. */
function isWhole(text: string): boolean {
  return text.split(/\r?\n/).every((line) => !line.includes(goodPlain) || /^auth {1,2}plain /i.test(line));
}
