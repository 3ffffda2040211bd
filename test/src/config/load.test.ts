import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { scratchFolder } from '../../support/scratch-folder.js';

const smtpd = `version: "6.8"
servers:
  - id: in
    listeners:
      - address: 127.0.0.1
        port: 0
`;
const app = `version: "6.8"
servers:
  - id: in
    transport: out
transportgroups:
  - id: g
    retry: { count: 3, intervals: [{ interval: 15m }] }
    transports:
      - id: out
        connection: { server: 127.0.0.1, port: 2526 }
        dsn: { transport: out }
`;

function load(files: Record<string, string> = {}) {
  return loadConfiguration(scratchFolder({ 'smtpd.yaml': smtpd, 'smtpd-app.yaml': app, ...files }));
}

function problems(files: Record<string, string>): string[] {
  const folder = scratchFolder({ 'smtpd.yaml': smtpd, 'smtpd-app.yaml': app, ...files });
  try {
    loadConfiguration(folder);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.split('\n').map((line) => line.replaceAll(`${folder}/`, ''));
  }
  return [];
}

test('the spool may be named where earlier releases had it, but not in both places', () => {
  const older = `${smtpd}environment: { spool: { path: [a, b] } }\n`;
  const { startup } = load({ 'smtpd.yaml': older });
  expect(startup.spoolPaths.map((name) => path.basename(name))).toEqual(['a', 'b']);
  expect(problems({ 'smtpd.yaml': `${older}spool: { path: c }\n` })).toEqual([
    'smtpd.yaml:7:31: error: environment.spool.path: spool.path is there too; expected one of them, best spool.path',
  ]);
  expect(problems({ 'smtpd.yaml': `${smtpd}environment: { spool: { path: [a, a] } }\n` })).toEqual([
    expect.stringContaining('is named twice'),
  ]);
});

test('what is left out has the documented default', () => {
  const { startup, running, warnings } = load();
  expect(startup).toMatchObject({
    spoolPaths: ['/var/spool/argonite/queue'],
    spoolFsync: true,
    queueConcurrency: 10000,
    uuidVersion: 1,
    syslogMask: 255,
    spoolCorrupt: 'rename',
  });
  expect(running.servers[0]).toMatchObject({
    id: 'in',
    transportId: 'out',
    maxSizeBytes: 50 * 1024 * 1024,
    maxHops: 100,
    chunking: true,
    smtpUtf8: true,
    protocol: 'smtp',
    timeouts: { idle: 300, greeting: 300, transaction: 300, data: 300, message: 3600, linger: 30 },
  });
  expect(running.limits).toEqual({
    depth: 512,
    memoryBytes: 268435456,
    timeSeconds: 300,
    outputBytes: 1048576,
    instructions: 0,
  });
  expect(warnings).toEqual([]);
});

test('timeouts of a server follow idle unless they are given', () => {
  const timeout = 'timeout: { idle: 1m, greeting: 10s, message: 2h, linger: 5 }';
  const { running } = load({
    'smtpd-app.yaml': app.replace('transport: out\n', `transport: out\n    protocol: lmtp\n    ${timeout}\n`),
  });
  expect(running.servers[0]).toMatchObject({
    protocol: 'lmtp',
    timeouts: { idle: 60, greeting: 10, transaction: 60, data: 60, message: 7200, linger: 5 },
  });
});

test('transports inherit from their group and may override it', () => {
  const { running } = load({
    'smtpd-app.yaml': app.replace('connection: {', 'retry: { count: 7 }\n        connection: {'),
  });
  expect(running.transports.get('out')).toMatchObject({
    host: '127.0.0.1',
    port: 2526,
    retryCount: 7,
    retryIntervals: [{ seconds: 900, notify: false }],
  });
});

test('idle connections are pooled by address, or by host', () => {
  const pooling = (policy: string) => ({
    'smtpd-app.yaml': `${app}queues: { pooling: { policy: ${policy} } }\n`,
  });
  expect(load().running.pooledBy).toBe('remoteip');
  expect(load(pooling('remotemx')).running.pooledBy).toBe('remotemx');
  expect(problems(pooling('grouping'))).toEqual([
    'smtpd-app.yaml:12:30: error: queues.pooling.policy: found "grouping"; only "remoteip", "remotemx" are possible, pooling by grouping is not supported yet',
  ]);
});

test.each([
  [
    'a missing version',
    { 'smtpd.yaml': 'servers: []\n' },
    'smtpd.yaml:1:1: error: version: the version is missing; expected a text from "5.0" to "6.8", such as version: "6.8"',
  ],
  [
    'an unknown version',
    { 'smtpd-app.yaml': 'version: "99.9"\nservers: []\n' },
    'smtpd-app.yaml:1:10: error: version: version "99.9" is not supported; expected a text from "5.0" to "6.8", such as version: "6.8"',
  ],
  [
    'an unknown key',
    { 'smtpd.yaml': `${smtpd}spol: {}\n` },
    'smtpd.yaml:7:1: error: unknown key "spol"; did you mean "spool"?',
  ],
  [
    'a key whose feature comes later',
    { 'smtpd.yaml': `${smtpd}cluster: { port: 1 }\n` },
    'smtpd.yaml:7:10: error: cluster: this setting is documented, but clusters is not supported yet; remove it',
  ],
  [
    'a wrong type',
    { 'smtpd.yaml': smtpd.replace('port: 0', 'port: "x"') },
    'smtpd.yaml:6:15: error: servers[0].listeners[0].port: found "x"; expected a whole number',
  ],
  [
    'a port out of range',
    { 'smtpd.yaml': smtpd.replace('port: 0', 'port: 70000') },
    'smtpd.yaml:6:15: error: servers[0].listeners[0].port: found 70000; the maximum is 65535',
  ],
  [
    'a wrong size',
    { 'smtpd.yaml': `${smtpd}spool: { minfree: { bytes: 5MB } }\n` },
    'smtpd.yaml:7:28: error: spool.minfree.bytes: found "5MB"; expected a number of bytes, or a text such as "50MiB" (TiB, GiB, MiB, KiB, B)',
  ],
  [
    'broken YAML',
    { 'smtpd.yaml': 'version: "6.8"\nservers: [\n' },
    'smtpd.yaml:3:1: error: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  [
    'a hook without its script',
    {
      'smtpd-app.yaml': app.replace(
        'transport: out\n',
        'transport: out\n    phases: { eod: { hook: main } }\n',
      ),
    },
    'smtpd-app.yaml:5:28: error: servers[0].phases.eod.hook: no eod script "main": expected scripting.hooks.eod to have that id, or the file hooks/eod/main.hsl',
  ],
  [
    'LMTP on the port of SMTP',
    {
      'smtpd.yaml': smtpd.replace('port: 0', 'port: 25'),
      'smtpd-app.yaml': app.replace('transport: out\n', 'transport: out\n    protocol: lmtp\n'),
    },
    'smtpd.yaml:6:15: error: servers[0].listeners[0].port: server "in" speaks LMTP, which must not be on port 25; expected another port, such as 24',
  ],
  [
    'a server that smtpd.yaml lacks',
    { 'smtpd-app.yaml': app.replace('transportgroups', '  - id: b\ntransportgroups') },
    'smtpd-app.yaml:5:9: error: servers[1].id: server "b" is not in smtpd.yaml; expected it there with its listeners',
  ],
  [
    'an unknown transport',
    { 'smtpd-app.yaml': app.replace('transport: out\n', 'transport: nowhere\n') },
    'smtpd-app.yaml:4:16: error: servers[0].transport: unknown transport "nowhere"',
  ],
  [
    'a policy that needs a later feature',
    { 'smtpd-policy.yaml': 'version: "6.8"\npolicies:\n  - fields: [localip]\n' },
    'smtpd-policy.yaml:3:13: error: policies[0].fields: found ["localip"]; only policies with fields: [remotemx] are supported yet',
  ],
] as const)('%s is refused at its place', (_, files, message) => {
  expect(problems(files as Record<string, string>)).toContain(message);
});

test('"5.10" is a newer version than "5.9", and both are accepted', () => {
  for (const version of ['5.0', '5.9', '5.10', '6.0', '6.8']) {
    expect(problems({ 'smtpd.yaml': smtpd.replace('6.8', version) })).toEqual([]);
  }
});

test('all problems of all files are told at once', () => {
  const found = problems({
    'smtpd.yaml': smtpd.replace('port: 0', 'prot: 0'),
    'smtpd-app.yaml': `${app}lsits: {}\n`,
  });
  expect(found.some((line) => line.includes('unknown key "prot"; did you mean "port"?'))).toBe(true);
  expect(found.some((line) => line.includes('unknown key "lsits"; did you mean "lists"?'))).toBe(true);
});

test('scripts come from the folder, and an entry in the YAML wins over a file', () => {
  const withHook = app.replace('transport: out\n', 'transport: out\n    phases: { eod: { hook: main } }\n');
  const fromFile = load({
    'smtpd-app.yaml': withHook,
    'hooks/eod/main.hsl': 'echo 1;',
    'files/a/b.txt': 'x',
    'files/.hidden': 'y',
  });
  expect(fromFile.running.scripts.get('eod/main')?.text).toBe('echo 1;');
  expect(fromFile.running.files).toEqual([{ id: 'a/b.txt', text: 'x' }]);
  const inline = `${withHook}scripting:\n  hooks:\n    eod:\n      - id: main\n        data: "echo \\"å\\";"\n`;
  const fromYaml = load({ 'smtpd-app.yaml': inline, 'hooks/eod/main.hsl': 'echo 1;' });
  expect(fromYaml.running.scripts.get('eod/main')?.text).toBe('echo "\xc3\xa5";');
});

test('a source tree is read like a packed folder', () => {
  const folder = scratchFolder({
    'src/config/smtpd.yaml': smtpd,
    'src/config/smtpd-app.yaml': app,
    'src/hooks/queue/predelivery.hsl': 'Try();',
  });
  expect(loadConfiguration(folder).running.predelivery).toEqual({
    name: path.join(folder, 'src/hooks/queue/predelivery.hsl'),
    text: 'Try();',
  });
});

test('a script that no phase runs is a warning, one that lies ready is not', () => {
  const { warnings } = load({
    'hooks/queue/predelivery.hsl': '',
    'hooks/queue/pre.hsl': '',
    'hooks/predelivery/pre.hsl': '',
    'hooks/rcpt/a.hsl': '',
    'hooks/rcpt/README': '',
    'hooks/eod/spare.hsl': '',
    'hooks/.git/a.hsl': '',
    'hooks/notes.hsl': '',
  });
  expect(warnings.map(({ file, message }) => [file.replace(/.*hooks\//, ''), message])).toEqual([
    ['predelivery/pre.hsl', 'this script is never run: expected the file hooks/queue/predelivery.hsl'],
    [
      'queue/pre.hsl',
      'this script is never run: expected predelivery.hsl or postdelivery.hsl in this folder',
    ],
    [
      'rcpt/a.hsl',
      expect.stringMatching(/^this script is never run: expected a folder .*eod.*, found "rcpt"$/),
    ],
  ]);
});

test('rcptto scripts may depend on the recipient domain', () => {
  const { running } = load({
    'smtpd-app.yaml': app.replace(
      'transport: out\n',
      'transport: out\n    phases: { rcptto: { hook: { id: any, recipientdomains: { A.test: onlya } } } }\n',
    ),
    'hooks/rcptto/any.hsl': '',
    'hooks/rcptto/onlya.hsl': '',
  });
  expect(running.servers[0]!.rcpttoHook).toBe('any');
  expect([...running.servers[0]!.rcpttoHookByDomain]).toEqual([['a.test', 'onlya']]);
});

describe('proxy, auth, reverse DNS and the protocol log', () => {
  const withServer = (text: string) => ({
    'smtpd-app.yaml': app.replace('transport: out\n', `transport: out\n${text}`),
    'hooks/proxy/p.hsl': '',
    'hooks/auth/a.hsl': '',
  });

  test('have their settings, and their scripts a folder each', () => {
    const { running } = load(
      withServer(`    phases:
      proxy: { hook: p, commands: [BREV, HEJDÅ] }
      auth: { hook: a, requiretls: false, maxfailures: 3 }
      connect: { remoteptr: true }
    logging: { verbose: true }
`),
    );
    expect(running.servers[0]).toMatchObject({
      hooks: { proxy: 'p', auth: 'a' },
      proxyCommands: ['BREV', 'HEJDÅ'],
      auth: { enabled: true, requireTls: false, maxFailures: 3 },
      reverseNames: true,
      verbose: true,
    });
    expect([...running.scripts.keys()]).toEqual(['proxy/p', 'auth/a']);
  });

  test('are off or strict by default', () => {
    expect(load().running.servers[0]).toMatchObject({
      hooks: {},
      proxyCommands: undefined,
      auth: { enabled: true, requireTls: true, maxFailures: 5 },
      reverseNames: false,
      verbose: false,
    });
  });

  test('are told that AUTH waits for a TLS that never comes', () => {
    const messages = (auth: string) =>
      load(withServer(`    phases: { auth: { hook: a${auth} } }\n`)).warnings.map(({ message }) => message);
    expect(messages('')).toEqual([expect.stringContaining('AUTH is never offered')]);
    expect(messages(', requiretls: false')).toEqual([]);
    expect(messages(', enabled: false')).toEqual([]);
  });

  test.each([
    ['phases: { proxy: { hook: p, commands: ["MAIL FROM"] } }', 'found "MAIL FROM"'],
    ['phases: { proxy: { hook: p, commands: [""] } }', 'found ""'],
    ['phases: { proxy: { hook: x } }', 'no proxy script "x"'],
    ['phases: { auth: { hook: x } }', 'no auth script "x"'],
    ['phases: { auth: { maxfailures: -1 } }', 'found -1'],
    ['phases: { auth: { requiretls: 1 } }', 'found 1'],
  ])('are refused as %s', (text, message) => {
    expect(problems(withServer(`    ${text}\n`)).join('\n')).toContain(message);
  });
});

test('a listener beyond loopback without a rcptto script is a warning', () => {
  const { warnings } = load({ 'smtpd.yaml': smtpd.replace('address: 127.0.0.1\n        ', '') });
  expect(warnings.map(({ message }) => message)).toEqual([
    expect.stringContaining('listens beyond loopback without a rcptto script'),
  ]);
});

test('a folder that is not there is said so', () => {
  expect(() => loadConfiguration('/nonexistent/argonite')).toThrow(
    '/nonexistent/argonite: error: there is no such folder',
  );
});

test('metrics are declared with their labels and buckets', () => {
  const { running } = load({
    'smtpd-app.yaml': `${app}metrics:
  - { name: mails, type: counter, help: Mails by result., labels: [result] }
  - { name: size_bytes, type: histogram, buckets: [1000, 100000] }
`,
  });
  expect(running.metrics).toEqual([
    { name: 'mails', type: 'counter', help: 'Mails by result.', labels: ['result'], buckets: undefined },
    { name: 'size_bytes', type: 'histogram', help: 'size_bytes', labels: [], buckets: [1000, 100000] },
  ]);
});

test.each([
  ['{ name: argonite_x, type: gauge }', '"argonite_x" begins with argonite_'],
  ['{ name: a b, type: gauge }', 'a b'],
  ['{ name: x, type: gauge, buckets: [1] }', 'only a histogram has buckets'],
  ['{ name: x, type: histogram, buckets: [2, 1] }', 'the buckets do not ascend'],
  ['{ name: x, type: histogram, labels: [le] }', '"le" is the label of'],
  ['{ name: x, type: gauge, labels: [a, a] }', 'has a label twice'],
  ['{ name: x, type: timer }', 'timer'],
])('the metric %s is refused', (metric, message) => {
  const found = problems({ 'smtpd-app.yaml': `${app}metrics:\n  - ${metric}\n` });
  expect(found.join('\n')).toContain(message);
});

const withSuffixes = (setting: string) => ({
  'smtpd.yaml': `${smtpd}environment:\n  publicsuffix: ${setting}\n`,
});

test('a list of public suffixes takes the place of the one that came with us', () => {
  const list = '// ours\ncom\n*.bd\n!www.bd\n';
  const { startup } = load({ ...withSuffixes('lists/suffixes.dat'), 'lists/suffixes.dat': list });
  expect(startup.publicSuffixes!.countLabels(['x', 'y', 'bd'])).toBe(2);
  expect(startup.publicSuffixes!.countLabels(['x', 'org'])).toBe(0);
  expect(load().startup.publicSuffixes).toBeUndefined();
});

test('a list of public suffixes that is none is a problem', () => {
  expect(problems(withSuffixes('missing.dat'))[0]).toMatch(/smtpd\.yaml:\d+.*missing\.dat cannot be read/);
  expect(problems({ ...withSuffixes('empty.dat'), 'empty.dat': '// nothing\n' })[0]).toContain(
    'empty.dat is no list of public suffixes: there is no rule in it',
  );
  expect(problems({ ...withSuffixes('bad.dat'), 'bad.dat': 'com\na..b\n' })[0]).toContain(
    'line 2 is no rule',
  );
});

test('a transport protects its sessions and logs in as it is told', () => {
  const session = (text: string) =>
    app.replace('connection: {', `session: { ${text} }\n        connection: {`);
  const transportOf = (text: string) =>
    load({ 'smtpd-app.yaml': session(text) }).running.transports.get('out');
  expect(load().running.transports.get('out')).toMatchObject({
    tls: { mode: 'disabled' },
    credentials: undefined,
  });
  expect(
    transportOf(
      'saslusername: é, saslpassword: s3cret, tls: { mode: require_verify, sni: true, verifyname: ["*.a.test"] }',
    ),
  ).toMatchObject({
    tls: { mode: 'require_verify', sni: true, verifiesHost: false, verifyNames: ['*.a.test'] },
    credentials: { userName: 'Ã©', password: 's3cret', allowsUnverified: false },
  });
  expect(transportOf('tls: { mode: dane_fallback_require, mtasts: true }')).toMatchObject({
    tls: { mode: 'dane_fallback_require', usesMtaSts: true },
  });
  const warned = load({ 'smtpd-app.yaml': session('tls: { mtasts: true }') }).warnings;
  expect(warned.map(({ message }) => message).join('\n')).toMatch(
    /mtasts has no effect with tls.mode "disabled"/,
  );
  const refused = (text: string) => problems({ 'smtpd-app.yaml': session(text) }).join('\n');
  expect(refused('tls: { mode: danish }')).toMatch(/dane_fallback_require/);
  expect(refused('tls: { protocols: "!TLSv9" }')).toMatch(/"!TLSv9" is no protocol/);
  expect(refused('tls: { clientcert: mine }')).toMatch(/there is no key "mine" in pki.private/);
  expect(refused('saslpassword: x')).toMatch(/without a saslusername/);
  const badPassword = refused('saslusername: me, saslpassword: 7341');
  expect(badPassword).toMatch(/found a number; expected a text/);
  expect(badPassword).not.toContain('7341');
});

test('addresses have names', () => {
  const { running } = load({
    'smtpd-app.yaml': `${app}addresses: [{ id: a, address: 192.0.2.1, hostname: a.test }, { id: b, address: "::1" }]\n`,
  });
  expect(running.addresses).toEqual(
    new Map([
      ['a', { address: '192.0.2.1', hostname: 'a.test' }],
      ['b', { address: '::1', hostname: undefined }],
    ]),
  );
  const text = problems({
    'smtpd-app.yaml': `${app}addresses: [{ id: a, address: 1.2.3 }, { id: a, address: "::1" }]\n`,
  }).join('\n');
  expect(text).toMatch(/found "1.2.3"; expected an IP address/);
  expect(text).toMatch(/two addresses with the id "a"/);
});
