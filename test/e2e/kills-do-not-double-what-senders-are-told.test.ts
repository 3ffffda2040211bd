import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { Daemon, type DaemonConfig, writeConfig } from '../support/daemon.js';
import { TestClient } from '../support/smtp-client.js';

// The daemon is killed at random moments while everything it takes is refused by the next hop. Afterwards the reports are counted:
// every sender that got 250 has one, under one Message-ID, and the same one twice only if it was on its way when the daemon died.

const kills = Number(process.env['ARGONITE_DSN_KILLS'] ?? 12);
const sessions = 6;
const concurrency = 10;

test(`${kills} kills at random moments lose no report and make no second one`, {
  timeout: 300_000,
  retry: 0,
}, async ({ onTestFinished }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-told-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const sink = await CountingSink.start({
    reply: (verb, line) =>
      verb === 'RCPT' && line.includes('<gone@') ? '550 5.1.1 no such user' : undefined,
  });
  onTestFinished(() => sink.stop());
  const config: DaemonConfig = {
    folder,
    concurrency,
    retry: { count: 1000, intervals: [{ interval: 0.2 }] },
    nextHopPort: sink.port,
  };
  const accepted = new Set<string>();
  let number = 0;
  // The daemon dies under them: whether it had a message, only its answer would have told.
  const client = async (port: number): Promise<void> => {
    try {
      const { client: session } = await TestClient.connect(port);
      for (;;) {
        const sender = `s${++number}@client.test`;
        const reply = await session.send(sender, ['gone@example.test'], 'Subject: x\r\n\r\nbody');
        if (reply.code === 250) accepted.add(sender);
      }
    } catch {}
  };

  writeConfig(folder, config);
  for (let kill = 0; kill < kills; kill++) {
    const daemon = await Daemon.startIn(folder);
    const clients = Array.from({ length: sessions }, () => client(daemon.port));
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 280));
    await daemon.stop('SIGKILL');
    await Promise.all(clients);
  }
  const last = await Daemon.startIn(folder);
  onTestFinished(() => last.dispose());
  const told = () => new Set(sink.deliveries.map(({ recipients }) => recipients[0]!));
  await expect
    .poll(() => [...accepted].filter((sender) => !told().has(sender)).length, { timeout: 60_000 })
    .toBe(0);
  expect(await last.stop()).toBe(0);

  const names = new Map<string, string[]>();
  for (const { sender, recipients, data } of sink.deliveries) {
    expect(sender).toBe('');
    const name = /^Message-ID: (\S+)\r$/m.exec(data)![1]!;
    names.set(recipients[0]!, [...(names.get(recipients[0]!) ?? []), name]);
  }
  expect(accepted.size).toBeGreaterThan(kills);
  let twice = 0;
  for (const [sender, ids] of names) {
    expect(new Set(ids).size, sender).toBe(1);
    twice += ids.length - 1;
  }
  expect(twice).toBeLessThanOrEqual(kills * concurrency);
});
