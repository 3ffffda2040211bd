// Passwords by the system's crypt(3).

import { builtin, ScriptFault } from '#lang';
import { servicesOf } from '../services.js';
import { isAffordableSalt } from './password-cost.js';

export const crypt = builtin({
  name: 'crypt',
  group: 'crypto',
  summary: 'Hashes a password with crypt(3) of the system.',
  details:
    'A stored hash is the salt of its own check: `crypt($password, $stored) === $stored`. The beginning of the salt chooses the ' +
    'method, `$6$` SHA-512, `$y$` yescrypt, `$2b$` bcrypt. It is slow on purpose, and done on another thread.',
  params: [
    { name: 'key', type: 'string', doc: 'The password, up to 512 bytes.' },
    { name: 'salt', type: 'string', doc: 'Method and salt, or a stored hash; up to 384 bytes.' },
  ],
  returns: 'string|none',
  errors:
    'None for a salt that the system does not know, one that asks for more than about ten seconds or 1 GiB, and texts that are too ' +
    'long or hold a NUL; an exception where crypt(3) is not available.',
  example:
    'crypt("secret", \'\'$6$saltsalt$\'\')  // "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1"',
  since: '4.8',
  source: 'stdlib 6; crypt(5)',
  suspends: true,
  run: async (key, salt, ctx) => {
    const { native } = servicesOf(ctx);
    if (native === undefined)
      throw new ScriptFault('crypt: crypt(3) is not available here: the native addon is not built');
    if (!isAffordableSalt(salt)) return null;
    return (await native.cryptPassword(key, salt)) ?? null;
  },
});
