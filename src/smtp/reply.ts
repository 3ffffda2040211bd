// An SMTP reply as a value: code, enhanced status, lines, and whether the connection ends with it. What goes on the wire is
// made here and nowhere else, so no byte of a peer or a script can break out of its line.

import { type EnhancedStatus, type ReplyingPhase, type ReplyParts, type ReplyWish, replyParts } from '#hooks';

/** Longest text of one line: 512 bytes with code and line end (RFC 5321 §4.5.3.1.5), and room to spare. */
const longestText = 480;

export class Reply {
  readonly code: number;
  readonly enhanced: EnhancedStatus | undefined;
  readonly lines: readonly string[];
  /** The connection is closed once this is sent. */
  readonly closes: boolean;
  #wire: string | undefined;

  constructor(code: number, enhanced: EnhancedStatus | undefined, lines: readonly string[], closes = false) {
    this.code = code;
    this.enhanced = enhanced;
    this.lines = lines;
    this.closes = closes;
  }

  /** The bytes to send, one per character; made once, since most replies are constants. */
  toWire(): string {
    this.#wire ??= replyToWire(this);
    return this.#wire;
  }

  /** For logs: code, enhanced status and first line. */
  toString(): string {
    const enhanced = this.enhanced === undefined ? '' : `${this.enhanced.join('.')} `;
    return `${this.code} ${enhanced}${this.lines[0] ?? ''}`;
  }
}

/** A reply in words: `reply(503, [5, 5, 1], 'MAIL first')`. */
export function reply(code: number, enhanced: EnhancedStatus | undefined, ...lines: string[]): Reply {
  return new Reply(code, enhanced, lines);
}

/** A reply that ends the session. */
export function lastReply(code: number, enhanced: EnhancedStatus | undefined, ...lines: string[]): Reply {
  return new Reply(code, enhanced, lines, true);
}

/** The same reply, as the session's last. */
export function closing({ code, enhanced, lines }: Reply): Reply {
  return new Reply(code, enhanced, lines, true);
}

/** The reply that an outcome of a phase means. `text` replaces the phase's default text. */
export function outcomeToReply(
  phase: ReplyingPhase<unknown>,
  outcome: ReplyWish & { readonly kind: 'Accept' | 'Reject' | 'Defer' },
  text?: string,
): Reply {
  const defaults = phase.replies[outcome.kind];
  const parts = replyParts(text === undefined ? defaults : { ...defaults, text }, outcome);
  return partsToReply(parts, outcome.disconnect === true);
}

/** A reply from its parts. */
export function partsToReply({ code, enhanced, lines }: ReplyParts, closes: boolean): Reply {
  return new Reply(code, enhanced, lines, closes);
}

function replyToWire({ code, enhanced, lines }: Reply): string {
  const status = enhanced === undefined ? '' : `${enhanced[0]}.${enhanced[1]}.${enhanced[2]} `;
  const texts: string[] = [];
  for (const line of lines.length === 0 ? [''] : lines) {
    const safe = safeText(line);
    for (let at = 0; at === 0 || at < safe.length; at += longestText)
      texts.push(safe.length <= longestText ? safe : safe.slice(at, at + longestText));
  }
  let wire = '';
  const last = texts.length - 1;
  for (let index = 0; index <= last; index++)
    wire += `${code}${index === last ? ' ' : '-'}${status}${texts[index]!}\r\n`;
  return wire;
}

/** Control characters out: a CR or LF would forge a reply, an ESC a terminal. */
function safeText(text: string): string {
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(text) ? text.replace(/[\x00-\x08\x0a-\x1f\x7f]/g, '?') : text;
}
