import { afterEach, expect, test } from 'vitest';
import { NetworkList } from '../../../../src/smtp/edge/networks.js';
import { ServerContexts } from '../../../../src/smtp/tls/server-contexts.js';
import { serverCertificates, serverTls } from '../../../support/server-tls.js';
import { type FixtureOptions, type HookFunctions, SmtpFixture } from '../../../support/smtp-fixture.js';

// Section names are those of Postfix's XCLIENT_README.

const made = serverCertificates();
let mta: SmtpFixture;

async function start(
  options: FixtureOptions = {},
  trusted: readonly string[] = ['127.0.0.1'],
): Promise<SmtpFixture> {
  const listeners = [{ address: '127.0.0.1', port: 0, xclients: new NetworkList(trusted) }];
  mta = await new SmtpFixture({ listeners, ...options }).start();
  return mta;
}

afterEach(async () => {
  await mta.stop();
  expect(mta.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

function witness(): { readonly seen: unknown[]; readonly hooks: HookFunctions } {
  const seen: unknown[] = [];
  return {
    seen,
    hooks: {
      connect: (state) => {
        const { remoteIp, remotePort, localIp, localPort } = state.facts;
        const { context, remotePtr, helo, auth } = state;
        seen.push({ remoteIp, remotePort, localIp, localPort, context, remotePtr, helo, auth });
        state.context = 'set by connect';
        return { kind: 'Accept' };
      },
    },
  };
}

test('a trusted client is told of it and may speak for another one; the session starts over (Xclient Server operation)', async () => {
  const { seen, hooks } = witness();
  await start({ hooks });
  const client = await mta.play(`
    S: 220 mx.argonite.test ESMTP
    C: EHLO proxy.test
    S: 250-mx.argonite.test
    S: 250-PIPELINING
    S: 250-SIZE *
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-CHUNKING
    S: 250-ENHANCEDSTATUSCODES
    S: 250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT
    C: XCLIENT NAME=spike.example.test ADDR=192.0.2.7 PORT=4711 DESTADDR=198.51.100.1 DESTPORT=25
    S: 220 mx.argonite.test ESMTP
    C: EHLO spike.example.test
    S: 250-mx.argonite.test
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250-*
    S: 250 XCLIENT *
    C: MAIL FROM:<a@b.test>
    S: 250 *`);
  const unknown = { context: null, remotePtr: undefined, helo: undefined, auth: undefined };
  expect(seen).toMatchObject([
    { ...unknown, remoteIp: '127.0.0.1', localPort: mta.port },
    {
      ...unknown,
      remoteIp: '192.0.2.7',
      remotePort: 4711,
      localIp: '198.51.100.1',
      localPort: 25,
      remotePtr: 'spike.example.test',
    },
  ]);
  await client.play('C: RSET\nS: 250 *');
});

test('HELO, PROTO and LOGIN are as if the client had said them', async () => {
  const seen: unknown[] = [];
  const hooks: HookFunctions = {
    mailfrom: ({ localPart: _ }, { helo, auth }) => {
      seen.push(helo, auth);
      return { kind: 'Accept' };
    },
  };
  await start({ hooks, heloRequired: true });
  await mta.play(`
    S: 220 *
    C: XCLIENT PROTO=ESMTP HELO=spike.example.test LOGIN=user+40example.test
    S: 220 *
    C: MAIL FROM:<a@b.test>
    S: 250 *`);
  expect(seen).toEqual([
    { verb: 'EHLO', host: 'spike.example.test' },
    { mechanism: 'XCLIENT', username: 'user@example.test' },
  ]);
});

test('what is not said is forgotten: greeting and log-in of the client itself', async () => {
  const seen: unknown[] = [];
  const hooks: HookFunctions = {
    mailfrom: (_sender, { helo, auth }) => {
      seen.push(helo, auth);
      return { kind: 'Accept' };
    },
  };
  await start({ hooks, heloRequired: true });
  await mta.play(`
    S: 220 *
    C: XCLIENT HELO=first.test LOGIN=first
    S: 220 *
    C: XCLIENT ADDR=192.0.2.7
    S: 220 *
    C: MAIL FROM:<a@b.test>
    S: 503 5.5.1 *
    C: HELO second.test
    S: 250 *
    C: MAIL FROM:<a@b.test>
    S: 250 *`);
  expect(seen).toEqual([{ verb: 'HELO', host: 'second.test' }, undefined]);
});

test('several commands may say it piece by piece', async () => {
  const { seen, hooks } = witness();
  await start({ hooks });
  await mta.play(`
    S: 220 *
    C: XCLIENT ADDR=IPV6:2001:db8::7
    S: 220 *
    C: XCLIENT NAME=[UNAVAILABLE] PORT=[UNAVAILABLE]
    S: 220 *`);
  expect(seen.slice(1)).toMatchObject([
    { remoteIp: '2001:db8::7' },
    { remoteIp: '2001:db8::7', remotePtr: undefined, remotePort: 0 },
  ]);
});

test('the connect script may refuse the client that is spoken for', async () => {
  await start({
    hooks: {
      connect: ({ facts }) => (facts.remoteIp === '192.0.2.7' ? { kind: 'Reject' } : { kind: 'Accept' }),
    },
  });
  await mta.play('S: 220 *\nC: XCLIENT ADDR=192.0.2.7\nS: 521 5.7.1 *\nS: <close>');
});

test('the connect script may take its time, and what is pipelined behind waits for it', async () => {
  let calls = 0;
  await start({
    hooks: {
      connect: async () => {
        calls++;
        await new Promise((resolve) => setImmediate(resolve));
        return { kind: 'Accept' };
      },
    },
  });
  await mta.play('S: 220 *\nC: XCLIENT ADDR=192.0.2.7\nC: NOOP\nS: 220 *\nS: 250 2.0.0 Ok');
  expect(calls).toBe(2);
});

test('a server without scripts relays for the client that is spoken for as it does for any', async () => {
  await start();
  const rcpt = 'C: MAIL FROM:<a@b.test>\nS: 250 *\nC: RCPT TO:<c@d.test>';
  await mta.play(`S: 220 *\nC: XCLIENT ADDR=192.0.2.7\nS: 220 *\n${rcpt}\nS: 554 5.7.1 *`);
  await mta.play(`S: 220 *\nC: XCLIENT ADDR=[UNAVAILABLE]\nS: 220 *\n${rcpt}\nS: 554 5.7.1 *`);
  await mta.play(`S: 220 *\nC: XCLIENT ADDR=127.0.0.9\nS: 220 *\n${rcpt}\nS: 250 *`);
});

test('the trace field tells of the client that is spoken for', async () => {
  await start({ hooks: { rcptto: () => ({ kind: 'Accept' }) } });
  await mta.play(`
    S: 220 *
    C: XCLIENT NAME=spike.example.test ADDR=192.0.2.7 PROTO=ESMTP HELO=helo.test LOGIN=me
    S: 220 *
    C: MAIL FROM:<a@b.test>
    C: RCPT TO:<c@d.test>
    C: DATA
    C: .
    S: 250 *
    S: 250 *
    S: 354 *
    S: 250 *`);
  await mta.play(`
    S: 220 *
    C: XCLIENT NAME=[TEMPUNAVAIL] ADDR=[UNAVAILABLE]
    S: 220 *
    C: MAIL FROM:<a@b.test>
    C: RCPT TO:<c@d.test>
    C: DATA
    C: .
    S: 250 *
    S: 250 *
    S: 354 *
    S: 250 *`);
  const [known, unknown] = mta.spool.committed.map(({ copies }) => copies[0]!.toString());
  expect(known).toContain(
    'from helo.test (spike.example.test [192.0.2.7])\r\n\tby mx.argonite.test with ESMTPA\r\n',
  );
  expect(unknown).toContain('from unknown (unknown [unknown])');
});

test('others are refused, and not told of it (550 insufficient authorization)', async () => {
  await start({}, ['192.0.2.0/24']);
  const client = await mta.play('S: 220 *\nC: XCLIENT ADDR=192.0.2.7\nS: 550 5.7.0 *\nC: EHLO c');
  for (let line = ''; !line.startsWith('250 '); ) {
    line = (await client.line())!;
    expect(line).not.toContain('XCLIENT');
  }
});

test('the syntax is checked (501), and a transaction must not be open (503)', async () => {
  await start();
  await mta.play(`
    S: 220 *
    C: XCLIENT
    S: 501 5.5.4 *
    C: XCLIENT ADDR=nowhere
    S: 501 5.5.4 *
    C: XCLIENT HELO=a+0d+0aMAIL
    S: 501 5.5.4 *
    C: MAIL FROM:<a@b.test>
    S: 250 *
    C: XCLIENT ADDR=192.0.2.7
    S: 503 5.5.1 *`);
});

test('TLS stays what it is, and is told of', async () => {
  const seen: unknown[] = [];
  const hooks: HookFunctions = {
    connect: ({ tls, facts }) => {
      seen.push(facts.remoteIp, tls?.protocol);
      return { kind: 'Accept' };
    },
  };
  await start({ hooks, tls: new ServerContexts(serverTls(made())) });
  const plain = await mta.play('S: 220 *\nC: STARTTLS\nS: 220 *');
  const tls = await plain.secure();
  await tls.play('C: XCLIENT ADDR=192.0.2.7\nS: 220 *\nC: STARTTLS\nS: 503 *');
  expect(seen).toEqual(['127.0.0.1', undefined, '192.0.2.7', 'TLSv1.3']);
});
