// The 40-line hook as the daemon runs it: for each of 100,000 messages a fresh execution with fresh context values.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compile, execute, HslArray, type Value } from '#lang';
import { root } from '../support/peers.js';
import { catalogEnvironment, createCompileHost, createRunHost } from '../support/script-host.js';

const turns = 100_000;
const file = path.join(root, 'test/perf/vm/hook.hsl');
const environment = {
  ...catalogEnvironment(),
  variables: ['connection', 'transaction'].map((name) => ({ name, summary: `The ${name}.`, readonly: true })),
};
const { program, diagnostics } = await compile(
  { name: file, text: readFileSync(file, 'latin1') },
  environment,
  createCompileHost(),
);
if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
const host = createRunHost();

const record = (fields: Record<string, Value>) => HslArray.fromRecord(fields);

function connectionOf(port: number): Value {
  return record({
    id: 'c',
    remoteip: '192.0.2.1',
    remoteport: port,
    helo: record({ verb: 'EHLO', host: 'MX.Example.org' }),
    tls: record({ started: true, protocol: 'TLSv1.3' }),
  });
}

function transactionOf(): Value {
  return record({
    id: 't',
    sender: 'Joe@Example.org',
    senderaddress: record({ localpart: 'Joe', domain: 'Example.org' }),
    recipients: HslArray.fromList([
      record({ recipient: 'a@example.net', address: record({ localpart: 'a', domain: 'example.net' }) }),
      record({
        recipient: 'b@blocked.example',
        address: record({ localpart: 'b', domain: 'blocked.example' }),
      }),
    ]),
  });
}

const times: number[] = [];
let sum = 0;
for (let i = 0; i < Number(process.argv[2] ?? 4); i++) {
  sum = 0;
  const before = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) {
    const execution = execute(program, {
      host,
      variables: [connectionOf(30_000 + (turn % 1000)), transactionOf()],
    });
    const result = execution.run();
    if (result instanceof Promise || result.kind !== 'finished')
      throw new Error(JSON.stringify(await result));
    sum += execution.variable('outcome') as number;
  }
  const { user, system } = process.cpuUsage(before);
  times.push((user + system) / 1000);
}
process.stdout.write(`${sum} ${times.join(' ')}\n`);
