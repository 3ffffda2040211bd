import { mkdtempSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { httpsPolicyFetch } from '../../../../../src/delivery/security/mta-sts/fetch.js';
import { signedResolver } from '../../../../support/signed-zone.js';
import {
  createAuthority,
  type TestAuthority,
  type TestCertificate,
} from '../../../../support/test-certificates.js';

const HOST = 'mta-sts.a.test';
const FILE = 'version: STSv1\nmode: enforce\nmx: mx.a.test\nmax_age: 1000\n';
let folder: string;
let authority: TestAuthority;
let stranger: TestAuthority;
let good: TestCertificate;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'argonite-sts-'));
  authority = createAuthority(folder);
  good = authority.issue(HOST, [`DNS:${HOST}`]);
  // The machine's own list is long, and read by every fetch that a test makes.
  vi.stubEnv('SSL_CERT_FILE', authority.certFile);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A policy host on loopback. */
async function policyHost(answer: RequestListener, { key, cert }: TestCertificate = good) {
  const requests: string[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    requests.push(`${request.method} ${request.headers.host} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

async function fetchFrom(port: number, timeoutSeconds = 10, signal = new AbortController().signal) {
  const resolver = signedResolver({ [HOST]: { a: ['127.0.0.1'] } });
  const fetch = httpsPolicyFetch({
    resolver: () => resolver,
    authorities: () => [authority.cert],
    port,
    timeoutSeconds,
  });
  const fetched = await fetch('a.test', signal);
  return fetched.kind === 'policy' ? fetched.policy : `${fetched.failure}: ${fetched.message}`;
}

const text =
  (
    body: string,
    headers: Readonly<Record<string, string>> = { 'content-type': 'text/plain' },
  ): RequestListener =>
  (_, response) => {
    response.writeHead(200, headers);
    response.end(body);
  };

test('a policy is fetched from its place', async () => {
  const { port, requests } = await policyHost(text(FILE, { 'content-type': 'Text/Plain; charset=us-ascii' }));
  expect(await fetchFrom(port)).toEqual({ mode: 'enforce', mx: ['mx.a.test'], maxAgeSeconds: 1000 });
  expect(requests).toEqual([`GET ${HOST}:${port} /.well-known/mta-sts.txt`]);
});

describe('what is not a policy is not taken for one', () => {
  const cases: readonly (readonly [string, RequestListener, RegExp])[] = [
    [
      'a redirect',
      (_, r) => r.writeHead(301, { location: `https://${HOST}/` }).end(FILE),
      /^sts-policy-fetch-error: .* answered with 301/,
    ],
    [
      'another status',
      (_, r) => r.writeHead(206, { 'content-type': 'text/plain' }).end(FILE),
      /^sts-policy-fetch-error: .* 206/,
    ],
    ['not found', (_, r) => r.writeHead(404).end(), /^sts-policy-fetch-error: .* 404/],
    [
      'another type',
      text(FILE, { 'content-type': 'text/html' }),
      /^sts-policy-fetch-error: .* type "text\/html"/,
    ],
    ['no type', text(FILE, {}), /^sts-policy-fetch-error: .* type ""/],
    [
      'an encoding',
      text(FILE, { 'content-type': 'text/plain', 'content-encoding': 'gzip' }),
      /^sts-policy-fetch-error: .* encoded/,
    ],
    ['too much', text('x'.repeat(65_537)), /^sts-policy-fetch-error: .* larger than 64 KiB/],
    ['nonsense', text('nonsense'), /^sts-policy-invalid: .* no field/],
    [
      'half of it',
      (_, r) => {
        r.writeHead(200, { 'content-type': 'text/plain', 'content-length': '1000' });
        r.write(FILE, () => r.destroy());
      },
      /^sts-policy-fetch-error: /,
    ],
    ['nothing at all', (_, r) => r.destroy(), /^sts-policy-fetch-error: .*ECONNRESET/],
  ];
  test.each(cases)('%s', async (_, answer, expected) => {
    const { port } = await policyHost(answer);
    expect(await fetchFrom(port)).toMatch(expected);
  });

  test('silence, within the time it is given', async () => {
    const { port } = await policyHost(() => {});
    expect(await fetchFrom(port, 0.05)).toMatch(/^sts-policy-fetch-error: .* no answer within 0.05 s/);
  });

  test('a body that never ends', async () => {
    const { port } = await policyHost((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write(FILE);
    });
    expect(await fetchFrom(port, 0.1)).toMatch(/^sts-policy-fetch-error: .* no answer within 0.1 s/);
  });

  test('nobody there', async () => {
    const { port } = await policyHost(() => {});
    const resolver = signedResolver({});
    const fetch = httpsPolicyFetch({ resolver: () => resolver, port });
    expect(await fetch('a.test', new AbortController().signal)).toMatchObject({
      failure: 'sts-policy-fetch-error',
    });
  });

  test('a wait that is given up', async () => {
    const { port } = await policyHost(() => {});
    const impatience = new AbortController();
    const fetching = fetchFrom(port, 10, impatience.signal);
    impatience.abort();
    expect(await fetching).toMatch(/given up/);
  });
});

describe('the certificate must be trusted and for the policy host', () => {
  test.each<readonly [string, () => TestCertificate]>([
    ['another name', () => authority.issue('other.test', ['DNS:other.test'])],
    ['a common name alone', () => authority.issue(HOST, [])],
    ['a wildcard for more than one label', () => authority.issue('x', ['DNS:*.test'])],
    ['expired', () => authority.issue(HOST, [`DNS:${HOST}`], { isExpired: true })],
    [
      'from nobody we know',
      () => {
        const other = mkdtempSync(path.join(folder, 'other-'));
        stranger = createAuthority(other);
        return stranger.issue(HOST, [`DNS:${HOST}`]);
      },
    ],
  ])('%s: refused', async (_, certificate) => {
    const { port, requests } = await policyHost(text(FILE), certificate());
    expect(await fetchFrom(port)).toMatch(/^sts-webpki-invalid: /);
    expect(requests).toEqual([]);
  });

  test('a wildcard for one label: taken', async () => {
    const { port } = await policyHost(text(FILE), authority.issue('x', ['DNS:*.a.test']));
    expect(await fetchFrom(port)).toMatchObject({ mode: 'enforce' });
  });
});
