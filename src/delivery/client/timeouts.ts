// How long to wait for a peer, by SMTP state (hooks 14, RFC 5321 §4.5.3.2).

import type { SecondsFor, SmtpState } from './trouble.js';

/** Seconds where neither the transport nor Try says otherwise. */
export const defaultTimeouts: Readonly<Record<SmtpState, number>> = {
  BANNER: 300,
  EHLO: 300,
  HELO: 300,
  LHLO: 300,
  STARTTLS: 300,
  'AUTH-CRAM-MD5': 300,
  'AUTH-PLAIN': 300,
  'AUTH-LOGIN': 300,
  'AUTH-LOGIN-USER': 300,
  AUTH: 300,
  XCLIENT: 300,
  MAIL: 300,
  RCPT: 300,
  DATA: 120,
  EOD: 600,
  RSET: 20,
  NOOP: 20,
  QUIT: 20,
};

type Overrides = Readonly<Record<string, number>> | undefined;

/** The timeouts of one attempt: what Try says, else the transport, else the default. `CONNECT` is the older name of BANNER. */
export function timeoutsFor(tryTimeouts: Overrides, transportTimeouts: Overrides): SecondsFor {
  return (state) =>
    override(tryTimeouts, state) ?? override(transportTimeouts, state) ?? defaultTimeouts[state];
}

function override(timeouts: Overrides, state: SmtpState): number | undefined {
  if (timeouts === undefined) return undefined;
  return timeouts[state] ?? (state === 'BANNER' ? timeouts['CONNECT'] : undefined);
}
