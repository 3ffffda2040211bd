// The TLS modes of hooks 12.1 where neither the domain nor the host says anything:
//
//   mode              not offered, refused   handshake fails        certificate is no good
//   disabled          (STARTTLS is never said)
//   optional          plain                  plain, reconnected     used all the same
//   optional_verify   plain                  fails, temporary       fails, temporary
//   require           fails, temporary       fails, temporary       used all the same
//   require_verify    fails, temporary       fails, temporary       fails, temporary
//
// `dane` stands for `optional` then, `dane_fallback_require` and `dane_fallback_require_verify` for what their names say
// behind "fallback"; `dane_require` has no other way. Names that are asked for (`tls_verify_host`, `tls_verify_name`) are
// checked in every mode that does not look away, `require` too.

import type { TlsMode } from '#stdlib';
import type { TlsWish } from '../client/tls.js';
import type { TlsDemand, UnmetDemand, Verification } from './demand.js';

/** The modes without DANE. */
export type PlainMode = Exclude<TlsMode, `dane${string}`>;

/** Whether the mode asks for TLSA records. */
export function usesDane(mode: TlsMode): boolean {
  return mode.startsWith('dane');
}

/** What a mode stands for when the host has no TLSA records, or the message waives them. */
export function fallbackMode(mode: TlsMode): PlainMode {
  switch (mode) {
    case 'dane':
    case 'dane_require':
      return 'optional';
    case 'dane_fallback_require':
      return 'require';
    case 'dane_fallback_require_verify':
      return 'require_verify';
    default:
      return mode;
  }
}

/** An ordinary failure of TLS: deferred, other hosts are tried. */
export const unmetTls: UnmetDemand = { type: 'tls', temporary: true };

/** What a mode demands of the host by itself. */
export function demandOfMode(mode: PlainMode, wish: TlsWish, host: string): TlsDemand {
  if (mode === 'disabled') return { minimum: 'none', verify: [], fallsBack: false, unmet: unmetTls };
  return {
    minimum: mode.startsWith('require') ? 'required' : 'opportunistic',
    verify: verificationOf(mode, wish, host),
    fallsBack: mode === 'optional',
    unmet: unmetTls,
  };
}

function verificationOf(mode: PlainMode, wish: TlsWish, host: string): readonly Verification[] {
  // `optional` uses whatever session it gets; a name that nobody vouches for would add nothing to it.
  if (mode === 'optional') return [];
  const asked = wish.verifyNames ?? [];
  const names = asked.length > 0 ? asked : wish.verifiesHost ? [host] : undefined;
  const isTrusted = mode.endsWith('_verify');
  return isTrusted || names !== undefined ? [{ kind: 'certificate', isTrusted, names }] : [];
}
