import path from 'node:path';
import { root, runProgram, skipReason } from '../support/peers.js';
import { geometricMean, median, table } from './measure.js';

// The ten programs of the VM, next to the same programs in Lua, PHP and Python, in turns. CPU time of the process, the
// median of the warm repetitions (the first is left out).

const programs = [
  'fib',
  'loops',
  'sieve',
  'strcat',
  'assoc',
  'cow_write',
  'cow_read',
  'nbody',
  'regex',
  'hook',
] as const;
const folder = path.join(root, 'test/perf/vm');

const languages: Readonly<Record<string, (program: string, repetitions: number) => [string, string[]]>> = {
  lua: (program, n) => ['lua5.4', [`${folder}/harness.lua`, `${folder}/${program}.lua`, String(n)]],
  php: (program, n) => [
    'php',
    ['-d', 'memory_limit=2G', `${folder}/harness.php`, `${folder}/${program}.php`, String(n)],
  ],
  python: (program, n) => ['python3', [`${folder}/harness.py`, `${folder}/${program}.py`, String(n)]],
  hsl: (program, n) => [
    process.execPath,
    program === 'hook'
      ? [path.join(root, 'dist/test/perf/hook-child.js'), String(n)]
      : [path.join(root, 'dist/test/perf/vm-child.js'), `${folder}/${program}.hsl`, String(n)],
  ],
};

async function time(
  language: string,
  program: string,
  repetitions: number,
): Promise<{ checksum: string; ms: number }> {
  const [command, args] = languages[language]!(program, repetitions);
  const { code, stdout, stderr } = await runProgram(command, args);
  if (code !== 0) throw new Error(`${language} ${program} ended with ${code}: ${stderr}`);
  const [checksum, ...times] = stdout.trim().split(' ');
  return { checksum: checksum!, ms: median(times.slice(1).map(Number)) };
}

/** `npm run bench -- vm [--rounds N] [program...]` */
export async function run(args: readonly string[]): Promise<void> {
  const reason = skipReason('lua5.4', 'php');
  if (reason !== undefined) throw new Error(`cannot compare: ${reason}`);
  const roundsAt = args.indexOf('--rounds');
  const rounds = roundsAt === -1 ? 3 : Number(args[roundsAt + 1]);
  const chosen = programs.filter((program) => args.includes(program));
  const rows: string[][] = [];
  const ratios: number[] = [];
  for (const program of chosen.length > 0 ? chosen : programs) {
    const times = new Map<string, number[]>(Object.keys(languages).map((language) => [language, []]));
    const checksums = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      for (const language of Object.keys(languages)) {
        const { checksum, ms } = await time(language, program, 4);
        checksums.add(checksum);
        times.get(language)!.push(ms);
      }
    }
    if (checksums.size !== 1)
      throw new Error(`${program}: the languages disagree: ${[...checksums].join(', ')}`);
    const [lua, php, python, hsl] = ['lua', 'php', 'python', 'hsl'].map((language) =>
      median(times.get(language)!),
    ) as [number, number, number, number];
    ratios.push(hsl / lua);
    rows.push([
      program,
      lua.toFixed(1),
      php.toFixed(1),
      python.toFixed(1),
      hsl.toFixed(1),
      (hsl / lua).toFixed(2),
      (hsl / php).toFixed(2),
      (hsl / python).toFixed(2),
    ]);
  }
  process.stdout.write(`CPU ms, median of ${rounds} rounds in turns\n\n`);
  process.stdout.write(
    `${table(['program', 'lua5.4', 'php', 'python3', 'hsl', 'x lua', 'x php', 'x python'], rows)}\n`,
  );
  process.stdout.write(`\ngeometric mean against lua5.4: ${geometricMean(ratios).toFixed(2)}\n`);
}
