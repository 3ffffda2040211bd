// Conditions made into one question about a message (control-api 3): those of one kind are alternatives, every kind that has some must
// fit, and none at all fits everything.

import type { Address } from '#hooks';
import { textToBytes } from '#lang';
import type { SeenInQueue } from '../../queue/message-queue.js';
import {
  addressText,
  localIpsOf,
  lowerAddressText,
  remoteIpOf,
  remoteMxOf,
  retryDelayOf,
} from '../listed-values.js';
import { ControlError } from '../operation.js';
import {
  type Comparison,
  dateTest,
  domainTest,
  networkTest,
  numberTest,
  patternTest,
  type Test,
  type TextCondition,
  textTest,
} from './values.js';

/** Conditions as they are asked with (`QueueConditions` of control.proto). */
export type QueueConditions = Readonly<Partial<Record<string, readonly Condition[]>>>;

/** One of them; its keys depend on its kind. */
export type Condition = Readonly<Record<string, unknown>> & TextCondition;

/** Those that say something, for the log: a request of Protobuf has an empty list for every other kind. */
export function givenConditions(conditions: QueueConditions = {}): QueueConditions {
  return Object.fromEntries(
    Object.entries(conditions).filter(([, list]) => list !== undefined && list.length > 0),
  );
}

/** Whether a message fits. */
export type Fits = (listed: SeenInQueue) => boolean;

type Reader = (condition: Condition, at: string, now: number) => Fits;

const text =
  (key: string, of: (listed: SeenInQueue) => string | undefined): Reader =>
  (condition, at) => {
    const test = textTest(wordOf(condition, key, at), condition, at);
    return (listed) => test(of(listed));
  };

const domain =
  (key: string, of: (listed: SeenInQueue) => string | undefined): Reader =>
  (condition, at) => {
    const test = domainTest(wordOf(condition, key, at), condition, at);
    return (listed) => test(of(listed));
  };

/** Any of several values. */
const texts =
  (key: string, of: (listed: SeenInQueue) => readonly string[]): Reader =>
  (condition, at) => {
    const test = textTest(wordOf(condition, key, at), condition, at);
    return (listed) => of(listed).some(test);
  };

const network =
  (key: string, of: (listed: SeenInQueue) => readonly (string | undefined)[]): Reader =>
  (condition, at) => {
    const test = networkTest(wordOf(condition, key, at), condition, at);
    return (listed) => of(listed).some(test);
  };

const number =
  (of: (listed: SeenInQueue, now: number) => number | undefined): Reader =>
  (condition, at, now) => {
    const test = numberTest(condition as Comparison<number>, at);
    return (listed) => test(of(listed, now));
  };

const address =
  (key: 'sender' | 'recipient'): Reader =>
  (condition, at) => {
    const test = addressTest(condition as AddressCondition, key, at);
    return (listed) => test(listed.message[key]);
  };

/** Every kind, by its list in `QueueConditions`. */
const kinds: Readonly<Record<string, Reader>> = {
  transportids: text('transportid', ({ message }) => message.transportId),
  jobids: text('jobid', ({ message }) => message.jobId),
  tenantids: text('tenantid', ({ message }) => message.tenantId),
  serverids: text('serverid', ({ message }) => message.serverId),
  senderdomains: domain('senderdomain', ({ message }) => message.sender.domain),
  recipientdomains: domain('recipientdomain', ({ message }) => message.recipient.domain),
  senders: address('sender'),
  recipients: address('recipient'),
  senderips: network('senderip', ({ message }) => [message.senderIp]),
  senderhelos: domain('senderhelo', ({ message }) => message.senderHelo),
  saslusernames: text('saslusername', ({ message }) => message.saslUsername),
  localips: network('localip', localIpsOf),
  remoteips: network('remoteip', (listed) => [remoteIpOf(listed)]),
  remotemxs: domain('remotemx', remoteMxOf),
  groupings: text('grouping', () => ''),
  ids: (condition) => idTest(condition),
  queues: (condition, at) => {
    if (condition['queue'] === 'UNSPECIFIED' || condition['queue'] === undefined)
      throw new ControlError(`${at}: expected "queue" with the name of a state`);
    return ({ state }) => state === condition['queue'];
  },
  retrycounts: number(({ message }) => message.retry),
  retrydelays: number(retryDelayOf),
  ages: number(({ message }, now) => now - message.ts),
  tss: (condition, at) => {
    const test = dateTest(condition as Comparison<string>, at);
    return ({ message }) => test(message.ts);
  },
  sizes: number(({ message }) => message.sizeBytes),
  prioritys: number(({ message }) => message.priority),
  quotas: texts('quota', ({ message }) => message.quotas),
  metadatas: (condition, at) => metadataTest(condition, at),
  // Tags come with the suspensions that have them.
  tags: texts('tag', () => []),
  suspendeds: (condition) => (listed) =>
    (listed.obstacle !== undefined) === (condition['suspended'] === true),
};

/** Makes the question; `now` is what ages are counted to. @throws ControlError that names the condition */
export function compileConditions(conditions: QueueConditions | undefined, now: number): Fits {
  const alternatives: Fits[][] = [];
  for (const [kind, list = []] of Object.entries(conditions ?? {})) {
    if (list.length === 0) continue;
    const read = kinds[kind];
    if (read === undefined) throw new Error(`no conditions are called ${kind}`);
    mustNotFitAll(kind, list);
    alternatives.push(
      list.map((condition, index) => {
        const fits = read(condition, `conditions.${kind}[${index}]`, now);
        return condition.not === true ? (listed: SeenInQueue) => !fits(listed) : fits;
      }),
    );
  }
  return (listed) => alternatives.every((kind) => kind.some((fits) => fits(listed)));
}

/** The ids, when nothing but ids can fit: then nobody has to look at all messages. */
export function exactIds(
  conditions: QueueConditions | undefined,
): readonly { readonly transaction: string; readonly number: number }[] | undefined {
  const ids = conditions?.['ids'] ?? [];
  if (ids.length === 0) return undefined;
  const exact: { transaction: string; number: number }[] = [];
  for (const { transaction, queue, not } of ids) {
    if (not === true || typeof transaction !== 'string' || typeof queue !== 'number') return undefined;
    exact.push({ transaction: transaction.toLowerCase(), number: queue });
  }
  return exact;
}

/** `not a` or `not b` is everything, and never what somebody meant. */
function mustNotFitAll(kind: string, list: readonly Condition[]): void {
  const negated = list.filter(({ not }) => not === true);
  if (new Set(negated.map((condition) => JSON.stringify(condition))).size > 1)
    throw new ControlError(
      `conditions.${kind}: conditions of one kind are alternatives, and two of them with "not" fit every message; use one with a pattern`,
    );
}

function wordOf(condition: Condition, key: string, at: string): string {
  const value = condition[key];
  if (typeof value === 'string') return value;
  throw new ControlError(`${at}: expected "${key}"`);
}

function idTest({ transaction = '', queue }: Condition): Fits {
  const wanted = String(transaction).toLowerCase();
  return ({ message: { id } }) => id.transaction === wanted && (queue === undefined || id.number === queue);
}

interface AddressCondition extends TextCondition {
  readonly sender?: string;
  readonly recipient?: string;
  readonly localpart?: string;
  readonly domain?: string;
  readonly partial?: boolean;
  readonly casesensitive?: boolean;
}

function addressTest(condition: AddressCondition, key: 'sender' | 'recipient', at: string): Test<Address> {
  const { [key]: whole, localpart, domain: wantedDomain, regex, partial, casesensitive } = condition;
  if (whole === undefined && localpart === undefined && wantedDomain === undefined)
    throw new ControlError(`${at}: expected "${key}", "localpart" or "domain"`);
  const textOf = (found: Address): string =>
    casesensitive === true ? addressText(found) : lowerAddressText(found);
  const cased = (value: string): string => {
    const bytes = textToBytes(value);
    return casesensitive === true ? bytes : bytes.toLowerCase();
  };
  const tests: Test<Address>[] = [];
  const add = (value: string | undefined, of: (found: Address) => string): void => {
    if (value === undefined) return;
    if (regex === true) {
      const matches = patternTest(value, at, casesensitive === true ? '' : 'i');
      tests.push((found) => found !== undefined && matches(of(found)));
      return;
    }
    const wanted = cased(value);
    tests.push((found) => {
      if (found === undefined) return false;
      const has = casesensitive === true ? of(found) : of(found).toLowerCase();
      return partial === true ? has.includes(wanted) : has === wanted;
    });
  };
  add(whole === '<>' ? '' : whole, textOf);
  add(localpart, (found) => found.localPart);
  add(wantedDomain, (found) => found.domain);
  return (found) => tests.every((test) => test(found));
}

/** A metadata entry: that it is there, its text, or its number. */
function metadataTest(condition: Condition, at: string): Fits {
  const { key, value, op = 'EQ', from, to, regex } = condition;
  if (typeof key !== 'string' || key === '') throw new ControlError(`${at}: expected "key"`);
  const name = textToBytes(key);
  const of = ({ message: { metadata } }: SeenInQueue): string | undefined =>
    Object.hasOwn(metadata, name) ? metadata[name] : undefined;
  if (op !== 'EQ' || from !== undefined || to !== undefined) {
    const number = typeof value === 'string' ? toNumber(value) : undefined;
    if (value !== undefined && number === undefined)
      throw new ControlError(`${at}: found ${JSON.stringify(value)}; expected a number to compare with`);
    const test = numberTest(
      { ...condition, ...(number === undefined ? {} : { value: number }) } as Comparison<number>,
      at,
    );
    return (listed) => test(toNumber(of(listed)));
  }
  if (typeof value !== 'string') return (listed) => of(listed) !== undefined;
  const test = textTest(value, regex === undefined ? {} : { regex: regex === true }, at);
  return (listed) => {
    const found = of(listed);
    return found !== undefined && test(found);
  };
}

function toNumber(found: string | undefined): number | undefined {
  if (found === undefined || !/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(found)) return undefined;
  return Number(found);
}
