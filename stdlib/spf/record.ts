// An SPF record as a list of terms (RFC 7208 §4.6.1, §12). All of it is read before any of it is evaluated, so that a
// mistake anywhere is found whoever sends.

import { addressBytes } from '../dns/addresses.js';
import { type MacroString, parseDomainSpec, parseMacroString } from './macro-string.js';
import { SpfError, type SpfResult } from './result.js';

/** How many leading bits of an address count, by family. */
export interface PrefixLengths {
  readonly ip4: number;
  readonly ip6: number;
}

export type Mechanism =
  | { readonly kind: 'all' }
  | { readonly kind: 'include' | 'exists'; readonly domain: MacroString }
  /** Without `domain`: the domain that is being checked. */
  | { readonly kind: 'ptr'; readonly domain: MacroString | undefined }
  | { readonly kind: 'a' | 'mx'; readonly domain: MacroString | undefined; readonly prefixes: PrefixLengths }
  | { readonly kind: 'ip4' | 'ip6'; readonly network: string; readonly prefixLength: number };

export interface Directive {
  readonly mechanism: Mechanism;
  /** The result when the mechanism matches. */
  readonly result: SpfResult;
  /** As written. */
  readonly text: string;
}

export interface SpfRecord {
  readonly directives: readonly Directive[];
  readonly redirect: MacroString | undefined;
}

const qualifiers: Readonly<Record<string, SpfResult>> = {
  '+': 'pass',
  '-': 'fail',
  '~': 'softfail',
  '?': 'neutral',
};

/** Whether a TXT record is an SPF record (§4.5). */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

/** Reads what `isSpfRecord` let through. @throws SpfError permerror for any mistake in it */
export function parseRecord(text: string): SpfRecord {
  const directives: Directive[] = [];
  const modifiers = new Map<string, MacroString>();
  // Only spaces separate terms; a tab or line end makes a term that nobody knows.
  for (const term of text.slice('v=spf1'.length).split(' ')) {
    if (term === '') continue;
    const [, name = '', value = ''] = /^([a-z][a-z0-9\-_.]*)=(.*)$/is.exec(term) ?? [];
    if (name === '') directives.push(parseDirective(term));
    else readModifier(modifiers, name.toLowerCase(), value, term);
  }
  return { directives, redirect: modifiers.get('redirect') };
}

function readModifier(modifiers: Map<string, MacroString>, name: string, value: string, term: string): void {
  if (name !== 'redirect' && name !== 'exp') {
    // Unknown ones mean nothing, yet must be written well (§6).
    parseMacroString(value, 'slodipvhcrt');
    return;
  }
  if (modifiers.has(name)) throw new SpfError('permerror', `"${name}=" stands twice`);
  modifiers.set(name, parseDomainSpec(value, term));
}

function parseDirective(term: string): Directive {
  const qualifier = qualifiers[term[0]!];
  const bare = qualifier === undefined ? term : term.slice(1);
  const [, name = '', rest = ''] = /^([a-z0-9]+)(.*)$/is.exec(bare) ?? [];
  return {
    mechanism: parseMechanism(name.toLowerCase(), rest, term),
    result: qualifier ?? 'pass',
    text: term,
  };
}

function parseMechanism(name: string, rest: string, term: string): Mechanism {
  switch (name) {
    case 'all':
      if (rest !== '') throw wrong(term, '"all" takes nothing');
      return { kind: name };
    case 'include':
    case 'exists':
      return { kind: name, domain: domainOf(rest, term) ?? missing(term) };
    case 'ptr':
      return { kind: name, domain: domainOf(rest, term) };
    case 'a':
    case 'mx': {
      const { before, prefixes } = splitPrefixes(rest, term);
      return { kind: name, domain: domainOf(before, term), prefixes };
    }
    case 'ip4':
    case 'ip6':
      return { kind: name, ...parseNetwork(name === 'ip4' ? 4 : 6, rest, term) };
    default:
      throw wrong(term, 'there is no such mechanism');
  }
}

/** `:domain`, or nothing. */
function domainOf(rest: string, term: string): MacroString | undefined {
  if (rest === '') return undefined;
  if (!rest.startsWith(':')) throw wrong(term, 'expected ":" and a domain');
  return parseDomainSpec(rest.slice(1), term);
}

function missing(term: string): never {
  throw wrong(term, 'expected ":" and a domain');
}

/** The dual-cidr-length at the end (§5.6): `/24`, `//64` or `/24//64`. */
function splitPrefixes(rest: string, term: string): { before: string; prefixes: PrefixLengths } {
  const [all = '', ip4, ip6] = /(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(rest) ?? [];
  return {
    before: rest.slice(0, rest.length - all.length),
    prefixes: {
      ip4: ip4 === undefined ? 32 : prefixLength(ip4, 32, term),
      ip6: ip6 === undefined ? 128 : prefixLength(ip6, 128, term),
    },
  };
}

function prefixLength(digits: string, most: number, term: string): number {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > most)
    throw wrong(term, `a prefix length is a number from 0 to ${most}`);
  return Number(digits);
}

function parseNetwork(family: 4 | 6, rest: string, term: string): { network: string; prefixLength: number } {
  const most = family === 4 ? 32 : 128;
  const [, address = '', digits] = /^:([^/]+)(?:\/(\d+))?$/.exec(rest) ?? [];
  const network = address.includes('%') ? undefined : addressBytes(address);
  if (network?.length !== most / 8) throw wrong(term, `expected ":" and an IPv${family} address or network`);
  return { network, prefixLength: digits === undefined ? most : prefixLength(digits, most, term) };
}

function wrong(term: string, why: string): SpfError {
  const shown = term.length > 60 ? `${term.slice(0, 57)}...` : term;
  return new SpfError('permerror', `"${shown}" in the SPF record: ${why}`);
}
