// Notifications for tests: one with nothing special about it, and what a test changes.

import type { AttemptReport } from '#hooks';
import { type Original, readOriginal } from '../../src/dsn/original.js';
import { composeReport, wantsWholeMessage } from '../../src/dsn/report.js';
import { type Diagnostic, diagnosticOf } from '../../src/queue/diagnostic.js';
import type { NoticePlan } from '../../src/queue/notice-plan.js';
import type { Notice } from '../../src/queue/notices.js';
import type { MessageReader, QueuedMessage } from '../../src/spool/spool.js';
import { uuid } from './mail-samples.js';
import { type ReadReport, readReport } from './report-reader.js';

/** What a test changes. */
export interface NoticeChanges {
  readonly message?: Partial<QueuedMessage>;
  readonly plan?: Partial<NoticePlan>;
  readonly report?: AttemptReport;
  readonly diagnostic?: Diagnostic;
  readonly transport?: Notice['transport'];
  readonly isExpired?: boolean;
}

const refused: AttemptReport = {
  result: { code: 550, enhanced: [5, 1, 1], reason: ['no such user'], state: 'RCPT' },
  connection: {
    id: 'c',
    transactions: 1,
    localIp: '192.0.2.1',
    helo: 'mta.test',
    remoteIp: '192.0.2.25',
    remoteMx: 'mx.to.test',
  },
  durationSeconds: 1,
};

/** The message that samples are about. */
export const queuedMessage: QueuedMessage = {
  id: { transaction: uuid(1), number: 1 },
  ts: 1_800_000_000,
  serverId: 'in',
  senderIp: '192.0.2.7',
  senderHelo: 'client.test',
  sender: { localPart: 'sender', domain: 'from.test' },
  recipient: { localPart: 'r1', domain: 'to.test' },
  transportId: 'out',
  metadata: {},
  priority: 0,
  quotas: [],
  dsn: {},
  sizeBytes: 0,
  hold: false,
  retry: 0,
  nextTry: 0,
};

/** A notification. */
export function notice(changes: NoticeChanges = {}): Notice {
  const report = 'report' in changes ? changes.report : refused;
  const message = { ...queuedMessage, ...changes.message };
  return {
    id: { transaction: uuid(500), number: 1 },
    plan: {
      kind: 'failed',
      transportId: 'dsn',
      options: {},
      recipient: { localPart: message.sender.localPart, domain: message.sender.domain },
      ...changes.plan,
    },
    message,
    diagnostic: changes.diagnostic ?? diagnosticOf(report ?? { durationSeconds: 0 }),
    report,
    transport: changes.transport,
    isExpired: changes.isExpired ?? false,
  };
}

/** Bytes as the spool gives them. */
export function readerOf(bytes: Buffer | string, chunkBytes = 1000): MessageReader {
  const whole = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  return {
    sizeBytes: whole.length,
    async *chunks() {
      for (let at = 0; at < whole.length; at += chunkBytes) yield whole.subarray(at, at + chunkBytes);
    },
    whole: () => undefined,
  };
}

export const originalText =
  'From: a@from.test\r\nMessage-ID: <first@from.test>\r\nSubject: Hello\r\n\r\nIts body\r\n';

/** The notification about a message with these bytes, composed. */
export async function composed(
  changes: NoticeChanges = {},
  bytes: Buffer | string = originalText,
): Promise<{ readonly bytes: Buffer; readonly needsSmtpUtf8: boolean; readonly original: Original }> {
  const made = notice(changes);
  const original = await readOriginal(readerOf(bytes), wantsWholeMessage(made));
  const surroundings = { hostname: 'mta.test', now: 1_800_000_100 };
  return { ...composeReport(made, original, surroundings, '=_boundary'), original };
}

/** The same, read by the strict reader. */
export async function composedAndRead(
  changes: NoticeChanges = {},
  bytes: Buffer | string = originalText,
): Promise<ReadReport> {
  return readReport((await composed(changes, bytes)).bytes);
}
