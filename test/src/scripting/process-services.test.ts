// The services of a process: what a configuration names, and how it is replaced.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { compile, execute } from '#lang';
import {
  bareSettings,
  ProcessServices,
  type ScriptSettings,
} from '../../../src/scripting/process-services.js';
import { HookRunServices } from '../../../src/scripting/run-surroundings.js';
import { makeTransport } from '../../support/delivery-attempt.js';
import { scratchFolder } from '../../support/scratch-folder.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../../support/script-host.js';
import { startPeer } from '../../support/scripted-peer.js';
import { TestLog } from '../../support/test-log.js';

function services(changes: Partial<ScriptSettings> = {}, root?: string) {
  const log = new TestLog();
  const made = new ProcessServices({
    settings: { ...bareSettings(root), ...changes },
    log,
    hostname: () => 'mx.test',
  });
  return { made, log };
}

async function echoes(script: string, from: ProcessServices): Promise<string[]> {
  const { program, diagnostics } = await compile(
    { name: 'main.hsl', text: script },
    catalogEnvironment(),
    createCompileHost(),
  );
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const lines: string[] = [];
  const execution = execute(program, { host: createRunHost((text) => lines.push(text)), services: from });
  const result = await execution.run();
  if (result.kind === 'failed') lines.push(`error: ${result.error.message}`);
  return lines;
}

test('a script asks for each of them', async (t) => {
  const peer = await startPeer(t, { EHLO: '250 peer.test\nAUTH PLAIN' });
  const root = scratchFolder({ 'a.txt': 'below the root' });
  const { made } = services(
    {
      transports: new Map([['out', makeTransport({ port: peer.port })]]),
      addresses: new Map([['nine', { address: '127.0.0.9', hostname: 'nine.test' }]]),
      files: new Map([['named', 'by name']]),
      metrics: [{ name: 'seen', type: 'counter', help: 'x', labels: [], buckets: undefined }],
      resolver: { servers: ['127.0.0.1:1'], hosts: { 'a.test': { a: ['192.0.2.7'], mx: ['5 mx.a.test'] } } },
    },
    root,
  );
  const at = `"host" => "127.0.0.1", "port" => ${peer.port}`;
  expect(
    await echoes(
      `
      echo dns_query("a.test")["result"];
      echo dns_query("a.test", ["type" => "mx"])["result"];
      echo File("named")->read();
      echo File("file://a.txt")->read();
      metrics_increment("seen", []);
      echo metrics_get("seen", []);
      echo smtp_lookup_rcpt("out", "", "b@b.test");
      echo smtp_lookup_rcpt([${at}, "sourceipid" => "nine"], "", "b@b.test");
      echo smtp_lookup_auth([${at}], "user", "secret");
      $sent = MIME()->addHeader("Subject", "Hi")->setBody("Hello")->send("", ["b@b.test", "c@b.test"], [${at}]);
      echo $sent["result"]["state"] . $sent["result"]["code"] . $sent["connection"]["localip"];
      echo str_slice(crypt("secret", "\\$6\\$salt"), 0, 8);
      try { MIME()->queue("", "b@b.test", "out"); } catch ($e) { echo $e->message(); }
      `,
      made,
    ),
  ).toEqual([
    '[0=>"192.0.2.7"]',
    '[0=>"mx.a.test"]',
    'by name',
    'below the root',
    '["value"=>1]',
    '1',
    '1',
    '1',
    'EOD250127.0.0.1',
    '$6$salt$',
    'queue: there is no queue here; only a running daemon has one',
  ]);
  expect(peer.commands).toContain('EHLO nine.test');
  expect(peer.commands).toContain('EHLO mx.test');
  await made.close();
});

test('keys go by their id, with or without its scheme', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = {
    key: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    certificates: [],
  };
  const { made } = services({ keys: new Map([['a', key]]), authorities: new Map([['ca', []]]) });
  expect(made.configured.key('a')).toBe(key);
  expect(made.configured.key('pki:a')).toBe(key);
  expect(made.configured.key('b')).toBeUndefined();
  expect(made.trust.key('pki:a')).toBe(key);
  expect(made.configured.authorities('pki:ca')).toEqual([]);
});

test('a reload replaces what is configured as a whole, and a run keeps what it began with', async () => {
  const { made } = services({
    addresses: new Map([['a', { address: '192.0.2.1', hostname: undefined }]]),
    files: new Map([['f', 'old']]),
  });
  const run = new HookRunServices(made, undefined, { transaction: 't', script: 's' });
  made.configure({
    ...bareSettings(undefined),
    addresses: new Map([['a', { address: '192.0.2.2', hostname: undefined }]]),
    files: new Map([['f', 'new']]),
  });
  expect(run.configured.address('a')?.address).toBe('192.0.2.1');
  expect((await run.configured.file('f'))?.sizeBytes).toBe(3);
  expect(made.configured.address('a')?.address).toBe('192.0.2.2');
});

test('a reload with other resolver settings asks anew, with the same ones it remembers', async () => {
  const hosts = { 'a.test': { a: ['192.0.2.1'] } };
  const settings = { ...bareSettings(undefined), resolver: { servers: ['127.0.0.1:1'], hosts } };
  const { made } = services(settings);
  const ask = async () => {
    const answer = await made.network.resolver!.query({ name: 'a.test', type: 'a' });
    return answer.kind === 'records'
      ? answer.records.map((record) => 'address' in record && record.address)
      : [];
  };
  expect(await ask()).toEqual(['192.0.2.1']);
  made.configure({
    ...settings,
    resolver: { ...settings.resolver, hosts: { 'a.test': { a: ['192.0.2.2'] } } },
  });
  expect(await ask()).toEqual(['192.0.2.2']);
  expect(await made.names.addresses('a.test')).toMatchObject({ kind: 'addresses', ips: ['192.0.2.2'] });
});

test('delivery asks the same resolver', async () => {
  const { made } = services({
    resolver: {
      servers: ['127.0.0.1:1'],
      hosts: { 'mx.test': { a: ['192.0.2.1'], aaaa: ['2001:db8::1'] }, 'b.test': { mx: ['7 mx.test'] } },
    },
  });
  expect(await made.names.addresses('mx.test')).toMatchObject({
    kind: 'addresses',
    ips: ['192.0.2.1', '2001:db8::1'],
  });
  expect(await made.names.mailHosts('b.test')).toMatchObject({
    kind: 'hosts',
    hosts: [{ name: 'mx.test', preference: 7 }],
  });
  expect(await made.names.addresses('localhost')).toMatchObject({ kind: 'addresses' });
});
