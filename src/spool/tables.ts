// What the spool knows of the messages in it, in columns: where their bytes lie and what has changed since they were written.
// About 80 bytes a message. Nothing here touches a disk.

import { enlarged, IdTable } from './id-table.js';
import type { StoredMessage } from './records.js';
import { SharedTexts } from './shared-texts.js';
import type { MessageChange, MessageId } from './spool.js';

/** A stretch of the body log that messages share; segment 0 = a file of its own, `offset` being its number. */
export class PlaceTable {
  #segments = new Uint32Array(256);
  #offsets = new Uint32Array(256);
  #sizes = new Uint32Array(256);
  /** Messages that need it; 0 = free, and the offset is then the next free place. */
  #users = new Uint32Array(256);
  #firstFree = 0xffffffff;
  #top = 0;

  /** A new place, without users yet. */
  add(segment: number, offset: number, sizeBytes: number): number {
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

/** No version: the message goes out as it was received. */
export const UNTOUCHED = -1;

/** What is rarely changed is kept aside. */
type RareChange = Omit<MessageChange, 'hold' | 'retry' | 'nextTry' | 'reason'>;

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

  get count(): number {
    return this.#ids.size;
  }

  find(id: MessageId): number {
    return this.#ids.find(id);
  }

  add(
    transaction: string,
    message: StoredMessage,
    bodyPlace: number,
    versionPlace: number,
    home: number,
  ): number {
    const slot = this.#ids.add({ transaction, number: message.n });
    if (slot >= this.#bodies.length) this.#grow(this.#ids.capacity);
    this.#bodies[slot] = bodyPlace;
    this.#versions[slot] = versionPlace;
    this.#sizes[slot] = message.size;
    this.#homes[slot] = home;
    this.#holds[slot] = message.hold ?? 0;
    this.#retries[slot] = message.retry ?? 0;
    this.#nextTries[slot] = message.next ?? 0;
    this.#reasons[slot] = this.#texts.share(message.why);
    return slot;
  }

  remove(slot: number): void {
    this.#reasons[slot] = undefined;
    this.#rare.delete(slot);
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

  /** Everything that may have changed since the message's transaction was written. */
  state(slot: number): MessageChange {
    return {
      ...this.#rare.get(slot),
      hold: this.#holds[slot] === 1,
      retry: this.#retries[slot]!,
      nextTry: this.#nextTries[slot]!,
      reason: this.#reasons[slot] ?? '',
    };
  }

  /** Calls for the slots of all messages whose transaction is in a file up to `home`. */
  eachUpTo(home: number, call: (slot: number) => void): void {
    for (let slot = 0; slot < this.#ids.top; slot++) {
      if (this.#homes[slot]! <= home && this.#ids.has(slot)) call(slot);
    }
  }

  /** Files of the metadata log up to `home` that have a living message. */
  homesUpTo(home: number): Set<number> {
    const homes = new Set<number>();
    this.eachUpTo(home, (slot) => homes.add(this.#homes[slot]!));
    return homes;
  }

  /** All transactions up to this file are now in the snapshot of that number. */
  settleInto(home: number): void {
    this.eachUpTo(home, (slot) => {
      this.#homes[slot] = home;
    });
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
