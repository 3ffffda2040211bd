import { expect, test } from 'vitest';
import { queueExplain } from '../../../src/control/operations/queue-explain.js';
import { families, type StatisticsTree } from '../../../src/control/statistics/families.js';
import { openMetricsText } from '../../../src/control/statistics/openmetrics.js';
import { wireShapes } from '../../../src/control/wire-shapes.js';
import { controlledQueue, deafCaller } from '../../support/controlled-queue.js';
import { queuedMessage } from '../../support/notice-samples.js';
import { accepted, replied } from '../../support/started-queue.js';

/** A value by its dotted name. */
function valueAt(tree: unknown, name: string): unknown {
  return name.split('.').reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], tree);
}

const wholeTree: StatisticsTree = families.reduce<StatisticsTree>((tree, { name, type }) => {
  const parts = name.replace('*', 'in').replace('*', 'eod').split('.');
  const add = (inner: StatisticsTree, [key, ...rest]: readonly string[]): StatisticsTree => ({
    ...inner,
    [key!]:
      rest.length === 0 ? (type === 'info' ? '1.0' : 1) : add((inner[key!] ?? {}) as StatisticsTree, rest),
  });
  return add(tree, parts);
}, {});

test('every family has its place in the schema, and the schema has no other', async () => {
  const shapes = await wireShapes();
  const read = shapes.fromBytes(
    'ProcessStatsResponse',
    await shapes.toBytes('ProcessStatsResponse', wholeTree),
  );
  expect(read).toEqual(wholeTree);
});

test('what is collected is what the families name', async () => {
  const { ask } = await controlledQueue();
  const tree = await ask('q');
  for (const { name } of families)
    if (!name.includes('*') && !name.startsWith('monitor'))
      expect(typeof valueAt(tree, name), name).toMatch(/number|string/);
});

test('three messages are delivered, two deferred, one bounced', async () => {
  const { ask, submit, clock } = await controlledQueue({
    attempt: ({ recipient }) => {
      const kind = recipient.localPart;
      return Promise.resolve(
        kind === 'a' ? accepted : kind === 'b' ? replied(451, 'later') : replied(550, 'no'),
      );
    },
  });
  // Nobody to be told of the bounce, which would be a fourth delivery.
  for (const localPart of ['a', 'a', 'a', 'b', 'b', 'c'])
    await submit({ recipient: { localPart, domain: 'to.test' }, sender: { localPart: '', domain: '' } });
  await clock.advance(0);
  expect(valueAt(await ask('q'), 'queue.delivery')).toEqual({ delivered: 3, delayed: 2, failed: 1 });
});

test('the names of quotas that have messages are counted (queue-and-config 6)', async () => {
  const { ask, submit, clock } = await controlledQueue();
  await submit({ quotas: ['c1', 'total'], delaySeconds: 10 }, { quotas: ['c2', 'total'], delaySeconds: 20 });
  const size = async () => valueAt(await ask('q'), 'queue.quota.size');
  expect(await size()).toBe(3);
  await clock.advance(11);
  expect(await size()).toBe(2);
  await clock.advance(10);
  expect(await size()).toBe(0);
});

test('a message whose transport is gone says so, and when it is tried again', async () => {
  const { ask, submit, clock } = await controlledQueue();
  const [message] = await submit({ transportId: 'gone' });
  await clock.advance(0);
  const explain = () => ask('X', { id: { transaction: message!.id.transaction, queue: 1 } });
  const reasons = [
    'The last thing that was said: the transport "gone" is not configured',
    'The transport "gone" is not in the configuration: the message cannot be sent before it is, or before it has another (queue update --transportid-set).',
  ];
  expect(await explain()).toMatchObject({
    state: 'DEFER',
    reasons: ['It is deferred after 1 attempt; the next try is in 60 seconds.', ...reasons],
    item: { reason: 'the transport "gone" is not configured', transportid: 'gone' },
  });
  await clock.advance(10 * 86_400);
  expect(await explain()).toMatchObject({
    state: 'HOLD',
    reasons: ['It is on hold: it goes when somebody releases it (queue update --active).', ...reasons],
  });
});

test('a message that was put off says for how long, and blames no attempt for it', async () => {
  const { ask, submit, clock } = await controlledQueue();
  const [message] = await submit({ delaySeconds: 555 });
  const wait = async () => {
    const { reasons } = await ask('X', { id: { transaction: message!.id.transaction, queue: 1 } });
    return reasons;
  };
  await clock.advance(0);
  expect(await wait()).toEqual(['It is deferred; the next try is in 9m 15s.']);
  await clock.advance(500);
  expect(await wait()).toEqual(['It is deferred; the next try is in 55 seconds.']);
});

test('a transport that only the staged configuration of a message has is there', async () => {
  const explain = (stageKey: string | undefined) => {
    const message = {
      ...queuedMessage,
      transportId: 'trial',
      ...(stageKey === undefined ? {} : { stageKey }),
    };
    const { run } = queueExplain({
      queue: { find: () => ({ message, state: 'HOLD' }), holdUp: () => ({ kind: 'held' }) },
      spool: { isWritable: () => true },
      knowsTransport: (id, key) => id === 'trial' && key === 'stage-1',
      now: () => 0,
    });
    return run({ id: { transaction: message.id.transaction, queue: 1 } }, deafCaller);
  };
  const held = 'It is on hold: it goes when somebody releases it (queue update --active).';
  expect(await explain('stage-1')).toMatchObject({ reasons: [held] });
  expect(await explain(undefined)).toMatchObject({
    reasons: [held, expect.stringMatching(/^The transport "trial" is not in the configuration/)],
  });
});

test('a message that a full counter holds back shows, as long as it is held back', async () => {
  const ends: (() => void)[] = [];
  const { ask, submit, clock, queue } = await controlledQueue({
    policies: { policies: [{ fields: ['remotemx'], default: { concurrency: 1 } }] },
    attempt: () => new Promise((resolve) => ends.push(() => resolve(accepted))),
  });
  const [, second] = [await submit(), await submit()];
  await clock.advance(0);
  expect(valueAt(await ask('q'), 'queue.policy.concurrency')).toEqual({ suspends: 1, counters: 1 });
  const id = { transaction: second![0]!.id.transaction, queue: 1 };
  const explained = await ask('X', { id });
  expect(explained['state']).toBe('ACTIVE');
  expect(explained['reasons']).toEqual([
    'A policy holds it back: the concurrency of remotemx "mx.to.test" is 1, and 1 are in use. It goes when one of those has ended.',
  ]);
  expect(explained).not.toHaveProperty('earliest');
  const held = await ask('F', { conditions: { suspendeds: [{ suspended: true }] }, fields: ['suspended'] });
  expect(held['items']).toEqual([{ suspended: 'concurrency of remotemx' }]);
  ends.shift()!();
  await clock.advance(0);
  expect(valueAt(await ask('q'), 'queue.policy.concurrency.suspends')).toBe(0);
  ends.shift()!();
  await clock.advance(0);
  expect(queue.size).toBe(0);
});

test('the queues and what is in flight are all the messages of the spool', async () => {
  const { ask, submit, clock, queue } = await controlledQueue({
    attempt: () => new Promise(() => {}),
    policies: { policies: [{ fields: ['remotemx'], default: { concurrency: 2 } }] },
  });
  for (let i = 0; i < 5; i++) await submit({ priority: i === 4 ? 1 : 0 });
  for (let i = 0; i < 3; i++) await submit({ hold: true });
  await submit({ delaySeconds: 100 });
  await clock.advance(0);
  const tree = await ask('q');
  const queues = valueAt(tree, 'queue.queues') as Record<string, number> & {
    readonly active: Record<string, number>;
  };
  const { active, defer, hold, update, pending } = queues;
  const sending = valueAt(tree, 'queue.connections.concurrency') as number;
  const waiting = [...Object.values(active), defer, hold, update, pending].reduce<number>(
    (sum, count) => sum + (count ?? 0),
    0,
  );
  expect(waiting + sending).toBe(queue.size);
  expect({ active, defer, hold, sending }).toEqual({ active: { 0: 2, 1: 1 }, defer: 1, hold: 3, sending: 2 });
});

test('OpenMetrics has each family once, labels for variable parts, and an end', () => {
  const text = openMetricsText(
    {
      process: { pid: 7, version: '1"2' },
      servers: { in: { connections: { total: 3 } }, 'a\n"b': { connections: { total: 1 } } },
    },
    '# HELP mails "Mails".\n# TYPE mails counter\nmails{a="b"} 2\n\n# HELP g G.\n# TYPE g gauge\ng 1\n',
  );
  expect(text).toBe(
    [
      '# TYPE argonite_process_pid gauge',
      '# HELP argonite_process_pid Process id of the daemon.',
      'argonite_process_pid 7',
      '# TYPE argonite_process_version info',
      '# HELP argonite_process_version Version of the daemon.',
      'argonite_process_version_info{version="1\\"2"} 1',
      '# TYPE argonite_servers_connections counter',
      '# HELP argonite_servers_connections Connections of clients so far.',
      'argonite_servers_connections_total{server="in"} 3',
      'argonite_servers_connections_total{server="a\\n\\"b"} 1',
      '# HELP mails \\"Mails\\".',
      '# TYPE mails counter',
      'mails_total{a="b"} 2',
      '# HELP g G.',
      '# TYPE g gauge',
      'g 1',
      '# EOF',
      '',
    ].join('\n'),
  );
});

test('no two families have the same name in OpenMetrics', () => {
  const names = [...openMetricsText(wholeTree).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toHaveLength(families.length);
});
