// Whether the certificate that a client showed, or did not, will do. One that will not hears so: RFC 3207 §4.1 has the
// server answer every command but QUIT with 554 then.

import type { PeerCertificate } from '#hooks';
import { replies } from '../replies.js';
import type { Reply } from '../reply.js';
import type { ClientCertificatePolicy } from './server-contexts.js';

/** Why the client is not served; undefined when it is. */
export function certificateRefusal(
  policy: ClientCertificatePolicy | undefined,
  shown: PeerCertificate | undefined,
): Reply | undefined {
  if (policy !== 'require' && policy !== 'verify') return undefined;
  if (shown === undefined) return replies.certificateNeeded;
  return policy === 'verify' && shown.error !== 0 ? replies.certificateNotTrusted : undefined;
}
