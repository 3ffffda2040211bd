// Lists of ciphers, which only OpenSSL can read.

import { createSecureContext } from 'node:tls';

/** What is wrong with a list of ciphers, if anything. */
export function cipherProblem(ciphers: string): string | undefined {
  try {
    createSecureContext({ ciphers, ca: [] });
    return undefined;
  } catch {
    return `found "${ciphers.slice(0, 80)}"; expected OpenSSL's list of ciphers, such as "HIGH:MEDIUM"`;
  }
}
