// How a session ended, as the disconnect hook is told.

import type { SessionEnding } from '#hooks';
import type { Reply } from './reply.js';

/** Who closed, the last reply with the command it answered, and the socket's error if there was one. */
export function sessionEnding(
  close: 'local' | 'remote',
  reply: Reply | undefined,
  state: string,
  error: NodeJS.ErrnoException | undefined,
): SessionEnding {
  return {
    close,
    ...(reply === undefined
      ? undefined
      : { reply: { code: reply.code, enhanced: reply.enhanced, lines: reply.lines, state } }),
    ...(error === undefined
      ? undefined
      : {
          error: {
            reason: error.message,
            ...(typeof error.errno === 'number' ? { code: Math.abs(error.errno) } : undefined),
          },
        }),
  };
}
