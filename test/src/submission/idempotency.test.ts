import { describe, expect, test } from 'vitest';
import type { Answer } from '../../../src/submission/answer.js';
import { IdempotentAnswers } from '../../../src/submission/idempotency.js';
import { form, SubmissionFixture } from '../../support/submission-fixture.js';

const withKey = (key: string) => ({ headers: { 'idempotency-key': key } });

describe('a request with an Idempotency-Key', () => {
  test('that is repeated gets the first answer, byte for byte, and nothing is queued again', async () => {
    const mta = await SubmissionFixture.start({
      script: `
        $arguments["mail"]->queue($transaction["sender"], "c@d.test", "default");
        Accept(["metadata" => ["random" => uuid()]]);`,
    });
    const first = await mta.submit(form(), withKey('k1'));
    const again = await mta.submit(form(), withKey('k1'));
    expect(again.text).toBe(first.text);
    expect([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']]).toEqual([
      undefined,
      'true',
    ]);
    const pretty = await mta.submit(form(), { ...withKey('k1'), path: '/v1/submission?pretty=true' });
    expect(pretty.json).toEqual(first.json);
    expect(mta.queued).toHaveLength(1);
    expect(mta.eodRuns).toBe(1);
    expect(mta.spool.underWay).toBe(0);
  });

  test('is another one with another key, or without', async () => {
    const mta = await SubmissionFixture.start();
    for (const options of [withKey('k1'), withKey('k2'), {}, {}]) await mta.submit(form(), options);
    expect(mta.queued).toHaveLength(4);
  });

  test('and other content is refused 422: the message, an option, both count; the boundary does not', async () => {
    const mta = await SubmissionFixture.start();
    await mta.submit(form(), withKey('k1'));
    for (const other of [form({}, 'Subject: other\r\n\r\n'), form({ metadata: 1 })]) {
      const { status, json } = await mta.submit(other, withKey('k1'));
      expect([status, json]).toEqual([422, { error: 'this Idempotency-Key was used with other content' }]);
    }
    expect(mta.queued).toHaveLength(1);
    expect(mta.spool.underWay).toBe(0);
  });

  test('that came twice at once is carried out once, and both get its answer', async () => {
    let accept: () => void = () => {};
    const mta = await SubmissionFixture.start({
      eod: () =>
        new Promise((resolve) => {
          accept = () => resolve({ kind: 'Accept', queued: [], reason: ['once'] });
        }),
    });
    const both = [mta.submit(form(), withKey('k1')), mta.submit(form(), withKey('k1'))];
    await expect.poll(() => mta.spool.underWay).toBe(2);
    accept();
    const [one, two] = await Promise.all(both);
    expect(one!.text).toBe(two!.text);
    expect(mta.eodRuns).toBe(1);
    expect(mta.spool.underWay).toBe(0);
  });

  test('is carried out by the second if the first came to nothing', async () => {
    const verdicts = ['Defer', 'Accept'] as const;
    let decide: () => void = () => {};
    const mta = await SubmissionFixture.start({
      eod: () =>
        new Promise((resolve) => {
          const kind = verdicts[mta.eodRuns - 1]!;
          decide = () => resolve(kind === 'Accept' ? { kind, queued: [] } : { kind });
        }),
    });
    const both = [mta.submit(form(), withKey('k1')), mta.submit(form(), withKey('k1'))];
    await expect.poll(() => mta.spool.underWay).toBe(2);
    decide();
    await expect.poll(() => mta.eodRuns).toBe(2);
    decide();
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 503]);
  });

  test('is carried out anew after a refusal for now, and not after one for good', async () => {
    const mta = await SubmissionFixture.start({
      eod: () => (mta.eodRuns === 1 ? { kind: 'Defer' } : { kind: 'Reject' }),
    });
    const statuses: number[] = [];
    for (let time = 0; time < 3; time++) statuses.push((await mta.submit(form(), withKey('k1'))).status);
    expect(statuses).toEqual([503, 422, 422]);
    expect(mta.eodRuns).toBe(2);
  });

  test('whose client has gone while the message was put on disk gets the answer when it asks again', async () => {
    const mta = await SubmissionFixture.start();
    let onDisk: () => void = () => {};
    mta.spool.slowCommit = new Promise((resolve) => {
      onDisk = resolve;
    });
    const lost = mta.submit(form(), withKey('k1')).catch(() => 'gone');
    await expect.poll(() => mta.spool.underWay).toBe(1);
    await expect.poll(() => mta.server.running.size).toBe(1);
    mta.hangUp();
    expect(await lost).toBe('gone');
    onDisk();
    mta.spool.slowCommit = undefined;
    await expect.poll(() => mta.queued).toHaveLength(1);
    const again = await mta.submit(form(), withKey('k1'));
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
    expect(mta.queued).toHaveLength(1);
  });

  test('is a new one after its time', async () => {
    const mta = await SubmissionFixture.start({ idempotency: { seconds: 60, keys: 10 } });
    await mta.submit(form(), withKey('k1'));
    mta.pass(59);
    await mta.submit(form(), withKey('k1'));
    expect(mta.queued).toHaveLength(1);
    mta.pass(2);
    await mta.submit(form(), withKey('k1'));
    expect(mta.queued).toHaveLength(2);
  });

  test.each(['', 'with blank', 'ü', 'x'.repeat(256)])('is refused if the key is %j', async (key) => {
    const mta = await SubmissionFixture.start();
    expect((await mta.submit(form(), withKey(Buffer.from(key).toString('latin1')))).status).toBe(400);
  });
});

describe('kept answers', () => {
  const answer: Answer = {
    status: 200,
    code: 250,
    enhanced: [2, 0, 0],
    reason: [],
    transactionId: 't',
    metadata: undefined,
    closes: false,
  };

  test('are never more than the limit; the oldest go first', () => {
    let now = 0;
    const answers = new IdempotentAnswers(() => now);
    const limits = { seconds: 10, keys: 3 };
    for (let number = 0; number < 100; number++) {
      const claim = answers.claim(`k${number}`, 'f', limits);
      if (claim.kind === 'first') claim.settle(answer);
      now += 0.01;
      expect(answers.size).toBeLessThanOrEqual(3);
    }
    expect(answers.claim('k99', 'f', limits).kind).toBe('repeated');
    expect(answers.claim('k96', 'f', limits).kind).toBe('first');
    now += 11;
    answers.claim('other', 'f', limits);
    expect(answers.size).toBe(0);
  });
});
