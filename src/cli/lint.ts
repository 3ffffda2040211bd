// `argonite lint`: compile errors and warnings of scripts, as text, JSON or YAML; with `-`, the protocol of editors: one
// script with its files as YAML on stdin, the first error as YAML on stderr (control-api 8.2).

import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { environmentOf, type PhaseName } from '#hooks';
import {
  bytesToText,
  type CompileHost,
  type Diagnostic,
  type Environment,
  type FoundFile,
  lint,
  positionAt,
} from '#lang';
import { phases } from '../scripting/hook-programs.js';
import { scriptLibrary } from '../scripting/library.js';
import { exitCodes } from './exit-codes.js';
import { lintFromStdin } from './lint-stdin.js';
import { hostForRoot, plainEnvironment } from './script-surroundings.js';

type Format = 'text' | 'json' | 'yaml';

interface LintOptions {
  readonly format: Format;
  readonly phase?: PhaseName;
  readonly include?: string;
}

/** Adds the command; `end` takes its exit code. */
export function addLintCommand(program: Command, end: (code: number) => void): void {
  program
    .command('lint')
    .description('Find mistakes in scripts.')
    .argument(
      '[paths...]',
      'scripts, or folders with them; - reads one script and its files as YAML from stdin',
      ['.'],
    )
    .option('--format <format>', 'text, json or yaml', parseFormat, 'text')
    .option(
      '--phase <name>',
      'the phase the scripts are for (default: by their folder, hooks/<phase>/)',
      parsePhase,
    )
    .option('-I, --include <dir>', 'root for include and import (default: the folder of the script)')
    .action(async (paths: string[], options: LintOptions) => end(await run(paths, options)));
}

function parseFormat(text: string): Format {
  if (text === 'text' || text === 'json' || text === 'yaml') return text;
  throw new InvalidArgumentError('expected text, json or yaml');
}

function parsePhase(text: string): PhaseName {
  if (Object.hasOwn(phases, text)) return text as PhaseName;
  throw new InvalidArgumentError(`expected one of ${Object.keys(phases).join(', ')}`);
}

/** What scripts of a phase see; without a phase, the plain library. */
export function environmentForPhase(phase: PhaseName | undefined): Environment {
  return phase === undefined ? plainEnvironment() : environmentOf(phases[phase], scriptLibrary);
}

/** The phase that a file's place says: `hooks/rcptto/a.hsl`, `hooks/queue/predelivery.hsl`. */
function phaseOfFile(file: string): PhaseName | undefined {
  const [folder, name] = [path.basename(path.dirname(file)), path.basename(file, '.hsl')];
  const isHook = path.basename(path.dirname(path.dirname(file))) === 'hooks';
  const phase = isHook ? (folder === 'queue' ? name : folder) : undefined;
  return phase !== undefined && Object.hasOwn(phases, phase) ? (phase as PhaseName) : undefined;
}

/** The script root: what was asked for, or for hooks `files` beside `hooks`, or the script's own folder. */
function rootOf(file: string, include: string | undefined): string {
  if (include !== undefined) return path.resolve(include);
  if (phaseOfFile(file) === undefined) return path.dirname(path.resolve(file));
  return path.resolve(path.dirname(file), '..', '..', 'files');
}

function scriptsBelow(place: string): string[] {
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.hsl'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter(
      (file) =>
        !file
          .split(path.sep)
          .some((part) => part === 'node_modules' || (part.startsWith('.') && part.length > 2)),
    )
    .sort();
}

/** A finding as data: 1-based places. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
}

export function toFinding(diagnostic: Diagnostic): Finding {
  const { line, column } = positionAt(diagnostic.file, diagnostic.span.start);
  const hint = diagnostic.hint === undefined ? '' : `. ${diagnostic.hint}`;
  return {
    file: bytesToText(diagnostic.file.name),
    line,
    column,
    severity: diagnostic.severity,
    code: diagnostic.code,
    message: bytesToText(diagnostic.message + hint),
  };
}

async function lintFile(file: string, options: LintOptions): Promise<readonly Finding[]> {
  const entry: FoundFile = { name: file, text: readFileSync(file, 'latin1') };
  const environment = environmentForPhase(options.phase ?? phaseOfFile(file));
  const host: CompileHost = hostForRoot(rootOf(file, options.include), file);
  return (await lint(entry, environment, host)).map(toFinding);
}

async function run(paths: readonly string[], options: LintOptions): Promise<number> {
  if (paths.length === 1 && paths[0] === '-') return lintFromStdin();
  const findings: Finding[] = [];
  for (const place of paths) {
    try {
      for (const file of scriptsBelow(place)) findings.push(...(await lintFile(file, options)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      process.stderr.write(`lint: ${place} cannot be read: ${(error as Error).message}\n`);
      return exitCodes.failed;
    }
  }
  process.stdout.write(format(findings, options.format));
  return findings.some(({ severity }) => severity === 'error') ? exitCodes.failed : exitCodes.done;
}

function format(findings: readonly Finding[], how: Format): string {
  if (how === 'json') return `${JSON.stringify(findings, null, 2)}\n`;
  if (how === 'yaml') return stringify(findings);
  return findings
    .map((one) => `${one.file}:${one.line}:${one.column}: ${one.severity} ${one.code}: ${one.message}\n`)
    .join('');
}
