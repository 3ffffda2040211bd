// `argonite hsl rate`: what scripts have counted.

import type { Command } from 'commander';
import { type AskingOptions, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { textConditionOf } from './condition-options.js';
import { countOf, several } from './option-values.js';
import { tableText } from './table.js';

interface RateOptions extends AskingOptions {
  readonly namespace?: readonly string[];
  readonly entry?: readonly string[];
  readonly limit?: string;
  readonly all?: boolean;
}

interface Rate {
  readonly namespace?: string;
  readonly entry?: string;
  readonly count?: number;
  readonly interval?: number;
}

/** Adds the commands. */
export function addRateCommands(rate: Command, end: End): void {
  const withFilters = (command: Command): Command =>
    withAskingOptions(command)
      .option(
        '--namespace <name>',
        'of this namespace; /…/ is a pattern, ! before it: not (repeatable)',
        several,
      )
      .option('--entry <name>', 'of this entry; /…/ is a pattern, ! before it: not (repeatable)', several);
  withFilters(rate.command('list'))
    .description('Show how many events there were.')
    .option('--limit <count>', 'entries at most (default: 100)')
    .action(async (options: RateOptions) => end(await listRates(options)));
  withFilters(rate.command('clear'))
    .description('Forget events.')
    .option('--all', 'all entries: needed where there is no filter')
    .action(async (options: RateOptions) => end(await clearRates(options)));
}

function rateConditionsOf({ namespace, entry }: RateOptions): object {
  return {
    ...(namespace && { namespaces: namespace.map((text) => textConditionOf('namespace', text)) }),
    ...(entry && { entries: entry.map((text) => textConditionOf('entry', text)) }),
  };
}

function listRates(options: RateOptions): Promise<number> {
  const request = () => ({
    conditions: rateConditionsOf(options),
    ...(options.limit !== undefined && { limit: countOf(options.limit, '--limit') }),
  });
  return askingFor(options, request, async (daemon, wanted) => {
    const answer = await daemon.ask('i', wanted);
    const rates = (answer['rates'] ?? []) as readonly Rate[];
    daemon.show(answer, () => {
      const table = tableText(
        [
          { title: 'NAMESPACE' },
          { title: 'ENTRY' },
          { title: 'COUNT', isNumber: true },
          { title: 'SECONDS', isNumber: true },
        ],
        rates.map(({ namespace = '', entry = '', count, interval }) => [
          namespace,
          entry,
          String(count),
          String(interval),
        ]),
      );
      return `${table}\n${rates.length} of ${String(answer['total'] ?? 0)}`;
    });
    return undefined;
  });
}

function clearRates(options: RateOptions): Promise<number> {
  const request = () => {
    if (options.namespace === undefined && options.entry === undefined && options.all !== true)
      throw new UsageError('there is no filter: --all says that all entries are meant');
    return { conditions: rateConditionsOf(options) };
  };
  return askingFor(options, request, async (daemon, wanted) => {
    const answer = await daemon.ask('j', wanted);
    daemon.show(answer, () => `${String(answer['affected'])} affected`);
    return undefined;
  });
}
