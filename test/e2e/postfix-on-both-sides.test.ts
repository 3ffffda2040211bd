import { expect, test } from 'vitest';
import { CountingSink } from '../support/counting-sink.js';
import { startDaemon, subjectOf } from '../support/mta.js';
import { skipReason, smtpSource, swaks } from '../support/peers.js';
import { startPostfix } from '../support/postfix.js';

// Postfix as the server behind us and as the client before us, in both cases as it comes.

const reason = skipReason('postfix', 'smtp-source', 'swaks');
const needsPostfix = test.skipIf(reason !== undefined);
const named = (fact: string) => (reason === undefined ? fact : `${fact} (${reason})`);

needsPostfix(
  named('mail that we hand to Postfix is relayed by it, and what it refuses comes back as a report'),
  async ({ onTestFinished }) => {
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const postfix = await startPostfix(sink.port, {
      smtpd_recipient_restrictions:
        'check_recipient_access inline:{refused@example.test=REJECT}, permit_mynetworks, reject',
    });
    onTestFinished(() => postfix.stop());
    const daemon = await startDaemon({ nextHopPort: postfix.port });
    const { code } = await swaks(daemon.port, [
      '--to',
      'a@example.test,b@example.test,refused@example.test',
      '--header',
      'Subject: through Postfix',
    ]);
    expect(code).toBe(0);
    await sink.waitFor(3);
    const mails = sink.deliveries.filter(({ sender }) => sender !== '');
    expect(mails.map(subjectOf)).toEqual(['through Postfix', 'through Postfix']);
    expect(mails.flatMap(({ recipients }) => recipients).sort()).toEqual([
      'a@example.test',
      'b@example.test',
    ]);
    const report = sink.deliveries.find(({ sender }) => sender === '')!;
    expect(report.recipients).toEqual(['me@client.test']);
    expect(report.data).toMatch(/Final-Recipient: rfc822; refused@example\.test[\s\S]*smtp; 554 5\.7\.1/);
  },
);

needsPostfix(
  named('mail that Postfix hands to us is accepted over reused connections and delivered'),
  async ({ onTestFinished }) => {
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const daemon = await startDaemon({ nextHopPort: sink.port });
    const postfix = await startPostfix(daemon.port);
    onTestFinished(() => postfix.stop());
    const count = 100;
    await smtpSource(postfix.port, { count, sessions: 5, sizeBytes: 3000 });
    await sink.waitFor(count);
    expect(postfix.log().match(/status=sent \(250 2\.0\.0 /g)).toHaveLength(count);
    expect(
      sink.deliveries.every(({ data }) => /^Received: from postfix\.test[\s\S]*?by mta\.test/.test(data)),
    ).toBe(true);
    expect(await daemon.stop()).toBe(0);
    expect(sink.deliveries).toHaveLength(count);
  },
);

needsPostfix(
  named('Postfix, as an LMTP client, hears of each recipient what became of it'),
  async ({ onTestFinished }) => {
    const sink = await CountingSink.start();
    onTestFinished(() => sink.stop());
    const daemon = await startDaemon({
      nextHopPort: sink.port,
      server: { protocol: 'lmtp' },
      hooks: {
        eod: `
          $answers = [];
          foreach ($transaction["recipients"] as $i => $to) {
            $name = $to["address"]["localpart"];
            if ($name == "no")
              $answers[$i] = ["reason" => "no such box", "reply_codes" => ["code" => 550, "enhanced" => [5, 1, 1]]];
            else if ($name == "full")
              $answers[$i] = ["reason" => "it is full", "reply_codes" => ["code" => 452, "enhanced" => [4, 2, 2]]];
            else
              $arguments["mail"]->queue($transaction["senderaddress"], $to["address"], $to["transportid"]);
          }
          Accept(["recipients" => $answers]);`,
      },
    });
    const postfix = await startPostfix(daemon.port, {
      default_transport: `lmtp:inet:127.0.0.1:${daemon.port}`,
      relayhost: '',
    });
    onTestFinished(() => postfix.stop());
    const { code } = await swaks(postfix.port, [
      '--from',
      '<>',
      '--to',
      'a@example.test,no@example.test,full@example.test,b@example.test',
    ]);
    expect(code).toBe(0);
    await sink.waitFor(2);
    const lineOf = (name: string) =>
      new RegExp(`to=<${name}@example\\.test>.*`).exec(postfix.log())?.[0] ?? '';
    await expect.poll(() => ['a', 'b', 'no', 'full'].every((name) => lineOf(name) !== '')).toBe(true);
    expect(lineOf('a')).toMatch(/status=sent \(250 2\.0\.0 Ok: queued as /);
    expect(lineOf('b')).toMatch(/status=sent \(250 2\.0\.0 Ok: queued as /);
    expect(lineOf('no')).toMatch(/dsn=5\.1\.1, status=bounced .*550 5\.1\.1 no such box/);
    expect(lineOf('full')).toMatch(/dsn=4\.2\.2, status=deferred .*452 4\.2\.2 it is full/);
    expect(sink.deliveries.flatMap(({ recipients }) => recipients).sort()).toEqual([
      'a@example.test',
      'b@example.test',
    ]);
  },
);
