// `argonite queue groupby`: how the queue is spread over domains, hosts or jobs, and over time.

import type { Command } from 'commander';
import { parseDuration } from '../../config/units.js';
import { type AskingOptions, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { conditionsOf, withConditions } from './condition-options.js';
import { countOf, several } from './option-values.js';
import { columnOf } from './queue-columns.js';
import { type Column, tableText } from './table.js';

interface GroupByOptions extends AskingOptions {
  readonly field?: readonly string[];
  readonly age?: readonly string[];
  readonly retrydelay?: readonly string[];
  readonly limit?: string;
}

interface Group {
  readonly values?: Readonly<Record<string, string>>;
  readonly count?: number;
  readonly size?: number;
  readonly oldest?: string;
  readonly buckets?: readonly { readonly count?: number }[];
}

/** Intervals as they were given: `1m,5m` and their seconds. */
interface Intervals {
  readonly field: 'age' | 'retrydelay';
  readonly words: readonly string[];
  readonly seconds: readonly number[];
}

/** Adds the command. */
export function addGroupByCommand(queue: Command, end: End): void {
  withConditions(withAskingOptions(queue.command('groupby')), {
    age: 'a list such as 1m,5m,1h: how many came within each; else a condition: time since it came',
    retrydelay: 'a list such as 1m,5m,1h: how many are tried within each; else a condition',
  })
    .description('Count messages by the values of fields, the most frequent first.')
    .option(
      '-F, --field <name>',
      'by this field of queue list, senderdomain, recipientdomain or metadata.KEY (repeatable; default: recipientdomain)',
      several,
    )
    .option('--limit <count>', 'groups at most (default: 100)')
    .action(async (options: GroupByOptions) => end(await groupBy(options)));
}

async function groupBy(options: GroupByOptions): Promise<number> {
  return askingFor(
    options,
    () => wantedOf(options),
    async (daemon, { request, fields, intervals }) => {
      const answer = await daemon.ask('D', request);
      daemon.show(answer, () => {
        const groups = (answer['groups'] ?? []) as readonly Group[];
        const table = tableText(
          columnsOf(fields, intervals),
          groups.map((group) => cellsOf(group, fields)),
        );
        return `${table}\n${summaryOf(groups.length, Number(answer['groupcount'] ?? 0), Number(answer['total'] ?? 0))}`;
      });
      return undefined;
    },
  );
}

function wantedOf(options: GroupByOptions): {
  readonly request: object;
  readonly fields: readonly string[];
  readonly intervals: Intervals | undefined;
} {
  const { field: fields = ['recipientdomain'], limit } = options;
  const [ages, otherAges] = splitLists(options.age);
  const [delays, otherDelays] = splitLists(options.retrydelay);
  const given = [
    ...ages.map((text) => intervalsOf('age', text)),
    ...delays.map((text) => intervalsOf('retrydelay', text)),
  ];
  if (given.length > 1)
    throw new UsageError(
      `found ${given.length} lists of intervals; expected one, of --age or of --retrydelay`,
    );
  const [intervals] = given;
  const conditions = conditionsOf({ ...options, age: otherAges, retrydelay: otherDelays });
  const request = {
    ...(conditions && { conditions }),
    groupby: fields,
    ...(intervals && { buckets: { field: intervals.field, intervals: intervals.seconds } }),
    ...(limit !== undefined && { limit: countOf(limit, '--limit') }),
  };
  return { request, fields, intervals };
}

/** Intervals, and conditions: `60,300` and `>60` are told apart by what a condition begins with or has in its middle. */
function splitLists(
  values: readonly string[] | undefined,
): [readonly string[], readonly string[] | undefined] {
  if (values === undefined) return [[], undefined];
  const isList = (text: string): boolean => !/^[!<>=]|\.\./.test(text);
  const conditions = values.filter((text) => !isList(text));
  return [values.filter(isList), conditions.length === 0 ? undefined : conditions];
}

function intervalsOf(field: Intervals['field'], text: string): Intervals {
  const words = text.split(',').map((word) => word.trim());
  const seconds = words.map((word) => {
    const read = parseDuration(word);
    if (read === undefined)
      throw new UsageError(
        `--${field}: found ${JSON.stringify(text)}; expected times such as 60,5m,1h, or a condition such as >1h`,
      );
    return read;
  });
  if (seconds.some((time, index) => index > 0 && time <= seconds[index - 1]!))
    throw new UsageError(
      `--${field}: found ${JSON.stringify(text)}; expected each time to be longer than the one before`,
    );
  return { field, words, seconds };
}

function columnsOf(fields: readonly string[], intervals: Intervals | undefined): Column[] {
  const columns: Column[] = fields.map((field) => ({ title: columnOf(field).title }));
  columns.push({ title: 'COUNT', isNumber: true }, { title: 'SIZE', isNumber: true }, { title: 'OLDEST' });
  if (intervals === undefined) return columns;
  const { field, words } = intervals;
  const titles = [...words.map((word) => `≤${word}`), `>${words.at(-1)}`];
  titles[0] = `${field.toUpperCase()} ${titles[0]}`;
  return [...columns, ...titles.map((title) => ({ title, isNumber: true }))];
}

function cellsOf(
  { values = {}, count, size, oldest = '', buckets = [] }: Group,
  fields: readonly string[],
): string[] {
  return [
    ...fields.map((field) => values[field] ?? ''),
    String(count),
    String(size),
    oldest,
    ...buckets.map(({ count: inside }) => String(inside)),
  ];
}

function summaryOf(told: number, all: number, messages: number): string {
  const sum = `${messages} message${messages === 1 ? '' : 's'} in ${all} group${all === 1 ? '' : 's'}`;
  return told < all ? `${sum}, of which ${told} are shown; --limit shows more` : sum;
}
