// Conditions as a command line writes them (control-api 7), made into `QueueConditions`:
//
//     text      VALUE exact · /PATTERN/ matches somewhere         --jobid spring --jobid /^sum/
//     address   ann@x.test · ann@ the local part · @x.test the domain · ann a part of the local part · <> nobody · /PATTERN/
//     number    5 =5 >5 >=5 <5 <=5 · 2..4 · 2.. · ..4              times and sizes with units: >1h30m, 10MiB
//     date      2026-11-22 · >2026-11-22T10:00 · A..B
//     metadata  KEY · KEY=VALUE · KEY=/PATTERN/ · KEY>=5 · KEY=2..4
//     !         before any of them: not

import type { Command } from 'commander';
import { parseDuration, parseSize } from '../../config/units.js';
import { UsageError } from './usage-error.js';

/** Conditions in the form of `QueueConditions`. */
export type ConditionsRequest = Record<string, object[]>;

type Read = (text: string, option: string) => object;

interface ConditionOption {
  readonly flag: string;
  readonly list: string;
  readonly help: string;
  readonly read: Read;
}

const states = ['ACTIVE', 'DEFER', 'SENDING', 'UNKNOWN', 'HOLD', 'UPDATE'];

const textOf =
  (key: string): Read =>
  (text) => {
    const pattern = patternIn(text);
    return pattern === undefined ? { [key]: text } : { [key]: pattern, regex: true };
  };

const addressOf =
  (key: string): Read =>
  (text) => {
    const pattern = patternIn(text);
    if (pattern !== undefined) return { [key]: pattern, regex: true };
    if (text === '<>' || text === '') return { [key]: '' };
    const at = text.lastIndexOf('@');
    if (at === -1) return { localpart: text, partial: true };
    if (at === 0) return { domain: text.slice(1) };
    if (at === text.length - 1) return { localpart: text.slice(0, -1) };
    return { [key]: text };
  };

const numberOf =
  (unit: (text: string) => number | undefined, expected: string): Read =>
  (text, option) =>
    comparisonOf(text, (value) => {
      const number = unit(value);
      if (number === undefined)
        throw new UsageError(`--${option}: found ${JSON.stringify(text)}; expected ${expected}`);
      return number;
    });

const plainNumber = numberOf(
  (text) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined),
  'a number, such as 5, >5, <=5 or 2..4',
);
const seconds = numberOf(parseDuration, 'a time, such as 60, >1h30m or 5m..10m');
const bytes = numberOf(parseSize, 'a size, such as 1000, >10MiB or 1KiB..1MiB');

const date: Read = (text) => comparisonOf(text, (value) => value);

const metadata: Read = (text, option) => {
  const match = /^([^=<>]+)(>=|<=|=|>|<)?(.*)$/s.exec(text);
  if (match === null) throw new UsageError(`--${option}: found ${JSON.stringify(text)}; expected key=value`);
  const [, key, operator, value = ''] = match;
  if (operator === undefined) return { key };
  if (operator !== '=') return { key, ...(plainNumber(`${operator}${value}`, option) as object) };
  const pattern = patternIn(value);
  if (pattern !== undefined) return { key, value: pattern, regex: true };
  if (/^(-?\d+(\.\d+)?)?\.\.(-?\d+(\.\d+)?)?$/.test(value) && value !== '..')
    return { key, ...(plainNumber(value, option) as object) };
  return { key, value };
};

const id: Read = (text, option) => {
  const match = /^([0-9a-f-]{36})(?::(\d{1,9}))?$/i.exec(text);
  if (match === null)
    throw new UsageError(
      `--${option}: found ${JSON.stringify(text)}; expected a transaction id, alone or with :number behind it`,
    );
  return { transaction: match[1], ...(match[2] === undefined ? {} : { queue: Number(match[2]) }) };
};

const state: Read = (text, option) => {
  const queue = text.toUpperCase();
  if (!states.includes(queue))
    throw new UsageError(`--${option}: found ${JSON.stringify(text)}; expected one of ${states.join(', ')}`);
  return { queue };
};

const option = (flag: string, list: string, help: string, read: Read): ConditionOption => ({
  flag,
  list,
  help,
  read,
});

const options: readonly ConditionOption[] = [
  option('id', 'ids', 'transaction, or transaction:number', id),
  option('state', 'queues', states.join(', '), state),
  option('transportid', 'transportids', 'transport', textOf('transportid')),
  option('jobid', 'jobids', 'job', textOf('jobid')),
  option('tenantid', 'tenantids', 'tenant', textOf('tenantid')),
  option('serverid', 'serverids', 'server that took it in', textOf('serverid')),
  option('sender', 'senders', 'sender', addressOf('sender')),
  option('recipient', 'recipients', 'recipient', addressOf('recipient')),
  option('senderdomain', 'senderdomains', 'domain of the sender', textOf('senderdomain')),
  option('recipientdomain', 'recipientdomains', 'domain of the recipient', textOf('recipientdomain')),
  option('senderip', 'senderips', 'address or network it came from', textOf('senderip')),
  option('senderhelo', 'senderhelos', 'name its client gave', textOf('senderhelo')),
  option('saslusername', 'saslusernames', 'user who sent it', textOf('saslusername')),
  option('localip', 'localips', 'address or network it goes out from', textOf('localip')),
  option('remoteip', 'remoteips', 'address or network of the next hop', textOf('remoteip')),
  option('remotemx', 'remotemxs', 'name of the next hop', textOf('remotemx')),
  option('grouping', 'groupings', 'grouping of the next hop', textOf('grouping')),
  option('retrycount', 'retrycounts', 'retries so far', plainNumber),
  option('retrydelay', 'retrydelays', 'time to the next retry', seconds),
  option('age', 'ages', 'time since it came', seconds),
  option('ts', 'tss', 'when it came', date),
  option('size', 'sizes', 'bytes', bytes),
  option('priority', 'prioritys', '0 or 1', plainNumber),
  option('quota', 'quotas', 'quota', textOf('quota')),
  option('metadata', 'metadatas', 'key, key=value or key>=number', metadata),
];

/** The lists of `QueueConditions` with the options that fill them. */
export function* conditionOptionNames(): Generator<readonly [string, string]> {
  for (const { list, flag } of options) yield [list, flag];
}

/** Adds an option for each kind of condition; `otherHelp` is for those that mean more in a command. */
export function withConditions(command: Command, otherHelp: Readonly<Record<string, string>> = {}): Command {
  for (const { flag, help } of options)
    command.option(
      `--${flag} <value>`,
      otherHelp[flag] ?? `${help} (repeatable; ! before it: not)`,
      (value: string, all: string[] = []) => [...all, value],
    );
  return command;
}

/** What those options say; undefined when there are none. @throws UsageError */
export function conditionsOf(given: Readonly<Record<string, unknown>>): ConditionsRequest | undefined {
  const conditions: ConditionsRequest = {};
  for (const { flag, list, read } of options) {
    const values = given[flag] as readonly string[] | undefined;
    if (values === undefined) continue;
    conditions[list] = values.map((value) =>
      value.startsWith('!') ? { ...read(value.slice(1), flag), not: true } : read(value, flag),
    );
  }
  return Object.keys(conditions).length === 0 ? undefined : conditions;
}

/** A condition on a text: a value, a pattern, either with ! before it. */
export function textConditionOf(key: string, text: string): object {
  return text.startsWith('!') ? { ...textOf(key)(text.slice(1), key), not: true } : textOf(key)(text, key);
}

function patternIn(text: string): string | undefined {
  return text.length > 2 && text.startsWith('/') && text.endsWith('/') ? text.slice(1, -1) : undefined;
}

const operators: Readonly<Record<string, string>> = {
  '>': 'GT',
  '>=': 'GE',
  '<': 'LT',
  '<=': 'LE',
  '=': 'EQ',
};

function comparisonOf<Value>(text: string, read: (text: string) => Value): object {
  const range = /^(.*?)\.\.(.*)$/.exec(text);
  if (range !== null && text !== '..')
    return {
      ...(range[1] === '' ? {} : { from: read(range[1]!) }),
      ...(range[2] === '' ? {} : { to: read(range[2]!) }),
    };
  const [operator = ''] = /^(>=|<=|>|<|=)/.exec(text) ?? [];
  return { op: operators[operator] ?? 'EQ', value: read(text.slice(operator.length).trim()) };
}
