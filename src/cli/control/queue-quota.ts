// `argonite queue quota`: what the quotas hold.

import type { Command } from 'commander';
import { type AskingOptions, asking, type End, withAskingOptions } from './asking.js';
import { tableText } from './table.js';

interface Quota {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
}

/** Adds the command. */
export function addQuotaCommand(queue: Command, end: End): void {
  withAskingOptions(queue.command('quota'))
    .description('Show what quotas hold.')
    .argument('[names...]', 'only these; all that hold something when there are none')
    .action(async (names: string[], options: AskingOptions) => end(await quota(names, options)));
}

async function quota(names: readonly string[], options: AskingOptions): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = await daemon.ask('I', { names });
    const quotas = (answer['quotas'] ?? []) as readonly Quota[];
    daemon.show(answer, () =>
      tableText(
        [{ title: 'QUOTA' }, { title: 'COUNT', isNumber: true }, { title: 'BYTES', isNumber: true }],
        quotas.map(({ name, count, bytes }) => [name, String(count), String(bytes)]),
      ),
    );
    return undefined;
  });
}
