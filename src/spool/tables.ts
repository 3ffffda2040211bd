// What the spool knows of the messages in it, in columns: where their bytes lie and what has changed since they were written.
// About 80 bytes a message. Nothing here touches a disk.

import { enlarged, IdTable } from './id-table.js';
import { type MessageHead, type RareChange, type StoredPlace, UNTOUCHED } from './records.js';
import { SharedTexts } from './shared-texts.js';
import type { MessageChange, MessageId } from './spool.js';
import type { UuidWords } from './uuid-words.js';

/** Slots that are looked at in one go. */
const STRETCH = 20_000;

/** A stretch of the body log that messages share; segment 0 = a file of its own, `offset` being its number. */
export class PlaceTable {
  #segments = new Uint32Array(256);
  #offsets = new Uint32Array(256);
  #sizes = new Uint32Array(256);
  /** Messages that need it; 0 = free, and the offset is then the next free place. */
  #users = new Uint32Array(256);
  /** Checksums of files of their own; a place in the body log has its own there. */
  readonly #crcs = new Map<number, number>();
  #firstFree = 0xffffffff;
  #top = 0;

  /** A new place, without users yet. */
  add(segment: number, offset: number, sizeBytes: number, crc = 0): number {
    let place = this.#firstFree;
    if (place === 0xffffffff) {
      if (this.#top === this.#segments.length) this.#grow();
      place = this.#top++;
    } else {
      this.#firstFree = this.#offsets[place]!;
    }
    this.#segments[place] = segment;
    this.#offsets[place] = offset;
    this.#sizes[place] = sizeBytes;
    if (segment === 0) this.#crcs.set(place, crc);
    return place;
  }

  use(place: number): void {
    this.#users[place]!++;
  }

  /** One user less; true when it was the last one. The place must then be freed. */
  leave(place: number): boolean {
    return --this.#users[place]! === 0;
  }

  free(place: number): void {
    if (this.#segments[place] === 0) this.#crcs.delete(place);
    this.#offsets[place] = this.#firstFree;
    this.#firstFree = place;
  }

  isUsed(place: number): boolean {
    return place < this.#top && this.#users[place] !== 0;
  }

  /** One more than the highest place ever used. */
  get top(): number {
    return this.#top;
  }

  segment(place: number): number {
    return this.#segments[place]!;
  }

  offset(place: number): number {
    return this.#offsets[place]!;
  }

  /** Bytes of the payload. */
  sizeBytes(place: number): number {
    return this.#sizes[place]!;
  }

  /** The checksum of a file of its own. */
  crc(place: number): number {
    return this.#crcs.get(place) ?? 0;
  }

  /** As records write it. */
  stored(place: number): StoredPlace {
    return [this.#segments[place]!, this.#offsets[place]!, this.#sizes[place]!, this.crc(place)];
  }

  move(place: number, segment: number, offset: number): void {
    this.#segments[place] = segment;
    this.#offsets[place] = offset;
  }

  #grow(): void {
    const length = Math.ceil(this.#segments.length * 1.25);
    this.#segments = enlarged(this.#segments, length);
    this.#offsets = enlarged(this.#offsets, length);
    this.#sizes = enlarged(this.#sizes, length);
    this.#users = enlarged(this.#users, length);
  }
}

/** The messages in the spool. */
export class StoredMessages {
  readonly #ids = new IdTable();
  #bodies = new Int32Array(0);
  #versions = new Int32Array(0);
  #sizes = new Uint32Array(0);
  /** The file of the metadata log that has the message's transaction. */
  #homes = new Uint32Array(0);
  #holds = new Uint8Array(0);
  #retries = new Uint16Array(0);
  #nextTries = new Float64Array(0);
  readonly #reasons: (string | undefined)[] = [];
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
    if (slot >= this.#bodies.length) this.#grow(this.#ids.capacity);
    this.#bodies[slot] = bodyPlace;
    this.#versions[slot] = versionPlace;
    this.#sizes[slot] = message.size;
    this.#homes[slot] = home;
    this.#holds[slot] = message.hold ? 1 : 0;
    this.#retries[slot] = message.retry;
    this.#nextTries[slot] = message.next;
    this.#reasons[slot] = this.#texts.share(message.why);
    if (imported !== 0) this.#imports.set(slot, imported);
    return slot;
  }

  remove(slot: number): void {
    this.#reasons[slot] = undefined;
    this.#rare.delete(slot);
    this.#imports.delete(slot);
    this.#ids.remove(slot);
  }

  bodyPlace(slot: number): number {
    return this.#bodies[slot]!;
  }

  versionPlace(slot: number): number {
    return this.#versions[slot]!;
  }

  sizeBytes(slot: number): number {
    return this.#sizes[slot]!;
  }

  home(slot: number): number {
    return this.#homes[slot]!;
  }

  imported(slot: number): number {
    return this.#imports.get(slot) ?? 0;
  }

  change(slot: number, { hold, retry, nextTry, reason, ...rare }: MessageChange): void {
    if (hold !== undefined) this.#holds[slot] = hold ? 1 : 0;
    if (retry !== undefined) this.#retries[slot] = Math.min(retry, 0xffff);
    if (nextTry !== undefined) this.#nextTries[slot] = nextTry;
    if (reason !== undefined) this.#reasons[slot] = this.#texts.share(reason);
    for (const _ in rare) {
      this.#rare.set(slot, { ...this.#rare.get(slot), ...rare });
      return;
    }
  }

  /** What a record says in front of the message, as it is now. `version` is the caller's index. */
  headOf(slot: number, n: number, version: number): MessageHead {
    return {
      n,
      size: this.#sizes[slot]!,
      version,
      hold: this.#holds[slot] === 1,
      retry: this.#retries[slot]!,
      next: this.#nextTries[slot]!,
      why: this.#reasons[slot] ?? '',
    };
  }

  /** What else has changed since the message's transaction was written. */
  rareOf(slot: number): RareChange | undefined {
    return this.#rare.get(slot);
  }

  /** Slots in use whose transaction is in a file up to `home`, in stretches that take no longer than a millisecond. */
  *upTo(home: number): Generator<readonly number[]> {
    for (let from = 0; from < this.#ids.top; from += STRETCH) {
      const found: number[] = [];
      const end = Math.min(from + STRETCH, this.#ids.top);
      for (let slot = from; slot < end; slot++) {
        if (this.#homes[slot]! <= home && this.#ids.has(slot)) found.push(slot);
      }
      yield found;
    }
  }

  /** Its transaction is now in that file. */
  settle(slot: number, home: number): void {
    this.#homes[slot] = home;
  }

  #grow(capacity: number): void {
    this.#bodies = enlarged(this.#bodies, capacity);
    this.#versions = enlarged(this.#versions, capacity);
    this.#sizes = enlarged(this.#sizes, capacity);
    this.#homes = enlarged(this.#homes, capacity);
    this.#holds = enlarged(this.#holds, capacity);
    this.#retries = enlarged(this.#retries, capacity);
    this.#nextTries = enlarged(this.#nextTries, capacity);
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
