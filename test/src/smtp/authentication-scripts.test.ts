// The scripts of examples/authentication with real sessions: CRAM-MD5 and XOAUTH2, which the engine does not know.

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { configuredSmtp } from '../../support/configured-smtp.js';
import type { Dialogue } from '../../support/dialogue.js';
import { root } from '../../support/peers.js';

const example = path.join(root, 'examples/authentication');
let mta: Awaited<ReturnType<typeof configuredSmtp>>;

afterEach(async () => {
  await mta.stop();
  const errors = [...mta.log.lines, ...mta.scripts.lines].filter(({ level }) => level === 'error');
  expect(errors).toEqual([]);
});

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

/** A session that has said EHLO. */
async function greeted(): Promise<Dialogue> {
  mta = await configuredSmtp(example);
  const client = await mta.dial();
  await client.play(`
    S: 220 *
    C: EHLO c.test
    S: 250-*
    S: 250-PIPELINING
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250 AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2`);
  return client;
}

test('a client that says HELO is greeted without an error', async () => {
  mta = await configuredSmtp(example);
  await (await mta.dial()).play(`
    S: 220 *
    C: HELO c.test
    S: 250 mx.argonite.test
    C: MAIL FROM:<a@b.test>
    S: 250 *
    C: RCPT TO:<c@d.test>
    S: 530 5.7.0 Authentication required`);
});

describe('CRAM-MD5 (RFC 2195)', () => {
  const digest = (secret: string, challenge: string) =>
    createHmac('md5', secret).update(Buffer.from(challenge, 'base64')).digest('hex');

  async function challenged(client: Dialogue): Promise<string> {
    client.send('AUTH CRAM-MD5\r\n');
    const line = await client.expectLine('334 *');
    const challenge = line.slice(4);
    expect(Buffer.from(challenge, 'base64').toString()).toMatch(/^<[0-9a-f-]{36}@.+>$/);
    return challenge;
  }

  test('lets in who knows the secret, under the name given', async () => {
    const client = await greeted();
    const challenge = await challenged(client);
    await client.play(`
      C: ${base64(`ada ${digest('lace', challenge)}`)}
      S: 235 2.7.0 *
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: RCPT TO:<c@d.test>
      S: 250 *`);
    expect(mta.log.lines).toContainEqual(
      expect.objectContaining({
        message: 'authenticated',
        fields: expect.objectContaining({ mechanism: 'CRAM-MD5', username: 'ada' }),
      }),
    );
  });

  test('asks something else each time, so an answer works once', async () => {
    const client = await greeted();
    const first = await challenged(client);
    await client.play('C: *\nS: 501 5.7.0 *');
    expect(await challenged(client)).not.toBe(first);
    await client.play(`C: ${base64(`ada ${digest('lace', first)}`)}\nS: 535 5.7.8 *`);
  });

  test.each(['ada 0123', 'grace', 'nobody 0123456789abcdef0123456789abcdef', '', ' '])(
    'refuses the answer "%s"',
    async (answer) => {
      const client = await greeted();
      await challenged(client);
      await client.play(`C: ${base64(answer)}\nS: 535 5.7.8 *`);
    },
  );

  test('refuses a user without a secret', async () => {
    const client = await greeted();
    const challenge = await challenged(client);
    await client.play(`C: ${base64(`grace ${digest('lace', challenge)}`)}\nS: 535 5.7.8 *`);
  });

  test('takes no initial response', async () => {
    const client = await greeted();
    await client.play(`C: AUTH CRAM-MD5 ${base64('ada x')}\nS: 501 5.5.2 *`);
  });
});

describe('XOAUTH2', () => {
  const secret = /"(a secret[^"]+)"/.exec(readFileSync(path.join(example, 'files/tokens.hsl'), 'utf8'))![1]!;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  function token(claims: object, { alg = 'HS256', key = secret } = {}): string {
    const signed = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
  }

  const soon = Math.floor(Date.now() / 1000) + 3600;
  const response = (user: string, bearer: string) => base64(`user=${user}\x01auth=Bearer ${bearer}\x01\x01`);
  const good = response('ada', token({ sub: 'ada', exp: soon }));

  test('lets in who has a token, sent with the command', async () => {
    const client = await greeted();
    await client.play(`C: AUTH XOAUTH2 ${good}\nS: 235 2.7.0 *`);
  });

  test('lets in who has a token, sent after it', async () => {
    const client = await greeted();
    await client.play(`C: AUTH XOAUTH2\nS: 334 \nC: ${good}\nS: 235 2.7.0 *`);
  });

  test('takes a token that is longer than a command may be', async () => {
    const client = await greeted();
    const long = response('ada', token({ sub: 'ada', exp: soon, scope: 'x'.repeat(5000) }));
    expect(long.length).toBeGreaterThan(8000);
    await client.play(`C: AUTH XOAUTH2 ${long}\nS: 235 2.7.0 *`);
  });

  test.each([
    ["somebody else's", response('grace', token({ sub: 'ada', exp: soon }))],
    ['an expired one', response('ada', token({ sub: 'ada', exp: 1000 }))],
    ['one without an end', response('ada', token({ sub: 'ada' }))],
    ['one signed with another secret', response('ada', token({ sub: 'ada', exp: soon }, { key: 'x' }))],
    ['one that says how to check it', response('ada', token({ sub: 'ada', exp: soon }, { alg: 'none' }))],
    ['none at all', response('ada', '..')],
    ['something else', base64('hello')],
    ['nothing', '='],
  ])('tells why it refuses %s, and then does', async (_name, initial) => {
    const client = await greeted();
    client.send(`AUTH XOAUTH2 ${initial}\r\n`);
    const line = await client.expectLine('334 *');
    expect(JSON.parse(Buffer.from(line.slice(4), 'base64').toString())).toMatchObject({ status: '401' });
    await client.play(`C: \nS: 535 5.7.8 *\nC: AUTH XOAUTH2 ${good}\nS: 235 *`);
  });
});

test('ten failures from an address make it wait, on every connection', async () => {
  mta = await configuredSmtp(example);
  const wrong = base64('\0nobody\0x');
  for (let connection = 0; connection < 4; connection++) {
    const client = await mta.dial();
    for (let line = 0; line < 9; line++) {
      if (line === 0) await client.play('S: 220 *\nC: EHLO c.test');
      else await client.expectLine('250*');
    }
    if (connection < 3)
      await client.play(`
        C: AUTH PLAIN ${wrong}
        S: 535 *
        C: AUTH PLAIN ${wrong}
        S: 535 *
        C: AUTH PLAIN ${wrong}
        S: 421 4.7.0 *
        S: <close>`);
    else
      await client.play(`
        C: AUTH PLAIN ${wrong}
        S: 535 *
        C: AUTH PLAIN ${wrong}
        S: 454 4.7.0 Too many failures; *
        S: <close>`);
  }
});
