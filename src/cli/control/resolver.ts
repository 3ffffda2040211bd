// `argonite resolver`: the resolver of the running daemon.

import type { Command } from 'commander';
import { type AskingOptions, asking, type End, withAskingOptions } from './asking.js';

/** Adds the command; `end` takes its exit code. */
export function addResolverCommand(program: Command, end: End): void {
  const resolver = program.command('resolver').description('The resolver of the running daemon.');
  withAskingOptions(resolver.command('clear'))
    .description('Forget what it has learnt.')
    .action(async (options: AskingOptions) => end(await bare(options, 'C', 'the cache is empty')));
  withAskingOptions(resolver.command('reload'))
    .description('Read its settings, and those of the system, anew.')
    .action(async (options: AskingOptions) => end(await bare(options, 'k', 'the settings are read')));
}

async function bare(options: AskingOptions, letter: 'C' | 'k', done: string): Promise<number> {
  return asking(options, async (daemon) => {
    await daemon.askBare(letter);
    daemon.show(undefined, () => done);
    return undefined;
  });
}
