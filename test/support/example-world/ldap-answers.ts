// As much of an LDAP server (RFC 4511) as examples need: bind, search, unbind.

import type { Socket } from 'node:net';

/** BER tag, length, value. */
function tlv(tag: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const value = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  const length =
    value.length < 128
      ? Buffer.from([value.length])
      : Buffer.from([0x82, value.length >> 8, value.length & 255]);
  return Buffer.concat([Buffer.from([tag]), length, value]);
}

interface Element {
  readonly tag: number;
  readonly value: Buffer;
  readonly end: number;
}

function elementAt(bytes: Buffer, start: number): Element | undefined {
  if (bytes.length < start + 2) return undefined;
  let length = bytes[start + 1]!;
  let at = start + 2;
  if (length >= 128) {
    const count = length & 127;
    if (bytes.length < at + count) return undefined;
    length = bytes.readUIntBE(at, count);
    at += count;
  }
  if (bytes.length < at + length) return undefined;
  return { tag: bytes[start]!, value: bytes.subarray(at, at + length), end: at + length };
}

const SUCCESS = 0;
const NO_SUCH_OBJECT = 32;
const INVALID_CREDENTIALS = 49;

const alice = 'uid=alice,ou=people,dc=example,dc=com';
const attributes: readonly (readonly [string, readonly string[]])[] = [
  ['objectClass', ['inetOrgPerson']],
  ['uid', ['alice']],
  ['cn', ['Alice Example']],
  ['mail', ['alice@example.com', 'a.example@example.com']],
];

const result = (tag: number, code: number): Buffer =>
  tlv(tag, tlv(0x0a, Buffer.from([code])), tlv(0x04), tlv(0x04));

/** Answers every whole request in `bytes`; gives back what is left over. */
export function answerLdap(bytes: Buffer, socket: Socket): Buffer {
  let rest = bytes;
  for (;;) {
    const message = elementAt(rest, 0);
    if (message === undefined) return rest;
    rest = rest.subarray(message.end);
    const id = elementAt(message.value, 0)!;
    const operation = elementAt(message.value, id.end)!;
    const send = (body: Buffer) => socket.write(tlv(0x30, tlv(0x02, id.value), body));
    if (operation.tag === 0x60) send(result(0x61, bindResult(operation.value)));
    else if (operation.tag === 0x63) {
      const isKnown = operation.value.includes('dc=example,dc=com');
      if (isKnown && !operation.value.includes('nobody')) send(entryOf(operation.value));
      send(result(0x65, isKnown ? SUCCESS : NO_SUCH_OBJECT));
    } else if (operation.tag === 0x42) socket.end();
    else send(result(0x78, 2));
  }
}

function bindResult(request: Buffer): number {
  const version = elementAt(request, 0)!;
  const name = elementAt(request, version.end)!;
  const password = elementAt(request, name.end)!;
  if (name.value.length === 0) return SUCCESS;
  return name.value.toString() === alice && password.value.toString() === 'secret'
    ? SUCCESS
    : INVALID_CREDENTIALS;
}

/** The attributes asked for, the last element of a search request; none named is all. */
function entryOf(request: Buffer): Buffer {
  let last: Element | undefined;
  for (let at = 0; at < request.length; at = last.end) last = elementAt(request, at)!;
  const asked = new Set<string>();
  for (let at = 0; at < last!.value.length; ) {
    const name = elementAt(last!.value, at)!;
    asked.add(name.value.toString().toLowerCase());
    at = name.end;
  }
  const isAll = asked.size === 0 || asked.has('*');
  const shown = attributes.filter(([name]) => isAll || asked.has(name.toLowerCase()));
  return tlv(
    0x64,
    tlv(0x04, alice),
    tlv(
      0x30,
      ...shown.map(([name, values]) =>
        tlv(0x30, tlv(0x04, name), tlv(0x31, ...values.map((value) => tlv(0x04, value)))),
      ),
    ),
  );
}
