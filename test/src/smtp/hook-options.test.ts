// Every option of every action of a session's phases, in scripts as people write them, and what is then on the wire. The
// numbers are the sections of hooks.

import { afterEach, describe, expect, test } from 'vitest';
import { hookRunner } from '../../support/compiled-hooks.js';
import { type FixtureOptions, SmtpFixture, until } from '../../support/smtp-fixture.js';
import { TestLog } from '../../support/test-log.js';

type Scripts = Readonly<Record<string, string>>;

let mta: SmtpFixture | undefined;
let log: TestLog;

/** A server with one script in each of the phases given. */
async function start(scripts: Scripts, options: FixtureOptions = {}): Promise<SmtpFixture> {
  log = new TestLog();
  const named = Object.fromEntries(Object.entries(scripts).map(([phase, text]) => [`${phase}/a`, text]));
  mta = await new SmtpFixture({
    auth: { enabled: true, requireTls: false, maxFailures: 5 },
    ...options,
    parts: { hooks: await hookRunner(named, log) },
    hookIds: Object.fromEntries(Object.keys(scripts).map((phase) => [phase, 'a'])),
  }).start();
  return mta;
}

async function play(scripts: Scripts, transcript: string, options?: FixtureOptions): Promise<SmtpFixture> {
  const server = await start(scripts, options);
  await server.play(transcript);
  return server;
}

const scriptErrors = () => log.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
const echoes = () => log.lines.filter(({ level }) => level === 'debug').map(({ message }) => message);

afterEach(async () => {
  await mta?.stop();
  mta = undefined;
});

const mail = `
  C: MAIL FROM:<Ada@B.test>
  S: 250 *
  C: RCPT TO:<Bob@D.test>
  S: 250 *`;
const data = '\nC: DATA\nS: 354 *\nC: Subject: s\nC: \nC: body\nC: .';
const banner = '\nS: 220 mx.argonite.test ESMTP';
const both = '["reply_codes" => ["code" => CODE, "enhanced" => [CLASS, 3, 9]]]';
const codes = (code: number) =>
  both.replace('CODE', String(code)).replace('CLASS', String(Math.trunc(code / 100)));

describe('3: connect', () => {
  test.each([
    ['Accept();', 'S: 220 mx.argonite.test ESMTP'],
    ['', 'S: 220 mx.argonite.test ESMTP'],
    ['Accept(["reason" => "hello"]);', 'S: 220 hello'],
    ['Accept(["reason" => "a\\nb\\n"]);', 'S: 220-a\nS: 220 b'],
    ['Accept(["reason" => ["a", "b\\r\\nc"]]);', 'S: 220-a\nS: 220-b\nS: 220 c'],
    ['Accept(["reply_codes" => ["code" => 221]]);', 'S: 221 mx.argonite.test ESMTP'],
    ['Accept(["reply_codes" => ["enhanced" => [2, 0, 0]]]);', 'S: 220 2.0.0 mx.argonite.test ESMTP'],
    ['Reject();', 'S: 521 5.7.1 This host does not accept mail from you\nS: <close>'],
    ['Reject("no");', 'S: 521 5.7.1 no\nS: <close>'],
    ['Reject(["no", "never"]);', 'S: 521-5.7.1 no\nS: 521 5.7.1 never\nS: <close>'],
    [`Reject("no", ${codes(554)});`, 'S: 554 5.3.9 no\nS: <close>'],
    ['Defer();', 'S: 421 4.7.1 Try again later\nS: <close>'],
    [`Defer("later", ${codes(450)});`, 'S: 450 4.3.9 later\nS: <close>'],
    ['throw "x";', 'S: 421 4.7.1 Try again later\nS: <close>'],
    ['Accept(["reply_codes" => ["code" => 550]]);', 'S: 421 4.7.1 *\nS: <close>'],
    ['Reject("", ["reply_codes" => ["code" => 250]]);', 'S: 421 4.7.1 *\nS: <close>'],
    ['Reject("", ["reply_codes" => ["enhanced" => [5, 7]]]);', 'S: 421 4.7.1 *\nS: <close>'],
    ['Accept(["remoteip" => "here"]);', 'S: 421 4.7.1 *\nS: <close>'],
  ])('%s', async (script, transcript) => {
    await play({ connect: script }, transcript);
    const isWrong = /throw|550|250\]|7\]|here/.test(script);
    expect(scriptErrors()).toHaveLength(isWrong ? 1 : 0);
  });

  test('sees the arguments, and of $connection and $transaction the ids', async () => {
    await play(
      {
        connect: `
          $a = $arguments;
          echo [$a["remoteip"], $a["localip"], $a["serverid"], $a["remoteport"] > 0, $a["localport"] > 0];
          echo [...$connection, ...$transaction];`,
      },
      banner,
    );
    expect(echoes()).toEqual([
      '[0=>"127.0.0.1",1=>"127.0.0.1",2=>"test",3=>true,4=>true]',
      '["id"=>"id-2","priority"=>0]',
    ]);
  });

  test('Accept changes the address, the name and the priority that later hooks see', async () => {
    await play(
      {
        connect: 'Accept(["remoteip" => "192.0.2.7", "remoteptr" => "ptr.test", "priority" => 1]);',
        helo: 'echo [$connection["remoteip"], $connection["remoteptr"], $connection["priority"]];',
      },
      `${banner}\nC: HELO c\nS: 250 *`,
    );
    expect(echoes()).toEqual(['[0=>"192.0.2.7",1=>"ptr.test",2=>1]']);
  });
});

describe('4: proxy', () => {
  test.each([
    ['', 'XYZZY', '500 5.5.1 *'],
    ['Pass();', 'NOOP', '250 2.0.0 *'],
    ['Pass(["command" => none]);', 'NOOP', '250 2.0.0 *'],
    ['Pass(["command" => "HELP"]);', 'NOOP', '214-*\nS: 214 *'],
    ['Reply();', 'XYZZY', '250 2.0.0 Ok'],
    ['Reply("a\\nb");', 'XYZZY', '250-2.0.0 a\nS: 250 2.0.0 b'],
    [`Reply(["a", "b"], ${codes(550)});`, 'XYZZY', '550-5.3.9 a\nS: 550 5.3.9 b'],
    ['Reply("a", ["reply_codes" => ["code" => 354]]);', 'XYZZY', '354 a'],
    ['Reply("a", ["disconnect" => true]);', 'XYZZY', '250 2.0.0 a\nS: <close>'],
    ['throw 1;', 'NOOP', '421 4.3.0 Try again later\nS: <close>'],
    ['Pass(["command" => "NOOP\\r\\nQUIT"]);', 'NOOP', '421 4.3.0 *\nS: <close>'],
    ['Pass(["command" => "NOOP\\n"]);', 'NOOP', '421 4.3.0 *\nS: <close>'],
    ['Pass(["command" => 5]);', 'NOOP', '421 4.3.0 *\nS: <close>'],
    ['Reply("a", ["reply_codes" => ["code" => 99]]);', 'NOOP', '421 4.3.0 *\nS: <close>'],
  ])('%s of %s', async (script, command, reply) => {
    await play({ proxy: script }, `${banner}\nC: ${command}\nS: ${reply}`);
    expect(scriptErrors()).toHaveLength(reply.startsWith('421') ? 1 : 0);
  });

  test('sees bytes: Å is two of them, and what is no UTF-8 stays what it is', async () => {
    await play(
      { proxy: 'echo length($arguments["command"]) . " " . $arguments["command"][5:7]; Pass();' },
      `${banner}\nC: HEJDÅ\nS: 500 *\nC~ 41 42 43 44 20 e5 ff 0d 0a\nS: 500 *`,
    );
    expect(log.lines.map(({ message }) => message.split(' ')[0])).toEqual(['6', '7']);
  });

  test('next keeps an exchange of several lines in $context', async () => {
    await play(
      {
        proxy: `
          if ($arguments["command"] == "XNOTE" or is_array($context)) {
            if ($arguments["command"] == ".") { $note = array_join($context, "|"); $context = none; Reply($note); }
            $context[] = $arguments["command"];
            Reply("go on", ["reply_codes" => ["code" => 354], "next" => true]);
          }`,
      },
      `${banner}\nC: XNOTE\nS: 354 go on\nC: QUIT\nS: 354 go on\nC: .\nS: 250 2.0.0 XNOTE|QUIT\nC: QUIT\nS: 221 *`,
    );
  });

  test('sees the session and the transaction as far as they are', async () => {
    await play(
      {
        proxy:
          'echo [$connection["helo"]["host"], $transaction["sender"], length($transaction["recipients"] ?? [])];',
      },
      `${banner}\nC: HELO c.test\nS: 250 *${mail}\nC: RSET\nS: 250 *\nC: NOOP\nS: 250 *`,
    );
    expect(echoes()).toEqual([
      '[0=>none,1=>none,2=>0]',
      '[0=>"c.test",1=>none,2=>0]',
      '[0=>"c.test",1=>"ada@b.test",2=>0]',
      '[0=>"c.test",1=>"ada@b.test",2=>1]',
      '[0=>"c.test",1=>none,2=>0]',
    ]);
  });
});

describe('5: helo', () => {
  test.each([
    ['Accept();', '250 mx.argonite.test'],
    ['', '250 mx.argonite.test'],
    ['Accept(["reason" => "hi"]);', '250 hi'],
    ['Accept(["reason" => ["hi", "there"]]);', '250-hi\nS: 250 there'],
    ['Accept(["reply_codes" => ["code" => 251]]);', '251 mx.argonite.test'],
    ['Accept(["extensions" => [...$arguments["extensions"], "LANG SE"]]);', '250 mx.argonite.test'],
    ['Reject();', '554 5.7.1 Greeting refused'],
    ['Reject("no", ["disconnect" => true]);', '554 5.7.1 no\nS: <close>'],
    ['Defer();', '450 4.7.1 Try again later'],
    [`Defer(["a", "b"], ${codes(421)});`, '421-4.3.9 a\nS: 421 4.3.9 b'],
    ['throw 1;', '450 4.7.1 Try again later'],
  ])('%s of HELO', async (script, reply) => {
    await play({ helo: script }, `${banner}\nC: HELO c.test\nS: ${reply}`);
    expect(scriptErrors()).toHaveLength(script.startsWith('throw') ? 1 : 0);
  });

  test.each([
    ['Accept(["extensions" => []]);', '250 mx.argonite.test'],
    [
      'Accept(["reason" => ["hi", "there"], "extensions" => ["A", "B x=1 y"]]);',
      '250-hi\nS: 250-there\nS: 250-A\nS: 250 B x=1 y',
    ],
    ['Accept(["extensions" => none]);', '250-mx.argonite.test\nS: 250-PIPELINING'],
    ['Accept(["extensions" => ["LANG\\r\\nSE"]]);', '450 4.7.1 *'],
    ['Accept(["extensions" => [5]]);', '450 4.7.1 *'],
  ])('%s of EHLO', async (script, reply) => {
    await play({ helo: script }, `${banner}\nC: EHLO c.test\nS: ${reply}`);
    expect(scriptErrors()).toHaveLength(reply.startsWith('450') ? 1 : 0);
  });

  test('sees verb, host and, at EHLO only, the extensions', async () => {
    await play(
      { helo: 'echo [$arguments["verb"], $arguments["host"], isset($arguments["extensions"])];' },
      `${banner}\nC: HELO one.test\nS: 250 *\nC: EHLO [127.0.0.1]\nS: 250-*`,
    );
    expect(echoes()).toEqual(['[0=>"HELO",1=>"one.test",2=>false]', '[0=>"EHLO",1=>"[127.0.0.1]",2=>true]']);
  });

  test.each(['host', 'helohost'])('Accept with %s renames the client', async (option) => {
    await play(
      { helo: `Accept(["${option}" => "new.test"]);`, mailfrom: 'echo $connection["helo"];' },
      `${banner}\nC: HELO c.test\nS: 250 *\nC: MAIL FROM:<>\nS: 250 *`,
    );
    expect(echoes()).toEqual(['["verb"=>"HELO","host"=>"new.test"]']);
  });
});

describe('6: auth', () => {
  const hello = `${banner}\nC: EHLO c.test\n${'S: 250-*\n'.repeat(7)}S: 250 *`;
  const plain = Buffer.from('\0ada\0lace').toString('base64');

  test.each([
    ['Accept();', '235 2.7.0 Authentication succeeded'],
    ['Accept(["reason" => ["a", "b"]]);', '235-2.7.0 a\nS: 235 2.7.0 b'],
    ['Accept(["reply_codes" => ["enhanced" => [2, 7, 9]]]);', '235 2.7.9 Authentication succeeded'],
    ['Reject();', '535 5.7.8 Authentication failed'],
    ['Reject("no", ["disconnect" => true]);', '535 5.7.8 no\nS: <close>'],
    [`Reject("no", ${codes(534)});`, '534 5.3.9 no'],
    ['Defer();', '454 4.7.0 Temporary authentication failure'],
    [`Defer("later", ${codes(432)});`, '432 4.3.9 later'],
    ['', '535 5.7.8 Authentication failed'], // falling off the end rejects
    ['throw 1;', '454 4.7.0 Temporary authentication failure'],
    ['Reply("x");', '454 4.7.0 *'], // the exchange of PLAIN is over
  ])('%s of PLAIN', async (script, reply) => {
    await play({ auth: script }, `${hello}\nC: AUTH PLAIN ${plain}\nS: ${reply}`);
  });

  test.each([
    ['Reply();', '334 '],
    ['Reply("hello");', '334 aGVsbG8='],
    ['Reply("hello", ["reply_codes" => ["code" => 335, "enhanced" => [2, 0, 0]]]);', '335 aGVsbG8='],
    ['Reply("hello", ["disconnect" => true]);', '334 aGVsbG8=\nS: <close>'],
    ['Reply("hello", ["reply_codes" => ["code" => 250]]);', '454 4.7.0 *'],
    ['Reply("x" * 9300);', '454 4.7.0 *'], // longer than a line of an exchange
    ['Accept();', '235 2.7.0 *'],
  ])('%s of a mechanism of its own', async (script, reply) => {
    await play(
      { helo: 'Accept(["extensions" => ["AUTH X"]]);', auth: script },
      `${banner}\nC: EHLO c.test\nS: 250-*\nS: 250 AUTH X\nC: AUTH X\nS: ${reply}`,
    );
  });

  test('sees what the mechanism has, and later hooks who it was', async () => {
    await play(
      {
        helo: 'Accept(["extensions" => ["AUTH PLAIN X"]]);',
        auth: `
          echo $arguments;
          if ($arguments["mechanism"] == "PLAIN") Reject();
          if ($arguments["state"] < 2) Reply("more");
          Accept(["username" => "eve"]);`,
        mailfrom: 'echo $connection["auth"];',
      },
      `${banner}
      C: EHLO c.test
      S: 250-*
      S: 250 *
      C: AUTH PLAIN ${plain}
      S: 535 *
      C: AUTH X
      S: 334 bW9yZQ==
      C: YQ==
      S: 334 bW9yZQ==
      C: 
      S: 235 *
      C: MAIL FROM:<>
      S: 250 *`,
    );
    expect(echoes()).toEqual([
      '["mechanism"=>"PLAIN","username"=>"ada","password"=>"lace"]',
      '["mechanism"=>"X","state"=>0,"response"=>none]',
      '["mechanism"=>"X","state"=>1,"response"=>"a"]',
      '["mechanism"=>"X","state"=>2,"response"=>""]',
      '["mechanism"=>"X","username"=>"eve"]',
    ]);
  });

  test('ends an exchange that the script never decides', async () => {
    const client = await (
      await start({ helo: 'Accept(["extensions" => ["AUTH X"]]);', auth: 'Reply("");' })
    ).dial();
    await client.play(`${banner}\nC: EHLO c\nS: 250-*\nS: 250 *\nC: AUTH X`);
    for (let step = 0; step < 100; step++) await client.play('S: 334 \nC: ');
    await client.play('S: 454 4.7.0 *\nC: NOOP\nS: 250 *');
    expect(mta!.log.lines).toContainEqual(expect.objectContaining({ level: 'error' }));
  });
});

describe.each([
  ['7: mailfrom', 'mailfrom', 'MAIL FROM:<a@b.test>', 'Sender refused', 'Sender ok', '2.1.0', ''],
  [
    '8: rcptto',
    'rcptto',
    'RCPT TO:<c@d.test>',
    'Recipient refused',
    'Recipient ok',
    '2.1.5',
    '\nC: MAIL FROM:<>\nS: 250 *',
  ],
])('%s', (_section, phase, command, refused, ok, status, before) => {
  test.each([
    ['', `250 ${status} ${ok}`],
    ['Accept();', `250 ${status} ${ok}`],
    ['Accept(["reason" => "fine"]);', `250 ${status} fine`],
    [`Accept(${codes(251)});`, `251 2.3.9 ${ok}`],
    ['Reject();', `554 5.7.1 ${refused}`],
    ['Reject("a\\nb");', '554-5.7.1 a\nS: 554 5.7.1 b'],
    ['Reject("a", ["disconnect" => true]);', '554 5.7.1 a\nS: <close>'],
    [`Reject("a", ${codes(550)});`, '550 5.3.9 a'],
    ['Reject("a", ["reply_codes" => ["code" => 452]]);', '452 4.7.1 a'],
    ['Defer();', '450 4.7.1 Try again later'],
    ['Defer(["a"], ["disconnect" => true]);', '450 4.7.1 a\nS: <close>'],
    ['Defer(none, ["reply_codes" => ["enhanced" => [4, 4, 4]]]);', '450 4.4.4 Try again later'],
    ['throw 1;', '450 4.7.1 Try again later'],
    ['Reject(5);', '450 4.7.1 Try again later'],
    ['Reject([5]);', '450 4.7.1 Try again later'],
  ])('%s', async (script, reply) => {
    await play({ [phase]: script }, `${banner}${before}\nC: ${command}\nS: ${reply}`);
  });
});

describe('7 and 8: the envelope', () => {
  test('mailfrom and rcptto see it in lower case and as sent, with parameters in upper case', async () => {
    await play(
      {
        mailfrom: 'echo [$arguments["sender"], $arguments["address"], $arguments["params"]];',
        rcptto:
          'echo [$arguments["recipient"], $arguments["address"], $arguments["params"], $arguments["transportid"]];',
      },
      `${banner}\nC: MAIL FROM:<Ada@B.Test> size=5\nS: 250 *\nC: RCPT TO:<Bob@D.Test>\nS: 250 *`,
    );
    expect(echoes()).toEqual([
      '[0=>"ada@b.test",1=>["localpart"=>"Ada","domain"=>"B.Test"],2=>["SIZE"=>"5"]]',
      '[0=>"bob@d.test",1=>["localpart"=>"Bob","domain"=>"D.Test"],2=>[],3=>"default"]',
    ]);
  });

  test.each([
    ['"x@y.test"', '"x@y.test"'],
    ['["localpart" => "X", "domain" => "y.test"]', '"x@y.test"'],
    ['""', '""'],
    ['none', '"ada@b.test"'],
  ])('mailfrom Accept with sender %s changes $transaction', async (sender, seen) => {
    await play(
      { mailfrom: `Accept(["sender" => ${sender}]);`, rcptto: 'echo [$transaction["sender"]];' },
      `${banner}${mail}`,
    );
    expect(echoes()).toEqual([`[0=>${seen}]`]);
  });

  test('mailfrom Accept with a sender that is none is a script error', async () => {
    await play(
      { mailfrom: 'Accept(["sender" => "not an address"]);' },
      `${banner}\nC: MAIL FROM:<>\nS: 450 4.7.1 *`,
    );
    expect(scriptErrors()).toHaveLength(1);
  });

  test('rcptto Accept with recipient and transportid changes what is appended', async () => {
    await play(
      {
        rcptto: 'Accept(["recipient" => "New@E.test", "transportid" => "other"]);',
        eod: 'echo $transaction["recipients"]; Accept();',
      },
      `${banner}${mail}${data}\nS: 250 *`,
    );
    expect(echoes()).toEqual([
      '[0=>["recipient"=>"new@e.test","address"=>["localpart"=>"New","domain"=>"E.test"],"params"=>[],"transportid"=>"other"]]',
    ]);
  });

  test('rcptto Accept without any transport is refused 554', async () => {
    const server = await start({ rcptto: 'Accept();' }, { transportId: undefined as never });
    await server.play(`${banner}\nC: MAIL FROM:<>\nS: 250 *\nC: RCPT TO:<c@d.test>\nS: 554 5.3.5 *`);
  });
});

describe('9: eod', () => {
  test.each([
    ['Accept();', '250 2.0.0 Ok: queued as *'],
    ['Accept(["reason" => ["a", "b"]]);', '250-2.0.0 a\nS: 250 2.0.0 b'],
    [`Accept(${codes(252)});`, '252 2.3.9 Ok: queued as *'],
    ['Reject();', '550 5.7.1 Message refused\nC: NOOP\nS: 250 *'],
    ['Reject("a", ["disconnect" => true]);', '550 5.7.1 a\nS: <close>'],
    [`Reject("a", ${codes(554)});`, '554 5.3.9 a'],
    ['Defer();', '421 4.3.0 Try again later\nC: NOOP\nS: 250 *'],
    ['Defer("a", ["disconnect" => true]);', '421 4.3.0 a\nS: <close>'],
    ['', '421 4.3.0 Try again later\nC: NOOP\nS: 250 *'],
    ['throw 1;', '421 4.3.0 Try again later\nC: NOOP\nS: 250 *'],
  ])('%s, and nothing is queued that was not queued', async (script, reply) => {
    const server = await play({ eod: script }, `${banner}${mail}${data}\nS: ${reply}`);
    expect(server.spool.committed).toEqual([]);
  });

  test.each(['Reject();', 'Defer();', 'throw 1;', ''])('%s drops what was queued before', async (script) => {
    const server = await play(
      { eod: `$arguments["mail"]->queue("", "x@y.test", "default"); ${script}` },
      `${banner}${mail}${data}\nS: * *`,
    );
    expect(server.spool.committed).toEqual([]);
  });

  test('has the whole of $transaction', async () => {
    await play(
      {
        eod: `
          echo array_join(array_keys($transaction), " ");
          echo [$transaction["id"], $transaction["sender"], $transaction["senderaddress"], $transaction["senderparams"]];
          Accept();`,
      },
      `${banner}${mail}${data}\nS: 250 *`,
    );
    expect(echoes()).toEqual([
      'id ts sender senderaddress senderparams recipients',
      '[0=>"id-2",1=>"ada@b.test",2=>["localpart"=>"Ada","domain"=>"B.test"],3=>[]]',
    ]);
  });
});

describe('11: disconnect', () => {
  test('has an empty $transaction, the last $context and the last reply; a connect refusal runs it too', async () => {
    const server = await start({
      connect: '$context = "kept"; Reject("no");',
      disconnect:
        'echo [$transaction, $context, $arguments["close"], $arguments["reply"]]; Pass(); echo "never";',
    });
    const client = await server.play('S: 521 5.7.1 no\nS: <close>');
    client.close();
    await until(() => echoes().length > 0);
    expect(echoes()).toEqual([
      '[0=>[],1=>"kept",2=>"local",3=>["code"=>521,"enhanced"=>[0=>5,1=>7,2=>1],"reason"=>[0=>"no"],"state"=>"BANNER"]]',
    ]);
  });

  test('of a mistake of its own changes nothing', async () => {
    const server = await start({ disconnect: 'throw 1;' });
    const client = await server.play(`${banner}\nC: QUIT\nS: 221 *\nS: <close>`);
    client.close();
    await until(() => scriptErrors().length > 0);
  });

  test('knows AUTH and proxied words as the state of the last reply', async () => {
    const server = await start({
      proxy: 'if ($arguments["command"] == "HEJ") Reply("hej", ["disconnect" => true]);',
      disconnect: 'echo $arguments["reply"]["state"];',
    });
    const client = await server.play(`${banner}\nC: HEJ\nS: 250 *\nS: <close>`);
    client.close();
    await until(() => echoes().length > 0);
    expect(echoes()).toEqual(['HEJ']);
  });
});

describe('2: what flows between the phases', () => {
  test('$context is one for the connection, whatever happens to transactions', async () => {
    const count = '$context["n"] = ($context["n"] ?? 0) + 1; echo $context["n"];';
    await play(
      {
        connect: count,
        proxy: count,
        helo: count,
        mailfrom: count,
        rcptto: count,
        eod: `${count} Accept();`,
      },
      `${banner}\nC: HELO c\nS: 250 *${mail}\nC: RSET\nS: 250 *${mail}${data}\nS: 250 *`,
    );
    expect(echoes().at(-1)).toBe('14');
  });

  test('a phase changes only what it may: $connection and $transaction are read-only', async () => {
    await expect(start({ helo: '$connection["remoteip"] = "x";' })).rejects.toThrow(/read-only/);
    await expect(start({ proxy: '$transaction = [];' })).rejects.toThrow(/read-only/);
  });

  test('an action can be overridden and its original called (hooks 1)', async () => {
    await play(
      {
        mailfrom: `
          function Reject($reason, $options = []) { builtin Reject("ours: " . $reason, $options); }
          Reject("no");`,
      },
      `${banner}\nC: MAIL FROM:<>\nS: 554 5.7.1 ours: no`,
    );
  });
});
