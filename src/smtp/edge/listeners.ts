// Opening listeners, of whatever kind of server: on TCP, or on a UNIX socket, which leaves a file behind when its daemon is
// killed.

import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import { dirname } from 'node:path';
import process from 'node:process';
import type { ListenerOptions } from '../options.js';

/** A listener could not be opened; the message says what to do. */
export class ListenError extends Error {}

/** How advice calls what listens, and the setting that says where. */
export interface ListenWords {
  readonly subject: string;
  readonly setting: string;
}

/** Opens one listener: of the server with that id, or of something else. @throws ListenError with advice */
export async function listen(
  listener: Server,
  whose: string | ListenWords,
  options: ListenerOptions,
): Promise<void> {
  const { path, address, port = 0, backlog } = options;
  const { subject, setting } =
    typeof whose === 'string' ? { subject: `server "${whose}"`, setting: 'servers[].listeners[]' } : whose;
  const fail = (why: string, cause?: unknown): ListenError =>
    new ListenError(`${subject} cannot listen on ${placeOf(options)}: ${why}`, { cause });
  const more = backlog === undefined ? {} : { backlog };
  try {
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

function placeOf({ path, address, port }: ListenerOptions): string {
  if (path !== undefined) return path;
  return address === undefined ? `port ${port}` : `${address} port ${port}`;
}

function opened(listener: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(where, () => {
      listener.removeListener('error', reject);
      resolve();
    });
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

function adviceOn(error: NodeJS.ErrnoException, isPath: boolean, setting: string): string {
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
