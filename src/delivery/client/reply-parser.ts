// Turns the bytes of a peer into SMTP replies (RFC 5321 §4.2). Pure: no socket, no clock, and a bounded memory whatever
// the peer sends. The parser is as strict as needed to never mistake one reply for another, and lenient in what does no
// harm: a bare LF ends a line, a line may be longer than RFC 5321 allows, text may hold any byte.

import type { EnhancedStatus } from '#hooks';

/** One reply of the peer, all its lines. */
export interface Reply {
  /** 200 to 599. */
  readonly code: number;
  /** As sent, even where its class contradicts the code. */
  readonly enhanced?: EnhancedStatus;
  /** The text of each line without code and enhanced status: one character per byte, control characters as `?`. */
  readonly lines: readonly string[];
}

/** Bounds that no honest peer comes near; a peer that does is given up before it costs memory. */
export const replyLimits = {
  lineBytes: 2048, // RFC 5321 §4.5.3.1.5 says 512; some servers explain themselves at length
  lines: 500,
  replyBytes: 64 * 1024,
} as const;

const LF = 10;
const CR = 13;
const SPACE = 32;
const HYPHEN = 45;
const ZERO = 48;

const ENHANCED_STATUS = /^([245])\.(\d{1,3})\.(\d{1,3})(?: |$)/; // RFC 3463 §2, in the place RFC 2034 §4 gives it
const CONTROL_CHARACTERS = /[\x00-\x1f\x7f]/g;

/** What was received, fit to be shown in a message to a person: printable and short. */
function showReceived(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, 60).replace(/[^\x20-\x7e]/g, '?');
  return bytes.length > 60 ? `"${text}..." (${bytes.length} bytes)` : `"${text}"`;
}

/** Reads replies from chunks of any size. After a fault the connection cannot be used any more. */
export class ReplyParser {
  #partialLine: Buffer | undefined;
  #code = 0;
  #lines: string[] = [];
  #replyBytes = 0;
  #isConcealing = false;
  #fault: string | undefined;

  /** Whether bytes of an unfinished reply have been seen. */
  get isMidReply(): boolean {
    return this.#lines.length > 0 || this.#partialLine !== undefined;
  }

  /** From now on what is no reply is not shown: it may be an echo of a password. */
  conceal(): void {
    this.#isConcealing = true;
  }

  /** Takes the next bytes and appends each finished reply to `replies`. Returns what is wrong with the bytes, if anything. */
  push(chunk: Buffer, replies: Reply[]): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    const bytes = this.#partialLine === undefined ? chunk : Buffer.concat([this.#partialLine, chunk]);
    this.#partialLine = undefined;
    let start = 0;
    while (start < bytes.length) {
      const lineFeed = bytes.indexOf(LF, start);
      const end = lineFeed === -1 ? bytes.length : lineFeed;
      if (end - start > replyLimits.lineBytes) {
        return this.#giveUp(`a reply line longer than ${replyLimits.lineBytes} bytes`);
      }
      if (lineFeed === -1) {
        // A copy, so that two bytes do not keep a whole 64 KiB chunk alive.
        this.#partialLine = Buffer.from(bytes.subarray(start));
        return undefined;
      }
      const fault = this.#takeLine(
        bytes.subarray(start, end > start && bytes[end - 1] === CR ? end - 1 : end),
        replies,
      );
      if (fault !== undefined) return this.#giveUp(fault);
      start = lineFeed + 1;
    }
    return undefined;
  }

  #takeLine(line: Buffer, replies: Reply[]): string | undefined {
    const code = replyCode(line);
    if (code === undefined) {
      return `a reply line must begin with a code from 200 to 599, got ${this.#show(line)}`;
    }
    const isFirst = this.#lines.length === 0;
    if (isFirst) this.#code = code;
    // RFC 5321 §4.2.1: every line carries the same code. Taking either of two codes could bounce or lose a message.
    else if (code !== this.#code) {
      return `a multi-line reply must repeat its code, got ${this.#show(line)} after ${this.#code}`;
    }
    const separator = line[3];
    if (separator !== undefined && separator !== SPACE && separator !== HYPHEN) {
      return `a reply code must be followed by a space or a hyphen, got ${this.#show(line)}`;
    }
    this.#replyBytes += line.length;
    if (this.#lines.length === replyLimits.lines || this.#replyBytes > replyLimits.replyBytes) {
      return `a reply of more than ${replyLimits.lines} lines or ${replyLimits.replyBytes} bytes`;
    }
    this.#lines.push(line.toString('latin1', 4).replace(CONTROL_CHARACTERS, '?'));
    if (separator === HYPHEN) return undefined;
    replies.push(finishReply(code, this.#lines));
    this.#lines = [];
    this.#replyBytes = 0;
    return undefined;
  }

  #show(line: Buffer): string {
    return this.#isConcealing ? `${line.length} bytes, not shown after a log-in` : showReceived(line);
  }

  #giveUp(fault: string): string {
    this.#fault = fault;
    this.#partialLine = undefined;
    this.#lines = [];
    return fault;
  }
}

function replyCode(line: Buffer): number | undefined {
  if (line.length < 3) return undefined;
  let code = 0;
  for (let index = 0; index < 3; index++) {
    const digit = (line[index] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    code = code * 10 + digit;
  }
  return code >= 200 && code <= 599 ? code : undefined;
}

function finishReply(code: number, lines: string[]): Reply {
  const match = ENHANCED_STATUS.exec(lines[0] ?? '');
  if (match === null) return { code, lines };
  const prefix = `${match[1]}.${match[2]}.${match[3]}`;
  return {
    code,
    enhanced: [Number(match[1]), Number(match[2]), Number(match[3])],
    // RFC 2034 §4 puts the status on each line; some servers have it on the first only.
    lines: lines.map((line) =>
      line.startsWith(prefix) && (line.length === prefix.length || line[prefix.length] === ' ')
        ? line.slice(prefix.length + 1)
        : line,
    ),
  };
}
