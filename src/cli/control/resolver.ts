// `argonite resolver`: the resolver of the running daemon.

import type { Command } from 'commander';
import { type AskingOptions, asking, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { tableText } from './table.js';
import { forTerminal } from './terminal-text.js';

/** Adds the command; `end` takes its exit code. */
export function addResolverCommand(program: Command, end: End): void {
  const resolver = program.command('resolver').description('The resolver of the running daemon.');
  withAskingOptions(resolver.command('clear'))
    .description('Forget what it has learnt.')
    .action(async (options: AskingOptions) => end(await bare(options, 'C', 'the cache is empty')));
  withAskingOptions(resolver.command('reload'))
    .description('Read its settings, and those of the system, anew.')
    .action(async (options: AskingOptions) => end(await bare(options, 'k', 'the settings are read')));
  withAskingOptions(resolver.command('list'))
    .description('Show the questions that servers are asked at this moment.')
    .action(async (options: AskingOptions) => end(await list(options, 'running')));
  withAskingOptions(resolver.command('queue'))
    .description('Show the questions that wait for their turn.')
    .action(async (options: AskingOptions) => end(await list(options, 'pending')));
  withAskingOptions(resolver.command('query'))
    .description('Show where mail for a domain would go.')
    .argument('<host>', 'the domain of a recipient')
    .option('--seed <id>', 'id of a transaction: equal hosts are ordered by it', '')
    .option('--retry <number>', 'counts along the candidates', '0')
    .option('--port <number>', 'port of the mail hosts', '25')
    .action(async (host: string, options: QueryOptions) => end(await query(host, options)));
}

interface QueryOptions extends AskingOptions {
  readonly seed: string;
  readonly retry: string;
  readonly port: string;
}

interface NextHop {
  readonly address?: string;
  readonly hostname?: string;
  readonly dnssec?: boolean;
  readonly tlsa?: readonly string[];
  readonly tlsaerror?: string;
}

function query(host: string, options: QueryOptions): Promise<number> {
  const request = () => ({
    host,
    seed: options.seed,
    retry: wholeNumber('--retry', options.retry, 0, 0xffff_ffff),
    port: wholeNumber('--port', options.port, 1, 65535),
  });
  return askingFor(options, request, async (daemon, wanted) => {
    const answer = await daemon.ask('L', wanted);
    const { address = '', hostname = '', dnssec = false, tlsa = [], tlsaerror }: NextHop = answer;
    daemon.show(answer, () =>
      [
        `address:  ${address}`,
        `hostname: ${hostname}`,
        `dnssec:   ${dnssec ? 'yes' : 'no'}`,
        ...(tlsa.length > 0 ? tlsa : [`none: ${tlsaerror ?? ''}`]).map((text) => `tlsa:     ${text}`),
      ]
        .map(forTerminal)
        .join('\n'),
    );
    return undefined;
  });
}

interface LookUp {
  readonly name?: string;
  readonly type?: string;
  readonly duration?: number;
  readonly askers?: number;
}

function list(options: AskingOptions, which: 'running' | 'pending'): Promise<number> {
  return asking(options, async (daemon) => {
    const answer = (await daemon.askBare('M')) ?? {};
    daemon.show(answer, () => {
      const lookUps = (answer[which] ?? []) as readonly LookUp[];
      const { runningcount = 0, pendingcount = 0, messages = 0 } = answer;
      return [
        tableText(
          [
            { title: 'NAME' },
            { title: 'TYPE' },
            { title: 'SECONDS', isNumber: true },
            { title: 'ASKERS', isNumber: true },
          ],
          lookUps.map(({ name = '', type = '', duration = 0, askers = 0 }) => [
            name,
            type,
            duration.toFixed(1),
            String(askers),
          ]),
        ),
        `${String(runningcount)} running, ${String(pendingcount)} waiting; ${String(messages)} messages wait for their next hop`,
      ].join('\n');
    });
    return undefined;
  });
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const number = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`${option} ${text}: expected a number from ${least} to ${most}`);
}

async function bare(options: AskingOptions, letter: 'C' | 'k', done: string): Promise<number> {
  return asking(options, async (daemon) => {
    await daemon.askBare(letter);
    daemon.show(undefined, () => done);
    return undefined;
  });
}
