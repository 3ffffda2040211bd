// The messages of control.proto, on the wire and in JSON. The schema is read when it is first needed: protobufjs takes 40 ms to load,
// which neither the start of the daemon nor a command that speaks JSON has to wait for.

import { readFile } from 'node:fs/promises';
import type { Namespace, Root, Type } from 'protobufjs';
import { assetPath } from '../native/index.js';
import { jsonToObject, objectToJson } from './json-form.js';
import { ControlError, nextTurn } from './operation.js';

/** Elements of a list that are written in one go. */
const SLICE = 200;

/** Reads and writes messages by their names. */
export class WireShapes {
  readonly #package: Namespace;

  constructor(root: Root) {
    this.#package = root.lookup('argonite.control') as Namespace;
  }

  /** Whether there is a message of that name. */
  has(name: string): boolean {
    return this.#package.get(name) !== null;
  }

  /** A message from JSON. @throws ControlError that names the field */
  fromJson(name: string, text: string): object {
    return jsonToObject(this.#type(name), text);
  }

  /** A message from its bytes. @throws ControlError */
  fromBytes(name: string, bytes: Buffer): object {
    const type = this.#type(name);
    try {
      return type.toObject(type.decode(bytes), { longs: Number, enums: String, arrays: true, objects: true });
    } catch (error) {
      throw new ControlError(
        `the body is no ${name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** The bytes of a message. Throws for what the message does not have: that is a mistake of ours. */
  async toBytes(name: string, message: object): Promise<Buffer> {
    const type = this.#type(name);
    const parts: Uint8Array[] = [];
    // What is written of a message in pieces reads as the whole: lists are joined.
    for (const piece of inPieces(message)) {
      const wrong = unknownField(type, piece, name);
      if (wrong !== undefined) throw new Error(`${wrong} is not in control.proto`);
      parts.push(type.encode(type.fromObject(piece)).finish());
      if (parts.length % 2 === 0) await nextTurn();
    }
    return Buffer.concat(parts);
  }

  /** The bytes of a small message, at once. */
  toBytesNow(name: string, message: object): Uint8Array {
    const type = this.#type(name);
    return type.encode(type.fromObject(message)).finish();
  }

  #type(name: string): Type {
    return this.#package.lookupType(name);
  }
}

/** A message in JSON; long lists are written in slices. */
export async function toJsonText(message: object): Promise<string> {
  const fields: string[] = [];
  for (const [key, value] of Object.entries(message)) {
    if (value === undefined) continue;
    if (!Array.isArray(value) || value.length <= SLICE) {
      fields.push(`${JSON.stringify(key)}:${objectToJson(value)}`);
      continue;
    }
    const elements: string[] = [];
    for (let at = 0; at < value.length; at += SLICE) {
      elements.push(objectToJson(value.slice(at, at + SLICE)).slice(1, -1));
      await nextTurn();
    }
    fields.push(`${JSON.stringify(key)}:[${elements.join(',')}]`);
  }
  return `{${fields.join(',')}}`;
}

let loading: Promise<WireShapes> | undefined;

/** The shapes; the schema is read once. */
export function wireShapes(): Promise<WireShapes> {
  loading ??= load();
  return loading;
}

async function load(): Promise<WireShapes> {
  const { default: protobuf } = await import('protobufjs');
  const text = await readFile(assetPath('src/control/control.proto'), 'utf8');
  const { root } = protobuf.parse(text, { keepCase: true });
  root.resolveAll();
  return new WireShapes(root);
}

function* inPieces(message: object): Generator<Record<string, unknown>> {
  const short: Record<string, unknown> = {};
  const long: [string, readonly unknown[]][] = [];
  for (const [key, value] of Object.entries(message)) {
    if (value === undefined) continue;
    if (Array.isArray(value) && value.length > SLICE) long.push([key, value]);
    else short[key] = value;
  }
  yield short;
  for (const [key, list] of long)
    for (let at = 0; at < list.length; at += SLICE) yield { [key]: list.slice(at, at + SLICE) };
}

/** protobufjs leaves out what it does not know; we would not find our own slips. */
function unknownField(type: Type, value: object, at: string): string | undefined {
  for (const [key, inner] of Object.entries(value)) {
    const field = type.fields[key];
    if (field === undefined) return `${at}.${key}`;
    const { resolvedType } = field.resolve();
    if (resolvedType === null || !('fields' in resolvedType) || inner === undefined) continue;
    const below = field.map ? Object.values(inner as object) : [inner].flat();
    for (const one of below) {
      const wrong = unknownField(resolvedType as Type, one as object, `${at}.${key}`);
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}
