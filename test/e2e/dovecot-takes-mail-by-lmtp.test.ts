import path from 'node:path';
import { expect, test } from 'vitest';
import { dovecotObstacle, startDovecot } from '../support/dovecot.js';
import { sendMail, startDaemon } from '../support/mta.js';
import { root, runProgram } from '../support/peers.js';

// Dovecot's LMTP behind us: mailboxes that nobody of ours has written, each with an answer of its own.

const reason = dovecotObstacle();
const needsDovecot = test.skipIf(reason !== undefined);
const named = (fact: string) => (reason === undefined ? fact : `${fact} (${reason})`);

const users = { anna: 'ready', olga: 'ready', broken: 'broken' } as const;

needsDovecot(
  named('mail goes into mailboxes, large mail in chunks; who has none is told, and a broken one waits'),
  async ({ onTestFinished }) => {
    const dovecot = await startDovecot(users);
    onTestFinished(() => dovecot.stop());
    const daemon = await startDaemon({
      nextHopPort: dovecot.port,
      session: { protocol: 'lmtp' },
      retry: { count: 5, intervals: [{ interval: 600 }] },
    });
    const text = 'A line of mail, and\r\n.one that begins with a dot.\r\n'.repeat(8000);
    const recipients = ['anna@dovecot.test', 'eve@dovecot.test', 'broken@dovecot.test', 'olga@dovecot.test'];
    const reply = await sendMail(daemon, `Subject: large\r\n\r\n${text}`, recipients);
    expect(reply.code).toBe(250);
    for (const user of ['anna', 'olga']) {
      await expect.poll(() => dovecot.messages(user).length).toBe(1);
      const [taken] = dovecot.messages(user);
      expect(taken?.replaceAll('\r\n', '\n')).toContain(`Subject: large\n\n${text.replaceAll('\r\n', '\n')}`);
    }
    const failed = await daemon.waitForLine(
      ({ msg, recipient }) => msg === 'attempt failed' && recipient === 'eve@dovecot.test',
    );
    expect(JSON.stringify(failed)).toMatch(/550 5\.1\.1/);
    const waits = await daemon.waitForLine(
      ({ msg, recipient }) => msg === 'message deferred' && recipient === 'broken@dovecot.test',
    );
    expect(JSON.stringify(waits)).toMatch(/451 4\./);
  },
);

needsDovecot(named('a script hears of each recipient what became of it'), async ({ onTestFinished }) => {
  const dovecot = await startDovecot(users);
  onTestFinished(() => dovecot.stop());
  const script = `
      $at = ["host" => "127.0.0.1", "port" => ${dovecot.port}, "protocol" => "lmtp"];
      $mail = MIME()->addHeader("Subject", "by LMTP")->setBody("Hello");
      $r = $mail->send("a@client.test", ["anna@a.test", "broken@a.test", "olga@a.test"], $at);
      echo $r["result"]["state"] . " " . $r["result"]["code"];
      foreach ($r["recipients"] ?? [] as $one) echo $one["code"];
      echo $mail->send("a@client.test", ["eve@a.test"], $at)["result"]["code"];`;
  const { stdout, stderr } = await runProgram(process.execPath, [
    path.join(root, 'src/cli/launch.cjs'),
    'hsh',
    '-e',
    script,
  ]);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(['EOD 451', '250', '451', '250', '550']);
  expect([dovecot.messages('anna').length, dovecot.messages('olga').length]).toEqual([1, 1]);
});
