// Messages in JSON (control-api 5): the mapping of proto3, with the names of control.proto. Reading is strict: a field that is not
// known or has another type is named, with what was found and what was expected.

import type { Enum, Field, Type } from 'protobufjs';
import { ControlError } from './operation.js';

/** JSON nests no deeper. */
const DEEPEST = 20;

/** A message from its text. @throws ControlError that names the field */
export function jsonToObject(type: Type, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ControlError(`the body is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return messageOf(type, value, '', 0);
}

/** The text of a value in the shape of a message; bytes in base64. */
export function objectToJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner instanceof Uint8Array) return Buffer.from(inner).toString('base64');
    // What a Buffer has made of itself before this is asked.
    if (isBufferJson(inner)) return Buffer.from(inner.data).toString('base64');
    return inner;
  });
}

function isBufferJson(
  value: unknown,
): value is { readonly type: 'Buffer'; readonly data: readonly number[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'Buffer' &&
    'data' in value &&
    Array.isArray(value.data)
  );
}

function messageOf(type: Type, value: unknown, at: string, depth: number): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unexpected(at, value, 'an object');
  if (depth > DEEPEST) throw new ControlError(`${at}: more than ${DEEPEST} levels`);
  const message: Record<string, unknown> = {};
  // As the wire form has it: lists and maps are there, if only empty.
  for (const field of type.fieldsArray) {
    if (field.map) message[field.name] = {};
    else if (field.repeated) message[field.name] = [];
  }
  for (const [key, inner] of Object.entries(value)) {
    const path = at === '' ? key : `${at}.${key}`;
    const field = Object.hasOwn(type.fields, key) ? type.fields[key] : undefined;
    if (field === undefined)
      throw new ControlError(
        `${path}: there is no such field; expected one of ${Object.keys(type.fields).join(', ')}`,
      );
    if (inner === null) continue;
    message[key] = fieldOf(field.resolve(), inner, path, depth);
  }
  return message;
}

function fieldOf(field: Field, value: unknown, at: string, depth: number): unknown {
  if (field.map) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw unexpected(at, value, 'an object');
    const map: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const [key, inner] of Object.entries(value))
      map[key] = oneOf(field, inner, `${at}[${JSON.stringify(key)}]`, depth);
    return map;
  }
  if (!field.repeated) return oneOf(field, value, at, depth);
  if (!Array.isArray(value)) throw unexpected(at, value, 'a list');
  return value.map((inner: unknown, index) => oneOf(field, inner, `${at}[${index}]`, depth));
}

function oneOf(field: Field, value: unknown, at: string, depth: number): unknown {
  const { resolvedType } = field;
  if (resolvedType !== null && 'fields' in resolvedType)
    return messageOf(resolvedType as Type, value, at, depth + 1);
  if (resolvedType !== null) return enumOf(resolvedType as Enum, value, at);
  switch (field.type) {
    case 'string':
      if (typeof value === 'number' && field.options?.['(number_too)'] === true) return String(value);
      if (typeof value !== 'string') throw unexpected(at, value, 'a text');
      return value;
    case 'bool':
      if (typeof value !== 'boolean') throw unexpected(at, value, 'true or false');
      return value;
    case 'double':
      return numberOf(value, at);
    case 'uint32':
    case 'uint64':
      return countOf(value, at, field.type === 'uint32' ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER);
    case 'bytes':
      if (typeof value !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value))
        throw unexpected(at, value, 'bytes in base64');
      return Buffer.from(value, 'base64');
    default:
      throw new Error(`${at}: fields of type ${field.type} have no form in JSON yet`);
  }
}

function enumOf({ values }: Enum, value: unknown, at: string): string {
  if (typeof value === 'string' && Object.hasOwn(values, value)) return value;
  const name = Object.keys(values).find((key) => values[key] === value);
  if (name === undefined) throw unexpected(at, value, `one of ${Object.keys(values).join(', ')}`);
  return name;
}

function numberOf(value: unknown, at: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw unexpected(at, value, 'a number');
  return number;
}

function countOf(value: unknown, at: string, most: number): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > most)
    throw unexpected(at, value, `a whole number from 0 to ${most}`);
  return number;
}

function unexpected(at: string, value: unknown, expected: string): ControlError {
  const text = JSON.stringify(value) ?? String(value);
  const shown = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return new ControlError(`${at === '' ? 'the body' : at}: found ${shown}; expected ${expected}`);
}
