import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PickupPolicy } from '../../../../src/policy/pickup-policy.js';
import type { PolicyConfig, PolicyFacts } from '../../../../src/policy/policy-config.js';
import { MessageTable, Stage } from '../../../../src/queue/table/message-table.js';
import { SubQueues } from '../../../../src/queue/table/sub-queues.js';
import type { QueuedMessage } from '../../../../src/spool/spool.js';
import { uuid } from '../../../support/mail-samples.js';

// New policies while messages wait: they are sorted anew in slices, and keep their order (queue-and-config 1.2).

const byMx: PolicyConfig = { policies: [{ fields: ['remotemx'], default: { concurrency: 1 } }] };
const byJob: PolicyConfig = { policies: [{ fields: ['jobid'], default: { concurrency: 1_000_000 } }] };

const message: Omit<QueuedMessage, 'id' | 'priority'> = {
  ts: 0,
  serverId: 'in',
  senderIp: '192.0.2.1',
  senderHelo: 'client.test',
  sender: { localPart: '', domain: '' },
  recipient: { localPart: 'b', domain: 'to.test' },
  transportId: 'out',
  metadata: {},
  quotas: [],
  dsn: {},
  sizeBytes: 1,
  hold: false,
  retry: 0,
  nextTry: 0,
};

function waiting(policies: PolicyConfig) {
  const table = new MessageTable();
  const policy = new PickupPolicy(policies);
  const subQueues = new SubQueues(table, policy, () => {});
  const facts = new Map<number, PolicyFacts>();
  let count = 0;
  const add = (mx: number, isHigh: boolean): number => {
    const slot = table.add({
      ...message,
      id: { transaction: uuid(++count), number: 1 },
      priority: isHigh ? 1 : 0,
    });
    table.enter(slot);
    table.setStage(slot, Stage.Preparing);
    table.setStage(slot, Stage.Ready);
    facts.set(slot, {
      tenantid: '',
      jobid: `job${mx % 2}`,
      transportid: 'out',
      grouping: '',
      remoteip: '',
      remotemx: `mx${mx}`,
      recipientdomain: '',
    });
    subQueues.add(slot, facts.get(slot)!);
    return slot;
  };
  const sort = (limit: number) => subQueues.sort(limit, (slot) => facts.get(slot)!);
  const reconfigure = (config: PolicyConfig) => {
    policy.reconfigure(config);
    subQueues.regroup();
  };
  const pickAll = (): number[] => {
    const picked: number[] = [];
    for (let next = subQueues.pickUp(); next !== undefined; next = subQueues.pickUp()) picked.push(next.slot);
    return picked;
  };
  return { table, subQueues, add, sort, reconfigure, pickAll };
}

test('what waits for new policies is sorted in slices, and goes in the order of entry, high priority first', () => {
  const entries = fc.array(fc.tuple(fc.nat(5), fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(
      entries,
      entries,
      fc.array(fc.nat(200), { maxLength: 20 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      (before, meanwhile, removals, slice, twice) => {
        const { table, subQueues, add, sort, reconfigure, pickAll } = waiting(byMx);
        const all = before.map(([mx, isHigh]) => add(mx, isHigh));
        const gone = new Set(pickAll());
        const remove = (n: number) => {
          const slot = all[n % Math.max(1, all.length)];
          if (slot === undefined || gone.has(slot)) return;
          subQueues.remove(slot);
          gone.add(slot);
        };
        reconfigure(byJob);
        sort(slice);
        for (const n of removals.slice(0, 10)) remove(n);
        all.push(...meanwhile.map(([mx, isHigh]) => add(mx, isHigh)));
        for (const n of removals.slice(10)) remove(n);
        if (twice) reconfigure({ policies: [...byJob.policies, { fields: [] }] });
        for (let turns = 0; subQueues.isUnsorted; turns++) {
          if (turns > 500) throw new Error('it never ends');
          sort(slice);
        }
        const left = all.filter((slot) => !gone.has(slot));
        const inOrder = [...left].sort(
          (a, b) => Number(table.isHigh(b)) - Number(table.isHigh(a)) || table.entry(a) - table.entry(b),
        );
        expect(pickAll()).toEqual(inOrder);
        expect(subQueues.count).toBe(0);
      },
    ),
  );
});

test('a slice is no more than was asked for, and what is sorted may go before the rest is', () => {
  const { subQueues, add, sort, reconfigure } = waiting(byMx);
  const slots = Array.from({ length: 10 }, (_, n) => add(n % 2, false));
  reconfigure(byJob);
  expect(subQueues.pickUp()).toBeUndefined();
  sort(3);
  expect([1, 2, 3, 4].map(() => subQueues.pickUp()?.slot)).toEqual([...slots.slice(0, 3), undefined]);
  expect(subQueues.isUnsorted).toBe(true);
});
