// What a peer announced in its reply to EHLO (RFC 5321 §4.1.1.1).

/** The extensions we act on. */
export interface Capabilities {
  readonly pipelining: boolean; // RFC 2920
  readonly eightBitMime: boolean; // RFC 6152
  readonly smtpUtf8: boolean; // RFC 6531
  readonly dsn: boolean; // RFC 3461
  readonly startTls: boolean; // RFC 3207
  readonly chunking: boolean; // RFC 3030
  readonly binaryMime: boolean; // RFC 3030
  readonly requireTls: boolean; // RFC 8689
  readonly mtPriority: boolean; // RFC 6710
  /** The shortest time that can be kept, in seconds, 0 when it is not said; absent: DELIVERBY was not announced (RFC 2852). */
  readonly deliverByLeast?: number;
  /** SASL mechanisms in upper case (RFC 4954). */
  readonly mechanisms: readonly string[];
  /** Attributes of XCLIENT in upper case; absent: the command was not announced. */
  readonly xclient?: readonly string[];
  /** Absent: SIZE was not announced. 0: announced without a limit (RFC 1870 §4). */
  readonly sizeLimit?: number;
}

/** What a peer can do that was greeted with HELO. */
export const noCapabilities: Capabilities = {
  pipelining: false,
  eightBitMime: false,
  smtpUtf8: false,
  dsn: false,
  startTls: false,
  chunking: false,
  binaryMime: false,
  requireTls: false,
  mtPriority: false,
  mechanisms: [],
};

/** Reads the lines of a positive reply to EHLO; the first is the peer's name. Keywords we do not know are passed over. */
export function parseCapabilities(lines: readonly string[]): Capabilities {
  const keywords = new Map<string, string>();
  for (const line of lines.slice(1)) {
    // "AUTH=LOGIN" is how servers wrote it before RFC 2554; many still say both.
    const [keyword = '', ...parameters] = line
      .trim()
      .replace(/^AUTH=/i, 'AUTH ')
      .split(/ +/);
    if (keyword.toUpperCase() === 'AUTH') parameters.unshift(keywords.get('AUTH') ?? '');
    keywords.set(keyword.toUpperCase(), parameters.join(' '));
  }
  const size = keywords.get('SIZE');
  const xclient = keywords.get('XCLIENT');
  const deliverBy = keywords.get('DELIVERBY');
  return {
    pipelining: keywords.has('PIPELINING'),
    eightBitMime: keywords.has('8BITMIME'),
    smtpUtf8: keywords.has('SMTPUTF8'),
    dsn: keywords.has('DSN'),
    startTls: keywords.has('STARTTLS'),
    chunking: keywords.has('CHUNKING'),
    binaryMime: keywords.has('BINARYMIME'),
    requireTls: keywords.has('REQUIRETLS'),
    mtPriority: keywords.has('MT-PRIORITY'),
    ...(deliverBy === undefined
      ? {}
      : { deliverByLeast: /^\d{1,9}$/.test(deliverBy) ? Number(deliverBy) : 0 }),
    mechanisms: wordsOf(keywords.get('AUTH')),
    ...(xclient === undefined ? {} : { xclient: wordsOf(xclient) }),
    // A limit that is no number is no limit: the peer will say so itself when a message is too large.
    ...(size === undefined ? {} : { sizeLimit: /^\d{1,15}$/.test(size) ? Number(size) : 0 }),
  };
}

function wordsOf(text: string | undefined): readonly string[] {
  const words = (text ?? '').toUpperCase().split(' ');
  return [...new Set(words)].filter((word) => word !== '');
}
