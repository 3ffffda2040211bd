// The queue in a daemon: what scripts, configuration and next hops see of quotas, sources and settings.

import { describe, expect, onTestFinished, test } from 'vitest';
import { CountingSink, type CountingSinkOptions } from '../../support/counting-sink.js';
import { daemonHere, editConfig, eventually, lineOf } from '../../support/daemon-in-process.js';
import { queueAll } from '../../support/mta.js';

async function startSink(options?: CountingSinkOptions): Promise<CountingSink> {
  const sink = await CountingSink.start(options);
  onTestFinished(() => sink.stop());
  return sink;
}

test('a script defers recipients while a quota is used up (queue-and-config 6, 2)', async () => {
  let isOpen = false;
  const sink = await startSink({
    reply: (verb) => (verb === 'EOD' && !isOpen ? '451 4.3.0 later' : undefined),
  });
  const mta = await daemonHere({
    nextHopPort: sink.port,
    retry: { count: 30, intervals: [1] },
    hooks: {
      rcptto: 'if (queue_quota("c1")["count"] >= 2) Defer("your quota is used up"); Accept();',
      eod: 'foreach ($transaction["recipients"] as $to) $arguments["mail"]->queue($transaction["senderaddress"], $to["address"], $to["transportid"], ["quotas" => ["c1"]]); Accept();',
    },
  });
  const { client } = await mta.dial();
  const mail = async () => {
    await client.command('MAIL FROM:<a@client.test>');
    const reply = await client.command('RCPT TO:<b@example.test>');
    if (reply.code !== 250) {
      await client.command('RSET');
      return reply.code;
    }
    await client.command('DATA');
    return (await client.command('Subject: x\r\n\r\nx\r\n.')).code;
  };
  expect([await mail(), await mail(), await mail()]).toEqual([250, 250, 450]);
  isOpen = true;
  await sink.waitFor(2);
  await eventually(() => Object.values(mta.daemon.queueCounts()).every((count) => count === 0));
  expect(await mail()).toBe(250);
});

describe('source addresses', () => {
  const app = {
    addresses: [
      { id: 'a', address: '127.0.0.11', hostname: 'a.test' },
      { id: 'b', address: '127.0.0.12', hostname: 'b.test' },
    ],
  };

  test('of Try are where a next hop sees mail come from, each under its name', async () => {
    const seen: string[] = [];
    const sink = await startSink({
      reply: (verb, line) => {
        if (verb === 'EHLO') seen.push(line);
        return undefined;
      },
    });
    const mta = await daemonHere({
      nextHopPort: sink.port,
      pooling: false,
      app,
      hooks: {
        eod: queueAll,
        predelivery: 'Try(["sourceip" => ["a", "a", ["id" => "b", "helo" => "c.test"]]]);',
        postdelivery:
          'echo $arguments["attempt"]["connection"]["localip"] . " " . $arguments["attempt"]["connection"]["localipid"];',
      },
    });
    const { client } = await mta.dial();
    for (let n = 0; n < 6; n++)
      await client.send('s@client.test', [`r${n}@example.test`], 'Subject: x\r\n\r\nx');
    await sink.waitFor(6);
    const echoed = () =>
      mta.log.lines.filter(({ message }) => message.startsWith('127.')).map((l) => l.message);
    await eventually(() => echoed().length === 6);
    expect(echoed().sort()).toEqual([
      ...Array.from({ length: 4 }, () => '127.0.0.11 a'),
      ...Array.from({ length: 2 }, () => '127.0.0.12 b'),
    ]);
    expect([...new Set(seen)].sort()).toEqual(['EHLO a.test', 'EHLO c.test']);
  });

  test('that this machine lacks keep mail waiting, with a reason that says so', async () => {
    const sink = await startSink();
    const mta = await daemonHere({
      nextHopPort: sink.port,
      app: { addresses: [{ id: 'x', address: '192.0.2.7' }] },
      hooks: { eod: queueAll, predelivery: 'Try(["sourceip" => ["x"]]);' },
      retry: { intervals: ['1h'] },
    });
    const { client } = await mta.dial();
    await client.send('s@client.test', ['r@example.test'], 'Subject: x\r\n\r\nx');
    await eventually(() => mta.daemon.queueCounts().DEFER === 1);
    expect(String(lineOf(mta.log, 'message deferred').fields['reason'])).toContain(
      'cannot send from the address 192.0.2.7 (EADDRNOTAVAIL)',
    );
  });
});

test('a reload brings new settings for destinations', async () => {
  const sink = await startSink({ reply: (verb) => (verb === 'EOD' ? '451 4.3.0 later' : undefined) });
  const config = { nextHopPort: sink.port, retry: { intervals: ['1h'] }, hooks: { eod: queueAll } };
  const mta = await daemonHere(config);
  const { client } = await mta.dial();
  const waits = async (): Promise<number> => {
    const before = mta.log.lines.filter(({ message }) => message === 'message deferred').length;
    const at = Date.now() / 1000;
    await client.send('s@client.test', ['r@example.test'], 'Subject: x\r\n\r\nx');
    await eventually(
      () => mta.log.lines.filter(({ message }) => message === 'message deferred').length > before,
    );
    return Math.round(
      (Date.parse(String(lineOf(mta.log, 'message deferred').fields['next'])) / 1000 - at) / 60,
    );
  };
  expect(await waits()).toBe(60);
  editConfig<{ delivery: object }>(mta.folder, 'smtpd-delivery.yaml', (file) => {
    file.delivery = {
      ...file.delivery,
      // biome-ignore lint/suspicious/noThenProperty: the key of the file.
      conditions: [{ if: { remotemx: '127.0.0.1' }, then: { retry: { intervals: ['10m'] } } }],
    };
  });
  await mta.daemon.reload();
  expect(await waits()).toBe(10);
});
