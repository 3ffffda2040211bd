// Whether a domain lies in another, by whole labels.

import { lowerCaseAscii } from '../mail/addresses/mailbox.js';

/**
 * Whether `domain` is `parent` or lies below it. A parent that begins with a dot does not include itself. Case of ASCII
 * letters does not matter, nor does the root's dot at the end; nothing lies in the empty domain.
 */
export function domainIncludes(parent: string, domain: string): boolean {
  const isOnlyBelow = parent.startsWith('.');
  const name = plainName(isOnlyBelow ? parent.slice(1) : parent);
  const lower = plainName(domain);
  if (name === '') return false;
  if (lower === name) return !isOnlyBelow;
  return lower.length > name.length + 1 && lower.endsWith(`.${name}`);
}

function plainName(domain: string): string {
  return lowerCaseAscii(domain.endsWith('.') ? domain.slice(0, -1) : domain);
}
