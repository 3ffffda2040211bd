// What `errno()` of sockets answers: the numbers of this system (<errno.h>), which is Linux in production. Node reports
// failures by name; the numbers come from it, so that no table of ours can differ from the kernel's.

import { constants } from 'node:os';

/** Names of <errno.h> that this folder gives itself; any other that the kernel reported passes through as well. */
export type ErrorName = string;

/** The name of a failure as Node reports it; `EIO` when it has none of the system's. */
export function errorNameOf(error: unknown): ErrorName {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return 'EIO';
  if (code in constants.errno) return code;
  if (
    code === 'ERR_SOCKET_CLOSED' ||
    code === 'ERR_STREAM_DESTROYED' ||
    code === 'ERR_STREAM_WRITE_AFTER_END'
  )
    return 'EPIPE';
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) return 'EPROTO';
  return code.startsWith('ERR_INVALID') || code === 'ERR_SOCKET_BAD_PORT' ? 'EINVAL' : 'EIO';
}

/** The number of a name. */
export function errorNumber(name: ErrorName): number {
  return (constants.errno as Readonly<Record<string, number>>)[name] ?? constants.errno.EIO;
}
