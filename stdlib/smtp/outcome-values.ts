// What came of a dialogue, as scripts get it (stdlib 15 "send").

import { X509Certificate } from 'node:crypto';
import { HslArray, HslResource, type Value } from '#lang';
import { verifyCode } from '../certificates/verify-codes.js';
import { X509_RESOURCE } from '../loaders/certificates.js';
import type { MailConnection, MailOutcome, MailReply, MailTls } from './mail-client.js';

/** `result` or `error`, and what is known of connection and TLS. */
export function outcomeToValue(outcome: MailOutcome): HslArray {
  const value = HslArray.empty();
  if ('reply' in outcome) value.set('result', replyToValue(outcome.reply));
  else
    value.set(
      'error',
      HslArray.fromEntries([
        ['temporary', outcome.error.isTemporary],
        ['message', outcome.error.message],
      ]),
    );
  if (outcome.recipients !== undefined)
    value.set('recipients', HslArray.fromList(outcome.recipients.map(replyToValue)));
  if (outcome.connection !== undefined) value.set('connection', connectionToValue(outcome.connection));
  if (outcome.tls !== undefined) value.set('tls', tlsToValue(outcome.tls));
  return value;
}

function replyToValue({ state, code, enhanced, reason, recipientIndex }: MailReply): HslArray {
  const value = HslArray.empty();
  value.set('state', state);
  value.set('code', code);
  value.set('enhanced', HslArray.fromList([...enhanced]));
  value.set('reason', HslArray.fromList([...reason]));
  if (recipientIndex !== undefined) value.set('recipient', recipientIndex);
  return value;
}

function connectionToValue({ localIp, remoteIp, remoteMx }: MailConnection): HslArray {
  const value = HslArray.empty();
  value.set('localip', localIp);
  value.set('remoteip', remoteIp);
  value.set('remotemx', remoteMx);
  return value;
}

/**
 * The keys of an attempt's `tls` (hooks 13): `peercert` has the verify code of the certificate, 0 when it is trusted, and the
 * certificate itself if asked for.
 */
export function tlsToValue(tls: MailTls): HslArray {
  const value = HslArray.empty();
  value.set('started', tls.isStarted);
  if (tls.protocol !== undefined) value.set('protocol', tls.protocol);
  if (tls.cipher !== undefined) value.set('cipher', tls.cipher);
  if (tls.keySize !== undefined) value.set('keysize', tls.keySize);
  if (!tls.isStarted) {
    if (tls.error !== undefined) value.set('error', tls.error);
    return value;
  }
  const certificate = HslArray.empty();
  if (tls.peerCertificate !== undefined) certificate.set('x509', certificateToValue(tls.peerCertificate));
  certificate.set('error', verifyCode(tls.error));
  value.set('peercert', certificate);
  return value;
}

function certificateToValue(der: Buffer): Value {
  return new HslResource(X509_RESOURCE, new X509Certificate(der));
}
