import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { startDaemonIn } from '../support/mta.js';
import { root, runProgram, skipReason, stopChild } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';

// The commands of the example's README as they stand there, on free ports.

const reason = skipReason('curl');
const launch = path.join(root, 'src/cli/launch.cjs');
const example = path.join(root, 'examples/http-submission');

test.skipIf(reason !== undefined)(
  `the commands of the HTTP example's README do what it says${reason === undefined ? '' : ` (${reason})`}`,
  async ({ onTestFinished }) => {
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
    replaceIn('smtpd.yaml', 'port: 8025', 'port: 0');
    replaceIn('smtpd-app.yaml', 'port: 2526', `port: ${sinkPort}`);
    const daemon = await startDaemonIn(folder);

    const commands = (readFileSync(path.join(example, 'README.md'), 'utf8').match(/^ {4}\S.*$/gm) ?? [])
      .map((line) => line.trim())
      .filter((line) => !line.startsWith('argonite '));
    expect(commands).toHaveLength(7);
    const run = async (command: string) => {
      const there = command.replace('127.0.0.1:8025', `127.0.0.1:${daemon.port}`);
      const { stdout, code } = await runProgram('sh', ['-c', `cd '${folder}' && ${there}`]);
      expect(code).toBe(0);
      return stdout.trim();
    };
    const delivered = () => readdirSync(path.join(maildir, 'new'));
    const [write, submit, again, pack, packed, withoutSubject, withoutKey] = commands as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    interface Answer {
      readonly result: { readonly code: number };
      readonly transaction: { readonly id: string };
      readonly metadata: { readonly queued: Record<string, string> };
    }

    await run(write);
    const answer = JSON.parse(await run(submit)) as Answer;
    expect(answer.result.code).toBe(250);
    expect(answer.metadata.queued).toEqual({ 'you@example.com': `${answer.transaction.id}:1` });
    await expect.poll(delivered).toHaveLength(1);
    const mail = readFileSync(path.join(maildir, 'new', delivered()[0]!), 'latin1');
    expect(mail).toMatch(/^X-Submitted-By: newsletter\r?$/m);
    expect(mail).toMatch(/^\tby \S+ with HTTP\r?$/m);

    const first = await run(again);
    expect(await run(again)).toBe(first);
    expect(Object.keys((JSON.parse(first) as Answer).metadata.queued)).toEqual(['you@xn--bcher-kva.example']);
    await expect.poll(delivered).toHaveLength(2);

    await run(pack);
    expect(await run(packed)).toBe('200');
    expect(await run(withoutSubject)).toBe('422');
    expect(await run(withoutKey)).toBe('401');
    await expect.poll(delivered).toHaveLength(3);
    expect(await daemon.stop()).toBe(0);
    expect(delivered()).toHaveLength(3);
  },
);
