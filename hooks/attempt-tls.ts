// `tls` of `$arguments["attempt"]["connection"]` (hooks 13): what is known of the session, the peer's certificate, the kind of
// failure in the words of TLS reports, and what DNS demanded.

import { HslArray } from '#lang';
import { certificateResource, verifyCode } from '#stdlib';
import type { AttemptTls } from './outcomes.js';

/** The array a script gets. */
export function attemptTlsToValue(tls: AttemptTls): HslArray {
  const value = HslArray.empty();
  value.set('started', tls.isStarted);
  if (tls.protocol !== undefined) value.set('protocol', tls.protocol);
  if (tls.cipher !== undefined) value.set('cipher', tls.cipher);
  if (tls.keySize !== undefined) value.set('keysize', tls.keySize);
  if (tls.peer !== undefined) value.set('peercert', peerToValue(tls.peer));
  if (tls.tlsrpt !== undefined) value.set('tlsrpt', tls.tlsrpt);
  if (tls.tlsa !== undefined) value.set('tlsa', tlsaToValue(tls.tlsa));
  return value;
}

function peerToValue({ certificate, chain, error }: NonNullable<AttemptTls['peer']>): HslArray {
  const value = HslArray.empty();
  if (certificate !== undefined) value.set('x509', certificateResource(certificate));
  value.set('chain', HslArray.fromList(chain.map(certificateResource)));
  value.set('error', verifyCode(error));
  return value;
}

function tlsaToValue(tlsa: NonNullable<AttemptTls['tlsa']>): HslArray {
  const value = HslArray.empty();
  if (tlsa.kind === 'error') {
    value.set('error', HslArray.fromList([...tlsa.errors]));
    return value;
  }
  const records = tlsa.records.map(({ usage, selector, matchingType, data }) => {
    const record = HslArray.empty();
    record.set('usage', usage);
    record.set('selector', selector);
    record.set('mtype', matchingType);
    record.set('data', data);
    return record;
  });
  value.set('records', HslArray.fromList(records));
  return value;
}
