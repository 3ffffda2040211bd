import { spawn } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import PostalMime from 'postal-mime';
import { expect, test } from 'vitest';
import { startDaemonIn } from '../support/mta.js';
import { root, runProgram, skipReason, stopChild } from '../support/peers.js';
import { readReport } from '../support/report-reader.js';
import { scratchFolder } from '../support/scratch-folder.js';

// The commands of the example's README as they stand there, on free ports.

const reason = skipReason('swaks');
const launch = path.join(root, 'src/cli/launch.cjs');
const example = path.join(root, 'examples/tailored-bounce');

test.skipIf(reason !== undefined)(
  `the commands of the tailored bounce example's README do what it says${reason === undefined ? '' : ` (${reason})`}`,
  async ({ onTestFinished }) => {
    const folder = scratchFolder();
    cpSync(example, folder, { recursive: true, filter: (name) => path.basename(name) !== 'var' });
    const commands = (readFileSync(path.join(example, 'README.md'), 'utf8').match(/^ {4}\S.*$/gm) ?? []).map(
      (line) => line.trim(),
    );
    const sinks = commands.filter((command) => command.startsWith('argonite sink'));
    const mails = commands.filter((command) => command.startsWith('swaks'));
    expect([sinks.length, mails.length, commands.length]).toEqual([3, 3, 7]);

    let app = readFileSync(path.join(folder, 'smtpd-app.yaml'), 'utf8');
    for (const command of sinks) {
      const { 1: port } = /127\.0\.0\.1:(\d+)/.exec(command)!;
      const line = command
        .replace('argonite', `exec ${process.execPath} ${launch}`)
        .replace(`:${port}`, ':0');
      const sink = spawn('sh', ['-c', line], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
      onTestFinished(() => stopChild(sink, 'SIGKILL'));
      const found = await new Promise<string>((resolve) => {
        createInterface({ input: sink.stdout }).on('line', (text) => {
          const listening = /^sink listens on 127\.0\.0\.1:(\d+)$/.exec(text);
          if (listening) resolve(listening[1]!);
        });
      });
      expect(app).toContain(`port: ${port} `);
      app = app.replace(`port: ${port} `, `port: ${found} `);
    }
    writeFileSync(path.join(folder, 'smtpd-app.yaml'), app);
    const smtpd = path.join(folder, 'smtpd.yaml');
    writeFileSync(smtpd, readFileSync(smtpd, 'utf8').replace('port: 2525', 'port: 0'));
    const daemon = await startDaemonIn(folder);

    const reports = path.join(folder, 'var/reports/new');
    const seen = new Set<string>();
    const tell = async (command: string) => {
      const { code } = await runProgram('sh', [
        '-c',
        command.replace('127.0.0.1:2525', `127.0.0.1:${daemon.port}`),
      ]);
      expect(code).toBe(0);
      const fresh = () => readdirSync(reports).filter((name) => !seen.has(name));
      await expect.poll(fresh, { interval: 20 }).toHaveLength(1);
      const [name] = fresh();
      seen.add(name!);
      const bytes = readFileSync(path.join(reports, name!));
      return { report: readReport(bytes), mail: await PostalMime.parse(bytes) };
    };

    const delayed = await tell(mails[0]!);
    expect(delayed.mail).toMatchObject({
      subject: 'Not making it in time: Mail is delayed',
      from: { name: 'Railway Post', address: 'post@trains.example' },
      to: [{ address: 'me@home.example' }],
    });
    expect(delayed.mail.html).toContain('<em>choo choo train is delayed</em>');
    expect(delayed.report.fields.get('foo')).toBe('Bar');
    expect(delayed.report.parts).toHaveLength(2);
    expect(Object.fromEntries(delayed.report.status[1]!)).toMatchObject({
      action: 'delayed',
      status: '4.3.0',
      'final-recipient': 'rfc822; you@late.example',
      'diagnostic-code': 'smtp; 451 4.3.0 the train is late',
    });

    const failed = await tell(mails[1]!);
    expect(failed.mail.subject).toBe('Mail could not be delivered');
    expect(failed.mail.text).toContain('550 5.1.1 no such passenger');
    expect(failed.report.parts).toHaveLength(3);

    const swedish = await tell(mails[2]!);
    expect(swedish.mail).toMatchObject({
      subject: 'Ditt brev kom inte fram',
      from: { name: 'Järnvägsposten', address: 'post@trains.example' },
      to: [{ address: 'jag@hemma.se' }],
    });
    expect(swedish.mail.text).toContain('550 5.1.1 no such passenger');
    expect(swedish.report.status[1]!.get('action')).toBe('failed');

    expect(await daemon.stop()).toBe(0);
    expect(readdirSync(reports)).toHaveLength(3);
  },
);
