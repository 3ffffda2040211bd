// The command: which sub-command, which name it was called by. Each command's own code is loaded when it is chosen.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { exitCodes } from './exit-codes.js';
import { globalsLast } from './option-order.js';
import { addServeCommand } from './serve.js';

/** Older tools' names that the command answers to, as links to it, and what they stand for (control-api 7, 8). */
const aliases: Readonly<Record<string, readonly string[]>> = {
  hsh: ['hsh'],
  'hsl-lint': ['lint', '-'],
  halonctl: [],
};

/** Names we know but whose command is still to come. */
const laterAliases: readonly string[] = ['halonconfig', 'halontop'];

type AddCommand = (program: Command, end: (code: number) => void) => void;

/** Commands with options of their own, each in its file. */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  hsh: async () => (await import('./hsh.js')).addHshCommand,
  lint: async () => (await import('./lint.js')).addLintCommand,
  sink: async () => (await import('../sink/command.js')).addSinkCommand,
  queue: async () => (await import('./control/queue.js')).addQueueCommand,
  stats: async () => (await import('./control/stats.js')).addStatsCommand,
  log: async () => (await import('./control/log.js')).addLogCommand,
  config: async () => (await import('./control/config.js')).addConfigCommand,
  connection: async () => (await import('./control/connection.js')).addConnectionCommand,
  hsl: async () => (await import('./control/hsl.js')).addHslCommand,
  license: async () => (await import('./control/license.js')).addLicenseCommand,
  resolver: async () => (await import('./control/resolver.js')).addResolverCommand,
};

/** Longer spellings of commands (control-api 7). */
const otherNames: Readonly<Record<string, string>> = { 'process-stats': 'stats' };

/** A mistake is answered with where to read on: the help of the command that was meant. */
function pointToHelp(command: Command, words: string): void {
  command.showHelpAfterError(`(${words} --help says more)`);
  for (const inner of command.commands) pointToHelp(inner, `${words} ${inner.name()}`);
}

/** Only the command that was asked for is loaded; the overview of help and of mistakes wants them all. */
function commandsFor(first: string): readonly string[] {
  if (first === 'serve' || first === '-V' || first === '--version') return [];
  const wanted = otherNames[first] ?? first;
  return Object.hasOwn(commands, wanted) ? [wanted] : Object.keys(commands);
}

function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

async function main(): Promise<number> {
  const calledAs = path.basename(process.argv[1] ?? 'argonite');
  if (laterAliases.includes(calledAs)) {
    process.stderr.write(`${calledAs}: this tool is not available yet; see argonite --help for what is\n`);
    return exitCodes.usage;
  }
  let exitCode: number = exitCodes.done;
  const program = new Command('argonite')
    .description('A scriptable mail transfer agent.')
    .version(packageVersion(), '-V, --version')
    .exitOverride()
    .configureOutput({ outputError: (words, write) => write(words.replace(/^error: /, 'argonite: ')) });
  const end = (code: number): void => {
    exitCode = code;
  };
  addServeCommand(program, end);
  const args = globalsLast([...(aliases[calledAs] ?? []), ...process.argv.slice(2)]);
  for (const name of commandsFor(args[0] ?? '')) {
    const add = await commands[name]!();
    add(program, end);
  }
  pointToHelp(program, program.name());

  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already said what is wrong; asking for help or the version is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    throw error;
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(
      `argonite: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = exitCodes.internal;
  },
);
