import { expect, test } from 'vitest';
import { messageIdToText } from '../../../src/spool/id-table.js';
import type { MessageId } from '../../../src/spool/spool.js';
import { accepted, type StartedQueue, startedQueue } from '../../support/started-queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';

// Of several spool folders one cannot be written to. What is sent from it could not be noted as sent, and a crash would bring it
// back: so it waits, and the rest goes on.

/** A queue of which the messages with these numbers lie in a folder of their own; `broken.is` says whether it works. */
async function twoFolders(concurrency?: number) {
  const clock = new VirtualClock();
  const broken = { is: true };
  const inOne = new Set<string>();
  let started: StartedQueue | undefined;
  const spool = () => started!.spool;
  started = await startedQueue({
    clock,
    attempt: async () => {
      await clock.sleep(2);
      return accepted;
    },
    options: {
      ...(concurrency === undefined ? undefined : { concurrency }),
      spool: {
        open: (id) => spool().open(id),
        update: (id, change) => spool().update(id, change),
        remove: (id) => spool().remove(id),
        isPartlyWritable: () => broken.is,
        isWritable: (id?: MessageId) => id === undefined || !broken.is || !inOne.has(messageIdToText(id)),
      },
    },
  });
  return { ...started, clock, broken, inOne };
}

test('messages in a spool folder that cannot be written to wait, those in others are sent', async () => {
  const { submit, attempts, queue, inOne, broken, clock } = await twoFolders();
  const [first] = await submit();
  // It is due, and has not been looked at yet.
  inOne.add(messageIdToText(first!.id));
  await submit();
  await submit();
  await clock.advance(18);
  expect(attempts.map(({ at }) => at)).toEqual([0, 0]);
  expect(queue.counts()).toMatchObject({ DEFER: 1, ACTIVE: 0, SENDING: 0 });
  expect(queue.find(first!.id)?.message).toMatchObject({ retry: 0 });
  broken.is = false;
  await clock.advance(20);
  expect(attempts).toHaveLength(3);
  expect(attempts[2]).toMatchObject({ id: messageIdToText(first!.id) });
  expect(queue.size).toBe(0);
});

test('a message that was ready when its folder failed is not sent either, and gives its place to others', async () => {
  const { submit, attempts, queue, inOne, broken, clock } = await twoFolders(1);
  await submit();
  const [second] = await submit();
  await submit();
  await clock.advance(1);
  expect(queue.counts()).toMatchObject({ SENDING: 1, ACTIVE: 2 });
  inOne.add(messageIdToText(second!.id));
  await clock.advance(20);
  expect(attempts.map(({ at }) => at)).toEqual([0, 2]);
  expect(attempts.map(({ id }) => id)).not.toContain(messageIdToText(second!.id));
  broken.is = false;
  await clock.advance(10);
  expect(attempts).toHaveLength(3);
  expect(queue.size).toBe(0);
});
