// How long it takes to look through a long queue, and how long that keeps the event loop (in processor time): `npm run bench -- queries
// [--count N] [--rounds N]`. The queue is filled in this process, without a spool; requests are made as the control socket makes them.

import { parseArgs } from 'node:util';
import { commands } from '../../src/control/commands.js';
import type { Caller, Operation } from '../../src/control/operation.js';
import { queueGroupBy } from '../../src/control/operations/queue-group-by.js';
import { queueList } from '../../src/control/operations/queue-list.js';
import { wireShapes } from '../../src/control/wire-shapes.js';
import { MessageQueue } from '../../src/queue/message-queue.js';
import type { QueuedMessage } from '../../src/spool/spool.js';
import { idleQueueParts } from '../support/idle-queue.js';
import { keptLog, uuid } from '../support/mail-samples.js';
import { RamSpool } from '../support/ram-spool.js';
import { longestTurn } from '../support/turns.js';

/** Design.md 7, with a million messages; control-api 3 for the blocks. */
const AIMS = { groupByMs: 300, blockMs: 50 };

const deaf: Caller = {
  signal: new AbortController().signal,
  stream: { send: () => true, onRoom: () => {}, keep: () => {} },
};

const requests: readonly { readonly name: string; readonly letter: 'D' | 'F'; readonly request: object }[] = [
  { name: 'groupby recipientdomain', letter: 'D', request: { groupby: ['recipientdomain'] } },
  {
    name: 'groupby recipientdomain, ages',
    letter: 'D',
    request: { groupby: ['recipientdomain'], buckets: { field: 'age', intervals: [60, 3600, 86_400] } },
  },
  {
    name: 'groupby state, transportid, metadata.customer',
    letter: 'D',
    request: { groupby: ['state', 'transportid', 'metadata.customer'] },
  },
  {
    name: 'groupby recipientdomain of one job',
    letter: 'D',
    request: { groupby: ['recipientdomain'], conditions: { jobids: [{ jobid: 'job7' }] } },
  },
  {
    name: 'list of one domain, counted',
    letter: 'F',
    request: {
      conditions: { recipientdomains: [{ recipientdomain: 'domain-7.example.test' }] },
      total: true,
    },
  },
  { name: 'list sorted by size', letter: 'F', request: { sort: [{ field: 'size', order: 'DESC' }] } },
];

function filled(count: number): MessageQueue {
  const queue = new MessageQueue({ ...idleQueueParts(), spool: new RamSpool(), log: keptLog() });
  const now = Date.now() / 1000;
  for (let from = 0; from < count; from += 1000) {
    const messages: QueuedMessage[] = [];
    for (let n = from; n < Math.min(count, from + 1000); n++)
      messages.push({
        id: { transaction: uuid(n + 1), number: 1 },
        ts: now - (n % 100_000),
        serverId: 'in',
        senderIp: `192.0.2.${n % 200}`,
        senderHelo: 'client.example.test',
        sender: { localPart: `bounce-${n % 500}`, domain: 'sender.example.test' },
        recipient: { localPart: `recipient.${n}`, domain: `domain-${n % 20_000}.example.test` },
        transportId: 'out',
        // One in ten has what most do not have.
        metadata: n % 10 === 0 ? { customer: `c${n % 300}` } : {},
        ...(n % 10 === 0 && { jobId: `job${n % 50}` }),
        priority: 0,
        quotas: [],
        dsn: {},
        sizeBytes: 1000 + (n % 5000),
        hold: false,
        retry: n % 5,
        nextTry: now + 1e6 + n,
      });
    queue.accept(messages);
  }
  return queue;
}

/** Runs the benchmark. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { count: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '5' } },
  });
  const queue = filled(Number(values.count));
  const now = (): number => Date.now() / 1000;
  const operations: Readonly<Record<'D' | 'F', Operation>> = {
    D: queueGroupBy(queue, now),
    F: queueList(queue, now),
  };
  const shapes = await wireShapes();
  console.log(
    `${queue.size} messages; aims: groupby ${AIMS.groupByMs} ms, no block above ${AIMS.blockMs} ms`,
  );
  for (const { name, letter, request } of requests) {
    const messageName = `${commands[letter].name}Request`;
    const times: number[] = [];
    const processor: number[] = [];
    let block = 0;
    for (let round = 0; round < Number(values.rounds); round++) {
      const read = shapes.fromJson(messageName, JSON.stringify(request));
      const watch = longestTurn();
      const begun = performance.now();
      const cpu = process.cpuUsage();
      await operations[letter].run(read as never, deaf);
      times.push(performance.now() - begun);
      const { user, system } = process.cpuUsage(cpu);
      processor.push((user + system) / 1000);
      block = Math.max(block, watch());
    }
    console.log(
      `  ${name.padEnd(48)} ${median(times)} ms, ${median(processor)} ms of CPU, longest block ${block.toFixed(1)} ms`,
    );
  }
}

function median(times: readonly number[]): string {
  return [...times]
    .sort((a, b) => a - b)
    [times.length >> 1]!.toFixed(0)
    .padStart(5);
}
