// Calls of a daemon on its host as native/host.cc offers them, typed. Texts are bytes, one character each.

/** What Node lacks. Every call answers at once; below 0 the answer is an errno. */
export interface HostLibrary {
  /** A TCP socket that is bound and does not listen yet; '' is every address of IPv6 and IPv4. @returns its descriptor */
  bindSocket(ip: string, port: number): number;
  /** A UNIX socket that is bound to a path and does not listen yet. @returns its descriptor */
  bindPath(path: string): number;
  /** Lets the process have at least so many files open. @returns 0 when it may now */
  raiseOpenFiles(count: number): number;
  /** One datagram to a UNIX socket; the name of an abstract one begins with "@". @returns 0 when it was sent */
  sendDatagram(path: string, bytes: string): number;
}

const calls = ['bindSocket', 'bindPath', 'raiseOpenFiles', 'sendDatagram'] as const;

/** Types the addon's object; undefined when it is something else (an older build). */
export function hostLibrary(from: unknown): HostLibrary | undefined {
  return isLibrary(from) ? from : undefined;
}

function isLibrary(value: unknown): value is HostLibrary {
  return (
    typeof value === 'object' &&
    value !== null &&
    calls.every((name) => typeof (value as Partial<HostLibrary>)[name] === 'function')
  );
}
