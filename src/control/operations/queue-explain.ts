// X, QueueExplain: what holds a message, in sentences, and when it can go at the earliest.

import { bytesToText } from '#lang';
import type { HoldUp } from '../../queue/hold-up.js';
import type { ListedMessage, MessageQueue } from '../../queue/message-queue.js';
import { messageIdToText } from '../../spool/id-table.js';
import type { Spool } from '../../spool/spool.js';
import { isoTime } from '../listed-values.js';
import { ControlError, type Operation } from '../operation.js';
import { itemMaker } from '../queue-items.js';
import { type GivenId, readId } from './queue-message.js';

/** What the operation works on. */
export interface QueueExplainParts {
  readonly queue: Pick<MessageQueue, 'find' | 'holdUp'>;
  readonly spool: Pick<Spool, 'isWritable'>;
  /** `stageKey`: of the staged configuration that the message came by. */
  readonly knowsTransport: (id: string, stageKey?: string) => boolean;
  readonly now: () => number;
}

/** Explains messages. */
export function queueExplain(parts: QueueExplainParts): Operation<{ readonly id?: GivenId }> {
  const { queue, now } = parts;
  return {
    run(request) {
      const id = readId(request.id);
      const listed = queue.find(id);
      const holdUp = queue.holdUp(id);
      if (listed === undefined || holdUp === undefined)
        throw new ControlError(
          `there is no message ${messageIdToText(id)} in the queue: it was delivered or has ended, or it never was here; the log knows`,
        );
      const { reasons, earliest } = explain(listed, holdUp, now());
      if (!parts.spool.isWritable(id))
        reasons.unshift('The spool cannot be written to: nothing goes out before it can. The log says why.');
      if (!parts.knowsTransport(listed.message.transportId, listed.message.stageKey))
        reasons.push(
          `The transport "${bytesToText(listed.message.transportId)}" is not in the configuration: the message cannot be sent before it is, or before it has another (queue update --transportid-set).`,
        );
      return {
        state: listed.state,
        reasons,
        ...(earliest === undefined ? undefined : { earliest: isoTime(earliest) }),
        item: itemMaker([])(listed, now()),
      };
    },
  };
}

function explain(
  { message, trial }: ListedMessage,
  holdUp: HoldUp,
  now: number,
): { reasons: string[]; earliest?: number } {
  const { reason } = message;
  const last =
    reason === undefined || reason === '' ? [] : [`The last thing that was said: ${bytesToText(reason)}`];
  switch (holdUp.kind) {
    case 'held':
      return {
        reasons: ['It is on hold: it goes when somebody releases it (queue update --active).', ...last],
      };
    case 'deferred':
      return {
        reasons: [
          `It is deferred${after(message.retry)}; the next try is in ${duration(holdUp.until - now)}.`,
          ...last,
        ],
        earliest: holdUp.until,
      };
    case 'due':
      return {
        reasons: [
          `It is due, and one of ${holdUp.waiting} messages that wait for the predelivery script.`,
          ...last,
        ],
        earliest: now,
      };
    case 'preparing':
      return {
        reasons: ['It is in the predelivery script, or its next hop is being looked up.', ...last],
        earliest: now,
      };
    case 'policy':
      return { reasons: [policyReason(holdUp), ...last] };
    case 'concurrency':
      return {
        reasons: [
          `All ${holdUp.limit} deliveries that may be under way at once are (queues.concurrency).`,
          ...last,
        ],
      };
    case 'ready': {
      const hop = trial === undefined ? '' : ` to ${bytesToText(trial.destination.remoteMx)}`;
      return {
        reasons: [`Nothing holds it: it goes out${hop} when it is its turn.`, ...last],
        earliest: now,
      };
    }
    case 'sending':
      return {
        reasons: [`It is being sent, for ${duration(now - holdUp.since)} now.`],
        earliest: holdUp.since,
      };
    case 'finishing':
      return {
        reasons: ['Its attempt has ended: the postdelivery script has it, or its end is being written.'],
      };
    case 'updating':
      return { reasons: ['A change is being written, or it is being moved out.'] };
    default:
      return assertNever(holdUp);
  }
}

function policyReason({ obstacle }: Extract<HoldUp, { kind: 'policy' }>): string {
  if (obstacle === undefined) return 'A policy holds it back.';
  const { threshold, entry, used, limit } = obstacle;
  const values = Object.entries(entry)
    .map(([field, value]) => `${field} "${bytesToText(value)}"`)
    .join(', ');
  return `A policy holds it back: the ${threshold} of ${values} is ${limit}, and ${used} are in use. It goes when one of those has ended.`;
}

/** What a script put off counts as an attempt too, so that not all of them need have failed. */
function after(retry: number): string {
  if (retry === 0) return '';
  return retry === 1 ? ' after 1 attempt' : ` after ${retry} attempts`;
}

/** `40 seconds`, `9m 15s`, `2h 0m`, `3d 4h`: the two largest units. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole === 1) return '1 second';
  if (whole < 120) return `${whole} seconds`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${whole % 60}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${Math.floor((whole % 3600) / 60)}m`;
  return `${Math.floor(whole / 86_400)}d ${Math.floor((whole % 86_400) / 3600)}h`;
}

function assertNever(value: never): never {
  throw new Error(`unknown ${JSON.stringify(value)}`);
}
