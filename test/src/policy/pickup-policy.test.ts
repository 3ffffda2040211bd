import { expect, test } from 'vitest';
import type { Obstacle } from '../../../src/policy/counter.js';
import { isTicket, PickupPolicy, type Ticket } from '../../../src/policy/pickup-policy.js';
import type { PolicyFacts } from '../../../src/policy/policy-config.js';

function facts(changes: Partial<PolicyFacts> = {}): PolicyFacts {
  return {
    tenantid: '',
    jobid: '',
    transportid: 'out',
    grouping: '',
    remoteip: '192.0.2.1',
    remotemx: 'mx.a.test',
    recipientdomain: 'a.test',
    ...changes,
  };
}

function ticket(answer: Ticket | Obstacle): Ticket {
  if (!isTicket(answer)) throw new Error('there is an obstacle');
  return answer;
}

test('a slot is taken by a ticket and comes back once', () => {
  const policy = new PickupPolicy({ policies: [{ fields: ['remotemx'], default: { concurrency: 2 } }] });
  const freed: Obstacle[] = [];
  policy.onRoom((obstacle) => freed.push(obstacle));
  const group = policy.group(facts());
  const first = ticket(policy.take(group));
  ticket(policy.take(group));
  const obstacle = policy.take(group);
  expect(isTicket(obstacle)).toBe(false);
  expect(ticket(policy.take(policy.group(facts({ remotemx: 'mx.b.test' }))))).toBeDefined();
  first.release();
  first.release();
  expect(freed).toEqual([obstacle]);
  ticket(policy.take(group));
  expect(isTicket(policy.take(group))).toBe(false);
});

test('no limit, or 0, lets everything through', () => {
  for (const policies of [
    [],
    [{ fields: ['remotemx'] as const }],
    [{ fields: [], default: { concurrency: 0 } }],
  ]) {
    const policy = new PickupPolicy({ policies });
    const group = policy.group(facts());
    for (let i = 0; i < 100; i++) ticket(policy.take(group));
  }
});

test('slots of all counters are taken, or none', () => {
  const policy = new PickupPolicy({
    policies: [
      { fields: ['remotemx'], default: { concurrency: 5 } },
      { fields: [], default: { concurrency: 1 } },
    ],
  });
  const group = policy.group(facts());
  const first = ticket(policy.take(group));
  expect(isTicket(policy.take(group))).toBe(false);
  expect(group.counters.map((counter) => counter.used)).toEqual([1, 1]);
  first.release();
  expect(group.counters.map((counter) => counter.used)).toEqual([0, 0]);
});

test('messages that no policy can tell apart have one key', () => {
  const policy = new PickupPolicy({ policies: [{ fields: ['jobid'] }, { fields: ['remotemx', 'jobid'] }] });
  const key = policy.keyOf(facts({ jobid: 'j' }));
  expect(policy.keyOf(facts({ jobid: 'j', remoteip: '192.0.2.9', recipientdomain: 'x.test' }))).toBe(key);
  expect(policy.keyOf(facts({ jobid: 'j', remotemx: 'MX.A.TEST.' }))).toBe(key);
  expect(policy.keyOf(facts({ jobid: 'J' }))).not.toBe(key);
  expect(policy.keyOf(facts({ jobid: 'j 9:mx.a.test', remotemx: '' }))).not.toBe(
    policy.keyOf(facts({ jobid: 'j', remotemx: '9:mx.a.test' })),
  );
});

test('a counter is forgotten when nothing is in flight and nobody waits', () => {
  const policy = new PickupPolicy({ policies: [{ fields: ['remotemx'], default: { concurrency: 2 } }] });
  const group = policy.group(facts());
  const held = ticket(policy.take(group));
  policy.leave(group);
  expect(policy.counterCount).toBe(1);
  const again = policy.group(facts());
  expect(again.counters[0]!.used).toBe(1);
  policy.leave(again);
  held.release();
  expect(policy.counterCount).toBe(0);
});

test('after new policies what is in flight stays counted', () => {
  const policy = new PickupPolicy({
    policies: [{ fields: ['remotemx', 'jobid'], default: { concurrency: 2 } }],
  });
  const group = policy.group(facts());
  const held = [ticket(policy.take(group)), ticket(policy.take(group))];
  const woken: Obstacle[] = [];
  policy.onRoom((obstacle) => woken.push(obstacle));
  policy.reconfigure({ policies: [{ fields: ['jobid', 'remotemx'], default: { concurrency: 3 } }] });
  expect(woken).toEqual([group.counters[0]]);
  const now = policy.group(facts());
  held.push(ticket(policy.take(now)));
  expect(isTicket(policy.take(now))).toBe(false);
  for (const each of held) each.release();
  expect(now.counters[0]!.used).toBe(0);
});
