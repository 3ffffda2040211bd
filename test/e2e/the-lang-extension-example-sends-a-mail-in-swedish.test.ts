import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { Dialogue } from '../support/dialogue.js';
import { startDaemonIn } from '../support/mta.js';
import { root, stopChild } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';

// The example as it stands there, on free ports, and the dialogue of its README.

const launch = path.join(root, 'src/cli/launch.cjs');
const example = path.join(root, 'examples/lang-extension');

test("the dialogue of the LANG example's README goes as written, and the mail arrives", async ({
  onTestFinished,
}) => {
  const folder = scratchFolder();
  cpSync(example, folder, { recursive: true, filter: (name) => path.basename(name) !== 'var' });
  const maildir = path.join(folder, 'var/sink');
  mkdirSync(maildir, { recursive: true });
  const sink = spawn(process.execPath, [launch, 'sink', '--listen', '127.0.0.1:0', '--maildir', maildir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => stopChild(sink, 'SIGKILL'));
  const sinkPort = await new Promise<string>((resolve) => {
    createInterface({ input: sink.stdout }).on('line', (line) => {
      const found = /^sink listens on 127\.0\.0\.1:(\d+)$/.exec(line);
      if (found) resolve(found[1]!);
    });
  });
  const replaceIn = (name: string, what: string, by: string) => {
    const file = path.join(folder, name);
    const before = readFileSync(file, 'utf8');
    expect(before).toContain(what);
    writeFileSync(file, before.replace(what, by));
  };
  replaceIn('smtpd.yaml', 'port: 2525', 'port: 0');
  replaceIn('smtpd-app.yaml', 'port: 2526', `port: ${sinkPort}`);
  const daemon = await startDaemonIn(folder);
  const play = async (transcript: string) => {
    const dialogue = await Dialogue.open(daemon.port);
    onTestFinished(() => dialogue.close());
    await dialogue.play(transcript);
  };

  const lines = readFileSync(path.join(example, 'README.md'), 'utf8').match(/^ {4}[SC]: ?.*$/gm)!;
  await play(`${lines.join('\n')}\nS: <close>`);
  const delivered = () => readdirSync(path.join(maildir, 'new'));
  await expect.poll(delivered, { interval: 20 }).toHaveLength(1);
  const mail = readFileSync(path.join(maildir, 'new', delivered()[0]!), 'utf8');
  expect(mail).toMatch(/^Subject: Hej\r?\n\r?\nHur mår du\?\r?$/m);

  // The same HELO script has no list to spread here, and announces nothing.
  await play(`
    S: 220 * ESMTP
    C: HELO hemma.example
    S: 250 *
    C: brev FRÅN: <astrid@hemma.example>
    S: 250 2.1.0 Sender ok
    C: Brev till:<nobody>
    S: 501 5.1.3 *
    C: BREV FRAN:<astrid@hemma.example>
    S: 501 5.5.4 Det *
    C: Noop
    S: 250 2.0.0 Ok
    C: QUIT
    S: 221 2.0.0 Bye
    S: <close>`);
  const errors = daemon.lines.filter(({ level }) => level === 'error');
  expect(errors).toEqual([]);
  expect(await daemon.stop()).toBe(0);
});
