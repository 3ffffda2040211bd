// Real scripts, compiled and run: what they see, what they decide, what becomes of their mistakes.

import { afterEach, describe, expect, test } from 'vitest';
import { type MessageFacts, SessionState } from '#hooks';
import { compile, DEFAULT_LIMITS, type Limits, languageDeclarations } from '#lang';
import { catalog, createLocalServices } from '#stdlib';
import { type HookPrograms, loadHookPrograms } from '../../../src/scripting/hook-programs.js';
import { HookRunner } from '../../../src/scripting/hook-runner.js';
import { createFunctionCache, realClock } from '../../../src/scripting/host/index.js';
import { PendingRun } from '../../../src/scripting/smtp-hooks.js';
import { createCompileHost, createRunHost } from '../../support/script-host.js';
import { SmtpFixture, until } from '../../support/smtp-fixture.js';
import { TestLog } from '../../support/test-log.js';

type Scripts = Readonly<Record<string, string>>;

async function compiled(scripts: Scripts): Promise<HookPrograms> {
  const { predelivery, postdelivery, ...rest } = scripts;
  const file = (name: string, text: string) => ({ name: `${name}.hsl`, text });
  const loaded = await loadHookPrograms(
    {
      scripts: new Map(Object.entries(rest).map(([name, text]) => [name, file(name, text)])),
      predelivery: predelivery === undefined ? undefined : file('predelivery', predelivery),
      postdelivery: postdelivery === undefined ? undefined : file('postdelivery', postdelivery),
    },
    { compile, host: createCompileHost(), library: [...languageDeclarations.values(), ...catalog] },
  );
  if (loaded.kind === 'refused') throw new Error(loaded.diagnostics.map(({ message }) => message).join('; '));
  return loaded.programs;
}

async function runnerOf(
  scripts: Scripts,
  limits: Limits = DEFAULT_LIMITS,
): Promise<{ runner: HookRunner; log: TestLog }> {
  const log = new TestLog();
  const runner = new HookRunner({
    host: { ...createRunHost(), cache: createFunctionCache({ clock: realClock }) },
    services: createLocalServices(),
    log,
    programs: await compiled(scripts),
    limits,
  });
  return { runner, log };
}

function newState(): SessionState {
  return new SessionState(
    { id: 'conn', remoteIp: '192.0.2.1', remotePort: 1, localIp: '192.0.2.2', localPort: 25, serverId: 'in' },
    () => 'tx',
  );
}

const sender = { localPart: 'Bob', domain: 'Example.test', params: { SIZE: '10' } };

describe('a script', () => {
  test('that caches per message finds it in the next phase of the message, and not in another message', async () => {
    const script =
      'function look($x) { return uuid(); } Accept(["reason" => cache ["per_message" => true] look(1)]);';
    const { runner } = await runnerOf({ 'mailfrom/a': script });
    const reasonIn = (transaction: string) => {
      const state = new SessionState(
        {
          id: 'conn',
          remoteIp: '192.0.2.1',
          remotePort: 1,
          localIp: '192.0.2.2',
          localPort: 25,
          serverId: 'in',
        },
        () => transaction,
      );
      const outcome = runner.mailfrom('a', state, sender);
      return outcome instanceof PendingRun ? undefined : outcome.reason;
    };
    expect(reasonIn('t1')).toEqual(reasonIn('t1'));
    expect(reasonIn('t1')).not.toEqual(reasonIn('t2'));
  });

  test('that does not wait has decided when the call returns', async () => {
    const { runner } = await runnerOf({ 'mailfrom/a': 'Reject("no");' });
    expect(runner.mailfrom('a', newState(), sender)).toEqual({ kind: 'Reject', reason: ['no'] });
  });

  test('sees its variables', async () => {
    const { runner } = await runnerOf({
      'mailfrom/a':
        'Reject([$arguments["sender"], $arguments["address"]["localpart"], $arguments["params"]["SIZE"],' +
        ' $connection["remoteip"], $transaction["id"], string($context === none)]);',
    });
    expect(runner.mailfrom('a', newState(), sender)).toMatchObject({
      reason: ['bob@example.test', 'Bob', '10', '192.0.2.1', 'tx', 'true'],
    });
  });

  test('leaves $context to the next one of the connection, however it ends', async () => {
    const { runner } = await runnerOf({
      'helo/a': '$context = ["n" => 1]; Accept();',
      'mailfrom/a': '$context["n"] += 1;',
      'mailfrom/bad': '$context["n"] += 1; throw Exception("x");',
      'rcptto/a': 'Reject(string($context["n"]));',
    });
    const state = newState();
    runner.helo('a', state, 'EHLO', 'h', []);
    expect(runner.mailfrom('a', state, sender)).toEqual({ kind: 'Accept' });
    runner.mailfrom('bad', state, sender);
    expect(runner.rcptto('a', state, sender, 't')).toMatchObject({ reason: ['3'] });
  });

  test('may override an action and call the original', async () => {
    const { runner } = await runnerOf({
      'mailfrom/a': 'function Reject($x) { builtin Reject("mine: ".$x); } Reject("no");',
    });
    expect(runner.mailfrom('a', newState(), sender)).toMatchObject({ reason: ['mine: no'] });
  });

  test('ends with its action: nothing behind it runs, not even catch', async () => {
    const { runner, log } = await runnerOf({
      'mailfrom/a': 'try { Accept(); } catch ($e) { echo "caught"; } echo "after"; Reject();',
    });
    expect(runner.mailfrom('a', newState(), sender)).toEqual({ kind: 'Accept' });
    expect(log.lines).toEqual([]);
  });

  test('logs its echo with the transaction, at debug level', async () => {
    const { runner, log } = await runnerOf({ 'mailfrom/a': 'echo "hello";' });
    runner.mailfrom('a', newState(), sender);
    expect(log.lines).toEqual([
      { level: 'debug', fields: { transaction: 'tx', script: 'mailfrom/a' }, message: 'hello' },
    ]);
  });
});

describe('a script that fails', () => {
  test('is logged with its place, counted, and has the outcome of its phase', async () => {
    const { runner, log } = await runnerOf({
      'mailfrom/a': '\n  throw Exception("broken");',
      'eod/a': 'Accept(["reply_codes" => ["code" => 550]]);',
    });
    expect(runner.mailfrom('a', newState(), sender)).toEqual({ kind: 'Defer', because: 'script-error' });
    expect(log.lines).toMatchObject([
      {
        level: 'error',
        fields: { transaction: 'tx', script: 'mailfrom/a' },
        message: expect.stringContaining('broken'),
      },
    ]);
    expect(runner.counts.get('mailfrom/a')).toEqual({ runs: 1, errors: 1 });
  });

  test('by a wrong use of an action can catch that, or not', async () => {
    const { runner, log } = await runnerOf({
      'mailfrom/a': 'Reject("x", ["reply_codes" => ["code" => 250]]);',
      'mailfrom/b': 'try { Reject("x", ["reply_codes" => ["code" => 250]]); } catch ($e) { Accept(); }',
    });
    expect(runner.mailfrom('a', newState(), sender)).toMatchObject({ because: 'script-error' });
    expect(log.lines[0]).toMatchObject({ fields: { file: 'mailfrom/a.hsl', line: 1 } });
    expect(runner.mailfrom('b', newState(), sender)).toEqual({ kind: 'Accept' });
  });

  test('at a limit has the same outcome', async () => {
    const { runner, log } = await runnerOf(
      { 'connect/a': 'forever { $x = 1; }' },
      { ...DEFAULT_LIMITS, instructions: 100_000 },
    );
    const run = runner.connect('a', newState());
    expect(run instanceof PendingRun ? await run.outcome : run).toEqual({
      kind: 'Defer',
      because: 'script-error',
      disconnect: true,
    });
    expect(log.lines[0]).toMatchObject({ level: 'error' });
  });

  test('because it is not there is the configuration at fault, not the mail', async () => {
    const { runner, log } = await runnerOf({});
    expect(runner.mailfrom('gone', newState(), sender)).toMatchObject({ kind: 'Defer' });
    expect(log.lines[0]).toMatchObject({ level: 'error', message: expect.stringContaining('mailfrom/gone') });
  });
});

describe('a script that waits', () => {
  test('gives its outcome later', async () => {
    const { runner } = await runnerOf({ 'mailfrom/a': 'sleep(0.001); Reject("late");' });
    const run = runner.mailfrom('a', newState(), sender) as PendingRun<unknown>;
    expect(run).toBeInstanceOf(PendingRun);
    expect(await run.outcome).toEqual({ kind: 'Reject', reason: ['late'] });
  });

  test('can be given up, and counts no error', async () => {
    const { runner, log } = await runnerOf({ 'mailfrom/a': '$context = 1; sleep(1000); Accept();' });
    const state = newState();
    const run = runner.mailfrom('a', state, sender) as PendingRun<unknown>;
    run.cancel('the client has gone');
    expect(await run.outcome).toMatchObject({ kind: 'Defer' });
    expect(runner.counts.get('mailfrom/a')).toEqual({ runs: 1, errors: 0 });
    expect(log.lines).toEqual([]);
    expect(state.context).toBe(null);
  });
});

describe('a reload', () => {
  test('holds for what starts after it; what runs finishes on the old', async () => {
    const { runner } = await runnerOf({ 'mailfrom/a': 'sleep(0.001); Reject("old");' });
    const old = runner.mailfrom('a', newState(), sender) as PendingRun<unknown>;
    runner.replace(await compiled({ 'mailfrom/a': 'Reject("new");' }), DEFAULT_LIMITS);
    expect(runner.mailfrom('a', newState(), sender)).toMatchObject({ reason: ['new'] });
    expect(await old.outcome).toMatchObject({ reason: ['old'] });
  });

  test('with a script that does not compile gives no programs at all', async () => {
    const loaded = await loadHookPrograms(
      {
        scripts: new Map([
          ['helo/good', { name: 'good.hsl', text: 'Accept();' }],
          ['helo/bad', { name: 'bad.hsl', text: 'Acept();\nif (' }],
        ]),
      },
      { compile, host: createCompileHost(), library: [...languageDeclarations.values(), ...catalog] },
    );
    expect(loaded.kind).toBe('refused');
    if (loaded.kind === 'refused') expect(loaded.diagnostics[0]!.file.name).toBe('bad.hsl');
  });

  test('with an action of another phase is refused', async () => {
    await expect(compiled({ 'helo/a': 'Try();' })).rejects.toThrow('Try');
  });
});

describe('the queue', () => {
  const message: MessageFacts = {
    id: { transaction: 'tx', number: 1 },
    ts: 1,
    serverId: 'in',
    sender,
    recipient: { localPart: 'r', domain: 'd.test' },
    transportId: 't',
    metadata: { k: 'v' },
    priority: 0,
    dsn: {},
    sizeBytes: 10,
    retry: 2,
  };

  test('without scripts tries, and does the default', async () => {
    const { runner } = await runnerOf({});
    expect(runner.predelivery(message)).toEqual({ kind: 'Try', options: {}, context: undefined });
    expect(runner.postdelivery(message, { retry: 2, expired: false }, undefined)).toEqual({
      kind: 'Default',
    });
  });

  test('passes $context from predelivery to postdelivery', async () => {
    const { runner } = await runnerOf({
      predelivery: '$context = ["seen" => $message["recipient"]]; Try(["host" => "h.test"]);',
      postdelivery: 'Queue(["reason" => $context["seen"].$arguments["retry"]]);',
    });
    const outcome = await runner.predelivery(message);
    expect(outcome).toMatchObject({ kind: 'Try', options: { host: 'h.test' } });
    const context = outcome.kind === 'Try' ? outcome.context : undefined;
    expect(
      runner.postdelivery(message, { retry: 2, expired: false, action: 'QUEUE' }, context),
    ).toMatchObject({
      kind: 'Queue',
      options: { reason: 'r@d.test2' },
    });
  });

  test('keeps metadata that a script set, and what it said of notifications, with an action or without', async () => {
    const { runner } = await runnerOf({
      predelivery:
        '$m = GetMetaData(); $m["n"] = "1"; SetMetaData($m); SetDSN(["subject_prepend" => "Sorry: "]);',
      postdelivery: 'SetMetaData(["x" => "y"]); Default();',
    });
    expect(runner.predelivery(message)).toMatchObject({
      kind: 'Try',
      metadata: { k: 'v', n: '1' },
      notice: { subjectPrepend: 'Sorry: ' },
    });
    expect(
      runner.postdelivery(message, { retry: 2, expired: false, action: 'QUEUE' }, undefined),
    ).toMatchObject({
      kind: 'Default',
      metadata: { x: 'y' },
    });
  });

  test('waits five minutes after a predelivery error, and does the default after a postdelivery error', async () => {
    const { runner, log } = await runnerOf({
      predelivery: 'throw Exception("x");',
      postdelivery: 'Bounce();',
    });
    expect(runner.predelivery(message)).toMatchObject({
      kind: 'Queue',
      options: { delaySeconds: 300, incrementRetry: false },
    });
    // After a success there is nothing left to bounce: that is a script error.
    expect(runner.postdelivery(message, { retry: 2, expired: false }, undefined)).toEqual({
      kind: 'Default',
    });
    expect(log.lines).toHaveLength(2);
  });
});

describe('on a socket', () => {
  let mta: SmtpFixture | undefined;
  afterEach(async () => {
    await mta?.stop();
  });

  async function start(scripts: Scripts): Promise<{ fixture: SmtpFixture; log: TestLog }> {
    const { runner, log } = await runnerOf(scripts);
    const hookIds = Object.fromEntries(
      Object.keys(scripts).map((name) => name.split('/') as [string, string]),
    );
    mta = await new SmtpFixture({ parts: { hooks: runner }, hookIds }).start();
    return { fixture: mta, log };
  }

  const end = `
    S: 220 *
    C: MAIL FROM:<Bob@client.test>
    S: 250 *
    C: RCPT TO:<one@here.test>
    S: 250 *
    C: RCPT TO:<two@here.test>
    S: 250 *
    C: DATA
    S: 354 *
    C: Subject: =?utf-8?Q?=C3=A5?=
    C: X-Old: 1
    C: 
    C: body
    C: .`;

  test('the canonical eod script queues for every recipient', async () => {
    const { fixture } = await start({
      'eod/main': `
        $mail = $arguments["mail"];
        foreach ($transaction["recipients"] as $r)
          $mail->queue($transaction["senderaddress"], $r["address"], $r["transportid"],
            ["metadata" => ["peer" => $connection["remoteip"]]]);
        Accept();`,
    });
    await fixture.play(`${end}\nS: 250 2.0.0 Ok: queued as id-2`);
    expect(fixture.spool.committed[0]!.transaction.requests).toMatchObject([
      { sender: { localPart: 'Bob' }, recipient: { localPart: 'one' }, metadata: { peer: '127.0.0.1' } },
      { recipient: { localPart: 'two' } },
    ]);
  });

  test('an eod script can give each recipient a message of its own', async () => {
    const { fixture } = await start({
      'eod/main': `
        $mail = $arguments["mail"];
        $s = $mail->snapshot();
        foreach ($transaction["recipients"] as $r) {
          $mail->addHeader("X-For", $r["recipient"]);
          $mail->setHeader("Subject", "[ext] ".$mail->getHeader("Subject"));
          $mail->delHeader("X-Old");
          $mail->queue("", $r["recipient"], "default");
          $mail->restore($s);
        }
        Accept();`,
    });
    await fixture.play(`${end}\nS: 250 *`);
    expect(fixture.spool.committed[0]!.copies.map((copy) => copy.toString())).toMatchObject([
      expect.stringMatching(
        /^X-For: one@here\.test\r\nReceived: [\s\S]*\r\nSubject: =\?utf-8\?Q\?.*\?=\r\n\r\nbody\r\n$/,
      ),
      expect.stringMatching(/^X-For: two@here\.test\r\nReceived: /),
    ]);
  });

  test.each([
    ['ends without an action', '$arguments["mail"]->queue("", "a@b.test", "default");', '421 4.3.0 *'],
    ['fails', '$arguments["mail"]->queue("", "a@b.test", "default"); throw Exception("x");', '421 4.3.0 *'],
    ['rejects', '$arguments["mail"]->queue("", "a@b.test", "default"); Reject("no");', '550 5.7.1 no'],
    ['accepts without queueing', 'Accept();', '250 2.0.0 *'],
  ])('an eod script that %s queues nothing', async (_what, script, reply) => {
    const { fixture } = await start({ 'eod/main': script });
    await fixture.play(`${end}\nS: ${reply}\nC: NOOP\nS: 250 *`);
    expect(fixture.spool.committed).toEqual([]);
    expect(fixture.spool.underWay).toBe(0);
  });

  test('recipients of a transaction grow in $transaction, and a script that keeps them keeps them as they were', async () => {
    const { fixture } = await start({
      'rcptto/main': `
        if ($context === none) $context = [];
        $context[] = $transaction["recipients"];
        Accept(["reason" => string(length($transaction["recipients"]))."/".string(length($context[0]))]);`,
      'eod/main': 'Reject(json_encode(array_map(function ($list) { return length($list); }, $context)));',
    });
    await fixture.play(
      end
        .replace(
          'C: RCPT TO:<one@here.test>\n    S: 250 *',
          'C: RCPT TO:<one@here.test>\n    S: 250 2.1.5 0/0',
        )
        .replace(
          'C: RCPT TO:<two@here.test>\n    S: 250 *',
          'C: RCPT TO:<two@here.test>\n    S: 250 2.1.5 1/0',
        )
        .concat('\nS: 550 5.7.1 [0,1]'),
    );
  });

  test('a hook that waits is cancelled when the client goes', async () => {
    const { fixture, log } = await start({ 'eod/main': 'echo "waiting"; sleep(1000); Accept();' });
    const client = await fixture.play(end);
    await until(() => log.lines.length === 1);
    client.close();
    await until(() => fixture.spool.underWay === 0 && fixture.server.sessionCount === 0);
  });

  test('the disconnect hook runs with an empty transaction', async () => {
    const { fixture, log } = await start({
      'disconnect/main': 'echo $arguments["close"].length($transaction).$arguments["reply"]["state"];',
    });
    const client = await fixture.play('S: 220 *\nC: QUIT\nS: 221 *\nS: <close>');
    client.close();
    await until(() => log.lines.length === 1);
    expect(log.lines[0]!.message).toBe('local0QUIT');
  });
});
