import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { startDaemonIn } from '../support/mta.js';
import { root, runProgram, skipReason, stopChild } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';

// What `npm start` puts together, on free ports, and the commands of the example's README as they stand there.

const reason = skipReason('swaks');
const launch = path.join(root, 'src/cli/launch.cjs');
const example = path.join(root, 'examples/first-hook');

test.skipIf(reason !== undefined)(
  `the three mails of the first example's README do what it says, and a changed script works after SIGHUP${reason === undefined ? '' : ` (${reason})`}`,
  async ({ onTestFinished }) => {
    const folder = scratchFolder();
    cpSync(example, folder, { recursive: true, filter: (name) => path.basename(name) !== 'var' });
    const maildir = path.join(folder, 'var/sink');
    const sink = spawn(process.execPath, [launch, 'sink', '--listen', '127.0.0.1:0', '--maildir', maildir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => stopChild(sink, 'SIGKILL'));
    const sinkLines: string[] = [];
    const sinkPort = await new Promise<string>((resolve) => {
      createInterface({ input: sink.stdout }).on('line', (line) => {
        sinkLines.push(line);
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

    const commands = readFileSync(path.join(example, 'README.md'), 'utf8').match(/^ {4}swaks .*$/gm) ?? [];
    expect(commands).toHaveLength(3);
    const run = (command: string) =>
      runProgram('sh', ['-c', command.trim().replace('127.0.0.1:2525', `127.0.0.1:${daemon.port}`)]);
    const delivered = () => readdirSync(path.join(maildir, 'new'));

    const accepted = await run(commands[0]!);
    expect(accepted.code).toBe(0);
    await expect.poll(delivered, { interval: 20 }).toHaveLength(1);
    const mail = readFileSync(path.join(maildir, 'new', delivered()[0]!), 'latin1');
    expect(mail).toMatch(/^X-First-Hook: seen by argonite\r?$/m);
    expect(mail).toMatch(/^Subject: test /m);

    const forbidden = await run(commands[1]!);
    expect(forbidden.code).toBe(24);
    expect(forbidden.stdout).toContain('We do not deliver to forbidden.example');
    const prize = await run(commands[2]!);
    expect(prize.code).toBe(26);
    expect(prize.stdout).toContain('No prizes today');

    replaceIn('hooks/eod/first.hsl', 'No prizes today', 'Nor tomorrow');
    daemon.child.kill('SIGHUP');
    await daemon.waitForLine(({ msg }) => msg === 'configuration reloaded');
    expect((await run(commands[2]!)).stdout).toContain('Nor tomorrow');

    expect(await daemon.stop()).toBe(0);
    expect(delivered()).toHaveLength(1);
  },
);
