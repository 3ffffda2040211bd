// Opening the control socket. The file of a daemon that is dead is replaced, that of a living one is not; and at no moment has the
// file more permissions, or another owner with them, than it is to have.

import { chmodSync, chownSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import type { ControlSocketSettings } from '../../config/control.js';
import { groupIdOf, userIdOf } from '../../host/accounts.js';
import {
  bindAhead,
  isBoundAhead,
  ListenError,
  listen,
  type SocketBinder,
} from '../../smtp/edge/listeners.js';

/** What the system allows for the path of a socket. */
const LONGEST_PATH = 107;
const setting = 'environment.controlsocket';
const words = { subject: 'the control socket', setting };

/** Binds it for a daemon that may not do so later; its file belongs to `others` where nothing else is said. @throws ListenError */
export async function bindControlSocket(
  settings: ControlSocketSettings,
  binder: SocketBinder,
  others: SocketOwner,
): Promise<void> {
  if (settings.path === undefined) {
    await bindAhead(words, settings, binder);
    return;
  }
  const owner = ownerOf(settings, settings.path);
  await bindAhead(words, { path: settings.path, mode: 0o600 }, binder);
  giveAway(settings, settings.path, { ...others, ...owner });
}

/** Opens it. @returns where it is, for a person. @throws ListenError with advice */
export async function openControlSocket(server: Server, settings: ControlSocketSettings): Promise<string> {
  if (settings.path === undefined) {
    await listen(server, words, settings);
    const { address, port } = server.address() as AddressInfo;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  }
  const { path, mode } = settings;
  const owner = ownerOf(settings, path);
  // Then the file has its owner and permissions already.
  const isBound = isBoundAhead({ path });
  const isGivenAway = owner.uid !== undefined || owner.gid !== undefined;
  await listen(server, words, { path, mode: isGivenAway ? 0o600 : mode });
  if (isBound || !isGivenAway) return path;
  try {
    giveAway(settings, path, owner);
  } catch (error) {
    server.close();
    throw error;
  }
  return path;
}

/** Whose the file is to be; what is not said stays as it is. */
export interface SocketOwner {
  readonly uid?: number;
  readonly gid?: number;
}

function ownerOf({ owner, group }: ControlSocketSettings, path: string): SocketOwner {
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new ListenError(
      `the control socket cannot listen on ${path}: the path has ${Buffer.byteLength(path)} bytes, and the system allows ${LONGEST_PATH}. Choose a shorter ${setting}.path in smtpd.yaml`,
    );
  return {
    ...(owner === undefined ? {} : { uid: userIdOf(owner) ?? unknown('user', owner, '/etc/passwd') }),
    ...(group === undefined ? {} : { gid: groupIdOf(group) ?? unknown('group', group, '/etc/group') }),
  };
}

function giveAway({ mode, owner, group }: ControlSocketSettings, path: string, to: SocketOwner): void {
  const { uid = -1, gid = -1 } = to;
  try {
    chownSync(path, uid, gid);
    chmodSync(path, mode);
  } catch (error) {
    const whom = [owner, group].filter(Boolean).join(':') || `${uid}:${gid}`;
    throw new ListenError(
      `the control socket ${path} cannot be given to ${whom}: ${(error as Error).message}. Change ${setting}.owner or .group in smtpd.yaml`,
      { cause: error },
    );
  }
}

function unknown(what: string, name: string, file: string): never {
  throw new ListenError(
    `the control socket cannot be given to the ${what} ${JSON.stringify(name)}: ${file} does not have it. Change ${setting} in smtpd.yaml`,
  );
}
