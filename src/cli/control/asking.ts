// What all commands that talk to the daemon have in common: where its socket is, JSON for machines, and how they end
// (control-api 7).

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { defaultControlPath } from '../../config/control-path.js';
import {
  type ClientTls,
  ControlClient,
  RefusedError,
  UnreachableError,
} from '../../control/client/control-client.js';
import type { CommandLetter } from '../../control/commands.js';
import { exitCodes } from '../exit-codes.js';
import { forTerminal } from './terminal-text.js';

/** The options of all of them. */
export interface AskingOptions {
  readonly socket: string;
  readonly json?: boolean;
  readonly jsonRequest?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** Takes a command's exit code. */
export type End = (code: number) => void;

/** What was asked for makes no sense; the message says what would. */
export class UsageError extends Error {}

/** Adds the options that every command has. */
export function withAskingOptions(command: Command): Command {
  return command
    .option(
      '-s, --socket <path>',
      'control socket of the daemon: a path, or address:port',
      process.env['ARGONITE_SOCKET'] ?? defaultControlPath,
    )
    .option('--tls-ca <file>', 'with TLS: who vouches for the daemon (PEM)')
    .option('--tls-cert <file>', 'with TLS: the certificate that is shown to it')
    .option('--tls-key <file>', 'with TLS: the key of that certificate')
    .option('--json', 'print the answer as JSON')
    .option('--json-request', 'print the request as JSON before anything else')
    .option('--no-color', 'no colours (there are none yet)');
}

/** One conversation with a daemon. */
export class Asking {
  readonly client: ControlClient;
  readonly #options: AskingOptions;

  constructor(client: ControlClient, options: AskingOptions) {
    this.client = client;
    this.#options = options;
  }

  get wantsJson(): boolean {
    return this.#options.json === true;
  }

  /** Asks with a body. */
  async ask(letter: CommandLetter, request: object): Promise<Record<string, unknown>> {
    if (this.#options.jsonRequest === true) printJson(request);
    return this.client.ask(letter, request);
  }

  /** Asks with a command without one. */
  async askBare(letter: CommandLetter): Promise<Record<string, unknown> | undefined> {
    if (this.#options.jsonRequest === true) printJson({});
    return this.client.askBare(letter);
  }

  /** Prints an answer: as JSON when that is wanted, else what `human` makes of it. */
  show(answer: object | undefined, human: () => string): void {
    if (this.wantsJson) printJson(answer ?? {});
    else {
      const text = human();
      if (text !== '') process.stdout.write(`${text}\n`);
    }
  }
}

function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Connects, asks, disconnects. @returns the exit code */
export function asking(
  options: AskingOptions,
  talk: (asking: Asking) => Promise<number | undefined>,
): Promise<number> {
  return askingFor(options, () => undefined, talk);
}

/**
 * The same with something to ask for, read from the command line by `read`: a mistake in it is told before anybody is connected to.
 * @returns the exit code
 */
export async function askingFor<Wanted>(
  options: AskingOptions,
  read: () => Wanted,
  talk: (asking: Asking, wanted: Wanted) => Promise<number | undefined>,
): Promise<number> {
  let client: ControlClient | undefined;
  try {
    const wanted = read();
    client = await ControlClient.connect(options.socket, tlsOf(options));
    return (await talk(new Asking(client, options), wanted)) ?? exitCodes.done;
  } catch (error) {
    return tell(error);
  } finally {
    client?.close();
  }
}

/** TLS, when a file for it is named. @throws UsageError */
function tlsOf({ tlsCa, tlsCert, tlsKey }: AskingOptions): ClientTls | undefined {
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return undefined;
  return {
    ...(tlsCa !== undefined && { ca: contentOf(tlsCa, '--tls-ca') }),
    ...(tlsCert !== undefined && { cert: contentOf(tlsCert, '--tls-cert') }),
    ...(tlsKey !== undefined && { key: contentOf(tlsKey, '--tls-key') }),
  };
}

function contentOf(file: string, option: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}

/** Says what went wrong. @returns the exit code it stands for */
function tell(error: unknown): number {
  if (error instanceof UsageError) return say(error, exitCodes.usage);
  if (error instanceof RefusedError) return say(error, exitCodes.failed);
  if (error instanceof UnreachableError) return say(error, exitCodes.unreachable);
  throw error;
}

function say({ message }: Error, code: number): number {
  process.stderr.write(`argonite: ${message.split('\n').map(forTerminal).join('\n')}\n`);
  return code;
}
