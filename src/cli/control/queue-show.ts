// `argonite queue show`: one message, its fields and what is in it; or its bytes.

import type { Command } from 'commander';
import { RefusedError } from '../../control/client/control-client.js';
import type { Asking } from './asking.js';
import { type AskingOptions, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { messageIdOf } from './option-values.js';
import { cellOf, type ListedItem } from './queue-columns.js';
import { forTerminal } from './terminal-text.js';

/** So much of a message is looked into. */
const MOST_PREVIEW_BYTES = 4 * 1024 * 1024;

interface ShowOptions extends AskingOptions {
  readonly raw?: boolean;
}

type Id = ReturnType<typeof messageIdOf>;

/** Adds the command. */
export function addShowCommand(queue: Command, end: End): void {
  withAskingOptions(queue.command('show'))
    .description('Show one message: its fields and what is in it.')
    .argument('<id>', 'transaction:number')
    .option('--raw', 'its bytes as they are, and nothing else')
    .action(async (id: string, options: ShowOptions) => end(await show(id, options)));
}

async function show(text: string, options: ShowOptions): Promise<number> {
  return askingFor(
    options,
    () => {
      if (options.raw === true && options.config !== undefined)
        throw new UsageError('--raw shows the bytes of one daemon; use --socket instead of --config');
      return messageIdOf(text);
    },
    async (daemon, id) => {
      if (options.raw === true) {
        for await (const piece of piecesOf(daemon, id)) await written(piece);
        return undefined;
      }
      const { items } = (await daemon.ask('F', {
        conditions: { ids: [id] },
        limit: 1,
      })) as { readonly items?: readonly ListedItem[] };
      const [item] = items ?? [];
      if (item === undefined) throw new RefusedError(`there is no message ${text} in the queue`);
      const { previewOf, previewText } = await import('./preview.js');
      const bytes: Buffer[] = [];
      let size = 0;
      for await (const piece of piecesOf(daemon, id)) {
        bytes.push(piece);
        size += piece.length;
        if (size >= MOST_PREVIEW_BYTES) break;
      }
      const preview = await previewOf(Buffer.concat(bytes));
      daemon.show({ item, preview }, () => `${fieldsText(item)}\n\n${previewText(preview)}`);
      return undefined;
    },
  );
}

async function* piecesOf(daemon: Asking, id: Id): AsyncGenerator<Buffer> {
  let offset = 0;
  for (;;) {
    const { size, data } = (await daemon.client.ask('m', { id, offset })) as {
      readonly size: number;
      readonly data: string;
    };
    const piece = Buffer.from(data, 'base64');
    if (piece.length > 0) yield piece;
    offset += piece.length;
    if (piece.length === 0 || offset >= size) return;
  }
}

function written(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.write(bytes)) resolve();
    else process.stdout.once('drain', resolve);
  });
}

function fieldsText(item: ListedItem): string {
  const names = Object.keys(item);
  const width = Math.max(...names.map(({ length }) => length));
  return names.map((name) => `${name.padEnd(width)}  ${forTerminal(cellOf(item, name))}`).join('\n');
}
