// `argonite sink`: the sink on the command line. Each message is a line on stdout (on stderr with --json, so that stdout
// holds the summary alone); the summary comes when the sink is ended.

import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type DelayRule,
  parseDelayRule,
  parseRate,
  parseReplyRule,
  parseSinkState,
  type ReplyRule,
  SinkRuleError,
  type SinkState,
  sinkStates,
} from './rules.js';
import { runSink, type SinkCounts, type SinkMessage } from './sink.js';

interface SinkCommandOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly reply?: readonly ReplyRule[];
  readonly delay?: readonly DelayRule[];
  readonly drop?: readonly SinkState[];
  readonly rate: number;
  readonly seed: number;
  readonly maildir?: string;
  readonly lmtp?: boolean;
  readonly size?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Where the command writes and what ends it: the process, or a test. */
export interface SinkSurroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  untilStopped(): Promise<void>;
}

const processSurroundings: SinkSurroundings = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  untilStopped: untilSignalled,
};

/** Adds the command; `end` takes its exit code once the sink has been stopped. */
export function addSinkCommand(
  program: Command,
  end: (code: number) => void,
  surroundings: SinkSurroundings = processSurroundings,
): void {
  program
    .command('sink')
    .description('Take mail by SMTP and keep count: a next hop for demos and tests.')
    .addOption(
      new Option('--listen <host:port>', 'where to listen')
        .argParser(parseListen)
        .default({ host: '127.0.0.1', port: 2526 }, '127.0.0.1:2526'),
    )
    .option(
      '--reply <rule>',
      'refuse in a state: "RCPT 451 4.3.0 try later" (repeatable)',
      collect(parseReplyRule),
    )
    .option(
      '--delay <time>',
      'wait before the reply to the message, or "RCPT 2s" (repeatable)',
      collect(parseDelayRule),
    )
    .option(
      '--drop <state>',
      `close without an answer in a state: ${sinkStates.join(', ')}`,
      collect(parseSinkState),
    )
    .option('--rate <share>', 'share of transactions that the rules hit, 0 to 1', readable(parseRate), 1)
    .option('--seed <number>', 'which ones they hit', readable(parseCount), 1)
    .option('--maildir <dir>', 'write each message to this maildir')
    .option('--lmtp', 'speak LMTP')
    .option('--size <bytes>', 'announce SIZE, refuse larger messages', readable(parseCount))
    .option('--json', 'write the summary as JSON')
    .option('--quiet', 'no line per message')
    .addHelpText('after', '\nCtrl-C or SIGTERM ends the sink and prints the summary.')
    .action(async (options: SinkCommandOptions) => end(await serveSink(options, surroundings)));
}

async function serveSink(options: SinkCommandOptions, surroundings: SinkSurroundings): Promise<number> {
  const { out, err } = surroundings;
  const line = options.json === true ? err : out;
  const { host, port } = options.listen;
  try {
    const sink = await runSink({
      host,
      port,
      rate: options.rate,
      seed: options.seed,
      ...(options.reply === undefined ? {} : { replies: options.reply }),
      ...(options.delay === undefined ? {} : { delays: options.delay }),
      ...(options.drop === undefined ? {} : { drops: options.drop }),
      ...(options.maildir === undefined ? {} : { maildir: options.maildir }),
      ...(options.lmtp === true ? { lmtp: true } : {}),
      ...(options.size === undefined ? {} : { maxSizeBytes: options.size }),
      ...(options.quiet === true
        ? {}
        : { onMessage: (message: SinkMessage) => line(describeMessage(message)) }),
    });
    if (options.quiet !== true) line(`sink listens on ${showAddress(sink.address)}\n`);
    await surroundings.untilStopped();
    await sink.close();
    out(options.json === true ? `${JSON.stringify(sink.counts)}\n` : summarize(sink.counts));
    return 0;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const message = error instanceof Error ? error.message : String(error);
    err(
      code === 'EADDRINUSE'
        ? `sink: ${showAddress(options.listen)} is in use; end what listens there or choose another with --listen\n`
        : `sink: ${message}\n`,
    );
    return 1;
  }
}

function untilSignalled(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => {
      process.off('SIGTERM', stop);
      process.off('SIGINT', stop);
      resolve();
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

function describeMessage({ sender, recipients, bytes, file }: SinkMessage): string {
  const where = file === undefined ? '' : ` in ${file}`;
  return `<${sender}> to ${recipients.map((recipient) => `<${recipient}>`).join(', ')}: ${bytes.length} bytes${where}\n`;
}

function summarize(counts: SinkCounts): string {
  const byState = (title: string, states: SinkCounts['refused']) =>
    Object.entries(states)
      .map(([state, count]) => `${title} in ${state}: ${count}\n`)
      .join('');
  return (
    `${counts.messages} messages (${counts.bytes} bytes) in ${counts.transactions} transactions ` +
    `over ${counts.connections} connections\n` +
    byState('refused', counts.refused) +
    byState('dropped', counts.dropped)
  );
}

function showAddress({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw new InvalidArgumentError(`expected host:port, as in 127.0.0.1:2526 or [::1]:2526, got "${text}"`);
  }
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}

function parseCount(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new SinkRuleError(`expected a whole number, got "${text}"`);
  return Number(text);
}

/** Tells commander that the person's words are wrong, not the program. */
function readable<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof SinkRuleError ? new InvalidArgumentError(error.message) : error;
    }
  };
}

function collect<T>(
  parse: (text: string) => T,
): (text: string, earlier: readonly T[] | undefined) => readonly T[] {
  const parseReadably = readable(parse);
  return (text, earlier) => [...(earlier ?? []), parseReadably(text)];
}
