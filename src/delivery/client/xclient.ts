// XCLIENT: telling a trusted server whom to take us for (the extension of Postfix). Refused rather than left out when the
// server does not offer it: mail would go on under another name than was asked for.

import type { Connection } from './connection.js';
import { writeXtext } from './mail-path.js';
import type { Reply } from './reply-parser.js';
import type { SecondsFor, Trouble } from './trouble.js';

/** Attributes by name (NAME, ADDR, PORT, PROTO, HELO, LOGIN, DESTADDR, DESTPORT). Bytes. */
export type XclientAttributes = Readonly<Record<string, string>>;

// RFC 5321 §4.5.3.1.4: a command line has at most 512 bytes.
const LONGEST_COMMAND = 510;

/** Says XCLIENT. Afterwards the server has greeted again, and EHLO is due. */
export async function impersonate(
  connection: Connection,
  attributes: XclientAttributes,
  secondsFor: SecondsFor,
): Promise<Trouble | undefined> {
  const offered = connection.capabilities.xclient;
  if (offered === undefined) return misconfigured('the peer does not offer XCLIENT');
  let command = 'XCLIENT';
  for (const [written, value] of Object.entries(attributes)) {
    const name = written.toUpperCase();
    if (!/^[A-Z][A-Z0-9-]*$/.test(name))
      return misconfigured(`"${written.replace(/[^\x20-\x7e]/g, '?')}" is no attribute of XCLIENT`);
    if (!offered.includes(name)) return misconfigured(`the peer does not take the XCLIENT attribute ${name}`);
    command += ` ${name}=${value === '' ? '[UNAVAILABLE]' : writeXtext(value)}`;
  }
  if (command.length > LONGEST_COMMAND)
    return misconfigured('the XCLIENT attributes are too long for a command');
  connection.send(`${command}\r\n`, 1);
  const answer: Reply | Trouble = await connection.reply('XCLIENT', secondsFor('XCLIENT'));
  if ('kind' in answer) return answer;
  if (answer.code >= 400) return { kind: 'refused', state: 'XCLIENT', reply: answer };
  if (answer.code < 300) return undefined;
  return { kind: 'protocol', state: 'XCLIENT', message: `the peer answered XCLIENT with ${answer.code}` };
}

function misconfigured(message: string): Trouble {
  return { kind: 'misconfigured', state: 'XCLIENT', message };
}
