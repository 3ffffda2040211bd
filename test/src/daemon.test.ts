// What a reload does to a daemon at work: nothing to what is running, everything to what comes next.

import type { TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { appText } from '../support/app-text.js';
import { CountingSink } from '../support/counting-sink.js';
import { type DaemonHere, daemonHere, editConfig, lineOf, textOf } from '../support/daemon-in-process.js';
import { Dialogue } from '../support/dialogue.js';
import { queueAll } from '../support/mta.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { TestClient } from '../support/smtp-client.js';
import { createAuthority } from '../support/test-certificates.js';

const says = (text: string) => `Accept(["reason" => "${text}"]);`;
const refusal = (mta: DaemonHere) =>
  String(lineOf(mta.log, 'configuration not reloaded; the old one stays').fields['problems']);

describe('a reload', () => {
  test('7: a long eod script finishes with the old code; a connection made after it runs the new (8.5)', async () => {
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const slow = `echo "begun"; sleep(0.3); Reject("old code");`;
    const mta = await daemonHere({ nextHopPort: sink.port, hooks: { eod: slow } });
    const { client } = await mta.dial();
    const reply = client.send('a@client.test', ['b@example.test'], 'Subject: x\r\n\r\nx');
    for (;;) {
      if (mta.log.lines.some(({ message }) => message === 'begun')) break;
      await new Promise(setImmediate);
    }
    await mta.reload({ nextHopPort: sink.port, hooks: { eod: 'Reject("new code");' } });
    const other = (await mta.dial()).client;
    expect(textOf(await other.send('a@client.test', ['b@example.test'], 'Subject: x\r\n\r\nx'))).toBe(
      'new code',
    );
    expect(textOf(await reply)).toBe('old code');
  });

  test('holds for the next hook of a session that was there before (8.1)', async () => {
    const mta = await daemonHere({ hooks: { connect: says('old'), mailfrom: says('old') } });
    const { client, banner } = await mta.dial();
    expect(banner).toBe('old');
    await mta.reload({ hooks: { mailfrom: says('new'), rcptto: says('new') } });
    expect(textOf(await client.command('MAIL FROM:<a@client.test>'))).toBe('new');
    expect(textOf(await client.command('RCPT TO:<b@example.test>'))).toBe('new');
  });

  test('brings new limits to new messages and connections without ending a session', async () => {
    const mta = await daemonHere({ phases: { data: { maxsize: 2_000_000 } } });
    const { client } = await mta.dial();
    expect((await client.command('EHLO client.test')).lines.join(' ')).toContain('SIZE 2000000');
    await mta.reload({
      phases: { data: { maxsize: 1_000_000 } },
      server: { concurrency: { total: 1 } },
    });
    expect((await client.command('MAIL FROM:<a@client.test> SIZE=1500000')).code).toBe(552);
    expect((await client.command('EHLO client.test')).lines.join(' ')).toContain('SIZE 1000000');
    expect((await TestClient.connect(mta.port)).greeting.code).toBe(421);
    expect((await client.command('NOOP')).code).toBe(250);
  });

  test('shows a new certificate to whoever asks next; a session that is encrypted goes on', async () => {
    const authority = createAuthority(scratchFolder());
    const config = (name: string) => {
      const { key, cert } = authority.issue(name, [`DNS:${name}`]);
      return {
        server: { tls: { certs: { cert: 'mx' } } },
        app: { pki: { private: [{ id: 'mx', privatekey: { data: key }, certificate: { data: cert } }] } },
      };
    };
    const mta = await daemonHere(config('old.test'));
    const begin = async () => {
      const plain = await Dialogue.open(mta.port);
      await plain.play('S: 220 *');
      return plain;
    };
    const secure = async (plain: Dialogue) => {
      await plain.play('C: STARTTLS\nS: 220 *');
      return plain.secure();
    };
    const nameOf = ({ socket }: Dialogue) => (socket as TLSSocket).getPeerCertificate().subject.CN;
    const encrypted = await secure(await begin());
    const waiting = await begin();
    expect(nameOf(encrypted)).toBe('old.test');
    await mta.reload(config('new.test'));
    const late = await secure(waiting);
    expect(nameOf(late)).toBe('new.test');
    await encrypted.play('C: NOOP\nS: 250 *');
    expect(nameOf(encrypted)).toBe('old.test');
    for (const dialogue of [encrypted, late]) dialogue.close();
  });

  test('empties what is cached for a script file that it changes, and nothing else', async () => {
    const eod = (text: string) => ({ 'a.hsl': `function a() { return "${text}"; }`, 'b.hsl': '$b = 1;' });
    const connect = `
      include "a.hsl";
      function kept() { return a(); }
      Accept(["reason" => (cache ["namespace" => "file:a.hsl"] a()) . (cache ["namespace" => "file:b.hsl"] kept())]);`;
    const mta = await daemonHere({ hooks: { connect }, files: eod('1') });
    expect((await mta.dial()).banner).toBe('11');
    await mta.reload({ hooks: { connect }, files: eod('2') });
    expect((await mta.dial()).banner).toBe('21');
  });

  test('of servers with hooks and limits of their own changes each by itself', async () => {
    const more = (text: string, total: number) => ({
      app: {
        servers: [
          { id: 'in', transport: 'out', phases: { connect: { hook: 'main' } } },
          { id: 'two', transport: 'out', concurrency: { total }, phases: { connect: { hook: 'second' } } },
        ],
        scripting: { hooks: { connect: [{ id: 'second', data: says(text) }] } },
      },
    });
    const first = { hooks: { connect: says('first') }, ...more('two', 1) };
    const mta = await daemonHere(first, { moreServers: ['two'] });
    const two = await TestClient.connect(mta.portOf('two'));
    expect(textOf(two.greeting)).toBe('two');
    expect((await TestClient.connect(mta.portOf('two'))).greeting.code).toBe(421);
    expect((await mta.dial()).banner).toBe('first');
    await mta.reload({ ...first, ...more('changed', 2) });
    expect(textOf((await TestClient.connect(mta.portOf('two'))).greeting)).toBe('changed');
    expect((await mta.dial()).banner).toBe('first');
  });
});

describe('a reload is refused, and mail goes on', () => {
  test('1: with a server in smtpd-app.yaml that smtpd.yaml lacks, named (8.5)', async () => {
    const hooks = { connect: says('old'), eod: queueAll };
    const mta = await daemonHere({ hooks });
    await mta.reload({ hooks, app: { servers: [{ id: 'in', transport: 'out' }, { id: 'b' }] } });
    expect(refusal(mta)).toContain('server "b"');
    expect((await mta.dial()).banner).toBe('old');
  });

  test('without a server that is running', async () => {
    const mta = await daemonHere({ hooks: { connect: says('old') }, http: {} });
    await mta.reload({ hooks: { connect: says('new') } });
    expect(refusal(mta)).toBe(
      'server "web" is running and is not in the configuration any more; restart to take it away',
    );
    expect((await mta.dial()).banner).toBe('old');
    const staged = await mta.daemon.staging.deploy({ id: 't1', config: appText() });
    expect(staged).toMatchObject({ kind: 'refused', problems: expect.stringContaining('server "web"') });
  });

  test('with a server of another type than the one that is running', async () => {
    const mta = await daemonHere({ hooks: { connect: says('old') }, http: {} });
    const web = ({ servers }: { servers: { id: string }[] }) => servers.find(({ id }) => id === 'web')!;
    editConfig<{ servers: { id: string; type?: string }[] }>(mta.folder, 'smtpd.yaml', (file) => {
      delete (web(file) as { type?: string }).type;
    });
    editConfig<{ servers: { id: string }[] }>(mta.folder, 'smtpd-app.yaml', (file) => {
      file.servers = [file.servers[0]!, { id: 'web' }];
    });
    await mta.daemon.reload();
    expect(refusal(mta)).toBe('server "web" is running with type http, not smtp; restart to change it');
    expect((await mta.dial()).banner).toBe('old');
  });
});
