// What the queue's hooks see: $message, and in postdelivery the attempt. The words of the queue meet those of scripts here.

import { HslArray, HslResource, type PredefinedVariable } from '#lang';
import {
  type Address,
  addressToLowerText,
  addressToValue,
  type DsnParameters,
  FILE_RESOURCE,
  type FileContent,
  stringMapToValue,
} from '#stdlib';
import { attemptTlsToValue } from './attempt-tls.js';
import type { AttemptReport } from './outcomes.js';

/** What a queue hook is told of its message. */
export interface MessageFacts {
  readonly id: { readonly transaction: string; readonly number: number };
  readonly ts: number;
  readonly serverId: string;
  readonly sender: Address;
  readonly recipient: Address;
  readonly transportId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly jobId?: string;
  readonly tenantId?: string;
  readonly priority: 0 | 1;
  readonly dsn: DsnParameters;
  readonly sizeBytes: number;
  readonly retry: number;
}

/** A message as files, for `File()`. */
export interface MessageFiles {
  /** As it was received. */
  readonly original: FileContent;
  /** As it goes out. */
  readonly modified: FileContent;
}

export const $message: PredefinedVariable = {
  name: 'message',
  summary: 'The queued message: one recipient.',
  readonly: true,
  keys: {
    id: 'Array with `transaction` and `queue`.',
    ts: 'Unix time of the transaction.',
    serverid: 'Id of the server that received it.',
    sender: 'Envelope sender in lower case.',
    senderaddress: 'Array with `localpart` and `domain`.',
    recipient: 'Envelope recipient in lower case.',
    recipientaddress: 'Array with `localpart` and `domain`.',
    transportid: 'Id of the transport.',
    tenantid: 'As queued; optional.',
    jobid: 'As queued; optional.',
    priority: 'Priority in the queue.',
    size: 'Bytes, with modifications.',
    file: 'Array with `original` (as received) and `modified` (as it goes out), each for `File()`.',
    dsn: 'Array with `envid`, `ret`, `notify`, `orcpt`, as queued.',
  },
};

/** `$message`; without `file` where there are no files. */
export function messageToValue(message: MessageFacts, files?: MessageFiles): HslArray {
  const value = HslArray.empty();
  const id = HslArray.empty();
  id.set('transaction', message.id.transaction);
  id.set('queue', message.id.number);
  value.set('id', id);
  value.set('ts', message.ts);
  value.set('serverid', message.serverId);
  value.set('sender', addressToLowerText(message.sender));
  value.set('senderaddress', addressToValue(message.sender));
  value.set('recipient', addressToLowerText(message.recipient));
  value.set('recipientaddress', addressToValue(message.recipient));
  value.set('transportid', message.transportId);
  if (message.tenantId !== undefined) value.set('tenantid', message.tenantId);
  if (message.jobId !== undefined) value.set('jobid', message.jobId);
  value.set('priority', message.priority);
  value.set('size', message.sizeBytes);
  if (files !== undefined) value.set('file', filesToValue(files));
  value.set('dsn', stringMapToValue(message.dsn as Readonly<Record<string, string>>));
  return value;
}

function filesToValue({ original, modified }: MessageFiles): HslArray {
  const value = HslArray.empty();
  value.set('original', new HslResource(FILE_RESOURCE, original));
  value.set('modified', new HslResource(FILE_RESOURCE, modified));
  return value;
}

/** `$arguments["attempt"]` of postdelivery. */
export function attemptToValue(report: AttemptReport): HslArray {
  const value = HslArray.empty();
  const { result, error, connection } = report;
  if (result !== undefined) {
    const reply = HslArray.empty();
    reply.set('code', result.code);
    if (result.enhanced !== undefined) reply.set('enhanced', HslArray.fromList([...result.enhanced]));
    reply.set('reason', HslArray.fromList([...result.reason]));
    reply.set('state', result.state);
    value.set('result', reply);
  }
  if (error !== undefined) {
    const what = HslArray.empty();
    what.set('temporary', error.temporary);
    what.set('message', error.message);
    what.set('type', error.type);
    if (error.dns !== undefined) what.set('dns', error.dns);
    if (error.state !== undefined) what.set('state', error.state);
    value.set('error', what);
  }
  if (connection !== undefined) {
    const peer = HslArray.empty();
    peer.set('id', connection.id);
    peer.set('transactions', connection.transactions);
    peer.set('localip', connection.localIp);
    peer.set('helo', connection.helo);
    peer.set('remoteip', connection.remoteIp);
    peer.set('remotemx', connection.remoteMx);
    if (connection.remoteGreet !== undefined)
      peer.set('remotegreet', HslArray.fromList([...connection.remoteGreet]));
    if (connection.localIpId !== undefined) peer.set('localipid', connection.localIpId);
    if (connection.tls !== undefined) peer.set('tls', attemptTlsToValue(connection.tls));
    value.set('connection', peer);
  }
  value.set('duration', report.durationSeconds);
  return value;
}
