// Whom the daemon becomes once its ports are bound (queue-and-config 8.3). A name that the host does not know is told here, at its
// line: a daemon that stays root by mistake must not start.

import { findUser, groupIdOf } from '../host/accounts.js';
import type { ConfigDocument } from './document.js';
import type { ConfigProblem } from './problem.js';
import type { SmtpdFile } from './schema/smtpd.js';

/** A user and a group that are not root's. */
export interface PrivdropSettings {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string | undefined;
}

const at = ['environment', 'privdrop'] as const;

/** Reads `environment.privdrop`; undefined when it is absent or wrong. */
export function privdropSettings(
  smtpd: ConfigDocument<SmtpdFile>,
  problems: ConfigProblem[],
): PrivdropSettings | undefined {
  const setting = smtpd.value.environment?.privdrop;
  if (setting === undefined) return undefined;
  const tell = (key: 'user' | 'group', message: string): undefined => {
    problems.push(smtpd.problemAt([...at, key], message));
  };
  const user = findUser(setting.user);
  if (user === undefined)
    return tell(
      'user',
      `this host has no user ${JSON.stringify(setting.user)} in /etc/passwd; expected the name or number of a user. Make it (useradd --system), or name another`,
    );
  if (user.uid === 0)
    return tell('user', 'found root; expected a user without the rights of root, or no "privdrop"');
  const gid = setting.group === undefined ? user.gid : groupIdOf(setting.group);
  if (gid === undefined)
    return setting.group === undefined
      ? tell('user', `the user ${user.name} has no group of its own; expected "group" beside it`)
      : tell(
          'group',
          `this host has no group ${JSON.stringify(setting.group)} in /etc/group; expected the name or number of a group. Make it (groupadd --system), or name another`,
        );
  if (gid === 0)
    return tell(
      setting.group === undefined ? 'user' : 'group',
      'found the group root; expected one without the rights of root',
    );
  return { user: user.name, uid: user.uid, gid, home: user.home };
}
