// `argonite log`: the daemon's log, its last lines and those to come.

import type { Command } from 'commander';
import { type AskingOptions, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { countOf, several } from './option-values.js';
import { forTerminal } from './terminal-text.js';

interface LogOptions extends AskingOptions {
  readonly follow?: boolean;
  readonly lines?: string;
  readonly level?: string;
  readonly grep?: readonly string[];
  readonly regex?: string;
  readonly field?: readonly string[];
  readonly id?: string;
}

/** Adds the command; `end` takes its exit code. */
export function addLogCommand(program: Command, end: End): void {
  withAskingOptions(program.command('log'))
    .description('Show the log of the running daemon.')
    .option('-f, --follow', 'go on with the lines to come')
    .option('-n, --lines <count>', 'so many of the last lines (default: 100)')
    .option('--level <level>', 'this severity and worse ones: debug, info, warning, error')
    .option('--grep <text>', 'lines with this text (repeatable: with all of them)', several)
    .option('--regex <pattern>', 'lines that the pattern matches')
    .option('--field <key=value>', 'lines with this field (repeatable)', several)
    .option('--id <id>', 'lines about this message or transaction')
    .action(async (options: LogOptions) => end(await log(options)));
}

async function log(options: LogOptions): Promise<number> {
  return askingFor(
    options,
    () => requestOf(options),
    async (daemon, request) => {
      const ended = daemon.client.lines((data) => {
        const { line, lost = 0 } = JSON.parse(data.toString('utf8')) as {
          readonly line: string;
          readonly lost?: number;
        };
        if (lost > 0) daemon.complain(`${lost} lines were lost: this reader is too slow`);
        daemon.print(daemon.wantsJson ? line : lineForPeople(line));
      });
      await daemon.ask('R', request);
      if (options.follow === true) await ended;
      return undefined;
    },
  );
}

function requestOf({ follow, lines, level, grep, regex, field, id }: LogOptions): object {
  return {
    ...(follow === true && { follow }),
    ...(lines !== undefined && { lines: countOf(lines, '--lines') }),
    ...(level !== undefined && { level }),
    contains: [...(grep ?? []), ...(id === undefined ? [] : [id])],
    ...(regex !== undefined && { regex }),
    ...(field !== undefined && { fields: Object.fromEntries(field.map(pairOf)) as Record<string, string> }),
  };
}

function pairOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`--field: found ${JSON.stringify(text)}; expected key=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** `12:34:56 info    message  key=value key=value` */
function lineForPeople(json: string): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(json) as Record<string, unknown>;
  } catch {
    return forTerminal(json);
  }
  const { time, level, msg, ...rest } = fields;
  const more = Object.entries(rest)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  const text = `${String(time).slice(11, 19)} ${String(level).padEnd(7)} ${String(msg)}`;
  return forTerminal(more === '' ? text : `${text}  ${more}`);
}
