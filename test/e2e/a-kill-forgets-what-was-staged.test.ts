import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { appText } from '../support/app-text.js';
import { CountingSink } from '../support/counting-sink.js';
import { configFolder, sendMail, startDaemonIn, subjectOf } from '../support/mta.js';
import { root, stopChild } from '../support/peers.js';

const to = (name: string) => `Try(["recipient" => ["localpart" => "${name}", "domain" => "example.test"]]);`;

test('a message of a staged configuration runs the normal hooks after a kill and a new start', async () => {
  const sink = await CountingSink.start();
  onTestFinished(() => sink.stop());
  const folder = configFolder({ nextHopPort: sink.port, hooks: { predelivery: to('normal') } });
  const staged = path.join(folder, 'staged.yaml');
  writeFileSync(staged, appText({ predelivery: 'Queue(["delay" => 1]);' }));

  const program = path.join(root, 'dist/test/support/staged-daemon.js');
  const child = spawn(process.execPath, [program, folder, staged], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TZ: 'UTC', XDG_CACHE_HOME: path.join(folder, 'cache') },
  });
  onTestFinished(() => stopChild(child, 'SIGKILL').then(() => {}));
  const lines = createInterface({ input: child.stdout });
  const seen = (message: string) =>
    new Promise<Record<string, unknown>>((resolve) => {
      lines.on('line', (line) => {
        const fields = JSON.parse(line) as Record<string, unknown>;
        if (fields['msg'] === message) resolve(fields);
      });
    });
  const [ready, deferred] = [seen('ready'), seen('message deferred')];
  const [{ port }] = (await ready)['listeners'] as [{ port: number }];
  expect((await sendMail({ port }, 'Subject: staged\r\n\r\nx')).code).toBe(250);
  await deferred;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;

  const again = await startDaemonIn(folder);
  await sink.waitFor(1);
  expect(sink.deliveries.map((one) => [subjectOf(one), one.recipients[0]])).toEqual([
    ['staged', 'normal@example.test'],
  ]);
  expect(await again.stop()).toBe(0);
});
