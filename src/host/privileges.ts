// Giving up root, for good. The order is the whole matter: groups first, while that is still allowed, the user last; and then the
// system is asked whether there is a way back, since a daemon that believes it is harmless and is not is worse than one that
// never tried.

import process from 'node:process';
import type { PrivdropSettings } from '../config/privdrop.js';

/** Root could not be given up, or not with what else is asked; the message says what to do. */
export class PrivilegeError extends Error {}

/** The calls of Node that change who a process is. On Linux they act on all of its threads. */
export interface Identity {
  initgroups(user: string, group: number): void;
  setgroups(groups: readonly number[]): void;
  setgid(id: number): void;
  setuid(id: number): void;
  getuid(): number;
  geteuid(): number;
  getgid(): number;
  getegid(): number;
  getgroups(): number[];
}

/** Who this process is; undefined where there are no users. */
export function processIdentity(): Identity | undefined {
  const { initgroups, setgroups, setgid, setuid, getuid, geteuid, getgid, getegid, getgroups } =
    process as NodeJS.Process & Partial<Pick<Identity, 'initgroups'>>;
  if (
    !initgroups ||
    !setgroups ||
    !setgid ||
    !setuid ||
    !getuid ||
    !geteuid ||
    !getgid ||
    !getegid ||
    !getgroups
  )
    return undefined;
  return { initgroups, setgroups, setgid, setuid, getuid, geteuid, getgid, getegid, getgroups };
}

/** Becomes that user, with that group and those that the host says the user is in. @throws PrivilegeError */
export function dropPrivileges(to: PrivdropSettings, identity: Identity): void {
  const { user, uid, gid } = to;
  try {
    // A number that no user has is in no groups.
    if (user === String(uid)) identity.setgroups([gid]);
    else identity.initgroups(user, gid);
    identity.setgid(gid);
    identity.setuid(uid);
  } catch (error) {
    throw new PrivilegeError(
      `root cannot be given up for the user ${user} (environment.privdrop): ${(error as Error).message}. Start the daemon as root with CAP_SETUID and CAP_SETGID, or as ${user} and without "privdrop"`,
      { cause: error },
    );
  }
  const left = remains(to, identity);
  if (left !== undefined)
    throw new PrivilegeError(
      `root was given up for the user ${user} (environment.privdrop), but ${left}. Start the daemon as ${user} and without "privdrop"`,
    );
}

/** What this process still has of root. */
function remains({ uid, gid }: PrivdropSettings, identity: Identity): string | undefined {
  if (identity.getuid() !== uid || identity.geteuid() !== uid)
    return `the process is user ${identity.getuid()}, as for files ${identity.geteuid()}`;
  if (identity.getgid() !== gid || identity.getegid() !== gid)
    return `the process has the group ${identity.getgid()}, as for files ${identity.getegid()}`;
  if (identity.getgroups().includes(0)) return 'the user is in the group root';
  try {
    identity.setuid(0);
  } catch {
    return undefined;
  }
  return 'the process could become root again';
}
