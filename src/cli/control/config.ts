// `argonite config`: reload the configuration, stage a second one (control-api 7, queue-and-config 9.1).

import type { Command } from 'commander';
import { parseDuration } from '../../config/units.js';
import { RefusedError } from '../../control/client/control-client.js';
import { exitCodes } from '../exit-codes.js';
import { type AskingOptions, asking, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { bytesOfFile } from './given-file.js';
import { countOf, several } from './option-values.js';
import { forTerminal } from './terminal-text.js';

interface StageOptions extends AskingOptions {
  readonly id: string;
  readonly file: string;
  readonly probability?: string;
  readonly time?: string;
  readonly remoteip?: readonly string[];
  readonly serverid?: readonly string[];
  readonly count?: string;
  readonly bound?: boolean;
}

/** Adds the command; `end` takes its exit code. */
export function addConfigCommand(program: Command, end: End): void {
  const config = program.command('config').description('The configuration of the running daemon.');
  withAskingOptions(config.command('reload'))
    .description('Apply the configuration as it is on disk now, wholly or not at all.')
    .action(async (options: AskingOptions) => end(await bare(options, 'r', 'the configuration is applied')));
  const stage = config
    .command('livestage')
    .description('A second configuration for a part of the connections.');
  withAskingOptions(stage.command('start'))
    .description('Stage a configuration; it takes the place of one that is staged.')
    .requiredOption('--id <id>', 'what it is called')
    .requiredOption('--file <file>', 'a whole smtpd-app.yaml')
    .option('--probability <share>', 'share of the connections, 0 to 1')
    .option('--time <time>', 'how long, such as 600 or 1h')
    .option('--remoteip <network>', 'only clients from there (repeatable)', several)
    .option('--serverid <id>', 'only this server (repeatable)', several)
    .option('--count <count>', 'connections at most')
    .option('--bound', 'it ends with this command, which stays until it is interrupted')
    .action(async (options: StageOptions) => end(await start(options)));
  withAskingOptions(stage.command('status'))
    .description('How the staged configuration does.')
    .action(async (options: AskingOptions) => end(await status(options)));
  withAskingOptions(stage.command('cancel'))
    .description('End the staged configuration.')
    .action(async (options: AskingOptions) => end(await bare(options, 'c', 'nothing is staged any more')));
}

async function bare(options: AskingOptions, letter: 'r' | 'c', done: string): Promise<number> {
  return asking(options, async (daemon) => {
    await daemon.askBare(letter);
    daemon.show(undefined, () => done);
    return undefined;
  });
}

async function start(options: StageOptions): Promise<number> {
  return askingFor(
    options,
    () => requestOf(options),
    async (daemon, request) => {
      const answer = await daemon.ask('a', request).catch((error: unknown) => {
        if (!(error instanceof RefusedError)) throw error;
        throw new RefusedError(error.message.replaceAll('staged/smtpd-app.yaml', options.file));
      });
      daemon.show(answer, () => `${forTerminal(options.id)} is staged`);
      if (options.bound === true) await daemon.client.lines(() => {});
      return undefined;
    },
  );
}

function requestOf({ id, file, probability, time, remoteip, serverid, count, bound }: StageOptions): object {
  const config = bytesOfFile(file, '--file').toString('utf8');
  return {
    id,
    config,
    ...(bound === true && { connectionbound: true }),
    conditions: {
      ...(remoteip && { remoteips: remoteip }),
      ...(serverid && { serverids: serverid }),
      ...(probability !== undefined && { probability: shareOf(probability) }),
      ...(time !== undefined && { time: secondsOf(time) }),
      ...(count !== undefined && { count: countOf(count, '--count') }),
    },
  };
}

function shareOf(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new UsageError(`--probability: found ${JSON.stringify(text)}; expected a number from 0 to 1`);
  return share;
}

function secondsOf(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined)
    throw new UsageError(`--time: found ${JSON.stringify(text)}; expected a time, such as 600 or 1h`);
  return seconds;
}

async function status(options: AskingOptions): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = await daemon.askBare('b');
    daemon.show(answer, () => forTerminal((answer?.['text'] as string | undefined) ?? 'nothing is staged'));
    return exitCodes.done;
  });
}
