// One message made ready for the wire, before any peer is asked: what does not depend on the peer is found out once for
// all addresses that are tried. With the peer's capabilities it gives the commands MAIL and RCPT.

import { isAscii } from 'node:buffer';
import type { Address, DsnParameters, TryOptions } from '#hooks';
import type { MessageReader } from '../../spool/spool.js';
import type { Capabilities } from './capabilities.js';
import {
  addMailDsnParameters,
  addRcptDsnParameters,
  type MailPath,
  type Parameters,
  parameterProblem,
  writeMailPath,
  writeParameters,
} from './mail-path.js';
import type { Trouble } from './trouble.js';

/** What is to be delivered, to one recipient. */
export interface Parcel {
  readonly sender: MailPath;
  readonly recipient: MailPath;
  /** Parameters a script gave; they win over ours. */
  readonly senderParameters: Parameters;
  readonly recipientParameters: Parameters;
  readonly dsn: DsnParameters;
  readonly message: MessageReader;
  /** The message when it fits into memory. */
  readonly whole: Buffer | undefined;
  readonly hasEightBit: boolean;
  readonly needsSmtpUtf8: boolean;
}

/** The two commands of a transaction, with CRLF. */
export interface EnvelopeCommands {
  readonly mail: string;
  readonly rcpt: string;
}

interface Sending {
  readonly sender: Address;
  readonly recipient: Address;
  readonly options: TryOptions;
  readonly message: MessageReader;
}

/** Reads what must be known of a message. Parameters of queued addresses are not repeated: they were meant for us. */
export async function prepareParcel(sending: Sending): Promise<Parcel | Trouble> {
  const { options, message } = sending;
  const sender = writeMailPath(options.sender ?? sending.sender);
  if ('problem' in sender)
    return unwritable('MAIL', [5, 1, 7], `the sender address cannot be sent: ${sender.problem}`);
  const recipient = writeMailPath(options.recipient ?? sending.recipient);
  if ('problem' in recipient) {
    return unwritable('RCPT', [5, 1, 3], `the recipient address cannot be sent: ${recipient.problem}`);
  }
  const senderParameters = ownParameters(options.sender);
  if (!(senderParameters instanceof Map)) return senderParameters;
  const recipientParameters = ownParameters(options.recipient);
  if (!(recipientParameters instanceof Map)) return recipientParameters;

  const whole = await readWhole(message);
  if (whole !== undefined && !Buffer.isBuffer(whole)) return whole;
  const askedForUtf8 = 'SMTPUTF8' in (sending.sender.params ?? {}) || senderParameters.has('SMTPUTF8');
  return {
    sender,
    recipient,
    senderParameters,
    recipientParameters,
    dsn: options.dsn ?? {},
    message,
    whole,
    // A message too large for memory is called 8-bit without looking: reading it twice would cost more than a peer that
    // announced 8BITMIME loses by being told so.
    hasEightBit: whole === undefined || !isAscii(whole),
    // RFC 6531 §3.1: addresses, or headers of a message that came with SMTPUTF8. Raw 8-bit headers alone are older than
    // that RFC and common; such mail goes where it always went.
    needsSmtpUtf8:
      sender.needsSmtpUtf8 ||
      recipient.needsSmtpUtf8 ||
      (askedForUtf8 && (whole === undefined || !isAscii(headerSection(whole)))),
  };
}

/** The commands for a peer, or why this peer cannot take the message. */
export function envelopeCommands(parcel: Parcel, peer: Capabilities): EnvelopeCommands | Trouble {
  const { sizeBytes } = parcel.message;
  // RFC 1870 §6.1 spares both sides the transfer.
  if (peer.sizeLimit !== undefined && peer.sizeLimit > 0 && sizeBytes > peer.sizeLimit) {
    return unwritable(
      'MAIL',
      [5, 3, 4],
      `the message has ${sizeBytes} bytes, the peer takes at most ${peer.sizeLimit}`,
    );
  }
  const paths = choosePaths(parcel, peer);
  if ('kind' in paths) return paths;

  const mail = new Map<string, string>();
  if (peer.sizeLimit !== undefined) mail.set('SIZE', String(sizeBytes));
  // Without 8BITMIME the message is sent as it is. RFC 6152 §3 would have it converted or returned: conversion breaks
  // signatures, nearly every server passes 8-bit bytes whether it says so or not, and returning loses mail.
  if (parcel.hasEightBit && peer.eightBitMime) mail.set('BODY', '8BITMIME');
  if (paths.smtpUtf8) mail.set('SMTPUTF8', '');
  const rcpt = new Map<string, string>();
  if (peer.dsn) {
    addMailDsnParameters(mail, parcel.dsn);
    addRcptDsnParameters(rcpt, parcel.dsn);
  }
  for (const [keyword, value] of parcel.senderParameters) mail.set(keyword, value);
  for (const [keyword, value] of parcel.recipientParameters) rcpt.set(keyword, value);
  return {
    mail: `MAIL FROM:${paths.sender}${writeParameters(mail)}\r\n`,
    rcpt: `RCPT TO:${paths.recipient}${writeParameters(rcpt)}\r\n`,
  };
}

function choosePaths(
  parcel: Parcel,
  peer: Capabilities,
): { readonly sender: string; readonly recipient: string; readonly smtpUtf8: boolean } | Trouble {
  if (!parcel.needsSmtpUtf8 || peer.smtpUtf8) {
    return { sender: parcel.sender.text, recipient: parcel.recipient.text, smtpUtf8: parcel.needsSmtpUtf8 };
  }
  const sender = parcel.sender.needsSmtpUtf8 ? parcel.sender.asciiText : parcel.sender.text;
  const recipient = parcel.recipient.needsSmtpUtf8 ? parcel.recipient.asciiText : parcel.recipient.text;
  const isOnlyForDomains = parcel.sender.needsSmtpUtf8 || parcel.recipient.needsSmtpUtf8;
  if (sender !== undefined && recipient !== undefined && isOnlyForDomains) {
    return { sender, recipient, smtpUtf8: false };
  }
  return unwritable('MAIL', [5, 6, 7], 'the message needs SMTPUTF8, which the peer does not offer');
}

function ownParameters(address: Address | undefined): Map<string, string> | Trouble {
  const parameters = new Map<string, string>();
  for (const [keyword, value] of Object.entries(address?.params ?? {})) {
    const problem = parameterProblem(keyword, value);
    if (problem !== undefined) return { kind: 'misconfigured', state: 'MAIL', message: problem };
    parameters.set(keyword.toUpperCase(), value);
  }
  return parameters;
}

async function readWhole(message: MessageReader): Promise<Buffer | Trouble | undefined> {
  try {
    const whole = await message.whole();
    if (whole === undefined || whole.length === message.sizeBytes) return whole;
    return unreadable(`the spool gave ${whole.length} of ${message.sizeBytes} bytes`);
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : String(error));
  }
}

/** The spool failed to give the message. */
export function unreadable(why: string): Trouble {
  return { kind: 'unreadable', state: 'DATA', message: `the message could not be read: ${why}` };
}

function headerSection(message: Buffer): Buffer {
  const end = message.indexOf('\r\n\r\n');
  return end === -1 ? message : message.subarray(0, end);
}

function unwritable(
  state: 'MAIL' | 'RCPT',
  status: readonly [number, number, number],
  message: string,
): Trouble {
  return { kind: 'impossible', state, status, message };
}
