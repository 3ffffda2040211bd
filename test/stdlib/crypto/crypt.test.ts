import { describe, expect, test } from 'vitest';
import { crypt } from '../../../stdlib/crypto/crypt.builtins.js';
import { isAffordableSalt } from '../../../stdlib/crypto/password-cost.js';
import { cpuSeconds } from '../../support/cpu-time.js';
import { FakeContext } from '../../support/fake-context.js';
import { nativeServices } from '../../support/native-services.js';

describe('crypt', () => {
  const context = new FakeContext({ services: { native: nativeServices() } });

  test('checks a password against its stored hash', async () => {
    const stored = await context.callAsync(crypt, 'secret', '$6$saltsalt$');
    expect(await context.callAsync(crypt, 'secret', stored)).toBe(stored);
    expect(await context.callAsync(crypt, 'Secret', stored)).not.toBe(stored);
  });
  test('gives none for salts that are none, and texts that are too long', async () => {
    expect(await context.callAsync(crypt, 'secret', '$99$salt')).toBe(null);
    expect(await context.callAsync(crypt, 'secret', '')).toBe(null);
    expect(await context.callAsync(crypt, 'x'.repeat(1000), '$6$saltsalt$')).toBe(null);
  });
  test('gives none at once for a salt that asks for hours', async () => {
    const seconds = await cpuSeconds(async () => {
      expect(await context.callAsync(crypt, 'secret', '$6$rounds=999999999$salt$')).toBe(null);
    });
    expect(seconds).toBeLessThan(1);
  });
  test('says so where there is no crypt(3), without the password', async () => {
    const bare = new FakeContext();
    const failed = bare.callAsync(crypt, 'my secret', '$6$saltsalt$');
    await expect(failed).rejects.toThrow('crypt: crypt(3) is not available here');
    await expect(failed).rejects.not.toThrow('my secret');
  });
});

test.each([
  // What crypt_gensalt(3) makes by default and at its dearest, as far as it stays within our bounds.
  ['$6$rounds=5000000$x$', true],
  ['$6$rounds=5000001$x$', false],
  ['$5$rounds=99999999999999999999$x', false],
  ['$6$x$', true],
  ['$2b$12$abcdefghijklmnopqrstuu', true],
  ['$2b$17$abcdefghijklmnopqrstuu', true],
  ['$2y$18$abcdefghijklmnopqrstuu', false],
  ['$2$31$abcdefghijklmnopqrstuu', false],
  ['$y$j9T$F5Jx5fExrKuPp53xLKQ..1', true],
  ['$y$jFT$F5Jx5fExrKuPp53xLKQ..1', true],
  ['$y$jGT$F5Jx5fExrKuPp53xLKQ..1', false],
  ['$gy$jzz$F5Jx5fExrKuPp53xLKQ..1', false],
  ['$y$j9T5$F5Jx5fExrKuPp53xLKQ..1', false],
  ['$7$CU..../....2Q9obwLhin8qvQl6sisAO/', true],
  ['$7$ZU..../....2Q9obwLhin8qvQl6sisAO/', false],
  ['$7$CUzzzz/....2Q9obwLhin8qvQl6sisAO/', false],
  ['$sha1$248488$ggu.H673kaZ5$', true],
  ['$sha1$9999999999$ggu.H673kaZ5$', false],
  ['$md5,rounds=4294963199$GUBv0xjJ$', false],
  ['_J9..CCCCXBrJUJV154M', true],
  ['_zzzzCCCC', false],
  ['ab', true],
  ['', true],
  ['nonsense', true],
])('the work that the salt %s asks for is affordable: %s', (salt, affordable) => {
  expect(isAffordableSalt(salt)).toBe(affordable);
});
