// What all commands that talk to the daemon have in common: where its socket is, or those of several daemons, JSON for machines, and how
// they end (control-api 7).

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
import { bytesOfFile } from './given-file.js';
import { inWordsOfCommandLine } from './in-words.js';
import { forTerminal } from './terminal-text.js';
import { UsageError } from './usage-error.js';

export { UsageError } from './usage-error.js';

/** The options of all of them. */
export interface AskingOptions {
  readonly socket?: string;
  /** A file that names the sockets of several daemons. */
  readonly config?: string;
  readonly json?: boolean;
  readonly jsonRequest?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** Takes a command's exit code. */
export type End = (code: number) => void;

/** Where one daemon is. */
export interface Host {
  /** Stands before what it says; absent where there is only one. */
  readonly name?: string;
  readonly socket: string;
  readonly tls?: ClientTls | undefined;
}

/** Adds the options that every command has. */
export function withAskingOptions(command: Command): Command {
  return command
    .option(
      '-s, --socket <path>',
      `control socket of the daemon: a path, or address:port (default: $ARGONITE_SOCKET, or ${defaultControlPath})`,
    )
    .option('-c, --config <file>', 'cli.yaml with the hosts of a cluster: all of them are asked')
    .option('--tls-ca <file>', 'with TLS: who vouches for the daemon (PEM)')
    .option('--tls-cert <file>', 'with TLS: the certificate that is shown to it')
    .option('--tls-key <file>', 'with TLS: the key of that certificate')
    .option('--json', 'print the answer as JSON')
    .option('--json-request', 'print the request as JSON before anything else')
    .option('--no-color', 'no colours (there are none yet)');
}

/** What answers. */
type Answering = Pick<ControlClient, 'ask' | 'askBare' | 'lines'>;

/** One conversation with a daemon. */
export class Asking {
  readonly client: Answering;
  readonly #options: AskingOptions;
  readonly #host: string | undefined;

  constructor(client: Answering, options: AskingOptions, host?: string) {
    this.client = client;
    this.#options = options;
    this.#host = host;
  }

  get wantsJson(): boolean {
    return this.#options.json === true;
  }

  /** Asks with a body. @throws RefusedError in the words of the command line */
  async ask(letter: CommandLetter, request: object): Promise<Record<string, unknown>> {
    if (this.#options.jsonRequest === true) this.#printJson('request', request);
    try {
      return await this.client.ask(letter, request);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      throw new RefusedError(inWordsOfCommandLine(error.message), { cause: error });
    }
  }

  /** Asks with a command without one. */
  async askBare(letter: CommandLetter): Promise<Record<string, unknown> | undefined> {
    if (this.#options.jsonRequest === true) this.#printJson('request', {});
    return this.client.askBare(letter);
  }

  /** Prints an answer: as JSON when that is wanted, else what `human` makes of it. */
  show(answer: object | undefined, human: () => string): void {
    if (this.wantsJson) this.#printJson('answer', answer ?? {});
    else {
      const text = human();
      if (text !== '') this.print(text);
    }
  }

  /** Prints lines; where several daemons are asked, with this one's name before each. */
  print(text: string): void {
    const name = this.#host;
    const named = name === undefined ? text : text.replace(/^/gm, `${forTerminal(name)}: `);
    process.stdout.write(`${named}\n`);
  }

  /** Says what is wrong, and goes on. */
  complain(text: string): void {
    complain(text, this.#host);
  }

  /** With several daemons, each says whose it is. */
  #printJson(what: 'request' | 'answer', value: object): void {
    const told = this.#host === undefined ? value : { host: this.#host, [what]: value };
    process.stdout.write(`${JSON.stringify(told)}\n`);
  }
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
 * @returns the exit code; of several daemons the worst
 */
export async function askingFor<Wanted>(
  options: AskingOptions,
  read: () => Wanted,
  talk: (asking: Asking, wanted: Wanted) => Promise<number | undefined>,
): Promise<number> {
  process.stdout.once('error', outputFailed);
  try {
    const wanted = read();
    const hosts = await hostsOf(options);
    // All at once: one that does not answer keeps nobody waiting for the others.
    const codes = await Promise.all(
      hosts.map((host) => askHost(host, options, (daemon) => talk(daemon, wanted))),
    );
    return Math.max(...codes);
  } catch (error) {
    return tell(error, undefined);
  }
}

/** A reader that has enough, as `head` has, ends it; a disk that is full is no such thing. */
function outputFailed({ code, message }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') process.exit(exitCodes.done);
  complain(`what was asked for cannot be written: ${message}`, undefined);
  process.exit(exitCodes.failed);
}

async function askHost(
  { name, socket, tls }: Host,
  options: AskingOptions,
  talk: (asking: Asking) => Promise<number | undefined>,
): Promise<number> {
  let client: ControlClient | undefined;
  try {
    const connected = await connectedTo(socket, tls, options);
    if (connected instanceof ControlClient) client = connected;
    return (await talk(new Asking(connected, options, name))) ?? exitCodes.done;
  } catch (error) {
    return tell(error, name);
  } finally {
    client?.close();
  }
}

/** Where nobody is, a request that is to be printed is printed all the same, before that is told. @throws UnreachableError */
async function connectedTo(
  socket: string,
  tls: ClientTls | undefined,
  { jsonRequest }: AskingOptions,
): Promise<ControlClient | Answering> {
  try {
    return await ControlClient.connect(socket, tls);
  } catch (error) {
    if (jsonRequest !== true || !(error instanceof UnreachableError)) throw error;
    const ask = (): Promise<never> => Promise.reject(error);
    return { ask, askBare: ask, lines: () => Promise.resolve() };
  }
}

/** Whom to ask. @throws UsageError */
async function hostsOf(options: AskingOptions): Promise<readonly Host[]> {
  const { socket, config, tlsCa, tlsCert, tlsKey } = options;
  if (config === undefined)
    return [{ socket: socket ?? process.env['ARGONITE_SOCKET'] ?? defaultControlPath, tls: tlsOf(options) }];
  if (socket !== undefined || tlsCa !== undefined || tlsCert !== undefined || tlsKey !== undefined)
    throw new UsageError('found --config together with --socket or --tls-…; expected one of them');
  const { hostsIn } = await import('./cluster.js');
  return hostsIn(config);
}

/** TLS, when a file for it is named. @throws UsageError */
function tlsOf({ tlsCa, tlsCert, tlsKey }: AskingOptions): ClientTls | undefined {
  if (tlsCa === undefined && tlsCert === undefined && tlsKey === undefined) return undefined;
  return {
    ...(tlsCa !== undefined && { ca: bytesOfFile(tlsCa, '--tls-ca') }),
    ...(tlsCert !== undefined && { cert: bytesOfFile(tlsCert, '--tls-cert') }),
    ...(tlsKey !== undefined && { key: bytesOfFile(tlsKey, '--tls-key') }),
  };
}

/** Says what went wrong. @returns the exit code it stands for */
function tell(error: unknown, host: string | undefined): number {
  const code =
    error instanceof UsageError
      ? exitCodes.usage
      : error instanceof RefusedError
        ? exitCodes.failed
        : error instanceof UnreachableError
          ? exitCodes.unreachable
          : undefined;
  if (code === undefined) throw error;
  complain((error as Error).message, host);
  return code;
}

function complain(text: string, host: string | undefined): void {
  const whose = host === undefined ? '' : `${forTerminal(host)}: `;
  process.stderr.write(`argonite: ${whose}${text.split('\n').map(forTerminal).join('\n')}\n`);
}
