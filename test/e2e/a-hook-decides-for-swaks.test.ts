import { expect, test } from 'vitest';
import { startMta } from '../support/mta.js';
import { skipReason, swaks } from '../support/peers.js';

// One script that does everything a script can do to a mail, and swaks to see it from outside.

const reason = skipReason('swaks');

const script = `
  $mail = $arguments["mail"];
  $subject = $mail->getHeader("Subject");
  if ($subject == "reject") Reject(["This is not wanted", "See https://example.test/why"], ["reply_codes" => ["code" => 550, "enhanced" => [5, 7, 9]]]);
  if ($subject == "defer") Defer("come back later");
  if ($subject == "discard") Accept();
  if ($subject == "rewrite") {
    $mail->setHeader("Subject", "rewritten");
    $mail->delHeader("X-Mailer");
    $mail->addHeader("X-Seen", "yes");
  }
  foreach ($transaction["recipients"] as $r)
    $mail->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
  if ($subject == "copies")
    foreach (["one", "two"] as $localpart)
      $mail->queue("", ["localpart" => $localpart, "domain" => "archive.test"], "out");
  Accept();`;

test.skipIf(reason !== undefined)(
  `one script rejects, defers, discards, rewrites and adds recipients${reason === undefined ? '' : ` (${reason})`}`,
  async () => {
    const { daemon, sink } = await startMta({ hooks: { eod: script } });
    const send = (subject: string) => swaks(daemon.port, ['--header', `Subject: ${subject}`]);

    const rejected = await send('reject');
    expect(rejected.code).toBe(26);
    expect(rejected.stdout).toContain(
      '<** 550-5.7.9 This is not wanted\n<** 550 5.7.9 See https://example.test/why',
    );
    const deferred = await send('defer');
    expect(deferred.code).toBe(26);
    expect(deferred.stdout).toMatch(/<\*\* 4\d\d 4\.\d\.\d come back later/);
    expect((await send('discard')).code).toBe(0);

    expect((await send('rewrite')).code).toBe(0);
    await sink.waitFor(1);
    const { data } = sink.deliveries[0]!;
    expect(data).toMatch(/^Subject: rewritten\r$/m);
    expect(data).toMatch(/^X-Seen: yes\r$/m);
    expect(data).not.toMatch(/^X-Mailer:/m);

    expect((await send('copies')).code).toBe(0);
    await sink.waitFor(4);
    const copies = sink.deliveries.slice(1).map(({ sender, recipients }) => `${sender}>${recipients[0]}`);
    expect(copies.sort()).toEqual([
      '>one@archive.test',
      '>two@archive.test',
      'me@client.test>you@example.test',
    ]);
    expect(await daemon.stop()).toBe(0);
    expect(sink.deliveries).toHaveLength(4);
  },
);
