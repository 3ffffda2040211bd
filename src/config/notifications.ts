// What the configuration says about delivery status notifications: how a transport's look, and who hears of what nobody else can be
// told (queue-and-config 8.4).

import { textToBytes } from '#lang';
import { type Address, parseAddressList, textToMailbox } from '#stdlib';
import type { Transport } from '../delivery/deliverer.js';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { AppFile } from './schema/smtpd-app.js';

type DsnSettings = NonNullable<NonNullable<AppFile['transportgroups']>[number]['dsn']>;

/** The part of a transport that is about notifications. */
export function notificationSettings(
  dsn: DsnSettings,
): Pick<Transport, 'dsnTransportId' | 'dsnFrom' | 'dsnSubject'> {
  const from = dsn.from === undefined ? undefined : readFrom(dsn.from);
  return {
    dsnTransportId: dsn.transport,
    ...(from === undefined ? undefined : { dsnFrom: from }),
    ...(dsn.subject === undefined ? undefined : { dsnSubject: textToBytes(dsn.subject) }),
  };
}

/** What a schema cannot say about it. */
export function notificationProblem({ from }: DsnSettings): string | undefined {
  if (from === undefined || readFrom(from) !== undefined) return undefined;
  return `dsn.from is "${from}"; expected an address such as postmaster@example.com, or "Example Mail <postmaster@example.com>"`;
}

/** An address, with the name in front of it. */
function readFrom(text: string): NonNullable<Transport['dsnFrom']> | undefined {
  const list = parseAddressList(textToBytes(text));
  const [only, ...others] = list?.addresses ?? [];
  if (only === undefined || others.length > 0 || list?.unreadable !== 0) return undefined;
  const mailbox = textToMailbox(only.address);
  if (mailbox === undefined) return undefined;
  return { address: mailbox, ...(only.name === '' ? undefined : { name: only.name }) };
}

/** Who hears of double bounces, and gets the mail for a postmaster without domain. */
export function collectPostmaster(
  app: ConfigDocument<AppFile>,
  problems: ConfigProblem[],
): Address | undefined {
  const text = app.value.postmaster?.address;
  if (text === undefined) return undefined;
  const mailbox = textToMailbox(textToBytes(text));
  if (mailbox !== undefined) return mailbox;
  problems.push(app.problemAt(['postmaster', 'address'], `"${text}" is no address; expected local@domain`));
  return undefined;
}
