// `argonite queue ...`: one file for each of its commands.

import type { Command } from 'commander';
import { type AskingOptions, asking, type End, withAskingOptions } from './asking.js';
import { addExplainCommand } from './queue-explain.js';
import { addGroupByCommand } from './queue-groupby.js';
import { addListCommand } from './queue-list.js';
import { addQuotaCommand } from './queue-quota.js';
import { addShowCommand } from './queue-show.js';
import { addTransferCommands } from './queue-transfer.js';
import { addUpdateCommand } from './queue-update.js';

/** Adds the command; `end` takes its exit code. */
export function addQueueCommand(program: Command, end: End): void {
  const queue = program
    .command('queue')
    .description('Look at the queue of the running daemon and change it.');
  addListCommand(queue, end);
  addGroupByCommand(queue, end);
  addShowCommand(queue, end);
  addExplainCommand(queue, end);
  addUpdateCommand(queue, end);
  addTransferCommands(queue, end);
  addQuotaCommand(queue, end);
  addReload(queue.command('suspend').description('Suspensions.'), 'o', 'smtpd-suspend.yaml', end);
  addReload(queue.command('policy').description('Pickup policies.'), 'p', 'smtpd-policy.yaml', end);
  addReload(queue.command('delivery').description('Delivery settings.'), 'H', 'smtpd-delivery.yaml', end);
}

function addReload(group: Command, letter: 'o' | 'p' | 'H', file: string, end: End): void {
  withAskingOptions(group.command('reload'))
    .description(`Apply what ${file} says now.`)
    .action(async (options: AskingOptions) =>
      end(
        await asking(options, async (daemon) => {
          await daemon.askBare(letter);
          daemon.show(undefined, () => `${file} is applied`);
          return undefined;
        }),
      ),
    );
}
