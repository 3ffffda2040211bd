// The reply that goes on with an exchange.

import { Reply } from '../reply.js';
import { encodeBase64 } from './base64.js';

/** 334 and base64: always one line, however long, and without enhanced status (RFC 4954 §4). */
export class Challenge extends Reply {
  /** `challenge` is not in base64 yet. */
  constructor(challenge: string, code = 334, closes = false) {
    super(code, undefined, [encodeBase64(challenge)], closes);
  }

  override toWire(): string {
    return `${this.code} ${this.lines[0]!}\r\n`;
  }
}
