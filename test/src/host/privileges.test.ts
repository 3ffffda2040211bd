import { expect, test } from 'vitest';
import { dropPrivileges, type Identity, PrivilegeError } from '../../../src/host/privileges.js';

/** A process that starts as root; `changes` take the place of what the system does. */
function fakeIdentity(changes: Partial<Identity> = {}): Identity & { readonly calls: string[] } {
  let uid = 0;
  let gid = 0;
  let groups = [0, 4];
  const calls: string[] = [];
  return {
    calls,
    initgroups(user, group) {
      calls.push(`initgroups ${user} ${group}`);
      groups = [group, 33];
    },
    setgroups(to) {
      calls.push(`setgroups ${to.join()}`);
      groups = [...to];
    },
    setgid(id) {
      calls.push(`setgid ${id}`);
      gid = id;
    },
    setuid(id) {
      calls.push(`setuid ${id}`);
      if (uid !== 0 && id !== uid) throw new Error('EPERM: operation not permitted, setuid');
      uid = id;
    },
    getuid: () => uid,
    geteuid: () => uid,
    getgid: () => gid,
    getegid: () => gid,
    getgroups: () => groups,
    ...changes,
  };
}

const mail = { user: 'mail', uid: 8, gid: 12, home: undefined };

test('groups go first, the user last, and then the way back is tried', () => {
  const identity = fakeIdentity();
  dropPrivileges(mail, identity);
  expect(identity.calls).toEqual(['initgroups mail 12', 'setgid 12', 'setuid 8', 'setuid 0']);
  expect(identity.getuid()).toBe(8);
});

test('a number that no user has is in one group only', () => {
  const identity = fakeIdentity();
  dropPrivileges({ ...mail, user: '8' }, identity);
  expect(identity.calls[0]).toBe('setgroups 12');
});

test('what the system refuses is told with what to do', () => {
  const setgid = (): void => {
    throw new Error('EPERM: operation not permitted, setgid');
  };
  const drop = () => dropPrivileges(mail, fakeIdentity({ setgid }));
  expect(drop).toThrow(PrivilegeError);
  expect(drop).toThrow(
    /root cannot be given up for the user mail .*EPERM.*or as mail and without "privdrop"/,
  );
});

test.each<[string, Partial<Identity>, RegExp]>([
  ['the user for files', { geteuid: () => 0 }, /user 8, as for files 0/],
  ['the group', { getgid: () => 0 }, /has the group 0/],
  ['a group of root', { getgroups: () => [12, 0] }, /in the group root/],
])('what is left of root keeps the daemon from starting: %s', (_, changes, message) => {
  expect(() => dropPrivileges(mail, fakeIdentity(changes))).toThrow(message);
});

test('a way back to root keeps the daemon from starting', () => {
  let uid = 0;
  const identity = fakeIdentity({
    setuid: (id) => {
      if (id !== 0) uid = id;
    },
    getuid: () => uid,
    geteuid: () => uid,
  });
  expect(() => dropPrivileges(mail, identity)).toThrow(/could become root again/);
});
