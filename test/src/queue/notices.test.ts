import { describe, expect, test } from 'vitest';
import type { AttemptReport, QueueOptions, TryOptions } from '#hooks';
import { FrozenFiles } from '../../support/frozen-files.js';
import { uuid } from '../../support/mail-samples.js';
import { readReport } from '../../support/report-reader.js';
import { accepted, replied, type StartedQueue, startedQueue } from '../../support/started-queue.js';
import { settled } from '../../support/virtual-clock.js';

// Who is told of what, and when: in virtual time, on a spool in memory (queue-and-config 1.3, hooks 15, RFC 3461).

const later = replied(451, 'later', [4, 3, 0]);
const unknownUser = replied(550, 'no such user', [5, 1, 1]);
const queueOptions: QueueOptions = { hold: false, incrementRetry: true, resetRetry: false };

/** What senders were told, as `at action`. */
function news({ told }: Pick<StartedQueue, 'told'>): string[] {
  return told.map(({ at, text }) => {
    const { status } = readReport(Buffer.from(text, 'latin1'));
    return `${at} ${status[1]!.get('action')} ${status[1]!.get('status')}`;
  });
}

describe('SetDSN()', () => {
  const notice = { subjectPrepend: 'Sorry: ' };
  const tried = { kind: 'Try', options: {}, context: null } as const;
  const subject = ({ told }: StartedQueue) => /^Subject: (.*)$/m.exec(told[0]!.text)![1]!.trim();

  test('of predelivery shapes the notification of its attempt, that of postdelivery the default', async () => {
    for (const hooks of [
      { predelivery: () => ({ ...tried, notice }) },
      { postdelivery: () => ({ kind: 'Default', notice }) as const },
      {
        predelivery: () => ({ ...tried, notice: { subjectPrepend: 'No: ' } }),
        postdelivery: () => ({ kind: 'Default', notice }) as const,
      },
    ]) {
      for (const reply of [unknownUser, later]) {
        const started = await startedQueue({
          ...hooks,
          transport: { retryIntervals: [{ seconds: 60, notify: true }] },
          attempt: () => Promise.resolve(reply),
        });
        await started.submit();
        await started.clock.advance(1);
        expect(subject(started)).toMatch(/^Sorry: Mail /);
      }
    }
  });

  test('of predelivery shapes what postdelivery asks for without a wish of its own', async () => {
    const bounce = { kind: 'Bounce' } as const;
    const delay = { kind: 'Queue', options: { ...queueOptions, dsnDelayed: true } } as const;
    const dsn = { subjectPrepend: 'No: ' };
    for (const [outcome, expected] of [
      [bounce, 'Sorry: '],
      [delay, 'Sorry: '],
      [{ ...bounce, dsn }, 'No: '],
      [{ kind: 'Queue', options: { ...delay.options, dsn } } as const, 'No: '],
    ] as const) {
      const started = await startedQueue({
        predelivery: () => ({ ...tried, notice }),
        attempt: () => Promise.resolve(later),
        postdelivery: () => outcome,
      });
      await started.submit();
      await started.clock.advance(1);
      expect(subject(started)).toContain(`${expected}Mail `);
    }
  });

  test('may name another transport and recipient', async () => {
    const recipient = { localPart: 'srs', domain: 'back.test' };
    const started = await startedQueue({
      attempt: () => Promise.resolve(unknownUser),
      postdelivery: () => ({ kind: 'Default', notice: { recipient } }),
    });
    await started.submit();
    await started.clock.advance(1);
    expect(started.told[0]!.attempt.recipient).toEqual(recipient);
  });
});

describe('a delay', () => {
  const notifying = { retryIntervals: [1, 1, 5].map((seconds, i) => ({ seconds, notify: i === 1 })) };

  test('is told once, when the interval that says so begins (1.6, 3)', async () => {
    const started = await startedQueue({ transport: notifying, attempt: () => Promise.resolve(later) });
    await started.submit();
    await started.clock.advance(60);
    expect(started.attempts.slice(0, 4).map(({ at }) => at)).toEqual([0, 1, 2, 7]);
    expect(news(started)).toEqual(['1 delayed 4.3.0']);
    expect(started.endings.map(({ facts }) => facts.dsn!.action)).toEqual([
      undefined,
      'delayed',
      ...started.endings.slice(2).map(() => undefined),
    ]);
    expect(started.told[0]!.attempt.id).toEqual(started.endings[1]!.facts.dsn!.id);
  });

  test('is not told again and again by the last interval of the table, which goes on', async () => {
    const started = await startedQueue({
      transport: { retryIntervals: [1, 5].map((seconds, i) => ({ seconds, notify: i === 1 })) },
      attempt: () => Promise.resolve(later),
    });
    await started.submit();
    await started.clock.advance(60);
    expect(started.attempts.length).toBeGreaterThan(10);
    expect(news(started)).toEqual(['1 delayed 4.3.0']);
  });

  test('says until when it is tried: by the retries, or by the time it may take', async () => {
    for (const [changes, seconds] of [
      [{ retryCount: 4 }, 1 + 1 + 5 + 5],
      [{ retryCount: 4, retryDuringSeconds: 10 }, 10],
      [{ retryCount: 4, retryDuringSeconds: 1 }, 2],
    ] as const) {
      const started = await startedQueue({
        transport: { ...notifying, ...changes },
        attempt: () => Promise.resolve(later),
      });
      const [message] = await started.submit();
      await started.clock.advance(3);
      const { status } = readReport(Buffer.from(started.told[0]!.text, 'latin1'));
      const until = Date.parse(status[1]!.get('will-retry-until')!) / 1000;
      expect(until - Math.floor(message!.ts)).toBe(seconds);
    }
  });

  test.each([
    ['is told when NOTIFY has DELAY', { dsn: { notify: 'DELAY' } }, 1],
    ['is not told when NOTIFY leaves it out', { dsn: { notify: 'FAILURE,SUCCESS' } }, 0],
    ['is not told when NOTIFY is NEVER', { dsn: { notify: 'NEVER' } }, 0],
    ['is not told to the null sender', { sender: { localPart: '', domain: '' } }, 0],
  ])('%s', async (_, request, count) => {
    const started = await startedQueue({ transport: notifying, attempt: () => Promise.resolve(later) });
    await started.submit(request);
    await started.clock.advance(20);
    expect(started.told).toHaveLength(count);
  });

  test('that a script tells again at the same retry is another notification', async () => {
    for (const changes of [{ incrementRetry: false }, { incrementRetry: false, resetRetry: true }]) {
      const started = await startedQueue({
        attempt: () => Promise.resolve(later),
        postdelivery: () => ({
          kind: 'Queue',
          options: { ...queueOptions, ...changes, dsnDelayed: true, delaySeconds: 10 },
        }),
      });
      await started.submit();
      await started.clock.advance(25);
      expect(news(started)).toEqual(['0 delayed 4.3.0', '10 delayed 4.3.0', '20 delayed 4.3.0']);
      const ids = started.told.map(({ text }) => /^Message-ID: (.*)$/m.exec(text)![1]);
      expect(new Set(ids).size).toBe(3);
    }
  });

  test('is not told without a way to tell it, unless a script insists', async () => {
    for (const insists of [false, true]) {
      const started = await startedQueue({
        transport: { ...notifying, dsnTransportId: undefined },
        attempt: (attempt) => Promise.resolve(attempt.sender.localPart === '' ? accepted : later),
        postdelivery: (message) =>
          insists && message.sender.localPart !== ''
            ? { kind: 'Queue', options: { ...queueOptions, dsnDelayed: true, delaySeconds: 1000 } }
            : { kind: 'Default' },
      });
      await started.submit();
      await started.clock.advance(20);
      const reports = started.attempts.filter(({ attempt }) => attempt.sender.localPart === '');
      // The message's own transport carries it.
      expect(reports.map(({ attempt }) => attempt.transport.id)).toEqual(insists ? ['out'] : []);
    }
  });

  test.each<[string, Partial<QueueOptions>, object, number]>([
    ['dsn_delayed tells it', { dsnDelayed: true, delaySeconds: 9 }, {}, 1],
    [
      'dsn_delayed tells it past a NOTIFY without DELAY',
      { dsnDelayed: true },
      { dsn: { notify: 'FAILURE' } },
      1,
    ],
    ['dsn_delayed tells nobody who wants NEVER', { dsnDelayed: true }, { dsn: { notify: 'NEVER' } }, 0],
    ['dsn_delayed tells it of a message that goes on hold', { dsnDelayed: true, hold: true }, {}, 1],
    ['without a word the table tells it', {}, {}, 1],
    ['with a delay of its own the table does not count', { delaySeconds: 9 }, {}, 0],
    ['dsn_delayed: false keeps the table quiet', { dsnDelayed: false }, {}, 0],
  ])('%s', async (_, options, request, count) => {
    const started = await startedQueue({
      transport: { retryIntervals: [{ seconds: 1000, notify: true }] },
      attempt: () => Promise.resolve(later),
      postdelivery: () => ({ kind: 'Queue', options: { ...queueOptions, ...options } }),
    });
    await started.submit(request);
    await started.clock.advance(1);
    expect(started.told).toHaveLength(count);
  });

  test('Queue in predelivery tells it as well, without an attempt', async () => {
    const started = await startedQueue({
      predelivery: () => ({
        kind: 'Queue',
        options: { ...queueOptions, dsnDelayed: true, reason: 'not before six', dsn: { subject: 'Wait' } },
      }),
    });
    await started.submit();
    await started.clock.advance(1);
    expect(news(started)).toEqual(['0 delayed 4.0.0']);
    expect(started.told[0]!.text).toContain('\r\nSubject: Wait\r\n');
    expect(started.told[0]!.text).toContain('\r\nDiagnostic-Code: x-error; not before six\r\n');
    expect(started.told[0]!.text).not.toContain('Last-Attempt-Date');
  });

  test('that postdelivery makes of a failure looks as predelivery said', async () => {
    for (const [predelivery, expected] of [
      [{ kind: 'Delete', notice: { subject: 'One' } } as const, 'One'],
      [{ kind: 'Bounce', dsn: { subject: 'Two' }, notice: { subject: 'One' } } as const, 'Two'],
    ] as const) {
      for (const outcome of [
        { kind: 'Queue', options: { ...queueOptions, dsnDelayed: true } } as const,
        { kind: 'Bounce' } as const,
      ]) {
        const started = await startedQueue({ predelivery: () => predelivery, postdelivery: () => outcome });
        await started.submit();
        await started.clock.advance(1);
        expect(started.told[0]!.text).toContain(`\r\nSubject: ${expected}\r\n`);
      }
    }
  });

  test('says until when it will be tried by the transport that has it from now on', async () => {
    const moved = { ...queueOptions, dsnDelayed: true, transportId: 'dsn', delaySeconds: 9 };
    for (const hook of ['predelivery', 'postdelivery'] as const) {
      const started = await startedQueue({
        transport: { retryCount: 1 },
        attempt: () => Promise.resolve(later),
        [hook]: () => ({ kind: 'Queue', options: moved }),
      });
      await started.submit();
      await started.clock.advance(1);
      const { status } = readReport(Buffer.from(started.told[0]!.text, 'latin1'));
      const until =
        Date.parse(status[1]!.get('will-retry-until')!) - Date.parse(status[0]!.get('arrival-date')!);
      // 30 attempts that count, one of them made, a minute apart.
      expect(until).toBe((9 + 29 * 60) * 1000);
    }
  });

  test('that the disk has no room to tell is not made up for: the message waits as it would', async () => {
    const files = new FrozenFiles();
    const started = await startedQueue({
      files,
      transport: notifying,
      attempt: () => Promise.resolve(later),
    });
    const [message] = await started.submit();
    await started.clock.advance(0.5);
    files.fail = ({ kind }) => (kind === 'write' ? { code: 'ENOSPC' } : undefined);
    await started.clock.advance(1);
    expect(started.queue.find(message!.id)).toMatchObject({ state: 'DEFER', message: { retry: 2 } });
    files.fail = () => undefined;
    await started.clock.advance(60);
    expect(started.told).toHaveLength(0);
  });
});

describe('a success', () => {
  const withDsn: AttemptReport = {
    ...accepted,
    connection: {
      id: 'c',
      transactions: 1,
      localIp: '192.0.2.1',
      helo: 'mta.test',
      remoteIp: '192.0.2.2',
      remoteMx: 'mx.to.test',
      takesDsn: true,
    },
  };
  const success = { dsn: { notify: 'SUCCESS,FAILURE' } };

  test('is told when the sender asked for it and the next hop does not tell it', async () => {
    const started = await startedQueue();
    await started.submit(success, { dsn: { notify: 'FAILURE' } }, {}, { dsn: { notify: 'NEVER' } });
    await started.clock.advance(1);
    expect(news(started)).toEqual(['0 relayed 2.0.0']);
    expect(started.endings.map(({ facts }) => [facts.action, facts.dsn?.action])).toEqual([
      [undefined, 'relayed'],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
    ]);
    expect(started.spool.count).toBe(0);
  });

  test('is told by the next hop when that can', async () => {
    const started = await startedQueue({ attempt: () => Promise.resolve(withDsn) });
    await started.submit(success);
    await started.clock.advance(1);
    expect(started.told).toHaveLength(0);
    expect(started.attempts[0]!.attempt.dsn).toEqual(success.dsn);
  });

  test.each<[string, NonNullable<TryOptions['dsn']>, string[]]>([
    ['is called as Try says', { success: 'delivered' }, ['0 delivered 2.0.0']],
    ['is not told when Try takes the wish back', { notify: 'NEVER' }, []],
  ])('%s', async (_, dsn, expected) => {
    const started = await startedQueue({
      predelivery: () => ({ kind: 'Try', options: { dsn }, context: null }),
    });
    await started.submit(success);
    await started.clock.advance(1);
    expect(news(started)).toEqual(expected);
  });

  test('with what Try says over what was queued is passed on', async () => {
    const started = await startedQueue({
      predelivery: () => ({ kind: 'Try', options: { dsn: { envid: 'mine' } }, context: null }),
    });
    await started.submit({ dsn: { notify: 'FAILURE', envid: 'theirs', orcpt: 'rfc822;a@b.test' } });
    await started.clock.advance(1);
    expect(started.attempts[0]!.attempt.dsn).toMatchObject({
      notify: 'FAILURE',
      envid: 'mine',
      orcpt: 'rfc822;a@b.test',
    });
  });

  test('that cannot be told yet is told when it can, and the message does not go out again', async () => {
    const files = new FrozenFiles();
    let isFull = false;
    files.fail = ({ kind }) => (isFull && kind === 'write' ? { code: 'ENOSPC' } : undefined);
    const started = await startedQueue({
      files,
      attempt: () => {
        isFull = true;
        return Promise.resolve(accepted);
      },
    });
    await started.submit(success);
    await started.clock.advance(12);
    expect(started.told).toHaveLength(0);
    isFull = false;
    await started.clock.advance(12);
    expect(started.told).toHaveLength(1);
    expect(started.attempts).toHaveLength(1);
    expect(started.spool.count).toBe(0);
  });

  test('that can never be told is given up after a minute, loudly', async () => {
    const started = await startedQueue({
      options: {
        notifier: {
          idOf: () => ({ transaction: uuid(77), number: 1 }),
          isOfNotice: () => false,
          make: () => Promise.reject(new Error('never')),
        },
      },
    });
    await started.submit(success);
    await started.clock.advance(70);
    expect(started.spool.count).toBe(0);
    expect(started.log.lines.at(-1)).toMatchObject({
      level: 'error',
      message: 'the sender is not told that the message was delivered',
    });
  });
});

describe('a failure', () => {
  test('that cannot be told yet is no end: the message stays with its reason and is tried again', async () => {
    const files = new FrozenFiles();
    let isFull = false;
    files.fail = ({ kind }) => (isFull && kind === 'write' ? { code: 'ENOSPC' } : undefined);
    const started = await startedQueue({ files, attempt: () => Promise.resolve(unknownUser) });
    const [message] = await started.submit();
    isFull = true;
    await started.clock.advance(1);
    const waiting = started.queue.find(message!.id)!;
    expect(waiting).toMatchObject({ state: 'DEFER', message: { retry: 0 } });
    expect(waiting.message.reason).toMatch(/^550 5\.1\.1 no such user \(the sender cannot be told yet: /);
    isFull = false;
    await started.clock.advance(120);
    expect(news(started)).toHaveLength(1);
    expect(started.spool.count).toBe(0);
  });

  test('after a wish to bounce is told with the options of the wish, also without dsn.transport', async () => {
    const started = await startedQueue({ transport: { dsnTransportId: undefined } });
    const [message] = await started.submit({ hold: true });
    await started.queue.wish(message!.id, {
      kind: 'bounce',
      reason: 'by order',
      dsn: { transportId: 'dsn', subject: 'Ordered' },
    });
    await started.clock.advance(1);
    expect(news(started)).toEqual(['0 failed 5.0.0']);
    expect(started.told[0]!.text).toContain('\r\nSubject: Ordered\r\n');
  });

  test.each([
    ['released', { kind: 'release' }, '0 failed 5.1.1'],
    ['bounced', { kind: 'bounce', reason: 'by order' }, '0 failed 5.0.0'],
  ] as const)(
    'of what waits on hold since nobody could be told is told when it is %s',
    async (_, wish, told) => {
      // As earlier builds left it: refused, and its reason kept.
      const started = await startedQueue({ attempt: () => Promise.resolve(unknownUser) });
      const [message] = await started.submit({ hold: true });
      await started.queue.wish(message!.id, {
        kind: 'set',
        change: { retry: 3, reason: '550 5.1.1 no such user' },
      });
      await started.clock.advance(1000);
      expect(started.told).toHaveLength(0);
      await started.queue.wish(message!.id, wish);
      await started.clock.advance(1);
      expect(news(started).map((line) => line.replace(/^\d+/, '0'))).toEqual([told]);
      expect(started.spool.count).toBe(0);
    },
  );

  test('that an operator wants and the disk has no room to tell leaves the message where it waited', async () => {
    const files = new FrozenFiles();
    const started = await startedQueue({ files });
    const [held, deferred] = await started.submit({ hold: true }, { delaySeconds: 5000 });
    const { nextTry } = deferred!;
    await started.clock.advance(1);
    files.fail = ({ kind }) => (kind === 'write' ? { code: 'ENOSPC' } : undefined);
    for (const message of [held!, deferred!])
      await expect(started.queue.wish(message.id, { kind: 'bounce', reason: 'by order' })).rejects.toThrow(
        'the sender cannot be told: ',
      );
    expect(started.queue.find(held!.id)).toMatchObject({ state: 'HOLD' });
    expect(started.queue.find(deferred!.id)).toMatchObject({ state: 'DEFER', message: { nextTry } });
    files.fail = () => undefined;
    await started.clock.advance(100);
    expect(started.attempts).toHaveLength(0);
    expect(await started.queue.wish(held!.id, { kind: 'bounce', reason: 'by order' })).toBe('done');
    await started.clock.advance(1);
    expect(started.told).toHaveLength(1);
  });

  test('takes the options of predelivery when postdelivery says Default or Bounce, and its own when it has some', async () => {
    for (const [post, subject] of [
      [{ kind: 'Default' }, 'pre'],
      [{ kind: 'Bounce' }, 'pre'],
      [{ kind: 'Bounce', dsn: { subject: 'post' } }, 'post'],
    ] as const) {
      const started = await startedQueue({
        predelivery: () => ({ kind: 'Bounce', dsn: { subject: 'pre' } }),
        postdelivery: () => post,
      });
      await started.submit();
      await started.clock.advance(1);
      expect(started.told.map(({ text }) => /Subject: (.*)\r/.exec(text)![1])).toEqual([subject]);
    }
  });

  test('of a temporary kind is told when the script wants it', async () => {
    const started = await startedQueue({
      attempt: () => Promise.resolve(later),
      postdelivery: (_, facts) => {
        expect(facts.dsn).toMatchObject({ status: [4, 3, 0] });
        expect(facts.dsn).not.toHaveProperty('action');
        return { kind: 'Bounce', dsn: { transportId: 'dsn' } };
      },
    });
    await started.submit();
    await started.clock.advance(1);
    expect(news(started)).toEqual(['0 failed 4.3.0']);
    expect(started.told[0]!.attempt.id).toEqual(started.endings[0]!.facts.dsn!.id);
  });

  test('puts into the queue what the options say', async () => {
    const started = await startedQueue({
      attempt: () => Promise.resolve(unknownUser),
      postdelivery: () => ({
        kind: 'Bounce',
        dsn: {
          recipient: { localPart: 'srs', domain: 'x.test' },
          metadata: { a: 'b' },
          jobId: 'j',
          tenantId: 't',
          priority: 1,
          quotas: ['q'],
          hold: true,
        },
      }),
    });
    await started.submit();
    await started.clock.advance(1);
    const [listed] = [...started.queue.list()];
    expect(listed).toMatchObject({
      state: 'HOLD',
      message: {
        sender: { localPart: '', domain: '' },
        recipient: { localPart: 'srs', domain: 'x.test' },
        transportId: 'dsn',
        metadata: { a: 'b' },
        jobId: 'j',
        tenantId: 't',
        priority: 1,
        quotas: ['q'],
        dsn: { notify: 'NEVER' },
      },
    });
  });
});

describe('a report that fails', () => {
  const toPostmaster = { localPart: 'root', domain: 'mta.test' };
  const refuseAll = {
    transport: { dsnTransportId: 'out' },
    attempt: () => Promise.resolve(unknownUser),
  };

  test('is gone with a line in the log, and no report is made of it', async () => {
    const started = await startedQueue(refuseAll);
    await started.submit();
    await started.clock.advance(100);
    expect(started.attempts).toHaveLength(2);
    expect(started.spool.count).toBe(0);
    expect(started.log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'message deleted: it has no sender to be told',
    ]);
  });

  test('is told to the postmaster where there is one, and that is the end of it', async () => {
    const started = await startedQueue({ ...refuseAll, options: { postmaster: () => toPostmaster } });
    await started.submit();
    await started.clock.advance(100);
    expect(started.attempts.map(({ attempt }) => attempt.recipient)).toEqual([
      { localPart: 'r1', domain: 'to.test' },
      { localPart: 'sender', domain: 'from.test' },
      toPostmaster,
    ]);
    expect(started.spool.count).toBe(0);
  });

  test('that a script deletes is told to nobody', async () => {
    const started = await startedQueue({
      ...refuseAll,
      postdelivery: (message) => ({ kind: message.sender.localPart === '' ? 'Delete' : 'Default' }),
      options: { postmaster: () => toPostmaster },
    });
    await started.submit();
    await started.clock.advance(100);
    expect(started.attempts).toHaveLength(2);
  });
});

test('many failures at once are told a few at a time, each of them', async () => {
  const started = await startedQueue({ attempt: () => Promise.resolve(unknownUser) });
  await started.submit(...Array.from({ length: 300 }, () => ({})));
  await started.clock.advance(1);
  await settled(300);
  expect(started.told).toHaveLength(300);
  expect(new Set(started.told.map(({ attempt }) => attempt.id.transaction)).size).toBe(300);
  expect(started.spool.count).toBe(0);
});
