// What is decided when a message is picked up: where it leaves from (queue-and-config 1.4), and what holds for its destination (5).

import { describe, expect, test } from 'vitest';
import type { SourceAddress, TryOptions } from '#hooks';
import { DeliverySettings } from '../../../src/config/delivery-settings.js';
import type { Destination } from '../../../src/delivery/deliverer.js';
import { readFieldValues } from '../../../src/policy/field-patterns.js';
import { sharedPatternEngine } from '../../../src/scripting/host/patterns/engine.js';
import type { QueuedMessage } from '../../../src/spool/spool.js';
import { replied, startedQueue } from '../../support/started-queue.js';

const later = replied(451, 'later', [4, 3, 0]);
const a: SourceAddress = { ip: '192.0.2.1', id: 'a' };
const b: SourceAddress = { ip: '192.0.2.2', id: 'b' };
const six: SourceAddress = { ip: '2001:db8::1', id: 'six' };

function trying(options: TryOptions) {
  return () => ({ kind: 'Try' as const, options, context: null });
}

function destination(...ips: readonly string[]): Destination {
  return { remoteMx: 'mx.test', addresses: ips.map((ip) => ({ ip, port: 25, remoteMx: 'mx.test' })) };
}

describe('300 messages with the sources [A, A, B]', () => {
  test.each([
    [{}, 200, 100],
    [{ takesFirstSource: true }, 300, 0],
  ] as const)('and %j leave by A %i times, by B %i times (1.6, 9)', async (options, fromA, fromB) => {
    const { submit, clock, attempts } = await startedQueue({
      predelivery: trying({ sources: [a, a, b], ...options }),
    });
    for (let n = 0; n < 100; n++) await submit({}, {}, {});
    await clock.advance(1);
    const ids = attempts.map(({ attempt }) => attempt.source!.ipv4!.id);
    expect(ids.filter((id) => id === 'a')).toHaveLength(fromA);
    expect(ids.filter((id) => id === 'b')).toHaveLength(fromB);
  });
});

describe('the sources', () => {
  test('of the transport are used unless Try names others', async () => {
    const { submit, clock, attempts } = await startedQueue({
      transport: { sources: { ipv4: [a], ipv6: true } },
      predelivery: ({ id }) => ({
        kind: 'Try',
        options: id.number === 1 ? {} : { sources: [b] },
        context: null,
      }),
    });
    await submit({}, {});
    await clock.advance(1);
    expect(attempts.map(({ attempt }) => attempt.source)).toEqual([{ ipv4: a }, { ipv4: b }]);
  });

  test("are the system's choice when nothing is said", async () => {
    const { submit, clock, attempts } = await startedQueue();
    await submit();
    await clock.advance(1);
    expect(attempts[0]!.attempt.source).toEqual({});
  });

  test('have one for each family of the destination', async () => {
    const { submit, clock, attempts } = await startedQueue({
      predelivery: trying({ sources: [a, six] }),
      resolve: () => Promise.resolve(destination('2001:db8::9', '198.51.100.9')),
    });
    await submit();
    await clock.advance(1);
    expect(attempts[0]!.attempt.source).toEqual({ ipv4: a, ipv6: six });
  });

  test('of one family leave out the addresses of the other', async () => {
    const { submit, clock, attempts } = await startedQueue({
      predelivery: trying({ sources: [a] }),
      resolve: () => Promise.resolve(destination('2001:db8::9', '198.51.100.9')),
    });
    await submit();
    await clock.advance(1);
    expect(attempts[0]!.attempt.destination.addresses.map(({ ip }) => ip)).toEqual(['198.51.100.9']);
  });

  test('of one family cannot reach a destination of the other: there is no attempt', async () => {
    const { submit, clock, attempts, endings, queue } = await startedQueue({
      predelivery: trying({ sources: [a] }),
      resolve: () => Promise.resolve(destination('2001:db8::9')),
    });
    const [message] = await submit();
    await clock.advance(1);
    expect(attempts).toHaveLength(0);
    expect(endings[0]!.facts.attempt).toMatchObject({ error: { type: 'dns', dns: 'ipfamily' } });
    expect(endings[0]!.facts.policy).toBeUndefined();
    expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { retry: 1 } });
  });
});

test('a list shows where a message that is being sent leaves from', async () => {
  const { submit, clock, queue } = await startedQueue({
    predelivery: trying({ sources: [a, b] }),
    attempt: () => new Promise(() => {}),
  });
  const [first, second] = await submit({}, {});
  await clock.advance(1);
  expect(queue.find(first!.id)).toMatchObject({ state: 'SENDING', source: { ipv4: a } });
  expect(queue.find(second!.id)).toMatchObject({ state: 'SENDING', source: { ipv4: b } });
});

test('postdelivery sees the message as it was tried; the queue keeps what it had', async () => {
  const seen: QueuedMessage[] = [];
  const sender = { localPart: 'srs', domain: 'me.test' };
  const recipient = { localPart: 'x', domain: 'else.test' };
  const { submit, clock, queue } = await startedQueue({
    attempt: () => Promise.resolve(later),
    predelivery: trying({ sender, recipient, jobId: 'tried' }),
    postdelivery: (message) => {
      seen.push(message);
      return { kind: 'Default' };
    },
  });
  const [message] = await submit({ jobId: 'queued' });
  await clock.advance(1);
  expect(seen).toMatchObject([{ sender, recipient, jobId: 'tried' }]);
  const { sender: from, recipient: to } = message!;
  expect(queue.find(message!.id)!.message).toMatchObject({ sender: from, recipient: to, jobId: 'queued' });
});

test('Queue() gives a message another job and tenant from then on', async () => {
  const { submit, clock, queue } = await startedQueue({
    predelivery: () => ({
      kind: 'Queue',
      options: { hold: true, incrementRetry: false, resetRetry: false, jobId: 'j', tenantId: 't' },
    }),
  });
  const [message] = await submit({ tenantId: 'old' });
  await clock.advance(1);
  expect(queue.find(message!.id)!.message).toMatchObject({ jobId: 'j', tenantId: 't' });
});

test('the attempt is told the DSN parameters in effect, and how old the message is', async () => {
  const { submit, clock, attempts } = await startedQueue({
    predelivery: trying({ dsn: { notify: 'NEVER' } }),
  });
  await submit({ delaySeconds: 20, dsn: { envid: 'e', notify: 'FAILURE' } });
  await clock.advance(30);
  expect(attempts[0]!.attempt).toMatchObject({ dsn: { envid: 'e', notify: 'NEVER' }, ageSeconds: 20 });
});

/** Retries after a second where the condition matches. */
function quickRetries(field: 'remotemx' | 'recipientdomain' | 'localip', value: string): DeliverySettings {
  const test = readFieldValues(field, value, { engine: sharedPatternEngine(), list: () => undefined });
  if (typeof test !== 'function') throw new Error(test.problem);
  const retryIntervals = [{ seconds: 1, notify: false }];
  return new DeliverySettings([{ tests: [{ field, test }], settings: { retryIntervals, retryCount: 1 } }]);
}

describe('the settings of a destination', () => {
  test('change its retry table, and no other (5, 4)', async () => {
    const settings = quickRetries('remotemx', '*.a.test');
    const { submit, clock, attempts } = await startedQueue({
      attempt: () => Promise.resolve(later),
      options: { settings: (transport, facts) => settings.settingsFor(transport, facts) },
    });
    const to = (domain: string) => ({ recipient: { localPart: 'r', domain } });
    await submit(to('a.test'), to('b.test'));
    await clock.advance(61);
    expect(attempts.map(({ at, mx }) => [at, mx])).toEqual([
      [0, 'mx.a.test'],
      [0, 'mx.b.test'],
      [1, 'mx.a.test'],
      [60, 'mx.b.test'],
    ]);
  });

  test('hold for the retries of a destination that cannot be found, as far as it is known', async () => {
    const settings = quickRetries('recipientdomain', 'to.test');
    const { submit, clock, endings } = await startedQueue({
      resolve: () =>
        Promise.resolve({
          error: { temporary: true, message: 'no answer', type: 'dns' },
          durationSeconds: 0,
        }),
      options: { settings: (transport, facts) => settings.settingsFor(transport, facts) },
    });
    await submit();
    await clock.advance(5);
    expect(endings.map(({ facts }) => [facts.retry, facts.expired])).toEqual([
      [0, false],
      [1, true],
    ]);
  });

  test('may depend on the address that the message leaves from', async () => {
    const settings = quickRetries('localip', '192.0.2.2');
    const { submit, clock, attempts } = await startedQueue({
      predelivery: trying({ sources: [a, b] }),
      options: { settings: (transport, facts) => settings.settingsFor(transport, facts) },
    });
    await submit({}, {});
    await clock.advance(1);
    expect(attempts.map(({ attempt }) => attempt.transport.retryCount)).toEqual([30, 1]);
  });
});
