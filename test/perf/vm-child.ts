// Runs one HSL program's run() some times in this process and prints its checksum and the CPU milliseconds of each
// repetition: the same line that the harnesses beside the other languages' programs print.

import { readFileSync } from 'node:fs';
import { compile, DEPTH_ONLY, execute } from '#lang';
import { catalogEnvironment, createCompileHost, createRunHost } from '../support/script-host.js';

const [file, repetitions] = process.argv.slice(2);
const text = `${readFileSync(file!, 'latin1')}\n$result = run();\n`;
const { program, diagnostics } = await compile(
  { name: file!, text },
  catalogEnvironment(),
  createCompileHost(),
);
if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));

const times: number[] = [];
let checksum: unknown;
for (let i = 0; i < Number(repetitions); i++) {
  const execution = execute(program, {
    host: createRunHost(),
    limits: DEPTH_ONLY,
  });
  const before = process.cpuUsage();
  const result = await execution.run();
  const { user, system } = process.cpuUsage(before);
  if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  times.push((user + system) / 1000);
  checksum = execution.variable('result');
}
process.stdout.write(`${checksum} ${times.join(' ')}\n`);
