// Names for notifications that follow from what they are about: version 5 of RFC 9562, which nothing else here has. A message ends
// once, so that there is one name for the news of its end; a delay is one for each retry, and counted where a script stays at one.

import { uuidV5 } from '#stdlib';
import type { NoticeKind } from '../queue/notice-plan.js';
import type { MessageId, QueuedMessage } from '../spool/spool.js';

/** For a transaction that has no UUID. */
const FALLBACK_NAMESPACE = '6f4f2e6a-6a0b-4c0e-8d53-0a1f7a1c3b52';

/** The id of a message's notification of that kind; `repeats`: how often a delay was told that the retry count cannot tell apart. */
export function noticeId(
  { id, retry }: Pick<QueuedMessage, 'id' | 'retry'>,
  kind: NoticeKind,
  repeats = 0,
): MessageId {
  const delay = repeats === 0 ? `delayed ${retry}` : `delayed ${retry} ${repeats}`;
  const name = `${id.number} ${kind === 'delayed' ? delay : 'end'}`;
  const transaction =
    uuidV5(id.transaction, name) ?? uuidV5(FALLBACK_NAMESPACE, `${id.transaction} ${name}`)!;
  return { transaction, number: 1 };
}

/** Whether the id can be a notification's. */
export function isNoticeId({ transaction, number }: MessageId): boolean {
  return number === 1 && transaction[14] === '5';
}
