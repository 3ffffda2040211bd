// Messages that came by a staged configuration, as the queue sees them: a key that its owner may stop knowing.

import { expect, test } from 'vitest';
import type { Transport } from '../../../src/delivery/deliverer.js';
import { commitMessage, queueRequest, uuid } from '../../support/mail-samples.js';
import { accepted, startedQueue, transport } from '../../support/started-queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';

/** A queue of one delivery at a time, where messages of the stage `green` go to another host while that lives. */
async function stagedQueue() {
  const clock = new VirtualClock();
  let isLiving = true;
  const asked: (string | undefined)[] = [];
  const transportOf = (_id: string, stageKey: string | undefined): Transport => {
    asked.push(stageKey);
    return transport({ host: isLiving && stageKey === 'green' ? 'green.test' : 'blue.test' });
  };
  const started = await startedQueue({
    clock,
    policies: { policies: [{ fields: ['transportid'], default: { concurrency: 1 } }] },
    options: { transport: transportOf },
    attempt: async () => {
      await clock.sleep(10);
      return accepted;
    },
  });
  const submit = async (count: number, stageKey?: string) => {
    for (let n = 0; n < count; n++) {
      const messages = await commitMessage(
        started.spool,
        uuid(100 + asked.length + n * 1000 + (stageKey === undefined ? 0 : 500_000)),
        Buffer.from('Subject: x\r\n\r\nx\r\n'),
        [queueRequest(1)],
        { ts: clock.now(), ...(stageKey === undefined ? {} : { stageKey }) },
      );
      started.queue.accept(messages);
    }
  };
  const end = () => {
    isLiving = false;
    started.queue.reconsider('green');
  };
  const hosts = () => started.attempts.map(({ attempt }) => attempt.transport.host);
  return { ...started, submit, end, hosts, asked };
}

test('they are asked about with their key, others without', async () => {
  const { submit, clock, asked, hosts } = await stagedQueue();
  await submit(1, 'green');
  await clock.advance(20);
  await submit(1);
  await clock.advance(20);
  expect(asked).toEqual(['green', undefined]);
  expect(hosts()).toEqual(['green.test', 'blue.test']);
});

test('those that were ready when it ended are prepared anew; the one on its way goes on', async () => {
  const { submit, clock, end, hosts, queue } = await stagedQueue();
  await submit(3, 'green');
  await submit(1);
  await clock.advance(5);
  expect(queue.counts()).toMatchObject({ SENDING: 1, ACTIVE: 3 });
  end();
  await clock.advance(100);
  expect(hosts().filter((host) => host === 'green.test')).toHaveLength(1);
  expect(hosts().filter((host) => host === 'blue.test')).toHaveLength(3);
  expect(queue.size).toBe(0);
});

test('the key outlives a restart of the queue', async () => {
  const first = await stagedQueue();
  await first.submit(1, 'green');
  await first.queue.stop(0);
  await first.spool.close();
  const { found } = await startedQueue({ files: first.files });
  expect(found).toMatchObject([{ stageKey: 'green' }]);
});
