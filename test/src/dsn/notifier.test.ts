import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import type { SignatureRequest } from '#stdlib';
import { isNoticeId, noticeId } from '../../../src/dsn/notice-id.js';
import { DsnNotifier } from '../../../src/dsn/notifier.js';
import type { Notice } from '../../../src/queue/notices.js';
import { SpoolError } from '../../../src/spool/spool.js';
import { keyFromRecord } from '../../../stdlib/mail/dkim/key-record.js';
import { readSignature } from '../../../stdlib/mail/dkim/signature.js';
import { signatureProblem } from '../../../stdlib/mail/dkim/verifier.js';
import { bytesToSource } from '../../../stdlib/mail/mime/document.js';
import { commitMessage, keptLog, queueRequest, uuid } from '../../support/mail-samples.js';
import { type NoticeChanges, notice, originalText, queuedMessage } from '../../support/notice-samples.js';
import { RamSpool } from '../../support/ram-spool.js';
import { readReport } from '../../support/report-reader.js';

async function setUp() {
  const spool = new RamSpool();
  const [message] = await commitMessage(spool, uuid(1), Buffer.from(originalText), [queueRequest(1)]);
  const log = keptLog();
  const notifier = new DsnNotifier({ spool, hostname: 'mta.test', now: () => 1_800_000_100, log });
  const about = (changes: NoticeChanges = {}): Notice =>
    notice({ ...changes, message: { ...message!, ...changes.message } });
  const bytesOfLast = () => spool.committed.at(-1)!.copies[0]!;
  return { spool, notifier, log, about, bytesOfLast };
}

test('a notification is a queued message of the null sender, in a transaction of its own name', async () => {
  const { notifier, about, bytesOfLast, spool } = await setUp();
  const [made] = await notifier.make(about({ message: { stageKey: 'stage' } }));
  expect(made).toMatchObject({
    id: { transaction: uuid(500), number: 1 },
    ts: 1_800_000_100,
    stageKey: 'stage',
    sender: { localPart: '', domain: '' },
    recipient: { localPart: 'sender', domain: 'from.test' },
    transportId: 'dsn',
    priority: 0,
    metadata: {},
    quotas: [],
    hold: false,
    dsn: { notify: 'NEVER' },
    nextTry: 0,
  });
  expect(made!.sender.params).toBeUndefined();
  expect(readReport(bytesOfLast()).parts).toHaveLength(3);
  expect(spool.underWay).toBe(0);
});

test('one that needs SMTPUTF8 says so', async () => {
  const { notifier, about } = await setUp();
  const recipient = { localPart: Buffer.from('grün', 'utf8').toString('latin1'), domain: 'from.test' };
  const [made] = await notifier.make(about({ plan: { recipient } }));
  expect(made!.sender.params).toEqual({ SMTPUTF8: '' });
  const domain = { localPart: 'me', domain: Buffer.from('bücher.test', 'utf8').toString('latin1') };
  const [other] = await notifier.make(about({ plan: { recipient: domain } }));
  expect(other!.sender.params).toBeUndefined();
});

test('one about a message that needs TLS on its whole way needs it too', async () => {
  const { notifier, about } = await setUp();
  const sender = { localPart: 'sender', domain: 'from.test', params: { REQUIRETLS: '' } };
  const [made] = await notifier.make(about({ message: { sender } }));
  expect(made!.sender.params).toEqual({ REQUIRETLS: '' });
});

test('one with a delay waits', async () => {
  const { notifier, about } = await setUp();
  const [made] = await notifier.make(about({ plan: { options: { delaySeconds: 60 } } }));
  expect(made!.nextTry).toBe(1_800_000_160);
});

test('boundaries are drawn anew each time', async () => {
  const { notifier, about, spool } = await setUp();
  for (let i = 0; i < 2; i++) await notifier.make(about());
  const boundaries = spool.committed
    .slice(1)
    .map(({ copies }) => /boundary="(.*)"/.exec(copies[0]!.toString('latin1'))![1]!);
  expect(boundaries[0]).toMatch(/^=_[0-9a-f]{36}$/);
  expect(boundaries[0]).not.toBe(boundaries[1]);
});

test('signatures are on top and hold', async () => {
  const { notifier, about, bytesOfLast } = await setUp();
  const pair = generateKeyPairSync('ed25519');
  const request: SignatureRequest = {
    selector: 's',
    domain: 'mta.test',
    key: createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    algorithm: 'ed25519-sha256',
    headerCanonicalization: 'relaxed',
    bodyCanonicalization: 'relaxed',
    headers: ['from', 'to', 'subject', 'auto-submitted'],
    oversignHeaders: ['from'],
    timestamp: undefined,
    expiration: undefined,
    identity: undefined,
    bodyLength: undefined,
    arc: undefined,
    discardChanges: false,
  };
  await notifier.make(about({ plan: { options: { signatures: [request, { ...request, selector: 't' }] } } }));
  const bytes = bytesOfLast();
  const text = bytes.toString('latin1');
  const fields = [...text.matchAll(/^DKIM-Signature:(?:.*\r\n)(?:[ \t].*\r\n)*/gm)].map(([field]) => field);
  expect(text.startsWith(fields.join(''))).toBe(true);
  expect(fields).toHaveLength(2);
  const raw = pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');
  for (const field of fields) {
    const signature = readSignature(field, { now: 1_800_000_200, allowsSha1: false });
    if ('error' in signature) throw new Error(signature.error);
    const key = keyFromRecord(`v=DKIM1; k=ed25519; p=${raw}`, signature);
    if ('error' in key) throw new Error(key.error);
    const problem = await signatureProblem(
      bytesToSource(bytes),
      signature,
      key,
      new AbortController().signal,
    );
    expect(problem).toBeUndefined();
  }
});

test('one whose message cannot be read is made without it', async () => {
  const { notifier, about, bytesOfLast, log } = await setUp();
  await notifier.make(about({ message: { id: { transaction: uuid(9), number: 9 } } }));
  expect(readReport(bytesOfLast()).parts).toHaveLength(2);
  expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
});

test.each(['failOnReceive', 'failOnWrite', 'failOnCommit'] as const)(
  'a spool that fails (%s) is told of, and nothing stays behind',
  async (when) => {
    const { notifier, about, spool } = await setUp();
    spool[when] = new SpoolError('full', true);
    await expect(notifier.make(about())).rejects.toThrow('full');
    expect(spool.committed).toHaveLength(1);
    expect(spool.underWay).toBe(0);
  },
);

test('a report to the postmaster that failed under another name is told to nobody: it would come round', async () => {
  const { notifier, about, spool, log, bytesOfLast } = await setUp();
  const sender = { localPart: '', domain: '' };
  const plan = { recipient: { localPart: 'Root', domain: 'mta.test' }, isForPostmaster: true };
  const [first] = await notifier.make(about({ message: { sender }, plan }));
  // It came back to us by SMTP, was passed on to somebody else, and failed.
  const [again] = await commitMessage(spool, uuid(2), bytesOfLast(), [queueRequest(1, { sender })]);
  expect(await notifier.make(about({ message: again!, plan }))).toEqual([]);
  expect(log.lines).toMatchObject([
    { fields: { id: `${uuid(2)}:1` }, message: 'a report to the postmaster fails: nobody is told of it' },
  ]);
  // To anybody else it would be told.
  expect(await notifier.make(about({ message: first! }))).toHaveLength(1);
  const other = { ...plan, recipient: { localPart: 'other', domain: 'mta.test' } };
  expect(await notifier.make(about({ message: again!, plan: other }))).toHaveLength(1);
});

test('names follow from the message and the news', () => {
  const message = { ...queuedMessage, id: { transaction: uuid(1), number: 2 }, retry: 3 };
  const end = noticeId(message, 'failed');
  expect(end).toEqual(noticeId({ ...message, retry: 9 }, 'failed'));
  expect(end).toEqual(noticeId(message, 'relayed'));
  expect(isNoticeId(end)).toBe(true);
  expect(isNoticeId(message.id)).toBe(false);
  const others = [
    noticeId(message, 'delayed'),
    noticeId({ ...message, retry: 4 }, 'delayed'),
    noticeId({ ...message, id: { ...message.id, number: 1 } }, 'failed'),
    noticeId({ ...message, id: { transaction: 'no uuid', number: 2 } }, 'failed'),
    end,
  ];
  expect(new Set(others.map(({ transaction }) => transaction)).size).toBe(others.length);
});
