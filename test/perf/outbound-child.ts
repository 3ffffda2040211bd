// A deliverer in a process of its own, for bench outbound: makes attempts when it is told to, and tells its memory after a
// collection of garbage. Started with --expose-gc.

import { SmtpDeliverer } from '../../src/delivery/smtp-deliverer.js';
import { makeAttempt, makeTransport } from '../support/delivery-attempt.js';

/** What the child is asked. */
export type Order =
  /** Begins so many attempts, spread over the addresses. */
  | { readonly kind: 'open'; readonly count: number; readonly ports: readonly Endpoint[] }
  /** Delivers one message after the other on so many connections at once, for a while. */
  | { readonly kind: 'drive'; readonly lanes: number; readonly seconds: number; readonly port: Endpoint }
  | { readonly kind: 'state' };

/** An address to deliver to. */
export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** How the attempts stand. */
export interface OutboundState {
  readonly begun: number;
  readonly delivered: number;
  readonly failed: readonly string[];
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
}

const deliverer = new SmtpDeliverer({ hostname: 'bench.test' });
const sizeBytes = Number(process.argv[2] ?? 4096);
const text = Buffer.from(
  `Subject: bench\r\n\r\n${'x'.repeat(70)}\r\n`.padEnd(sizeBytes - 2, 'y').concat('\r\n'),
);
/** As the spool gives it: new bytes each time. */
const message = {
  sizeBytes: text.length,
  whole: async () => Buffer.from(text),
  async *chunks() {
    yield Buffer.from(text);
  },
};
let begun = 0;
let delivered = 0;
const failed: string[] = [];

async function attempt({ ip, port }: Endpoint, isPooled: boolean): Promise<void> {
  begun++;
  const transport = isPooled
    ? makeTransport({ pooling: { enabled: true, transactions: undefined, idleSeconds: 60 } })
    : makeTransport({ connectTimeoutSeconds: 60 });
  // One for each attempt, as the queue has it.
  const { signal } = new AbortController();
  const report = await deliverer.attempt(
    makeAttempt(port, { message, transport, addresses: [{ ip, port }] }),
    signal,
  );
  if (report.result?.code === 250) delivered++;
  else failed.push(report.error?.message ?? `${report.result?.code}`);
}

async function drive(lanes: number, seconds: number, port: Endpoint): Promise<number> {
  const before = delivered;
  const end = performance.now() + seconds * 1000;
  const lane = async () => {
    while (performance.now() < end) await attempt(port, true);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return delivered - before;
}

process.on('message', (order: Order) => {
  switch (order.kind) {
    case 'open': {
      const { count, ports } = order;
      let next = 0;
      // Connects in steps: a thousand at once overflow what a listener keeps waiting.
      const step = () => {
        for (let index = 0; index < 200 && next < count; index++, next++)
          void attempt(ports[next % ports.length]!, false);
        if (next < count) setTimeout(step, 20);
        else process.send!({ done: count });
      };
      step();
      return;
    }
    case 'drive':
      void drive(order.lanes, order.seconds, order.port).then((count) => process.send!({ count }));
      return;
    case 'state':
      global.gc?.();
      setTimeout(() => {
        global.gc?.();
        const { heapUsed, external, rss } = process.memoryUsage();
        process.send!({
          begun,
          delivered,
          failed: failed.slice(0, 5),
          heapUsed,
          external,
          rss,
        } satisfies OutboundState);
      }, 200);
  }
});
process.on('disconnect', () => process.exit());
process.send!({ ready: true });
