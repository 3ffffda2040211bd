// The changes a script made to one header section, kept beside the original and never in it: getters go on seeing what
// was received. Fields are addressed by their place in the original, so an index means the same before and after other
// edits. A field that the script itself added is found by name: setting it again replaces it, deleting takes it away.

import type { Piece } from '../message-source.js';
import type { HeaderSection } from './header-section.js';

interface AddedField {
  readonly name: string;
  readonly bytes: Buffer;
}

export class HeaderEdits {
  /** Fields added on top, the newest last. */
  #onTop: readonly AddedField[] = [];
  /** Fields that `set` created, below all others. */
  #below: readonly AddedField[] = [];
  /** New bytes by index of the original field; empty bytes mean it is deleted. */
  #changed: ReadonlyMap<number, Buffer> = new Map();
  #count = 0;

  /** How many changes were made. */
  get count(): number {
    return this.#count;
  }

  /** The same edits, to be continued apart. Parts are never written in place, so this copies nothing. */
  clone(): HeaderEdits {
    const copy = new HeaderEdits();
    copy.#onTop = this.#onTop;
    copy.#below = this.#below;
    copy.#changed = this.#changed;
    copy.#count = this.#count;
    return copy;
  }

  /** Adds a field above all others. */
  add(name: string, bytes: Buffer): void {
    this.#onTop = [...this.#onTop, { name: name.toLowerCase(), bytes }];
    this.#count++;
  }

  /**
   * Replaces the field `index` of that name (negative: from the bottom), or creates it below the others when the name
   * does not occur at all.
   * @returns how many fields were changed or created
   */
  set(section: HeaderSection, name: string, bytes: Buffer, index: number): number {
    const wanted = name.toLowerCase();
    const original = pick(placesOf(section, wanted), index);
    if (original !== undefined && this.#changed.get(original)?.length !== 0) {
      this.#change(original, bytes);
      return 1;
    }
    const replaceNewest = (list: readonly AddedField[]) => {
      const at = list.findLastIndex((field) => field.name === wanted);
      return at === -1 ? undefined : list.with(at, { name: wanted, bytes });
    };
    const below = replaceNewest(this.#below);
    const onTop = below === undefined ? replaceNewest(this.#onTop) : undefined;
    if (below !== undefined) this.#below = below;
    else if (onTop !== undefined) this.#onTop = onTop;
    // With an index that names no field, nothing is meant to be created.
    else if (index !== 0) return 0;
    else this.#below = [...this.#below, { name: wanted, bytes }];
    this.#count++;
    return 1;
  }

  /** Deletes the field `index` of that name, or with undefined all of them. @returns how many went */
  delete(section: HeaderSection, name: string, index: number | undefined): number {
    const wanted = name.toLowerCase();
    const places = placesOf(section, wanted);
    const chosen = index === undefined ? places : [pick(places, index)];
    let gone = 0;
    for (const place of chosen) {
      if (place === undefined || this.#changed.get(place)?.length === 0) continue;
      this.#change(place, Buffer.alloc(0));
      gone++;
    }
    if (index === undefined) {
      const stays = (field: AddedField) => field.name !== wanted;
      const before = this.#onTop.length + this.#below.length;
      this.#onTop = this.#onTop.filter(stays);
      this.#below = this.#below.filter(stays);
      const removed = before - this.#onTop.length - this.#below.length;
      this.#count += removed;
      gone += removed;
    }
    return gone;
  }

  /** Appends the edited section to `pieces`, as ranges of the original wherever nothing changed. */
  writePieces(section: HeaderSection, original: Buffer, pieces: Piece[]): void {
    for (const field of this.#onTop.toReversed()) pieces.push({ kind: 'bytes', bytes: field.bytes });
    let from = section.start;
    for (const place of [...this.#changed.keys()].sort((a, b) => a - b)) {
      const field = section.fields[place]!;
      pushRange(pieces, from, field.start);
      const bytes = this.#changed.get(place)!;
      if (bytes.length > 0) pieces.push({ kind: 'bytes', bytes });
      from = field.end;
    }
    pushRange(pieces, from, section.end);
    if (this.#below.length === 0) return;
    // A last line without its line end would swallow the field that follows.
    const isOpen = section.end > from && original[section.end - 1] !== 10;
    if (isOpen) pieces.push({ kind: 'bytes', bytes: Buffer.from('\r\n') });
    for (const field of this.#below) pieces.push({ kind: 'bytes', bytes: field.bytes });
  }

  #change(place: number, bytes: Buffer): void {
    this.#changed = new Map(this.#changed).set(place, bytes);
    this.#count++;
  }
}

/** Appends a range, joined to the one before it when they touch. */
export function pushRange(pieces: Piece[], start: number, end: number): void {
  if (start >= end) return;
  const last = pieces.at(-1);
  if (last !== undefined && last.kind === 'range' && last.end === start)
    pieces[pieces.length - 1] = { kind: 'range', start: last.start, end };
  else pieces.push({ kind: 'range', start, end });
}

/** The places of all fields of that name (lower case), top first. */
export function placesOf(section: HeaderSection, name: string): number[] {
  const places: number[] = [];
  for (let place = 0; place < section.fields.length; place++)
    if (section.fields[place]!.name === name) places.push(place);
  return places;
}

/** The entry at `index`, from the bottom when negative. */
export function pick<T>(list: readonly T[], index: number): T | undefined {
  return list.at(Math.trunc(index));
}
