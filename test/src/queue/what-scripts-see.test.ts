// The variables of both hooks of the queue as scripts see them, in a daemon with a real next hop (hooks 12, 13).

import { expect, onTestFinished, test } from 'vitest';
import { CountingSink } from '../../support/counting-sink.js';
import { type DaemonHere, daemonHere, eventually } from '../../support/daemon-in-process.js';

type Seen = Readonly<Record<string, unknown>>;

const eod = `foreach ($transaction["recipients"] as $to)
  $arguments["mail"]->queue($transaction["senderaddress"], $to["address"], $to["transportid"], [
    "jobid" => "job", "tenantid" => "tenant", "metadata" => ["k" => "v"], "priority" => 1,
    "dsn" => ["envid" => xtext_decode($transaction["senderparams"]["ENVID"]), "ret" => "HDRS",
              "notify" => $to["params"]["NOTIFY"] ?? "", "orcpt" => xtext_decode($to["params"]["ORCPT"] ?? "")]]);
Accept();`;

/** Everything in one line: the hook, to whom, all that is there. Files and certificates have no JSON; they are read. */
const show = (hook: string) => `
  $file = File($message["file"]["modified"]);
  $shown = [...$message, "file" => $file->read(100)];
  $attempt = $arguments["attempt"] ?? [];
  echo "${hook} " . json_encode([
    "message" => $shown, "metadata" => GetMetaData(), "context" => $context ?? "nothing",
    "arguments" => $arguments
  ]);`;

const predelivery = `${show('pre')}
$context = ["from" => "predelivery"];
switch ($message["recipientaddress"]["localpart"]) {
  case "Bounced": Bounce(["reason" => "not wanted"]);
  case "Deleted": Delete(["reason" => "called back"]);
  case "Elsewhere": Try(["sender" => "other@x.test", "recipient" => "there@y.test", "jobid" => "tried"]);
  case "Waits": if ($arguments["retry"] == 0) Queue(["delay" => 0, "reason" => "not yet", "metadata" => ["k" => "w"], "jobid" => "later"]);
}
Try();`;

async function runAll(): Promise<{
  readonly mta: DaemonHere;
  readonly seen: (hook: string, to: string) => Seen[];
}> {
  const sink = await CountingSink.start({
    extensions: ['8BITMIME'],
    reply: (verb, line) => {
      if (verb === 'RCPT' && line.includes('Refused')) return '550-5.1.1 no such user\r\n550 5.1.1 here';
      if (verb === 'RCPT' && line.includes('Later')) return '451 4.7.1 greylisted';
      if (verb === 'RCPT' && line.includes('Dropped')) return 'drop';
      return undefined;
    },
  });
  onTestFinished(() => sink.stop());
  const mta = await daemonHere({
    nextHopPort: sink.port,
    retry: { count: 1, intervals: ['1h'] },
    app: { addresses: [{ id: 'here', address: '127.0.0.1' }] },
    hooks: {
      helo: 'Accept(["extensions" => [...$arguments["extensions"], "DSN"]]);',
      eod,
      predelivery,
      postdelivery: show('post'),
    },
  });
  const { client } = await mta.dial();
  await client.command('EHLO client.test');
  await client.command('MAIL FROM:<Sender@From.test> ENVID=a+2Bb');
  for (const [to, parameters] of [
    ['Taken', ''],
    ['Told', ' NOTIFY=SUCCESS ORCPT=rfc822;Old+40to.test'],
    ['Refused', ''],
    ['Later', ''],
    ['Dropped', ''],
    ['Bounced', ''],
    ['Deleted', ''],
    ['Waits', ''],
    ['Elsewhere', ''],
  ])
    expect((await client.command(`RCPT TO:<${to}@To.test>${parameters}`)).code).toBe(250);
  await client.command('DATA');
  await client.command('Subject: x\r\n\r\nx\r\n.');
  const seen = (hook: string, to: string): Seen[] =>
    mta.log.lines
      .filter(({ message }) => message.startsWith(`${hook} {`))
      .map(({ message }) => JSON.parse(message.slice(hook.length + 1)) as Seen)
      .filter(
        ({ message }) =>
          (message as { recipientaddress: { localpart: string } }).recipientaddress.localpart === to,
      );
  const all = ['Taken', 'Told', 'Refused', 'Later', 'Dropped', 'Bounced', 'Deleted', 'Waits'];
  await eventually(
    () => all.every((to) => seen('post', to).length === 1) && seen('post', 'there').length === 1,
  );
  return { mta, seen };
}

const id = { transaction: expect.stringMatching(/^[0-9a-f-]{36}$/), queue: expect.any(Number) };
const duration = expect.any(Number);

test('scripts see what the reference says they see, and nothing else', async () => {
  const { seen } = await runAll();
  const message = (recipient: string, changes: Seen = {}) => ({
    id,
    ts: expect.any(Number),
    serverid: 'in',
    sender: 'sender@from.test',
    senderaddress: { localpart: 'Sender', domain: 'From.test' },
    recipient: `${recipient.toLowerCase()}@to.test`,
    recipientaddress: { localpart: recipient, domain: 'To.test' },
    transportid: 'out',
    tenantid: 'tenant',
    jobid: 'job',
    priority: 1,
    size: expect.any(Number),
    file: expect.stringContaining('Received: '),
    dsn: { envid: 'a+b', ret: 'HDRS', notify: '', orcpt: '' },
    ...changes,
  });
  const connection = {
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    transactions: expect.any(Number),
    localip: '127.0.0.1',
    helo: 'mta.test',
    remoteip: '127.0.0.1',
    remotemx: '127.0.0.1',
    remotegreet: ['sink.test ESMTP'],
    tls: { started: false },
  };
  const result = { code: 250, enhanced: [2, 0, 0], reason: ['taken'], state: 'EOD' };
  const context = { from: 'predelivery' };
  const metadata = { k: 'v' };

  expect(seen('pre', 'Taken')).toEqual([
    { message: message('Taken'), metadata, context: 'nothing', arguments: { retry: 0 } },
  ]);
  expect(seen('post', 'Taken')).toEqual([
    {
      message: message('Taken'),
      metadata,
      context,
      arguments: {
        retry: 0,
        expired: false,
        grouping: expect.any(String),
        policy: { tags: [], policies: [] },
        attempt: { result, connection, duration },
      },
    },
  ]);

  const told = seen('post', 'Told')[0]!;
  expect(told['message']).toMatchObject({
    dsn: { envid: 'a+b', ret: 'HDRS', notify: 'SUCCESS', orcpt: 'rfc822;Old@to.test' },
  });
  expect(told['arguments']).toMatchObject({
    dsn: {
      action: 'relayed',
      id,
      status: [2, 0, 0],
      diagnostictype: 'smtp',
      diagnosticcode: '250 2.0.0 taken',
    },
  });
  expect(told['arguments']).not.toHaveProperty('action');

  expect(seen('post', 'Refused')[0]!['arguments']).toEqual({
    retry: 0,
    expired: false,
    action: 'BOUNCE',
    grouping: expect.any(String),
    policy: { tags: [], policies: [] },
    attempt: {
      result: { code: 550, enhanced: [5, 1, 1], reason: ['no such user', 'here'], state: 'RCPT' },
      connection,
      duration,
    },
    dsn: {
      action: 'failed',
      id,
      status: [5, 1, 1],
      diagnostictype: 'smtp',
      diagnosticcode: '550 5.1.1 no such user here',
    },
  });

  expect(seen('post', 'Later')[0]!['arguments']).toEqual({
    retry: 0,
    expired: false,
    action: 'QUEUE',
    grouping: expect.any(String),
    policy: { tags: [], policies: [] },
    attempt: {
      result: { code: 451, enhanced: [4, 7, 1], reason: ['greylisted'], state: 'RCPT' },
      connection,
      duration,
    },
    dsn: { id, status: [4, 7, 1], diagnostictype: 'smtp', diagnosticcode: '451 4.7.1 greylisted' },
  });

  const { attempt, dsn } = seen('post', 'Dropped')[0]!['arguments'] as { attempt: Seen; dsn: Seen };
  expect(attempt).toEqual({
    error: { temporary: true, type: 'network', message: expect.any(String), state: 'RCPT' },
    connection,
    duration,
  });
  expect(dsn).toMatchObject({ diagnostictype: 'x-error', status: [4, 4, 2] });

  for (const [to, action, reason] of [
    ['Bounced', 'BOUNCE', 'not wanted'],
    ['Deleted', 'DELETE', 'called back'],
  ] as const)
    expect(seen('post', to)).toEqual([
      {
        message: message(to),
        metadata,
        context,
        arguments: {
          retry: 0,
          expired: false,
          action,
          dsn: {
            ...(action === 'BOUNCE' && { action: 'failed' }),
            id,
            status: [5, 0, 0],
            diagnostictype: 'x-error',
            diagnosticcode: reason,
          },
        },
      },
    ]);

  expect(seen('pre', 'Waits').map(({ arguments: given }) => given)).toEqual([{ retry: 0 }, { retry: 1 }]);
  expect(seen('pre', 'Waits')[1]).toMatchObject({
    message: message('Waits', { jobid: 'later' }),
    metadata: { k: 'w' },
    context: 'nothing',
  });

  expect(seen('post', 'there')[0]!['message']).toEqual(
    message('there', {
      sender: 'other@x.test',
      senderaddress: { localpart: 'other', domain: 'x.test' },
      recipient: 'there@y.test',
      recipientaddress: { localpart: 'there', domain: 'y.test' },
      jobid: 'tried',
    }),
  );
});
