// TLSA records (RFC 6698, RFC 7671): which of them can be used for mail, and whether a certificate is what one says.
//
//   usage 2 (DANE-TA)  an authority the server's certificate must descend from
//   usage 3 (DANE-EE)  the server's certificate itself
//   usages 0 and 1     lean on public authorities as well, which mail between servers does not have: unusable (RFC 7672 3.1.3)

import { createHash, createPublicKey, type X509Certificate } from 'node:crypto';
import { type DnsRecord, parseCertificate, publicKeyInfoOf } from '#stdlib';

/** A TLSA record as it is in DNS. */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  /** Lower-case hexadecimal digits. */
  readonly data: string;
}

export const DANE_TA = 2;
export const DANE_EE = 3;
const WHOLE_CERTIFICATE = 0;
const PUBLIC_KEY = 1;
const IN_FULL = 0;
const digests: Readonly<Record<number, { readonly name: string; readonly bytes: number }>> = {
  1: { name: 'sha256', bytes: 32 },
  2: { name: 'sha512', bytes: 64 },
};

/** The TLSA records among those of an answer. */
export function tlsaRecordsOf(records: readonly DnsRecord[]): TlsaRecord[] {
  return records.flatMap((record) => {
    if (record.type !== 'tlsa') return [];
    const { usage, selector, matchingType, data } = record;
    return [{ usage, selector, matchingType, data }];
  });
}

/** As zone files write it: `3 1 1 0123ab`. */
export function tlsaText({ usage, selector, matchingType, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${data}`;
}

/** Why a record cannot be used; undefined when it can. */
export function unusableBecause({ usage, selector, matchingType, data }: TlsaRecord): string | undefined {
  if (usage !== DANE_TA && usage !== DANE_EE) return `usage ${usage} is none for mail (2 and 3 are)`;
  if (selector !== WHOLE_CERTIFICATE && selector !== PUBLIC_KEY) return `selector ${selector} is unknown`;
  const bytes = Buffer.from(data, 'hex');
  const digest = digests[matchingType];
  if (digest !== undefined)
    return bytes.length === digest.bytes ? undefined : `${bytes.length} bytes are no ${digest.name} digest`;
  if (matchingType !== IN_FULL) return `matching type ${matchingType} is unknown`;
  if (selector === WHOLE_CERTIFICATE)
    return parseCertificate(bytes) === undefined ? 'its certificate cannot be read' : undefined;
  return publicKeyIn(bytes) === undefined ? 'its key cannot be read' : undefined;
}

/**
 * The records that count (RFC 7671 9): of the digests that one usage and selector come with only the strongest, so that a
 * weak one beside it lets nobody in; records in full always.
 */
export function strongest(records: readonly TlsaRecord[]): TlsaRecord[] {
  const group = ({ usage, selector }: TlsaRecord) => `${usage} ${selector}`;
  const best = new Map<string, number>();
  for (const record of records)
    best.set(group(record), Math.max(best.get(group(record)) ?? 0, record.matchingType));
  return records.filter(
    (record) => record.matchingType === IN_FULL || record.matchingType === best.get(group(record)),
  );
}

/** The certificate that a record of an authority holds in full. */
export function certificateIn({ selector, matchingType, data }: TlsaRecord): X509Certificate | undefined {
  if (selector !== WHOLE_CERTIFICATE || matchingType !== IN_FULL) return undefined;
  return parseCertificate(Buffer.from(data, 'hex'));
}

/** The key that a record holds in full. */
export function keyIn({
  selector,
  matchingType,
  data,
}: TlsaRecord): ReturnType<typeof createPublicKey> | undefined {
  if (selector !== PUBLIC_KEY || matchingType !== IN_FULL) return undefined;
  return publicKeyIn(Buffer.from(data, 'hex'));
}

function publicKeyIn(bytes: Buffer): ReturnType<typeof createPublicKey> | undefined {
  try {
    return createPublicKey({ key: bytes, format: 'der', type: 'spki' });
  } catch {
    // Whatever is wrong with it: it is no key.
    return undefined;
  }
}

/** One certificate held against many records: what they compare is made once. */
export class CertificateFaces {
  readonly #made = new Map<string, string | undefined>();

  constructor(readonly certificate: X509Certificate) {}

  /** Whether it is the one the record speaks of. */
  is({ selector, matchingType, data }: TlsaRecord): boolean {
    const key = `${selector} ${matchingType}`;
    if (!this.#made.has(key)) this.#made.set(key, this.#make(selector, matchingType));
    return this.#made.get(key) === data;
  }

  #make(selector: number, matchingType: number): string | undefined {
    const bytes =
      selector === WHOLE_CERTIFICATE
        ? this.certificate.raw
        : selector === PUBLIC_KEY
          ? publicKeyInfoOf(this.certificate)
          : undefined;
    if (bytes === undefined || matchingType === IN_FULL) return bytes?.toString('hex');
    const digest = digests[matchingType];
    return digest === undefined ? undefined : createHash(digest.name).update(bytes).digest('hex');
  }
}
