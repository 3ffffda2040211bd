// Small pieces of mail for tests of the spool and the queue.

import type { QueueRequest } from '#hooks';
import type { Pieces } from '#stdlib';
import type { QueuedMessage, Spool, Transaction } from '../../src/spool/spool.js';

/** A transaction id that ends in a number. */
export function uuid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** A request for one recipient with nothing special about it. */
export function queueRequest(number: number, changes: Partial<QueueRequest> = {}): QueueRequest {
  return {
    number,
    sender: { localPart: 'sender', domain: 'from.test' },
    recipient: { localPart: `r${number}`, domain: 'to.test' },
    transportId: 'out',
    pieces: [],
    metadata: {},
    hold: false,
    priority: 0,
    delaySeconds: 0,
    quotas: [],
    dsn: {},
    ...changes,
  };
}

/** Receives bytes and commits them; requests without pieces get the message as it is. */
export async function commitMessage(
  spool: Spool,
  id: string,
  body: Buffer,
  requests: readonly QueueRequest[] = [queueRequest(1)],
  changes: Partial<Transaction> = {},
): Promise<readonly QueuedMessage[]> {
  const incoming = spool.receive();
  await incoming.write(body);
  const message = await incoming.finish();
  const whole: Pieces = [{ kind: 'range', start: 0, end: message.sizeBytes }];
  return spool.commit({
    id,
    ts: 1000,
    serverId: 'in',
    senderIp: '192.0.2.1',
    senderHelo: 'client.test',
    message,
    requests: requests.map((request) =>
      request.pieces.length === 0 ? { ...request, pieces: whole } : request,
    ),
    ...changes,
  });
}

/** All bytes of a message in the spool, by its chunks. */
export async function readMessage(spool: Spool, id: QueuedMessage['id']): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of spool.open(id).chunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A logger that keeps what it is told. */
export function keptLog() {
  const lines: { level: 'info' | 'warn' | 'error'; fields: object; message: string }[] = [];
  const at = (level: 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

/** A random number generator that gives the same numbers each time (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
