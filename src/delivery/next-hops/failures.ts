// Why there is no next hop, as reports show it. The rule of failure.ts holds here too: what is wrong on our side, and what is not
// known, is temporary; only the domain's own word is final.

import type { Ending } from '../failure.js';

type DnsReason = NonNullable<NonNullable<Ending['error']>['dns']>;

/** The domain says it, or shows it: asking again will not help. */
export function finalFailure(dns: DnsReason, message: string): Ending {
  return { error: { temporary: false, type: 'dns', dns, message } };
}

/** It may be otherwise in a while, or once somebody here has mended it. */
export function passingFailure(dns: DnsReason, message: string): Ending {
  return { error: { temporary: true, type: 'dns', dns, message } };
}

/** A slip of ours. */
export function misconfigured(message: string): Ending {
  return { error: { temporary: true, type: 'config', message } };
}

/** Mail that would come back to us. It is about how this server is set up, but it would be the same again tomorrow. */
export function loopsBack(message: string): Ending {
  return { error: { temporary: false, type: 'config', message } };
}
