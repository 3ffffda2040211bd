// Opening listeners, of whatever kind of server: on TCP, or on a UNIX socket, which leaves a file behind when its daemon is
// killed. A daemon that will give up root binds its sockets ahead (src/host): then they are taken from here.

import { existsSync, lstatSync, rmSync, unlinkSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import { dirname } from 'node:path';
import process from 'node:process';
import { getSystemErrorName } from 'node:util';
import type { HostLibrary } from '../../native/index.js';
import type { ListenerOptions } from '../options.js';

/** A listener could not be opened; the message says what to do. */
export class ListenError extends Error {}

/** How advice calls what listens, and the setting that says where. */
export interface ListenWords {
  readonly subject: string;
  readonly setting: string;
}

/** What binds sockets without listening on them. */
export type SocketBinder = Pick<HostLibrary, 'bindSocket' | 'bindPath'>;

/** Where a socket is to be, and with what permissions. */
type Place = Pick<ListenerOptions, 'path' | 'address' | 'port' | 'mode'>;

/** Descriptors of bound sockets of this process, by their places. */
const boundAhead = new Map<string, number[]>();

/**
 * Binds the socket of a listener that will be opened later, when this process may not bind it any more. Until then clients are
 * refused by the system. @throws ListenError with advice
 */
export async function bindAhead(
  whose: string | ListenWords,
  options: Place,
  binder: SocketBinder,
): Promise<void> {
  const { path, address = '', port = 0 } = options;
  const { setting } = wordsOf(whose);
  if (path !== undefined) {
    const obstacle = await clearPath(path, setting);
    if (obstacle !== undefined) throw failure(whose, options, obstacle);
  }
  const descriptor =
    path === undefined
      ? binder.bindSocket(address, port)
      : withUmask(options.mode, () => binder.bindPath(Buffer.from(path).toString('latin1')));
  if (descriptor < 0) {
    const error = { code: getSystemErrorName(descriptor), message: getSystemErrorName(descriptor) };
    throw failure(whose, options, adviceOn(error, path !== undefined, setting));
  }
  const place = placeOf(options);
  boundAhead.set(place, [...(boundAhead.get(place) ?? []), descriptor]);
}

/** Whether the socket of that listener has been bound, and waits to be opened. */
export function isBoundAhead(options: Place): boolean {
  return boundAhead.has(placeOf(options));
}

function takeBoundAhead(options: Place): number | undefined {
  const place = placeOf(options);
  const [first, ...others] = boundAhead.get(place) ?? [];
  if (others.length > 0) boundAhead.set(place, others);
  else boundAhead.delete(place);
  return first;
}

function wordsOf(whose: string | ListenWords): ListenWords {
  return typeof whose === 'string'
    ? { subject: `server "${whose}"`, setting: 'servers[].listeners[]' }
    : whose;
}

function failure(whose: string | ListenWords, options: Place, why: string, cause?: unknown): ListenError {
  return new ListenError(`${wordsOf(whose).subject} cannot listen on ${placeOf(options)}: ${why}`, { cause });
}

/** Opens one listener: of the server with that id, or of something else. @throws ListenError with advice */
export async function listen(
  listener: Server,
  whose: string | ListenWords,
  options: ListenerOptions,
): Promise<void> {
  const { path, address, port = 0, backlog } = options;
  const { setting } = wordsOf(whose);
  const fail = (why: string, cause?: unknown): ListenError => failure(whose, options, why, cause);
  const more = backlog === undefined ? {} : { backlog };
  try {
    const fd = takeBoundAhead(options);
    if (fd !== undefined) {
      await openedBy(listener, (then) => listener.listen({ fd }, backlog, then));
      if (path !== undefined) takeForOurs(listener, path);
      return;
    }
    if (path === undefined) {
      await opened(listener, { port, ...(address === undefined ? {} : { host: address }), ...more });
      return;
    }
    const obstacle = await clearPath(path, setting);
    if (obstacle !== undefined) throw fail(obstacle);
    await withUmask(options.mode, () => opened(listener, { path, ...more }));
  } catch (error) {
    if (error instanceof ListenError) throw error;
    throw fail(adviceOn(error as NodeJS.ErrnoException, path !== undefined, setting), error);
  }
}

function placeOf({ path, address, port }: Place): string {
  if (path !== undefined) return path;
  return address === undefined ? `port ${port}` : `${address} port ${port}`;
}

function opened(listener: Server, where: ListenOptions): Promise<void> {
  return openedBy(listener, (then) => listener.listen(where, then));
}

function openedBy(listener: Server, begin: (then: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    begin(() => {
      listener.removeListener('error', reject);
      resolve();
    });
  });
}

/** Of a UNIX socket that Node has not bound itself it knows no path, and leaves the file behind. */
function takeForOurs(listener: Server, path: string): void {
  listener.address = () => path;
  listener.once('close', () => {
    try {
      rmSync(path, { force: true });
    } catch {
      // In a folder of root: the next start clears it away.
    }
  });
}

/** The socket is made inside the call, so it never has other permissions than these. */
function withUmask<T>(mode: number | undefined, run: () => T): T {
  if (mode === undefined) return run();
  const before = process.umask(~mode & 0o777);
  try {
    return run();
  } finally {
    process.umask(before);
  }
}

/** Removes the file of a daemon that is gone. @returns why the path cannot be used */
async function clearPath(path: string, setting: string): Promise<string | undefined> {
  const folder = dirname(path);
  // Said here: libuv takes it for a lack of permission.
  if (!existsSync(folder))
    return `the folder ${folder} does not exist. Make it, or change ${setting}.path in smtpd.yaml`;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (!found.isSocket())
    return `there is something else than a socket. Move it away, or change ${setting}.path in smtpd.yaml`;
  if (await isAnswered(path))
    return `another program has it. Stop that program, or change ${setting}.path in smtpd.yaml`;
  unlinkSync(path);
  return undefined;
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect({ path });
    client.once('connect', () => {
      client.destroy();
      resolve(true);
    });
    // Refused: nobody listens. Anything else (no permission) leaves the file alone, and listening tells what is wrong.
    client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}

function adviceOn(
  error: Pick<NodeJS.ErrnoException, 'code' | 'message'>,
  isPath: boolean,
  setting: string,
): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `another program has it. Stop that program, or change ${setting} in smtpd.yaml`;
    case 'EACCES':
      return isPath
        ? 'not allowed. The folder must be writable for the user that the daemon runs as'
        : 'not allowed. Ports below 1024 need root or the capability CAP_NET_BIND_SERVICE';
    case 'EADDRNOTAVAIL':
      return `this machine does not have that address. Change ${setting}.address in smtpd.yaml`;
    default:
      return error.message;
  }
}
