import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { beforeAll, expect, onTestFinished, type TestContext, test } from 'vitest';
import type { Daemon, DaemonConfig } from '../support/daemon.js';
import { DnsServer, type Zone } from '../support/dns-server.js';
import { queueAll, sendMail, startDaemon } from '../support/mta.js';
import { scratchFolder } from '../support/scratch-folder.js';
import { type ScriptedPeer, startPeer } from '../support/scripted-peer.js';
import { createAuthority, type TestAuthority, type TestCertificate } from '../support/test-certificates.js';

// RFC 8461 with nothing made up: the daemon finds policies by DNS, fetches them by HTTPS from port 443 of `mta-sts.DOMAIN`, and
// holds the hosts of the domain to them.

/** An address of loopback that nothing else uses: two tests cannot have its port 443 at the same time. */
const POLICY_HOST = '127.84.61.1';
/** Nobody listens there. */
const NOBODY = '127.84.61.2';
const HTTPS = 443;

/** Why port 443 of the policy host cannot be had. */
let obstacle: string | undefined;
beforeAll(async () => {
  const probe = createServer();
  obstacle = await new Promise<string | undefined>((resolve) => {
    probe.once('error', ({ message }) => resolve(message));
    probe.listen(HTTPS, POLICY_HOST, () => probe.close(() => resolve(undefined)));
  });
});

const showsTls = `$attempt = $arguments["attempt"] ?? [];
  $tls = $attempt["connection"]["tls"] ?? [];
  echo "seen " . $message["recipientaddress"]["domain"] . " " . json_encode([
    $arguments["action"] ?? "delivered", $attempt["error"]["type"] ?? none, $tls["started"] ?? none, $tls["tlsrpt"] ?? none,
  ]) . " " . ($attempt["error"]["message"] ?? "");`;

/** What the policy host has: a file by domain, or an answer of its own. */
type PolicyFiles = Record<string, string | ((response: ServerResponse) => void)>;

interface World {
  readonly peer: ScriptedPeer;
  readonly dns: DnsServer;
  readonly authority: TestAuthority;
  /** Changed by tests while the daemon runs. */
  readonly files: PolicyFiles;
  readonly zone: Record<string, readonly string[]>;
  /** `GET` and the host, one for each fetch. */
  readonly fetches: string[];
  closePolicyHost(): Promise<void>;
}

/** A peer that is every mail host there is, with a certificate for mx.right.test and others; a policy host; their DNS. */
async function startWorld(t: TestContext, names: readonly string[], files: PolicyFiles): Promise<World> {
  const authority = createAuthority(scratchFolder());
  const certificate = authority.issue(
    'mx.right.test',
    names.map((name) => `DNS:${name}`),
  );
  const peer = await startPeer(t, { EHLO: { raw: '250-peer.test\r\n250 STARTTLS\r\n' } }, certificate);
  const fetches: string[] = [];
  const server = await startPolicyHost(authority, files, fetches);
  const zone: Record<string, readonly string[]> = {};
  // Nothing is kept: what a test changes in the zone is seen by the next message.
  const dns = await DnsServer.start({ zone: zone as Zone, ttl: 0, negativeTtl: 0 });
  onTestFinished(() => dns.close());
  const closePolicyHost = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(closePolicyHost);
  return { peer, dns, authority, files, zone, fetches, closePolicyHost };
}

/** Shows each client a certificate for the name that it asks for, `mta-sts.stranger.test` excepted. */
function startPolicyHost(authority: TestAuthority, files: PolicyFiles, fetches: string[]): Promise<Server> {
  const made = new Map<string, TestCertificate>();
  const certificateFor = (name: string): TestCertificate => {
    const known = made.get(name) ?? authority.issue(name, [`DNS:${name}`]);
    made.set(name, known);
    return known;
  };
  const { key, cert } = certificateFor('policies.test');
  const server = createServer(
    {
      key,
      cert,
      SNICallback: (name, chosen) =>
        chosen(
          null,
          name === 'mta-sts.stranger.test' ? undefined : createSecureContext({ ...certificateFor(name) }),
        ),
    },
    (request, response) => {
      const host = request.headers.host ?? '';
      fetches.push(`${request.method} ${host}${request.url}`);
      const file = files[host.replace(/^mta-sts\./, '')];
      if (typeof file === 'function') file(response);
      else if (file === undefined || request.url !== '/.well-known/mta-sts.txt')
        response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'text/plain' }).end(file);
    },
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(HTTPS, POLICY_HOST, () => resolve(server));
  });
}

const policy = (mode: string, ...mx: readonly string[]) =>
  ['version: STSv1', `mode: ${mode}`, ...mx.map((host) => `mx: ${host}`), 'max_age: 86400', ''].join('\r\n');

/** A domain with a mail host, and a record that says where its policy is. */
function domain(name: string, policyHost = POLICY_HOST, id = '1'): Record<string, readonly string[]> {
  return {
    [name]: [`MX 10 mx.${name}`],
    [`mx.${name}`]: ['A 127.0.0.1'],
    [`_mta-sts.${name}`]: [`TXT "v=STSv1; id=${id};"`],
    [`mta-sts.${name}`]: [`A ${policyHost}`],
  };
}

function configured({ peer, dns, authority }: World, folder: string): DaemonConfig {
  return {
    folder,
    hooks: { eod: queueAll, postdelivery: showsTls },
    pooling: false,
    app: {
      resolver: { servers: [dns.serverText], timeout: 2, retries: 1 },
      pki: { ca: [{ id: 'tests', certificate: { path: authority.certFile } }] },
      transportgroups: [
        {
          id: 'group',
          connection: { port: peer.port },
          session: { tls: { mode: 'optional', mtasts: true } },
          retry: { count: 30, intervals: [{ interval: 600 }] },
          dsn: { transport: 'out' },
          transports: [{ id: 'out' }],
        },
      ],
    },
  };
}

/** What the script saw of the first attempt at each domain since the daemon said so many lines. */
async function seen(daemon: Daemon, domains: readonly string[], from = 0) {
  const answers: Record<string, unknown> = {};
  for (const name of domains) {
    const line = await daemon.waitForLine((one) => {
      return daemon.lines.indexOf(one) >= from && JSON.stringify(one).includes(`seen ${name} `);
    });
    const text = String(Object.values(line).find((value) => String(value).startsWith('seen ')));
    answers[name] = JSON.parse(/\[.*?\]/.exec(text)![0]);
  }
  return answers;
}

async function sendTo(daemon: Daemon, domains: readonly string[]) {
  const from = daemon.lines.length;
  const recipients = domains.map((name) => `you@${name}`);
  expect((await sendMail(daemon, undefined, recipients)).code).toBe(250);
  return seen(daemon, domains, from);
}

const takenBy = ({ commands }: ScriptedPeer) =>
  commands.flatMap((line) => /^RCPT TO:<you@(.*)>/.exec(line)?.[1] ?? []).sort();

test('policies are fetched by HTTPS, and each says what it says', async (t) => {
  t.skip(obstacle !== undefined, `port ${HTTPS} of ${POLICY_HOST} cannot be had: ${obstacle}`);
  const names = ['mx.right.test', 'mx.elsewhere.test', 'mx.trial.test', 'mx.none.test'];
  const world = await startWorld(t, names, {
    'right.test': policy('enforce', '*.right.test'),
    'wrongname.test': policy('enforce', 'mx.wrongname.test'),
    'elsewhere.test': policy('enforce', 'mx.other.test'),
    'trial.test': policy('testing', 'mx.trial.test'),
    'trialname.test': policy('testing', 'mx.trialname.test'),
    'trialhost.test': policy('testing', 'mx.other.test'),
    'none.test': policy('none'),
    'stranger.test': policy('enforce', 'mx.other.test'),
    'invalid.test': 'version: STSv1\r\nmode: enforce\r\n',
    'moved.test': (response) =>
      response.writeHead(302, { location: 'https://mta-sts.elsewhere.test/.well-known/mta-sts.txt' }).end(),
  });
  const { zone, fetches, peer } = world;
  const domains = [...Object.keys(world.files), 'unreachable.test', 'without.test'];
  for (const name of domains) Object.assign(zone, domain(name));
  Object.assign(zone, domain('unreachable.test', NOBODY));
  delete zone['_mta-sts.without.test'];
  const daemon = await startDaemon(configured(world, scratchFolder()));

  expect(await sendTo(daemon, domains)).toEqual({
    'right.test': ['delivered', null, true, null],
    // Nothing but the policy minds: with `optional` alone all of these would have their mail.
    'wrongname.test': ['QUEUE', 'tls', true, 'certificate-host-mismatch'],
    'elsewhere.test': ['QUEUE', 'tls', null, null],
    'trial.test': ['delivered', null, true, null],
    'trialname.test': ['delivered', null, true, 'certificate-host-mismatch'],
    'trialhost.test': ['delivered', null, true, 'validation-failure'],
    'none.test': ['delivered', null, true, null],
    'stranger.test': ['delivered', null, true, 'sts-webpki-invalid'],
    'invalid.test': ['delivered', null, true, 'sts-policy-invalid'],
    'moved.test': ['delivered', null, true, 'sts-policy-fetch-error'],
    'unreachable.test': ['delivered', null, true, 'sts-policy-fetch-error'],
    'without.test': ['delivered', null, true, null],
  });
  expect(takenBy(peer)).toEqual(
    domains.filter((name) => name !== 'wrongname.test' && name !== 'elsewhere.test').sort(),
  );
  expect(fetches).toContain('GET mta-sts.right.test/.well-known/mta-sts.txt');
  expect(fetches.filter((line) => /stranger|unreachable|without/.test(line))).toEqual([]);
  // RFC 8461 7.1: the host is asked for by its name, whatever the transport says.
  for (const host of ['mx.right.test', 'mx.wrongname.test', 'mx.trialhost.test'])
    expect(peer.handshakes.map(({ servername }) => servername)).toContain(host);
});

test('a policy that was fetched is enforced when its host and its record are gone, after a restart too', async (t) => {
  t.skip(obstacle !== undefined, `port ${HTTPS} of ${POLICY_HOST} cannot be had: ${obstacle}`);
  const world = await startWorld(t, ['mx.kept.test'], { 'kept.test': policy('enforce', 'mx.kept.test') });
  const { zone, fetches } = world;
  Object.assign(zone, domain('kept.test'));
  const folder = scratchFolder();
  const daemon = await startDaemon(configured(world, folder));
  expect(await sendTo(daemon, ['kept.test'])).toEqual({ 'kept.test': ['delivered', null, true, null] });
  expect(await sendTo(daemon, ['kept.test'])).toEqual({ 'kept.test': ['delivered', null, true, null] });
  expect(fetches).toHaveLength(1);

  // Somebody on the path answers for the domain now: a host of his, and nothing about a policy that could be reached.
  await world.closePolicyHost();
  zone['kept.test'] = ['MX 10 mx.evil.test'];
  zone['mx.evil.test'] = ['A 127.0.0.1'];
  zone['_mta-sts.kept.test'] = ['TXT "v=STSv1; id=2;"'];
  expect(await sendTo(daemon, ['kept.test'])).toEqual({ 'kept.test': ['QUEUE', 'tls', null, null] });
  delete zone['_mta-sts.kept.test'];
  expect(await sendTo(daemon, ['kept.test'])).toEqual({ 'kept.test': ['QUEUE', 'tls', null, null] });
  expect(await daemon.stop()).toBe(0);

  const next = await startDaemon(configured(world, folder));
  expect(await sendTo(next, ['kept.test'])).toEqual({ 'kept.test': ['QUEUE', 'tls', null, null] });
  zone['kept.test'] = ['MX 10 mx.kept.test'];
  expect(await sendTo(next, ['kept.test'])).toEqual({ 'kept.test': ['delivered', null, true, null] });
});
