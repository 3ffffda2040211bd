import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  boundary,
  type FormPart,
  form,
  formBody,
  formType,
  messagePart,
  optionsPart,
  plainMessage,
  queueAllWithJob,
  SubmissionFixture,
  testKey,
} from '../../support/submission-fixture.js';

const twoRecipients = {
  recipients: [
    { localpart: 'one', domain: 'example.test' },
    { localpart: 'two', domain: 'example.test' },
  ],
};

const packed = (parts: readonly FormPart[]): FormPart[] =>
  parts.map(({ name, content }) => ({
    name: `${name}.gzip`,
    type: 'application/gzip',
    content: gzipSync(content),
  }));

describe('the acceptance examples (queue-and-config 10)', () => {
  test('1: a script that queues for two recipients: 200, code 250, two messages with the id of the answer', async () => {
    const mta = await SubmissionFixture.start({ script: queueAllWithJob });
    const { status, headers, json } = await mta.submit(form(twoRecipients));
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    const id = json.transaction!.id;
    expect(json).toEqual({
      result: { code: 250, enhanced: [2, 0, 0], reason: [`Ok: queued as ${id}`] },
      transaction: { id },
      metadata: {},
    });
    expect(mta.queued).toEqual([`${id}:1`, `${id}:2`]);
    expect(mta.messages).toEqual([plainMessage, plainMessage]);
  });

  test('2: without a key, or with a wrong one, 401 and no script runs', async () => {
    const mta = await SubmissionFixture.start({ script: queueAllWithJob });
    const body = formBody(form());
    const without = await mta.send({ headers: { 'content-type': formType }, body });
    expect([without.status, without.json]).toEqual([401, { error: 'the header X-API-Key is missing' }]);
    for (const key of ['wrong', '', `${testKey} `, `${testKey}x`, 'test-ke']) {
      const wrong = await mta.submit(form(), { headers: { 'x-api-key': `${key}.` } });
      expect(wrong.status).toBe(401);
      expect(wrong.text).not.toContain(key === '' ? 'nothing' : key);
    }
    expect(mta.eodRuns).toBe(0);
    expect(mta.spool.writtenBytes).toBe(0);
  });

  test('3: what the submitter gives as metadata is in the arguments of the script', async () => {
    const mta = await SubmissionFixture.start({ script: queueAllWithJob });
    await mta.submit(form({ metadata: { jobid: 'xyz' } }));
    expect(mta.spool.committed[0]!.transaction.requests[0]!.jobId).toBe('xyz');
  });

  test('4: packed parts give the same result', async () => {
    const mta = await SubmissionFixture.start({ script: queueAllWithJob });
    const plain = await mta.submit(form(twoRecipients));
    const small = await mta.submit(packed(form(twoRecipients)));
    expect(small.status).toBe(200);
    const withoutIds = ({ text, json }: typeof plain) => text.replaceAll(json.transaction!.id, 'ID');
    expect(withoutIds(small)).toBe(withoutIds(plain));
    expect(new Set(mta.messages)).toEqual(new Set([plainMessage]));
    expect(mta.messages).toHaveLength(4);
  });

  test('5: the answer has line breaks with ?pretty=true and none without', async () => {
    const mta = await SubmissionFixture.start();
    const plain = await mta.submit();
    const pretty = await mta.submit(form(), { path: '/v1/submission?pretty=true' });
    expect(plain.text).not.toContain('\n');
    expect(pretty.text).toMatch(/^\{\n {4}"result": \{\n/);
    expect(Object.keys(pretty.json)).toEqual(['result', 'transaction', 'metadata']);
    const refused = await mta.submit([], { path: '/v1/submission?pretty=true' });
    expect(refused.text).toContain('\n');
  });

  test('6: options that are no JSON are 400, a missing part is 400, GET is 405, another path is 404', async () => {
    const mta = await SubmissionFixture.start();
    const noJson = await mta.submit([{ ...optionsPart(), content: '{"sender": ' }, messagePart()]);
    expect([noJson.status, noJson.json.error]).toEqual([
      400,
      'the part "options" is no JSON: line 1: found the end of the text where a value was expected',
    ]);
    const noMessage = await mta.submit([optionsPart()]);
    expect([noMessage.status, noMessage.json.error]).toEqual([400, 'the part "rfc822" is missing']);
    const noOptions = await mta.submit([messagePart()]);
    expect([noOptions.status, noOptions.json.error]).toEqual([400, 'the part "options" is missing']);
    const get = await mta.send({ method: 'GET' });
    expect([get.status, get.headers.allow]).toEqual([405, 'POST']);
    const elsewhere = await mta.submit(form(), { path: '/v1/submissions' });
    expect([elsewhere.status, typeof elsewhere.json.error]).toEqual([404, 'string']);
    expect(mta.spool.underWay).toBe(0);
    expect(mta.queued).toEqual([]);
  });

  test('7: Reject with code 550 is 422 with that code', async () => {
    const mta = await SubmissionFixture.start({
      script: 'Reject("no", ["reply_codes" => ["code" => 550]]);',
    });
    const { status, json } = await mta.submit();
    expect(status).toBe(422);
    expect(json.result).toEqual({ code: 550, enhanced: [5, 7, 1], reason: ['no'] });
  });

  test('8: a domain in Unicode is usable as its A-label in the script and in the queue', async () => {
    const mta = await SubmissionFixture.start({
      script: `
        $mail = $arguments["mail"];
        foreach ($transaction["recipients"] as $r)
          $mail->queue($transaction["senderaddress"], $r["address"], $r["transportid"]);
        Accept(["metadata" => [$transaction["sender"], $transaction["recipients"][0]["recipient"]]]);`,
    });
    const { json } = await mta.submit(
      form({
        sender: { localpart: 'Post', domain: 'bücher.test' },
        recipients: [{ localpart: 'zu', domain: 'straße.Test' }],
      }),
    );
    expect(json.metadata).toEqual(['post@xn--bcher-kva.test', 'zu@xn--strae-oqa.test']);
    const [request] = mta.spool.committed[0]!.transaction.requests;
    expect(request!.sender.domain).toBe('xn--bcher-kva.test');
  });
});

describe('the verdict', () => {
  const verdicts: readonly [string, string, number, object][] = [
    ['Defer is 503', 'Defer("later");', 503, { code: 421, enhanced: [4, 3, 0], reason: ['later'] }],
    [
      'Defer with a code of its own is 503',
      'Defer(["one", "two"], ["reply_codes" => ["code" => 451, "enhanced" => [4, 7, 1]]]);',
      503,
      { code: 451, enhanced: [4, 7, 1], reason: ['one', 'two'] },
    ],
    [
      'Reject for now is 503: status and code say the same',
      'Reject("wait", ["reply_codes" => ["code" => 450]]);',
      503,
      { code: 450, enhanced: [4, 7, 1], reason: ['wait'] },
    ],
    ['Reject is 422', 'Reject();', 422, { code: 550, enhanced: [5, 7, 1], reason: ['Message refused'] }],
    [
      'the end of the script without an action is 503, and nothing is queued',
      '$arguments["mail"]->queue("a@b.test", "c@d.test", "default");',
      503,
      { code: 421, enhanced: [4, 3, 0], reason: ['Try again later'] },
    ],
    [
      'a script error is 500 with code 451, and nothing is queued',
      '$arguments["mail"]->queue("a@b.test", "c@d.test", "default"); throw Exception("secret reason");',
      500,
      { code: 451, enhanced: [4, 3, 0], reason: ['Try again later'] },
    ],
    [
      'Accept may have codes and texts of its own',
      'Accept(["reason" => "taken: \\xff", "reply_codes" => ["code" => 251, "enhanced" => [2, 1, 5]]]);',
      200,
      { code: 251, enhanced: [2, 1, 5], reason: ['taken: \ufffd'] },
    ],
  ];
  test.each(verdicts)('%s', async (_name, script, status, result) => {
    const mta = await SubmissionFixture.start({ script });
    const given = await mta.submit();
    expect([given.status, given.json.result]).toEqual([status, result]);
    expect(given.json.metadata).toEqual({});
    expect(given.text).not.toContain('secret');
    expect(mta.queued).toEqual([]);
    expect(mta.spool.underWay).toBe(0);
  });

  test('a script may have the connection closed after the answer', async () => {
    const mta = await SubmissionFixture.start({ script: 'Reject("no", ["disconnect" => true]);' });
    const { status, headers } = await mta.submit();
    expect([status, headers.connection]).toEqual([422, 'close']);
  });

  test('a message that no script queues is accepted and dropped', async () => {
    const mta = await SubmissionFixture.start({ script: 'Accept();' });
    expect((await mta.submit()).status).toBe(200);
    expect(mta.spool.committed).toEqual([]);
    expect(mta.spool.underWay).toBe(0);
    expect(mta.log.lines.at(-1)!.message).toBe('message accepted and dropped');
  });

  test('what Accept gives as metadata is in the answer as it is, pretty or not', async () => {
    const mta = await SubmissionFixture.start({
      script:
        'Accept(["metadata" => ["list" => [1, 2.5, none, true], "text" => "ä\\"\\n", "10" => "x", "9" => []]]);',
    });
    const plain = await mta.submit();
    expect(plain.text).toContain('"metadata":{"list":[1,2.5,null,true],"text":"ä\\"\\n","10":"x","9":[]}}');
    const pretty = await mta.submit(form(), { path: '/v1/submission?pretty=true' });
    expect(pretty.json.metadata).toEqual(plain.json.metadata);
  });

  test('metadata that cannot be written as JSON is a script error, and nothing is queued', async () => {
    const mta = await SubmissionFixture.start({
      script: `
        $arguments["mail"]->queue("a@b.test", "c@d.test", "default");
        Accept(["metadata" => ["f" => function () {}]]);`,
    });
    expect((await mta.submit()).status).toBe(500);
    expect(mta.queued).toEqual([]);
    const errors = mta.log.lines.filter(({ level }) => level === 'error');
    expect(errors[0]!.message).toContain('Accept: "metadata" cannot be written as JSON');
  });
});

describe('what the script sees', () => {
  test('the connection without a greeting, the transaction, metadata and the request without its key', async () => {
    const mta = await SubmissionFixture.start({
      script: `
        $c = $connection; $t = $transaction; $h = $arguments["http"];
        Accept(["metadata" => [
          "connection" => array_keys($c), "remoteip" => $c["remoteip"], "localip" => $c["localip"],
          "serverid" => $c["serverid"], "ts" => $t["ts"], "sender" => $t["sender"],
          "recipient" => $t["recipients"][0], "metadata" => $arguments["metadata"], "http" => array_keys($h),
          "method" => $h["method"], "path" => $h["path"], "ip" => $h["remoteip"], "apikey" => $h["apikey"],
          "agent" => $h["headers"]["user-agent"], "headers" => array_keys($h["headers"]), "context" => $context
        ]]);`,
    });
    const { json } = await mta.submit(form({ sender: { localpart: '', domain: '' } }), {
      path: '/v1/submission?pretty=true',
      headers: { 'user-agent': 'tester/1', authorization: 'Bearer secret', cookie: 'a=b' },
    });
    const seen = json.metadata as Record<string, unknown> & { readonly headers: string[] };
    expect(seen).toMatchObject({
      connection: ['id', 'priority', 'remoteip', 'remoteport', 'localip', 'localport', 'serverid'],
      remoteip: '127.0.0.1',
      localip: '127.0.0.1',
      serverid: 'test',
      ts: mta.now,
      sender: '',
      recipient: {
        recipient: 'to@example.test',
        address: { localpart: 'to', domain: 'example.test' },
        params: [],
        transportid: 'default',
      },
      metadata: [],
      http: ['method', 'path', 'headers', 'remoteip', 'apikey'],
      method: 'POST',
      path: '/v1/submission',
      ip: '127.0.0.1',
      apikey: 'tester',
      agent: 'tester/1',
      context: null,
    });
    expect(seen.headers).toContain('content-type');
    for (const secret of ['x-api-key', 'authorization', 'cookie']) expect(seen.headers).not.toContain(secret);
  });

  test('metadata keeps its types, its order and its depth', async () => {
    const mta = await SubmissionFixture.start({ script: 'Accept(["metadata" => $arguments["metadata"]]);' });
    const metadata = { b: [1, { c: null }], a: 'ä€😀', n: -1.5e3, t: true, e: {} };
    const { text } = await mta.submit(form({ metadata }));
    expect(text).toContain('"metadata":{"b":[1,{"c":null}],"a":"ä€😀","n":-1500,"t":true,"e":[]}}');
  });

  test('two requests on one connection have its id, and a context and a transaction each', async () => {
    const mta = await SubmissionFixture.start({
      script: `
        $seen = $context; $context = "left";
        Accept(["metadata" => [$connection["id"], $transaction["id"], $seen]]);`,
    });
    const [one, two] = [await mta.submit(), await mta.submit()];
    const [a, b] = [one.json.metadata as unknown[], two.json.metadata as unknown[]];
    expect(a[0]).toBe(b[0]);
    expect(a[1]).not.toBe(b[1]);
    expect([a[2], b[2]]).toEqual([null, null]);
  });

  test('neither connect, mailfrom nor disconnect run: only eod is ever asked', async () => {
    const mta = await SubmissionFixture.start({ script: 'Accept();' });
    await mta.submit();
    expect(mta.eodRuns).toBe(1);
  });
});

describe('the message', () => {
  test('has one Received field on top, with HTTP, without recipients', async () => {
    const mta = await SubmissionFixture.start();
    const { json } = await mta.submit();
    const whole = mta.spool.committed[0]!.copies[0]!.toString('latin1');
    expect(whole).toBe(
      `Received: from unknown (unknown [127.0.0.1])\r\n\tby mx.argonite.test with HTTP\r\n\tid ${json.transaction!.id}; Tue, 14 Nov 2023 22:13:20 +0000\r\n${plainMessage}`,
    );
  });

  test.each([
    ['bare line feeds become line ends', 'A: 1\nB: 2\n\nbody\n.\n', 'A: 1\r\nB: 2\r\n\r\nbody\r\n.\r\n'],
    ['a missing last line end is added', 'A: 1\r\n\r\nbody', 'A: 1\r\n\r\nbody\r\n'],
    [
      'a bare CR becomes a blank: no dot is ever between bare line ends',
      'A: 1\r\n\r\nx\r.\r\r\ny\r',
      'A: 1\r\n\r\nx . \r\ny\r\n',
    ],
    ['NULs and bytes above 127 are carried', 'A: 1\r\n\r\n\0\xff\r\n', 'A: 1\r\n\r\n\0\xff\r\n'],
    [
      'dots stay as they are: there is no stuffing in HTTP',
      'A: 1\r\n\r\n..\r\n.\r\nmore\r\n',
      'A: 1\r\n\r\n..\r\n.\r\nmore\r\n',
    ],
  ])('%s', async (_name, sent, stored) => {
    const mta = await SubmissionFixture.start();
    expect((await mta.submit(form({}, Buffer.from(sent, 'latin1')))).status).toBe(200);
    expect(mta.messages).toEqual([stored]);
  });

  test('is the same however the request is cut into packets', async () => {
    const mta = await SubmissionFixture.start();
    const body = formBody(form({}, 'Subject: x\n\nline\r\n\rend\n--the-boundary'));
    const head = `POST /v1/submission HTTP/1.1\r\nHost: x\r\nX-API-Key: ${testKey}\r\nContent-Type: ${formType}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    for (const size of [1, 2, 3, 7, 64]) {
      const raw = await mta.dial();
      raw.write(head);
      for (let at = 0; at < body.length; at += size) {
        const piece = body.subarray(at, at + size);
        raw.write(`${piece.length.toString(16)}\r\n${piece.toString('latin1')}\r\n`);
      }
      raw.write('0\r\n\r\n');
      await raw.until(/HTTP\/1\.1 200 /);
    }
    expect(new Set(mta.messages)).toEqual(new Set(['Subject: x\r\n\r\nline\r\n end\r\n--the-boundary\r\n']));
  });

  test('may come before its options', async () => {
    const mta = await SubmissionFixture.start();
    const { status } = await mta.submit([messagePart(), optionsPart()]);
    expect(status).toBe(200);
    expect(mta.messages).toEqual([plainMessage]);
  });

  test('with too many Received fields is in a loop: 422 with code 554', async () => {
    const mta = await SubmissionFixture.start({ limits: { hops: 3 } });
    const { status, json } = await mta.submit(form({}, `${'Received: x\r\n'.repeat(3)}\r\nbody\r\n`));
    expect([status, json.result!.code, json.result!.enhanced]).toEqual([422, 554, [5, 4, 6]]);
    expect(mta.spool.underWay).toBe(0);
  });

  test('with a header that is too long is 422 with code 554', async () => {
    const mta = await SubmissionFixture.start({ limits: { headerBytes: 1000 } });
    const { status, json } = await mta.submit(form({}, `${'X: y\r\n'.repeat(500)}\r\nbody\r\n`));
    expect([status, json.result!.code]).toEqual([422, 554]);
  });
});

describe('options', () => {
  const refusals: readonly [string, object, number, RegExp][] = [
    ['no sender', { sender: undefined }, 400, /^options: must have required property 'sender'$/],
    ['no recipients', { recipients: [] }, 400, /^options\.recipients: must NOT have fewer than 1 items$/],
    ['an unknown key', { subject: 'x' }, 400, /^options: unknown key "subject"$/],
    [
      'an unknown key of a recipient',
      { recipients: [{ localpart: 'a', domain: 'b.test', name: 'x' }] },
      400,
      /^options\.recipients\[0\]: unknown key "name"$/,
    ],
    ['a text where a list is expected', { recipients: 'a@b' }, 400, /^options\.recipients: must be array$/],
    [
      'half a null sender',
      { sender: { localpart: '', domain: 'a.test' } },
      400,
      /^options\.sender\.localpart: /,
    ],
    [
      'a sender without domain',
      { sender: { localpart: 'a', domain: '' } },
      400,
      /^options\.sender\.domain: found ""/,
    ],
    [
      'a line break in a local part',
      { recipients: [{ localpart: 'a\r\nDATA', domain: 'b.test' }] },
      400,
      /^options\.recipients\[0\]\.localpart: found "a\\r\\nDATA"/,
    ],
    [
      'a NUL',
      { sender: { localpart: 'a\0', domain: 'b.test' } },
      400,
      /^options\.sender\.localpart: found "a\\u0000"/,
    ],
    [
      'half a character',
      { sender: { localpart: 'a\ud800', domain: 'b.test' } },
      400,
      /^options\.sender\.localpart/,
    ],
    [
      'a domain that is none',
      { sender: { localpart: 'a', domain: 'b test' } },
      400,
      /^options\.sender\.domain/,
    ],
    [
      'a label that is too long',
      { sender: { localpart: 'a', domain: `${'ä'.repeat(70)}.test` } },
      400,
      /domain/,
    ],
    [
      'an unknown transport',
      { recipients: [{ localpart: 'a', domain: 'b.test', transportid: 'nowhere' }] },
      400,
      /^options\.recipients\[0\]\.transportid: there is no transport "nowhere"$/,
    ],
    [
      'too many recipients',
      { recipients: Array.from({ length: 4 }, () => ({ localpart: 'a', domain: 'b.test' })) },
      413,
      /^options\.recipients: found 4; at most 3 are possible$/,
    ],
    [
      'options that are too large',
      { metadata: 'x'.repeat(5000) },
      413,
      /^the part "options" is larger than 4000 bytes$/,
    ],
  ];
  test.each(refusals)('with %s are refused', async (_name, options, status, error) => {
    const mta = await SubmissionFixture.start({ limits: { recipients: 3, optionsBytes: 4000 } });
    const given = await mta.submit(form(options));
    expect([given.status, given.json.error]).toEqual([status, expect.stringMatching(error)]);
    expect(mta.spool.underWay).toBe(0);
    expect(mta.queued).toEqual([]);
  });

  test('that nest without end are refused', async () => {
    const mta = await SubmissionFixture.start();
    const { status, json } = await mta.submit([
      { ...optionsPart(), content: `{"metadata":${'['.repeat(100_000)}` },
      messagePart(),
    ]);
    expect([status, json.error]).toEqual([400, expect.stringContaining('nests deeper')]);
  });

  test('may name the transport of a recipient, quote nothing, and use address literals', async () => {
    const mta = await SubmissionFixture.start();
    const { status } = await mta.submit(
      form({
        recipients: [
          { localpart: 'john doe', domain: '[127.0.0.1]', transportid: 'other' },
          { localpart: 'üser', domain: 'Example.TEST' },
        ],
      }),
    );
    expect(status).toBe(200);
    expect(
      mta.spool.committed[0]!.transaction.requests.map(({ recipient, transportId }) => [
        recipient,
        transportId,
      ]),
    ).toEqual([
      [{ localPart: 'john doe', domain: '[127.0.0.1]' }, 'other'],
      [{ localPart: Buffer.from('üser').toString('latin1'), domain: 'Example.TEST' }, 'default'],
    ]);
  });

  test('without a transport are refused where the server has none', async () => {
    const mta = await SubmissionFixture.start({ transportId: undefined });
    const { status, json } = await mta.submit();
    expect([status, json.error]).toEqual([
      400,
      'options.recipients[0].transportid: missing, and this server has no transport of its own',
    ]);
  });
});

describe('the form', () => {
  const refusals: readonly [string, FormPart[], number, RegExp][] = [
    ['an unknown part', [{ name: 'mail', content: 'x' }], 400, /^unknown part "mail"/],
    ['a part twice', [optionsPart(), optionsPart()], 400, /^there are two parts "options"$/],
    [
      'a part plain and packed',
      [messagePart(), ...packed([messagePart()])],
      400,
      /^there are two parts "rfc822"$/,
    ],
    ['a third part', [...form(), optionsPart()], 400, /^the form has more than two parts/],
    [
      'a part of another kind',
      [{ ...optionsPart(), type: 'text/html' }],
      415,
      /^the part "options" is "text\/html"/,
    ],
    [
      'a part in base64',
      [optionsPart(), { ...messagePart(), headers: ['Content-Transfer-Encoding: base64'] }],
      415,
      /Content-Transfer-Encoding/,
    ],
    ['an empty message', form({}, ''), 400, /^the part "rfc822" is empty$/],
    [
      'packed data that is none',
      [optionsPart(), { name: 'rfc822.gzip', content: 'Subject: x' }],
      400,
      /no whole gzip data/,
    ],
    [
      'packed data that ends early',
      [optionsPart(), { name: 'rfc822.gzip', content: gzipSync(plainMessage).subarray(0, -9) }],
      400,
      /no whole gzip data/,
    ],
  ];
  test.each(refusals)('with %s is refused', async (_name, parts, status, error) => {
    const mta = await SubmissionFixture.start();
    const given = await mta.submit(parts);
    expect([given.status, given.json.error]).toEqual([status, expect.stringMatching(error)]);
    expect(mta.spool.underWay).toBe(0);
    expect(mta.queued).toEqual([]);
    // The connection is none the worse for it.
    expect((await mta.submit()).status).toBe(200);
  });

  test('that says nothing of the types of its parts is read', async () => {
    const mta = await SubmissionFixture.start();
    const bare = form().map(({ name, content }) => ({ name, content }));
    expect((await mta.submit(bare)).status).toBe(200);
  });

  test('that is cut off by the end of the request is refused', async () => {
    const mta = await SubmissionFixture.start();
    const whole = formBody(form());
    for (const cut of [1, 20, 60, whole.length - 30, whole.length - 5]) {
      const { status, json } = await mta.send({
        headers: { 'x-api-key': testKey, 'content-type': formType },
        body: whole.subarray(0, cut),
      });
      expect([status, json.error]).toEqual([
        400,
        expect.stringMatching(/^the form cannot be read: |missing$/),
      ]);
    }
    expect(mta.queued).toEqual([]);
    expect(mta.spool.underWay).toBe(0);
  });

  test.each([
    ['another content type', { 'content-type': 'application/json' }, 415],
    ['none', { 'content-type': '' }, 415],
    ['a form without a boundary', { 'content-type': 'multipart/form-data' }, 400],
    ['a form of another kind', { 'content-type': `multipart/mixed; boundary=${boundary}` }, 415],
    ['a packed request', { 'content-encoding': 'gzip' }, 415],
  ])('as %s is refused', async (_name, headers, status) => {
    const mta = await SubmissionFixture.start();
    const given = await mta.submit(form(), { headers });
    expect([given.status, typeof given.json.error]).toEqual([status, 'string']);
    expect((await mta.submit()).status).toBe(200);
  });

  test('may have a preamble, an epilogue and a boundary in quotes', async () => {
    const mta = await SubmissionFixture.start();
    const { status } = await mta.send({
      headers: { 'x-api-key': testKey, 'content-type': `multipart/form-data; boundary="${boundary}"` },
      body: Buffer.concat([Buffer.from('ignored\r\n'), formBody(form()), Buffer.from('ignored too')]),
    });
    expect(status).toBe(200);
    expect(mta.messages).toEqual([plainMessage]);
  });
});
