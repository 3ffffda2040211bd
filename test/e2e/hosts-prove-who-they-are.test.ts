import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import { certificatesInPem } from '#stdlib';
import { tlsaText } from '../../src/delivery/security/dane/tlsa.js';
import type { DaemonConfig } from '../support/daemon.js';
import { recordOf } from '../support/dane-chains.js';
import { queueAll, sendMail, startDaemon } from '../support/mta.js';
import { type ScriptedPeer, startPeer } from '../support/scripted-peer.js';
import { createAuthority, type TestCertificate } from '../support/test-certificates.js';

// What the recipient's side publishes about its TLS holds in the daemon as it ships: TLSA records and MTA-STS policies decide
// whether a host gets mail, and scripts see what was found.

const showsTls = `$attempt = $arguments["attempt"] ?? [];
  $tls = $attempt["connection"]["tls"] ?? [];
  echo "seen " . $message["recipientaddress"]["domain"] . " " . json_encode([
    $arguments["action"] ?? "delivered", $attempt["error"]["type"] ?? none, $tls["started"] ?? none, $tls["tlsrpt"] ?? none,
    $tls["tlsa"]["records"][0]["usage"] ?? none,
  ]);`;

interface World {
  readonly peer: ScriptedPeer;
  readonly port: number;
  readonly authority: ReturnType<typeof createAuthority>;
  readonly certificate: TestCertificate;
}

/** A peer that is every host there is, with a certificate for mx.right.test. */
async function startWorld(t: TestContext): Promise<World> {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-hosts-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const authority = createAuthority(folder);
  const certificate = authority.issue('mx.right.test', ['DNS:mx.right.test']);
  const script = { EHLO: { raw: '250-peer.test\r\n250 STARTTLS\r\n' } };
  const peer = await startPeer(t, script, certificate);
  return { peer, port: peer.port, authority, certificate };
}

const pin = ({ cert }: TestCertificate, isWrong = false) =>
  tlsaText(recordOf({ certificate: certificatesInPem(cert)![0]! }, 3, 1, 1, isWrong));

/** A domain with one mail host, and what that host publishes. */
function domain(name: string, port: number, tlsa: readonly string[], secure = true) {
  return {
    [name]: { mx: [`10 mx.${name}`], secure },
    [`mx.${name}`]: { a: ['127.0.0.1'], secure },
    [`_${port}._tcp.mx.${name}`]: { tlsa, secure },
  };
}

function configured(
  { port, authority }: World,
  tls: Readonly<Record<string, unknown>>,
  hosts: Readonly<Record<string, unknown>>,
): DaemonConfig {
  return {
    hooks: { eod: queueAll, postdelivery: showsTls },
    app: {
      // Nobody answers there: what is not listed cannot be looked up.
      resolver: { servers: ['127.0.0.1:1'], timeout: 0.1, retries: 0, hosts },
      pki: { ca: [{ id: 'tests', certificate: { path: authority.certFile } }] },
      transportgroups: [
        {
          id: 'group',
          connection: { port },
          session: { tls },
          retry: { count: 30, intervals: [{ interval: 600 }] },
          dsn: { transport: 'out' },
          transports: [{ id: 'out' }],
        },
      ],
    },
  };
}

/** What the script saw of the first attempt at each domain. */
async function seen(daemon: Awaited<ReturnType<typeof startDaemon>>, domains: readonly string[]) {
  const answers: Record<string, unknown> = {};
  for (const name of domains) {
    const line = await daemon.waitForLine((one) => JSON.stringify(one).includes(`seen ${name} `));
    const text = Object.values(line).find((value) => String(value).startsWith('seen '));
    answers[name] = JSON.parse(String(text).slice(`seen ${name} `.length));
  }
  return answers;
}

test('TLSA records decide which hosts get mail, and plain text is no way out', async (t) => {
  const world = await startWorld(t);
  const { peer, port, certificate } = world;
  const domains = ['right.test', 'wrong.test', 'unsigned.test', 'without.test', 'unknown.test'];
  const { [`_${port}._tcp.mx.unknown.test`]: _, ...unknown } = domain('unknown.test', port, []);
  const daemon = await startDaemon(
    configured(
      world,
      { mode: 'dane' },
      {
        ...domain('right.test', port, [pin(certificate)]),
        ...domain('wrong.test', port, [pin(certificate, true)]),
        ...domain('unsigned.test', port, [pin(certificate, true)], false),
        ...domain('without.test', port, []),
        ...unknown,
      },
    ),
  );
  const reply = await sendMail(
    daemon,
    undefined,
    domains.map((name) => `you@${name}`),
  );
  expect(reply.code).toBe(250);
  expect(await seen(daemon, domains)).toEqual({
    'right.test': ['delivered', null, true, null, 3],
    'wrong.test': ['QUEUE', 'dane', true, 'certificate-not-trusted', 3],
    'unsigned.test': ['delivered', null, true, null, null],
    'without.test': ['delivered', null, true, null, null],
    'unknown.test': ['QUEUE', 'dane', null, null, null],
  });
  expect(peer.messages.length).toBe(3);
  expect(peer.handshakes.find(({ servername }) => servername === 'mx.right.test')).toBeDefined();
});

test('a policy of the last run is enforced: mail goes to its hosts, with their certificates, and to no others', async (t) => {
  const world = await startWorld(t);
  const { peer, port } = world;
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-daemon-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const policy = (name: string, mode: string, mx: string) => ({
    domain: name,
    id: '1',
    fetchedAtMs: Date.now(),
    policy: { mode, mx: [mx], maxAgeSeconds: 86_400 },
  });
  mkdirSync(path.join(folder, 'spool'));
  writeFileSync(
    path.join(folder, 'spool', 'mta-sts.json'),
    JSON.stringify({
      version: 1,
      policies: [
        policy('right.test', 'enforce', '*.right.test'),
        policy('elsewhere.test', 'enforce', 'mx.other.test'),
        policy('wrongname.test', 'enforce', 'mx.wrongname.test'),
        policy('trial.test', 'testing', 'mx.other.test'),
      ],
    }),
  );
  const domains = ['right.test', 'elsewhere.test', 'wrongname.test', 'trial.test'];
  const hosts = Object.assign(
    {},
    ...domains.map((name) => ({
      ...domain(name, port, [], false),
      [`_mta-sts.${name}`]: { txt: ['v=STSv1; id=1;'] },
    })),
  ) as Record<string, unknown>;
  const daemon = await startDaemon({
    ...configured(world, { mode: 'optional', mtasts: true }, hosts),
    folder,
  });
  const reply = await sendMail(
    daemon,
    undefined,
    domains.map((name) => `you@${name}`),
  );
  expect(reply.code).toBe(250);
  expect(await seen(daemon, domains)).toEqual({
    'right.test': ['delivered', null, true, null, null],
    'elsewhere.test': ['QUEUE', 'tls', null, null, null],
    'wrongname.test': ['QUEUE', 'tls', true, 'certificate-host-mismatch', null],
    'trial.test': ['delivered', null, true, 'validation-failure', null],
  });
  expect(peer.messages.length).toBe(2);
});
