import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { ListenError } from '../../../src/smtp/edge/listeners.js';
import { SubmissionServer } from '../../../src/submission/server.js';
import { scratchFolder } from '../../support/scratch-folder.js';
import {
  form,
  formBody,
  formType,
  plainMessage,
  SubmissionFixture,
  sendHttp,
  testKey,
} from '../../support/submission-fixture.js';

const keyOf = (key: string) => ({ id: undefined, sha256: createHash('sha256').update(key).digest() });

describe('a reload', () => {
  test('brings new keys, hooks and limits, on the same connection; what is under way finishes on the old', async () => {
    let accept: () => void = () => {};
    const mta = await SubmissionFixture.start({
      eod: () =>
        new Promise((resolve) => {
          accept = () => resolve({ kind: 'Accept', queued: [], reason: ['by the old'] });
        }),
    });
    const underWay = mta.submit();
    await expect.poll(() => mta.eodRuns).toBe(1);
    mta.server.reconfigure(mta.optionsWith({ apiKeys: [keyOf('new-key')], hooks: {}, transportId: 'other' }));
    expect((await mta.submit()).status).toBe(401);
    const other = await mta.submit(form(), { headers: { 'x-api-key': 'new-key' } });
    expect(other.status).toBe(200);
    expect(mta.spool.committed[0]!.transaction.requests[0]!.transportId).toBe('other');
    accept();
    expect((await underWay).json.result!.reason).toEqual(['by the old']);
  });
});

describe('a server that stops', () => {
  test('finishes what is under way, ends idle connections, and takes nothing new', async () => {
    let accept: () => void = () => {};
    const mta = await SubmissionFixture.start({
      eod: () =>
        new Promise((resolve) => {
          accept = () => resolve({ kind: 'Accept', queued: [] });
        }),
    });
    const idle = await mta.dial();
    const usedBefore = await mta.dial();
    usedBefore.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await usedBefore.until(/404/);
    const pipelining = await mta.dial();
    const one = `POST /v1/submission HTTP/1.1\r\nHost: x\r\nX-API-Key: ${testKey}\r\nContent-Type: ${formType}\r\nContent-Length: ${formBody(form()).length}\r\n\r\n${formBody(form()).toString('latin1')}`;
    pipelining.write(one);
    await expect.poll(() => mta.eodRuns).toBe(1);
    const { port } = mta;
    const stopped = mta.server.stop(30);
    await Promise.all([idle.untilClosed(), usedBefore.untilClosed()]);
    pipelining.write(one);
    accept();
    const answers = await pipelining.untilClosed();
    expect(answers).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close/i);
    await stopped;
    expect(mta.eodRuns).toBe(1);
    await expect(sendHttp(port, {})).rejects.toThrow('ECONNREFUSED');
  });

  test('answers 503 and closes where a request still comes', async () => {
    const mta = await SubmissionFixture.start();
    const raw = await mta.dial();
    raw.write('POST /v1/submission HTTP/1.1\r\n');
    await expect.poll(() => mta.server.connections.size).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    mta.server.isStopping = true;
    raw.write(`Host: x\r\nX-API-Key: ${testKey}\r\nContent-Length: 0\r\n\r\n`);
    const answer = await raw.untilClosed();
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    expect(answer).toContain('{"error":"the server is stopping"}');
  });

  test('waits no longer than it is told', async () => {
    const mta = await SubmissionFixture.start({ eod: () => new Promise(() => {}) });
    const lost = mta.submit().catch(() => 'gone');
    await expect.poll(() => mta.eodRuns).toBe(1);
    const stopped = mta.server.stop(30);
    mta.pass(31);
    await stopped;
    expect(await lost).toBe('gone');
    expect(mta.spool.underWay).toBe(0);
  });
});

test('a port that another program has is told with advice', async () => {
  const mta = await SubmissionFixture.start();
  const options = mta.optionsWith({ id: 'second', listeners: [{ address: '127.0.0.1', port: mta.port }] });
  const second = new SubmissionServer(options, mta.server.parts);
  await expect(second.start()).rejects.toThrow(ListenError);
  await second.stop(0);
});

describe('the log', () => {
  test('has one line for each request, with what an operator looks for and without secrets', async () => {
    const mta = await SubmissionFixture.start();
    const { json } = await mta.submit();
    await mta.submit([]);
    await mta.submit(form(), { headers: { 'x-api-key': 'my-secret-key' } });
    await mta.send({ method: 'DELETE', path: '/v1/submission?\x7f' }).catch(() => {});
    const { lines } = mta.log;
    expect(lines[0]).toMatchObject({
      level: 'info',
      message: 'message accepted',
      fields: {
        server: 'test',
        remoteip: '127.0.0.1',
        apikey: 'tester',
        transaction: json.transaction!.id,
        sender: 'from@client.test',
        size: mta.spool.committed[0]!.copies[0]!.length,
        queued: 1,
        status: 200,
        code: 250,
      },
    });
    expect(lines[0]!.fields['connection']).toBe(lines[1]!.fields['connection']);
    expect(
      lines.slice(1, 3).map(({ message, fields }) => [message, fields['status'], fields['error']]),
    ).toEqual([
      ['submission refused', 400, 'the part "options" is missing'],
      ['submission refused', 401, 'X-API-Key is not a key that is known here'],
    ]);
    const all = JSON.stringify(lines);
    expect(all).not.toContain('my-secret-key');
    expect(all).not.toContain(testKey);
  });
});

test('a UNIX socket is listened on like a port; its clients are on this machine', async () => {
  const folder = scratchFolder();
  const path = `${folder}/submission.sock`;
  const mta = await SubmissionFixture.start({
    listeners: [{ path }],
    limits: { connectionsPerIp: 5 },
    script: 'Accept(["metadata" => [$connection["remoteip"], $connection["localip"]]]);',
  });
  const answer = await new Promise<string>((resolve, reject) => {
    const sent = request(
      {
        socketPath: path,
        method: 'POST',
        path: '/v1/submission',
        headers: { 'x-api-key': testKey, 'content-type': formType },
      },
      (response) => response.on('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    sent.on('error', reject);
    sent.end(formBody(form()));
  });
  expect(answer).toContain('"metadata":["127.0.0.1","127.0.0.1"]');
  await mta.stop();
});

describe('the OpenAPI document', () => {
  test('is there for everybody, and answers fit what it says', async () => {
    const mta = await SubmissionFixture.start();
    const { status, json } = await mta.send({ method: 'GET', path: '/v1/openapi.json' });
    expect(status).toBe(200);
    const document = json as unknown as {
      openapi: string;
      paths: Record<
        string,
        { post: { requestBody: object; responses: Record<string, { content: object }> } }
      >;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual(['/v1/submission']);
    const { requestBody, responses } = document.paths['/v1/submission']!.post;
    expect(JSON.stringify(requestBody)).toContain('multipart/form-data');
    expect(JSON.stringify(requestBody)).toContain('"recipients"');
    expect(Object.keys(responses)).toEqual(['200', '400', '401', '408', '413', '415', '422', '500', '503']);
    const ajv = new Ajv2020({ strict: false });
    const schemaOf = (code: string) =>
      (responses[code]!.content as Record<string, { schema: object }>)['application/json']!.schema;
    expect(ajv.validate(schemaOf('200'), (await mta.submit()).json)).toBe(true);
    expect(ajv.validate(schemaOf('400'), (await mta.submit([])).json)).toBe(true);
    const wrong = await mta.submit(form(), { headers: { 'x-api-key': 'x' } });
    expect(ajv.validate(schemaOf('401'), wrong.json)).toBe(true);
  });

  test('is only to be read', async () => {
    const mta = await SubmissionFixture.start();
    const { status, headers } = await mta.send({ method: 'PUT', path: '/v1/openapi.json' });
    expect([status, headers.allow]).toEqual([405, 'GET']);
  });
});

test('a server without a script queues for every recipient', async () => {
  const mta = await SubmissionFixture.start();
  await mta.submit();
  expect(mta.messages).toEqual([plainMessage]);
});
