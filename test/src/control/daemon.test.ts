// The control socket of a real daemon: its own parts, its own socket, in the test's process.

import { readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { wireShapes } from '../../../src/control/wire-shapes.js';
import { appText } from '../../support/app-text.js';
import { ControlWire, jsonOf } from '../../support/control-socket.js';
import { CountingSink } from '../../support/counting-sink.js';
import { type DaemonConfig, writeConfig } from '../../support/daemon.js';
import {
  type DaemonHere,
  daemonHere,
  editConfig,
  eventually,
  lineOf,
} from '../../support/daemon-in-process.js';
import { DnsServer } from '../../support/dns-server.js';
import { tcpServer } from '../../support/loopback-server.js';
import { queueAll } from '../../support/mta.js';
import { scratchFolder } from '../../support/scratch-folder.js';

interface Controlled {
  readonly mta: DaemonHere;
  readonly wire: ControlWire;
  readonly place: string;
}

const environment = { controlsocket: { path: 'ctl', chmod: '0600' } };

async function controlled(config: DaemonConfig = {}): Promise<Controlled> {
  const mta = await daemonHere({ environment, ...config });
  const place = path.join(mta.folder, 'ctl');
  return { mta, place, wire: await ControlWire.to(place) };
}

/** Statistics as they come over the wire, by the name of a group. */
async function statistics(wire: ControlWire): Promise<(name: string) => unknown> {
  const { data } = await wire.ask('q');
  const tree = (await wireShapes()).fromBytes('ProcessStatsResponse', data);
  return (name) =>
    name.split('.').reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], tree);
}

const banner = async (mta: DaemonHere, from?: string): Promise<string> => {
  const { client, banner: text } = await mta.dial(from);
  client.destroy();
  return text;
};

test('a reload that is refused says file and line, and the connection goes on', async () => {
  const { mta, wire } = await controlled({ hooks: { connect: 'Accept(["reason" => "one"]);' } });
  writeFileSync(path.join(mta.folder, 'hooks/connect/main.hsl'), 'Accept(["reason" =>\n  "two";\n');
  const { status, data } = await wire.ask('r');
  expect(status).toBe('E');
  expect(data.toString()).toMatch(/connect\/main\.hsl:\d+:\d+/);
  expect(await banner(mta)).toContain('one');
  writeFileSync(path.join(mta.folder, 'hooks/connect/main.hsl'), 'Accept(["reason" => "two"]);');
  expect((await wire.ask('r')).status).toBe('+');
  expect(await banner(mta)).toContain('two');
});

test('a configuration without a server that runs is refused by its id', async () => {
  const { mta, wire } = await controlled();
  editConfig<{ servers: { id: string }[] }>(mta.folder, 'smtpd-app.yaml', (app) => {
    app.servers[0]!.id = 'b';
  });
  expect((await wire.ask('r')).data.toString()).toContain('"b"');
});

test('a staged configuration that is bound to its connection ends with it', async () => {
  const { mta, wire, place } = await controlled({ hooks: { connect: 'Accept(["reason" => "blue"]);' } });
  const deployed = await wire.ask('a', {
    id: 't1',
    config: appText({ connect: 'Accept(["reason" => "green"]);' }),
    connectionbound: true,
    conditions: { remoteips: ['127.0.0.2'] },
  });
  expect([deployed.status, deployed.data.toString()]).toEqual(['+', '']);
  expect(await banner(mta, '127.0.0.2')).toContain('green');
  expect(await banner(mta, '127.0.0.1')).toContain('blue');
  const other = await ControlWire.to(place);
  const { data } = await other.ask('b');
  expect((await wireShapes()).fromBytes('ConfigGreenStatusResponse', data)).toMatchObject({
    id: 't1',
    connections: 1,
    text: 't1: 1 connection(s), 0/unlimited runtime',
  });
  wire.socket.destroy();
  await eventually(() => mta.daemon.staging.status() === undefined);
  expect((await other.ask('b')).data).toHaveLength(0);
});

test('a staged script that does not compile is refused with its place, and nothing is staged', async () => {
  const { mta, wire } = await controlled();
  const { status, data } = await wire.ask('a', { id: 't1', config: appText({ connect: 'Accept(;' }) });
  expect(status).toBe('E');
  expect(data.toString()).toMatch(/:1:\d+/);
  expect(mta.daemon.staging.status()).toBeUndefined();
  expect((await wire.ask('c')).status).toBe('+');
});

test('clients, messages and scripts are counted for each server', async () => {
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  const { mta, wire } = await controlled({
    nextHopPort: sink.port,
    hooks: {
      rcptto: 'if ($arguments["address"]["localpart"] == "bad") throw Exception("no"); Accept();',
      eod: `if ($arguments["mail"]->getHeader("Subject") == "no") Reject("no");${queueAll}`,
    },
  });
  const { client } = await mta.dial();
  await client.command('EHLO client.test');
  const [connection] = jsonOf(await wire.ask('T', {}))['connections'] as Record<string, unknown>[];
  expect(connection).toMatchObject({
    serverid: 'in',
    remoteip: '127.0.0.1',
    helo: 'client.test',
    tls: false,
  });
  for (const subject of ['yes', 'no', 'yes']) {
    await client.command('MAIL FROM:<a@x.test>');
    await client.command('RCPT TO:<b@x.test>');
    await client.command('DATA');
    await client.command(`Subject: ${subject}\r\n\r\nx\r\n.`);
    // One after the other: the second delivery finds the connection of the first.
    await eventually(() => Object.values(mta.daemon.queueCounts()).every((count) => count === 0));
  }
  await client.command('MAIL FROM:<a@x.test>');
  await client.command('RCPT TO:<bad@x.test>');
  const of = await statistics(wire);
  expect(of('servers.in.connections')).toEqual({ concurrency: 1, limit: 0, total: 1 });
  expect(of('servers.in.messages')).toEqual({ accepted: 2, rejected: 1, deferred: 0 });
  expect(of('servers.in.scripts.rcptto')).toEqual({ running: 0, pending: 0, finished: 4, errors: 1 });
  expect(of('servers.in.scripts.eod')).toMatchObject({ finished: 3, errors: 0 });
  expect(of('queue.delivery')).toEqual({ delivered: 2, delayed: 0, failed: 0 });
  expect(of('queue.pooling')).toMatchObject({ hits: 1 });
});

test('the second look-up is a hit of the cache, and clearing it leaves nothing', async () => {
  const dns = await DnsServer.start({ zone: { 'a.test': ['TXT "x"'] } });
  onTestFinished(() => dns.close());
  const { mta, wire } = await controlled({
    app: { resolver: { servers: [dns.serverText] } },
    hooks: { helo: 'dns_query("a.test", ["type" => "txt"]); Accept();' },
  });
  const { client } = await mta.dial();
  await client.command('HELO a');
  await client.command('HELO b');
  const cache = async () => (await statistics(wire))('resolver.cache');
  expect(await cache()).toMatchObject({ size: 1, hits: 1, misses: 1 });
  expect((await wire.ask('C')).status).toBe('+');
  expect(await cache()).toMatchObject({ size: 0 });
  await client.command('HELO c');
  expect(dns.asked).toHaveLength(2);
});

test('where mail would go is told: the same for the same seed, the next candidate for a higher retry', async () => {
  const tlsa = `3 1 1 ${'ab'.repeat(32)}`;
  const host = (ip: string) => ({ a: [ip], secure: true });
  const { wire } = await controlled({
    app: {
      resolver: {
        servers: ['127.0.0.1:1'],
        hosts: {
          'b.test': { mx: ['10 mx1.b.test', '20 mx2.b.test'], secure: true },
          'mx1.b.test': host('192.0.2.1'),
          'mx2.b.test': host('192.0.2.2'),
          '_25._tcp.mx1.b.test': { tlsa: [tlsa], secure: true },
          '_25._tcp.mx2.b.test': { secure: true },
          'null.test': { mx: ['0 .'] },
        },
      },
    },
  });
  const ask = async (request: object) => jsonOf(await wire.ask('L', { seed: 'T', ...request }));
  const candidates = [
    { address: '192.0.2.1', hostname: 'mx1.b.test', preference: 10 },
    { address: '192.0.2.2', hostname: 'mx2.b.test', preference: 20 },
  ];
  const first = await ask({ host: 'b.test' });
  expect(first).toMatchObject({
    address: '192.0.2.1',
    hostname: 'mx1.b.test',
    dnssec: true,
    tlsa: [tlsa],
    candidates,
  });
  expect(await ask({ host: 'b.test', retry: 2 })).toEqual(first);
  expect(await ask({ host: 'b.test', retry: 1 })).toMatchObject({
    address: '192.0.2.2',
    tlsaerror: expect.stringContaining('no secure TLSA records'),
  });
  const refused = await wire.ask('L', { host: 'null.test' });
  expect(refused.status).toBe('E');
  expect(refused.data.toString()).toContain('takes no mail (null MX)');
});

test('a shutdown that is asked for is told to whoever runs the daemon', async () => {
  const { mta, wire } = await controlled();
  expect((await wire.ask('U', { reason: 'enough' })).status).toBe('+');
  expect(await mta.daemon.shutdownAsked).toBe('enough');
  await mta.stop();
  await wire.closed();
});

test('the metrics of the monitor endpoint hold those of scripts, and their key can be changed', async () => {
  const folder = scratchFolder();
  const config: DaemonConfig = {
    environment,
    hooks: { connect: 'metrics_increment("mails", ["kind" => "a"]); Accept();' },
    app: { metrics: [{ name: 'mails', type: 'counter', labels: ['kind'] }] },
  };
  writeConfig(folder, config);
  editConfig<Record<string, unknown>>(folder, 'smtpd.yaml', (smtpd) => {
    smtpd['monitor'] = { listener: { port: 0 }, healthy: { maxmessages: { upper: 10, lower: 5 } } };
  });
  const mta = await daemonHere(undefined, { folder });
  const port = lineOf(mta.log, 'ready').fields['monitor'] as number;
  await banner(mta);
  const page = async (key?: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, {
      headers: key === undefined ? {} : { 'X-API-Key': key },
    });
    return { status: response.status, text: await response.text() };
  };
  const { text } = await page();
  expect(text).toContain('# TYPE argonite_monitor_ready gauge');
  expect(text).toContain('argonite_monitor_healthy 1');
  expect(text).toContain('argonite_servers_connections_total{server="in"} 1');
  expect(text).toContain('mails_total{kind="a"} 1');
  expect(text.endsWith('# EOF\n')).toBe(true);
  editConfig<Record<string, unknown>>(folder, 'smtpd-app.yaml', (app) => {
    app['monitor'] = { apikeys: ['k1'] };
  });
  await mta.daemon.reload();
  expect((await page()).status).toBe(401);
  expect((await page('k1')).status).toBe(200);
});

test('a daemon that stops with a delivery under way is ready and not healthy', async () => {
  const folder = scratchFolder();
  // A next hop that says nothing: the delivery waits for its greeting as long as the test likes.
  const held: Socket[] = [];
  const silentPort = await tcpServer((socket) => held.push(socket));
  writeConfig(folder, {
    environment: { ...environment, shutdown: { grace: 60 } },
    nextHopPort: silentPort,
    hooks: { eod: queueAll },
  });
  editConfig<Record<string, unknown>>(folder, 'smtpd.yaml', (smtpd) => {
    smtpd['monitor'] = { listener: { port: 0 } };
  });
  const mta = await daemonHere(undefined, { folder });
  const port = lineOf(mta.log, 'ready').fields['monitor'] as number;
  const status = async (name: string) => (await fetch(`http://127.0.0.1:${port}/${name}`)).status;
  const { client } = await mta.dial();
  for (const line of ['EHLO c', 'MAIL FROM:<a@x.test>', 'RCPT TO:<b@x.test>', 'DATA', '\r\n.'])
    await client.command(line);
  client.destroy();
  await eventually(() => held.length === 1 && mta.daemon.queueCounts().SENDING === 1);
  expect(await Promise.all([status('ready'), status('healthy')])).toEqual([200, 200]);
  const stopped = mta.stop();
  expect(await Promise.all([status('ready'), status('healthy')])).toEqual([200, 503]);
  // The delivery ends with its next hop, and the daemon with it.
  for (const socket of held) socket.destroy();
  await stopped;
});

test('without a place of its own the daemon runs where the socket cannot be', async () => {
  const mta = await daemonHere({});
  const line = lineOf(mta.log, 'ready');
  expect(line.fields).toHaveProperty('control');
  expect(readFileSync(path.join(mta.folder, 'smtpd.yaml'), 'utf8')).not.toContain('controlsocket');
});

test('what scripts keep can be seen and changed from outside', async () => {
  const { mta, wire } = await controlled({
    hooks: {
      connect: `
        function slow($n) { return $n; }
        $result = cache [] slow(1);
        rate("in", "x", 10, 60);
        Accept(["reason" => "found ".memory_fetch("k")["a"][1]]);`,
    },
  });
  expect((await wire.ask('z', { key: 'k', value: '{"a":[1,2]}' })).status).toBe('+');
  expect(await banner(mta)).toContain('found 2');
  const shapes = await wireShapes();
  const buckets = async () => shapes.fromBytes('HSLCacheResponse', (await wire.ask('g')).data);
  expect(await buckets()).toMatchObject({ buckets: [{ function: 'slow', size: 1, hits: 0, misses: 1 }] });
  await banner(mta);
  expect(await buckets()).toMatchObject({ buckets: [{ hits: 1, misses: 1 }] });
  expect(jsonOf(await wire.ask('h', { function: 'slow' }))).toEqual({ cleared: 1 });
  await banner(mta);
  expect(await buckets()).toMatchObject({ buckets: [{ hits: 0, misses: 1 }] });
  expect(jsonOf(await wire.ask('i', {}))).toMatchObject({
    rates: [{ namespace: 'in', entry: 'x', count: 3 }],
  });
});

test('look-ups under way are listed, those of scripts and those of messages', async () => {
  const dns = await DnsServer.start({ zone: {}, behave: () => 'silence' });
  onTestFinished(() => dns.close());
  const { mta, wire } = await controlled({
    hooks: { connect: 'dns_query("slow.test", ["type" => "mx"]); Accept();' },
  });
  editConfig<{ resolver?: object }>(mta.folder, 'smtpd-app.yaml', (app) => {
    app.resolver = { servers: [dns.serverText] };
  });
  expect((await wire.ask('r')).status).toBe('+');
  void mta.dial().catch(() => {});
  const shapes = await wireShapes();
  const list = async () =>
    shapes.fromBytes('ResolverListResponse', (await wire.ask('M')).data) as {
      readonly running: readonly object[];
    };
  await eventually(async () => (await list()).running.length > 0);
  expect(await list()).toMatchObject({
    running: [{ name: 'slow.test', type: 'MX', askers: 1 }],
    pending: [],
    runningcount: 1,
    pendingcount: 0,
    messages: 0,
  });
});
