// npm run conformance -- FILE.yaml... [--group NAME]... [--tier 0]
//
// Runs every case of the files in this process and prints those that fail. The last line is `N passed, N failed`; the
// exit code is 0 only if none failed, 64 when the command or a file is wrong.

import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { bytesToText } from '#lang';
import { type Case, CaseFileError, readCases } from './cases.js';
import { judge } from './run-case.js';

const USAGE = 'usage: npm run conformance -- FILE.yaml... [--group NAME]... [--tier 0|1|unwind]';
const EXIT_USAGE = 64;

/** What the command line asks for; a wrong one is a sentence. */
interface Request {
  readonly files: readonly string[];
  readonly groups: readonly string[];
}

function readRequest(args: string[]): Request | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { group: { type: 'string', multiple: true }, tier: { type: 'string', default: '0' } },
    });
    if (values.tier === '1' || values.tier === 'unwind')
      return `tier ${values.tier} is not built yet: only --tier 0, the interpreter, can be chosen`;
    if (values.tier !== '0') return `unknown tier "${values.tier}"; the tiers are 0, 1 and unwind\n${USAGE}`;
    if (positionals.length === 0) return `no case file was given\n${USAGE}`;
    return { files: positionals, groups: values.group ?? [] };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`;
  }
}

/** The cases of a file that the request picks. Cases without a group belong to every choice. */
function pickCases(cases: readonly Case[], groups: readonly string[]): readonly Case[] {
  if (groups.length === 0) return cases;
  return cases.filter(({ group }) => group === undefined || groups.includes(group));
}

function readFile(file: string): readonly Case[] {
  try {
    return readCases(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof CaseFileError) throw error;
    throw new CaseFileError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function indented(bytes: string): string {
  return bytesToText(bytes)
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}

async function run(args: string[]): Promise<number> {
  const request = readRequest(args);
  if (typeof request === 'string') {
    process.stderr.write(`conformance: ${request}\n`);
    return EXIT_USAGE;
  }
  const { files, groups } = request;
  const read = files.map((file) => ({ file, cases: readFile(file) }));
  const known = new Set(read.flatMap(({ cases }) => cases.map(({ group }) => group)));
  for (const group of groups)
    if (!known.has(group))
      throw new CaseFileError(
        `no case has the group "${group}"; the groups are ${[...known].filter(Boolean).join(', ') || 'none'}`,
      );

  let passed = 0;
  let failed = 0;
  for (const { file, cases } of read) {
    for (const one of pickCases(cases, groups)) {
      const verdict = await judge(one);
      if (verdict.kind === 'passed') {
        passed++;
        continue;
      }
      failed++;
      process.stdout.write(
        `${one.name} (${file})\n  expected:\n${indented(verdict.expected)}\n  got:\n${indented(verdict.got)}\n\n`,
      );
    }
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

// Cases are written for UTC; nothing has asked for the time zone yet.
process.env['TZ'] = 'UTC';
run(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof CaseFileError)) throw error;
    process.stderr.write(`conformance: ${error.message}\n`);
    process.exitCode = EXIT_USAGE;
  },
);
