import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { ServerContexts, type ServerTlsSettings } from '../../../src/smtp/tls/server-contexts.js';
import { serverCertificates, serverTls } from '../../support/server-tls.js';
import { form, formBody, formType, SubmissionFixture, testKey } from '../../support/submission-fixture.js';

const made = serverCertificates();
const contexts = (changes: Partial<ServerTlsSettings> = {}) => new ServerContexts(serverTls(made(), changes));

const start = (
  changes: Partial<ServerTlsSettings> = {},
  script = 'Accept(["metadata" => $connection["tls"]]);',
) => SubmissionFixture.start({ isSecure: true, tls: contexts(changes), script });

interface Sent {
  readonly status: number;
  readonly json: { readonly metadata?: Record<string, unknown> };
  readonly shown: string | undefined;
}

/** Submits over TLS, on connections of an agent that are kept. */
function submitter(port: number) {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  onTestFinished(() => agent.destroy());
  return (): Promise<Sent> =>
    new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          agent,
          method: 'POST',
          path: '/v1/submission',
          servername: 'mx.example.test',
          headers: { 'x-api-key': testKey, 'content-type': formType },
        },
        (response) => {
          const shown = String((response.socket as TLSSocket).getPeerCertificate().subject.CN);
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, json: JSON.parse(text) as Sent['json'], shown }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(formBody(form()));
    });
}

test('a submission over TLS is one like any other, and the script sees the handshake', async () => {
  const mta = await start();
  const { status, json } = await submitter(mta.port)();
  expect(status).toBe(200);
  expect(json.metadata).toMatchObject({ protocol: 'TLSv1.3', keysize: 256, sni: 'mx.example.test' });
});

test('a client that speaks no TLS is cut off without a word', async () => {
  const mta = await start();
  const raw = await mta.dial();
  raw.write('POST /v1/submission HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await raw.untilClosed()).not.toContain('HTTP');
  expect((await submitter(mta.port)()).status).toBe(200);
});

test('certificates are reloaded: new handshakes get the new ones, connections that are open go on', async () => {
  const { certificates } = serverTls(made(), {});
  const mta = await start({ certificates: certificates.slice(0, 1) });
  const before = submitter(mta.port);
  const first = await before();
  const other = certificates.find(({ key }) => key !== certificates[0]!.key)!;
  mta.server.reconfigure(
    mta.optionsWith({ isSecure: true, tls: contexts({ certificates: [{ ...other, names: [] }] }) }),
  );
  const second = await before();
  const third = await submitter(mta.port)();
  expect([first.status, second.status, third.status]).toEqual([200, 200, 200]);
  expect(second.shown).toBe(first.shown);
  expect(third.shown).not.toBe(first.shown);
});

test('a client without the certificate that is required hears nothing', async () => {
  const mta = await start({ clientCertificate: 'require' });
  await expect(submitter(mta.port)()).rejects.toThrow();
  expect(mta.eodRuns).toBe(0);
});

test('stopping does not wait for a connection that never asks for anything', async () => {
  const mta = await start();
  const silent = connect({ host: '127.0.0.1', port: mta.port, rejectUnauthorized: false });
  silent.on('error', () => {});
  await new Promise<void>((resolve) => silent.once('secureConnect', resolve));
  const closed = new Promise<void>((resolve) => silent.once('close', () => resolve()));
  await mta.server.stop(30);
  await closed;
});
