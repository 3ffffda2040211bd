// `argonite queue update`: hold, retry, defer, bounce, delete, change or copy the messages that fit.

import type { Command } from 'commander';
import { parseDuration } from '../../config/units.js';
import { type AskingOptions, askingFor, type End, UsageError, withAskingOptions } from './asking.js';
import { conditionsOf, withConditions } from './condition-options.js';
import { countOf, several } from './option-values.js';

interface UpdateOptions extends AskingOptions {
  readonly all?: boolean;
  readonly hold?: boolean;
  readonly active?: boolean;
  readonly delay?: string;
  readonly until?: string;
  readonly bounce?: boolean | string;
  readonly delete?: boolean | string;
  readonly duplicate?: boolean;
  readonly limit?: string;
  readonly transportidSet?: string;
  readonly jobidSet?: string;
  readonly tenantidSet?: string;
  readonly prioritySet?: string;
  readonly retrycountSet?: string;
  readonly senderSet?: string;
  readonly recipientSet?: string;
  readonly metadataSet?: readonly string[];
  readonly metadataRemove?: readonly string[];
}

/** Adds the command. */
export function addUpdateCommand(queue: Command, end: End): void {
  withConditions(withAskingOptions(queue.command('update')))
    .description('Change messages, bounce or delete them.')
    .option('--all', 'all messages: needed where there is no condition')
    .option('--active', 'try them now, those on hold too')
    .option('--hold', 'put them on hold')
    .option('--delay <time>', 'try them after so long')
    .option('--until <date>', 'try them at that time')
    .option('--bounce [reason]', 'end them; their senders are told')
    .option('--delete [reason]', 'end them; nobody is told')
    .option('--duplicate', 'put a copy of each into the queue')
    .option('--transportid-set <id>', 'set the transport')
    .option('--jobid-set <id>', 'set the job; an empty one takes it away')
    .option('--tenantid-set <id>', 'set the tenant; an empty one takes it away')
    .option('--priority-set <number>', 'set the priority, 0 or 1')
    .option('--retrycount-set <count>', 'set the number of retries so far')
    .option('--sender-set <address>', 'set the sender; <> is nobody')
    .option('--recipient-set <address>', 'set the recipient')
    .option('--metadata-set <key=value>', 'set metadata (repeatable)', several)
    .option('--metadata-remove <key>', 'take metadata away (repeatable)', several)
    .option('--limit <count>', 'messages at most')
    .action(async (options: UpdateOptions) => end(await update(options)));
}

async function update(options: UpdateOptions): Promise<number> {
  return askingFor(
    options,
    () => requestOf(options),
    async (daemon, request) => {
      const answer = await daemon.ask('G', request);
      daemon.show(answer, () => `${String(answer['affected'])} affected`);
      return undefined;
    },
  );
}

function requestOf(options: UpdateOptions): object {
  const { all, hold, active, delay, until, bounce, delete: remove, duplicate, limit } = options;
  const conditions = conditionsOf(options as unknown as Record<string, unknown>);
  if (conditions === undefined && all !== true)
    throw new UsageError('there is no condition: --all says that all messages of the queue are meant');
  const set = setOf(options);
  mustMakeSense(options, Object.keys(set).length > 0);
  return {
    ...(conditions && { conditions }),
    ...(hold && { hold }),
    ...(active && { active }),
    ...(delay !== undefined && { defer: { delay: timeOf(delay, '--delay') } }),
    ...(until !== undefined && { defer: { ts: dateToCome(until) } }),
    ...(bounce !== undefined && { bounce: typeof bounce === 'string' ? { reason: bounce } : {} }),
    ...(remove !== undefined && { delete: typeof remove === 'string' ? { reason: remove } : {} }),
    ...(duplicate && { duplicate }),
    ...(Object.keys(set).length > 0 && { set }),
    ...(limit !== undefined && { limit: countOf(limit, '--limit') }),
  };
}

/** What the daemon would refuse too, in the words that were typed. @throws UsageError */
function mustMakeSense(options: UpdateOptions, isSet: boolean): void {
  const { hold, active, delay, until, bounce, delete: remove, duplicate } = options;
  const given = Object.entries({ hold, active, delay, until, bounce, delete: remove })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `--${name}`);
  if (given.length > 1) throw new UsageError(`found ${given.join(' and ')}; expected one of them`);
  if (isSet && (bounce !== undefined || remove !== undefined))
    throw new UsageError(
      `found ${given[0]} with an option that sets something; a message that ends is not changed`,
    );
  if (given.length === 0 && !isSet && duplicate === undefined)
    throw new UsageError(
      'there is nothing to do: expected --active, --hold, --delay, --until, --bounce, --delete, --duplicate, or an option such as --jobid-set',
    );
}

/** A slip in a date would send at once what was to wait, and what is on hold too. What is no date, the daemon tells. */
function dateToCome(text: string): string {
  const time = Date.parse(/T[\d:.]+$/.test(text) ? `${text}Z` : text);
  if (time <= Date.now())
    throw new UsageError(
      `--until: found ${JSON.stringify(text)}, which is past; expected a date to come (--active tries them now)`,
    );
  return text;
}

function setOf(options: UpdateOptions): object {
  const { transportidSet, jobidSet, tenantidSet, prioritySet, retrycountSet } = options;
  const { senderSet, recipientSet, metadataSet, metadataRemove } = options;
  const metadata = {
    ...(metadataSet && { set: Object.fromEntries(metadataSet.map(pairOf)) as Record<string, string> }),
    ...(metadataRemove && { remove: metadataRemove }),
  };
  return {
    ...(transportidSet !== undefined && { transportid: transportidSet }),
    ...(jobidSet !== undefined && { jobid: jobidSet }),
    ...(tenantidSet !== undefined && { tenantid: tenantidSet }),
    ...(prioritySet !== undefined && { priority: countOf(prioritySet, '--priority-set') }),
    ...(retrycountSet !== undefined && { retrycount: countOf(retrycountSet, '--retrycount-set') }),
    ...(senderSet !== undefined && { sender: addressOf(senderSet) }),
    ...(recipientSet !== undefined && { recipient: addressOf(recipientSet) }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  };
}

function pairOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`--metadata-set: found ${JSON.stringify(text)}; expected key=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function addressOf(text: string): object {
  if (text === '<>') return { localpart: '', domain: '' };
  const at = text.lastIndexOf('@');
  return at === -1 ? { localpart: text } : { localpart: text.slice(0, at), domain: text.slice(at + 1) };
}

function timeOf(text: string, option: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined)
    throw new UsageError(`${option}: found ${JSON.stringify(text)}; expected a time, such as 60 or 1h30m`);
  return seconds;
}
