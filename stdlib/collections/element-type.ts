// The types that Map and Set are made with, and the check of what goes in.

import { ScriptFault, typeWord, type Value } from '#lang';

const KEY_TYPES = ['string', 'number'] as const;
const VALUE_TYPES = ['string', 'number', 'boolean', 'array', 'function', 'object', 'any'] as const;

export type KeyType = (typeof KEY_TYPES)[number];
export type ValueType = (typeof VALUE_TYPES)[number];

/** @throws ScriptFault unless `name` is a type keys can have */
export function parseKeyType(owner: string, name: string): KeyType {
  return pick(owner, 'key type', name, KEY_TYPES);
}

/** @throws ScriptFault unless `name` is a type values can have */
export function parseValueType(owner: string, name: string): ValueType {
  return pick(owner, 'value type', name, VALUE_TYPES);
}

function pick<T extends string>(owner: string, what: string, name: string, allowed: readonly T[]): T {
  const found = allowed.find((type) => type === name);
  if (found !== undefined) return found;
  throw new ScriptFault(
    `${owner}: the ${what} must be one of ${allowed.join(', ')}, found ${JSON.stringify(name)}`,
  );
}

/** @throws ScriptFault when `value` is not of the type */
export function checkType(what: string, type: KeyType | ValueType, value: Value): void {
  if (type !== 'any' && typeWord(value) !== type) {
    throw new ScriptFault(`${what} must be of type ${type}, found ${typeWord(value)}`);
  }
}
