import { expect, test } from 'vitest';
import type { Attempt } from '../../../src/delivery/deliverer.js';
import { DamagedMessageError, type MessageReader, SpoolError } from '../../../src/spool/spool.js';
import { replied, startedQueue } from '../../support/started-queue.js';

function broken(error: Error): MessageReader {
  return {
    sizeBytes: 10,
    whole: () => undefined,
    // biome-ignore lint/correctness/useYield: it breaks before the first chunk.
    async *chunks() {
      throw error;
    },
  };
}

/** Reads as delivery does: what cannot be read is a passing trouble. */
async function reading({ message }: Attempt) {
  try {
    for await (const _ of message.chunks());
  } catch (error) {
    return {
      error: { temporary: true, type: 'config' as const, message: (error as Error).message },
      durationSeconds: 0,
    };
  }
  return replied(250, 'ok');
}

test('a message whose bytes are damaged goes on hold, loudly, and postdelivery is not asked', async () => {
  const { submit, clock, queue, log, endings } = await startedQueue({
    attempt: reading,
    options: {
      spool: {
        isWritable: () => true,
        isPartlyWritable: () => false,
        update: () => Promise.resolve(),
        remove: () => Promise.resolve(),
        open: () => broken(new DamagedMessageError('the message is damaged')),
      },
    },
  });
  const [message] = await submit();
  await clock.advance(1);
  expect(queue.find(message!.id)).toMatchObject({
    state: 'HOLD',
    message: { retry: 0, reason: 'the message is damaged' },
  });
  expect(endings).toHaveLength(0);
  expect(log.lines.some(({ level, message: text }) => level === 'error' && text.includes('on hold'))).toBe(
    true,
  );
});

test('a message that cannot be read for other reasons is tried again', async () => {
  const { submit, clock, queue, endings } = await startedQueue({
    attempt: reading,
    options: {
      spool: {
        isWritable: () => true,
        isPartlyWritable: () => false,
        update: () => Promise.resolve(),
        remove: () => Promise.resolve(),
        open: () => broken(new SpoolError('the disk is busy', false)),
      },
    },
  });
  const [message] = await submit();
  await clock.advance(1);
  expect(queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { retry: 1 } });
  expect(endings).toHaveLength(1);
});
