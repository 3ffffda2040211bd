// The changes a script made to one header section, kept beside the original and never in it: getters go on seeing what
// was received. Fields are addressed by their place in the original, so an index means the same before and after other
// edits. A field that the script itself added is found by name: setting it again replaces it, deleting takes it away.

import type { Piece } from '../message-source.js';
import type { HeaderSection } from './header-section.js';

/** A field whose bytes are made when the message is first written out, and stay so. */
export class LateField {
  readonly #make: () => Buffer;
  #bytes: Buffer | undefined;

  constructor(make: () => Buffer) {
    this.#make = make;
  }

  get bytes(): Buffer {
    this.#bytes ??= this.#make();
    return this.#bytes;
  }
}

/** A whole field with its line end. */
export type FieldBytes = Buffer | LateField;

interface AddedField {
  readonly name: string;
  readonly bytes: FieldBytes;
}

/** What became of an original field: new bytes under that name, or none when it is deleted. */
interface ChangedField {
  readonly name: string;
  readonly bytes: FieldBytes | undefined;
}

export class HeaderEdits {
  /** Fields added on top, the newest last. */
  #onTop: readonly AddedField[] = [];
  /** Fields that `set` created, below all others. */
  #below: readonly AddedField[] = [];
  /** By index of the original field. */
  #changed = new Map<number, ChangedField>();
  /** A clone reads the same map: copy it before the next change. */
  #isShared = false;
  #count = 0;
  readonly #onChange: () => void;

  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** How many changes were made. */
  get count(): number {
    return this.#count;
  }

  /** The same edits, to be continued apart; what they hold is copied by the first of both that changes it. */
  clone(): HeaderEdits {
    const copy = new HeaderEdits(this.#onChange);
    copy.#onTop = this.#onTop;
    copy.#below = this.#below;
    copy.#changed = this.#changed;
    copy.#isShared = true;
    this.#isShared = true;
    copy.#count = this.#count;
    return copy;
  }

  /** Adds a field above all others. */
  add(name: string, bytes: FieldBytes): void {
    this.#onTop = [...this.#onTop, { name: name.toLowerCase(), bytes }];
    this.#counted(1);
  }

  /**
   * Replaces the field `index` of that name (negative: from the bottom), or creates it below the others when the name
   * does not occur at all.
   * @returns how many fields were changed or created
   */
  set(section: HeaderSection, name: string, bytes: FieldBytes, index: number): number {
    const wanted = name.toLowerCase();
    const original = pick(this.#places(section, wanted), index);
    if (original !== undefined && !this.#isDeleted(original)) {
      this.#change([[original, { name: wanted, bytes }]]);
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
    this.#counted(1);
    return 1;
  }

  /** Deletes the field `index` of that name, or with undefined all of them. @returns how many went */
  delete(section: HeaderSection, name: string, index: number | undefined): number {
    const wanted = name.toLowerCase();
    const places = this.#places(section, wanted);
    const chosen = index === undefined ? places : [pick(places, index)];
    const deleted = chosen.filter((place) => place !== undefined && !this.#isDeleted(place));
    this.#change(deleted.map((place) => [place!, { name: wanted, bytes: undefined }]));
    let gone = deleted.length;
    if (index === undefined) {
      const stays = (field: AddedField) => field.name !== wanted;
      const before = this.#onTop.length + this.#below.length;
      this.#onTop = this.#onTop.filter(stays);
      this.#below = this.#below.filter(stays);
      const removed = before - this.#onTop.length - this.#below.length;
      if (removed > 0) this.#counted(removed);
      gone += removed;
    }
    return gone;
  }

  /**
   * Gives all fields of that name another one; from the colon on they stay as they are. `bytes` begin at `base` of the
   * message.
   * @returns how many were renamed
   */
  rename(section: HeaderSection, bytes: Buffer, base: number, name: string, newName: string): number {
    const [wanted, becomes] = [name.toLowerCase(), newName.toLowerCase()];
    const renamed = (field: Buffer) =>
      Buffer.concat([Buffer.from(newName, 'latin1'), field.subarray(field.indexOf(0x3a))]);
    const rename = (field: FieldBytes): FieldBytes =>
      field instanceof LateField ? new LateField(() => renamed(field.bytes)) : renamed(field);
    const found = this.#places(section, wanted).filter((place) => !this.#isDeleted(place));
    this.#change(
      found.map((place) => {
        const { start, end } = section.fields[place]!;
        const now = this.#changed.get(place)?.bytes ?? bytes.subarray(start - base, end - base);
        return [place, { name: becomes, bytes: rename(now) }];
      }),
    );
    let count = found.length;
    const renameAdded = (list: readonly AddedField[]) =>
      list.map((field) => {
        if (field.name !== wanted) return field;
        count++;
        this.#counted(1);
        return { name: becomes, bytes: rename(field.bytes) };
      });
    this.#onTop = renameAdded(this.#onTop);
    this.#below = renameAdded(this.#below);
    return count;
  }

  /** Whether a field of that name (lower case) was changed, added or deleted. */
  touches(section: HeaderSection, name: string): boolean {
    if (this.#count === 0) return false;
    for (const [place, field] of this.#changed)
      if (field.name === name || section.fields[place]!.name === name) return true;
    return (
      this.#onTop.some((field) => field.name === name) || this.#below.some((field) => field.name === name)
    );
  }

  /** Whether the edited section has a field of that name (lower case). */
  has(section: HeaderSection, name: string): boolean {
    return (
      this.#places(section, name).some((place) => !this.#isDeleted(place)) ||
      this.#onTop.some((field) => field.name === name) ||
      this.#below.some((field) => field.name === name)
    );
  }

  /**
   * Appends the edited section to `pieces`, as ranges of the original wherever nothing changed; with `select` only the
   * fields whose name it wants. `original` begins at `base` of the message.
   * @returns whether the last line has its line end
   */
  writePieces(
    section: HeaderSection,
    original: Buffer,
    pieces: Piece[],
    base = 0,
    select?: (name: string) => boolean,
  ): boolean {
    const isWanted = select ?? (() => true);
    for (const field of this.#onTop.toReversed())
      if (isWanted(field.name)) pieces.push({ kind: 'bytes', bytes: bytesOf(field.bytes) });
    let from = section.start;
    let isOpen = false;
    const copyTo = (end: number) => {
      if (from >= end) return;
      pushRange(pieces, from, end);
      isOpen = original[end - 1 - base] !== 10;
    };
    const places =
      select === undefined ? [...this.#changed.keys()].sort((a, b) => a - b) : section.fields.keys();
    for (const place of places) {
      const field = section.fields[place]!;
      const changed = this.#changed.get(place);
      const isKept = isWanted(changed?.name ?? field.name);
      if (changed === undefined && isKept) continue;
      copyTo(field.start);
      from = field.end;
      if (!isKept || changed?.bytes === undefined) continue;
      const bytes = bytesOf(changed.bytes);
      pieces.push({ kind: 'bytes', bytes });
      isOpen = bytes.at(-1) !== 10;
    }
    copyTo(section.end);
    for (const field of this.#below) {
      if (!isWanted(field.name)) continue;
      // A last line without its line end would swallow the field that follows.
      if (isOpen) pieces.push({ kind: 'bytes', bytes: Buffer.from('\r\n') });
      const bytes = bytesOf(field.bytes);
      pieces.push({ kind: 'bytes', bytes });
      isOpen = bytes.at(-1) !== 10;
    }
    return !isOpen;
  }

  /** The places of all fields that have that name now (lower case), top first, deleted ones included. */
  #places(section: HeaderSection, name: string): number[] {
    if (this.#changed.size === 0) return placesOf(section, name);
    const places: number[] = [];
    for (let place = 0; place < section.fields.length; place++)
      if ((this.#changed.get(place)?.name ?? section.fields[place]!.name) === name) places.push(place);
    return places;
  }

  #isDeleted(place: number): boolean {
    const changed = this.#changed.get(place);
    return changed !== undefined && changed.bytes === undefined;
  }

  #change(fields: readonly (readonly [number, ChangedField])[]): void {
    if (fields.length === 0) return;
    if (this.#isShared) this.#changed = new Map(this.#changed);
    this.#isShared = false;
    for (const [place, field] of fields) this.#changed.set(place, field);
    this.#counted(fields.length);
  }

  #counted(changes: number): void {
    this.#count += changes;
    this.#onChange();
  }
}

function bytesOf(field: FieldBytes): Buffer {
  return field instanceof LateField ? field.bytes : field;
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
