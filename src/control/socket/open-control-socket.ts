// Opening the control socket. The file of a daemon that is dead is replaced, that of a living one is not; and at no moment has the
// file more permissions, or another owner with them, than it is to have.

import { chmodSync, chownSync, readFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import type { ControlSocketSettings } from '../../config/control.js';
import { ListenError, listen } from '../../smtp/edge/listeners.js';

/** What the system allows for the path of a socket. */
const LONGEST_PATH = 107;
const setting = 'environment.controlsocket';

/** Opens it. @returns where it is, for a person. @throws ListenError with advice */
export async function openControlSocket(server: Server, settings: ControlSocketSettings): Promise<string> {
  const words = { subject: 'the control socket', setting };
  if (settings.path === undefined) {
    await listen(server, words, settings);
    const { address, port } = server.address() as AddressInfo;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  }
  const { path, mode, owner, group } = settings;
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new ListenError(
      `the control socket cannot listen on ${path}: the path has ${Buffer.byteLength(path)} bytes, and the system allows ${LONGEST_PATH}. Choose a shorter ${setting}.path in smtpd.yaml`,
    );
  const isGivenAway = owner !== undefined || group !== undefined;
  const uid = owner === undefined ? -1 : idOf(owner, '/etc/passwd', 'user');
  const gid = group === undefined ? -1 : idOf(group, '/etc/group', 'group');
  await listen(server, words, { path, mode: isGivenAway ? 0o600 : mode });
  if (!isGivenAway) return path;
  try {
    chownSync(path, uid, gid);
    chmodSync(path, mode);
  } catch (error) {
    server.close();
    throw new ListenError(
      `the control socket ${path} cannot be given to ${[owner, group].filter(Boolean).join(':')}: ${(error as Error).message}. Change ${setting}.owner or .group in smtpd.yaml`,
      { cause: error },
    );
  }
  return path;
}

/** The number of a user or a group: a number, or a name in the system's file. */
function idOf(name: string, file: string, what: string): number {
  if (/^[0-9]{1,9}$/.test(name)) return Number(name);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [found, , id] = line.split(':');
    if (found === name && id !== undefined) return Number(id);
  }
  throw new ListenError(
    `the control socket cannot be given to the ${what} ${JSON.stringify(name)}: ${file} does not have it. Change ${setting} in smtpd.yaml`,
  );
}
