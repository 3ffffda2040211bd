// The peer's certificate as scripts get it: an X509.

import type { X509Certificate } from 'node:crypto';
import { type CallContext, HslResource, type Value } from '#lang';
import { X509_RESOURCE } from '../loaders/certificates.js';

/** None when the peer showed none. */
export function peerCertificateValue(certificate: X509Certificate | undefined, _ctx: CallContext): Value {
  return certificate === undefined ? null : new HslResource(X509_RESOURCE, certificate);
}
