// The peer's certificate as scripts get it: an X509.

import type { X509Certificate } from 'node:crypto';
import type { CallContext, Value } from '#lang';
import { x509Class } from '../certificates/x509.builtins.js';

/** None when the peer showed none. */
export function peerCertificateValue(certificate: X509Certificate | undefined, ctx: CallContext): Value {
  return certificate === undefined ? null : ctx.instantiate(x509Class, certificate);
}
