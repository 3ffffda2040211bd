// `argonite queue list`.

import type { Command } from 'commander';
import { type AskingOptions, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { conditionsOf, withConditions } from './condition-options.js';
import { countOf, several } from './option-values.js';
import { cellOf, columnOf, type ListedItem, views } from './queue-columns.js';
import { tableText } from './table.js';

interface ListOptions extends AskingOptions {
  readonly field?: readonly string[];
  readonly limit?: string;
  readonly offset?: string;
  readonly sort?: readonly string[];
  readonly view?: string;
  readonly total?: boolean;
}

/** What the daemon lists when no limit is given (control-api 4.1). */
const USUAL_LIMIT = 100;

/** Adds the command. */
export function addListCommand(queue: Command, end: End): void {
  withConditions(withAskingOptions(queue.command('list')))
    .description('List messages.')
    .option('-F, --field <name>', 'show this field, or the entry metadata.KEY (repeatable)', several)
    .option('--view <name>', `columns for a purpose: ${Object.keys(views).join(', ')}`)
    .option('--limit <count>', `messages at most (default: ${USUAL_LIMIT})`)
    .option('--offset <count>', 'leave out so many')
    .option('--sort <field>', 'sort by this field, -field the other way round (repeatable)', several)
    .option('--total', 'count all that fit too')
    .action(async (options: ListOptions) => end(await list(options)));
}

async function list(options: ListOptions): Promise<number> {
  return askingFor(
    options,
    () => wantedOf(options),
    async (daemon, { request, fields, limit }) => {
      const answer = await daemon.ask('F', request);
      daemon.show(answer, () => {
        const items = (answer['items'] ?? []) as readonly ListedItem[];
        const table = tableText(
          fields.map(columnOf),
          items.map((item) => fields.map((field) => cellOf(item, field))),
        );
        if (answer['total'] !== undefined) return `${table}\n${items.length} of ${String(answer['total'])}`;
        return items.length < limit
          ? table
          : `${table}\nThere may be more: --total counts them, --limit and --offset show them.`;
      });
      return undefined;
    },
  );
}

function wantedOf(options: ListOptions): {
  readonly request: object;
  readonly fields: readonly string[];
  readonly limit: number;
} {
  const limit = options.limit === undefined ? USUAL_LIMIT : countOf(options.limit, '--limit');
  const fields = options.field ?? viewCalled(options.view ?? 'default');
  const conditions = conditionsOf(options as unknown as Record<string, unknown>);
  const request = {
    ...(conditions === undefined ? {} : { conditions }),
    ...(options.limit === undefined ? {} : { limit }),
    ...(options.offset === undefined ? {} : { offset: countOf(options.offset, '--offset') }),
    ...(options.sort === undefined ? {} : { sort: options.sort.map(sortKeyOf) }),
    ...(options.json === true && options.field === undefined && options.view === undefined ? {} : { fields }),
    ...(options.total === true ? { total: true } : {}),
  };
  return { request, fields, limit };
}

function viewCalled(name: string): readonly string[] {
  const view = Object.hasOwn(views, name) ? views[name] : undefined;
  if (view === undefined)
    throw new UsageError(
      `--view: found ${JSON.stringify(name)}; expected one of ${Object.keys(views).join(', ')}`,
    );
  return view;
}

function sortKeyOf(text: string): object {
  return text.startsWith('-') ? { field: text.slice(1), order: 'DESC' } : { field: text };
}
