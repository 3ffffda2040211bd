// OpenSSL's opinion of a client's certificate as the number that scripts get (hooks 2.1). node:tls has it only behind a member
// that it does not document; nowhere else is that looked at.

import type { TLSSocket } from 'node:tls';
import { verifyCode } from '#stdlib';

/** The verify code of the certificate that a client showed; 0 when it is trusted. */
export function verifyCodeOf(socket: TLSSocket): number {
  const { ssl } = socket as unknown as { readonly ssl?: { verifyError?(): unknown } | null };
  if (typeof ssl?.verifyError !== 'function') return verifyCode('UNSPECIFIED');
  const error = ssl.verifyError();
  if (error === undefined || error === null) return 0;
  const code: unknown = typeof error === 'object' && 'code' in error ? error.code : undefined;
  return verifyCode(typeof code === 'string' ? code : 'UNSPECIFIED');
}
