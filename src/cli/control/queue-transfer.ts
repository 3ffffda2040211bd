// `argonite queue unload` and `argonite queue load`: messages out to files and in again, here or on another node.

import path from 'node:path';
import type { Command } from 'commander';
import { RefusedError } from '../../control/client/control-client.js';
import { exitCodes } from '../exit-codes.js';
import { type AskingOptions, asking, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { conditionsOf, withConditions } from './condition-options.js';
import { countOf } from './option-values.js';
import { forTerminal } from './terminal-text.js';

interface UnloadOptions extends AskingOptions {
  readonly all?: boolean;
  readonly limit?: string;
}

interface Failure {
  readonly id?: { readonly transaction?: string; readonly queue?: number };
  readonly reason?: string;
}

/** Adds the commands. */
export function addTransferCommands(queue: Command, end: End): void {
  withConditions(withAskingOptions(queue.command('unload')))
    .description('Move messages out of the queue, to a file each, and forget them.')
    .argument('<folder>', 'a folder that is there already')
    .option('--all', 'all messages: needed where there is no condition')
    .option('--limit <count>', 'messages at most')
    .action(async (folder: string, options: UnloadOptions) => end(await unload(folder, options)));
  withAskingOptions(queue.command('load').alias('import'))
    .description('Take messages in from files that unload wrote.')
    .argument('<files...>', 'files ending in .hqf, as the daemon sees them')
    .action(async (files: string[], options: AskingOptions) => end(await load(files, options)));
}

async function unload(folder: string, options: UnloadOptions): Promise<number> {
  return askingFor(
    options,
    () => unloadRequestOf(folder, options),
    async (daemon, request) => {
      const answer = await daemon.ask('J', request);
      const failures = (answer['failures'] ?? []) as readonly Failure[];
      daemon.show(answer, () =>
        [
          `${String(answer['affected'])} affected`,
          ...failures.map(
            ({ id, reason = '' }) => `${id?.transaction}:${id?.queue} stays: ${forTerminal(reason)}`,
          ),
        ].join('\n'),
      );
      return failures.length === 0 ? exitCodes.done : exitCodes.failed;
    },
  );
}

function unloadRequestOf(folder: string, options: UnloadOptions): object {
  const conditions = conditionsOf(options as unknown as Record<string, unknown>);
  if (conditions === undefined && options.all !== true)
    throw new UsageError('there is no condition: --all says that all messages of the queue are meant');
  return {
    ...(conditions && { conditions }),
    path: path.resolve(folder),
    ...(options.limit !== undefined && { limit: countOf(options.limit, '--limit') }),
  };
}

/** Every file is tried, whatever becomes of the others. */
async function load(files: readonly string[], options: AskingOptions): Promise<number> {
  return asking(options, async (daemon) => {
    let code: number = exitCodes.done;
    for (const file of files) {
      try {
        const answer = await daemon.ask('E', { path: path.resolve(file) });
        daemon.show(answer, () => {
          const { transaction, queue } = answer['id'] as {
            readonly transaction: string;
            readonly queue: number;
          };
          return `${forTerminal(file)}: ${transaction}:${queue}`;
        });
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        daemon.complain(`${file}: ${error.message}`);
        code = exitCodes.failed;
      }
    }
    return code;
  });
}
