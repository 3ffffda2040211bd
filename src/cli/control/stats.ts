// `argonite stats`, also called `process-stats`: what the daemon has counted (control-api 7 and 10).

import type { Command } from 'commander';
import { type AskingOptions, asking, type End, withAskingOptions } from './asking.js';
import { forTerminal } from './terminal-text.js';

interface StatsOptions extends AskingOptions {
  readonly openmetrics?: boolean;
}

/** Adds the command; `end` takes its exit code. */
export function addStatsCommand(program: Command, end: End): void {
  withAskingOptions(program.command('stats').alias('process-stats'))
    .description('Show what the daemon has counted.')
    .option('--openmetrics', 'print it as OpenMetrics')
    .action(async (options: StatsOptions) => end(await stats(options)));
}

async function stats(options: StatsOptions): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = (await daemon.askBare('q')) ?? {};
    if (options.openmetrics === true) {
      const { openMetricsText } = await import('../../control/statistics/openmetrics.js');
      daemon.print(openMetricsText(answer).trimEnd());
      return undefined;
    }
    daemon.show(answer, () => [...linesOf('', answer)].join('\n'));
    return undefined;
  });
}

function* linesOf(name: string, value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) {
    yield `${forTerminal(name)}: ${forTerminal(String(value))}`;
    return;
  }
  for (const [key, inner] of Object.entries(value))
    yield* linesOf(name === '' ? key : `${name}.${key}`, inner);
}
