import { readFileSync } from 'node:fs';

/** How many files this process may have open, as the system says; undefined where it does not say. */
export function openFilesLimit(): number | undefined {
  try {
    const match = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return match === null
      ? undefined
      : match[1] === 'unlimited'
        ? Number.POSITIVE_INFINITY
        : Number(match[1]);
  } catch {
    return undefined;
  }
}

/** What to tell the operator when `environment.rlimit.nofile` is out of reach, or undefined. */
export function openFilesWarning(wanted: number | undefined): string | undefined {
  const limit = openFilesLimit();
  if (wanted === undefined || limit === undefined || limit >= wanted) return undefined;
  return `environment.rlimit.nofile asks for ${wanted} open files, the system allows ${limit}; raise LimitNOFILE of the service, or ulimit -n`;
}
