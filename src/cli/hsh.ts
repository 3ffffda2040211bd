// `argonite hsh`: runs a script outside the daemon. Echo goes to stdout, one line each; everything else to stderr.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import {
  bytesToText,
  type CompileHost,
  compile,
  DEPTH_ONLY,
  type Diagnostic,
  disassemble,
  execute,
  type FoundFile,
  type Program,
  renderDiagnostic,
  type ScriptError,
  stackLine,
  textToBytes,
} from '#lang';
import { createCompileHost, createRunHost } from '../scripting/host/index.js';
import type { ScriptSettings } from '../scripting/process-services.js';
import { exitCodes } from './exit-codes.js';
import { hostForRoot, plainEnvironment } from './script-surroundings.js';

interface HshOptions {
  readonly execute?: string;
  readonly include?: string;
  readonly root?: string;
  readonly dump?: boolean;
  readonly tier?: string;
  readonly running?: string;
  readonly config?: string;
  readonly plugin?: unknown;
  readonly ffi?: unknown;
  readonly debugger?: unknown;
}

/** Known letters of the older shell whose feature is still to come. */
const laterOptions = { plugin: '--plugin', ffi: '--ffi', debugger: '-C' } as const;

/** Adds the command; `end` takes its exit code. */
export function addHshCommand(program: Command, end: (code: number) => void): void {
  program
    .command('hsh')
    .description('Run a script; without one, on a terminal, a shell to try things in.')
    .argument('[file]', 'script; - reads it from stdin')
    .option('-e, --execute <code>', 'run this text')
    .option('-I, --include <dir>', 'root for include and import (default: the folder of the script)')
    .option('-R, --root <dir>', 'older spelling of -I')
    .option(
      '-A, --running <file>',
      'run the __entrypoint of a running configuration in YAML; - reads it from stdin',
    )
    .option(
      '-c, --config <dir>',
      'take keys, addresses, transports and whatever else scripts name from this configuration',
    )
    .option('-p, --plugin <path>', 'not supported yet')
    .option('--ffi', 'not supported yet')
    .option('-C, --debugger <path>', 'not supported yet')
    .option('--dump', 'show the bytecode instead of running it')
    .option('--tier <n>', 'execution tier: 0, the interpreter, is the only one so far')
    .action(async (file: string | undefined, options: HshOptions) => end(await hsh(file, options)));
}

async function hsh(file: string | undefined, options: HshOptions): Promise<number> {
  if (options.tier !== undefined && options.tier !== '0') {
    process.stderr.write(`hsh: found --tier ${options.tier}; only tier 0, the interpreter, exists so far\n`);
    return exitCodes.usage;
  }
  for (const [key, letter] of Object.entries(laterOptions)) {
    if (options[key as keyof typeof laterOptions] === undefined) continue;
    process.stderr.write(`hsh: ${letter} is not supported yet\n`);
    return exitCodes.usage;
  }
  if (options.running !== undefined) return hshRunning(options.running, options);
  if (file !== undefined && options.execute !== undefined) {
    process.stderr.write('hsh: a file and -e were given; expected one of them\n');
    return exitCodes.usage;
  }
  const root = options.include ?? options.root;
  if (file === undefined && options.execute === undefined && process.stdin.isTTY) {
    const named = await namedThings(options, path.resolve(root ?? '.'));
    if (named === undefined) return exitCodes.failed;
    const { runRepl } = await import('./repl/repl.js');
    return runRepl(path.resolve(root ?? '.'), undefined, named);
  }
  let entry: FoundFile;
  try {
    entry = readEntry(file, options.execute);
  } catch (error) {
    process.stderr.write(`hsh: ${file ?? '-'} cannot be read: ${(error as Error).message}\n`);
    return exitCodes.failed;
  }
  const folder = root ?? (file === undefined || file === '-' ? '.' : path.dirname(file));
  const named = await namedThings(options, path.resolve(folder));
  if (named === undefined) return exitCodes.failed;
  return compileAndRun(entry, hostForRoot(path.resolve(folder), entry.name), named, options);
}

/** What scripts ask for by name: `--config`, else files below the root. Undefined when the configuration is refused, and told why. */
async function namedThings(options: HshOptions, root: string): Promise<ScriptSettings | undefined> {
  const { bareSettings, scriptSettings } = await import('../scripting/process-services.js');
  if (options.config === undefined) return bareSettings(root);
  const [{ loadConfiguration }, { ConfigError }] = await Promise.all([
    import('../config/load.js'),
    import('../config/problem.js'),
  ]);
  try {
    const { startup, running } = loadConfiguration(options.config);
    return scriptSettings(startup, running);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

/** `-A`: the code to run and what it may include are in one YAML document. */
async function hshRunning(file: string, options: HshOptions): Promise<number> {
  const { readRunningConfiguration } = await import('./running-configuration.js');
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    process.stderr.write(`hsh: ${file} cannot be read: ${(error as Error).message}\n`);
    return exitCodes.failed;
  }
  const running = readRunningConfiguration(text);
  if (typeof running === 'string') {
    process.stderr.write(`hsh: ${file}: ${running}\n`);
    return exitCodes.failed;
  }
  const root = options.include ?? options.root ?? running.rootPath;
  const host = createCompileHost({
    files: running.files,
    ...(root === undefined ? {} : { folders: [path.resolve(root)] }),
  });
  const named = await namedThings(options, path.resolve(root ?? '.'));
  if (named === undefined) return exitCodes.failed;
  const settings = { ...named, files: new Map([...named.files, ...running.files]) };
  return compileAndRun({ name: '<__entrypoint>', text: running.entrypoint }, host, settings, options);
}

async function compileAndRun(
  entry: FoundFile,
  host: CompileHost,
  settings: ScriptSettings,
  options: HshOptions,
): Promise<number> {
  const compiled = await compile(entry, plainEnvironment(), host);
  showDiagnostics(compiled.diagnostics);
  if (compiled.program === undefined) return exitCodes.doesNotCompile;
  if (options.dump === true) {
    process.stdout.write(`${disassemble(compiled.program)}\n`);
    return exitCodes.done;
  }
  return runProgram(compiled.program, settings);
}

function readEntry(file: string | undefined, code: string | undefined): FoundFile {
  if (code !== undefined) return { name: '<command line>', text: textToBytes(code) };
  if (file === undefined || file === '-') return { name: '<stdin>', text: readFileSync(0, 'latin1') };
  return { name: file, text: readFileSync(file, 'latin1') };
}

/** Errors and warnings on stderr, in colour on a terminal. */
export function showDiagnostics(diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics) {
    process.stderr.write(`${renderDiagnostic(diagnostic, { colour: process.stderr.isTTY === true })}\n`);
  }
}

/** `FILE:LINE:COL: error: MESSAGE` and the HSL stack. */
export function scriptErrorToText(error: ScriptError): string {
  const place = error.file === undefined ? '' : `${error.file}:${error.line}:${error.column}: `;
  return bytesToText([`${place}error: ${error.message}`, ...error.stack.map(stackLine)].join('\n'));
}

async function runProgram(program: Program, settings: ScriptSettings): Promise<number> {
  const output = new OutputLines();
  const { shellServices } = await import('./shell-services.js');
  const services = shellServices(settings);
  const execution = execute(program, {
    host: createRunHost({ echo: (text) => output.write(text) }),
    limits: DEPTH_ONLY,
    services,
  });
  const stop = () => execution.cancel('interrupted');
  process.once('SIGINT', stop);
  const result = await execution.run();
  process.off('SIGINT', stop);
  output.flush();
  // What the script left to be done is done, unless somebody wants an end.
  if (result.kind !== 'cancelled') await services.drained();
  await services.close();
  switch (result.kind) {
    case 'finished':
    case 'ended':
      return exitCodes.done;
    case 'cancelled':
      process.stderr.write(`hsh: ${result.reason}\n`);
      return exitCodes.failed;
    case 'failed':
      process.stderr.write(`${scriptErrorToText(result.error)}\n`);
      return exitCodes.failed;
  }
}

/** stdout in larger pieces: a script that echoes a million lines does not make a million system calls. */
class OutputLines {
  #pending = '';

  write(line: string): void {
    this.#pending += `${line}\n`;
    if (this.#pending.length > 16_384) this.flush();
    else if (this.#pending.length === line.length + 1) setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.#pending === '') return;
    const bytes = Buffer.from(this.#pending, 'latin1');
    this.#pending = '';
    process.stdout.write(bytes);
  }
}
