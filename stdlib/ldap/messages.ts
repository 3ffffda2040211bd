// LDAP messages as bytes (RFC 4511 §4.2). Requests are written with ldapts, in bytes: script strings are bytes already, and
// a password or filter value need not be UTF-8. Responses are read here, strictly.

import { BerSequence } from './ber.js';
import { isBalanced } from './filter.js';

type Ldapts = typeof import('ldapts');

export type Scope = 'base' | 'one' | 'sub';

export interface SearchWish {
  readonly base: string;
  readonly scope: Scope;
  readonly filter: string;
  readonly attributes: readonly string[];
  /** For the server; 0 is none. */
  readonly timeLimitSeconds: number;
}

const BIND = 0x60;
const UNBIND = 0x42;
const SEARCH = 0x63;
const ABANDON = 0x50;
const EXTENDED = 0x77;
const SIMPLE = 0x80;

/** Asks for TLS on a plain connection (RFC 4511 §4.14). */
export const START_TLS = '1.3.6.1.4.1.1466.20037';

type Writer = InstanceType<Ldapts['BerWriter']>;

/** Writes requests; one is made when the package is loaded. */
export class RequestWriter {
  readonly #ldapts: Ldapts;

  constructor(ldapts: Ldapts) {
    this.#ldapts = ldapts;
  }

  #message(id: number, tag: number, write: (writer: Writer) => void): Buffer {
    const { BerWriter } = this.#ldapts;
    // ldapts writes text as UTF-8; ours has one character per byte.
    class ByteWriter extends BerWriter {
      override writeString(value: string, valueTag = 0x04): void {
        this.writeBuffer(Buffer.from(value, 'latin1'), valueTag);
      }
    }
    const writer = new ByteWriter();
    writer.startSequence();
    writer.writeInt(id);
    writer.startSequence(tag);
    write(writer);
    writer.endSequence();
    writer.endSequence();
    return Buffer.from(writer.buffer);
  }

  bind(id: number, version: number, name: string, password: string): Buffer {
    return this.#message(id, BIND, (writer) => {
      writer.writeInt(version);
      writer.writeString(name);
      writer.writeString(password, SIMPLE);
    });
  }

  /** @returns undefined when the filter is none (RFC 4515) */
  search(id: number, wish: SearchWish): Buffer | undefined {
    const { FilterParser, SearchRequest } = this.#ldapts;
    if (!isBalanced(wish.filter)) return undefined;
    try {
      const request = new SearchRequest({
        messageId: id,
        baseDN: wish.base,
        scope: wish.scope,
        filter: FilterParser.parseString(wish.filter),
        attributes: [...wish.attributes],
        timeLimit: wish.timeLimitSeconds,
      });
      return this.#message(id, SEARCH, (writer) => request.writeMessage(writer));
    } catch {
      // ldapts says by an exception that it is none.
      return undefined;
    }
  }

  extended(id: number, oid: string): Buffer {
    return this.#message(id, EXTENDED, (writer) => writer.writeString(oid, 0x80));
  }

  unbind(id: number): Buffer {
    return primitive(id, UNBIND, Buffer.alloc(0));
  }

  abandon(id: number, abandoned: number): Buffer {
    const number = Buffer.alloc(4);
    number.writeInt32BE(abandoned);
    return primitive(id, ABANDON, number);
  }
}

/** A message whose operation has a bare value. */
function primitive(id: number, tag: number, value: Buffer): Buffer {
  const number = Buffer.alloc(4);
  number.writeInt32BE(id);
  const inner = Buffer.concat([Buffer.from([0x02, 4]), number, Buffer.from([tag, value.length]), value]);
  return Buffer.concat([Buffer.from([0x30, inner.length]), inner]);
}

export interface Entry {
  readonly dn: string;
  readonly attributes: readonly { readonly name: string; readonly values: readonly string[] }[];
}

/** What an operation ended with. */
export interface OperationResult {
  readonly code: number;
  /** Where else to ask, with code 10. */
  readonly referrals: readonly string[];
}

export type Response =
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'reference'; readonly uris: readonly string[] }
  | { readonly kind: 'result'; readonly result: OperationResult }
  /** For nobody who asked; the server may say goodbye with it. */
  | { readonly kind: 'other' };

export interface ResponseMessage {
  readonly id: number;
  readonly response: Response;
}

const REFERRAL = 0xa3;
/** Results of bind, search, extended and those of operations that nobody here asks for. */
const RESULTS = [0x61, 0x65, 0x78, 0x67, 0x69, 0x6b, 0x6d, 0x6f];

/** @throws BerError */
export function readMessage(bytes: Buffer): ResponseMessage {
  const message = new BerSequence(bytes).sequence();
  const id = message.integer();
  const operation = message.next();
  return { id, response: readOperation(operation.tag, new BerSequence(operation.value)) };
}

function readOperation(tag: number, body: BerSequence): Response {
  if (tag === 0x64) return { kind: 'entry', entry: readEntry(body) };
  if (tag === 0x73) return { kind: 'reference', uris: texts(body) };
  if (!RESULTS.includes(tag)) return { kind: 'other' };
  const code = body.integer(0x0a);
  body.next(0x04);
  body.next(0x04);
  const referrals = body.nextTag === REFERRAL ? texts(body.sequence(REFERRAL)) : [];
  return { kind: 'result', result: { code, referrals } };
}

function readEntry(body: BerSequence): Entry {
  const dn = body.text();
  const list = body.sequence();
  const attributes: { name: string; values: string[] }[] = [];
  while (!list.isAtEnd) {
    const attribute = list.sequence();
    attributes.push({ name: attribute.text(), values: texts(attribute.sequence(0x31)) });
  }
  return { dn, attributes };
}

function texts(list: BerSequence): string[] {
  const found: string[] = [];
  while (!list.isAtEnd) found.push(list.text());
  return found;
}
