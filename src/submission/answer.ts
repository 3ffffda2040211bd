// The verdict on a message as an HTTP answer (queue-and-config 10). The status follows the reply code, so that both say the
// same: 2xx is 200, 4xx is 503, 5xx is 422. A script that failed is 500 with 451.

import { type EnhancedStatus, eod, replyParts } from '#hooks';
import { bytesToText, HslArray, textToBytes, type Value } from '#lang';
import { encodeJson } from '#stdlib';
import type { IntakeResult, IntakeTrouble } from '../intake/message-intake.js';
import { RequestProblem } from './request-problem.js';

/** A verdict, before it is written. */
export interface Answer {
  readonly status: 200 | 422 | 500 | 503;
  readonly code: number;
  readonly enhanced: EnhancedStatus;
  readonly reason: readonly string[];
  readonly transactionId: string;
  /** What Accept gave; undefined: nothing. */
  readonly metadata: Value | undefined;
  /** The script wants the connection closed after it. */
  readonly closes: boolean;
}

/** Whether asking again would make no difference: such an answer is kept for its Idempotency-Key. */
export function isFinal({ status }: Answer): boolean {
  return status === 200 || status === 422;
}

type Verdict = Readonly<{ code: number; enhanced: EnhancedStatus; text: string }>;

/** The codes are those of SMTP for the same trouble. */
const verdicts: Readonly<Record<Exclude<IntakeTrouble, 'too-big'>, Verdict>> = {
  'header-too-big': { code: 554, enhanced: [5, 6, 0], text: 'The header section is too big' },
  'too-many-hops': { code: 554, enhanced: [5, 4, 6], text: 'Too many hops: the message is in a loop' },
  'false-end': { code: 554, enhanced: [5, 6, 0], text: 'A lone dot between bare line ends' },
  'no-space': { code: 452, enhanced: [4, 3, 1], text: 'Out of storage; try again later' },
  'spool-trouble': {
    code: 451,
    enhanced: [4, 3, 0],
    text: 'The message could not be stored; try again later',
  },
};

/** The answer to what became of a message. @throws RequestProblem when there is no verdict on it */
export function resultToAnswer(result: IntakeResult, transactionId: string, mostBytes: number): Answer {
  switch (result.kind) {
    case 'accepted': {
      const { Accept } = eod.replies;
      const text = `${Accept.text} ${transactionId}`;
      const { code, enhanced, lines } = replyParts({ ...Accept, text }, result.outcome);
      return answer(200, code, enhanced, lines, transactionId, result.outcome.metadata);
    }
    case 'refused': {
      const { outcome } = result;
      if (outcome.kind === 'Defer' && outcome.because === 'script-error') {
        const { text } = eod.replies.Defer;
        return answer(500, 451, [4, 3, 0], [text], transactionId);
      }
      const { code, enhanced, lines } = replyParts(eod.replies[outcome.kind], outcome);
      const refused = answer(code < 500 ? 503 : 422, code, enhanced, lines, transactionId);
      return { ...refused, closes: outcome.disconnect === true };
    }
    case 'troubled': {
      if (result.trouble === 'too-big')
        throw new RequestProblem(413, `the message is larger than ${mostBytes} bytes`);
      const { code, enhanced, text } = verdicts[result.trouble];
      return answer(code < 500 ? 503 : 422, code, enhanced, [text], transactionId);
    }
    case 'abandoned':
      throw new RequestProblem(503, 'the submission was given up');
  }
}

function answer(
  status: Answer['status'],
  code: number,
  enhanced: EnhancedStatus | undefined,
  reason: readonly string[],
  transactionId: string,
  metadata?: Value,
): Answer {
  const statusClass = Math.trunc(code / 100);
  return {
    status,
    code,
    enhanced: enhanced ?? [statusClass, 0, 0],
    reason,
    transactionId,
    metadata,
    closes: false,
  };
}

/** The answer's body. */
export function answerToJson(
  { code, enhanced, reason, transactionId, metadata }: Answer,
  pretty: boolean,
): string {
  const whole = record({
    // A script's text may be no UTF-8, which JSON cannot say.
    result: record({
      code,
      enhanced: HslArray.fromList([...enhanced]),
      reason: HslArray.fromList(reason.map((line) => textToBytes(bytesToText(line)))),
    }),
    transaction: record({ id: transactionId }),
  });
  const json = (value: Value) =>
    bytesToText(encodeJson(value, { ensureAscii: false, pretty }, () => {}) ?? 'null');
  if (metadata !== undefined) {
    whole.set('metadata', metadata);
    return json(whole);
  }
  // No array of a script is an empty object.
  return `${json(whole).replace(/\s*\}$/, '')},${pretty ? '\n    ' : ''}"metadata":${pretty ? ' ' : ''}{}${pretty ? '\n' : ''}}`;
}

function record(entries: Readonly<Record<string, Value>>): HslArray {
  const value = HslArray.empty();
  for (const key in entries) value.set(key, entries[key]!);
  return value;
}
