// Clients that we did not write say who they are: to the example of a submission server as it stands there, with the commands
// of its README, and to a server that takes passwords after STARTTLS only.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createTransport } from 'nodemailer';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemonIn, startMta } from '../support/mta.js';
import { root, runProgram, skipReason, swaks } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { createAuthority } from '../support/test-certificates.js';

const example = path.join(root, 'examples/authentication');
const noSwaks = skipReason('swaks');
const noPython = skipReason('python3');
const noOpenssl = skipReason('openssl', 'swaks', 'python3');
const named = (fact: string, reason: string | undefined) =>
  reason === undefined ? fact : `${fact} (${reason})`;

/** The example on free ports, with a next hop that counts. */
async function startExample(): Promise<{ readonly daemon: Daemon; readonly sink: CountingSink }> {
  const folder = scratchFolder();
  cpSync(example, folder, { recursive: true, filter: (name) => path.basename(name) !== 'var' });
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  const replaceIn = (name: string, what: string, by: string) => {
    const file = path.join(folder, name);
    const before = readFileSync(file, 'utf8');
    expect(before).toContain(what);
    writeFileSync(file, before.replace(what, by));
  };
  replaceIn('smtpd.yaml', 'port: 2587', 'port: 0');
  replaceIn('smtpd-app.yaml', 'port: 2526', `port: ${sink.port}`);
  return { daemon: await startDaemonIn(folder), sink };
}

const protocolsOf = ({ deliveries }: CountingSink) =>
  deliveries.map(({ data }) => / with (\w+)\r\n/.exec(data)?.[1]);

describe('the submission server of the example', () => {
  test.skipIf(noSwaks !== undefined)(
    named('does with swaks what its README says: PLAIN, LOGIN and CRAM-MD5', noSwaks),
    async () => {
      const { daemon, sink } = await startExample();
      const commands = readFileSync(path.join(example, 'README.md'), 'utf8').match(/^ {4}swaks .*$/gm) ?? [];
      expect(commands).toHaveLength(5);
      const codes: (number | null)[] = [];
      for (const command of commands) {
        const there = command.trim().replace('127.0.0.1:2587', `127.0.0.1:${daemon.port}`);
        const { code, stdout } = await runProgram('sh', ['-c', there]);
        codes.push(code);
        if (code === 24) expect(stdout).toContain('530 5.7.0 Authentication required');
        if (code === 28) expect(stdout).toContain('535 5.7.8 Authentication failed');
      }
      // swaks: 24 is a refused recipient, 28 a refused log-in.
      expect(codes).toEqual([24, 0, 0, 0, 28]);
      await sink.waitFor(3);
      expect(protocolsOf(sink)).toEqual(['ESMTPA', 'ESMTPA', 'ESMTPA']);
      const logins = daemon.lines.filter(({ msg }) => msg === 'authenticated');
      expect(logins.map(({ mechanism, username }) => [mechanism, username])).toEqual([
        ['PLAIN', 'ada'],
        ['LOGIN', 'grace'],
        ['CRAM-MD5', 'ada'],
      ]);
      expect(daemon.lines.filter(({ level }) => level === 'error')).toEqual([]);
      expect(JSON.stringify(daemon.lines)).not.toMatch(/lace|wrong/);
    },
  );

  test('lets nodemailer in by PLAIN, LOGIN, CRAM-MD5, and refuses a wrong password', async () => {
    const { daemon, sink } = await startExample();
    const send = (method: string, pass = 'lace') =>
      createTransport({
        host: '127.0.0.1',
        port: daemon.port,
        name: 'nodemailer.test',
        authMethod: method,
        auth: { user: 'ada', pass },
      }).sendMail({ from: 'ada@client.test', to: 'you@example.test', subject: method, text: 'hello' });
    for (const method of ['PLAIN', 'LOGIN', 'CRAM-MD5'])
      expect((await send(method)).response).toMatch(/^250 2\.0\.0 /);
    await expect(send('PLAIN', 'love')).rejects.toMatchObject({ responseCode: 535 });
    await sink.waitFor(3);
    expect(protocolsOf(sink)).toEqual(['ESMTPA', 'ESMTPA', 'ESMTPA']);
  });

  test("shows nodemailer's XOAUTH2 why a token is refused", async () => {
    const { daemon } = await startExample();
    const sent = createTransport({
      host: '127.0.0.1',
      port: daemon.port,
      name: 'nodemailer.test',
      auth: { type: 'OAuth2', user: 'ada', accessToken: 'forged' },
    }).sendMail({ from: 'ada@client.test', to: 'you@example.test', text: 'hello' });
    await expect(sent).rejects.toMatchObject({ responseCode: 535 });
  });

  test.skipIf(noPython !== undefined)(
    named("lets python's smtplib in by each mechanism it knows", noPython),
    async () => {
      const { daemon, sink } = await startExample();
      const { code, stderr } = await runProgram('python3', [
        '-c',
        `
import smtplib
def session():
    smtp = smtplib.SMTP('127.0.0.1', ${daemon.port})
    smtp.ehlo('python.test')
    return smtp
for method in ('auth_plain', 'auth_login', 'auth_cram_md5'):
    for initial in (True, False):
        with session() as smtp:
            smtp.user, smtp.password = 'ada', 'lace'
            name = method[5:].upper().replace('_', '-')
            code, _ = smtp.auth(name, getattr(smtp, method), initial_response_ok=initial)
            assert code == 235, (name, initial, code)
            smtp.sendmail('ada@client.test', ['you@example.test'], 'Subject: x\\r\\n\\r\\nhello')
with session() as smtp:
    smtp.login('ada', 'lace')
with session() as smtp:
    try:
        smtp.login('ada', 'love')
        raise SystemExit('let in')
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code in (535, 421), error
`,
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      await sink.waitFor(6);
    },
  );
});

describe('a server that requires TLS for AUTH', () => {
  const auth =
    'if ($arguments["username"] == "ada" and $arguments["password"] == "lace") Accept(); Reject();';
  const rcptto =
    'if (!isset($connection["auth"])) Reject("Log in", ["reply_codes" => ["code" => 530]]); Accept();';

  async function startWithTls() {
    const folder = scratchFolder();
    const authority = createAuthority(folder);
    const { cert, key } = authority.issue('mta.test', ['DNS:localhost', 'IP:127.0.0.1']);
    const started = await startMta({
      hooks: { auth, rcptto },
      server: { tls: { certs: { cert: 'mx' } }, logging: { verbose: true } },
      app: { pki: { private: [{ id: 'mx', privatekey: { data: key }, certificate: { data: cert } }] } },
    });
    return { ...started, authority };
  }

  test.skipIf(noOpenssl !== undefined)(
    named(
      'lets nodemailer in after STARTTLS, says ESMTPSA, and offers swaks nothing in the clear',
      noOpenssl,
    ),
    async () => {
      const { daemon, sink, authority } = await startWithTls();
      const login = ['--auth', 'PLAIN', '--auth-user', 'ada', '--auth-password', 'lace'];
      const inTheClear = await swaks(daemon.port, login);
      expect(inTheClear.code).toBe(28);
      expect(inTheClear.stdout).toMatch(/250.STARTTLS/);
      expect(inTheClear.stdout).not.toMatch(/250.AUTH/);
      const { response } = await createTransport({
        host: '127.0.0.1',
        port: daemon.port,
        name: 'nodemailer.test',
        requireTLS: true,
        tls: { ca: authority.cert },
        auth: { user: 'ada', pass: 'lace' },
      }).sendMail({ from: 'ada@client.test', to: 'you@example.test', text: 'hello' });
      expect(response).toMatch(/^250 2\.0\.0 /);
      await sink.waitFor(1);
      expect(protocolsOf(sink)).toEqual(['ESMTPSA']);
      expect(daemon.lines.map(({ msg }) => msg)).toContain('C: AUTH PLAIN ***');
      expect(JSON.stringify(daemon.lines)).not.toContain(Buffer.from('\0ada\0lace').toString('base64'));
    },
  );

  test.skipIf(noOpenssl !== undefined)(
    named("answers 538 to python's smtplib in the clear, and lets it in after STARTTLS", noOpenssl),
    async () => {
      const { daemon, authority } = await startWithTls();
      const { code, stderr } = await runProgram('python3', [
        '-c',
        `
import smtplib, ssl
with smtplib.SMTP('127.0.0.1', ${daemon.port}) as smtp:
    smtp.ehlo('python.test')
    assert not smtp.has_extn('auth') and smtp.has_extn('starttls')
    code, text = smtp.docmd('AUTH', 'PLAIN')
    assert code == 538 and text.startswith(b'5.7.11'), (code, text)
    smtp.starttls(context=ssl.create_default_context(cafile='${authority.certFile}'))
    smtp.ehlo('python.test')
    assert smtp.has_extn('auth')
    smtp.login('ada', 'lace')
    assert smtp.docmd('AUTH', 'PLAIN')[0] == 503
    assert smtp.sendmail('ada@client.test', ['you@example.test'], 'Subject: x\\r\\n\\r\\nhello') == {}
`,
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );
});
