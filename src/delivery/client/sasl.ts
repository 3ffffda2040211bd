// Logging in at a peer (RFC 4954). A password, and whatever it can be read off, goes to a peer we know and to nobody else:
// not over a TLS session whose certificate is untrusted or somebody else's, not in plain text where TLS was wanted and did
// not come about, and never into a message for people, even if the peer repeats it in its reply.
//
// Where no TLS was asked for (mode `disabled`) the author has said that the way to the peer is to be trusted, so it is.
// `allowsUnverified` says the same for the modes that encrypt without looking (`optional`, `require`).

import { createHmac } from 'node:crypto';
import type { Connection } from './connection.js';
import type { Reply } from './reply-parser.js';
import type { TlsWish } from './tls.js';
import type { SecondsFor, SmtpState, Trouble } from './trouble.js';

/** Whom to log in as. Bytes. */
export interface Credentials {
  readonly userName: string;
  readonly password: string;
  /** Log in although the session does not show with whom it is. */
  readonly allowsUnverified: boolean;
}

type Mechanism = 'PLAIN' | 'LOGIN' | 'CRAM-MD5' | 'XOAUTH2';

/** Encrypted, the simple ones first; in plain text, first the one that does not show the password. */
const encrypted: readonly Mechanism[] = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'];
const inPlainText: readonly Mechanism[] = ['CRAM-MD5', 'PLAIN', 'LOGIN', 'XOAUTH2'];

/** RFC 4954 §6: this mechanism is not known, or is not to be used so; another may be. */
const NOT_THIS_MECHANISM = [504, 534, 538];

/** Logs in, with the best mechanism that both sides know. */
export async function authenticate(
  connection: Connection,
  credentials: Credentials,
  wish: TlsWish,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const risk = riskOf(connection, credentials, wish);
  if (risk !== undefined) return misconfigured(risk);
  if (credentials.userName.includes('\0') || credentials.password.includes('\0'))
    return misconfigured('a SASL user name or password must not contain a NUL');
  const offered = connection.capabilities.mechanisms;
  const usable = (connection.tls === undefined ? inPlainText : encrypted).filter((one) =>
    offered.includes(one),
  );
  connection.conceal(secretsOf(credentials));
  let refusal: Trouble | undefined;
  for (const mechanism of usable) {
    refusal = await dialogue(connection, mechanism, credentials, secondsFor);
    if (refusal === undefined) return undefined;
    if (refusal.kind !== 'refused' || !NOT_THIS_MECHANISM.includes(refusal.reply.code)) return refusal;
  }
  return (
    refusal ??
    misconfigured(
      offered.length === 0
        ? 'the peer offers no AUTH, but a SASL user name is configured'
        : `the peer offers AUTH with ${printable(offered)} only; expected PLAIN, LOGIN, CRAM-MD5 or XOAUTH2`,
    )
  );
}

/** Why the credentials stay here, if they do. */
function riskOf(connection: Connection, credentials: Credentials, wish: TlsWish): string | undefined {
  if (wish.mode === 'disabled' || credentials.allowsUnverified) return undefined;
  const how = 'allow "sasl_unverified", or TLS mode "disabled", if that is what you want';
  const { tls } = connection;
  if (tls === undefined)
    return `no SASL log-in in plain text where TLS was wanted (${connection.tlsRefusal ?? 'no TLS'}); ${how}`;
  if (tls.isAuthenticated) return undefined;
  if (tls.chainProblem !== undefined)
    return `no SASL log-in at a peer whose certificate is not trusted (${tls.chainProblem}); ${how}`;
  return `no SASL log-in at a peer whose certificate is for another name; name it in "tls_verify_name", or ${how}`;
}

async function dialogue(
  connection: Connection,
  mechanism: Mechanism,
  { userName, password }: Credentials,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const say = async (state: SmtpState, line: string): Promise<Reply | Trouble> => {
    connection.send(`${line}\r\n`, 1);
    return connection.reply(state, secondsFor(state));
  };
  switch (mechanism) {
    case 'PLAIN': {
      const answer = await say('AUTH-PLAIN', `AUTH PLAIN ${base64(`\0${userName}\0${password}`)}`);
      return verdict(connection, answer, secondsFor);
    }
    case 'XOAUTH2': {
      const answer = await say(
        'AUTH',
        `AUTH XOAUTH2 ${base64(`user=${userName}\x01auth=Bearer ${password}\x01\x01`)}`,
      );
      // An error comes as a challenge that wants an empty answer before the refusal.
      const isChallenge = !('kind' in answer) && answer.code === 334;
      return verdict(connection, isChallenge ? await say('AUTH', '') : answer, secondsFor);
    }
    case 'LOGIN': {
      const opened = challenge('AUTH-LOGIN', await say('AUTH-LOGIN', 'AUTH LOGIN'));
      if ('kind' in opened) return opened;
      const named = challenge('AUTH-LOGIN-USER', await say('AUTH-LOGIN-USER', base64(userName)));
      if ('kind' in named) return named;
      return verdict(connection, await say('AUTH', base64(password)), secondsFor);
    }
    case 'CRAM-MD5': {
      const opened = challenge('AUTH-CRAM-MD5', await say('AUTH-CRAM-MD5', 'AUTH CRAM-MD5'));
      if ('kind' in opened) return opened;
      const text = Buffer.from(opened.lines.join(''), 'base64');
      const digest = createHmac('md5', Buffer.from(password, 'latin1')).update(text).digest('hex');
      return verdict(connection, await say('AUTH', base64(`${userName} ${digest}`)), secondsFor);
    }
  }
}

function challenge(state: SmtpState, answer: Reply | Trouble): Reply | Trouble {
  if ('kind' in answer) return answer;
  if (answer.code === 334) return answer;
  if (answer.code >= 400) return { kind: 'refused', state, reply: answer };
  return {
    kind: 'protocol',
    state,
    message: `the peer answered ${state} with ${answer.code} instead of 334`,
  };
}

/** What the last reply says. A peer that asks on gets no more (RFC 4954 §4: "*" cancels). */
async function verdict(
  connection: Connection,
  answer: Reply | Trouble,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  if ('kind' in answer) return answer;
  if (answer.code >= 400) return { kind: 'refused', state: 'AUTH', reply: answer };
  if (answer.code < 300) {
    connection.logInReply = answer;
    return undefined;
  }
  connection.send('*\r\n', 1);
  await connection.reply('AUTH', Math.min(secondsFor('AUTH'), secondsFor('RSET')));
  return {
    kind: 'protocol',
    state: 'AUTH',
    message: `the peer asked for more (${answer.code}) after the whole log-in was said`,
  };
}

/** What is told to the peer and to nobody else, in all the forms that it is told in; the longer first: they may contain the shorter. */
function secretsOf({ userName, password }: Credentials): readonly string[] {
  return [
    base64(`user=${userName}\x01auth=Bearer ${password}\x01\x01`),
    base64(`\0${userName}\0${password}`),
    base64(password),
    password,
  ].filter((secret) => secret.length > 2);
}

function base64(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('base64');
}

function misconfigured(message: string): Trouble {
  return { kind: 'misconfigured', state: 'AUTH', message };
}

function printable(words: readonly string[]): string {
  return words
    .join(' ')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 100);
}
