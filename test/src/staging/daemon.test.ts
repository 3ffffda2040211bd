// Two configurations at once in a real daemon: real sockets, scripts, spool and deliveries; only staging's time and luck are
// the test's.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Agent, FormData, request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Deployment } from '../../../src/staging/staging.js';
import { statusToText } from '../../../src/staging/status.js';
import { appText, type InlineHooks } from '../../support/app-text.js';
import { CountingSink } from '../../support/counting-sink.js';
import { writeConfig } from '../../support/daemon.js';
import {
  type DaemonHere,
  daemonHere,
  editConfig,
  eventually,
  lineOf,
  textOf,
} from '../../support/daemon-in-process.js';
import { Dialogue } from '../../support/dialogue.js';
import { queueAll, subjectOf } from '../../support/mta.js';
import { scratchFolder } from '../../support/scratch-folder.js';
import { TestClient } from '../../support/smtp-client.js';
import { createAuthority } from '../../support/test-certificates.js';

const says = (text: string) => `Accept(["reason" => "${text}"]);`;
const blueAndGreen = { normal: { connect: says('blue') }, staged: { connect: says('green') } };

async function deploy(
  { daemon }: DaemonHere,
  hooks: InlineHooks,
  conditions: Deployment['conditions'] = {},
  changes: Parameters<typeof appText>[1] = {},
  id = 't1',
): Promise<void> {
  const result = await daemon.staging.deploy({ id, config: appText(hooks, changes), conditions });
  if (result.kind === 'refused') throw new Error(result.problems);
}

const banner = async (mta: DaemonHere, from?: string): Promise<string> => {
  const { client, banner } = await mta.dial(from);
  client.destroy();
  return banner;
};

const status = ({ daemon }: DaemonHere) => {
  const living = daemon.staging.status();
  return living === undefined ? undefined : statusToText(living);
};

async function nextHop(): Promise<CountingSink> {
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  return sink;
}

describe('acceptance (queue-and-config 9.3)', () => {
  test('1: a client that the conditions name sees the staged banner, another the normal one', async () => {
    const mta = await daemonHere({ hooks: blueAndGreen.normal });
    await deploy(mta, blueAndGreen.staged, { remoteips: ['127.0.0.2'] });
    expect(await banner(mta, '127.0.0.2')).toBe('green');
    expect(await banner(mta, '127.0.0.1')).toBe('blue');
  });

  test('2: with a probability of 0.2, 150 to 250 of 1000 connections are staged', async () => {
    const mta = await daemonHere({ hooks: blueAndGreen.normal }, { seed: 42 });
    await deploy(mta, blueAndGreen.staged, { probability: 0.2 });
    const seen = { green: 0, blue: 0 };
    for (let round = 0; round < 20; round++) {
      const banners = await Promise.all(Array.from({ length: 50 }, () => banner(mta)));
      for (const name of banners) seen[name as 'green' | 'blue']++;
    }
    expect(seen.green + seen.blue).toBe(1000);
    expect(seen.green).toBeGreaterThanOrEqual(150);
    expect(seen.green).toBeLessThanOrEqual(250);
  });

  test('3: with a count of 3 the fourth connection is normal, and the status shows 3', async () => {
    const mta = await daemonHere({ hooks: blueAndGreen.normal });
    await deploy(mta, blueAndGreen.staged, { count: 3, time: 3600 });
    const banners: string[] = [];
    for (let n = 0; n < 4; n++) banners.push(await banner(mta));
    expect(banners).toEqual(['green', 'green', 'green', 'blue']);
    await mta.clock.advance(30);
    expect(status(mta)).toBe('t1: 3 connection(s), 30/3600 runtime');
  });

  test('4: after its time new connections are normal; one opened before keeps the staged hooks to its end', async () => {
    const heloSays = (text: string) => `Accept(["reason" => "${text}"]);`;
    const mta = await daemonHere({ hooks: { connect: says('blue'), helo: heloSays('blue helo') } });
    const disconnect = 'echo "green goodbye";';
    await deploy(mta, { connect: says('green'), helo: heloSays('green helo'), disconnect }, { time: 2 });
    const { client } = await mta.dial();
    await mta.clock.advance(2);
    expect(await banner(mta)).toBe('blue');
    expect(status(mta)).toBe(undefined);
    expect(textOf(await client.command('HELO client.test'))).toContain('green helo');
    // Not even a reload takes them away.
    await mta.reload({ hooks: { connect: says('red') } });
    expect(textOf(await client.command('HELO client.test'))).toContain('green helo');
    expect(await banner(mta)).toBe('red');
    await client.quit();
    await eventually(() => mta.log.lines.some(({ message }) => message === 'green goodbye'));
    expect(lineOf(mta.log, 'green goodbye').fields['stage']).toBe('t1');
  });

  test('5: a configuration bound to a control connection ends when that closes', async () => {
    const mta = await daemonHere({ hooks: blueAndGreen.normal });
    const control = new AbortController();
    const config = appText(blueAndGreen.staged);
    await mta.daemon.staging.deploy({ id: 't1', config, boundTo: control.signal });
    expect(await banner(mta)).toBe('green');
    control.abort();
    expect(await banner(mta)).toBe('blue');
  });

  test('6: a broken script is refused with file and line; nothing is staged', async () => {
    const mta = await daemonHere({ hooks: blueAndGreen.normal });
    const broken = appText({ connect: 'Accept();\n$x = (;\n' });
    const result = await mta.daemon.staging.deploy({ id: 't1', config: broken });
    expect(result).toMatchObject({
      kind: 'refused',
      problems: expect.stringMatching(/connect\/green:2:\d+/),
    });
    expect(status(mta)).toBe(undefined);
    expect(await banner(mta)).toBe('blue');
  });
});

describe('a staged configuration is checked as a reload is', () => {
  test.each([
    [
      'an unknown key',
      appText({}, { app: { serverz: 1 } }),
      /^staged\/smtpd-app\.yaml:\d+:\d+: error: .*serverz/,
    ],
    ['bad YAML', 'version: "6.8"\nservers: [', /^staged\/smtpd-app\.yaml:2:\d+: error/],
    [
      'a missing script',
      appText({}, { server: { phases: { helo: { hook: 'gone' } } } }),
      /no helo script "gone"/,
    ],
    [
      'a server that smtpd.yaml lacks',
      appText({}, { moreServers: [{ id: 'b' }] }),
      /server "b" is not in smtpd\.yaml/,
    ],
    ['a server that is missing', 'version: "6.8"\nservers: []\n', /server "in" is not in smtpd-app\.yaml/],
    ['an action of another phase', appText({ connect: 'Try();' }), /connect\/green:1:1/],
  ])('%s is refused', async (_what, config, problem) => {
    const mta = await daemonHere({});
    const result = await mta.daemon.staging.deploy({ id: 't1', config });
    expect(result).toMatchObject({ kind: 'refused', problems: expect.stringMatching(problem) });
  });

  test('conditions that name no server of ours are refused', async () => {
    const mta = await daemonHere({});
    const result = await mta.daemon.staging.deploy({
      id: 't1',
      config: appText(),
      conditions: { serverids: ['web'] },
    });
    expect(result).toMatchObject({ problems: 'serverids: there is no server "web"; expected "in"' });
  });
});

describe('what is staged', () => {
  test('are options and limits of servers', async () => {
    const mta = await daemonHere({ phases: { data: { maxsize: 2_000_000 }, rcptto: { maxrecipients: 5 } } });
    const phases = { data: { maxsize: 1_000_000, pipelining: false }, rcptto: { maxrecipients: 1 } };
    await deploy(mta, {}, { remoteips: ['127.0.0.2'] }, { server: { phases } });
    const normal = (await mta.dial()).client;
    const staged = (await mta.dial('127.0.0.2')).client;
    const extensions = async (client: TestClient) =>
      (await client.command('EHLO client.test')).lines.join(' ');
    expect(await extensions(normal)).toMatch(/PIPELINING.*SIZE 2000000/);
    expect(await extensions(staged)).not.toContain('PIPELINING');
    expect(await extensions(staged)).toContain('SIZE 1000000');
    for (const client of [normal, staged]) {
      await client.command('MAIL FROM:<a@client.test>');
      expect((await client.command('RCPT TO:<b@example.test>')).code).toBe(250);
    }
    expect((await staged.command('RCPT TO:<c@example.test>')).code).toBe(452);
    expect((await normal.command('RCPT TO:<c@example.test>')).code).toBe(250);
  });

  test('are limits of connections, held against all of the server', async () => {
    const mta = await daemonHere({});
    await deploy(mta, {}, { remoteips: ['127.0.0.2'] }, { server: { concurrency: { total: 2 } } });
    await mta.dial();
    await mta.dial('127.0.0.2');
    const refused = await TestClient.connect(mta.port, '127.0.0.2');
    expect(refused.greeting.code).toBe(421);
    expect((await TestClient.connect(mta.port)).greeting.code).toBe(220);
  });

  test('are files and included scripts', async () => {
    const reads = 'include "name.hsl"; $f = File("text"); Accept(["reason" => name() . " " . $f->read(10)]);';
    const file = (name: string) => `function name() { return "${name}"; }`;
    const mta = await daemonHere({
      hooks: { connect: reads },
      files: { 'name.hsl': file('normal'), text: 'blue' },
    });
    const files = [
      { id: 'name.hsl', data: file('staged') },
      { id: 'text', data: 'green' },
    ];
    await deploy(mta, { connect: reads }, { count: 1 }, { scripting: { hooks: hooksOf(reads), files } });
    expect(await banner(mta)).toBe('staged green');
    expect(await banner(mta)).toBe('normal blue');
  });

  test('is what cached calls have computed', async () => {
    const cached = (value: string) =>
      `function f() { return "${value}"; } Accept(["reason" => cache ["namespace" => "n"] f()]);`;
    const mta = await daemonHere({ hooks: { connect: cached('blue') } });
    expect(await banner(mta)).toBe('blue');
    await deploy(mta, { connect: cached('green') }, { count: 1 });
    expect(await banner(mta)).toBe('green');
    expect(await banner(mta)).toBe('blue');
  });

  test('are limits of scripts', async () => {
    const long = 'for ($i = 0; $i < 10000; $i += 1) {} Accept(["reason" => "done"]);';
    const mta = await daemonHere({ hooks: { connect: long } });
    const limits = { instructions: 1000 };
    await deploy(mta, { connect: long }, { count: 1 }, { scripting: { hooks: hooksOf(long), limits } });
    expect((await TestClient.connect(mta.port)).greeting.code).toBe(421);
    expect(await banner(mta)).toBe('done');
  });
});

describe('at the edge', () => {
  test('the client that a proxy tells of is the one that conditions are about', async () => {
    const folder = scratchFolder();
    writeConfig(folder, { hooks: blueAndGreen.normal });
    editConfig<{ servers: object[] }>(folder, 'smtpd.yaml', (file) => {
      file.servers = [
        { id: 'in', proxyprotocol: ['127.0.0.1'], listeners: [{ address: '127.0.0.1', port: 0 }] },
      ];
    });
    const mta = await daemonHere(undefined, { folder });
    await deploy(mta, blueAndGreen.staged, { remoteips: ['192.0.2.0/24'] });
    for (const [client, banner] of [
      ['192.0.2.9', 'green'],
      ['198.51.100.9', 'blue'],
    ]) {
      const dialogue = await Dialogue.open(mta.port);
      dialogue.send(`PROXY TCP4 ${client} 127.0.0.1 1000 25\r\n`);
      await dialogue.expectLine(`220 ${banner}`);
      dialogue.close();
    }
  });

  test('a staged connection is shown the staged certificate, others the normal one', async () => {
    const folder = scratchFolder();
    const authority = createAuthority(folder);
    const certificate = (name: string) => {
      const { key, cert } = authority.issue(name, [`DNS:${name}`]);
      return { private: [{ id: 'mx', privatekey: { data: key }, certificate: { data: cert } }] };
    };
    const tls = { certs: { cert: 'mx' } };
    const mta = await daemonHere({ server: { tls }, app: { pki: certificate('blue.test') } });
    const shown = async (from: string) => {
      const plain = await Dialogue.open(mta.port, { localAddress: from });
      await plain.play('S: 220 *\nC: STARTTLS\nS: 220 *');
      const secured = await plain.secure();
      const { subject } = (secured.socket as TLSSocket).getPeerCertificate();
      secured.close();
      return subject.CN;
    };
    const green = { server: { tls }, app: { pki: certificate('green.test') } };
    await deploy(mta, {}, { remoteips: ['127.0.0.2'] }, green);
    expect(await shown('127.0.0.2')).toBe('green.test');
    expect(await shown('127.0.0.1')).toBe('blue.test');
    const refused = await mta.daemon.staging.deploy({
      id: 't2',
      config: appText({}, { server: { tls: { certs: { cert: 'gone' } } } }),
    });
    expect(refused).toMatchObject({ kind: 'refused', problems: expect.stringContaining('gone') });
    expect(await shown('127.0.0.2')).toBe('green.test');
  });
});

describe('what is common', () => {
  test('are shared memory and rates', async () => {
    const counts =
      'Accept(["reason" => string(memory_inc("n", 1)) . " " . string(rate("space", "n", 100, 60))]);';
    const mta = await daemonHere({ hooks: { connect: counts } });
    await deploy(mta, { connect: counts }, { count: 1 });
    expect(await banner(mta)).toBe('1 true');
    expect(await banner(mta)).toBe('2 true');
  });

  test('are metrics; those that only the staged one declares are there while it lives, over reloads', async () => {
    const counts =
      'metrics_increment("mail_seen_total", []); metrics_increment("green_seen_total", []); Accept();';
    const declared = (name: string) => ({ name, type: 'counter', help: name });
    const normal = { hooks: { connect: counts }, app: { metrics: [declared('mail_seen_total')] } };
    const mta = await daemonHere(normal);
    const app = { metrics: [declared('mail_seen_total'), declared('green_seen_total')] };
    await deploy(mta, { connect: counts }, { count: 1 }, { app });
    await banner(mta);
    await mta.reload(normal);
    await banner(mta);
    const page = await mta.daemon.scriptMetrics();
    expect(page).toMatch(/^mail_seen_total 2$/m);
    expect(page).toMatch(/^green_seen_total 2$/m);
    mta.daemon.staging.cancel();
    expect(await mta.daemon.scriptMetrics()).not.toContain('green_seen_total');
  });
});

test('requests in the background outlive it, and know the hosts that their script knew', async () => {
  const asked: string[] = [];
  const answers = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`);
    // The first attempt fails, and before the second the staged configuration ends.
    mta.daemon.staging.cancel();
    response.writeHead(asked.length === 1 ? 503 : 200).end();
  });
  await new Promise<void>((resolve) => answers.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void answers.close());
  const { port } = answers.address() as AddressInfo;
  const mta = await daemonHere({});
  const options = '["background" => true, "background_retry_count" => 3, "background_retry_delay" => 0.1]';
  await deploy(
    mta,
    { connect: `http("http://api.staged.test:${port}/seen", ${options}); Accept();` },
    {},
    { app: { resolver: { hosts: { 'api.staged.test': { a: ['127.0.0.1'] } } } } },
  );
  await banner(mta);
  await eventually(() => asked.length === 2);
  expect(asked).toEqual([`api.staged.test:${port} /seen`, `api.staged.test:${port} /seen`]);
});

describe('messages of staged connections', () => {
  const marks = (name: string) => `
    $m = GetMetaData();
    Try(["recipient" => ["localpart" => "${name}", "domain" => "example.test"]]);`;
  const send = async (mta: DaemonHere, subject: string, from?: string) => {
    const { client } = await mta.dial(from);
    expect(
      (await client.send('a@client.test', ['b@example.test'], `Subject: ${subject}\r\n\r\nx`)).code,
    ).toBe(250);
    await client.quit();
  };
  const recipients = (sink: CountingSink) =>
    Object.fromEntries(sink.deliveries.map((one) => [subjectOf(one), one.recipients[0]]));

  test('run its predelivery and postdelivery while it lives', async () => {
    const sink = await nextHop();
    const mta = await daemonHere({
      nextHopPort: sink.port,
      hooks: { predelivery: marks('blue'), postdelivery: 'echo "blue postdelivery";' },
    });
    const staged = { predelivery: marks('green'), postdelivery: 'echo "green postdelivery";' };
    await deploy(mta, staged, { remoteips: ['127.0.0.2'] }, { nextHopPort: sink.port });
    await send(mta, 'one', '127.0.0.1');
    await send(mta, 'two', '127.0.0.2');
    await sink.waitFor(2);
    expect(recipients(sink)).toEqual({ one: 'blue@example.test', two: 'green@example.test' });
    await eventually(
      () => mta.log.lines.filter(({ message }) => message.endsWith('postdelivery')).length === 2,
    );
    expect(lineOf(mta.log, 'green postdelivery').fields['stage']).toBe('t1');
  });

  test('go over its transports while it lives, and over the normal ones afterwards', async () => {
    const [blue, green] = [await nextHop(), await nextHop()];
    const mta = await daemonHere({ nextHopPort: blue.port });
    await deploy(mta, {}, {}, { nextHopPort: green.port });
    await send(mta, 'staged');
    await green.waitFor(1);
    const { client } = await mta.dial();
    mta.daemon.staging.cancel();
    // Its connection outlives it; the message does not.
    expect((await client.send('a@client.test', ['b@example.test'], 'Subject: late\r\n\r\nx')).code).toBe(250);
    await blue.waitFor(1);
    expect(green.deliveries.map(subjectOf)).toEqual(['staged']);
    expect(blue.deliveries.map(subjectOf)).toEqual(['late']);
  });

  test('that are on their way when it ends are delivered there, once, and nothing is left behind', async () => {
    const blue = await nextHop();
    let end = () => {};
    const green = await CountingSink.start({
      reply: (verb) => {
        if (verb === 'MAIL') end();
        return undefined;
      },
    });
    onTestFinished(() => green.stop());
    const mta = await daemonHere({ nextHopPort: blue.port });
    end = () => mta.daemon.staging.cancel();
    await deploy(mta, {}, {}, { nextHopPort: green.port });
    await send(mta, 'on its way');
    await green.waitFor(1);
    await eventually(() => Object.values(mta.daemon.queueCounts()).every((count) => count === 0));
    // The connection is of no use to anybody now.
    await eventually(() => green.connections.now === 0);
    expect(green.deliveries.map(subjectOf)).toEqual(['on its way']);
    expect(blue.deliveries).toEqual([]);
  });

  test('that waited while it ended run the normal hooks', async () => {
    const sink = await nextHop();
    const mta = await daemonHere({ nextHopPort: sink.port, hooks: { predelivery: marks('blue') } });
    const waits = 'if ($arguments["retry"] == 0) Queue(["delay" => 1, "increment_retry" => true]);';
    await deploy(mta, { predelivery: `${waits}${marks('green')}` }, {}, { nextHopPort: sink.port });
    await send(mta, 'waiting');
    await eventually(() => mta.daemon.queueCounts().DEFER === 1);
    mta.daemon.staging.cancel();
    await sink.waitFor(1);
    expect(recipients(sink)).toEqual({ waiting: 'blue@example.test' });
  });

  test('on a transport that only it has are deferred when it has ended', async () => {
    const mta = await daemonHere({});
    const transports = [{ id: 'special', connection: { server: '127.0.0.1', port: 1 } }];
    await deploy(
      mta,
      { predelivery: 'Queue(["delay" => 1]);' },
      {},
      { server: { transport: 'special' }, transports },
    );
    await send(mta, 'special');
    await eventually(() => mta.daemon.queueCounts().DEFER === 1);
    mta.daemon.staging.cancel();
    const waits = 'the transport "special" is not configured';
    await eventually(() => mta.log.lines.some(({ message }) => message === waits));
    expect(mta.daemon.queueCounts().DEFER).toBe(1);
  });

  test('that its scripts make are its own, too', async () => {
    const sink = await nextHop();
    const mta = await daemonHere({ nextHopPort: sink.port, hooks: { predelivery: marks('blue') } });
    const connect = `
      MIME()->addHeader("Subject", "made")->setBody("x")->queue("", "someone@example.test", "out");
      Accept();`;
    await deploy(mta, { connect, predelivery: marks('green') }, {}, { nextHopPort: sink.port });
    await banner(mta);
    await sink.waitFor(1);
    expect(recipients(sink)).toEqual({ made: 'green@example.test' });
  });

  test('remember it over a restart, where nobody knows it: they run the normal hooks', async () => {
    const sink = await nextHop();
    const config = { nextHopPort: sink.port, hooks: { predelivery: marks('blue') } };
    const first = await daemonHere(config);
    await deploy(first, { predelivery: 'Queue(["hold" => false, "delay" => 1]);' });
    await send(first, 'kept');
    await eventually(() => first.daemon.queueCounts().DEFER === 1);
    await first.stop();
    const second = await daemonHere(undefined, { folder: first.folder });
    // One of the same name is another one.
    await deploy(second, { predelivery: marks('green') });
    await sink.waitFor(1);
    expect(recipients(sink)).toEqual({ kept: 'blue@example.test' });
  });
});

describe('HTTP submission', () => {
  test('a connection that was staged stays so for all its requests', async () => {
    const eod = (name: string) => `Reject("${name}");`;
    const mta = await daemonHere({ hooks: { eod: eod('blue') }, http: {} });
    const web = {
      id: 'web',
      type: 'http',
      transport: 'out',
      apikeys: ['test-key'],
      phases: { eod: { hook: 'green' } },
    };
    await deploy(mta, { eod: eod('green') }, { serverids: ['web'], count: 1 }, { moreServers: [web] });
    const [agent, other] = [new Agent({ connections: 1 }), new Agent({ connections: 1 })];
    onTestFinished(() => Promise.all([agent.destroy(), other.destroy()]).then(() => {}));
    const submit = async (dispatcher: Agent) => {
      const form = new FormData();
      form.set(
        'options',
        JSON.stringify({
          sender: { localpart: 'a', domain: 'client.test' },
          recipients: [{ localpart: 'b', domain: 'example.test' }],
        }),
      );
      form.set('rfc822', 'Subject: x\r\n\r\nx\r\n');
      const response = await request(`http://127.0.0.1:${mta.httpPort}/v1/submission`, {
        method: 'POST',
        headers: { 'x-api-key': 'test-key' },
        body: form,
        dispatcher,
      });
      const answer = (await response.body.json()) as { result?: { reason: string[] } };
      return answer.result?.reason[0];
    };
    expect(await submit(agent)).toBe('green');
    mta.daemon.staging.cancel();
    expect(await submit(agent)).toBe('green');
    expect(mta.daemon.staging.endedWithConnections).toBe(1);
    expect(await submit(other)).toBe('blue');
    await agent.close();
    await eventually(() => mta.daemon.staging.endedWithConnections === 0);
  });
});

describe('a configuration that has ended', () => {
  test('is gone from memory when its last connection and message are', async () => {
    const sink = await nextHop();
    const mta = await daemonHere({ nextHopPort: sink.port });
    const collect = collector();
    const [work, living] = await (async () => {
      await deploy(
        mta,
        { connect: says('green'), eod: queueAll, predelivery: 'Try();' },
        { time: 1000 },
        {
          nextHopPort: sink.port,
        },
      );
      const { client } = await mta.dial();
      expect((await client.send('a@client.test', ['b@example.test'], 'Subject: x\r\n\r\nx')).code).toBe(250);
      await sink.waitFor(1);
      return [new WeakRef(mta.daemon.staging.living!), client];
    })();
    mta.daemon.staging.cancel();
    expect(mta.daemon.staging.endedWithConnections).toBe(1);
    await collect();
    expect(work.deref()).toBeDefined();
    await living.quit();
    await eventually(() => mta.daemon.staging.endedWithConnections === 0);
    await eventually(() => mta.daemon.queueCounts().UNKNOWN === 0);
    for (let attempt = 0; attempt < 100 && work.deref() !== undefined; attempt++) await collect();
    expect(work.deref()).toBe(undefined);
  });
});

/** Makes the collector run; asking it is possible only where it has been made possible. */
function collector(): () => Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
  };
}

function hooksOf(connect: string): object {
  return { connect: [{ id: 'green', data: connect }], predelivery: '', postdelivery: '' };
}
