// What conditions say about the values of a field (queue-and-config 2.2): texts, `*.domain`, `/regex/`, networks, `@list`, one or
// several. Read once, when the configuration is; asked for every message.
//
// Texts and `*.domain` are looked up by hash, however many there are; networks and patterns are gone through after that.

import { type CompiledPattern, type PatternEngine, PatternError, textToBytes } from '#lang';
import { addressToBytes, domainToAscii, isInNetwork, type Network, parseNetwork } from '#stdlib';

/** What kind of values a field has. */
const kinds = {
  tenantid: 'text',
  jobid: 'text',
  transportid: 'text',
  localip: 'address',
  remoteip: 'address',
  remotemx: 'domain',
  recipientdomain: 'domain',
} as const satisfies Record<string, 'text' | 'address' | 'domain'>;

/** A field that conditions may name. */
export type ConditionField = keyof typeof kinds;

/** All of them. */
export const conditionFields = Object.keys(kinds) as readonly ConditionField[];

/** Whether a message's value is one of those that a condition names. */
export type ValueTest = (value: string) => boolean;

/** What reading needs beside the text. */
export interface PatternReading {
  readonly engine: PatternEngine;
  /** The values of `lists.<field>.<id>`. */
  readonly list: (field: ConditionField, id: string) => readonly string[] | undefined;
}

/** Reads what a condition says of a field. @returns the test, or a sentence about what is wrong */
export function readFieldValues(
  field: ConditionField,
  written: string | readonly string[],
  reading: PatternReading,
): ValueTest | { readonly problem: string } {
  const values = new FieldValues(field, reading);
  for (const text of typeof written === 'string' ? [written] : written) {
    const problem = values.add(text, true);
    if (problem !== undefined) return { problem };
  }
  return values.test;
}

/** A domain in the form in which domains are compared: A-labels, lower case, no final dot. */
export function comparableDomain(domain: string): string {
  const bare = domain.endsWith('.') ? domain.slice(0, -1) : domain;
  const lower = bare.toLowerCase();
  return /^[\x00-\x7f]*$/.test(lower) ? lower : (domainToAscii(bare)?.toLowerCase() ?? lower);
}

/** An address as bytes; one that holds an IPv4 address is that address. */
function comparableAddress(text: string): string | undefined {
  const bytes = addressToBytes(text);
  return bytes?.startsWith(MAPPED) && bytes.length === 16 ? bytes.slice(12) : bytes;
}

const MAPPED = `${'\0'.repeat(10)}\xff\xff`;

class FieldValues {
  readonly #field: ConditionField;
  readonly #reading: PatternReading;
  readonly #texts = new Set<string>();
  /** What follows `*.` */
  readonly #parents = new Set<string>();
  readonly #networks: Network[] = [];
  readonly #patterns: CompiledPattern[] = [];
  #isAny = false;

  constructor(field: ConditionField, reading: PatternReading) {
    this.#field = field;
    this.#reading = reading;
  }

  readonly test: ValueTest = (value) => {
    if (this.#isAny) return true;
    const comparable = this.#comparable(value);
    if (this.#texts.has(comparable) || this.#hasParentOf(comparable)) return true;
    if (this.#networks.some((network) => isInNetwork(network, comparable))) return true;
    return this.#patterns.some((pattern) => pattern.test(comparable));
  };

  /** Takes one value as it is written. @returns what is wrong with it */
  add(text: string, mayBeList: boolean): string | undefined {
    if (text === '*') {
      this.#isAny = true;
      return undefined;
    }
    if (text.startsWith('@')) return mayBeList ? this.#addList(text.slice(1)) : this.#nestedList(text);
    if (kinds[this.#field] === 'address') return this.#addNetwork(text);
    if (text.length > 1 && text.startsWith('/') && text.endsWith('/'))
      return this.#addPattern(text.slice(1, -1));
    if (kinds[this.#field] === 'domain' && text.startsWith('*.')) {
      this.#parents.add(comparableDomain(textToBytes(text.slice(2))));
      return undefined;
    }
    this.#texts.add(this.#comparable(textToBytes(text)));
    return undefined;
  }

  #addList(id: string): string | undefined {
    const values = this.#reading.list(this.#field, id);
    if (values === undefined) return `there is no list "${id}" in lists.${this.#field}`;
    for (const value of values) {
      const problem = this.add(value, false);
      if (problem !== undefined) return `in the list "${id}": ${problem}`;
    }
    return undefined;
  }

  #nestedList(text: string): string {
    return `found "${text}"; a list cannot contain another one`;
  }

  #addNetwork(text: string): string | undefined {
    const slash = text.indexOf('/');
    const single = slash === -1 ? comparableAddress(text) : undefined;
    const network = single === undefined ? parseNetwork(text) : { first: single, last: single };
    if (network === undefined)
      return `found "${text}"; expected an address or a network such as 192.0.2.0/24 or 2001:db8::/32`;
    this.#networks.push(network);
    return undefined;
  }

  #addPattern(source: string): string | undefined {
    try {
      this.#patterns.push(this.#reading.engine.compile(textToBytes(source), 'i'));
      return undefined;
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      return `the pattern /${source}/ cannot be used: ${error.message}`;
    }
  }

  #comparable(value: string): string {
    switch (kinds[this.#field]) {
      case 'domain':
        return comparableDomain(value);
      case 'address':
        return comparableAddress(value) ?? '';
      default:
        return value;
    }
  }

  /** Whether a name is below one of the parents, at any depth. */
  #hasParentOf(name: string): boolean {
    if (this.#parents.size === 0) return false;
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      if (this.#parents.has(name.slice(dot + 1))) return true;
    }
    return false;
  }
}
