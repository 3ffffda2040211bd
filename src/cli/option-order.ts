// Where options may stand that all commands have: `argonite -s PATH queue list`, `argonite queue -s PATH list`.

/** Commands that only hold others. */
const groups: ReadonlySet<string> = new Set(
  'queue policy suspend delivery config livestage connection hsl memory cache rate resolver'.split(' '),
);
const withValue: ReadonlySet<string> = new Set([
  '-s',
  '--socket',
  '-c',
  '--config',
  '--tls-ca',
  '--tls-cert',
  '--tls-key',
]);

/**
 * Options that all commands have may stand before the command and between its words (control-api 7): they are put behind its last
 * word, where it has them. Without a command there is nobody to have them, and the group shows its help.
 */
export function globalsLast(args: readonly string[]): string[] {
  const words: string[] = [];
  const globals: string[] = [];
  let at = 0;
  for (; at < args.length; at++) {
    const one = args[at]!;
    if (withValue.has(one)) globals.push(...args.slice(at, ++at + 1));
    else if (one === '--no-color' || withValue.has(one.replace(/=.*/s, ''))) globals.push(one);
    else if (one.startsWith('-')) break;
    else {
      words.push(one);
      if (groups.has(one)) continue;
      at++;
      return [...words, ...globals, ...args.slice(at)];
    }
  }
  return [...words, ...args.slice(at)];
}
