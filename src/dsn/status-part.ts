// The part for machines: message/delivery-status (RFC 3464), or with UTF-8 in it message/global-delivery-status (RFC 6533). Two
// groups of fields, in the order of the RFC's grammar: about the message, and about its one recipient.

import { mailboxToText } from '#stdlib';
import type { Notice } from '../queue/notices.js';
import { dateText } from './date-text.js';
import { isUtf8Text, oneLine, reportField } from './field-text.js';
import { mtaName, originalRecipient, typedAddress } from './report-addresses.js';

/** What a report is written with. */
export interface ReportSurroundings {
  /** The name of this host. */
  readonly hostname: string;
  /** Unix seconds. */
  readonly now: number;
}

/** Whether the fields have something to say that ASCII has no letters for. */
export function hasInternationalStatus({ message, diagnostic }: Notice): boolean {
  const { recipient, dsn } = message;
  return [mailboxToText(recipient), dsn.orcpt ?? '', diagnostic.diagnosticCode].some(isUtf8Text);
}

/** The body of the part, as bytes in a string. */
export function statusPart(
  { message, plan, diagnostic, report }: Notice,
  { hostname, now }: ReportSurroundings,
  allowsUtf8: boolean,
): string {
  const { envid = '', orcpt = '' } = message.dsn;
  const envelopeId = oneLine(envid, false);
  const original = originalRecipient(orcpt, allowsUtf8);
  const { remoteMx } = report?.connection ?? {};
  const text = oneLine(diagnostic.diagnosticCode, allowsUtf8);
  const perMessage = [
    envelopeId === '' ? '' : reportField('Original-Envelope-Id', envelopeId),
    reportField('Reporting-MTA', mtaName(hostname)),
    reportField('Arrival-Date', dateText(message.ts)),
  ];
  const perRecipient = [
    original === undefined ? '' : reportField('Original-Recipient', original),
    reportField('Final-Recipient', typedAddress(message.recipient, allowsUtf8)),
    reportField('Action', plan.kind),
    reportField('Status', statusOf(plan.kind, diagnostic.status)),
    remoteMx === undefined ? '' : reportField('Remote-MTA', mtaName(remoteMx)),
    text === '' ? '' : reportField('Diagnostic-Code', `${diagnostic.diagnosticType}; ${text}`),
    report === undefined ? '' : reportField('Last-Attempt-Date', dateText(now)),
    plan.retriesUntil === undefined ? '' : reportField('Will-Retry-Until', dateText(plan.retriesUntil)),
  ];
  return `${perMessage.join('')}\r\n${perRecipient.join('')}`;
}

/** The first number goes with the action, whatever the reply was: 4 for a delay, 2 for a success (RFC 3464 §2.3.4). */
function statusOf(kind: Notice['plan']['kind'], [given, subject, detail]: readonly number[]): string {
  const statusClass = kind === 'delayed' ? 4 : kind === 'failed' ? (given === 4 ? 4 : 5) : 2;
  return `${statusClass}.${subject}.${detail}`;
}
