// A salt of crypt(3) says how much work the hash is. The work cannot be stopped once it has begun, and a salt can ask for
// hours of it or for gigabytes, so those are refused: about ten seconds and 1 GiB are the most.

/** The alphabet in which the salts of crypt(3) write numbers. */
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const MOST_ROUNDS = 5_000_000;
/** Two to this power; doubling every step. */
const MOST_BCRYPT_COST = 17;
/** N of scrypt and yescrypt as a power of two, with blocks of up to 4 KiB (r = 32). */
const MOST_SCRYPT_POWER = 18;
const MOST_SCRYPT_BLOCK = 32;

/** Whether a hash with this salt takes bounded time and memory; a salt that nobody knows takes none. */
export function isAffordableSalt(salt: string): boolean {
  const sha = /^\$[56]\$rounds=(\d+)/.exec(salt) ?? /^\$md5[$,]rounds=(\d+)/.exec(salt);
  if (sha !== null) return Number(sha[1]) <= MOST_ROUNDS;
  const sha1 = /^\$sha1\$(\d+)/.exec(salt);
  if (sha1 !== null) return Number(sha1[1]) <= MOST_ROUNDS;
  const bcrypt = /^\$2[a-z]?\$(\d\d)\$/.exec(salt);
  if (bcrypt !== null) return Number(bcrypt[1]) <= MOST_BCRYPT_COST;
  if (salt.startsWith('_')) return bsdiRounds(salt) <= MOST_ROUNDS;
  if (salt.startsWith('$7$')) return scryptIsAffordable(salt.slice(3));
  const yescrypt = /^\$g?y\$([^$]*)/.exec(salt);
  return yescrypt === null || yescryptIsAffordable(yescrypt[1]!);
}

const digit = (text: string, at: number): number => ALPHABET.indexOf(text.charAt(at) || '?');

/** `_` and four digits, the least significant first. */
function bsdiRounds(salt: string): number {
  return [1, 2, 3, 4].reduce((sum, at) => sum + digit(salt, at) * 64 ** (at - 1), 0);
}

/** One digit for N, five for r, five for p. */
function scryptIsAffordable(parameters: string): boolean {
  const number = (from: number) =>
    [0, 1, 2, 3, 4].reduce((sum, at) => sum + digit(parameters, from + at) * 64 ** at, 0);
  const [power, block, parallel] = [digit(parameters, 0), number(1), number(6)];
  return power <= MOST_SCRYPT_POWER && block * parallel <= MOST_SCRYPT_BLOCK;
}

/** Flags, N, r, and rarely more; we take the form that crypt_gensalt makes: one digit each. */
function yescryptIsAffordable(parameters: string): boolean {
  if (parameters.length !== 3) return false;
  return digit(parameters, 1) + 1 <= MOST_SCRYPT_POWER && digit(parameters, 2) + 1 <= MOST_SCRYPT_BLOCK;
}
