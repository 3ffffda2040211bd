// By what messages are put into groups (control-api 4.2): the fields of lists, the domains of the addresses, and entries of the
// metadata. A message is in one group; where it has several values of a field, they are one value together.

import type { SeenInQueue } from '../queue/message-queue.js';
import { isoTime, localIpsOf, retryDelayOf } from './listed-values.js';
import { ControlError } from './operation.js';
import { itemFieldNames, METADATA, rankOfEntry, rankOfField } from './queue-items.js';

/** What a message has of a field, in bytes; undefined and the empty text are the same. */
export type GroupKey = (seen: SeenInQueue, now: number) => string | number | undefined;

const fields: Readonly<Record<string, GroupKey>> = {
  id: ({ message: { id } }) => `${id.transaction}:${id.number}`,
  ts: ({ message }) => isoTime(message.ts),
  senderdomain: ({ message }) => message.sender.domain.toLowerCase(),
  recipientdomain: ({ message }) => message.recipient.domain.toLowerCase(),
  retryts: ({ message, state }) => (state === 'DEFER' ? isoTime(message.nextTry) : undefined),
  // By whole seconds: with more nothing is a group.
  retrydelay: (seen, now) => wholeSeconds(retryDelayOf(seen, now)),
  duration: ({ sendingSince }, now) =>
    sendingSince === undefined ? undefined : wholeSeconds(Math.max(0, now - sendingSince)),
  localips: (seen) => localIpsOf(seen).join(', '),
  tags: () => undefined,
  quotas: ({ message }) => message.quotas.join(', '),
};

/** The names that can be grouped by, without those of metadata. */
const names: readonly string[] = [
  ...itemFieldNames.filter((name) => name !== 'metadata'),
  'senderdomain',
  'recipientdomain',
];

/** What a name of a request reads of a message. @throws ControlError for a name that is none */
export function groupKeyCalled(name: string, at: string): GroupKey {
  const ofEntry = rankOfEntry(name);
  if (ofEntry !== undefined) return ofEntry;
  const own = Object.hasOwn(fields, name) ? fields[name] : undefined;
  const found = own ?? (names.includes(name) ? rankOfField(name) : undefined);
  if (found === undefined)
    throw new ControlError(
      `${at}: found ${JSON.stringify(name)}; expected one of ${names.join(', ')}, or ${METADATA}KEY`,
    );
  return found;
}

function wholeSeconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.floor(seconds);
}
