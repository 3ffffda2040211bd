// Users and groups of this host, by the names that a configuration gives them. Node can ask the system for ids only while it takes
// them on, which is too late for a check: so the system's own files are read.

import { readFileSync } from 'node:fs';

/** A user of this host. */
export interface User {
  /** As the system has it; a number that no user has is its own name. */
  readonly name: string;
  readonly uid: number;
  /** Its primary group; undefined for a number that no user has. */
  readonly gid: number | undefined;
  readonly home: string | undefined;
}

const isNumber = (text: string): boolean => /^[0-9]{1,9}$/.test(text);

/** A user by name or number; undefined when there is none of that name. */
export function findUser(text: string, file = '/etc/passwd'): User | undefined {
  for (const [name, , uid, gid, , home] of linesOf(file)) {
    const isIt = name === text || (isNumber(text) && Number(uid) === Number(text));
    if (name !== undefined && isIt && isNumber(uid ?? '') && isNumber(gid ?? ''))
      return { name, uid: Number(uid), gid: Number(gid), home: home === '' ? undefined : home };
  }
  return isNumber(text) ? { name: text, uid: Number(text), gid: undefined, home: undefined } : undefined;
}

/** The number of a user, given by name or number; undefined when there is none of that name. */
export function userIdOf(text: string): number | undefined {
  return isNumber(text) ? Number(text) : findUser(text)?.uid;
}

/** The number of a group, given by name or number; undefined when there is none of that name. */
export function groupIdOf(text: string, file = '/etc/group'): number | undefined {
  if (isNumber(text)) return Number(text);
  for (const [name, , gid] of linesOf(file)) if (name === text && isNumber(gid ?? '')) return Number(gid);
  return undefined;
}

function linesOf(file: string): readonly string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    // A host without the file has nobody but numbers.
    return [];
  }
}
