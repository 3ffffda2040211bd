// Delivery settings at work, from smtpd-delivery.yaml to what a next hop sees (queue-and-config 5). Seconds are real here, and few.

import { expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../../support/counting-sink.js';
import type { DaemonConfig } from '../../support/daemon.js';
import { type DaemonHere, daemonHere, editConfig, eventually } from '../../support/daemon-in-process.js';
import { tcpServer } from '../../support/loopback-server.js';
import { queueAll } from '../../support/mta.js';

const tellsAttempt = `$attempt = $arguments["attempt"];
  echo "attempt " . json_encode(["transactions" => $attempt["connection"]["transactions"], "error" => $attempt["error"]]);`;

async function startSink(): Promise<CountingSink> {
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  return sink;
}

interface Attempt {
  readonly transactions?: number;
  readonly error?: { readonly temporary: boolean; readonly type: string; readonly state?: string };
}

/** What postdelivery has told of attempts. */
function attempts({ log }: DaemonHere): readonly Attempt[] {
  return log.lines
    .filter(({ message }) => message.startsWith('attempt {'))
    .map(({ message }) => JSON.parse(message.slice('attempt '.length)) as Attempt);
}

async function start(config: DaemonConfig): Promise<DaemonHere> {
  const { hooks, ...others } = config;
  return daemonHere({ ...others, hooks: { eod: queueAll, postdelivery: tellsAttempt, ...hooks } });
}

/** Sends messages one after the other; each is tried before the next comes. */
async function sendEach(mta: DaemonHere, recipients: readonly string[]): Promise<void> {
  const { client } = await mta.dial();
  for (const recipient of recipients) {
    const before = attempts(mta).length;
    await client.send('s@client.test', [recipient], 'Subject: x\r\n\r\nx');
    await eventually(() => attempts(mta).length > before);
  }
}

const five = Array.from({ length: 5 }, (_, n) => `r${n}@example.test`);

test('one connection carries message after message, and scripts see the count (5, 1)', async () => {
  const sink = await startSink();
  const mta = await start({ nextHopPort: sink.port, pooling: true });
  await sendEach(mta, five);
  expect(sink.connections.total).toBe(1);
  expect(attempts(mta).map(({ transactions }) => transactions)).toEqual([1, 2, 3, 4, 5]);
});

test('with two transactions for each connection, five messages take three (5, 2)', async () => {
  const sink = await startSink();
  const delivery = { pooling: { enabled: true, transactions: 2 } };
  const mta = await start({ nextHopPort: sink.port, delivery });
  await sendEach(mta, five);
  expect(sink.connections.total).toBe(3);
});

test('a connection that has been idle for too long is not there any more (5, 3)', async () => {
  const sink = await startSink();
  const mta = await start({
    nextHopPort: sink.port,
    delivery: { pooling: { enabled: true, timeout: 1 } },
  });
  await sendEach(mta, five.slice(0, 1));
  await eventually(() => sink.connections.now === 0);
  await sendEach(mta, five.slice(1, 2));
  expect(sink.connections.total).toBe(2);
});

test('a next hop that says nothing about a message is given up after timeout.smtp.EOD (5, 5)', async () => {
  const port = await tcpServer((socket) => {
    socket.write('220 silent.test\r\n');
    socket.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString('latin1').split('\r\n').slice(0, -1)) {
        if (line === 'DATA') socket.write('354 go ahead\r\n');
        else if (/^(EHLO|MAIL|RCPT)/.test(line)) socket.write('250 ok\r\n');
      }
    });
  });
  const mta = await start({
    nextHopPort: port,
    retry: { intervals: ['1h'] },
    delivery: { timeout: { smtp: { EOD: 1 } } },
  });
  const begun = Date.now();
  await sendEach(mta, five.slice(0, 1));
  const seconds = (Date.now() - begun) / 1000;
  expect(seconds).toBeGreaterThan(0.9);
  expect(seconds).toBeLessThan(15);
  expect(attempts(mta)[0]!.error).toMatchObject({ temporary: true, state: 'EOD' });
  expect(['network', 'smtp']).toContain(attempts(mta)[0]!.error!.type);
});

test('a pool of one makes room for two next hops in turns, and everything is delivered (5, 6)', async () => {
  const sinks = [await startSink(), await startSink()];
  const mta = await start({
    nextHopPort: sinks[0]!.port,
    pooling: true,
    app: { queues: { pooling: { size: 1 } } },
    hooks: {
      predelivery: `Try(["port" => $message["recipientaddress"]["domain"] == "a.test" ? ${sinks[0]!.port} : ${sinks[1]!.port}]);`,
    },
  });
  await sendEach(mta, ['1@a.test', '2@b.test', '3@a.test', '4@b.test']);
  expect(sinks.map(({ deliveries }) => deliveries.length)).toEqual([2, 2]);
  expect(sinks.map(({ connections }) => connections.total)).toEqual([2, 2]);
});

test('a condition changes what holds for one next hop only', async () => {
  const sinks = [await startSink(), await startSink()];
  const mta = await start({
    nextHopPort: sinks[0]!.port,
    pooling: false,
    app: { resolver: { hosts: { 'mx.b.test': { a: ['127.0.0.1'] } } } },
    hooks: {
      predelivery: `if ($message["recipientaddress"]["domain"] == "b.test") Try(["host" => "mx.b.test", "port" => ${sinks[1]!.port}]);`,
    },
  });
  editConfig<{ delivery: object }>(mta.folder, 'smtpd-delivery.yaml', (file) => {
    // biome-ignore lint/suspicious/noThenProperty: the key of the file.
    const condition = { if: { remotemx: '*.b.test' }, then: { pooling: { enabled: true, timeout: 9 } } };
    file.delivery = { ...file.delivery, conditions: [condition] };
  });
  await mta.daemon.reload();
  await sendEach(mta, ['1@a.test', '2@a.test', '1@b.test', '2@b.test']);
  expect(sinks.map(({ connections }) => connections.total)).toEqual([2, 1]);
});
