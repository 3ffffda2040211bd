// Packages that are slow to load and that most scripts never need: loaded at the first use, not at the start.

import { createRequire } from 'node:module';

const requirePackage = createRequire(import.meta.url);

/** The YAML parser: 30 ms to load. */
export function loadYaml(): typeof import('yaml') {
  return requirePackage('yaml') as typeof import('yaml');
}

/** Character sets that Node's TextDecoder does not know: 8 ms to load. */
export function loadIconv(): typeof import('iconv-lite') {
  return requirePackage('iconv-lite') as typeof import('iconv-lite');
}

/** The writer of DNS questions: 7 ms to load. */
export function loadDnsPacket(): typeof import('dns-packet') {
  return requirePackage('dns-packet') as typeof import('dns-packet');
}

/** The list of public suffixes: 25 ms to load. */
export function loadTldts(): typeof import('tldts') {
  return requirePackage('tldts') as typeof import('tldts');
}
