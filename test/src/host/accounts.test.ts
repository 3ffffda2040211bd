import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findUser, groupIdOf, userIdOf } from '../../../src/host/accounts.js';
import { scratchFolder } from '../../support/scratch-folder.js';

function file(text: string): string {
  const name = path.join(scratchFolder(), 'accounts');
  writeFileSync(name, text);
  return name;
}

test('users are found by name and by number', () => {
  const passwd = file('root:x:0:0:root:/root:/bin/sh\nmail:x:8:12:mail:/var/mail:/bin/false\n');
  const mail = { name: 'mail', uid: 8, gid: 12, home: '/var/mail' };
  expect(findUser('mail', passwd)).toEqual(mail);
  expect(findUser('8', passwd)).toEqual(mail);
  expect(findUser('9', passwd)).toEqual({ name: '9', uid: 9, gid: undefined, home: undefined });
  expect(findUser('x', passwd)).toBeUndefined();
  expect(findUser('', passwd)).toBeUndefined();
});

test('broken lines are nobody', () => {
  const passwd = file('# mail\nmail\nmail:x::12:::\nmail:x:8:no:::\n+@net\n');
  expect(findUser('mail', passwd)).toBeUndefined();
  expect(findUser('mail', path.join(scratchFolder(), 'missing'))).toBeUndefined();
});

test('groups are found by name, and numbers are taken as they are', () => {
  const group = file('root:x:0:\nmail:x:12:a,b\n');
  expect(groupIdOf('mail', group)).toBe(12);
  expect(groupIdOf('77', group)).toBe(77);
  expect(groupIdOf('x', group)).toBeUndefined();
  expect(userIdOf('77')).toBe(77);
});
