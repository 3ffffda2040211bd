// What the queue tells the operator, in one place, so that the lines of a message can be found by its id.

import type { AttemptReport } from '#hooks';
import type { Verdict } from '../delivery/deliverer.js';
import { printable } from '../log/printable.js';
import { messageIdToText } from '../spool/id-table.js';
import type { QueuedMessage } from '../spool/spool.js';
import type { Decision } from './decision.js';

/** Characters of a reason in a line. */
const LONGEST_REASON = 500;

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
    seconds: Math.round(report.durationSeconds * 1000) / 1000,
    reason: shown(reason),
  };
  log.info(fields, `attempt ${verdict}`);
}

/** One line for what ends a message or stops it. */
export function logDecision(log: QueueLog, message: QueuedMessage, decision: Decision): void {
  switch (decision.kind) {
    case 'done':
      if (decision.how === 'deleted') {
        log.warn(
          { ...messageFields(message), reason: shown(decision.reason) },
          `message deleted${decision.silence === undefined ? '' : silences[decision.silence]}`,
        );
      } else if (decision.how === 'bounced') {
        log.info({ ...messageFields(message), reason: shown(decision.reason) }, 'message bounced');
      }
      return;
    case 'hold':
      log.info({ ...messageFields(message), reason: shown(decision.change.reason) }, 'message put on hold');
      return;
    case 'defer':
      log.info(
        {
          ...messageFields(message),
          retry: decision.change.retry,
          next: timeText(decision.change.nextTry),
          reason: shown(decision.change.reason),
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

/** A reply may be as long as the peer likes; the whole of it is in the queue (`queue show`). */
function shown(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : printable(reason, LONGEST_REASON);
}

/** Unix seconds in ISO 8601; undefined for no time at all. */
function timeText(unixSeconds: number | undefined): string | undefined {
  if (unixSeconds === undefined || unixSeconds <= 0) return undefined;
  const date = new Date(unixSeconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function messageFields({ id, recipient }: QueuedMessage): object {
  return { id: messageIdToText(id), recipient: `${recipient.localPart}@${recipient.domain}` };
}
