// Message ids and the slots they stand for: the spine of every column table, here and in the queue. An id is a UUID, kept
// as four 32-bit words, and a number; together with the hash index that is 30 bytes a message where a Map of strings takes 150.
// Nothing grows as a whole: ids lie in stretches, and the index is many small ones, by the upper bits of the hash.

import { type MessageId, SpoolError } from './spool.js';
import { IN_STRETCH, STRETCH_BITS, STRETCH_ROWS } from './stretches.js';
import { readUuid, type UuidWords, uuidToText } from './uuid-words.js';

const INDEXES = 256;
/** Places of an index at first. */
const START_PLACES = 16;
/** Words of an id in its stretch: four of the UUID, and the number. */
const ID_WORDS = 5;
const NUMBER = 4;

/** Gives each message id a slot, a small number that columns are indexed by. Slots of removed ids are used again. */
export class IdTable {
  /** Of a free slot the first word is the next free one, and the number 0. */
  readonly #stretches: Uint32Array[] = [];
  /** Open addressing with linear probing: slot + 1, or 0. */
  readonly #indexes = Array.from({ length: INDEXES }, () => new Uint32Array(START_PLACES));
  /** Ids in each of them. */
  readonly #filled = new Uint32Array(INDEXES);
  /** Which of them `#place` has looked at last. */
  #which = 0;
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

  /** True when the slot holds an id. */
  has(slot: number): boolean {
    return slot < this.#top && this.#wordOf(slot, NUMBER) !== 0;
  }

  /** The slot of an id, or -1. */
  find(id: MessageId): number {
    this.#readKey(id);
    return this.#slotAt(this.#place(id.number));
  }

  /** The same for an id as records tell it. */
  findWords(words: UuidWords, number: number): number {
    this.#key.set(words);
    return this.#slotAt(this.#place(number));
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
    let place = this.#place(number);
    if (this.#slotAt(place) !== -1) {
      const [a, b, c, d] = this.#key;
      throw new Error(`message ${uuidToText(a!, b!, c!, d!)}:${number} is in the table twice`);
    }
    if (this.#makeRoom(this.#which)) place = this.#place(number);
    let slot = this.#firstFree;
    if (slot === NONE) slot = this.#newSlot();
    else this.#firstFree = this.#wordOf(slot, 0);
    const stretch = this.#stretches[slot >>> STRETCH_BITS]!;
    const at = ID_WORDS * (slot & IN_STRETCH);
    stretch.set(this.#key, at);
    stretch[at + NUMBER] = number;
    this.#indexes[this.#which]![place] = slot + 1;
    this.#filled[this.#which]!++;
    this.#size++;
    return slot;
  }

  /** Frees a slot. */
  remove(slot: number): void {
    const stretch = this.#stretches[slot >>> STRETCH_BITS]!;
    const at = ID_WORDS * (slot & IN_STRETCH);
    this.#key.set(stretch.subarray(at, at + NUMBER));
    this.#unindex(this.#place(stretch[at + NUMBER]!));
    stretch[at + NUMBER] = 0;
    stretch[at] = this.#firstFree;
    this.#firstFree = slot;
    this.#size--;
  }

  /** The id in a slot. */
  idOf(slot: number): MessageId {
    const words = this.#stretches[slot >>> STRETCH_BITS]!;
    const at = ID_WORDS * (slot & IN_STRETCH);
    const transaction = uuidToText(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
    return { transaction, number: words[at + NUMBER]! };
  }

  /** Parses the UUID into `#key`. */
  #readKey(id: MessageId): void {
    if (id.number >= 1 && readUuid(id.transaction, this.#key)) return;
    throw new SpoolError(
      `"${id.transaction}:${id.number}" is no message id: expected a lower-case UUID and a number from 1`,
      false,
    );
  }

  #wordOf(slot: number, word: number): number {
    return this.#stretches[slot >>> STRETCH_BITS]![ID_WORDS * (slot & IN_STRETCH) + word]!;
  }

  #newSlot(): number {
    const slot = this.#top++;
    if (slot >>> STRETCH_BITS === this.#stretches.length)
      this.#stretches.push(new Uint32Array(ID_WORDS * STRETCH_ROWS));
    return slot;
  }

  /** The slot at a place that `#place` has found; -1 when there is none. */
  #slotAt(place: number): number {
    return this.#indexes[this.#which]![place]! - 1;
  }

  /** Where `#key` with this number stands in its index, or where it would be put. */
  #place(number: number): number {
    const key = this.#key;
    const hashed = hash(key[0]!, key[1]!, key[2]!, key[3]!, number);
    this.#which = indexOf(hashed);
    const index = this.#indexes[this.#which]!;
    const mask = index.length - 1;
    let place = hashed & mask;
    for (; ; place = (place + 1) & mask) {
      const entry = index[place]!;
      if (entry === 0) return place;
      const words = this.#stretches[(entry - 1) >>> STRETCH_BITS]!;
      const at = ID_WORDS * ((entry - 1) & IN_STRETCH);
      if (
        words[at + NUMBER] === number &&
        words[at] === key[0] &&
        words[at + 1] === key[1] &&
        words[at + 2] === key[2] &&
        words[at + 3] === key[3]
      ) {
        return place;
      }
    }
  }

  /** Empties a place of the index looked at last and moves those behind it up, so that no probe ends too early. */
  #unindex(place: number): void {
    const index = this.#indexes[this.#which]!;
    const mask = index.length - 1;
    let hole = place;
    for (let at = (hole + 1) & mask; index[at] !== 0; at = (at + 1) & mask) {
      const home = this.#hashOf(index[at]! - 1) & mask;
      // An entry may move into the hole unless its own home lies between the hole and where it is.
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        index[hole] = index[at]!;
        hole = at;
      }
    }
    index[hole] = 0;
    this.#filled[this.#which]!--;
  }

  #hashOf(slot: number): number {
    const words = this.#stretches[slot >>> STRETCH_BITS]!;
    const at = ID_WORDS * (slot & IN_STRETCH);
    return hash(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, words[at + NUMBER]!);
  }

  /** Room for one more in an index, of which a third stays free; true when it has moved for it. */
  #makeRoom(which: number): boolean {
    const old = this.#indexes[which]!;
    if ((this.#filled[which]! + 1) * 1.5 <= old.length) return false;
    const index = new Uint32Array(old.length * 2);
    const mask = index.length - 1;
    for (const entry of old) {
      if (entry === 0) continue;
      let place = this.#hashOf(entry - 1) & mask;
      while (index[place] !== 0) place = (place + 1) & mask;
      index[place] = entry;
    }
    this.#indexes[which] = index;
    return true;
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

/** Which of the indexes has the ids with this hash: the lower bits are for the place in it. */
function indexOf(hashed: number): number {
  return hashed >>> 24;
}

/** A message id as people read it. */
export function messageIdToText(id: MessageId): string {
  return `${id.transaction}:${id.number}`;
}
