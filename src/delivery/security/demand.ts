// What TLS is demanded of a host, as data: what goes into the decision and what comes out of it. How it is decided is in
// transport-security.ts, whether a session meets it in judge.ts.

import type { X509Certificate } from 'node:crypto';
import type { EnhancedStatus } from '#hooks';
import type { TlsWish } from '../client/tls.js';
import type { MailDomain } from '../deliverer.js';
import type { TlsaRecord } from './dane/tlsa.js';
import type { ReportedPolicy, TlsFailureType } from './tlsrpt.js';

/** What the message itself says about its transport (RFC 8689). */
export interface MessageSecurity {
  /** MAIL came with REQUIRETLS. */
  readonly requiresTls: boolean;
  /** `TLS-Required: No` is in the header. Read only when it would change something. */
  readonly waivesTls: () => boolean | Promise<boolean>;
}

/** A message that says nothing about it. */
export const ordinaryMessage: MessageSecurity = { requiresTls: false, waivesTls: () => false };

/** A host that is about to be connected to. */
export interface HostQuestion {
  /** As the MX record, the configuration or the script names it, without final dot; or an address. */
  readonly host: string;
  readonly port: number;
  /** Whose mail host it is; absent when the host was named. */
  readonly mailDomain?: MailDomain | undefined;
  readonly wish: TlsWish;
  readonly message: MessageSecurity;
}

/** A condition that the peer's certificate must meet. */
export type Verification =
  | {
      readonly kind: 'certificate';
      /** It must lead to an authority that is trusted. */
      readonly isTrusted: boolean;
      /** It must be for one of these; `*.a.test` is any name of one label more. Absent: for anybody. */
      readonly names?: readonly string[] | undefined;
      /** The names must be alternative names: a common name does not count (RFC 8461 4.1). */
      readonly ignoresCommonName?: boolean;
    }
  | {
      readonly kind: 'dane';
      readonly records: readonly TlsaRecord[];
      /** Whom a certificate under a trust anchor must be for (RFC 7672 3.2.3). */
      readonly names: readonly string[];
    };

/** What it means when a demand is not met. */
export interface UnmetDemand {
  readonly type: 'dane' | 'tls';
  readonly temporary: boolean;
  /** For a sender who is told so. */
  readonly status?: EnhancedStatus;
}

/** What a session must be like. */
export interface TlsDemand {
  /** `none`: STARTTLS is never said; `opportunistic`: where it is offered; `required`: or nothing is sent. */
  readonly minimum: 'none' | 'opportunistic' | 'required';
  /** All of these must hold for a session with TLS. */
  readonly verify: readonly Verification[];
  /** A handshake that fails may be followed by a connection without TLS. */
  readonly fallsBack: boolean;
  /** The server name to ask for, whatever the configuration says. */
  readonly serverName?: string | undefined;
  /** The system's authorities count beside the configured ones, whatever the configuration says. */
  readonly usesSystemCa?: boolean;
  readonly unmet: UnmetDemand;
  /** The peer must announce REQUIRETLS after the handshake, and MAIL says it. */
  readonly needsRequireTls?: boolean;
  /** Checked and recorded, with no other consequence (RFC 8461 5, mode testing). */
  readonly trial?: Trial | undefined;
  /** What was found where DANE was asked for. */
  readonly tlsa?: TlsaFacts | undefined;
  /** What is counted for TLS reports; absent where no policy of the recipient's side was looked for. */
  readonly policy?: ReportedPolicy | undefined;
  /** What was wrong with the policy although mail goes on. */
  readonly policyFailure?: TlsFailureType | undefined;
}

/** A policy on trial. */
export interface Trial {
  readonly verify: readonly Verification[];
  /** The host should not even be one of the domain's. */
  readonly failure?: TlsFailureType | undefined;
}

/** `attempt.connection.tls.tlsa` (hooks 13). */
export type TlsaFacts =
  | { readonly kind: 'records'; readonly records: readonly TlsaRecord[] }
  | { readonly kind: 'error'; readonly errors: readonly string[] };

/** A host that is not to be talked to now, or not for this message. */
export interface HostRefusal extends UnmetDemand {
  readonly kind: 'refused';
  readonly message: string;
  readonly failure?: TlsFailureType | undefined;
  readonly policy?: ReportedPolicy | undefined;
  readonly tlsa?: TlsaFacts | undefined;
}

/** What is to be done with a host. */
export type HostDecision = { readonly kind: 'demand'; readonly demand: TlsDemand } | HostRefusal;

/** What is known of a session after its handshake. */
export interface SessionEvidence {
  /** The peer's certificate and what came with it, in the order in which it was sent; empty when there was none. */
  readonly chain: readonly X509Certificate[];
  /** OpenSSL's word for what is wrong with it when held against the trusted authorities; undefined: nothing is. */
  readonly chainProblem: string | undefined;
}

/** Whether a session meets a demand. `trial`: what would have failed under the policy on trial. */
export type SessionJudgement =
  | { readonly kind: 'met'; readonly trial?: TlsFailureType | undefined }
  | { readonly kind: 'unmet'; readonly failure: TlsFailureType; readonly message: string };

/** Tells demands apart: connections made under equal ones are interchangeable. */
export function demandKey({ minimum, verify, serverName, usesSystemCa, needsRequireTls }: TlsDemand): string {
  return JSON.stringify([minimum, verify, serverName ?? '', usesSystemCa ?? false, needsRequireTls ?? false]);
}
