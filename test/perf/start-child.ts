// One step of bench start, in a process of its own: start-child.js fill|start|compact FOLDER COUNT [SHAPE].

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MessageQueue } from '../../src/queue/message-queue.js';
import { type DiskSpool, openSpool } from '../../src/spool/disk-spool.js';
import type { QueuedMessage } from '../../src/spool/spool.js';
import { idleQueueParts } from '../support/idle-queue.js';
import { commitMessage, keptLog, queueRequest } from '../support/mail-samples.js';

const [step, folder, countText, shape] = process.argv.slice(2) as [string, string, string, string?];
const count = Number(countText);
const WRITERS = 500;
/** A queue of a million is mostly waiting for later. */
const LATER = 4e9;

function idOf(n: number): string {
  const scattered = (Math.imul(n, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
  return `${scattered}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

function open(): Promise<DiskSpool> {
  return openSpool({ folder, log: keptLog(), fsync: false });
}

/** Commits, several at a time; each message has its own recipient, a few hundred senders, twenty thousand domains. */
async function fill(): Promise<undefined> {
  const spool = await open();
  await spool.recover(() => {});
  const body = Buffer.alloc(200, 'x');
  let next = 0;
  const write = async () => {
    while (next < count) {
      const n = next++;
      const request = queueRequest(1, {
        sender: { localPart: `bounce-${n % 500}`, domain: 'sender.example.test' },
        recipient: { localPart: `recipient.${n}`, domain: `domain-${n % 20_000}.example.test` },
        delaySeconds: shape === 'fresh' ? LATER : 0,
      });
      const [message] = await commitMessage(spool, idOf(n), body, [request]);
      if (shape === 'fresh') continue;
      const reason = `451 4.3.0 mx${n % 2000}.example.test: try again later`;
      await spool.update(message!.id, { retry: 1 + (n % 5), nextTry: LATER + n, reason });
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  await spool.compacted();
  await spool.close();
}

function queueFor(spool: DiskSpool): MessageQueue {
  return new MessageQueue({ ...idleQueueParts(), spool, log: keptLog() });
}

async function heldBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    global.gc!();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function start(): Promise<Record<string, number>> {
  const before = await heldBytes();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const spool = await open();
  const queue = queueFor(spool);
  await spool.recover((messages) => queue.accept(messages));
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rssMiB = process.resourceUsage().maxRSS / 1024;
  if (queue.size !== count) throw new Error(`found ${queue.size} messages of ${count}`);
  const bytes = ((await heldBytes()) - before) / count;
  const result = { seconds, bytes, rssMiB, cpuSeconds: (user + system) / 1e6, size: queue.size };
  await spool.close();
  return result;
}

/** A tenth is removed and the rest changed, so that there is something to fold; then one snapshot of it all. */
async function compact(): Promise<Record<string, number>> {
  const spool = await open();
  const ids: QueuedMessage['id'][] = [];
  await spool.recover((messages) => {
    for (const { id } of messages) ids.push(id);
  });
  await spool.compacted();
  for (let from = 0; from < ids.length; from += WRITERS) {
    await Promise.all(
      ids
        .slice(from, from + WRITERS)
        .map((id, i) => (i % 10 === 0 ? spool.remove(id) : spool.update(id, { retry: 9 }))),
    );
  }
  await spool.compacted();
  ids.length = 0;
  global.gc!();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begun = performance.now();
  await spool.snapshot();
  const seconds = (performance.now() - begun) / 1000;
  delay.disable();
  await spool.close();
  return { seconds, blockMs: delay.max / 1e6, p999Ms: delay.percentile(99.9) / 1e6 };
}

const begun = performance.now();
const steps: Readonly<Record<string, () => Promise<Record<string, number> | undefined>>> = {
  fill,
  start,
  compact,
};
const result = (await steps[step]!()) ?? { seconds: (performance.now() - begun) / 1000 };
console.log(JSON.stringify(result));
process.exit();
