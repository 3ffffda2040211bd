// A queued message as lists show it (control-api 4.1), field by field. What is not known is left out.

import type { Address } from '#hooks';
import { bytesToText, textToBytes } from '#lang';
import type { SeenInQueue } from '../queue/message-queue.js';
import {
  addressText,
  isoTime,
  localIpsOf,
  lowerAddressText,
  remoteIpOf,
  remoteMxOf,
  retryDelayOf,
  suspendedBy,
  toMilliseconds,
} from './listed-values.js';
import { ControlError } from './operation.js';

/** A message in a list, in the shape of `QueueItem`. */
export type QueueItem = Readonly<Record<string, unknown>>;

type Shown = (listed: SeenInQueue, now: number) => unknown;
/** What a field is sorted by. */
export type Rank = (listed: SeenInQueue, now: number) => string | number | undefined;

interface ItemField {
  readonly show: Shown;
  /** Absent: lists cannot be sorted by it. */
  readonly rank?: Rank;
}

const word = (of: (listed: SeenInQueue) => string | undefined): ItemField => ({
  show: (listed) => shownText(of(listed)),
  rank: of,
});

const number = (of: (listed: SeenInQueue, now: number) => number | undefined): ItemField => ({
  show: of,
  rank: of,
});

const words = (of: (listed: SeenInQueue) => readonly string[]): ItemField => ({
  show: (listed) => {
    const found = of(listed);
    return found.length === 0 ? undefined : found.map(bytesToText);
  },
});

const address = (of: (listed: SeenInQueue) => Address): ItemField => ({
  show: (listed) => {
    const { localPart, domain } = of(listed);
    return { localpart: bytesToText(localPart), domain: bytesToText(domain) };
  },
  rank: (listed) => lowerAddressText(of(listed)) || addressText(of(listed)),
});

const itemFields: Readonly<Record<string, ItemField>> = {
  id: {
    show: ({ message: { id } }) => ({ transaction: id.transaction, queue: id.number }),
    rank: ({ message: { id } }) => `${id.transaction}:${String(id.number).padStart(10, '0')}`,
  },
  state: { show: ({ state }) => state, rank: ({ state }) => state },
  ts: { show: ({ message }) => isoTime(message.ts), rank: ({ message }) => message.ts },
  sender: address(({ message }) => message.sender),
  recipient: address(({ message }) => message.recipient),
  transportid: word(({ message }) => message.transportId),
  jobid: word(({ message }) => message.jobId),
  tenantid: word(({ message }) => message.tenantId),
  serverid: word(({ message }) => message.serverId),
  senderip: word(({ message }) => message.senderIp),
  senderhelo: word(({ message }) => message.senderHelo),
  saslusername: word(({ message }) => message.saslUsername),
  size: number(({ message }) => message.sizeBytes),
  priority: number(({ message }) => message.priority),
  retrycount: number(({ message }) => message.retry),
  retryts: {
    show: ({ message, state }) => (state === 'DEFER' ? isoTime(message.nextTry) : undefined),
    rank: ({ message, state }) => (state === 'DEFER' ? message.nextTry : undefined),
  },
  retrydelay: number(retryDelayOf),
  reason: word(({ message }) => message.reason),
  localips: words(localIpsOf),
  remoteip: word(remoteIpOf),
  remotemx: word(remoteMxOf),
  grouping: word(() => undefined),
  tags: words(() => []),
  metadata: {
    show: ({ message: { metadata } }) => {
      const entries = Object.entries(metadata);
      if (entries.length === 0) return undefined;
      return Object.fromEntries(entries.map(([key, value]) => [bytesToText(key), bytesToText(value)]));
    },
  },
  quotas: words(({ message }) => message.quotas),
  duration: number(({ sendingSince }, now) =>
    sendingSince === undefined ? undefined : toMilliseconds(Math.max(0, now - sendingSince)),
  ),
  connectionid: word(({ connection }) => connection?.id),
  suspended: word(suspendedBy),
};

/** Before the key of one entry: `metadata.customer`. */
export const METADATA = 'metadata.';

/** The names of all fields, in the order in which they are shown. */
export const itemFieldNames: readonly string[] = Object.keys(itemFields);

/** By what lists are sorted for that field; undefined where they cannot be. */
export function rankOfField(name: string): Rank | undefined {
  return Object.hasOwn(itemFields, name) ? itemFields[name]!.rank : undefined;
}

/** Shows messages with these fields, or with all of them. @throws ControlError for a name that is none */
export function itemMaker(fields: readonly string[]): (listed: SeenInQueue, now: number) => QueueItem {
  const chosen = (fields.length === 0 ? itemFieldNames : fields).map(
    (name) => [name, fieldCalled(name, 'fields')] as const,
  );
  return (listed, now) => {
    const item: Record<string, unknown> = {};
    for (const [name, { show }] of chosen) {
      const value = show(listed, now);
      if (value === undefined) continue;
      // One entry of the metadata, beside others.
      if (name.startsWith(METADATA)) item['metadata'] = { ...(item['metadata'] as object), ...value };
      else item[name] = value;
    }
    return item;
  };
}

/** By which field, and which way round (`SortKey`). */
export interface SortKey {
  readonly field?: string;
  readonly order?: 'ASC' | 'DESC';
}

/** Compares messages by several fields, and where those are equal by id. What is absent comes last. @throws ControlError */
export function itemOrder(keys: readonly SortKey[], now: number): (a: SeenInQueue, b: SeenInQueue) => number {
  const ranks = keys.map(({ field = '', order = 'ASC' }, index) => {
    const { rank } = fieldCalled(field, `sort[${index}].field`);
    if (rank === undefined)
      throw new ControlError(`sort[${index}].field: lists cannot be sorted by ${field}`);
    return { rank, sign: order === 'DESC' ? -1 : 1 };
  });
  const id = itemFields['id']!.rank!;
  return (a, b) => {
    for (const { rank, sign } of ranks) {
      const [one, other] = [rank(a, now), rank(b, now)];
      if (one === other) continue;
      if (one === undefined) return 1;
      if (other === undefined) return -1;
      return one < other ? -sign : sign;
    }
    return id(a, now)! < id(b, now)! ? -1 : 1;
  };
}

function fieldCalled(name: string, at: string): ItemField {
  if (name.startsWith(METADATA) && name.length > METADATA.length) return entryOf(name.slice(METADATA.length));
  const field = Object.hasOwn(itemFields, name) ? itemFields[name] : undefined;
  if (field === undefined)
    throw new ControlError(
      `${at}: found ${JSON.stringify(name)}; expected one of ${itemFieldNames.join(', ')}, or ${METADATA}KEY`,
    );
  return field;
}

/** What `metadata.KEY` reads; undefined for a name that is not of that form. */
export function rankOfEntry(name: string): Rank | undefined {
  const isOne = name.startsWith(METADATA) && name.length > METADATA.length;
  return isOne ? entryOf(name.slice(METADATA.length)).rank : undefined;
}

/** One entry of the metadata. */
function entryOf(key: string): ItemField {
  const name = textToBytes(key);
  const of = ({ message: { metadata } }: SeenInQueue): string | undefined =>
    Object.hasOwn(metadata, name) ? metadata[name] : undefined;
  return {
    show: (listed) => {
      const value = of(listed);
      return value === undefined ? undefined : { [key]: bytesToText(value) };
    },
    rank: of,
  };
}

function shownText(bytes: string | undefined): string | undefined {
  return bytes === undefined || bytes === '' ? undefined : bytesToText(bytes);
}
