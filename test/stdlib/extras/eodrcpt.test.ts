// Scripts of the eodrcpt phase on extras://eodrcpt, in real sessions (hooks 10).

import { afterEach, describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '#lang';
import { createLocalServices, type QueueRequest } from '#stdlib';
import { hookRunner } from '../../support/compiled-hooks.js';
import type { Dialogue } from '../../support/dialogue.js';
import { SmtpFixture } from '../../support/smtp-fixture.js';
import { TestLog } from '../../support/test-log.js';

let mta: SmtpFixture;
let log: TestLog;
/** Copies that were queued as messages of their own. */
let submitted: { readonly request: QueueRequest; readonly text: string }[];

const actions = 'Deliver, Reject, Defer, Delete, Quarantine, Done';
const setters =
  'SetRecipient, SetSender, SetMailTransport, SetDelayedDeliver, SetMetaData, GetMetaData, SetSenderIP, SetSenderHELO';
const message =
  'GetMailMessage, GetHeader, GetHeaders, AddHeader, SetHeader, PrependHeader, AppendHeader, DelHeader, GetTLS, GetDSN';
const variables = [
  'senderip senderport serverip serverport serverid senderhelo tlsstarted saslauthed saslusername messageid sender',
  'senderlocalpart senderdomain senderparams recipients recipientdomains recipient recipientlocalpart recipientdomain',
  'transportid actionid',
]
  .join(' ')
  .split(' ')
  .map((name) => `$${name}`)
  .join(', ');

/** Sends a mail to the recipients through a server whose eodrcpt script is `script`. @returns the reply */
async function send(
  script: string,
  recipients: readonly string[] = ['ada@a.test', 'bob@b.test'],
  greeting = 'HELO c.test',
): Promise<string> {
  const client = await offer(script, recipients, greeting);
  return readReply(client);
}

/** The same as far as the final dot. */
async function offer(script: string, recipients: readonly string[], greeting: string): Promise<Dialogue> {
  log = new TestLog();
  submitted = [];
  const local = createLocalServices();
  const hook = `
    import { eodrcpt, ${actions}, ${setters}, ${message}, ${variables} } from "extras://eodrcpt";
    eodrcpt($arguments, $connection, $transaction, function () {
      global ${variables};
      ${script}
    });`;
  const services = {
    ...local,
    network: {
      ...local.network,
      submission: {
        submit: async (_source: unknown, request: QueueRequest) => {
          submitted.push({ request, text: await textOf(request) });
          return { transaction: 'own', queue: 1 };
        },
      },
    },
  };
  const helo = 'Accept(["extensions" => ["DSN"]]);';
  mta = await new SmtpFixture({
    parts: {
      hooks: await hookRunner({ 'eod/a': hook, 'helo/a': helo }, log, DEFAULT_LIMITS, services as never),
    },
    hookIds: { eod: 'a', helo: 'a' },
    protocol: greeting.startsWith('LHLO') ? 'lmtp' : 'smtp',
  }).start();
  const client = await mta.dial();
  await client.play(`S: 220 *\nC: ${greeting}\nS: 250*`);
  const hasDsn = !greeting.startsWith('HELO');
  if (hasDsn) await client.play('S: 250 DSN\nC: MAIL FROM:<Sue@S.test> RET=hdrs ENVID=a+2Bb');
  else await client.play('C: MAIL FROM:<Sue@S.test>');
  await client.play('S: 250 *');
  for (const recipient of recipients) {
    const dsn = hasDsn ? ' NOTIFY=never ORCPT=rfc822;x+2By@a.test' : '';
    await client.play(`C: RCPT TO:<${recipient}>${dsn}\nS: 250 *`);
  }
  await client.play('C: DATA\nS: 354 *\nC: Subject: s\nC: \nC: body\nC: .');
  return client;
}

async function readReply(client: Dialogue): Promise<string> {
  const lines: string[] = [];
  for (;;) {
    const line = (await client.line())!;
    lines.push(line);
    if (line[3] === ' ') return lines.join('\n');
  }
}

async function textOf(request: QueueRequest): Promise<string> {
  const chunks: Buffer[] = [];
  for (const piece of request.pieces) if (Buffer.isBuffer(piece)) chunks.push(piece);
  return Buffer.concat(chunks).toString('latin1');
}

/** Who got what. */
const queued = () =>
  mta.spool.committed.flatMap(({ transaction }) =>
    transaction.requests.map(({ sender, recipient, transportId, hold, delaySeconds, metadata }) => ({
      from: `${sender.localPart}@${sender.domain}`,
      to: `${recipient.localPart}@${recipient.domain}`,
      transportId,
      hold,
      delaySeconds,
      metadata,
    })),
  );
const recipientsOf = () => queued().map(({ to }) => to);
const echoes = () => log.lines.filter(({ level }) => level === 'debug').map(({ message: text }) => text);

afterEach(() => mta.stop());

describe('one decision for all recipients', () => {
  test.each<[string, string, readonly string[]]>([
    ['', '250 2.0.0 Ok: queued as *', ['ada@a.test', 'bob@b.test']], // the end delivers
    ['Deliver(); echo "never";', '250 2.0.0 Ok: queued as *', ['ada@a.test', 'bob@b.test']],
    ['Deliver(["reason" => "thanks"]);', '250 2.0.0 thanks', ['ada@a.test', 'bob@b.test']],
    [
      'Deliver(["reply_codes" => ["code" => 251, "enhanced" => [2, 1, 9]]]);',
      '251 2.1.9 *',
      ['ada@a.test', 'bob@b.test'],
    ],
    ['Delete();', '250 2.0.0 Ok: queued as *', []],
    ['if ($actionid == 1) Delete(); Deliver();', '250 2.0.0 Ok: queued as *', ['bob@b.test']],
    ['Reject();', '550 5.7.1 Message refused', []],
    ['if ($actionid == 2) Reject("no"); Deliver();', '550 5.7.1 no', []],
    ['if ($actionid == 2) Reject("two"); Defer("one");', '550 5.7.1 two', []],
    ['Reject("no", ["reply_codes" => ["code" => 554]]);', '554 5.7.1 no', []],
    ['if ($actionid == 1) Defer("later"); Deliver();', '421 4.3.0 later', []],
    ['if ($actionid == 1) Defer("later"); Quarantine("q");', '421 4.3.0 later', []],
    ['Done();', '421 4.3.0 Try again later', []],
    ['throw "mistake";', '421 4.3.0 Try again later', []],
    ['Deliver(["queue" => false]);', '421 4.3.0 Try again later', []],
  ])('%s', async (script, reply, recipients) => {
    const said = await send(script);
    expect(said).toMatch(new RegExp(`^${reply.replaceAll('.', '\\.').replace('*', '.*')}$`));
    expect(recipientsOf()).toEqual(recipients);
    expect(submitted).toEqual([]);
    expect(echoes()).toEqual([]);
  });
});

describe('Deliver', () => {
  test('has options, which win over what was set', async () => {
    await send(`
      SetMetaData(["a" => "1", "b" => "2"]);
      SetDelayedDeliver(60);
      SetMailTransport("other");
      if ($actionid == 1) Deliver();
      Deliver(["recipient" => ["localpart" => "New", "domain" => "n.test"], "transportid" => "default", "delay" => 5, "metadata" => ["b" => "3"]]);`);
    expect(queued()).toEqual([
      {
        from: 'Sue@S.test',
        to: 'ada@a.test',
        transportId: 'other',
        hold: false,
        delaySeconds: 60,
        metadata: { a: '1', b: '2' },
      },
      {
        from: 'Sue@S.test',
        to: 'New@n.test',
        transportId: 'default',
        hold: false,
        delaySeconds: 5,
        metadata: { a: '1', b: '3' },
      },
    ]);
  });

  test('goes on with done => false, so that copies can be made; Done ends', async () => {
    await send(`
      Deliver(["recipient" => "copy@c.test", "done" => false]);
      if ($actionid == 1) Done();
      Deliver();`);
    expect(recipientsOf()).toEqual(['copy@c.test', 'copy@c.test', 'bob@b.test']);
  });

  test('can change sender and recipient, for this recipient only', async () => {
    await send(`
      if ($actionid == 1) {
        SetSender("Srs@f.test");
        SetRecipient("X@y.test");
        echo [$sender, $senderlocalpart, $senderdomain, $recipient, $recipientlocalpart, $recipientdomain];
      }
      else echo [$sender, $recipient];`);
    expect(queued().map(({ from, to }) => `${from}>${to}`)).toEqual([
      'Srs@f.test>X@y.test',
      'Sue@S.test>bob@b.test',
    ]);
    expect(echoes()).toEqual([
      '[0=>"srs@f.test",1=>"Srs",2=>"f.test",3=>"x@y.test",4=>"X",5=>"y.test"]',
      '[0=>"sue@s.test",1=>"bob@b.test"]',
    ]);
  });

  test('hands on what the client asked of notifications (RFC 3461)', async () => {
    await send('echo GetDSN();', ['ada@a.test'], 'EHLO c.test');
    expect(echoes()).toEqual([
      '["envid"=>"a+b","ret"=>"HDRS","notify"=>"NEVER","orcpt"=>"rfc822;x+y@a.test"]',
    ]);
    expect(mta.spool.committed[0]!.transaction.requests[0]!.dsn).toEqual({
      envid: 'a+b',
      ret: 'HDRS',
      notify: 'NEVER',
      orcpt: 'rfc822;x+y@a.test',
    });
  });
});

describe('Quarantine', () => {
  test('for all recipients refuses the message and keeps the copies', async () => {
    expect(await send('AddHeader("X-Why", $recipient); Quarantine("spam", ["reason" => "spam"]);')).toBe(
      '550 5.7.1 spam',
    );
    expect(mta.spool.committed).toEqual([]);
    expect(
      submitted.map(({ request }) => [request.recipient.localPart, request.hold, request.metadata]),
    ).toEqual([
      ['ada', true, { quarantine: 'spam' }],
      ['bob', true, { quarantine: 'spam' }],
    ]);
  });

  test('with reject => false takes it', async () => {
    expect(await send('Quarantine("spam", ["reject" => false, "reason" => "hm"]);')).toBe('250 2.0.0 hm');
    expect(queued().map(({ hold }) => hold)).toEqual([true, true]);
    expect(submitted).toEqual([]);
  });

  test('beside a Deliver takes it for both', async () => {
    expect(await send('if ($actionid == 1) Quarantine("spam", ["reason" => "spam"]); Deliver();')).toMatch(
      /^250 2\.0\.0 Ok: queued as /,
    );
    expect(queued().map(({ to, hold }) => [to, hold])).toEqual([
      ['ada@a.test', true],
      ['bob@b.test', false],
    ]);
    expect(submitted).toEqual([]);
  });

  test('beside a Reject keeps its copy', async () => {
    expect(await send('if ($actionid == 1) Quarantine("spam"); Reject("no");')).toBe('550 5.7.1 no');
    expect(submitted.map(({ request }) => request.recipient.localPart)).toEqual(['ada']);
  });
});

describe('the message', () => {
  test('is changed for one recipient at a time', async () => {
    await send(`
      PrependHeader("Subject", "[$actionid] ");
      AppendHeader("Subject", "!");
      PrependHeader("X-New", "new");
      if ($actionid == 1) { AddHeader("X-One", "1"); DelHeader("Received"); }
      SetHeader("X-For", $recipient);
      echo GetHeader("Subject") . " " . length(GetHeaders("X-One")) . " " . GetMailMessage()->getSize();`);
    expect(mta.messages.map((text) => text.split('\r\n\r\n')[0]!.split('\r\n').sort())).toEqual([
      ['Subject: [1] s!', 'X-For: ada@a.test', 'X-New: new', 'X-One: 1'],
      ['Subject: [2] s!', 'X-For: bob@b.test', 'X-New: new'],
    ]);
    // Getters show the message as it was received (stdlib, MIMEPart).
    expect(echoes().map((text) => text.slice(0, 4))).toEqual(['s 0 ', 's 0 ']);
  });
});

describe('over LMTP each recipient has its own decision (RFC 2033 §4.2)', () => {
  const three = ['ada@a.test', 'bob@b.test', 'cyd@c.test'];

  async function deliver(script: string): Promise<string[]> {
    const client = await offer(script, three, 'LHLO c.test');
    const replies: string[] = [];
    for (const _recipient of three) replies.push((await readReply(client)).replace(/(queued as) .*/, '$1 *'));
    await client.play('C: NOOP\nS: 250 *');
    return replies;
  }

  test('what one refuses the others get', async () => {
    const replies = await deliver(`
      AddHeader("X-For", $recipient);
      if ($actionid == 1) Reject("no", ["reply_codes" => ["enhanced" => [5, 1, 1]]]);
      if ($actionid == 2) Defer("later");`);
    expect(replies).toEqual(['550 5.1.1 no', '451 4.3.0 later', '250 2.0.0 Ok: queued as *']);
    expect(recipientsOf()).toEqual(['cyd@c.test']);
    expect(mta.messages[0]).toContain('X-For: cyd@c.test');
    expect(mta.messages[0]).not.toContain('X-For: ada@a.test');
  });

  test('texts and codes are those of each', async () => {
    const replies = await deliver(`
      if ($actionid == 1) Deliver(["reason" => "one"]);
      if ($actionid == 2) Delete();
      Defer(["three", "lines"], ["reply_codes" => ["code" => 452]]);`);
    expect(replies).toEqual([
      '250 2.0.0 one',
      '250 2.0.0 Ok: queued as *',
      '452-4.3.0 three\n452 4.3.0 lines',
    ]);
    expect(recipientsOf()).toEqual(['ada@a.test']);
  });

  test('calls of a recipient that is refused after all are dropped; each copy is as it was when it was made', async () => {
    const replies = await deliver(`
      AddHeader("X-Copy", "$actionid a");
      Deliver(["recipient" => "copy$actionid@x.test", "done" => false]);
      AddHeader("X-More", "b");
      if ($actionid == 2) Reject();
      Deliver();`);
    expect(replies).toEqual([
      '250 2.0.0 Ok: queued as *',
      '550 5.7.1 Message refused',
      '250 2.0.0 Ok: queued as *',
    ]);
    expect(recipientsOf()).toEqual(['copy1@x.test', 'ada@a.test', 'copy3@x.test', 'cyd@c.test']);
    expect(mta.messages.map((text) => [text.includes('X-Copy: '), text.includes('X-More: b')])).toEqual([
      [true, false],
      [true, true],
      [true, false],
      [true, true],
    ]);
  });

  test('a Quarantine that rejects keeps its copy, and only its recipient is refused', async () => {
    const replies = await deliver(`
      if ($actionid == 1) Quarantine("spam", ["reason" => "spam"]);
      if ($actionid == 2) Quarantine("spam", ["reject" => false]);
      Deliver();`);
    expect(replies).toEqual(['550 5.7.1 spam', '250 2.0.0 Ok: queued as *', '250 2.0.0 Ok: queued as *']);
    expect(queued().map(({ to, hold }) => [to, hold])).toEqual([
      ['ada@a.test', true],
      ['bob@b.test', true],
      ['cyd@c.test', false],
    ]);
    expect(submitted).toEqual([]);
  });

  test('a mistake defers the message for all of them', async () => {
    expect(await deliver('if ($actionid == 2) throw "mistake";')).toEqual([
      '421 4.3.0 Try again later',
      '421 4.3.0 Try again later',
      '421 4.3.0 Try again later',
    ]);
    expect(recipientsOf()).toEqual([]);
  });
});

test('the variables are those of the session, the transaction and the recipient', async () => {
  await send(
    `
    echo [$senderip, $serverip, $serverid, $senderhelo, $tlsstarted, $saslauthed, $saslusername, $messageid];
    echo [$senderport > 0, $serverport > 0, $sender, $senderlocalpart, $senderdomain, $senderparams];
    echo [$recipients, $recipientdomains, $recipient, $recipientlocalpart, $recipientdomain, $transportid, $actionid];
    SetSenderIP("192.0.2.1"); SetSenderHELO("other.test");
    echo [$senderip, $senderhelo, GetTLS(), GetMetaData()];`,
    ['Ada@A.test'],
  );
  expect(echoes()).toEqual([
    '[0=>"127.0.0.1",1=>"127.0.0.1",2=>"test",3=>"c.test",4=>false,5=>false,6=>"",7=>"id-3"]',
    '[0=>true,1=>true,2=>"sue@s.test",3=>"Sue",4=>"S.test",5=>[]]',
    '[0=>[0=>"ada@a.test"],1=>[0=>"a.test"],2=>"ada@a.test",3=>"Ada",4=>"A.test",5=>"default",6=>1]',
    '[0=>"192.0.2.1",1=>"other.test",2=>["started"=>false],3=>[]]',
  ]);
});

test('a catch of the script sees its own exceptions, and has to throw an action on', async () => {
  expect(await send('try { Reject("no"); } catch ($e) { echo "caught"; throw $e; }', ['ada@a.test'])).toBe(
    '550 5.7.1 no',
  );
  expect(echoes()).toEqual(['caught']);
});
