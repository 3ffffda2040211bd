import { expect, test } from 'vitest';
import { createLocalServices } from '#stdlib';
import { queue } from '../../../stdlib/queue/queue.builtins.js';
import { FakeContext, fromValue, keyed } from '../../support/fake-context.js';

const [queueQuota] = queue;

test('queue_quota tells what the queue has counted', () => {
  const services = createLocalServices({
    queue: { quota: (name) => (name === 'c1' ? { count: 3, bytes: 3210 } : { count: 0, bytes: 0 }) },
  });
  const ctx = new FakeContext({ services });
  expect(fromValue(ctx.call(queueQuota!, 'c1'))).toEqual(keyed(['count', 3], ['bytes', 3210]));
  expect(fromValue(ctx.call(queueQuota!, 'other'))).toEqual(keyed(['count', 0], ['bytes', 0]));
});

test('queue_quota gives zeros where there is no queue', () => {
  const ctx = new FakeContext({ services: createLocalServices() });
  expect(fromValue(ctx.call(queueQuota!, 'c1'))).toEqual(keyed(['count', 0], ['bytes', 0]));
});
