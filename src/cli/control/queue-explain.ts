// `argonite queue explain`: what holds a message, and when it can go.

import type { Command } from 'commander';
import { type AskingOptions, askingFor, type End, withAskingOptions } from './asking.js';
import { messageIdOf } from './option-values.js';
import { cellOf, type ListedItem } from './queue-columns.js';
import { forTerminal } from './terminal-text.js';

/** Adds the command. */
export function addExplainCommand(queue: Command, end: End): void {
  withAskingOptions(queue.command('explain'))
    .description('Say what holds a message and when it can go at the earliest.')
    .argument('<id>', 'transaction:number')
    .action(async (id: string, options: AskingOptions) => end(await explain(id, options)));
}

async function explain(text: string, options: AskingOptions): Promise<number> {
  return askingFor(
    options,
    () => messageIdOf(text),
    async (daemon, id) => {
      const answer = await daemon.ask('X', { id });
      daemon.show(answer, () => {
        const item = (answer['item'] ?? {}) as ListedItem;
        const reasons = (answer['reasons'] ?? []) as readonly string[];
        const earliest = (answer['earliest'] as string | undefined) ?? 'nobody can say';
        return [
          `${cellOf(item, 'id')} to ${forTerminal(cellOf(item, 'recipient'))}: ${String(answer['state'])}`,
          ...reasons.map((reason) => `  ${forTerminal(reason)}`),
          `Earliest: ${forTerminal(earliest)}`,
        ].join('\n');
      });
      return undefined;
    },
  );
}
