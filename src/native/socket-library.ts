// Calls on sockets as native/sockets.cc offers them, typed.

/** What Node lacks. */
export interface SocketLibrary {
  /** The user id of the process at the other end of a UNIX socket; undefined for other descriptors. */
  peerUser(descriptor: number): number | undefined;
  /**
   * A TCP socket, not connected yet, that comes from an address which need not be of this machine: its descriptor, or an errno below 0.
   */
  nonlocalSocket(ip: string): number;
}

/** Types the addon's object; undefined when it is something else (an older build). */
export function socketLibrary(from: unknown): SocketLibrary | undefined {
  return isLibrary(from) ? from : undefined;
}

function isLibrary(value: unknown): value is SocketLibrary {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<SocketLibrary>).peerUser === 'function' &&
    typeof (value as Partial<SocketLibrary>).nonlocalSocket === 'function'
  );
}
