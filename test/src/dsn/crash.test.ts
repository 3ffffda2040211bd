import { expect, test } from 'vitest';
import type { AttemptReport } from '#hooks';
import { FrozenFiles } from '../../support/frozen-files.js';
import { seededRandom } from '../../support/mail-samples.js';
import { accepted, replied, type StartedQueue, startedQueue } from '../../support/started-queue.js';
import { VirtualClock } from '../../support/virtual-clock.js';

// A message ends, its sender is told, and in the middle of it the process dies: at every write, or at a power cut. Whatever is left
// of it, the next process tells the sender once more at most under the same name, and never not at all.

interface Case {
  readonly name: string;
  readonly notify: string;
  readonly report: AttemptReport;
  /** It is on hold, and ended by an operator. */
  readonly isBounced?: boolean;
  /** It is not on hold then, but waits so long. */
  readonly delaySeconds?: number;
}

const cases: readonly Case[] = [
  { name: 'a failure', notify: 'FAILURE', report: replied(550, 'no such user', [5, 1, 1]) },
  { name: 'a success', notify: 'SUCCESS', report: accepted },
];

/** A queue that brings one message to its end; the diary has marks for what others have seen of it. */
async function life(
  { notify, report, isBounced = false, delaySeconds = 0 }: Case,
  isToldAtOnce: boolean,
): Promise<FrozenFiles> {
  const clock = new VirtualClock();
  const files = new FrozenFiles();
  const { submit, spool, queue } = await startedQueue({
    clock,
    files,
    attempt: () => Promise.resolve(report),
    tell: async () => {
      if (!isToldAtOnce) await clock.sleep(1000);
      files.mark('told');
      return accepted;
    },
  });
  const [message] = await submit({ dsn: { notify }, hold: isBounced && delaySeconds === 0, delaySeconds });
  files.mark('in');
  if (isBounced) await queue.wish(message!.id, { kind: 'bounce', reason: 'by order' });
  await clock.advance(5);
  if (isToldAtOnce) expect(spool.count).toBe(0);
  return files;
}

/** The next process on what is left. */
async function nextLife(image: FrozenFiles, { report }: Case): Promise<StartedQueue> {
  const next = await startedQueue({ files: image, attempt: () => Promise.resolve(report) });
  await next.clock.advance(5);
  return next;
}

function idsOf({ told }: StartedQueue): string[] {
  return told.map(({ attempt }) => attempt.id.transaction);
}

test.each(cases)(
  '$name is told of once, wherever the process was killed before anybody heard of it',
  async (one) => {
    const files = await life(one, false);
    let wasNotTriedAgain = 0;
    for (let i = 0; i <= files.diary.length; i++) {
      if (!files.marksUntil(i).includes('in')) continue;
      const last = files.diary[i - 1];
      const torn = last?.kind === 'write' ? [0.1, 0.5, 0.95].map((share) => last.bytes.length * share) : [];
      for (const tornAt of [undefined, ...torn.map(Math.floor)]) {
        const next = await nextLife(files.afterKill(i, tornAt), one);
        const when = `killed after ${i}, at byte ${tornAt ?? 'last'}`;
        expect(idsOf(next), when).toHaveLength(1);
        expect(next.spool.count, when).toBe(0);
        // Found together, message and notification: the message was at its end.
        if (next.found.length === 2) {
          expect(next.attempts, when).toHaveLength(0);
          wasNotTriedAgain++;
        }
      }
    }
    expect(wasNotTriedAgain).toBeGreaterThan(0);
  },
);

test.each(cases)('$name is told of under one name only, when the process was killed later', async (one) => {
  const files = await life(one, true);
  for (let i = 0; i <= files.diary.length; i++) {
    const marks = files.marksUntil(i);
    if (!marks.includes('in')) continue;
    const next = await nextLife(files.afterKill(i), one);
    const told = idsOf(next);
    expect(told.length + (marks.includes('told') ? 1 : 0), `killed after ${i}`).toBeGreaterThanOrEqual(1);
    expect(told.length, `killed after ${i}`).toBeLessThanOrEqual(1);
    expect(next.spool.count).toBe(0);
  }
});

test.each(cases)('$name is told of after a power cut as well', async (one) => {
  const random = seededRandom(7);
  for (const isToldAtOnce of [false, true]) {
    const files = await life(one, isToldAtOnce);
    for (let i = 0; i <= files.diary.length; i++) {
      const marks = files.marksUntil(i);
      if (!marks.includes('in')) continue;
      for (let round = 0; round < 4; round++) {
        const next = await nextLife(files.afterPowerCut(i, random), one);
        expect(new Set(idsOf(next)).size, `cut after ${i}`).toBeLessThanOrEqual(1);
        if (!marks.includes('told')) expect(idsOf(next), `cut after ${i}`).toHaveLength(1);
        expect(next.spool.count).toBe(0);
      }
    }
  }
});

test('a bounce of what was on hold is whole or has not begun, wherever the process was killed', async () => {
  const one = { ...cases[0]!, isBounced: true };
  const files = await life(one, false);
  let ended = 0;
  for (let i = 0; i <= files.diary.length; i++) {
    if (!files.marksUntil(i).includes('in')) continue;
    const next = await nextLife(files.afterKill(i), one);
    expect(next.attempts, `killed after ${i}`).toHaveLength(0);
    // Either it still is on hold and nobody heard of it, or it is gone and its sender was told.
    expect([next.queue.counts().HOLD, idsOf(next).length], `killed after ${i}`).toEqual(
      next.queue.counts().HOLD === 1 ? [1, 0] : [0, 1],
    );
    if (next.found.length === 2) ended++;
  }
  expect(ended).toBeGreaterThan(0);
});

test('a bounce of what was deferred is never followed by a delivery, wherever the process was killed', async () => {
  const one = { ...cases[0]!, isBounced: true, delaySeconds: 500 };
  const files = await life(one, false);
  let told = 0;
  let delivered = 0;
  for (let i = 0; i <= files.diary.length; i++) {
    if (!files.marksUntil(i).includes('in')) continue;
    const next = await nextLife(files.afterKill(i), { ...one, report: accepted });
    await next.clock.advance(1000);
    // One of three: its sender was told, it was delivered, or it waits for the operator.
    expect(
      [idsOf(next).length, next.attempts.length, next.queue.counts().HOLD].reduce((sum, n) => sum + n),
      `killed after ${i}`,
    ).toBe(1);
    told += idsOf(next).length;
    delivered += next.attempts.length;
  }
  expect(told).toBeGreaterThan(0);
  expect(delivered).toBeGreaterThan(0);
});
