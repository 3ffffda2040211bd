// AUTH in transcripts. Each `describe` is a section of RFC 4954 unless it says otherwise.

import { afterEach, describe, expect, test } from 'vitest';
import type { AuthAttempt, AuthOutcome, SessionState } from '#hooks';
import { NetworkList } from '../../../src/smtp/edge/networks.js';
import { type FixtureOptions, type HookFunctions, SmtpFixture, until } from '../../support/smtp-fixture.js';

let mta: SmtpFixture;
const attempts: AuthAttempt[] = [];

async function start(options: FixtureOptions = {}): Promise<SmtpFixture> {
  attempts.length = 0;
  const { hooks, ...rest } = options;
  const auth = hooks?.auth ?? ada;
  mta = await new SmtpFixture({
    auth: { enabled: true, requireTls: false, maxFailures: 5 },
    ...rest,
    hooks: {
      ...hooks,
      auth: (attempt, state) => {
        attempts.push(attempt);
        return auth(attempt, state);
      },
    },
  }).start();
  return mta;
}

/** Lets ada in. */
function ada(attempt: AuthAttempt): AuthOutcome {
  const isAda = 'password' in attempt && attempt.username === 'ada' && attempt.password === 'lace';
  return { kind: isAda ? 'Accept' : 'Reject' };
}

afterEach(async () => {
  await mta.stop();
  expect(mta.spool.underWay).toBe(0);
  expect(mta.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
const adaPlain = base64('\0ada\0lace');
const wrongPlain = base64('\0ada\0love');
const hello = `
  S: 220 *
  C: EHLO client.test
  S: 250-mx.argonite.test
  S: 250-PIPELINING
  S: 250-SIZE 52428800
  S: 250-8BITMIME
  S: 250-SMTPUTF8
  S: 250-CHUNKING
  S: 250-ENHANCEDSTATUSCODES
  S: 250 AUTH PLAIN LOGIN`;
const announces = (extension: string): HookFunctions => ({
  helo: (_host, extensions) => ({ kind: 'Accept', extensions: [...(extensions ?? []), extension] }),
});
/** The same greeting with another AUTH line. */
const helloWith = (auth: string) => hello.replace('250 AUTH PLAIN LOGIN', `250 ${auth}`);

describe('§3: the AUTH extension', () => {
  test('is announced when there is an auth script', async () => {
    await start();
    await mta.play(hello);
  });

  test('is neither announced nor known without an auth script', async () => {
    mta = await new SmtpFixture().start();
    await mta.play(`${helloWith('').replace('S: 250-ENHANCEDSTATUSCODES\n  S: 250 ', 'S: 250 ENHANCEDSTATUSCODES')}
      C: AUTH PLAIN ${adaPlain}
      S: 502 5.5.1 *`);
  });

  test('is neither announced nor known when it is not enabled', async () => {
    await start({ auth: { enabled: false, requireTls: false, maxFailures: 5 } });
    await mta.play(`${helloWith('').replace('S: 250-ENHANCEDSTATUSCODES\n  S: 250 ', 'S: 250 ENHANCEDSTATUSCODES')}
      C: AUTH PLAIN ${adaPlain}
      S: 502 5.5.1 *`);
    expect(attempts).toEqual([]);
  });

  test('is not announced to HELO, and refused after it', async () => {
    await start();
    await mta.play(`
      S: 220 *
      C: AUTH PLAIN ${adaPlain}
      S: 503 5.5.1 Say EHLO first
      C: HELO client.test
      S: 250 mx.argonite.test
      C: AUTH PLAIN ${adaPlain}
      S: 503 5.5.1 Say EHLO first`);
  });

  test('takes MAIL FROM:<> AUTH=<> (§5), and only when it was announced', async () => {
    await start();
    await mta.play(`${hello}
      C: MAIL FROM:<a@b.test> AUTH=
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.test> AUTH=e+3Dmc2@example.com
      S: 250 2.1.0 *`);
    await mta.play('S: 220 *\nC: MAIL FROM:<a@b.test> AUTH=<>\nS: 555 *');
  });
});

describe('§4: the AUTH command', () => {
  test('PLAIN with an initial response is one round trip (RFC 4616)', async () => {
    await start();
    await mta.play(`${hello}
      C: AUTH PLAIN ${adaPlain}
      S: 235 2.7.0 Authentication succeeded`);
    expect(attempts).toEqual([{ mechanism: 'PLAIN', username: 'ada', password: 'lace' }]);
  });

  test('PLAIN without one gets an empty challenge: 334, a blank and nothing', async () => {
    await start();
    const client = await mta.play(`${hello}\nC: auth plain`);
    expect(await client.line()).toBe('334 ');
    await client.play(`C: ${adaPlain}\nS: 235 2.7.0 *`);
  });

  test('LOGIN asks for both', async () => {
    await start();
    await mta.play(`${hello}
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: ${base64('ada')}
      S: 334 UGFzc3dvcmQ6
      C: ${base64('lace')}
      S: 235 2.7.0 *`);
    expect(attempts).toEqual([{ mechanism: 'LOGIN', username: 'ada', password: 'lace' }]);
  });

  test('LOGIN takes the name as initial response', async () => {
    await start();
    await mta.play(`${hello}
      C: AUTH LOGIN ${base64('ada')}
      S: 334 UGFzc3dvcmQ6
      C: ${base64('lace')}
      S: 235 2.7.0 *`);
  });

  test('hands name and password over as bytes, UTF-8 and all', async () => {
    await start();
    await mta.play(`${hello}\nC: AUTH PLAIN ${Buffer.from('\0å\0p ä').toString('base64')}\nS: 535 5.7.8 *`);
    expect(attempts).toEqual([{ mechanism: 'PLAIN', username: '\xc3\xa5', password: 'p \xc3\xa4' }]);
  });

  test.each([
    ['', '501 5.5.4 Syntax: *'],
    ['PLAIN a b', '501 5.5.4 Syntax: *'],
    ['PL\u00c4IN', '501 5.5.4 Syntax: *'],
    ['A2345678901234567890A', '501 5.5.4 Syntax: *'],
    ['CRAM-MD5', '504 5.5.4 *'],
    ['DIGEST-MD5 =', '504 5.5.4 *'],
    ['PLAIN ====', '501 5.5.2 *'],
    ['PLAIN YWRh!', '501 5.5.2 *'],
    ['PLAIN YWR', '501 5.5.2 *'],
    ['PLAIN YWRh\u00e5', '501 5.5.2 *'],
    ['PLAIN YR==', '501 5.5.2 *'], // bits behind the last byte
    ['PLAIN AGFkYQBs_-Nl', '501 5.5.2 *'], // another alphabet
    [`PLAIN ${base64('ada')}`, '501 5.5.2 *'],
    [`PLAIN ${base64('a\0b\0c\0d')}`, '501 5.5.2 *'],
    ['PLAIN =', '501 5.5.2 *'], // the empty response is none that PLAIN knows
  ])('is refused as "AUTH %s", and the script not asked', async (argument, reply) => {
    await start();
    await mta.play(`${hello}\nC: AUTH ${argument}\nS: ${reply}\nC: NOOP\nS: 250 *`);
    expect(attempts).toEqual([]);
  });

  test.each([
    ['an empty password', '\0ada\0'],
    ['an empty name', '\0\0lace'],
    ['a wish to act as somebody else', 'root\0ada\0lace'],
  ])('PLAIN with %s fails before the script is asked (RFC 4616 §2)', async (_name, message) => {
    await start();
    await mta.play(`${hello}\nC: AUTH PLAIN ${base64(message)}\nS: 535 5.7.8 Authentication failed`);
    expect(attempts).toEqual([]);
  });

  test('PLAIN may name the user twice', async () => {
    await start();
    await mta.play(`${hello}\nC: AUTH PLAIN ${base64('ada\0ada\0lace')}\nS: 235 2.7.0 *`);
  });

  test('LOGIN with an empty line for the password fails before the script is asked', async () => {
    await start();
    await mta.play(`${hello}\nC: AUTH LOGIN ${base64('ada')}\nS: 334 *\nC: \nS: 535 5.7.8 *`);
    expect(attempts).toEqual([]);
  });

  test('"*" cancels with 501, at any step, and the session goes on', async () => {
    await start();
    await mta.play(`${hello}
      C: AUTH PLAIN
      S: 334 *
      C: *
      S: 501 5.7.0 *
      C: AUTH LOGIN
      S: 334 *
      C: ${base64('ada')}
      S: 334 *
      C: *
      S: 501 5.7.0 *
      C: AUTH PLAIN ${adaPlain}
      S: 235 *`);
  });

  test('a response that is not base64 ends the exchange with 501 5.5.2', async () => {
    await start();
    await mta.play(`${hello}
      C: AUTH LOGIN
      S: 334 *
      C: NOOP
      S: 334 *
      C: QUIT!
      S: 501 5.5.2 *
      C: NOOP
      S: 250 *
      C: AUTH PLAIN
      S: 334 *
      C: =
      S: 501 5.5.2 *`);
  });

  test('a line of 12288 octets is taken, a longer one ends the exchange with 500 5.5.6', async () => {
    await start();
    // "\0ada\0" and a password that makes 12284 characters of base64: with CR LF the line has 12286 octets.
    const longest = base64(`\0ada\0${'x'.repeat(9213 - 5)}`);
    expect(longest).toHaveLength(12284);
    await mta.play(`${hello}
      C: AUTH PLAIN
      S: 334 *
      C: ${longest}
      S: 535 5.7.8 *
      C: AUTH PLAIN
      S: 334 *
      C: ${longest}AAAA
      S: 500 5.5.6 *
      C: NOOP
      S: 250 *`);
  });

  test('an initial response may be as long, but no other command is', async () => {
    await start();
    const token = base64(`\0ada\0${'x'.repeat(6000)}`);
    await mta.play(`${hello}
      C: AUTH PLAIN ${token}
      S: 535 *
      C: NOOP ${token}
      S: 500 5.5.2 Line too long`);
  });

  test('is refused during a transaction, and after it succeeded', async () => {
    await start();
    await mta.play(`${hello}
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: AUTH PLAIN ${adaPlain}
      S: 503 5.5.1 Not during a transaction
      C: RSET
      S: 250 *
      C: AUTH PLAIN ${adaPlain}
      S: 235 *
      C: AUTH PLAIN ${adaPlain}
      S: 503 5.5.1 *
      C: EHLO again.test
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250-*
      S: 250 AUTH PLAIN LOGIN
      C: AUTH PLAIN ${adaPlain}
      S: 503 5.5.1 *`);
    expect(attempts).toHaveLength(1);
  });

  test('may be tried again after it failed', async () => {
    await start();
    await mta.play(`${hello}
      C: AUTH PLAIN ${wrongPlain}
      S: 535 5.7.8 Authentication failed
      C: AUTH PLAIN ${adaPlain}
      S: 235 2.7.0 *`);
  });

  test('pipelined with its responses is answered in order', async () => {
    await start();
    await mta.play(`${hello}
      C: AUTH LOGIN
      C: ${base64('ada')}
      C: ${base64('lace')}
      C: NOOP
      S: 334 VXNlcm5hbWU6
      S: 334 UGFzc3dvcmQ6
      S: 235 2.7.0 *
      S: 250 2.0.0 *`);
  });

  test('waits for a script that waits, and keeps the order', async () => {
    let answer: (outcome: AuthOutcome) => void = () => {};
    let isAsked = false;
    await start({
      hooks: {
        auth: () =>
          new Promise<AuthOutcome>((resolve) => {
            isAsked = true;
            answer = resolve;
          }),
      },
    });
    const client = await mta.play(`${hello}\nC: AUTH PLAIN ${adaPlain}\nC: NOOP`);
    await until(() => isAsked);
    answer({ kind: 'Accept' });
    await client.play('S: 235 *\nS: 250 *');
  });

  test('a client that goes in the middle cancels the script', async () => {
    await start({ hooks: { auth: () => new Promise<AuthOutcome>(() => {}) } });
    const client = await mta.play(`${hello}\nC: AUTH PLAIN ${adaPlain}`);
    await until(() => attempts.length === 1);
    client.close();
    await until(() => mta.cancelled.length > 0);
  });

  test('a bare line end in an exchange ends it', async () => {
    await start();
    await mta.play(`${hello}\nC: AUTH LOGIN\nS: 334 *\nC~ 59 57 52 68 0a\nS: 501 5.5.2 *\nC: NOOP\nS: 250 *`);
  });

  test('is offered in HELP when it was announced', async () => {
    await start();
    await mta.play(`${hello}\nC: HELP\nS: 214-2.0.0 * AUTH *\nS: 214 *`);
  });
});

describe('§6: the replies of the script', () => {
  test.each<[AuthOutcome, string]>([
    [{ kind: 'Accept', reason: ['Welcome', 'ada'], code: 235 }, '235-2.7.0 Welcome\nS: 235 2.7.0 ada'],
    [{ kind: 'Reject' }, '535 5.7.8 Authentication failed'],
    [{ kind: 'Reject', reason: ['no'], code: 534, enhanced: [5, 7, 9] }, '534 5.7.9 no'],
    [{ kind: 'Defer' }, '454 4.7.0 Temporary authentication failure'],
    [{ kind: 'Defer', code: 432, enhanced: [4, 7, 12] }, '432 4.7.12 Temporary authentication failure'],
    [{ kind: 'Reject', disconnect: true }, '535 5.7.8 Authentication failed\nS: <close>'],
    [{ kind: 'Defer', disconnect: true }, '454 4.7.0 Temporary authentication failure\nS: <close>'],
  ])('%j', async (outcome, replies) => {
    await start({ hooks: { auth: () => outcome } });
    await mta.play(`${hello}\nC: AUTH PLAIN ${adaPlain}\nS: ${replies}`);
  });
});

describe('§9: guessing', () => {
  test('closes the connection at the limit, and not before', async () => {
    await start({ auth: { enabled: true, requireTls: false, maxFailures: 3 } });
    await mta.play(`${hello}
      C: AUTH PLAIN ${wrongPlain}
      S: 535 *
      C: AUTH LOGIN ${base64('ada')}
      S: 334 *
      C: ${base64('love')}
      S: 535 *
      C: AUTH PLAIN ${base64('\0ada\0')}
      S: 421 4.7.0 Too many failed authentications
      S: <close>`);
  });

  test('is not what a cancelled exchange, bad base64 or a deferring script is taken for', async () => {
    await start({
      auth: { enabled: true, requireTls: false, maxFailures: 1 },
      hooks: { auth: () => ({ kind: 'Defer' }) },
    });
    await mta.play(`${hello}
      C: AUTH PLAIN
      S: 334 *
      C: *
      S: 501 *
      C: AUTH PLAIN !
      S: 501 *
      C: AUTH PLAIN ${wrongPlain}
      S: 454 *
      C: NOOP
      S: 250 *`);
  });

  test('has no limit when the limit is 0', async () => {
    await start({ auth: { enabled: true, requireTls: false, maxFailures: 0 } });
    await mta.play(`${hello}\n${`C: AUTH PLAIN ${wrongPlain}\nS: 535 *\n`.repeat(12)}`);
  });
});

describe('§4 and §9: encryption', () => {
  const secured = (state: SessionState) => {
    state.secured({
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      keySize: 256,
      sni: undefined,
      peerCertificate: undefined,
    });
    return { kind: 'Accept' } as const;
  };
  const requireTls = { auth: { enabled: true, requireTls: true, maxFailures: 5 } };

  test('without TLS, AUTH is not announced, and refused with 538 5.7.11', async () => {
    await start(requireTls);
    await mta.play(`${helloWith('').replace('S: 250-ENHANCEDSTATUSCODES\n  S: 250 ', 'S: 250 ENHANCEDSTATUSCODES')}
      C: AUTH PLAIN ${adaPlain}
      S: 538 5.7.11 *`);
    expect(attempts).toEqual([]);
  });

  test('without TLS, it is taken out of what a helo script announces', async () => {
    await start({ ...requireTls, hooks: announces('AUTH X-OWN') });
    await mta.play(`${helloWith('').replace('S: 250-ENHANCEDSTATUSCODES\n  S: 250 ', 'S: 250 ENHANCEDSTATUSCODES')}
      C: AUTH X-OWN
      S: 538 5.7.11 *`);
  });

  test('with TLS, it is there', async () => {
    await start({ ...requireTls, hooks: { connect: secured } });
    await mta.play(`${hello}\nC: AUTH PLAIN ${adaPlain}\nS: 235 *`);
  });

  test('what a proxy script may carry out is announced as a helo script wants it', async () => {
    mta = await new SmtpFixture({
      hooks: { ...announces('AUTH X-OWN'), proxy: () => ({ kind: 'Pass', next: false }) },
    }).start();
    await mta.play(helloWith('AUTH X-OWN'));
  });
});

describe('mechanisms of a script', () => {
  test('run by state and response, and challenges go out in base64', async () => {
    await start({
      hooks: {
        ...announces('AUTH X-OWN'),
        helo: (_host, extensions) => ({
          kind: 'Accept',
          extensions: extensions!.map((each) => (each.startsWith('AUTH') ? `${each} X-OWN` : each)),
        }),
        auth: (attempt) =>
          'state' in attempt && attempt.state < 2
            ? { kind: 'Reply', challenge: `step ${attempt.state}` }
            : { kind: 'Accept', username: 'eve' },
      },
    });
    await mta.play(`${helloWith('AUTH PLAIN LOGIN X-OWN')}
      C: AUTH x-own
      S: 334 ${base64('step 0')}
      C: ${base64('one')}
      S: 334 ${base64('step 1')}
      C: 
      S: 235 2.7.0 *`);
    expect(attempts).toEqual([
      { mechanism: 'X-OWN', state: 0, response: undefined },
      { mechanism: 'X-OWN', state: 1, response: 'one' },
      { mechanism: 'X-OWN', state: 2, response: '' },
    ]);
  });

  test('see an initial response; "=" is the empty one', async () => {
    await start({ hooks: { ...announces('AUTH X-OWN'), auth: () => ({ kind: 'Defer' }) } });
    const greeting = hello.replace('250 AUTH PLAIN LOGIN', '250-AUTH PLAIN LOGIN\n  S: 250 AUTH X-OWN');
    await mta.play(`${greeting}
      C: AUTH X-OWN =
      S: 454 *
      C: AUTH X-OWN ${base64('hi\0')}
      S: 454 *`);
    expect(attempts).toEqual([
      { mechanism: 'X-OWN', state: 0, response: '' },
      { mechanism: 'X-OWN', state: 0, response: 'hi\0' },
    ]);
  });

  test('are cancelled by "*" without the script being asked', async () => {
    await start({
      hooks: { ...announces('AUTH X-OWN'), auth: () => ({ kind: 'Reply', challenge: '' }) },
    });
    const greeting = hello.replace('250 AUTH PLAIN LOGIN', '250-AUTH PLAIN LOGIN\n  S: 250 AUTH X-OWN');
    await mta.play(`${greeting}\nC: AUTH X-OWN\nS: 334 \nC: *\nS: 501 5.7.0 *`);
    expect(attempts).toHaveLength(1);
  });

  test('can send a challenge of one long line, with another code, and hang up after it', async () => {
    const challenge = 'x'.repeat(5000);
    await start({
      hooks: {
        ...announces('AUTH X-OWN'),
        auth: () => ({ kind: 'Reply', challenge, code: 335, disconnect: true }),
      },
    });
    const greeting = hello.replace('250 AUTH PLAIN LOGIN', '250-AUTH PLAIN LOGIN\n  S: 250 AUTH X-OWN');
    await mta.play(`${greeting}\nC: AUTH X-OWN\nS: 335 ${base64(challenge)}\nS: <close>`);
  });

  test('that replace the built-in ones leave only those', async () => {
    await start({
      hooks: {
        helo: () => ({ kind: 'Accept', extensions: ['AUTH LOGIN'] }),
      },
    });
    await mta.play(`
      S: 220 *
      C: EHLO c
      S: 250-*
      S: 250 AUTH LOGIN
      C: AUTH PLAIN ${adaPlain}
      S: 504 5.5.4 *`);
  });
});

describe('an authenticated session', () => {
  const mail = `
    C: MAIL FROM:<a@b.test>
    S: 250 *
    C: RCPT TO:<c@d.test>
    S: 250 *
    C: DATA
    S: 354 *
    C: .
    S: 250 *`;

  test('shows in $connection["auth"] and as ESMTPA in the trace field (RFC 3848)', async () => {
    let seen: unknown;
    await start({
      hooks: {
        mailfrom: (_sender, state) => {
          seen = state.auth;
          return { kind: 'Accept' };
        },
      },
    });
    await mta.play(`${hello}\nC: AUTH PLAIN ${adaPlain}\nS: 235 *${mail}`);
    expect(seen).toEqual({ mechanism: 'PLAIN', username: 'ada' });
    expect(mta.spool.committed[0]!.copies[0]!.toString()).toContain('with ESMTPA\r\n');
  });

  test('goes by the name the script gave', async () => {
    let seen: unknown;
    await start({
      hooks: {
        auth: () => ({ kind: 'Accept', username: 'ada@example.test' }),
        mailfrom: (_sender, state) => {
          seen = state.auth?.username;
          return { kind: 'Accept' };
        },
      },
    });
    await mta.play(`${hello}\nC: AUTH PLAIN ${adaPlain}\nS: 235 *${mail}`);
    expect(seen).toBe('ada@example.test');
  });
});

describe('a server whose scripts only know who clients are, and translate (hooks 1)', () => {
  const listeners = [{ address: '127.0.0.1', port: 0, proxies: new NetworkList(['127.0.0.1']) }];
  const fromAfar = 'C: PROXY TCP4 192.0.2.7 198.51.100.1 4711 25';
  const proxy = () => ({ kind: 'Pass', next: false }) as const;

  test('relays for no stranger', async () => {
    await start({ listeners, hooks: { proxy } });
    await mta.play(`
      ${fromAfar}${hello}
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<c@d.test>
      S: 554 5.7.1 Relaying denied`);
  });

  test('relays for those who have said who they are', async () => {
    await start({ listeners, hooks: { proxy } });
    await mta.play(`
      ${fromAfar}${hello}
      C: AUTH PLAIN ${adaPlain}
      S: 235 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<c@d.test>
      S: 250 *`);
  });
});

describe('the log', () => {
  test('never holds a password, a response or a challenge, refused or not, verbose or not', async () => {
    await start({
      verbose: true,
      hooks: {
        ...announces('AUTH X-OWN'),
        auth: (attempt) =>
          'state' in attempt ? { kind: 'Reply', challenge: 'secret1' } : { kind: 'Reject' },
      },
    });
    const greeting = hello.replace('250 AUTH PLAIN LOGIN', '250-AUTH PLAIN LOGIN\n  S: 250 AUTH X-OWN');
    const secret = base64('\0ada\0secret2');
    await mta.play(`${greeting}
      C: AUTH PLAIN ${secret}
      S: 535 *
      C: AUTH X-OWN
      S: 334 *
      C: ${secret}
      S: 334 *
      C: *
      S: 501 *
      C: AUTH ${secret}
      S: 504 *
      C: AUTH UNKNOWN ${secret}
      S: 504 *
      C: ${secret}
      S: 500 *
      C: QUIT
      S: 221 *`);
    const text = JSON.stringify(mta.log.lines);
    for (const part of ['secret', secret, base64('secret1')]) expect(text).not.toContain(part);
    const messages = mta.log.lines.map(({ message }) => message);
    expect(messages).toContain('C: AUTH PLAIN ***');
    expect(messages).toContain('S: 535 5.7.8 Authentication failed');
    expect(messages).toContain('C: QUIT');
    expect(mta.log.lines).toContainEqual(
      expect.objectContaining({
        message: 'refused',
        fields: expect.objectContaining({ command: 'AUTH', argument: 'PLAIN ***' }),
      }),
    );
  });

  test('says who logged in', async () => {
    await start();
    await mta.play(`${hello}\nC: AUTH PLAIN ${adaPlain}\nS: 235 *`);
    expect(mta.log.lines).toContainEqual(
      expect.objectContaining({
        message: 'authenticated',
        fields: expect.objectContaining({ mechanism: 'PLAIN', username: 'ada' }),
      }),
    );
  });

  test('has the dialogue only when it is wanted', async () => {
    await start();
    await mta.play(`${hello}\nC: NOOP\nS: 250 *`);
    expect(mta.log.lines).toEqual([]);
  });
});
