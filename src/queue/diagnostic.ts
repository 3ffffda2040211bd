// How an attempt ended, in the words of a DSN: the diagnostic text, and the status code of RFC 3463. A reply that has an enhanced
// status says it itself; for everything else the code follows from the kind of failure.

import type { AttemptReport, EnhancedStatus } from '#hooks';

/** An ending as a DSN words it (RFC 3464 §2.3.4, §2.3.6). */
export interface Diagnostic {
  readonly diagnosticType: 'smtp' | 'x-error';
  readonly diagnosticCode: string;
  readonly status: EnhancedStatus;
}

type Result = NonNullable<AttemptReport['result']>;
type Failure = NonNullable<AttemptReport['error']>;

/** The message was tried for as long as it may be (RFC 3463 §3.5). */
const EXPIRED: EnhancedStatus = [4, 4, 7];

/** How an attempt ended. Several reply lines are joined by a space. */
export function diagnosticOf({ result, error }: AttemptReport, isExpired = false): Diagnostic {
  if (result !== undefined) {
    const { code, enhanced, reason } = result;
    const shown = enhanced === undefined ? '' : `${enhanced.join('.')} `;
    return {
      diagnosticType: 'smtp',
      diagnosticCode: `${code} ${shown}${reason.join(' ')}`.trimEnd(),
      status: enhanced ?? statusOfReply(result),
    };
  }
  return {
    diagnosticType: 'x-error',
    diagnosticCode: error?.message ?? 'the attempt left no result',
    status: isExpired && error?.temporary !== false ? EXPIRED : statusOfError(error),
  };
}

/** A waiting message keeps so much of a reason: it stays in memory, and is written with each retry. Replies may have 64 KiB. */
const LONGEST_REASON = 500;

/** A reason as it is kept and listed. */
export function keptReason(reason: string): string {
  return reason.length <= LONGEST_REASON ? reason : `${reason.slice(0, LONGEST_REASON)}...`;
}

/** A message that ends without an attempt, because somebody wants it so. */
export function diagnosticWithoutAttempt(reason: string): Diagnostic {
  return { diagnosticType: 'x-error', diagnosticCode: reason, status: [5, 0, 0] };
}

/** Subject and detail by reply code, where the code says as much (RFC 5248, RFC 2034). */
const byCode: Readonly<Record<number, readonly [number, number]>> = {
  421: [3, 2],
  432: [7, 12],
  450: [2, 0],
  451: [3, 0],
  452: [3, 1],
  454: [7, 0],
  455: [5, 4],
  500: [5, 2],
  501: [5, 4],
  502: [5, 1],
  503: [5, 1],
  504: [5, 4],
  521: [3, 2],
  523: [3, 4],
  530: [7, 0],
  534: [7, 9],
  535: [7, 8],
  538: [7, 11],
  551: [1, 6],
  552: [2, 2],
  553: [1, 3],
  555: [5, 4],
  556: [1, 10],
};

function statusOfReply({ code, state }: Result): EnhancedStatus {
  const statusClass = code < 400 ? 2 : code < 500 ? 4 : 5;
  if (statusClass === 2) return [2, 0, 0];
  // 550 is "mailbox unavailable" about a recipient only; elsewhere it is any refusal.
  if (code === 550 && state === 'RCPT') return [5, 1, 1];
  // Behind the message 552 is about its size (RFC 1870 §6.3).
  if (code === 552 && state === 'EOD') return [5, 3, 4];
  const [subject, detail] = byCode[code] ?? [0, 0];
  return [statusClass, subject, detail];
}

const byDnsError: Readonly<Record<NonNullable<Failure['dns']>, readonly [number, number]>> = {
  nxdomain: [1, 2],
  nullmx: [1, 10],
  nodata: [4, 4],
  ipfamily: [4, 4],
  excluded: [4, 4],
  other: [4, 3],
};

function statusOfError(error: Failure | undefined): EnhancedStatus {
  if (error === undefined) return [4, 0, 0];
  const statusClass = error.temporary ? 4 : 5;
  const [subject, detail] = detailOf(error);
  return [statusClass, subject, detail];
}

function detailOf({ type, dns, message, state }: Failure): readonly [number, number] {
  switch (type) {
    case 'dns':
      return byDnsError[dns ?? 'other'];
    case 'network':
      // Nobody answered, or somebody hung up.
      return state === undefined ? [4, 1] : [4, 2];
    case 'tls':
    case 'dane':
      return [7, 5];
    case 'protocol':
      return [5, 0];
    case 'config':
      return [3, 5];
    case 'smtp': {
      // What this peer can never take says its status itself (src/delivery/failure.ts).
      const said = /^[245]\.(\d{1,3})\.(\d{1,3}) /.exec(message);
      return said === null ? [5, 0] : [Number(said[1]), Number(said[2])];
    }
    default:
      return [0, 0];
  }
}
