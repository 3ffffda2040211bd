// pcre_match in a script, and the engine under it, next to V8's RegExp and to php's preg_match (PCRE2 with its jit), over the
// same subjects in the same run. All of them make the groups; all of them must find as many matches.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compile, DEPTH_ONLY, execute, HslArray } from '#lang';
import { createRunHost } from '../../src/scripting/host/index.js';
import { createPatternEngine } from '../../src/scripting/host/patterns/engine.js';
import { root, runProgram, skipReason } from '../support/peers.js';
import { catalogEnvironment, createCompileHost } from '../support/script-host.js';
import { geometricMean, median, table } from './measure.js';

interface Case {
  readonly name: string;
  readonly source: string;
  readonly flags: string;
  readonly subjects: readonly string[];
  /** Walks over the subjects in a round. */
  readonly times: number;
  /** V8 cannot say this. */
  readonly onlyPcre?: true;
}

const lines = [
  'From: Joe User <joe.user@example.org>',
  'queue id 77AB12 removed',
  '550 5.1.1 no such user here',
  'Received: from mx1.example.net (10.1.2.3)',
  'plain text without anything',
  'joe@x.example, ann@y.example',
  '451 4.7.1 try again later please',
  'id=4711;state=open',
];
const header = `${Array.from({ length: 40 }, (_, i) => `X-Header-${i}: value ${i} of some length`).join('\r\n')}\r\nSubject: Your invoice 2026-0042\r\n`;
const body = 'The quick brown fox jumps over the lazy dog. '.repeat(1500);

const cases: readonly Case[] = [
  { name: 'address', source: '([a-z.]+)@([a-z.]+)', flags: '', subjects: lines, times: 10_000 },
  {
    name: 'reply code',
    source: '^[45][0-9][0-9] [45]\\.[0-9]+\\.[0-9]+',
    flags: '',
    subjects: lines,
    times: 10_000,
  },
  { name: 'caseless id', source: 'id[ =]([0-9A-F]+)', flags: 'i', subjects: lines, times: 10_000 },
  {
    name: 'named groups',
    source: '(?<ip>\\d+\\.\\d+\\.\\d+\\.\\d+)',
    flags: '',
    subjects: lines,
    times: 10_000,
  },
  {
    name: 'alternatives',
    source: '\\b(invoice|payment|overdue|lottery)\\b',
    flags: 'i',
    subjects: [header],
    times: 3000,
  },
  { name: 'header line', source: '^Subject: (.*)$', flags: 'm', subjects: [header], times: 3000 },
  { name: 'miss in 66 KiB', source: 'unsubscribe', flags: 'i', subjects: [body], times: 200 },
  {
    name: 'words of 66 KiB',
    source: '(\\w+) dog\\. (?:The (\\w+) )?$',
    flags: '',
    subjects: [body],
    times: 20,
  },
  {
    name: 'possessive',
    source: '^(?:[a-z0-9]++[.@ ]?)*+>',
    flags: 'i',
    subjects: lines,
    times: 10_000,
    onlyPcre: true,
  },
  {
    name: 'recursion',
    source: '(\\((?:[^()]++|(?1))*\\))',
    flags: '',
    subjects: lines,
    times: 10_000,
    onlyPcre: true,
  },
];

/** Walks over all subjects so many times and counts the matches. */
type Matcher = (times: number) => number | Promise<number>;

function v8(one: Case): Matcher | undefined {
  if (one.onlyPcre) return undefined;
  const pattern = new RegExp(one.source, one.flags);
  return (times) => {
    let count = 0;
    for (let i = 0; i < times; i++)
      for (const subject of one.subjects) if (pattern.exec(subject) !== null) count++;
    return count;
  };
}

function engine(one: Case, only?: 'pcre2'): Matcher {
  const pattern = createPatternEngine(only === undefined ? {} : { only }).compile(one.source, one.flags);
  return (times) => {
    let count = 0;
    for (let i = 0; i < times; i++)
      for (const subject of one.subjects) if (pattern.exec(subject, 0) !== undefined) count++;
    return count;
  };
}

async function script(one: Case): Promise<Matcher> {
  const environment = {
    ...catalogEnvironment(),
    variables: ['times', 'subjects'].map((name) => ({ name, summary: 'Given.', readonly: true })),
  };
  const text = `
    $count = 0;
    for ($i = 0; $i < $times; $i += 1)
      foreach ($subjects as $subject)
        if (pcre_match(#/${one.source}/${one.flags}, $subject)) $count += 1;`;
  const { program, diagnostics } = await compile(
    { name: 'patterns.hsl', text },
    environment,
    createCompileHost(),
  );
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const host = createRunHost({ echo: () => {} });
  return async (times) => {
    const execution = execute(program, {
      host,
      limits: DEPTH_ONLY,
      variables: [times, HslArray.fromList([...one.subjects])],
    });
    const result = await execution.run();
    if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
    return execution.variable('count') as number;
  };
}

interface Measured {
  readonly count: number;
  readonly microseconds: number;
}

async function measure(matcher: Matcher, times: number, rounds: number): Promise<Measured> {
  const found: number[] = [];
  let count = 0;
  for (let round = 0; round < rounds + 1; round++) {
    const before = process.cpuUsage();
    count = await matcher(times);
    const { user, system } = process.cpuUsage(before);
    // The first round is for the compilers.
    if (round > 0) found.push(user + system);
  }
  return { count, microseconds: median(found) };
}

async function php(rounds: number): Promise<readonly Measured[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'argonite-patterns-'));
  try {
    const file = path.join(folder, 'cases.json');
    writeFileSync(
      file,
      JSON.stringify(
        cases.map(({ source, flags, subjects, times }) => ({
          pattern: `/${source}/${flags}`,
          subjects,
          times,
        })),
      ),
    );
    const { code, stdout, stderr } = await runProgram('php', [
      '-d',
      'memory_limit=1G',
      path.join(root, 'test/perf/patterns.php'),
      file,
      String(rounds + 1),
    ]);
    if (code !== 0) throw new Error(`php ended with ${code}: ${stderr}`);
    return stdout
      .trim()
      .split('\n')
      .map((line) => {
        const { count, rounds: all } = JSON.parse(line) as { count: number; rounds: number[] };
        return { count, microseconds: median(all.slice(1)) };
      });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `npm run bench -- patterns [--rounds N]` */
export async function run(args: readonly string[]): Promise<void> {
  const reason = skipReason('php');
  if (reason !== undefined) throw new Error(`cannot compare: ${reason}`);
  const roundsAt = args.indexOf('--rounds');
  const rounds = roundsAt === -1 ? 5 : Number(args[roundsAt + 1]);
  const phps = await php(rounds);
  const rows: string[][] = [];
  const toPhp: number[] = [];
  const toV8: number[] = [];
  for (const [index, one] of cases.entries()) {
    const matches = one.times * one.subjects.length;
    const native = v8(one);
    const ours = {
      v8: native === undefined ? undefined : await measure(native, one.times, rounds),
      engine: await measure(engine(one), one.times, rounds),
      pcre2: await measure(engine(one, 'pcre2'), one.times, rounds),
      script: await measure(await script(one), one.times, rounds),
      php: phps[index]!,
    };
    const counts = new Set(
      Object.values(ours).flatMap((measured) => (measured === undefined ? [] : [measured.count])),
    );
    if (counts.size !== 1)
      throw new Error(`${one.name}: the engines disagree: ${[...counts].join(', ')} matches`);
    const each = (measured: Measured | undefined) =>
      measured === undefined ? '-' : ((measured.microseconds * 1000) / matches).toFixed(0);
    const ratio = (to: Measured | undefined) => {
      if (to === undefined) return '-';
      return (ours.script.microseconds / to.microseconds).toFixed(2);
    };
    toPhp.push(ours.script.microseconds / ours.php.microseconds);
    if (ours.v8 !== undefined) toV8.push(ours.script.microseconds / ours.v8.microseconds);
    rows.push([
      one.name,
      createPatternEngine().compile(one.source, one.flags).engine,
      each(ours.script),
      each(ours.engine),
      each(ours.pcre2),
      each(ours.v8),
      each(ours.php),
      ratio(ours.v8),
      ratio(ours.php),
    ]);
  }
  process.stdout.write(`CPU ns for one match with its groups, median of ${rounds} rounds\n\n`);
  process.stdout.write(
    `${table(['pattern', 'runs on', 'pcre_match', 'engine', 'PCRE2 only', 'RegExp', 'preg_match', 'x RegExp', 'x php'], rows)}\n`,
  );
  process.stdout.write(
    `\ngeometric means of pcre_match: ${geometricMean(toV8).toFixed(2)} of RegExp, ${geometricMean(toPhp).toFixed(2)} of preg_match\n`,
  );
}
