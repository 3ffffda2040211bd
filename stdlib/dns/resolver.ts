// The resolver as the library, the hooks and delivery ask it. One is made for the process (create-resolver.ts); a test
// hands in its own. An answer is data: what a failure means for mail is decided by whoever asked.

/** Record types that are decoded; others cannot be asked for. */
export type RecordType =
  | 'a'
  | 'aaaa'
  | 'mx'
  | 'txt'
  | 'cname'
  | 'ns'
  | 'ptr'
  | 'soa'
  | 'srv'
  | 'tlsa'
  | 'caa'
  | 'naptr';

export interface Question {
  /** A domain name, with or without the final dot; bytes as a script has them. */
  readonly name: string;
  readonly type: RecordType;
  /** For the whole question, all servers and retries together. Absent: the resolver's own. */
  readonly timeoutSeconds?: number;
  /** IP addresses to ask instead of the configured servers; such answers are not cached with the others. */
  readonly servers?: readonly string[];
  /** Port of `servers`; 53 when absent. */
  readonly port?: number;
}

interface Ttl {
  readonly ttlSeconds: number;
}

/**
 * One record; names are without the final dot (the root is ''), in lower case only if the server sent them so. Bytes.
 * What a label should not hold (dots, backslashes, blanks, other bytes than ASCII) is escaped as RFC 1035 5.1 does it.
 */
export type DnsRecord = Ttl &
  (
    | { readonly type: 'a' | 'aaaa'; readonly address: string }
    | { readonly type: 'mx'; readonly preference: number; readonly hostname: string }
    | { readonly type: 'txt'; readonly text: string }
    | { readonly type: 'cname' | 'ns' | 'ptr'; readonly hostname: string }
    | {
        readonly type: 'srv';
        readonly priority: number;
        readonly weight: number;
        readonly port: number;
        readonly hostname: string;
      }
    | {
        readonly type: 'soa';
        readonly mname: string;
        readonly rname: string;
        readonly serial: number;
        readonly refresh: number;
        readonly retry: number;
        readonly expire: number;
        readonly minimum: number;
      }
    | {
        readonly type: 'tlsa';
        readonly usage: number;
        readonly selector: number;
        readonly matchingType: number;
        /** Lower-case hexadecimal digits. */
        readonly data: string;
      }
    | { readonly type: 'caa'; readonly flags: number; readonly tag: string; readonly value: string }
    | {
        readonly type: 'naptr';
        readonly order: number;
        readonly preference: number;
        readonly flags: string;
        readonly services: string;
        readonly regexp: string;
        readonly replacement: string;
      }
  );

/**
 * What a look-up failed with: the rcode's name (RFC 1035 4.1.1, RFC 6895), NODATA for a name without such records, or
 * TRY_AGAIN when no server gave a usable answer in time. `BADNAME`: not a domain name, nothing was asked.
 */
export type DnsError =
  | 'NXDOMAIN'
  | 'NODATA'
  | 'SERVFAIL'
  | 'REFUSED'
  | 'FORMERR'
  | 'NOTIMP'
  | 'TRY_AGAIN'
  | 'BADNAME';

/** `isSecure`: the answer carried AD and came from a server trusted to validate (RFC 4035 3.2.3). */
export type DnsAnswer =
  | {
      readonly kind: 'records';
      /** At least one, of the type asked for; mx by preference. */
      readonly records: readonly DnsRecord[];
      /** The name the records belong to, after following CNAMEs. */
      readonly canonicalName: string;
      readonly isSecure: boolean;
    }
  | { readonly kind: 'failure'; readonly error: DnsError; readonly isSecure: boolean };

export interface Resolver {
  /**
   * Asks the cache, the configured hosts, then the servers. Equal questions in flight are asked once. Never rejects.
   * `signal` gives the question up for this caller (the answer is then TRY_AGAIN).
   */
  query(question: Question, signal?: AbortSignal): DnsAnswer | Promise<DnsAnswer>;
  /** Forgets what was learnt, and closes sockets. */
  close(): void;
}
