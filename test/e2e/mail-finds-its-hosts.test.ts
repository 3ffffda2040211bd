import { expect, onTestFinished, test } from 'vitest';
import { CountingSink, type CountingSinkOptions } from '../support/counting-sink.js';
import type { DaemonConfig, LogLine } from '../support/daemon.js';
import { type Behaviour, DnsServer, type Zone } from '../support/dns-server.js';
import { queueAll, sendMail, startDaemon } from '../support/mta.js';

// The daemon with a transport that names no host: it asks a DNS server of the test for the mail hosts of domains, and finds them on
// addresses of loopback, all with one port.

const showsAttempt = `echo "attempt " . json_encode([
  "attempt" => $arguments["attempt"], "action" => $arguments["action"] ?? "none", "policy" => $arguments["policy"] ?? "none"
]);`;

/** Mail hosts listening at addresses of loopback, with one port. */
async function startSinks(
  ...wanted: readonly [address: string, options?: CountingSinkOptions][]
): Promise<{ readonly sinks: readonly CountingSink[]; readonly port: number }> {
  const sinks: CountingSink[] = [];
  for (const [address, options] of wanted) {
    const sink = await CountingSink.start(options, sinks[0]?.port ?? 0, address);
    onTestFinished(() => sink.stop());
    sinks.push(sink);
  }
  return { sinks, port: sinks[0]!.port };
}

async function startDns(zone: Zone, behave?: Behaviour): Promise<DnsServer> {
  const dns = await DnsServer.start({ zone, ttl: 60, ...(behave === undefined ? {} : { behave }) });
  onTestFinished(() => dns.close());
  return dns;
}

/** A daemon whose mail goes to mail hosts. */
function startRelay(
  port: number,
  resolver: Readonly<Record<string, unknown>>,
  config: DaemonConfig = {},
  connection: Readonly<Record<string, unknown>> = {},
) {
  return startDaemon({
    hooks: { eod: queueAll, postdelivery: showsAttempt, ...config.hooks },
    app: {
      resolver: { timeout: 0.2, retries: 0, ...resolver },
      transportgroups: [
        {
          id: 'group',
          connection: { port, ...connection },
          retry: { count: 30, intervals: [{ interval: 1 }] },
          dsn: { transport: 'out' },
          transports: [{ id: 'out' }],
        },
      ],
    },
  });
}

const echoed = ({ msg, ...fields }: LogLine) =>
  Object.values({ ...fields, msg }).find((text) => `${text}`.startsWith('attempt {'));
const isAttempt = (line: LogLine) => echoed(line) !== undefined;
const attemptIn = (line: LogLine): unknown => JSON.parse(String(echoed(line)).slice('attempt '.length));

test('a host that is down is passed over for the next of the domain', async () => {
  const { sinks, port } = await startSinks(['127.0.0.3']);
  const dns = await startDns({
    'example.test': ['MX 20 mx2.example.test', 'MX 10 mx1.example.test'],
    'mx1.example.test': ['A 127.0.0.2'],
    'mx2.example.test': ['A 127.0.0.3'],
  });
  const daemon = await startRelay(port, { servers: [dns.serverText] });
  expect((await sendMail(daemon)).code).toBe(250);
  await sinks[0]!.waitFor(1);
  const line = await daemon.waitForLine(({ msg }) => msg === 'attempt delivered');
  expect(line).toMatchObject({ remotemx: 'mx2.example.test' });
  expect(dns.asked).toContain('MX example.test');
});

test('a host that refuses connections is passed over too, and preferred again for the next message', async () => {
  const { sinks, port } = await startSinks(
    ['127.0.0.2', { reply: (verb) => (verb === 'CONNECT' ? '554 not today' : undefined) }],
    ['127.0.0.3'],
  );
  const [first, second] = sinks;
  const dns = await startDns({
    'example.test': ['MX 10 mx1.example.test', 'MX 20 mx2.example.test'],
    'mx1.example.test': ['A 127.0.0.2'],
    'mx2.example.test': ['A 127.0.0.3'],
  });
  const daemon = await startRelay(port, { servers: [dns.serverText] });
  for (const count of [1, 2]) {
    expect((await sendMail(daemon)).code).toBe(250);
    await second!.waitFor(count);
  }
  expect(first!.connections.total).toBe(2);
  // The second message needed no question: the answers still hold.
  expect(dns.asked.filter((question) => question === 'MX example.test')).toHaveLength(1);
});

test('a domain that takes no mail is not connected to, and the sender is told', async () => {
  const { sinks, port } = await startSinks(['127.0.0.3']);
  const dns = await startDns({
    'example.test': ['MX 0 .', 'A 127.0.0.3'],
    'client.test': ['A 127.0.0.3'],
  });
  const daemon = await startRelay(port, { servers: [dns.serverText] });
  expect((await sendMail(daemon)).code).toBe(250);
  const line = await daemon.waitForLine(isAttempt);
  expect(attemptIn(line)).toMatchObject({
    attempt: { error: { type: 'dns', dns: 'nullmx', temporary: false } },
    action: 'BOUNCE',
    policy: 'none',
  });
  await sinks[0]!.waitFor(1);
  // The notification alone, to the domain of the sender, which is its own mail host.
  expect(sinks[0]!.connections.total).toBe(1);
  expect(sinks[0]!.deliveries[0]).toMatchObject({ sender: '', recipients: ['from@client.test'] });
});

test('a domain whose servers say nothing waits until they do', async () => {
  const { sinks, port } = await startSinks(['127.0.0.3']);
  let isSilent = true;
  const dns = await startDns({ 'example.test': ['A 127.0.0.3'] }, () => (isSilent ? 'silence' : undefined));
  const daemon = await startRelay(port, { servers: [dns.serverText] });
  expect((await sendMail(daemon)).code).toBe(250);
  const line = await daemon.waitForLine(({ msg }) => msg === 'message deferred');
  expect(line['reason']).toMatch(/mail hosts of "example\.test" are not known.*TRY_AGAIN/);
  isSilent = false;
  await sinks[0]!.waitFor(1);
});

test('mail that would come back is not sent: the sender is told', async () => {
  const { sinks, port } = await startSinks(['127.0.0.3']);
  const daemon = await startRelay(port, {
    servers: ['127.0.0.1:1'],
    hosts: {
      'example.test': { mx: ['10 mta.test', '20 mx.test'] },
      'mx.test': { a: ['127.0.0.3'] },
      'client.test': { a: ['127.0.0.3'] },
    },
  });
  expect((await sendMail(daemon)).code).toBe(250);
  const line = await daemon.waitForLine(({ msg }) => msg === 'attempt failed');
  expect(line['reason']).toMatch(/loops back to me: its best mail host "mta\.test" is this server/);
  await sinks[0]!.waitFor(1);
  expect(sinks[0]!.deliveries[0]).toMatchObject({ sender: '', recipients: ['from@client.test'] });
});

test('Try may mean the mail hosts of another domain, and some of them only', async () => {
  const { sinks, port } = await startSinks(['127.0.0.2'], ['127.0.0.3']);
  const daemon = await startRelay(
    port,
    {
      servers: ['127.0.0.1:1'],
      hosts: {
        'other.test': { mx: ['10 mx1.other.test', '20 mx2.other.test'] },
        'mx1.other.test': { a: ['127.0.0.2'] },
        'mx2.other.test': { a: ['127.0.0.3'] },
      },
    },
    {
      hooks: {
        predelivery:
          'Try(["host" => "lookup-mx", "domain" => "other.test", "mx_exclude" => ["mx1.other.test"]]);',
      },
    },
    { server: '127.0.0.2' },
  );
  expect((await sendMail(daemon)).code).toBe(250);
  await sinks[1]!.waitFor(1);
  expect(sinks[0]!.connections.total).toBe(0);
  expect(sinks[1]!.deliveries[0]).toMatchObject({ recipients: ['to@example.test'] });
});
