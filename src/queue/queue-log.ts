// What the queue tells the operator, in one place, so that the lines of a message can be found by its id.

import type { AttemptReport } from '#hooks';
import type { Verdict } from '../delivery/deliverer.js';
import { messageIdToText } from '../spool/id-table.js';
import type { QueuedMessage } from '../spool/spool.js';
import type { Decision } from './decision.js';

/** The part of a pino logger that the queue uses. */
export interface QueueLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One line for each attempt. */
export function logAttempt(
  log: QueueLog,
  message: QueuedMessage,
  verdict: Verdict,
  reason: string,
  report: AttemptReport,
): void {
  const fields = {
    ...messageFields(message),
    transport: message.transportId,
    retry: message.retry,
    remotemx: report.connection?.remoteMx,
    remoteip: report.connection?.remoteIp,
    seconds: report.durationSeconds,
    reason,
  };
  log.info(fields, `attempt ${verdict}`);
}

/** One line for what ends a message or stops it. */
export function logDecision(log: QueueLog, message: QueuedMessage, decision: Decision): void {
  switch (decision.kind) {
    case 'done':
      if (decision.how === 'deleted') {
        log.warn(
          { ...messageFields(message), reason: decision.reason },
          `message deleted${decision.silence === undefined ? '' : silences[decision.silence]}`,
        );
      } else if (decision.how === 'bounced') {
        log.info({ ...messageFields(message), reason: decision.reason }, 'message bounced');
      }
      return;
    case 'hold':
      log.info({ ...messageFields(message), reason: decision.change.reason }, 'message put on hold');
      return;
    case 'defer':
      log.info(
        {
          ...messageFields(message),
          retry: decision.change.retry,
          next: decision.change.nextTry,
          reason: decision.change.reason,
        },
        'message deferred',
      );
      return;
    default:
  }
}

/** Why nobody is told. */
const silences: Readonly<Record<NonNullable<Extract<Decision, { kind: 'done' }>['silence']>, string>> = {
  script: '',
  'null-sender': ': it has no sender to be told',
  notify: ': its sender does not want to be told',
  'no-dsn-transport': ' and its sender not told: the transport has no dsn.transport',
};

function messageFields({ id, recipient }: QueuedMessage): object {
  return { id: messageIdToText(id), recipient: `${recipient.localPart}@${recipient.domain}` };
}
