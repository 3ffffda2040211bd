// What the configuration gives names to and scripts ask for by those names: keys, files, addresses. The daemon answers
// from its running configuration; `hsh` and tests from what they were started with.

import type { KeyObject, X509Certificate } from 'node:crypto';
import type { FileContent } from './files/file-content.js';
import type { SuffixList } from './network-values/public-suffix.js';

/** An entry of `pki.private` (queue-and-config 8.4). */
export interface ConfiguredKey {
  readonly key: KeyObject;
  /** The certificate and those that vouch for it, its own first; empty for a bare key. */
  readonly certificates: readonly X509Certificate[];
}

/** An entry of `addresses`. */
export interface ConfiguredAddress {
  readonly address: string;
  /** The HELO name that goes with it. */
  readonly hostname: string | undefined;
}

export interface ConfiguredThings {
  /** A key by its id, written with or without `pki:`. */
  key(id: string): ConfiguredKey | undefined;
  /** Certificates of `pki.ca` by id. */
  authorities(id: string): readonly X509Certificate[] | undefined;
  address(id: string): ConfiguredAddress | undefined;
  /** Whether mail can be queued for a transport of this id. */
  knowsTransport(id: string): boolean;
  /** A file of `scripting.files`, or one below the script root when the name begins with `file://`. */
  file(name: string): Promise<FileContent | undefined>;
  /** The list in `environment.publicsuffix`; absent means the one that came with us. */
  readonly publicSuffixes?: SuffixList | undefined;
}

/** Nothing is configured. */
export const nothingConfigured: ConfiguredThings = {
  key: () => undefined,
  authorities: () => undefined,
  address: () => undefined,
  knowsTransport: () => false,
  file: async () => undefined,
};
