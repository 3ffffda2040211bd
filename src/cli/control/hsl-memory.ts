// `argonite hsl memory`: the memory that scripts share.

import type { Command } from 'commander';
import { parseDuration } from '../../config/units.js';
import { RefusedError } from '../../control/client/control-client.js';
import { exitCodes } from '../exit-codes.js';
import { type AskingOptions, asking, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { countOf } from './option-values.js';
import { forTerminal } from './terminal-text.js';

interface MemoryOptions extends AskingOptions {
  readonly ttl?: string;
  readonly prefix?: string;
  readonly limit?: string;
}

/** Adds the commands. */
export function addMemoryCommands(memory: Command, end: End): void {
  withAskingOptions(memory.command('store'))
    .description('Store a value: JSON, or a text that is none.')
    .argument('<key>', 'its name')
    .argument('<value>', 'such as 42, "hi", {"a": [1, 2]} or hi')
    .option('--ttl <time>', 'it goes after so long, such as 60 or 1h')
    .action(async (key: string, value: string, options: MemoryOptions) =>
      end(await store(key, value, options)),
    );
  withAskingOptions(memory.command('fetch'))
    .description('Show a value, as JSON.')
    .argument('<key>', 'its name')
    .action(async (key: string, options: AskingOptions) => end(await fetchValue(key, options)));
  withAskingOptions(memory.command('delete'))
    .description('Take a value away.')
    .argument('<key>', 'its name')
    .action(async (key: string, options: AskingOptions) => end(await remove(key, options)));
  withAskingOptions(memory.command('list'))
    .description('Show the names of values.')
    .option('--prefix <text>', 'only those that begin so')
    .option('--limit <count>', 'names at most (default: 100)')
    .action(async (options: MemoryOptions) => end(await listKeys(options)));
}

function store(key: string, value: string, options: MemoryOptions): Promise<number> {
  const request = () => ({
    key,
    value: isJson(value) ? value : JSON.stringify(value),
    ...(options.ttl !== undefined && { ttl: timeOf(options.ttl, '--ttl') }),
  });
  return askingFor(options, request, async (daemon, wanted) => {
    daemon.show(await daemon.ask('z', wanted), () => `${forTerminal(key)} is stored`);
    return undefined;
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function timeOf(text: string, option: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined || seconds <= 0)
    throw new UsageError(`${option}: found ${JSON.stringify(text)}; expected a time, such as 60 or 1h30m`);
  return seconds;
}

function fetchValue(key: string, options: AskingOptions): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = await daemon.ask('y', { key });
    const { found, value, problem } = answer as {
      readonly found?: boolean;
      readonly value?: string;
      readonly problem?: string;
    };
    if (daemon.wantsJson) daemon.show(answer, () => '');
    else if (found !== true) throw new RefusedError(`there is no value called ${JSON.stringify(key)}`);
    else if (value === undefined) throw new RefusedError(`${JSON.stringify(key)}: ${problem ?? ''}`);
    else daemon.show(answer, () => forTerminal(value));
    return found === true ? exitCodes.done : exitCodes.failed;
  });
}

function remove(key: string, options: AskingOptions): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = await daemon.ask('A', { key });
    if (answer['deleted'] !== true && !daemon.wantsJson)
      throw new RefusedError(`there is no value called ${JSON.stringify(key)}`);
    daemon.show(answer, () => `${forTerminal(key)} is deleted`);
    return answer['deleted'] === true ? exitCodes.done : exitCodes.failed;
  });
}

function listKeys(options: MemoryOptions): Promise<number> {
  const request = () => ({
    ...(options.prefix !== undefined && { prefix: options.prefix }),
    ...(options.limit !== undefined && { limit: countOf(options.limit, '--limit') }),
  });
  return askingFor(options, request, async (daemon, wanted) => {
    const answer = await daemon.ask('K', wanted);
    const keys = (answer['keys'] ?? []) as readonly string[];
    daemon.show(answer, () =>
      [...keys.map(forTerminal), `${keys.length} of ${String(answer['total'] ?? 0)}`].join('\n'),
    );
    return undefined;
  });
}
