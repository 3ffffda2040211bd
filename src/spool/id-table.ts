// Message ids and the slots they stand for: the spine of every column table, here and in the queue. An id is a UUID, kept
// as four 32-bit words, and a number; together with the hash index that is 30 bytes a message where a Map of strings takes 150.

import { type MessageId, SpoolError } from './spool.js';
import { readUuid, type UuidWords, uuidToText } from './uuid-words.js';

const START_CAPACITY = 1024;

/** Gives each message id a slot, a small number that columns are indexed by. Slots of removed ids are used again. */
export class IdTable {
  #capacity = START_CAPACITY;
  /** Four words of the UUID; of a free slot the first word is the next free one. */
  #words = new Uint32Array(4 * START_CAPACITY);
  /** The number of the id, from 1; 0 = the slot is free. */
  #numbers = new Uint32Array(START_CAPACITY);
  /** Open addressing with linear probing: slot + 1, or 0. */
  #index = new Uint32Array(2 * START_CAPACITY);
  #firstFree = NONE;
  #top = 0;
  #size = 0;
  readonly #key = new Uint32Array(4);

  /** How many ids are in it. */
  get size(): number {
    return this.#size;
  }

  /** One more than the highest slot ever used: columns need that many places. */
  get top(): number {
    return this.#top;
  }

  /** Columns grow to this before a slot at or above their length is used. */
  get capacity(): number {
    return this.#capacity;
  }

  /** True when the slot holds an id. */
  has(slot: number): boolean {
    return slot < this.#top && this.#numbers[slot] !== 0;
  }

  /** The slot of an id, or -1. */
  find(id: MessageId): number {
    this.#readKey(id);
    return this.#index[this.#place(id.number)]! - 1;
  }

  /** The same for an id as records tell it. */
  findWords(words: UuidWords, number: number): number {
    this.#key.set(words);
    return this.#index[this.#place(number)]! - 1;
  }

  /** A slot for a new id. The id must not be in the table yet. */
  add(id: MessageId): number {
    this.#readKey(id);
    return this.#add(id.number);
  }

  /** The same for an id as records tell it. */
  addWords(words: UuidWords, number: number): number {
    this.#key.set(words);
    return this.#add(number);
  }

  #add(number: number): number {
    if (this.#firstFree === NONE && this.#top === this.#capacity) this.#grow();
    const place = this.#place(number);
    if (this.#index[place] !== 0) {
      const [a, b, c, d] = this.#key;
      throw new Error(`message ${uuidToText(a!, b!, c!, d!)}:${number} is in the table twice`);
    }
    let slot = this.#firstFree;
    if (slot === NONE) slot = this.#top++;
    else this.#firstFree = this.#words[4 * slot]!;
    this.#words.set(this.#key, 4 * slot);
    this.#numbers[slot] = number;
    this.#index[place] = slot + 1;
    this.#size++;
    return slot;
  }

  /** Frees a slot. */
  remove(slot: number): void {
    this.#key.set(this.#words.subarray(4 * slot, 4 * slot + 4));
    this.#unindex(this.#place(this.#numbers[slot]!));
    this.#numbers[slot] = 0;
    this.#words[4 * slot] = this.#firstFree;
    this.#firstFree = slot;
    this.#size--;
  }

  /** The id in a slot. */
  idOf(slot: number): MessageId {
    const words = this.#words;
    const at = 4 * slot;
    const transaction = uuidToText(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
    return { transaction, number: this.#numbers[slot]! };
  }

  /** Parses the UUID into `#key`. */
  #readKey(id: MessageId): void {
    if (id.number >= 1 && readUuid(id.transaction, this.#key)) return;
    throw new SpoolError(
      `"${id.transaction}:${id.number}" is no message id: expected a lower-case UUID and a number from 1`,
      false,
    );
  }

  /** Where `#key` with this number stands in the index, or where it would be put. */
  #place(number: number): number {
    const mask = this.#index.length - 1;
    const key = this.#key;
    let at = hash(key[0]!, key[1]!, key[2]!, key[3]!, number) & mask;
    for (; ; at = (at + 1) & mask) {
      const entry = this.#index[at]!;
      if (entry === 0) return at;
      const word = 4 * (entry - 1);
      if (
        this.#numbers[entry - 1] === number &&
        this.#words[word] === key[0] &&
        this.#words[word + 1] === key[1] &&
        this.#words[word + 2] === key[2] &&
        this.#words[word + 3] === key[3]
      ) {
        return at;
      }
    }
  }

  /** Empties a place and moves those behind it up, so that no probe ends too early. */
  #unindex(place: number): void {
    const mask = this.#index.length - 1;
    let hole = place;
    for (let at = (hole + 1) & mask; this.#index[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashOf(this.#index[at]! - 1) & mask;
      // An entry may move into the hole unless its own home lies between the hole and where it is.
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        this.#index[hole] = this.#index[at]!;
        hole = at;
      }
    }
    this.#index[hole] = 0;
  }

  #hashOf(slot: number): number {
    const words = this.#words;
    const at = 4 * slot;
    return hash(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, this.#numbers[slot]!);
  }

  #grow(): void {
    // By a quarter: what is allocated and not used counts for each message as well.
    this.#capacity = Math.ceil(this.#capacity * 1.25);
    this.#words = enlarged(this.#words, 4 * this.#capacity);
    this.#numbers = enlarged(this.#numbers, this.#capacity);
    if (this.#capacity * 1.5 <= this.#index.length) return;
    this.#index = new Uint32Array(this.#index.length * 2);
    const mask = this.#index.length - 1;
    for (let slot = 0; slot < this.#top; slot++) {
      if (this.#numbers[slot] === 0) continue;
      let at = this.#hashOf(slot) & mask;
      while (this.#index[at] !== 0) at = (at + 1) & mask;
      this.#index[at] = slot + 1;
    }
  }
}

/** Marks the end of a list of free slots. */
const NONE = 0xffffffff;

function hash(a: number, b: number, c: number, d: number, number: number): number {
  let h = Math.imul(a ^ Math.imul(number, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15) ^ b, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 13) ^ c, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16) ^ d, 0x165667b1);
  return h ^ (h >>> 15);
}

/** A larger copy of a column. */
export function enlarged<T extends Uint8Array | Uint16Array | Uint32Array | Int32Array | Float64Array>(
  column: T,
  length: number,
): T {
  const larger = new (column.constructor as new (length: number) => T)(length);
  larger.set(column);
  return larger;
}

/** A message id as people read it. */
export function messageIdToText(id: MessageId): string {
  return `${id.transaction}:${id.number}`;
}
