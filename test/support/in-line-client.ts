// The scripts' SMTP client as tests use it: a message in memory, a server on loopback, patience of seconds.

import type { TestContext } from 'vitest';
import {
  bytesToSource,
  type ConfiguredKey,
  type MailClient,
  type MailOutcome,
  type MailServer,
  type MailTarget,
} from '#stdlib';
import { InLineClient, type InLineClientOptions } from '../../src/delivery/in-line-client.js';

/** Seconds that tests give a peer in each state. */
export const patience: Readonly<Record<string, number>> = Object.fromEntries(
  'BANNER EHLO HELO LHLO STARTTLS AUTH AUTH-PLAIN AUTH-LOGIN AUTH-LOGIN-USER AUTH-CRAM-MD5 XCLIENT MAIL RCPT DATA EOD RSET QUIT'
    .split(' ')
    .map((state) => [state, 5]),
);

/** A client that ends with the test. */
export function startClient(t: TestContext, options: Partial<InLineClientOptions> = {}): InLineClient {
  const client = new InLineClient({ hostname: () => 'client.test', ...options });
  t.onTestFinished(() => client.close());
  return client;
}

/** The server at a port of 127.0.0.1. */
export function serverAt(port: number, more: MailServer = {}): MailServer {
  return { host: '127.0.0.1', port, timeouts: patience, ...more };
}

/** Sends a small message from a@a.test to b@b.test, or to the recipients given (local parts at b.test). */
export function sendThrough(
  client: MailClient,
  target: MailTarget,
  recipients: readonly string[] = ['b'],
  signal: AbortSignal = new AbortController().signal,
): Promise<MailOutcome> {
  const bytes = Buffer.from('Subject: hello\r\n\r\nhello\r\n');
  return client.send(
    {
      sender: { localPart: 'a', domain: 'a.test' },
      recipients: recipients.map((localPart) => ({ localPart, domain: 'b.test' })),
      source: bytesToSource(bytes),
      pieces: [{ kind: 'range', start: 0, end: bytes.length }],
    },
    target,
    signal,
  );
}

/** No key is configured. */
export const noKey = (): ConfiguredKey | undefined => undefined;
