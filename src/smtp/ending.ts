// How a session ended, as the disconnect hook is told.

import type { SessionEnding } from '#hooks';
import type { Reply } from './reply.js';

/** An error of node:net, or of node:tls, which has OpenSSL's words for it. */
type WireError = NodeJS.ErrnoException & { readonly library?: string; readonly reason?: string };

/** Who closed, the last reply with the command it answered, and the socket's error if there was one. */
export function sessionEnding(
  close: 'local' | 'remote',
  reply: Reply | undefined,
  state: string,
  error: WireError | undefined,
): SessionEnding {
  return {
    close,
    ...(reply === undefined
      ? undefined
      : { reply: { code: reply.code, enhanced: reply.enhanced, lines: reply.lines, state } }),
    ...(error === undefined ? undefined : { error: endingError(error) }),
  };
}

function endingError(error: WireError): NonNullable<SessionEnding['error']> {
  const { library, reason, message, errno } = error;
  if (library === undefined) {
    const code = typeof errno === 'number' ? { code: Math.abs(errno) } : undefined;
    return { reason: message, type: 'socket', ...code };
  }
  // node:tls has OpenSSL's number in its text only: error:0A00010B:SSL routines:...
  const number = /error:([0-9a-f]{8})(?::|$)/i.exec(message)?.[1];
  const code = number === undefined ? undefined : { code: Number.parseInt(number, 16) };
  return { reason: reason ?? message, type: 'tls', ...code };
}
