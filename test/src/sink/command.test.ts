import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { SmtpDeliverer } from '../../../src/delivery/smtp-deliverer.js';
import { addSinkCommand } from '../../../src/sink/command.js';
import { runSink } from '../../../src/sink/sink.js';
import { makeAttempt } from '../../support/delivery-attempt.js';

/** Runs the command; `visit` is called with its port, and the sink is stopped when it resolves. */
async function runCommand(words: string[], visit: (port: number) => Promise<void> = async () => {}) {
  let out = '';
  let err = '';
  let exitCode: number | undefined;
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => (err += text) });
  addSinkCommand(
    program,
    (code) => {
      exitCode = code;
    },
    {
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
      untilStopped: async () => {
        const port = /listens on \S+:(\d+)/.exec(out + err)?.[1];
        if (port !== undefined) await visit(Number(port));
      },
    },
  );
  for (const command of program.commands) command.copyInheritedSettings(program);
  await program.parseAsync(['sink', ...words], { from: 'user' });
  return { out, err, exitCode };
}

async function deliverOne(port: number): Promise<void> {
  const deliverer = new SmtpDeliverer({ hostname: 'client.test' });
  await deliverer.attempt(makeAttempt(port), new AbortController().signal);
  await deliverer.close();
}

describe('argonite sink', () => {
  test('writes a line per message and a summary', async () => {
    const { out, err, exitCode } = await runCommand(['--listen', '127.0.0.1:0'], deliverOne);
    expect(err).toBe('');
    expect(out).toMatch(
      /^sink listens on 127\.0\.0\.1:\d+\n<a@a.test> to <b@b.test>: 25 bytes\n1 messages \(25 bytes\) in 1 transactions over 1 connections\n$/,
    );
    expect(exitCode).toBe(0);
  });

  test('with --json leaves stdout to the summary', async () => {
    const { out, err } = await runCommand(
      ['--listen', '0', '--json', '--reply', 'RCPT 451 4.3.0 try later', '--reply', 'DATA 554 no'],
      deliverOne,
    );
    expect(JSON.parse(out)).toEqual({
      connections: 1,
      transactions: 1,
      recipients: 1,
      messages: 0,
      bytes: 0,
      refused: { RCPT: 1, DATA: 1 }, // DATA came in the same packet
      dropped: {},
    });
    expect(err).toMatch(/^sink listens on/);
  });

  test('with --quiet says nothing but the summary', async () => {
    const { out } = await runCommand(['--listen', '127.0.0.1:0', '--quiet']);
    expect(out).toBe('0 messages (0 bytes) in 0 transactions over 0 connections\n');
  });

  test('says which port is in use', async () => {
    const other = await runSink({ port: 0 });
    const { err, exitCode } = await runCommand(['--listen', `127.0.0.1:${other.address.port}`]);
    expect(err).toMatch(/^sink: 127\.0\.0\.1:\d+ is in use; .*--listen\n$/);
    expect(exitCode).toBe(1);
    await other.close();
  });

  test.each([
    [['--listen', 'nowhere'], /expected host:port/],
    [['--listen', '127.0.0.1:70000'], /expected host:port/],
    [['--reply', 'RCPT 250 ok'], /a code from 400 to 599/],
    [['--drop', 'NOOP'], /expected one of CONNECT/],
    [['--rate', '1.5'], /number from 0 to 1/],
    [['--delay', 'soon'], /expected a time/],
    [['--seed', 'x'], /whole number/],
  ])('refuses %j with what it expected', async (words, message) => {
    await expect(runCommand(words)).rejects.toThrow(message);
  });
});
