// The scripts' side of the SMTP client: what the arguments become, what comes back, what is an exception. The client is a
// double that notes what it is asked; the real one is tested in test/src/delivery/in-line-client.test.ts.

import { expect, test } from 'vitest';
import type { MailClient, MailOutcome, MailTarget, OutgoingMail } from '../../../stdlib/smtp/mail-client.js';
import { runNetworkScript } from '../../support/network-script.js';

const taken: MailOutcome = { reply: { state: 'EOD', code: 250, enhanced: [2, 0, 0], reason: ['taken'] } };

interface Asked {
  readonly target: MailTarget;
  readonly mail?: OutgoingMail;
  readonly rest: readonly unknown[];
}

async function run(script: string, outcome: MailOutcome = taken) {
  const asked: Asked[] = [];
  const mailClient: MailClient = {
    send: async (mail, target) => {
      asked.push({ mail, target, rest: [] });
      return outcome;
    },
    lookupRecipient: async (sender, recipient, target) => {
      asked.push({ target, rest: [sender, recipient] });
      return outcome;
    },
    lookupAuth: async (target, userName, password) => {
      asked.push({ target, rest: [userName, password] });
      return outcome;
    },
  };
  const { echoes } = await runNetworkScript(script, {
    network: { resolver: undefined, mailClient, backgroundRequests: undefined, submission: undefined },
    configured: {
      key: () => undefined,
      authorities: () => undefined,
      address: (id) => (id === 'nine' ? { address: '192.0.2.9', hostname: 'nine.test' } : undefined),
      knowsTransport: () => false,
      file: async () => undefined,
    },
  });
  return { echoes, asked };
}

const mail = 'MailMessage::String("Subject: x\\r\\n\\r\\nx\\r\\n")';
const at = '["host" => "mx.test"]';

test('send gives sender, recipients with their parameters, and the message as changed', async () => {
  const { asked, echoes } = await run(`
    $mail = ${mail};
    $mail->addHeader("X-A", "1");
    $r = $mail->send(["localpart" => "a", "domain" => "a.test", "params" => ["RET" => "HDRS"]],
      ["b@b.test", ["localpart" => "c d", "domain" => "c.test"]], "out");
    echo $r;
    $mail->send("", ["localpart" => "e", "domain" => "e.test"], "out");
    $mail->send("", "f@f.test", "out");
  `);
  expect(echoes).toEqual([
    '["result"=>["state"=>"EOD","code"=>250,"enhanced"=>[0=>2,1=>0,2=>0],"reason"=>[0=>"taken"]]]',
  ]);
  expect(asked.map(({ target }) => target)).toEqual(Array(3).fill({ transportId: 'out' }));
  expect(asked[0]?.mail?.sender).toEqual({ localPart: 'a', domain: 'a.test', params: { RET: 'HDRS' } });
  expect(asked[0]?.mail?.recipients).toEqual([
    { localPart: 'b', domain: 'b.test' },
    { localPart: 'c d', domain: 'c.test' },
  ]);
  expect(asked[0]?.mail?.pieces).toHaveLength(2);
  expect(asked[1]?.mail?.recipients).toEqual([{ localPart: 'e', domain: 'e.test' }]);
  expect(asked[2]?.mail?.recipients).toEqual([{ localPart: 'f', domain: 'f.test' }]);
});

test('every key of a server is read', async () => {
  const { asked } = await run(`
    smtp_lookup_rcpt(["host" => "mx.test", "port" => 2525, "helo" => "me.test", "sourceip" => "192.0.2.1",
      "nonlocal_source" => true, "saslusername" => "u", "saslpassword" => "p", "sasl_unverified" => true,
      "tls" => "require_verify", "tls_sni" => true, "tls_protocols" => "!SSLv2,!SSLv3", "tls_ciphers" => "HIGH",
      "tls_verify_host" => true, "tls_verify_name" => ["a.test", "*.b.test"], "tls_default_ca" => true,
      "tls_client_cert" => "mine", "tls_capture_peer_cert" => true, "xclient" => ["ADDR" => "192.0.2.7", "PORT" => 25],
      "protocol" => "lmtp", "mx_include" => ["*.x.test"], "mx_exclude" => ["y.test"],
      "timeout" => ["banner" => 1, "EOD" => 2.5], "connect_timeout" => 3, "domain" => "d.test"], "", "b@b.test");
    smtp_lookup_rcpt(["host" => "lookup-mx", "sourceipid" => "nine", "helo" => none, "tls" => "", "unknown" => 1], "", "b@b.test");
    smtp_lookup_rcpt([], "", "b@b.test");
  `);
  expect(asked.map(({ target }) => target)).toEqual([
    {
      host: 'mx.test',
      port: 2525,
      helo: 'me.test',
      sourceIp: '192.0.2.1',
      isNonlocalSource: true,
      saslUserName: 'u',
      saslPassword: 'p',
      saslAllowsUnverified: true,
      tls: 'require_verify',
      tlsSni: true,
      tlsProtocols: '!SSLv2,!SSLv3',
      tlsCiphers: 'HIGH',
      tlsVerifyHost: true,
      tlsVerifyNames: ['a.test', '*.b.test'],
      tlsDefaultCa: true,
      tlsClientCertificate: 'mine',
      tlsCapturesPeerCertificate: true,
      xclient: expect.objectContaining({ ADDR: '192.0.2.7', PORT: '25' }),
      protocol: 'lmtp',
      mxInclude: ['*.x.test'],
      mxExclude: ['y.test'],
      timeouts: expect.objectContaining({ BANNER: 1, EOD: 2.5 }),
      connectTimeoutSeconds: 3,
      domain: 'd.test',
    },
    { sourceIp: '192.0.2.9', helo: 'nine.test' },
    {},
  ]);
});

test.each([
  ['1', 'a string or an array'],
  ['""', 'the server is empty'],
  ['["port" => 0]', '"port" of the server must be a number from 1 to 65535'],
  ['["port" => "25"]', '"port" of the server'],
  ['["host" => 1]', '"host" of the server must be a string, not number'],
  ['["tls" => "yes"]', '"tls" of the server is "yes"; expected one of "disabled"'],
  ['["tls" => true]', '"tls" of the server is boolean; expected one of'],
  ['["protocol" => "esmtp"]', '"protocol" of the server'],
  ['["tls_verify_host" => 1]', '"tls_verify_host" of the server must be true or false'],
  ['["tls_verify_name" => [1]]', '"tls_verify_name" of the server must be a list of strings'],
  ['["tls_protocols" => "TLSv9"]', '"TLSv9" is no protocol'],
  ['["tls_sni" => 1]', '"tls_sni" of the server must be a string or a boolean'],
  ['["timeout" => 5]', '"timeout" of the server must be an array'],
  ['["timeout" => ["EOD" => 0]]', '"timeout" of the server must have a number of seconds above 0 for EOD'],
  ['["timeout" => ["EOM" => 5]]', '"timeout" of the server has the unknown state "EOM"; expected one of'],
  ['["connect_timeout" => "5"]', '"connect_timeout" of the server'],
  ['["xclient" => ["ADDR" => []]]', '"xclient" of the server must hold strings'],
  ['["sourceipid" => "ten"]', '"ten", which is not among the configured addresses'],
  ['["sourceipid" => "nine", "sourceip" => "192.0.2.1"]', 'expected one of them'],
  ['["saslpassword" => "hush"]', 'is given without "saslusername"'],
])('a server like %s is an exception that names what is wrong', async (server, message) => {
  for (const call of [
    `smtp_lookup_rcpt(${server}, "", "b@b.test")`,
    `smtp_lookup_auth(${server}, "u", "hush")`,
    `${mail}->send("", "b@b.test", ${server})`,
  ]) {
    const { echoes, asked } = await run(`${call};`);
    expect(echoes.join()).toContain(message);
    expect(echoes.join()).not.toContain('hush');
    expect(asked).toEqual([]);
  }
});

test.each([
  [`${mail}->send("a", "b@b.test", "out")`, 'send: the sender is no address'],
  [`${mail}->send("", "", "out")`, 'send: the recipient is empty'],
  [`${mail}->send("", [], "out")`, 'send: there is no recipient'],
  [`${mail}->send("", ["b@b.test", "c"], "out")`, 'send: recipient 1 is no address'],
  [`smtp_lookup_rcpt("out", "x", "b@b.test")`, 'smtp_lookup_rcpt: the sender is no address'],
  [`smtp_lookup_rcpt("out", "", "")`, 'smtp_lookup_rcpt: the recipient is empty'],
])('%s is an exception', async (call, message) => {
  expect((await run(`${call};`)).echoes.join()).toContain(message);
});

const reply = (state: string, code: number): MailOutcome => ({
  reply: { state, code, enhanced: [], reason: ['text'] },
});
const failure: MailOutcome = { error: { isTemporary: true, message: 'gone' } };

test.each([
  [reply('RCPT', 250), '1'],
  [reply('RCPT', 550), '0'],
  [reply('MAIL', 553), '0'],
  [reply('RCPT', 450), '-1'],
  [reply('BANNER', 554), '-1'],
  [reply('AUTH', 535), '-1'],
  [failure, '-1'],
])('smtp_lookup_rcpt makes of %j the number %s', async (outcome, number) => {
  expect((await run(`echo smtp_lookup_rcpt(${at}, "", "b@b.test");`, outcome)).echoes).toEqual([number]);
});

test.each([
  [reply('AUTH', 235), '1'],
  [reply('AUTH', 535), '0'],
  [reply('AUTH-LOGIN', 534), '0'],
  [reply('AUTH', 454), '-1'],
  [reply('AUTH-PLAIN', 504), '-1'],
  [reply('EHLO', 550), '-1'],
  [failure, '-1'],
])('smtp_lookup_auth makes of %j the number %s', async (outcome, number) => {
  const { echoes, asked } = await run(`echo smtp_lookup_auth(${at}, "user", "word");`, outcome);
  expect(echoes).toEqual([number]);
  expect(asked[0]).toEqual({ target: { host: 'mx.test' }, rest: ['user', 'word'] });
});

test('the extended result says what was answered, and to what', async () => {
  const ask = async (outcome: MailOutcome) =>
    (await run(`echo smtp_lookup_rcpt(${at}, "", "b@b.test", ["extended_result" => true]);`, outcome))
      .echoes[0];
  expect(
    await ask({
      reply: { state: 'RCPT', code: 550, enhanced: [5, 1, 1], reason: ['no', 'such user'] },
      tls: { isStarted: false, error: 'not offered' },
    }),
  ).toBe(
    '["error_code"=>550,"error_message"=>"5.1.1 no\\nsuch user","on_rcptto"=>true,"tls"=>["started"=>false,"error"=>"not offered"]]',
  );
  expect(await ask(reply('MAIL', 250))).toBe(
    '["error_code"=>250,"error_message"=>"text","on_rcptto"=>false]',
  );
  expect(await ask(failure)).toBe('["error_code"=>0,"error_message"=>"gone","on_rcptto"=>false]');
});

test('an outcome has connection, TLS and the recipient it is about', async () => {
  const { echoes } = await run(`echo ${mail}->send("", "b@b.test", ${at});`, {
    reply: { state: 'RCPT', code: 550, enhanced: [], reason: [], recipientIndex: 2 },
    connection: { localIp: '192.0.2.1', remoteIp: '192.0.2.2', remoteMx: 'mx.test' },
    tls: {
      isStarted: true,
      protocol: 'TLSv1.3',
      cipher: 'C',
      keySize: 256,
      error: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    },
  });
  expect(echoes).toEqual([
    '["result"=>["state"=>"RCPT","code"=>550,"enhanced"=>[],"reason"=>[],"recipient"=>2],' +
      '"connection"=>["localip"=>"192.0.2.1","remoteip"=>"192.0.2.2","remotemx"=>"mx.test"],' +
      '"tls"=>["started"=>true,"protocol"=>"TLSv1.3","cipher"=>"C","keysize"=>256,"peercert"=>["error"=>18]]]',
  ]);
  const failed = await run(`echo ${mail}->send("", "b@b.test", ${at});`, failure);
  expect(failed.echoes).toEqual(['["error"=>["temporary"=>true,"message"=>"gone"]]']);
});

test('a certificate that is trusted has the verify code 0', async () => {
  const { echoes } = await run(`echo ${mail}->send("", "b@b.test", ${at})["tls"]["peercert"];`, {
    reply: { state: 'EOD', code: 250, enhanced: [], reason: [] },
    tls: { isStarted: true },
  });
  expect(echoes).toEqual(['["error"=>0]']);
});

test('without a client it is an exception', async () => {
  const { echoes } = await runNetworkScript(`smtp_lookup_auth("out", "u", "p");`);
  expect(echoes.join()).toContain('smtp_lookup_auth: there is no SMTP client here');
});
