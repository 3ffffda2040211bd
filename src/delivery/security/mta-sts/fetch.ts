// Fetches a policy by HTTPS from where its domain keeps it (RFC 8461 3.3). The certificate counts, by its alternative
// names; redirects do not, a policy belongs to where it is. Everything has a bound: seconds, bytes, header.

import type { IncomingMessage } from 'node:http';
import type { PeerCertificate, SecureContext } from 'node:tls';
import { addressLookup, type Resolver, systemTrust } from '#stdlib';
import type { TlsFailureType } from '../tlsrpt.js';
import { LARGEST_FILE_BYTES, parsePolicy, type StsPolicy } from './policy.js';

/** A policy, or why there is none. */
export type FetchedPolicy =
  | { readonly kind: 'policy'; readonly policy: StsPolicy }
  | { readonly kind: 'failure'; readonly failure: TlsFailureType; readonly message: string };

/** Fetches the policy of a domain (A-labels). Never rejects. */
export type PolicyFetch = (domain: string, signal: AbortSignal) => Promise<FetchedPolicy>;

/** What a fetch needs of the world; what is absent is the machine's own. */
export interface PolicyFetchOptions {
  readonly resolver: () => Resolver | undefined;
  /** Trusted beside the system's authorities, as PEM. */
  readonly authorities?: () => readonly string[];
  /** 443. */
  readonly port?: number;
  /** For the whole of it; 60 (RFC 8461 3.3). */
  readonly timeoutSeconds?: number;
}

const WELL_KNOWN = '/.well-known/mta-sts.txt';
const LARGEST_HEADER_BYTES = 16_384;

/** Makes the fetch. */
export function httpsPolicyFetch({
  resolver,
  authorities = () => [],
  port = 443,
  timeoutSeconds = 60,
}: PolicyFetchOptions): PolicyFetch {
  let kept: { readonly id: string; readonly context: SecureContext } | undefined;
  return async (domain, signal) => {
    // What a process that sends no mail by MTA-STS need not load.
    const [https, tls] = await Promise.all([import('node:https'), import('node:tls')]);
    const own = authorities();
    const id = JSON.stringify([systemTrust()?.version, own]);
    if (kept?.id !== id)
      kept = {
        id,
        context: tls.createSecureContext({ ca: [...own, ...(systemTrust()?.pem ?? tls.rootCertificates)] }),
      };
    const host = `mta-sts.${domain}`;
    const url = `https://${host}${WELL_KNOWN}`;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]);
    return new Promise<FetchedPolicy>((resolve) => {
      const fail = (failure: TlsFailureType, why: string) =>
        resolve({ kind: 'failure', failure, message: `the MTA-STS policy at ${url}: ${why}` });
      const options = {
        host,
        port,
        path: WELL_KNOWN,
        servername: host,
        headers: { accept: 'text/plain', 'user-agent': 'argonite' },
        agent: false,
        secureContext: kept?.context,
        lookup: addressLookup(resolver()),
        checkServerIdentity: byAlternativeName,
        maxHeaderSize: LARGEST_HEADER_BYTES,
        signal: limit,
      };
      const request = https.get(options, (response) => {
        const refusal = responseProblem(response);
        if (refusal !== undefined) {
          fail('sts-policy-fetch-error', refusal);
          request.destroy();
          return;
        }
        readBody(response).then(
          (text) => {
            const policy = parsePolicy(text);
            if ('problem' in policy) fail('sts-policy-invalid', policy.problem);
            else resolve({ kind: 'policy', policy });
          },
          (error: unknown) => {
            fail('sts-policy-fetch-error', reasonOf(error, limit, timeoutSeconds));
            request.destroy();
          },
        );
      });
      request.on('error', (error) => {
        const isCertificate = isCertificateProblem(error);
        fail(
          isCertificate ? 'sts-webpki-invalid' : 'sts-policy-fetch-error',
          reasonOf(error, limit, timeoutSeconds),
        );
      });
    });
  };
}

/** RFC 8461 3.3: a common name is no name. */
function byAlternativeName(host: string, certificate: PeerCertificate): Error | undefined {
  const wanted = host.toLowerCase();
  const names = (certificate.subjectaltname ?? '')
    .split(', ')
    .flatMap((entry) =>
      entry.startsWith('DNS:') && !entry.includes('"') ? [entry.slice(4).toLowerCase()] : [],
    );
  const isFor = names.some(
    (name) =>
      name === wanted || (name.startsWith('*.') && wanted.slice(wanted.indexOf('.')) === name.slice(1)),
  );
  return isFor
    ? undefined
    : Object.assign(new Error(`the certificate is not for ${host}`), {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
}

function responseProblem({ statusCode, headers }: IncomingMessage): string | undefined {
  if (statusCode !== 200)
    return `it was answered with ${statusCode} (200 is expected, redirects are not followed)`;
  const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (type !== 'text/plain')
    return `it is of type "${type.slice(0, 80).replace(/[^\x20-\x7e]/g, '?')}", not "text/plain"`;
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity')
    return 'it is encoded, which nobody asked for';
  return undefined;
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_FILE_BYTES) throw new Error('it is larger than 64 KiB');
    chunks.push(chunk);
  }
  if (!response.complete) throw new Error('it was cut off');
  return Buffer.concat(chunks).toString('latin1');
}

function isCertificateProblem(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : '';
  return (
    !code.startsWith('ERR_SSL') &&
    /CERT|SELF_SIGNED|ISSUER|SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH/.test(code)
  );
}

function reasonOf(error: unknown, limit: AbortSignal, timeoutSeconds: number): string {
  if (limit.aborted)
    return limit.reason instanceof DOMException && limit.reason.name === 'TimeoutError'
      ? `no answer within ${timeoutSeconds} s`
      : 'the fetch was given up';
  if (!(error instanceof Error)) return 'no reason given';
  const code = 'code' in error ? String(error.code) : '';
  // OpenSSL's texts may repeat bytes of the peer.
  return code === '' ? error.message.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) : code;
}
