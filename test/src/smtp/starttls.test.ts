import { once } from 'node:events';
import { connect } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { certificatesInPem } from '#stdlib';
import { ServerContexts, type ServerTlsSettings } from '../../../src/smtp/tls/server-contexts.js';
import { Dialogue } from '../../support/dialogue.js';
import { serverCertificates, serverTls } from '../../support/server-tls.js';
import type { HookFunctions } from '../../support/smtp-fixture.js';
import { type FixtureOptions, SmtpFixture, until } from '../../support/smtp-fixture.js';

const made = serverCertificates();
let mta: SmtpFixture;

async function start(
  options: FixtureOptions = {},
  changes: Partial<ServerTlsSettings> = {},
): Promise<SmtpFixture> {
  mta = await new SmtpFixture({ tls: new ServerContexts(serverTls(made(), changes)), ...options }).start();
  return mta;
}

afterEach(async () => {
  await mta.stop();
  expect(mta.spool.underWay).toBe(0);
  expect(mta.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

const startTls = `
  S: 220 *
  C: EHLO plain.test
  S: 250-mx.argonite.test
  S: 250-*
  S: 250-*
  S: 250-*
  S: 250-*
  S: 250-*
  S: 250-ENHANCEDSTATUSCODES
  S: 250 STARTTLS
  C: STARTTLS
  S: 220 2.0.0 Ready to start TLS`;

async function secured(options?: ConnectionOptions): Promise<Dialogue> {
  const plain = await mta.play(startTls);
  return plain.secure(options);
}

const mail = `
  C: MAIL FROM:<a@b.test>
  C: RCPT TO:<c@d.test>
  C: DATA
  S: 250 *
  S: 250 *
  S: 354 *
  C: Subject: secret
  C:
  C: body
  C: .
  S: 250 2.0.0 *`;

describe('STARTTLS (RFC 3207)', () => {
  test('carries a mail, which the trace field says (RFC 3848)', async () => {
    await start();
    const tls = await secured();
    await tls.play(`
      C: EHLO inside.test
      S: 250-mx.argonite.test
      S: 250-PIPELINING
      S: 250-SIZE *
      S: 250-8BITMIME
      S: 250-SMTPUTF8
      S: 250-CHUNKING
      S: 250 ENHANCEDSTATUSCODES
      ${mail}
      C: QUIT
      S: 221 *
      S: <close>`);
    expect(mta.spool.committed[0]!.copies[0]!.toString()).toMatch(
      /^Received: from inside\.test .*\r\n.* with U?T?F?8?ESMTPS\r\n/,
    );
  });

  test('is neither announced nor taken where TLS is not configured (§4)', async () => {
    await start({ tls: undefined });
    await mta.play(`S: 220 *\nC: STARTTLS\nS: 502 5.5.1 *`);
    const client = await mta.play('S: 220 *\nC: EHLO c');
    for (let line = ''; !line.startsWith('250 '); ) {
      line = (await client.line())!;
      expect(line).not.toContain('STARTTLS');
    }
  });

  test('takes no parameter (§4), and is refused once TLS is on (§4.2)', async () => {
    await start();
    await mta.play('S: 220 *\nC: STARTTLS now\nS: 501 5.5.4 *');
    const tls = await secured();
    await tls.play('C: STARTTLS\nS: 503 5.5.1 *\nC: NOOP\nS: 250 *');
  });

  test('cannot be announced by a script where it is not to be had', async () => {
    const heard: (readonly string[] | undefined)[] = [];
    const hooks: HookFunctions = {
      helo: (_host, extensions) => {
        heard.push(extensions);
        return { kind: 'Accept', extensions: ['STARTTLS', 'XCLIENT NAME', 'SIZE 10'] };
      },
    };
    await start({ hooks });
    const plain = await mta.play(
      'S: 220 *\nC: EHLO c\nS: 250-mx.argonite.test\nS: 250-STARTTLS\nS: 250 SIZE 10\nC: STARTTLS\nS: 220 *',
    );
    const tls = await plain.secure();
    await tls.play('C: EHLO c\nS: 250-mx.argonite.test\nS: 250 SIZE 10');
    expect(heard.map((extensions) => extensions!.includes('STARTTLS'))).toEqual([true, false]);
  });

  test('throws away what was pipelined behind it in the clear (§4.2, CVE-2011-0411)', async () => {
    await start();
    for (const behind of [
      'C: MAIL FROM:<injected@b.test>',
      'C: EHLO injected.test\nC: MAIL FROM:<injected@b.test>\nC: RCPT TO:<c@d.test>\nC: DATA\nC: injected\nC: .',
      'C~ 52 53 45',
      `C: ${'x'.repeat(5000)}`,
    ]) {
      const plain = await mta.play(`${startTls.replace('\n  S: 220 2.0.0', `\n${behind}\n  S: 220 2.0.0`)}`);
      const tls = await plain.secure();
      await tls.play('C: NOOP\nS: 250 2.0.0 Ok\nC: RCPT TO:<c@d.test>\nS: 503 5.5.1 *');
    }
    expect(mta.spool.committed).toEqual([]);
  });

  test('fails on what comes in the clear after the go-ahead: it is no handshake', async () => {
    await start();
    const plain = await mta.play(startTls);
    plain.send('MAIL FROM:<injected@b.test>\r\n');
    await plain.rest();
    await until(() => mta.server.sessionCount === 0);
    expect(mta.log.lines).toMatchObject([{ level: 'info', message: 'no TLS' }]);
  });

  test('forgets what the client said before: greeting, transaction, extensions (§4.2)', async () => {
    const seen: unknown[] = [];
    const hooks: HookFunctions = {
      mailfrom: (_sender, state) => {
        seen.push(state.helo?.host, state.tls?.protocol);
        return { kind: 'Accept' };
      },
    };
    await start({ hooks });
    const plain = await mta.play(`${startTls.split('C: STARTTLS')[0]}
      C: MAIL FROM:<a@b.test>
      S: 250 *
      C: STARTTLS
      S: 220 *`);
    const tls = await plain.secure({ maxVersion: 'TLSv1.2' });
    await tls.play(
      'C: RCPT TO:<c@d.test>\nS: 503 *\nC: BDAT 3 LAST\nC~ 61 0d 0a\nS: 502 *\nC: MAIL FROM:<a@b.test>\nS: 250 *',
    );
    expect(seen).toEqual(['plain.test', undefined, undefined, 'TLSv1.2']);
  });

  test('must be followed by a second EHLO where a greeting is required', async () => {
    await start({ heloRequired: true });
    const tls = await secured();
    await tls.play(
      'C: MAIL FROM:<a@b.test>\nS: 503 5.5.1 Say HELO or EHLO first\nC: HELO c\nS: 250 *\nC: MAIL FROM:<a@b.test>\nS: 250 *',
    );
  });

  test('tells scripts what was agreed on, and keeps $context', async () => {
    const seen: unknown[] = [];
    const hooks: HookFunctions = {
      connect: (_state) => ({ kind: 'Accept' }),
      helo: (host, _extensions, state) => {
        if (host === 'inside.test') seen.push(state.context, state.tls);
        else state.context = 'kept';
        return { kind: 'Accept' };
      },
    };
    await start({ hooks });
    const tls = await secured({ servername: 'mx.example.test' });
    await tls.play('C: HELO inside.test\nS: 250 *');
    expect(seen).toEqual([
      'kept',
      {
        protocol: 'TLSv1.3',
        cipher: 'TLS_AES_256_GCM_SHA384',
        keySize: 256,
        sni: 'mx.example.test',
        peerCertificate: undefined,
      },
    ]);
  });

  test('runs the disconnect script when the handshake fails', async () => {
    const endings: unknown[] = [];
    await start({ hooks: { disconnect: ({ close, error }) => void endings.push(close, error) } });
    const plain = await mta.play(startTls);
    plain.send('garbage\r\n');
    await plain.rest();
    await until(() => endings.length > 0);
    expect(endings).toEqual(['remote', { reason: 'wrong version number', type: 'tls', code: 0x0a00010b }]);
  });

  test('gives a handshake so long and no longer, however it stalls', async () => {
    await start({ timeouts: { handshakeSeconds: 30 } });
    const silent = await mta.play(startTls);
    const slow = await mta.play(startTls);
    slow.send(Buffer.from('160301', 'hex'));
    mta.pass(29);
    expect(mta.server.sessionCount).toBe(2);
    mta.pass(2);
    await silent.expectClose();
    await slow.expectClose();
    await until(() => mta.server.sessionCount === 0);
  });

  test('ends with a client that goes in the middle of its handshake', async () => {
    await start();
    const plain = await mta.play(startTls);
    plain.send(Buffer.from('1603010200010001fc0303', 'hex'));
    plain.socket.end();
    await until(() => mta.server.sessionCount === 0);
  });

  test('carries many commands at once, and messages of megabytes', async () => {
    await start();
    const tls = await secured();
    await tls.play(`${'C: NOOP\n'.repeat(500)}${'S: 250 2.0.0 Ok\n'.repeat(500)}`);
    await tls.play(mail.replace('C: body', `C: ${'x'.repeat(900)}\n`.repeat(3000)));
    expect(mta.messages[0]!.length).toBeGreaterThan(2_700_000);
  });
});

describe('client certificates', () => {
  const policy = (clientCertificate: ServerTlsSettings['clientCertificate']): Partial<ServerTlsSettings> => ({
    clientCertificate,
    authorities: certificatesInPem(made().authority.cert)!,
  });
  const own = () => ({ key: made().client.key, cert: made().client.cert });

  test('that are missing where one is required have every command but QUIT refused with 554 (§4.1)', async () => {
    await start({}, policy('require'));
    const tls = await secured();
    await tls.play(`
      C: EHLO c
      S: 554 5.7.0 A client certificate is needed here
      C: NOOP
      S: 554 5.7.0 *
      C: QUIT
      S: 221 *
      S: <close>`);
    expect(mta.log.lines).toContainEqual(expect.objectContaining({ message: 'refused' }));
  });

  test('that nobody vouches for do where any will do, and not where they must be verified', async () => {
    const strangers = {
      clientCertificate: 'require',
      authorities: certificatesInPem(made().plain.cert)!,
    } as const;
    await start({}, strangers);
    await (await secured(own())).play('C: NOOP\nS: 250 *');
    await mta.stop();
    await start({}, { ...strangers, clientCertificate: 'verify' });
    await (await secured(own())).play('C: NOOP\nS: 554 5.7.0 The client certificate is not trusted here');
    await mta.stop();
    await start({}, policy('verify'));
    await (await secured(own())).play('C: NOOP\nS: 250 *');
  });
});

describe('a listener that begins with TLS', () => {
  const implicit: FixtureOptions = {
    listeners: [{ address: '127.0.0.1', port: 0, id: 'smtps' }],
    implicitTls: new Set(['smtps']),
  };

  test('greets inside TLS, and the connect script knows of it', async () => {
    const seen: unknown[] = [];
    const hooks: HookFunctions = {
      connect: (state) => {
        seen.push(state.tls?.sni, state.helo);
        return { kind: 'Accept' };
      },
    };
    await start({ ...implicit, hooks });
    const tls = await Dialogue.openTls(mta.port, { servername: 'x.example.test' });
    await tls.play(
      `S: 220 mx.argonite.test ESMTP\nC: EHLO c\nS: 250-*\nS: 250-PIPELINING\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250 ENHANCEDSTATUSCODES\nC: STARTTLS\nS: 503 *${mail}`,
    );
    expect(seen).toEqual(['x.example.test', undefined]);
    tls.close();
  });

  test('says nothing to a client that does not begin with TLS', async () => {
    await start(implicit);
    const plain = await mta.play('C: EHLO c');
    expect(await plain.rest()).not.toMatch(/^[0-9]{3}/);
    const silent = await mta.dial();
    mta.pass(31);
    await silent.expectClose();
  });

  test('refuses a client without the certificate that is required with 554 as its greeting (RFC 5321 §3.1)', async () => {
    await start(implicit, { clientCertificate: 'require' });
    const tls = await Dialogue.openTls(mta.port);
    await tls.play('S: 554 5.7.0 A client certificate is needed here\nS: <close>');
  });

  test('turns clients away without a word beyond the limit, since 421 would be no TLS', async () => {
    await start({ ...implicit, limits: { connections: 1 } });
    const first = await Dialogue.openTls(mta.port);
    await first.play('S: 220 *');
    const second = connect(mta.port, '127.0.0.1');
    const heard: Buffer[] = [];
    second.on('data', (chunk: Buffer) => heard.push(chunk));
    await once(second, 'close');
    expect(heard).toEqual([]);
    first.close();
  });
});

describe('new certificates', () => {
  test('are shown to new handshakes, and sessions that run go on with theirs', async () => {
    await start();
    const old = await secured();
    const before = await mta.play(startTls);
    const { options } = mta.server;
    const only = { certificates: serverTls(made()).certificates.slice(1, 2) };
    mta.server.reconfigure({ ...options, tls: new ServerContexts(serverTls(made(), only)) });
    const subjectOf = ({ socket }: Dialogue) =>
      (socket as unknown as { getPeerX509Certificate(): { subject: string } }).getPeerX509Certificate()
        .subject;
    const next = await secured();
    expect(subjectOf(old)).toBe('CN=plain.test');
    expect(subjectOf(next)).toBe('CN=mx.example.test');
    await old.play('C: NOOP\nS: 250 *');
    // Its handshake began before the reload.
    expect(subjectOf(await before.secure())).toBe('CN=plain.test');
  });

  test('that are taken away leave sessions that run alone', async () => {
    await start();
    const old = await secured();
    const { tls: _, ...rest } = mta.server.options;
    mta.server.reconfigure(rest);
    await old.play(`C: EHLO c\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250-*\nS: 250 *${mail}`);
    await mta.play('S: 220 *\nC: STARTTLS\nS: 502 *');
  });
});
