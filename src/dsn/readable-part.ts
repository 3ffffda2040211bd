// The part for people. It says what happened, in plain words; the words of the other server stand apart from ours.

import { mailboxToText } from '#stdlib';
import type { Notice } from '../queue/notices.js';
import { dateText } from './date-text.js';
import { oneLine, wrapped } from './field-text.js';
import type { ReportSurroundings } from './status-part.js';

/** What comes behind the part for machines. */
export type Returned = 'nothing' | 'header' | 'message' | 'header-instead';

const INDENT = '    ';

/** The subjects of notifications. */
export const subjects: Readonly<Record<Notice['plan']['kind'], string>> = {
  failed: 'Mail could not be delivered',
  delayed: 'Mail is delayed',
  relayed: 'Mail was handed on',
  delivered: 'Mail was delivered',
};

/** The text, as bytes in a string: UTF-8, lines that end with CR LF. */
export function readablePart(notice: Notice, surroundings: ReportSurroundings, returned: Returned): string {
  const { plan, message } = notice;
  const paragraphs = [
    paragraph(`This is the mail system of ${surroundings.hostname}.`),
    paragraph(openings[notice.plan.isForPostmaster === true ? 'postmaster' : plan.kind]),
    wrapped(oneLine(mailboxToText(message.recipient), true), INDENT),
    ...(plan.options.reason === undefined ? [] : [paragraph(oneLine(plan.options.reason, true))]),
    ...cause(notice),
    ...outlook(notice),
    ...(returnedSaid[returned] === undefined ? [] : [paragraph(returnedSaid[returned])]),
  ];
  return paragraphs.join('\r\n');
}

const openings: Readonly<Record<Notice['plan']['kind'] | 'postmaster', string>> = {
  failed: 'Your message could not be delivered to',
  delayed: 'Your message has not been delivered yet to',
  relayed: 'Your message was handed on to the next mail system on its way to',
  delivered: 'Your message was delivered to',
  postmaster:
    'A message that has no sender to be told, probably a delivery notification itself, could not be delivered to',
};

const returnedSaid: Readonly<Record<Returned, string | undefined>> = {
  nothing: undefined,
  header: 'The header of the message follows.',
  message: 'The message follows.',
  'header-instead': 'The message is too long to be returned, or cannot be sent as it is; its header follows.',
};

function paragraph(text: string): string {
  return wrapped(text, '');
}

/** What the other side said, or what went wrong before it could say anything. */
function cause({ plan, report, diagnostic, isExpired }: Notice): string[] {
  const { kind } = plan;
  const said = wrapped(oneLine(diagnostic.diagnosticCode, true), INDENT);
  const tried = isExpired === true ? 'It was tried until its time was over; the last time ' : '';
  const begin = (text: string) => paragraph(tried === '' ? upperFirst(text) : tried + text);
  if (report?.result !== undefined) {
    const verb = kind === 'relayed' || kind === 'delivered' ? 'said' : 'answered';
    return [
      begin(`${peerOf(report.connection)} ${verb}, in reply to ${commandOf(report.result.state)}:`),
      said,
    ];
  }
  if (diagnostic.diagnosticCode.trim() === '') return [];
  if (report === undefined) return [paragraph('The reason is:'), said];
  return [begin('this went wrong:'), said];
}

function peerOf(connection: NonNullable<Notice['report']>['connection']): string {
  if (connection === undefined) return 'the other server';
  const { remoteMx, remoteIp } = connection;
  const address = remoteMx === remoteIp ? '' : ` (${oneLine(remoteIp, false)})`;
  return `the server ${oneLine(remoteMx, false)}${address}`;
}

/** The command that was answered, by SMTP state (hooks 14). */
function commandOf(state: string): string {
  switch (state) {
    case 'BANNER':
      return 'the connection';
    case 'MAIL':
      return 'the MAIL FROM command';
    case 'RCPT':
      return 'the RCPT TO command';
    case 'DATA':
      return 'the DATA command';
    case 'EOD':
      return 'the end of the message';
    default:
      return `the ${state.startsWith('AUTH') ? 'AUTH' : state} command`;
  }
}

function outlook({ plan }: Notice): string[] {
  switch (plan.kind) {
    case 'failed':
      return [paragraph('It will not be tried again.')];
    case 'delayed':
      return [
        paragraph(
          `You need not send it again: it will be tried again${
            plan.retriesUntil === undefined ? '' : ` until ${dateText(plan.retriesUntil)}`
          }.`,
        ),
      ];
    case 'relayed':
      return [
        paragraph(
          'That mail system does not tell senders of deliveries: this is the last you hear of it, unless it fails there.',
        ),
      ];
    case 'delivered':
      return [];
  }
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
