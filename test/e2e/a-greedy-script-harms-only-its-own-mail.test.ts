import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Daemon, LogLine } from '../support/daemon.js';
import { queueAll, sendMail, startMta } from '../support/mta.js';
import { TestClient } from '../support/smtp-client.js';

// Scripts that run for ever, eat memory, recurse or sleep: they end with their limit and a 4xx, and others are served.

const greedy = `
  switch ($arguments["address"]["localpart"]) {
    case "loop": forever {} break;
    case "string": $s = "x"; forever { $s = $s . $s; } break;
    case "array": $a = []; forever { $a[] = "0123456789"; } break;
    case "nested": $a = []; forever { $a = [$a, $a]; } break;
    case "depth": function f($x) { return f($x + 1) + 1; } f(0); break;
    case "echo": forever { echo "0123456789012345678901234567890123456789012345678901234567890123456789"; } break;
    case "repeat": $s = str_repeat("x", 1000000000000); break;
    case "range": $a = range(0, 1000000000000); break;
    case "callback": array_map(function ($x) { forever {} }, [1, 2, 3]); break;
    case "sleep": sleep(30); break;
  }`;

/** The reply to MAIL FROM of somebody whose script is greedy, and how long it took. */
async function mailFrom(port: number, localPart: string): Promise<number> {
  const { client } = await TestClient.connect(port);
  await client.command('EHLO c.test');
  const { code } = await client.command(`MAIL FROM:<${localPart}@b.test>`);
  client.destroy();
  return code;
}

/** Its errors, when there are as many; the log is written a little later than the reply. */
async function errorsOf(daemon: Daemon, count: number): Promise<readonly LogLine[]> {
  const errors = () => daemon.lines.filter(({ level }) => level === 'error');
  await expect.poll(errors, { interval: 10 }).toHaveLength(count);
  return errors();
}

test('a script that never ends, or sleeps too long, stalls nobody and ends with its time limit and 450', async () => {
  const { daemon, sink } = await startMta({
    hooks: { mailfrom: greedy, eod: queueAll },
    scripting: { limits: { time: 2 } },
  });
  let hasEnded = false;
  const greedies = ['loop', 'callback', 'sleep'].map((localPart) => mailFrom(daemon.port, localPart));
  void Promise.race(greedies).then(() => {
    hasEnded = true;
  });
  for (let i = 0; i < 5; i++) expect((await sendMail(daemon)).code).toBe(250);
  await sink.waitFor(5);
  expect(hasEnded).toBe(false);
  expect(await Promise.all(greedies)).toEqual([450, 450, 450]);
  const errors = await errorsOf(daemon, 3);
  for (const line of errors) {
    expect(line.msg).toMatch(/^script error: the script ran longer than 2 seconds/);
    expect(line).toMatchObject({ script: 'mailfrom/main', line: expect.any(Number) });
  }
});

test('a script that eats memory, recurses without end or writes without end gets its limit, and the daemon stays small', async () => {
  const { daemon } = await startMta({
    hooks: { mailfrom: greedy },
    scripting: { limits: { time: 20, memory: '32MiB', output: '10KiB' } },
  });
  for (const localPart of ['string', 'array', 'nested', 'depth', 'echo', 'repeat', 'range']) {
    expect(await mailFrom(daemon.port, localPart), localPart).toBe(450);
  }
  for (const { msg } of await errorsOf(daemon, 7)) expect(msg).toMatch(/^script error: /);
  expect(daemon.lines.filter(({ msg }) => msg.includes('internal error'))).toEqual([]);
  expect((await sendMail(daemon, 'Subject: x\r\n\r\n', ['a@b.test'])).code).toBe(250);
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'latin1'));
  expect(Number(peak![1]) / 1024).toBeLessThan(700);
});

test('a script that counts its instructions ends with that limit', async () => {
  const { daemon } = await startMta({
    hooks: { mailfrom: greedy },
    scripting: { limits: { instructions: 100_000 } },
  });
  expect(await mailFrom(daemon.port, 'loop')).toBe(450);
  const [error] = await errorsOf(daemon, 1);
  expect(error!.msg).toMatch(/instruction/);
});

test('a pattern that backtracks without end is cut off', async () => {
  const { daemon } = await startMta({
    hooks: { eod: `if ($arguments["mail"]->getHeader("Subject") =~ #/^(a+)+$/) Reject("no"); ${queueAll}` },
    scripting: { limits: { time: 50 } },
  });
  const began = performance.now();
  const { code } = await sendMail(daemon, `Subject: ${'a'.repeat(900)}!\r\n\r\n`);
  // By the pattern's own limit (an error, 421) or since an engine sees that it cannot match (250).
  expect([250, 421, 450, 451]).toContain(code);
  expect(performance.now() - began).toBeLessThan(40_000);
});

test('a script that sleeps lets the others go on, and is woken when its client leaves', async () => {
  const { daemon, sink } = await startMta({
    hooks: {
      mailfrom: 'if ($arguments["address"]["localpart"] == "sleepy") { sleep(20); echo "slept"; }',
      eod: queueAll,
      disconnect: 'echo "left";',
    },
  });
  const { client } = await TestClient.connect(daemon.port);
  await client.command('EHLO c.test');
  client.socket.write('MAIL FROM:<sleepy@b.test>\r\n');
  expect((await sendMail(daemon)).code).toBe(250);
  await sink.waitFor(1);
  client.destroy();
  await daemon.waitForLine(({ msg }) => msg === 'left');
  // The sleeper keeps nothing: the daemon stops at once.
  expect(await daemon.stop()).toBe(0);
  expect(daemon.lines.some(({ msg }) => msg === 'slept')).toBe(false);
});

test('a queue hook that fails or never ends keeps its own message, and others are delivered', async () => {
  const { daemon, sink } = await startMta({
    hooks: {
      predelivery: `
        switch ($message["recipientaddress"]["localpart"]) {
          case "loop": forever {} break;
          case "fail": $x = none; none->nothing(); break;
        }`,
    },
    scripting: { limits: { time: 1 } },
  });
  for (const localPart of ['loop', 'fail', 'good'])
    expect((await sendMail(daemon, 'Subject: x\r\n\r\n', [`${localPart}@d.test`])).code).toBe(250);
  await sink.waitFor(1);
  for (const localPart of ['fail', 'loop'])
    await daemon.waitForLine(
      ({ msg, recipient }) => msg === 'message deferred' && recipient === `${localPart}@d.test`,
    );
  expect(await daemon.stop()).toBe(0);
  expect(sink.deliveries.map(({ recipients }) => recipients)).toEqual([['good@d.test']]);
});
