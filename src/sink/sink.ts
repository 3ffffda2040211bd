// A small SMTP server that takes mail and keeps count: the next hop of demos and tests. It accepts everything unless a rule
// says otherwise (rules.ts), and is no part of the mail server's own path.

import type { AddressInfo } from 'node:net';
import { Maildir } from './maildir.js';
import { SinkPlan, type SinkRules, type SinkState } from './rules.js';

/** A message the sink took. */
export interface SinkMessage {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** As received, dot-stuffing undone. */
  readonly bytes: Buffer;
  /** Where it lies, if there is a maildir. */
  readonly file?: string;
}

/** What happened so far. */
export interface SinkCounts {
  connections: number;
  /** MAIL commands. */
  transactions: number;
  /** RCPT commands. */
  recipients: number;
  /** Messages accepted. */
  messages: number;
  /** Their bytes. */
  bytes: number;
  /** Answers refused by a rule, by state. */
  refused: Partial<Record<SinkState, number>>;
  /** Connections dropped by a rule, by state. */
  dropped: Partial<Record<SinkState, number>>;
}

/** How to run a sink. */
export interface SinkOptions extends SinkRules {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 takes any free port; default 2526. */
  readonly port?: number;
  readonly maildir?: string;
  /** Speaks LMTP. */
  readonly lmtp?: boolean;
  /** Announces SIZE and refuses larger messages. */
  readonly maxSizeBytes?: number;
  /** Called for each message when it has been accepted. */
  readonly onMessage?: (message: SinkMessage) => void;
}

/** A running sink. */
export interface SinkHandle {
  readonly address: { readonly host: string; readonly port: number };
  readonly counts: SinkCounts;
  /** Stops listening and closes what is open. */
  close(): Promise<void>;
}

/** Starts a sink; rejects when it cannot listen. */
export async function runSink(options: SinkOptions = {}): Promise<SinkHandle> {
  const { SinkServer } = await import('./sink-server.js');
  const counts: SinkCounts = {
    connections: 0,
    transactions: 0,
    recipients: 0,
    messages: 0,
    bytes: 0,
    refused: {},
    dropped: {},
  };
  const maildir = options.maildir === undefined ? undefined : await Maildir.open(options.maildir);

  const server = new SinkServer(
    {
      name: 'sink.argonite',
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      hideSTARTTLS: true,
      // The package's own enhanced codes would stand in front of those a rule says.
      hideENHANCEDSTATUSCODES: true,
      disableReverseLookup: true,
      logger: false,
      socketTimeout: 10 * 60_000,
      closeTimeout: 1,
      ...(options.lmtp === true ? { lmtp: true } : {}),
      ...(options.maxSizeBytes === undefined ? {} : { size: options.maxSizeBytes, rejectOversized: true }),
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', () => {}); // the client went in mid-message: no message, nothing to answer
        stream.on('end', () => {
          if (stream.sizeExceeded) return callback(null); // the package answers 552
          const accept = async () => {
            const bytes = Buffer.concat(chunks);
            const file = await maildir?.write(bytes, Date.now());
            counts.messages++;
            counts.bytes += bytes.length;
            const { mailFrom, rcptTo } = session.envelope;
            options.onMessage?.({
              sender: mailFrom === false ? '' : mailFrom.address,
              recipients: rcptTo.map(({ address }) => address),
              bytes,
              ...(file === undefined ? {} : { file }),
            });
            callback(null, '2.0.0 taken');
          };
          server.answerMessage(
            session.id,
            () => accept().catch((error: Error) => callback(replyError(451, `4.3.0 ${error.message}`))),
            (rule) => callback(replyError(rule.code, rule.text)),
          );
        });
      },
    },
    new SinkPlan(options),
    {
      connected: () => counts.connections++,
      transaction: () => counts.transactions++,
      recipient: () => counts.recipients++,
      refused: (state) => {
        counts.refused[state] = (counts.refused[state] ?? 0) + 1;
      },
      dropped: (state) => {
        counts.dropped[state] = (counts.dropped[state] ?? 0) + 1;
      },
    },
  );

  // The package passes its listener's errors on.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 2526, options.host ?? '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  // Out of descriptors, most likely: the listener goes on, the client comes again.
  server.on('error', () => {});
  const { address, port } = server.server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    address: { host: address, port },
    counts,
    close: () => {
      closing ??= new Promise((resolve) => {
        server.server.close(() => resolve());
        for (const connection of server.connections) connection._socket.destroy();
        server.close();
      });
      return closing;
    },
  };
}

function replyError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
