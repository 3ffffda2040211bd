// One message made ready for the wire, before any peer is asked: what does not depend on the peer is found out once for
// all addresses that are tried. With the peer's capabilities it gives the commands MAIL and RCPT.

import { isAscii } from 'node:buffer';
import type { Address, DsnParameters } from '#hooks';
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
import { addPassedOn, nothingPassedOn, type PassedOn, type PeerSession } from './passed-on.js';
import type { Trouble } from './trouble.js';

/** One recipient of a parcel. */
export interface ParcelRecipient {
  readonly path: MailPath;
  /** Parameters a script gave; they win over ours. */
  readonly parameters: Parameters;
}

/** What is to be delivered, in one transaction. */
export interface Parcel extends ParcelEnvelope {
  readonly message: MessageReader;
  /** The message when it fits into memory; let go when it is on its way, as the answer may take long. */
  whole: Buffer | undefined;
  readonly hasEightBit: boolean;
  /** Its headers hold UTF-8 that only peers with SMTPUTF8 read, whatever its addresses. */
  readonly hasUtf8Header: boolean;
}

/** The part of a parcel that stands on the outside. */
export interface ParcelEnvelope {
  readonly sender: MailPath;
  /** Parameters a script gave; they win over ours. */
  readonly senderParameters: Parameters;
  /** At least one. */
  readonly recipients: readonly ParcelRecipient[];
  readonly dsn: DsnParameters;
  readonly passedOn: PassedOn;
  /** An address, or the script, asks for it. */
  readonly needsSmtpUtf8: boolean;
}

/** The commands of a transaction, with CRLF. */
export interface EnvelopeCommands {
  readonly mail: string;
  /** One for each recipient. */
  readonly rcpts: readonly string[];
}

/** An envelope as it was asked for: the parameters of its addresses are for the peer. */
export interface Envelope {
  readonly sender: Address;
  readonly recipients: readonly Address[];
  readonly dsn: DsnParameters;
  /** What the message was received with and is meant for every hop. */
  readonly passedOn?: PassedOn;
}

/** Makes an envelope ready, or says why it cannot be sent. */
export function prepareEnvelope(envelope: Envelope): ParcelEnvelope | Trouble {
  const sender = writeMailPath(envelope.sender);
  if ('problem' in sender)
    return unwritable('MAIL', [5, 1, 7], `the sender address cannot be sent: ${sender.problem}`);
  const senderParameters = ownParameters(envelope.sender, 'MAIL');
  if (!(senderParameters instanceof Map)) return senderParameters;
  const recipients: ParcelRecipient[] = [];
  for (const [index, address] of envelope.recipients.entries()) {
    const path = writeMailPath(address);
    if ('problem' in path) {
      const trouble = unwritable('RCPT', [5, 1, 3], `the recipient address cannot be sent: ${path.problem}`);
      return { ...trouble, recipientIndex: index };
    }
    const parameters = ownParameters(address, 'RCPT');
    if (!(parameters instanceof Map)) return parameters;
    recipients.push({ path, parameters });
  }
  return {
    sender,
    senderParameters,
    recipients,
    dsn: envelope.dsn,
    passedOn: envelope.passedOn ?? nothingPassedOn,
    needsSmtpUtf8:
      sender.needsSmtpUtf8 ||
      senderParameters.has('SMTPUTF8') ||
      recipients.some(({ path }) => path.needsSmtpUtf8),
  };
}

/** Makes envelope and message ready. */
export async function prepareParcel(envelope: Envelope, message: MessageReader): Promise<Parcel | Trouble> {
  const outside = prepareEnvelope(envelope);
  return 'kind' in outside ? outside : fillParcel(outside, message);
}

/** Reads what must be known of a message. `cameWithSmtpUtf8`: its headers may hold UTF-8 that only such peers read. */
export async function fillParcel(
  outside: ParcelEnvelope,
  message: MessageReader,
  cameWithSmtpUtf8 = false,
): Promise<Parcel | Trouble> {
  const whole = await readWhole(message);
  if (whole !== undefined && !Buffer.isBuffer(whole)) return whole;
  return {
    ...outside,
    message,
    whole,
    // A message too large for memory is called 8-bit without looking: reading it twice would cost more than a peer that
    // announced 8BITMIME loses by being told so.
    hasEightBit: whole === undefined || !isAscii(whole),
    // RFC 6531 §3.1: headers of a message that came with SMTPUTF8. Raw 8-bit headers alone are older than that RFC and
    // common; such mail goes where it always went.
    hasUtf8Header:
      (cameWithSmtpUtf8 || outside.senderParameters.has('SMTPUTF8')) &&
      (whole === undefined || !isAscii(headerSection(whole))),
  };
}

/** Whether the bytes must arrive as they are, line ends or not (RFC 3030 §3). Only a script can ask for that. */
export function isBinary({ senderParameters }: ParcelEnvelope): boolean {
  return senderParameters.get('BODY')?.toUpperCase() === 'BINARYMIME';
}

/** The commands for a peer, or why this peer cannot take the message. */
export function envelopeCommands(
  parcel: Parcel,
  peer: Capabilities,
  session: PeerSession,
): EnvelopeCommands | Trouble {
  const { sizeBytes } = parcel.message;
  // RFC 1870 §6.1 spares both sides the transfer.
  if (peer.sizeLimit !== undefined && peer.sizeLimit > 0 && sizeBytes > peer.sizeLimit) {
    return unwritable(
      'MAIL',
      [5, 3, 4],
      `the message has ${sizeBytes} bytes, the peer takes at most ${peer.sizeLimit}`,
    );
  }
  if (isBinary(parcel) && !(peer.chunking && peer.binaryMime))
    return otherPeer([5, 6, 3], 'the message is binary (BODY=BINARYMIME), which the peer does not take');
  const mail = new Map<string, string>();
  if (peer.sizeLimit !== undefined) mail.set('SIZE', String(sizeBytes));
  // Without 8BITMIME the message is sent as it is. RFC 6152 §3 would have it converted or returned: conversion breaks
  // signatures, nearly every server passes 8-bit bytes whether it says so or not, and returning loses mail.
  if (parcel.hasEightBit && peer.eightBitMime) mail.set('BODY', '8BITMIME');
  return bareEnvelopeCommands(parcel, peer, session, mail);
}

/** The commands of an envelope whose message is not known or not sent. */
export function bareEnvelopeCommands(
  envelope: ParcelEnvelope & Partial<Pick<Parcel, 'hasUtf8Header'>>,
  peer: Capabilities,
  session: PeerSession,
  mail = new Map<string, string>(),
): EnvelopeCommands | Trouble {
  const paths = choosePaths(envelope, peer);
  if ('kind' in paths) return paths;
  if (paths.smtpUtf8) mail.set('SMTPUTF8', '');
  if (peer.dsn) addMailDsnParameters(mail, envelope.dsn);
  const unfit = addPassedOn(mail, envelope.passedOn, peer, session);
  if (unfit !== undefined) return unfit;
  for (const [keyword, value] of envelope.senderParameters) mail.set(keyword, value);
  return {
    mail: `MAIL FROM:${paths.sender}${writeParameters(mail)}\r\n`,
    rcpts: envelope.recipients.map(({ parameters }, index) => {
      const rcpt = new Map<string, string>();
      if (peer.dsn) addRcptDsnParameters(rcpt, envelope.dsn);
      for (const [keyword, value] of parameters) rcpt.set(keyword, value);
      return `RCPT TO:${paths.recipients[index]}${writeParameters(rcpt)}\r\n`;
    }),
  };
}

interface ChosenPaths {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly smtpUtf8: boolean;
}

/**
 * RFC 6531 §3.2: a domain may be written in A-labels for a peer that knows no better. Nothing else is downgraded: not a local
 * part, and not a message whose headers are in UTF-8.
 */
function choosePaths(
  envelope: ParcelEnvelope & Partial<Pick<Parcel, 'hasUtf8Header'>>,
  peer: Capabilities,
): ChosenPaths | Trouble {
  const all = [envelope.sender, ...envelope.recipients.map(({ path }) => path)];
  const needsSmtpUtf8 = envelope.needsSmtpUtf8 || envelope.hasUtf8Header === true;
  if (!needsSmtpUtf8 || peer.smtpUtf8)
    return chosen(
      all.map(({ text }) => text),
      needsSmtpUtf8,
    );
  const isAskedFor = envelope.hasUtf8Header === true || envelope.senderParameters.has('SMTPUTF8');
  const ascii = all.map((path) => (path.needsSmtpUtf8 ? path.asciiText : path.text));
  if (!isAskedFor && ascii.every((text) => text !== undefined)) return chosen(ascii, false);
  return otherPeer([5, 6, 7], 'the message needs SMTPUTF8, which the peer does not offer');
}

function chosen([sender, ...recipients]: readonly string[], smtpUtf8: boolean): ChosenPaths {
  return { sender: sender ?? '', recipients, smtpUtf8 };
}

function ownParameters(address: Address, state: 'MAIL' | 'RCPT'): Map<string, string> | Trouble {
  const parameters = new Map<string, string>();
  for (const [keyword, value] of Object.entries(address.params ?? {})) {
    const problem = parameterProblem(keyword, value);
    if (problem !== undefined) return { kind: 'misconfigured', state, message: problem };
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

/** This peer cannot take the message; another host of the destination perhaps can. */
function otherPeer(status: readonly [number, number, number], message: string): Trouble {
  return { kind: 'impossible', state: 'MAIL', status, message, isAboutPeer: true };
}

function unwritable(
  state: 'MAIL' | 'RCPT',
  status: readonly [number, number, number],
  message: string,
): Trouble & { readonly kind: 'impossible' } {
  return { kind: 'impossible', state, status, message };
}
