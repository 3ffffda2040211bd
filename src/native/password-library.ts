// crypt(3) as native/passwords.cc offers it, typed, and a bound on how many of libuv's four threads it may hold: while it
// works, files and names are looked up on the others.

/** Hashes passwords; in the shape of the library's `NativeServices`. */
export interface PasswordLibrary {
  /** @returns the hash, or undefined when the system has none for this salt, or one of the two is too long or holds a NUL */
  cryptPassword(password: string, salt: string): Promise<string | undefined>;
}

interface Functions {
  crypt(password: string, salt: string): Promise<string | undefined>;
}

const MOST_AT_ONCE = 2;

/** Types the addon's object; undefined when it is something else (an older build). */
export function passwordLibrary(from: unknown): PasswordLibrary | undefined {
  if (!isFunctions(from)) return undefined;
  const functions = from;
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    async cryptPassword(password, salt) {
      // Who leaves hands his place to the next one; so nobody who comes later gets in between.
      if (running < MOST_AT_ONCE) running++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await functions.crypt(password, salt);
      } finally {
        const next = waiting.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}

function isFunctions(value: unknown): value is Functions {
  return (
    typeof value === 'object' && value !== null && typeof (value as Partial<Functions>).crypt === 'function'
  );
}
