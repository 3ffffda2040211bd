// Revocation lists (RFC 5280 §5). The entries stay in the bytes and are read when they are walked: lists with hundreds of
// thousands of them are in use.

import type { KeyObject } from 'node:crypto';
import { signatureSchemeOf } from '../crypto/signature-algorithms.js';
import { verifyBytes } from '../crypto/signing.js';
import { serialToHex } from './certificate.js';
import {
  context,
  type DerElement,
  MalformedDer,
  readBits,
  readSmallInteger,
  readTime,
  readWhole,
  tags,
  unlessMalformed,
} from './der-reader.js';
import { type Extension, extensionOids, extensionValue, readExtensions } from './extensions.js';
import { comparableName } from './names.js';

/** A certificate that is revoked. */
export interface RevokedCertificate {
  /** As `CertificateFields.serialNumber`. */
  readonly serialNumber: string;
  /** The word of RFC 5280 §5.3.1; undefined when no reason is given. */
  readonly reason: string | undefined;
}

const reasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

/** A revocation list, parsed as far as everybody needs it. */
export class RevocationList {
  /** 1 or 2. */
  readonly version: number;
  readonly issuer: DerElement;
  /** For comparing. */
  readonly issuerName: string;
  /** Unix times; `nextUpdate` may be absent. */
  readonly lastUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly extensions: readonly Extension[];
  readonly #signed: Buffer;
  readonly #algorithm: DerElement;
  readonly #signature: Buffer;
  readonly #entries: DerElement | undefined;

  /** @throws MalformedDer */
  constructor(readonly raw: Buffer) {
    const outer = readWhole(raw).expect(tags.sequence).fields();
    const list = outer.next(tags.sequence);
    this.#signed = list.raw;
    this.#algorithm = outer.next(tags.sequence);
    this.#signature = readBits(outer.next());
    outer.end();
    const fields = list.fields();
    const version = fields.optional(tags.integer);
    this.version = version === undefined ? 1 : readSmallInteger(version) + 1;
    // §5.1.1.2: what is signed names the same algorithm as what is not.
    if (!fields.next(tags.sequence).raw.equals(this.#algorithm.raw)) throw new MalformedDer('two algorithms');
    this.issuer = fields.next(tags.sequence);
    this.issuerName = comparableName(this.issuer);
    this.lastUpdate = readTime(fields.next());
    const next = fields.optional(tags.utcTime, tags.generalizedTime);
    this.nextUpdate = next === undefined ? undefined : readTime(next);
    this.#entries = fields.optional(tags.sequence);
    const extensions = fields.optional(context(0));
    this.extensions = extensions === undefined ? [] : readExtensions(extensions.inner());
    fields.end();
  }

  /** The entries, in order. @throws MalformedDer at one that is broken */
  *revoked(): Generator<RevokedCertificate, undefined> {
    if (this.#entries === undefined) return undefined;
    for (const entry of this.#entries.children()) {
      const fields = entry.expect(tags.sequence).fields();
      const serialNumber = serialToHex(fields.next(tags.integer));
      readTime(fields.next());
      const list = fields.optional(tags.sequence);
      yield { serialNumber, reason: list === undefined ? undefined : reasonOf(readExtensions(list)) };
    }
    return undefined;
  }

  /** Whether something in it must be understood and is not: parts of a list, lists for other issuers (§5.2.5, §5.3.3). */
  get isBeyondUs(): boolean {
    return this.extensions.some(({ critical }) => critical);
  }

  /** Whether the key has signed the list. */
  async isSignedBy(key: KeyObject): Promise<boolean> {
    const scheme = unlessMalformed(() => signatureSchemeOf(this.#algorithm, undefined));
    if (scheme === undefined || !scheme.keyTypes.includes(key.asymmetricKeyType ?? '')) return false;
    return (await verifyBytes(this.#signed, this.#signature, key, scheme)) === true;
  }
}

/** @throws MalformedDer also when an extension must be understood and is not */
function reasonOf(extensions: readonly Extension[]): string | undefined {
  const value = extensionValue(extensions, extensionOids.crlReason);
  if (value === undefined) return undefined;
  const code = value.expect(tags.enumerated).content;
  return code.length === 1 ? reasons[code[0]!] : undefined;
}

/** Room for about 800,000 entries. */
const LONGEST_LIST_BYTES = 32 * 1024 * 1024;

/** A list in DER; undefined when it is none. All of it is read once, so that walking it does not fail later. */
export function parseRevocationList(bytes: Buffer): RevocationList | undefined {
  if (bytes.length > LONGEST_LIST_BYTES) return undefined;
  return unlessMalformed(() => {
    const list = new RevocationList(bytes);
    for (const _ of list.revoked());
    return list;
  });
}
