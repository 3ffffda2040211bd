import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { native, type PasswordLibrary } from '../../../src/native/index.js';
import { passwordLibrary } from '../../../src/native/password-library.js';
import { skipReason } from '../../support/peers.js';

function passwords(): PasswordLibrary {
  const part = native().passwords;
  if (part.kind === 'missing') throw new Error(part.problem);
  return part.part;
}

test('hashes of the documents of their inventors come out', async () => {
  // SHA-crypt.txt of Ulrich Drepper and the test vectors of bcrypt; openssl passwd and Python agree.
  expect(await passwords().cryptPassword('Hello world!', '$6$saltstring')).toBe(
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  );
  expect(await passwords().cryptPassword('Hello world!', '$5$saltstring')).toBe(
    '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5',
  );
  expect(await passwords().cryptPassword('U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.')).toBe(
    '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  );
});

test.skipIf(skipReason('openssl'))('openssl comes to the same', async () => {
  for (const [flag, salt] of [
    ['-6', '$6$pepper'],
    ['-5', '$5$pepper'],
    ['-1', '$1$pepper'],
  ] as const) {
    const theirs = execFileSync('openssl', ['passwd', flag, '-salt', 'pepper', 'p\xe5ss'.normalize()], {
      encoding: 'utf8',
    }).trim();
    const ours = await passwords().cryptPassword(Buffer.from('p\xe5ss', 'utf8').toString('latin1'), salt);
    expect(ours).toBe(theirs);
  }
});

test('a stored hash is the salt of its check', async () => {
  const stored = await passwords().cryptPassword('secret', '$y$j9T$abcdefgh');
  expect(stored).toMatch(/^\$y\$j9T\$abcdefgh\$/);
  expect(await passwords().cryptPassword('secret', stored!)).toBe(stored);
  expect(await passwords().cryptPassword('Secret', stored!)).not.toBe(stored);
});

test('what the system does not know, what is too long and what holds a NUL has no hash', async () => {
  for (const salt of ['$99$x', '*0', '*1', '', '$', 'x'.repeat(385), '$6$a\0b$'])
    expect(await passwords().cryptPassword('secret', salt), JSON.stringify(salt)).toBeUndefined();
  expect(await passwords().cryptPassword('x'.repeat(513), '$6$saltsalt$')).toBeUndefined();
  expect(await passwords().cryptPassword('a\0b', '$6$saltsalt$')).toBeUndefined();
  expect(await passwords().cryptPassword('x'.repeat(511), '$6$rounds=1000$s$')).toMatch(/^\$6\$/);
});

test('many at once all get their own hash, while the event loop goes on', async () => {
  let turns = 0;
  const clock = setInterval(() => turns++, 1);
  const salts = Array.from({ length: 12 }, (_, i) => `$6$rounds=20000$salt${i}`);
  const hashes = await Promise.all(salts.map((salt) => passwords().cryptPassword('x', salt)));
  clearInterval(clock);
  hashes.forEach((hash, i) => {
    expect(hash?.startsWith(`${salts[i]}$`)).toBe(true);
  });
  expect(turns).toBeGreaterThan(3);
});

test('no more than two run at once, first come first served, also when one fails', async () => {
  const running: string[] = [];
  const order: string[] = [];
  const ends = new Map<string, (failed: boolean) => void>();
  const library = passwordLibrary({
    crypt: (password: string) =>
      new Promise((resolve, reject) => {
        running.push(password);
        order.push(password);
        ends.set(password, (failed) => {
          running.splice(running.indexOf(password), 1);
          if (failed) reject(new Error('broken'));
          else resolve(password);
        });
      }),
  })!;
  const results = ['a', 'b', 'c', 'd'].map((name) => library.cryptPassword(name, '').catch(() => 'failed'));
  expect(running).toEqual(['a', 'b']);
  ends.get('b')!(true);
  expect(await results[1]).toBe('failed');
  expect(running).toEqual(['a', 'c']);
  ends.get('a')!(false);
  ends.get('c')!(false);
  await results[2];
  await new Promise(setImmediate);
  ends.get('d')!(false);
  expect(await Promise.all(results)).toEqual(['a', 'failed', 'c', 'd']);
  expect(order).toEqual(['a', 'b', 'c', 'd']);
});

test('an addon without passwords is told from one that has them', () => {
  expect(passwordLibrary(undefined)).toBeUndefined();
  expect(passwordLibrary({})).toBeUndefined();
});
