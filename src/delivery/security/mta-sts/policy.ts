// An MTA-STS policy: the file and its meaning (RFC 8461 3.2). KEEP IN STEP: the module extras://mta-sts reads by the same
// rules, and both read the same files in the tests.
//
// Lines are `name: value`, ended by LF or CRLF, each name counted at its first occurrence, `mx` at every. A file with a line
// that is none of that is no policy: better none than half of one.

import { domainToAscii } from '#stdlib';

/** What the file says. */
export interface StsPolicy {
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Host names in A-labels, lower case; `*.a.test` is any name of one label more. */
  readonly mx: readonly string[];
  /** Seconds it holds from when it was fetched, at most a year. */
  readonly maxAgeSeconds: number;
}

/** RFC 8461 3.2: no policy holds longer. */
export const LONGEST_AGE_SECONDS = 31_557_600;
/** RFC 8461 3.3: what a file may have. */
export const LARGEST_FILE_BYTES = 65_536;
/** Hosts beyond this are not one domain's. */
const MOST_HOSTS = 1000;

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;
const HOST = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** Reads the file, one character per byte. @returns why it is no policy, in a sentence's middle */
export function parsePolicy(text: string): StsPolicy | { readonly problem: string } {
  if (text.length > LARGEST_FILE_BYTES) return { problem: 'it is larger than 64 KiB' };
  const fields = new Map<string, string>();
  const mx: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    const name = withoutBlanks(line.slice(0, Math.max(colon, 0)), false);
    if (!NAME.test(name)) return { problem: 'it has a line that is no field' };
    const value = withoutBlanks(line.slice(colon + 1));
    if (name === 'mx') mx.push(value);
    else if (!fields.has(name)) fields.set(name, value);
  }
  const mode = fields.get('mode');
  const age = fields.get('max_age') ?? '';
  if (fields.get('version') !== 'STSv1') return { problem: 'it is not of version STSv1' };
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none')
    return { problem: 'it has no mode out of enforce, testing, none' };
  if (!/^\d{1,10}$/.test(age)) return { problem: 'it has no max_age in seconds' };
  if (mx.length === 0 && mode !== 'none') return { problem: 'it names no mx' };
  if (mx.length > MOST_HOSTS) return { problem: `it names more than ${MOST_HOSTS} mx` };
  const hosts = mx.map(hostPattern);
  if (!hosts.every((host) => host !== undefined)) return { problem: 'it names an mx that is no host name' };
  return { mode, mx: hosts, maxAgeSeconds: Math.min(Number(age), LONGEST_AGE_SECONDS) };
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Without blanks and tabs around it. By hand: expressions that look for a run before an end try every run there is. */
export function withoutBlanks(text: string, inFrontToo = true): string {
  let [start, end] = [0, text.length];
  while (inFrontToo && start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A pattern for comparing: names that are not ASCII, which should not be there, are meant as their A-labels. */
function hostPattern(value: string): string | undefined {
  const isWildcard = value.startsWith('*.');
  const name = isWildcard ? value.slice(2) : value;
  const ascii = /^[\x00-\x7f]*$/.test(name) ? name.toLowerCase() : domainToAscii(name);
  if (ascii === undefined) return undefined;
  const pattern = `${isWildcard ? '*.' : ''}${ascii.replace(/\.$/, '')}`;
  return HOST.test(pattern) && pattern.length <= 255 ? pattern : undefined;
}

/** Whether a mail host is one of the policy's (RFC 8461 4.1): a wildcard stands for the whole leftmost label, and only for it. */
export function matchesPolicy(host: string, { mx }: StsPolicy): boolean {
  const name = host.replace(/\.$/, '').toLowerCase();
  const dot = name.indexOf('.');
  return mx.some((pattern) =>
    pattern.startsWith('*.') ? dot > 0 && name.slice(dot) === pattern.slice(1) : name === pattern,
  );
}

/** The lines as a report repeats them (RFC 8460 4.4). */
export function policyLines({ mode, mx, maxAgeSeconds }: StsPolicy): string[] {
  return ['version: STSv1', `mode: ${mode}`, ...mx.map((host) => `mx: ${host}`), `max_age: ${maxAgeSeconds}`];
}
