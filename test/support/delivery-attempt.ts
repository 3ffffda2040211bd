// Attempts at delivery for tests: a transport with nothing special, a message in memory.

import type { TryOptions } from '#hooks';
import { noTls } from '../../src/delivery/client/tls.js';
import type { Attempt, HopAddress, Transport } from '../../src/delivery/deliverer.js';
import type { MessageReader } from '../../src/spool/spool.js';

/** A message in memory; with `chunkBytes` it pretends to be too large for that and comes in chunks. */
export function memoryReader(bytes: Buffer, chunkBytes?: number): MessageReader {
  return {
    sizeBytes: bytes.length,
    whole: () => (chunkBytes === undefined ? Promise.resolve(bytes) : undefined),
    async *chunks() {
      const step = chunkBytes ?? bytes.length;
      for (let start = 0; start < bytes.length; start += step) yield bytes.subarray(start, start + step);
    },
  };
}

/** A transport that does nothing special. */
export function makeTransport(changes: Partial<Transport> = {}): Transport {
  return {
    id: 'relay',
    host: '127.0.0.1',
    port: 25,
    helo: 'client.test',
    protocol: 'smtp',
    tls: noTls,
    credentials: undefined,
    connectTimeoutSeconds: 5,
    timeouts: {},
    retryCount: 30,
    retryIntervals: [{ seconds: 60, notify: false }],
    retryDuringSeconds: undefined,
    dsnTransportId: undefined,
    pooling: { enabled: false, transactions: undefined, idleSeconds: 5 },
    ...changes,
  };
}

/** What a test wants different from an ordinary attempt. */
export interface AttemptChanges {
  readonly transport?: Partial<Transport>;
  readonly options?: TryOptions;
  readonly message?: Buffer | string | MessageReader;
  readonly sender?: Attempt['sender'];
  readonly recipient?: Attempt['recipient'];
  readonly saslUsername?: string;
  readonly source?: Attempt['source'];
  /** Their host is 127.0.0.1 unless they have another. */
  readonly addresses?: readonly (Partial<HopAddress> & Pick<HopAddress, 'ip' | 'port'>)[];
}

/** An attempt to deliver a small message from a@a.test to b@b.test at 127.0.0.1. */
export function makeAttempt(port: number, changes: AttemptChanges = {}): Attempt {
  const message = changes.message ?? 'Subject: hello\r\n\r\nhello\r\n';
  return {
    id: { transaction: '11111111-2222-4333-8444-555555555555', number: 1 },
    sender: changes.sender ?? { localPart: 'a', domain: 'a.test' },
    saslUsername: changes.saslUsername,
    recipient: changes.recipient ?? { localPart: 'b', domain: 'b.test' },
    transport: makeTransport({ port, ...changes.transport }),
    options: changes.options ?? {},
    source: changes.source,
    destination: {
      remoteMx: '127.0.0.1',
      addresses: (changes.addresses ?? [{ ip: '127.0.0.1', port }]).map((address) => ({
        remoteMx: '127.0.0.1',
        ...address,
      })),
    },
    message:
      typeof message === 'string' || Buffer.isBuffer(message)
        ? memoryReader(Buffer.from(message as string, 'latin1'))
        : message,
  };
}
