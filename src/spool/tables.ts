// What the spool knows of the messages in it, in columns: where their bytes lie and what has changed since they were written.
// About 80 bytes a message. Nothing here touches a disk.

import { IdTable } from './id-table.js';
import { type MessageHead, type RareChange, type StoredPlace, UNTOUCHED } from './records.js';
import { SharedTexts } from './shared-texts.js';
import type { MessageChange, MessageId } from './spool.js';
import { IN_STRETCH, STRETCH_BITS, STRETCH_ROWS } from './stretches.js';
import type { UuidWords } from './uuid-words.js';

/** Slots that are looked at in one go. */
const LOOK = 20_000;

/** The columns of some thousand places. */
class PlaceStretch {
  readonly segments = new Uint32Array(STRETCH_ROWS);
  readonly offsets = new Uint32Array(STRETCH_ROWS);
  readonly sizes = new Uint32Array(STRETCH_ROWS);
  /** Messages that need it; 0 = free, and the offset is then the next free place. */
  readonly users = new Uint32Array(STRETCH_ROWS);
}

/** The columns of some thousand messages. */
class MessageStretch {
  readonly bodies = new Int32Array(STRETCH_ROWS);
  readonly versions = new Int32Array(STRETCH_ROWS);
  readonly sizes = new Uint32Array(STRETCH_ROWS);
  /** The file of the metadata log that has the message's transaction. */
  readonly homes = new Uint32Array(STRETCH_ROWS);
  readonly holds = new Uint8Array(STRETCH_ROWS);
  readonly retries = new Uint16Array(STRETCH_ROWS);
  readonly nextTries = new Float64Array(STRETCH_ROWS);
  readonly reasons = new Array<string | undefined>(STRETCH_ROWS).fill(undefined);
}

/** A stretch of the body log that messages share; segment 0 = a file of its own, `offset` being its number. */
export class PlaceTable {
  readonly #stretches: PlaceStretch[] = [];
  /** Checksums of files of their own; a place in the body log has its own there. */
  readonly #crcs = new Map<number, number>();
  #firstFree = 0xffffffff;
  #top = 0;

  /** A new place, without users yet. */
  add(segment: number, offset: number, sizeBytes: number, crc = 0): number {
    let place = this.#firstFree;
    if (place === 0xffffffff) {
      place = this.#top++;
      if (place >>> STRETCH_BITS === this.#stretches.length) this.#stretches.push(new PlaceStretch());
    } else {
      this.#firstFree = this.#of(place).offsets[place & IN_STRETCH]!;
    }
    const rows = this.#of(place);
    const at = place & IN_STRETCH;
    rows.segments[at] = segment;
    rows.offsets[at] = offset;
    rows.sizes[at] = sizeBytes;
    if (segment === 0) this.#crcs.set(place, crc);
    return place;
  }

  use(place: number): void {
    this.#of(place).users[place & IN_STRETCH]!++;
  }

  /** One user less; true when it was the last one. The place must then be freed. */
  leave(place: number): boolean {
    return --this.#of(place).users[place & IN_STRETCH]! === 0;
  }

  free(place: number): void {
    if (this.#of(place).segments[place & IN_STRETCH] === 0) this.#crcs.delete(place);
    this.#of(place).offsets[place & IN_STRETCH] = this.#firstFree;
    this.#firstFree = place;
  }

  isUsed(place: number): boolean {
    return place < this.#top && this.#of(place).users[place & IN_STRETCH] !== 0;
  }

  /** One more than the highest place ever used. */
  get top(): number {
    return this.#top;
  }

  segment(place: number): number {
    return this.#of(place).segments[place & IN_STRETCH]!;
  }

  offset(place: number): number {
    return this.#of(place).offsets[place & IN_STRETCH]!;
  }

  /** Bytes of the payload. */
  sizeBytes(place: number): number {
    return this.#of(place).sizes[place & IN_STRETCH]!;
  }

  /** The checksum of a file of its own. */
  crc(place: number): number {
    return this.#crcs.get(place) ?? 0;
  }

  /** As records write it. */
  stored(place: number): StoredPlace {
    const rows = this.#of(place);
    const at = place & IN_STRETCH;
    return [rows.segments[at]!, rows.offsets[at]!, rows.sizes[at]!, this.crc(place)];
  }

  move(place: number, segment: number, offset: number): void {
    const rows = this.#of(place);
    const at = place & IN_STRETCH;
    rows.segments[at] = segment;
    rows.offsets[at] = offset;
  }

  #of(place: number): PlaceStretch {
    return this.#stretches[place >>> STRETCH_BITS]!;
  }
}

/** The messages in the spool. */
export class StoredMessages {
  readonly #ids = new IdTable();
  readonly #stretches: MessageStretch[] = [];
  readonly #texts = new SharedTexts();
  readonly #rare = new Map<number, RareChange>();
  /** Imported messages, which had their ids before: what tells their records from the old ones (records.ts). */
  readonly #imports = new Map<number, number>();

  get count(): number {
    return this.#ids.size;
  }

  /** One more than the highest slot ever used. */
  get top(): number {
    return this.#ids.top;
  }

  has(slot: number): boolean {
    return this.#ids.has(slot);
  }

  find(id: MessageId): number {
    return this.#ids.find(id);
  }

  findWords(uuid: UuidWords, number: number): number {
    return this.#ids.findWords(uuid, number);
  }

  idOf(slot: number): MessageId {
    return this.#ids.idOf(slot);
  }

  add(
    uuid: UuidWords,
    message: MessageHead,
    bodyPlace: number,
    versionPlace: number,
    home: number,
    imported: number,
  ): number {
    const slot = this.#ids.addWords(uuid, message.n);
    if (slot >>> STRETCH_BITS === this.#stretches.length) this.#stretches.push(new MessageStretch());
    const rows = this.#of(slot);
    const at = slot & IN_STRETCH;
    rows.bodies[at] = bodyPlace;
    rows.versions[at] = versionPlace;
    rows.sizes[at] = message.size;
    rows.homes[at] = home;
    rows.holds[at] = message.hold ? 1 : 0;
    rows.retries[at] = message.retry;
    rows.nextTries[at] = message.next;
    rows.reasons[at] = this.#texts.share(message.why);
    if (imported !== 0) this.#imports.set(slot, imported);
    return slot;
  }

  remove(slot: number): void {
    this.#of(slot).reasons[slot & IN_STRETCH] = undefined;
    this.#rare.delete(slot);
    this.#imports.delete(slot);
    this.#ids.remove(slot);
  }

  bodyPlace(slot: number): number {
    return this.#of(slot).bodies[slot & IN_STRETCH]!;
  }

  versionPlace(slot: number): number {
    return this.#of(slot).versions[slot & IN_STRETCH]!;
  }

  sizeBytes(slot: number): number {
    return this.#of(slot).sizes[slot & IN_STRETCH]!;
  }

  home(slot: number): number {
    return this.#of(slot).homes[slot & IN_STRETCH]!;
  }

  imported(slot: number): number {
    return this.#imports.get(slot) ?? 0;
  }

  change(slot: number, { hold, retry, nextTry, reason, ...rare }: MessageChange): void {
    const rows = this.#of(slot);
    const at = slot & IN_STRETCH;
    if (hold !== undefined) rows.holds[at] = hold ? 1 : 0;
    if (retry !== undefined) rows.retries[at] = Math.min(retry, 0xffff);
    if (nextTry !== undefined) rows.nextTries[at] = nextTry;
    if (reason !== undefined) rows.reasons[at] = this.#texts.share(reason);
    for (const _ in rare) {
      this.#rare.set(slot, { ...this.#rare.get(slot), ...rare });
      return;
    }
  }

  /** What a record says in front of the message, as it is now. `version` is the caller's index. */
  headOf(slot: number, n: number, version: number): MessageHead {
    const rows = this.#of(slot);
    const at = slot & IN_STRETCH;
    return {
      n,
      size: rows.sizes[at]!,
      version,
      hold: rows.holds[at] === 1,
      retry: rows.retries[at]!,
      next: rows.nextTries[at]!,
      why: rows.reasons[at] ?? '',
    };
  }

  /** What else has changed since the message's transaction was written. */
  rareOf(slot: number): RareChange | undefined {
    return this.#rare.get(slot);
  }

  /** Slots in use whose transaction is in a file up to `home`, in stretches that take no longer than a millisecond. */
  *upTo(home: number): Generator<readonly number[]> {
    for (let from = 0; from < this.#ids.top; from += LOOK) {
      const found: number[] = [];
      const end = Math.min(from + LOOK, this.#ids.top);
      for (let slot = from; slot < end; slot++) {
        if (this.#of(slot).homes[slot & IN_STRETCH]! <= home && this.#ids.has(slot)) found.push(slot);
      }
      yield found;
    }
  }

  /** Its transaction is now in that file. */
  settle(slot: number, home: number): void {
    this.#of(slot).homes[slot & IN_STRETCH] = home;
  }

  #of(slot: number): MessageStretch {
    return this.#stretches[slot >>> STRETCH_BITS]!;
  }
}

/** Messages and the places of their bytes: what a spool holds. */
export class Holdings {
  readonly messages = new StoredMessages();
  readonly places = new PlaceTable();

  /** Takes in the messages of a record whose places are `body` and `versions`. Places that nobody needs are freed. */
  enter(
    { uuid, imported, messages }: { uuid: UuidWords; imported: number; messages: readonly MessageHead[] },
    body: number,
    versions: readonly number[],
    home: number,
  ): void {
    for (const message of messages) {
      const version = message.version === UNTOUCHED ? UNTOUCHED : versions[message.version]!;
      this.messages.add(uuid, message, body, version, home, imported);
      this.places.use(body);
      if (version !== UNTOUCHED) this.places.use(version);
    }
    for (const place of versions) if (!this.places.isUsed(place)) this.places.free(place);
    if (!this.places.isUsed(body)) this.places.free(body);
  }

  /** Forgets a message. `died` is called for places that nobody needs any more, just before they are freed. */
  drop(slot: number, died: (place: number) => void): void {
    const body = this.messages.bodyPlace(slot);
    const version = this.messages.versionPlace(slot);
    this.messages.remove(slot);
    for (const place of version === UNTOUCHED ? [body] : [version, body]) {
      if (!this.places.leave(place)) continue;
      died(place);
      this.places.free(place);
    }
  }
}
