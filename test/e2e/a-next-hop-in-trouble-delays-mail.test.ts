import { expect, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { sendMail, startDaemon, startMta, subjectOf } from '../support/mta.js';
import { freePort } from '../support/peers.js';
import { startPeer } from '../support/scripted-peer.js';

// Mail waits for a next hop that is down, refuses, breaks off or says nothing, and is delivered when that is over.

const soon = { count: 100, intervals: [{ interval: 0.1 }] };

test('mail for a next hop that is down is delivered when it is up again', async ({ onTestFinished }) => {
  const port = await freePort();
  const daemon = await startDaemon({ nextHopPort: port, retry: soon });
  expect((await sendMail(daemon)).code).toBe(250);
  const line = await daemon.waitForLine(({ msg }) => msg === 'message deferred');
  expect(line['reason']).toMatch(/ECONNREFUSED|refused/);
  const sink = await CountingSink.start({}, port);
  onTestFinished(() => sink.stop());
  await sink.waitFor(1);
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries).toHaveLength(1);
});

test('a next hop that refuses for now or breaks off, in whatever state, is tried again until it takes the message', async () => {
  const misdeeds: [verb: string, answer: string][] = [
    ...['CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'EOD'].flatMap((verb): [string, string][] => [
      [verb, '451 4.3.0 later'],
      [verb, '421 4.3.2 going down'],
      [verb, 'drop'],
      [verb, 'not a reply at all'],
    ]),
  ];
  const left = [...misdeeds];
  const { daemon, sink } = await startMta(
    { retry: soon, pooling: false },
    {
      // Without PIPELINING, so that each state is reached on its own.
      extensions: ['8BITMIME'],
      reply: (verb) => {
        if (left[0]?.[0] !== verb) return undefined;
        return left.shift()![1];
      },
    },
  );
  expect((await sendMail(daemon)).code).toBe(250);
  await sink.waitFor(1);
  await daemon.waitForLine(({ msg }) => msg === 'attempt delivered');
  expect(await daemon.stop()).toBe(0);
  expect(left).toEqual([]);
  const attempts = daemon.lines.filter(({ msg }) => msg.startsWith('attempt '));
  // EHLO that is refused may be followed by HELO on the same connection, and so by fewer attempts.
  expect(attempts.length).toBeGreaterThan(misdeeds.length - 4);
  expect(attempts.filter(({ msg }) => msg === 'attempt delivered')).toHaveLength(1);
  expect(attempts.filter(({ msg }) => msg === 'attempt failed')).toEqual([]);
  expect(sink.deliveries).toHaveLength(1);
});

test('a next hop that falls silent in a state is left when the time of that state is over', async (t) => {
  const peer = await startPeer(t, {
    BANNER: ['silence', '220 peer.test'],
    EHLO: ['silence', '250 peer.test\n8BITMIME'],
    MAIL: ['silence', '250 2.1.0 ok'],
    RCPT: ['silence', '250 2.1.5 ok'],
    DATA: ['silence', '354 go'],
    EOD: ['silence', '250 2.0.0 taken'],
  });
  const states = ['BANNER', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'EOD'];
  const daemon = await startDaemon({
    nextHopPort: peer.port,
    retry: soon,
    pooling: false,
    delivery: {
      timeout: { connect: 1, smtp: Object.fromEntries([...states, 'QUIT'].map((state) => [state, 0.2])) },
    },
  });
  expect((await sendMail(daemon)).code).toBe(250);
  await daemon.waitForLine(({ msg }) => msg === 'attempt delivered');
  // The one that was not answered was whole: the peer has it, and we could not know.
  expect(peer.messages).toHaveLength(2);
  expect(peer.connections).toBe(states.length + 1);
  const reasons = daemon.lines
    .filter(({ msg }) => msg === 'message deferred')
    .map((line) => String(line['reason']));
  expect(reasons).toHaveLength(states.length);
  for (const reason of reasons) expect(reason).toMatch(/0\.2|no reply|timeout|timed out|silent/i);
});

test('a next hop that hangs does not keep mail for another from being delivered', async (t) => {
  const silent = await startPeer(t, { BANNER: 'silence' });
  const { daemon, sink } = await startMta({
    concurrency: 2,
    retry: soon,
    hooks: {
      // By name: the limit is per remotemx, and the other next hop is known by its address.
      predelivery: `if ($message["recipientaddress"]["domain"] == "silent.test") Try(["host" => "localhost", "port" => ${silent.port}]);`,
    },
    delivery: { timeout: { connect: 5, smtp: { BANNER: 5 } } },
  });
  for (let i = 0; i < 5; i++) await sendMail(daemon, `Subject: silent ${i}\r\n\r\n`, ['a@silent.test']);
  await silent.until(({ connections }) => connections > 0);
  await sendMail(daemon, 'Subject: passes\r\n\r\n', ['b@good.test']);
  await sink.waitFor(1);
  expect(sink.deliveries.map(subjectOf)).toEqual(['passes']);
  expect(silent.connections).toBeLessThanOrEqual(2);
});
