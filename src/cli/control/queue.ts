// `argonite queue ...`: one file for each of its commands.

import type { Command } from 'commander';
import type { End } from './asking.js';
import { addListCommand } from './queue-list.js';

/** Adds the command; `end` takes its exit code. */
export function addQueueCommand(program: Command, end: End): void {
  const queue = program
    .command('queue')
    .description('Look at the queue of the running daemon and change it.');
  addListCommand(queue, end);
}
