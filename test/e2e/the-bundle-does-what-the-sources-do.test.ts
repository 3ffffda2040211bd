import path from 'node:path';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../src/config/load.js';
import { problemsToText } from '../../src/loaded.js';
import { root, runProgram } from '../support/peers.js';
import { scratchFolder } from '../support/scratch-folder.js';

const launch = path.join(root, 'src/cli/launch.cjs');
const loader = path.join(root, 'src/bundle/load.cjs');

/** Every way in which a schema of ours can say no, by file. */
const wrong = {
  'smtpd.yaml': `version: "6.8"
servers:
  - id: in
    listeners: [{ address: 127.0.0.1, port: 70000, prot: 1 }]
  - listeners: { port: x }
    proxyprotocol: [nowhere]
environment:
  umask: "9"
  shutdown: { grace: soon }
  hostnam: mx
spool: { path: [], minfree: { bytes: much } }
nonsense: 1
`,
  'smtpd-app.yaml': `version: "6.8"
servers:
  - id: in
    transport: 7
    phases: { rcptto: { hook: { id: a, recipientdomains: { b: 1 } } }, ready: {} }
    concurrency: { total: -1, ip: [{ network: x, limit: a }] }
    apikeys: [{ id: a, sha256: secret }, 5]
transportgroups:
  - id: g
    retry: { count: -1, intervals: [{ interval: never }, 5x] }
    transports:
      - id: out
        connection: { server: 1, port: "a" }
        session: { tls: { mode: perhaps } }
        unknown: true
pki: { private: [{ id: k, privatekey: 5 }] }
scripting: { limits: { memory: [] } }
`,
  'smtpd-delivery.yaml': `version: "6.8"
delivery:
  default: { pooling: { enabled: "yes", transactions: 1.5, timeout: [] } }
  conditions: [{ if: { remotemx: 5 }, then: { retry: { intervals: [] } } }]
`,
  'smtpd-policy.yaml': `version: "6.8"
policies: [{ fields: [jobid], default: { concurrency: x, rate: 5 }, conditions: [] }, 5]
`,
  'smtpd-suspend.yaml': 'version: "6.8"\nsuspends: [{ fields: {} }]\n',
};

test('a wrong configuration gets the same words from compiled schemas as from schemas', async () => {
  const folder = scratchFolder(wrong);
  let words = '';
  try {
    loadConfiguration(folder);
  } catch (error) {
    words = problemsToText(error);
  }
  expect(words.split('\n').length).toBeGreaterThan(30);
  for (const name of Object.keys(wrong)) expect(words).toContain(`${name}:`);
  const { stderr, code } = await runProgram(process.execPath, [launch, 'serve', '-c', folder, '--check']);
  expect(stderr).toBe(`${words}\n`);
  expect(code).toBe(1);
});

test("V8 takes the build's code caches, and the command runs without them", async () => {
  const script = `
    const { currentFolder, openBundle } = require(${JSON.stringify(loader)});
    const onScript = (file, { cachedDataRejected }) =>
      console.log(require('node:path').basename(file), cachedDataRejected === false);
    openBundle(currentFolder(), { onScript })('./command.cjs');`;
  const run = (...flags: string[]) =>
    runProgram(process.execPath, [...flags, '-e', script, 'argonite', 'hsh', '-e', 'echo 1 + 1;']);
  expect((await run()).stdout.split('\n')).toEqual(
    expect.arrayContaining(['command.cjs true', 'rooms.cjs true', '2']),
  );
  // Code that was compiled with other flags is not V8's to run.
  const other = await run('--no-flush-bytecode');
  expect(other).toMatchObject({ code: 0, stderr: '' });
  expect(other.stdout.split('\n')).toEqual(expect.arrayContaining(['rooms.cjs false', '2']));
});

test('stack traces lead to the sources when source maps are on', async () => {
  const script = `
    const { currentFolder, openBundle } = require(${JSON.stringify(loader)});
    try {
      openBundle(currentFolder())('./rooms.cjs').hsh().addHshCommand(undefined);
    } catch (error) {
      console.log(error.stack);
    }`;
  const plain = await runProgram(process.execPath, ['-e', script]);
  expect(plain.stdout).toMatch(/at .*addHshCommand .*dist\/bundle\/[0-9a-f]+\/rooms\.cjs:\d+/);
  const mapped = await runProgram(process.execPath, ['--enable-source-maps', '-e', script]);
  expect(mapped.stdout).toContain('src/cli/hsh.ts:');
});

test('what the compiler wrote runs too, only slower', async () => {
  const main = path.join(root, 'dist/src/cli/main.js');
  const run = await runProgram(process.execPath, [main, 'hsh', '-e', 'echo 1 + 1;']);
  expect(run).toMatchObject({ code: 0, stdout: '2\n' });
});
