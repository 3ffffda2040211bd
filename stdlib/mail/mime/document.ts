// A message being looked at and edited. The received bytes stay where they are (MessageSource); what a script changes
// lies beside them and comes out as pieces: ranges of the original and new bytes.
//
// A part is a stretch of the message with a header section of its own. The message itself is the outermost part; the
// parts inside a multipart are further MimeParts of the same document. They are looked for when first asked for, since
// most scripts never ask: `loadParts` before `children`, `isMultipart`, `place.end` of a multipart's parts.

import type { MessageSource, Pieces } from '../message-source.js';
import { applyContentEdits, type ContentEdit, withContentEdit } from './content-edits.js';
import { type ContentField, parameterOf, parseContentField } from './content-field.js';
import { HeaderEdits, pick, placesOf } from './header-edits.js';
import { type HeaderSection, parseHeaderSection } from './header-section.js';
import { decodeValue, toUtf8, trimBlanks, unfold } from './header-text.js';
import { type PartChanges, UNCHANGED } from './part-changes.js';
import { writeMessage } from './part-writer.js';
import { newPlace, type PartPlace, placeHeader, rawValueOf, readStructure } from './structure.js';
import { decodeBody, namedEncoding, type TransferEncoding } from './transfer-encoding.js';

/** Edits of a document at one moment. */
interface Snapshot {
  readonly parts: ReadonlyMap<MimePart, { readonly edits: HeaderEdits; readonly changes: PartChanges }>;
  readonly contentEdits: readonly ContentEdit[];
  readonly contentEditCount: number;
}

/** The whole of one message with its edits. */
export class MailDocument {
  readonly source: MessageSource;
  readonly root: MimePart;
  /** The parts that have edits, or had. */
  readonly #touched = new Set<MimePart>();
  readonly #snapshots: Snapshot[] = [];
  #contentEdits: readonly ContentEdit[] = [];
  #contentEditCount = 0;
  #pieces: Pieces | undefined;
  #structure: Promise<void> | 'known' | undefined;

  constructor(source: MessageSource) {
    this.source = source;
    this.root = new MimePart(this, undefined, 0, undefined);
  }

  /** The message as it is to be delivered now; the same list until the next edit. */
  pieces(): Pieces {
    this.#pieces ??= applyContentEdits(this.#written(), this.#contentEdits, this.source.sizeBytes);
    return this.#pieces;
  }

  /** The edited message's bytes; a promise when some must be read from disk. */
  toBytes(): Buffer | Promise<Buffer> {
    return readPieces(this.source, this.pieces());
  }

  /** Looks for the parts of the message, once. A promise when it must be read from disk. */
  loadParts(): void | Promise<void> {
    if (this.#structure === 'known') return undefined;
    if (this.#structure !== undefined) return this.#structure;
    const reading = readStructure(this.source, this.root.place);
    if (reading === undefined) {
      this.#structure = 'known';
      return undefined;
    }
    this.#structure = reading.then(
      () => {
        this.#structure = 'known';
      },
      (error: unknown) => {
        // What was found of it is forgotten, or a second try would find it twice.
        this.root.forgetPlace();
        this.#structure = undefined;
        throw error;
      },
    );
    return this.#structure;
  }

  /** The part with that id; `loadParts` first. */
  partById(id: string): MimePart | undefined {
    let part: MimePart | undefined = this.root;
    if (id === '') return part;
    for (const step of id.split('.')) {
      if (!/^[1-9][0-9]{0,8}$/.test(step)) return undefined;
      part = part.children[Number(step) - 1];
      if (part === undefined) return undefined;
    }
    return part;
  }

  /** Replaces bytes `start` to `end` of the original. */
  editContent(edit: ContentEdit): void {
    this.#contentEdits = withContentEdit(this.#contentEdits, edit);
    this.#contentEditCount++;
    this.changed();
  }

  /** `pieces` of the original with the raw edits made so far in them. */
  withContentEdits(pieces: Pieces): Pieces {
    return applyContentEdits(pieces, this.#contentEdits, this.source.sizeBytes);
  }

  /** The parts that may have changes. */
  get touched(): Iterable<MimePart> {
    return this.#touched;
  }

  /** A part's edits are about to be, or were, changed. */
  changed(part?: MimePart): void {
    if (part !== undefined) this.#touched.add(part);
    this.#pieces = undefined;
  }

  /** Remembers the edits made so far. */
  snapshot(): number {
    const parts = new Map<MimePart, { edits: HeaderEdits; changes: PartChanges }>();
    for (const part of this.#touched)
      if (part.isChanged) parts.set(part, { edits: part.edits.clone(), changes: part.changes });
    this.#snapshots.push({
      parts,
      contentEdits: this.#contentEdits,
      contentEditCount: this.#contentEditCount,
    });
    return this.#snapshots.length;
  }

  /** Goes back to a snapshot; false when there is no such one. Snapshots can be restored again and again. */
  restore(id: number): boolean {
    const snapshot = this.#snapshots[id - 1];
    if (snapshot === undefined) return false;
    for (const part of this.#touched) part.discardChanges();
    for (const [part, { edits, changes }] of snapshot.parts) part.takeChanges(edits.clone(), changes);
    this.#contentEdits = snapshot.contentEdits;
    this.#contentEditCount = snapshot.contentEditCount;
    this.changed();
    return true;
  }

  /** Drops all edits. @returns how many there were */
  reset(): number {
    let dropped = this.#contentEditCount;
    for (const part of this.#touched) {
      dropped += part.edits.count + part.changes.count;
      part.discardChanges();
    }
    this.#contentEdits = [];
    this.#contentEditCount = 0;
    this.changed();
    return dropped;
  }

  #written(): Pieces {
    for (const part of this.#touched) if (part.isChanged) return writeMessage(this.root, this.#touched);
    return [{ kind: 'range', start: 0, end: this.source.sizeBytes }];
  }
}

/** One part of a message; `id` is empty for the message itself. */
export class MimePart {
  readonly kind = 'part';
  #edits: HeaderEdits | undefined;
  #changes: PartChanges = UNCHANGED;
  #place: PartPlace | undefined;
  #children: readonly MimePart[] | undefined;
  #contentType: ContentField | 'none' | undefined;

  constructor(
    readonly document: MailDocument,
    readonly parent: MimePart | undefined,
    /** Which one of its parent's parts it is, from 0. */
    readonly index: number,
    place: PartPlace | undefined,
  ) {
    this.#place = place;
  }

  /** `2.1` is the first part of the message's second; empty for the message itself. */
  get id(): string {
    if (this.parent === undefined) return '';
    const own = String(this.index + 1);
    return this.parent.parent === undefined ? own : `${this.parent.id}.${own}`;
  }

  get start(): number {
    return this.parent === undefined ? 0 : this.place.start;
  }

  get end(): number {
    return this.parent === undefined ? this.document.source.sizeBytes : this.place.end;
  }

  get sizeBytes(): number {
    return this.end - this.start;
  }

  /** Where its bytes lie; the message's own header is read when first asked for. */
  get place(): PartPlace {
    this.#place ??= placeOfMessage(this.document.source);
    return this.#place;
  }

  /** Where the received header fields lie, in bytes of the message. */
  get header(): HeaderSection {
    return this.place.header;
  }

  /** The bytes that hold the header; the first of them is byte `headerBase` of the message. */
  get headerBytes(): Buffer {
    return this.place.headerBytes;
  }

  get headerBase(): number {
    return this.place.headerBase;
  }

  /** Bytes of the header, by their place in the message. */
  headerRange(start: number, end: number): Buffer {
    return this.headerBytes.subarray(start - this.headerBase, end - this.headerBase);
  }

  /** Whether it has parts inside of it, or at least a boundary for some; `loadParts` first. */
  get isMultipart(): boolean {
    return this.place.boundary !== undefined;
  }

  /** The parts inside of it; `loadParts` first. */
  get children(): readonly MimePart[] {
    this.#children ??= this.place.children.map(
      (place, index) => new MimePart(this.document, this, index, place),
    );
    return this.#children;
  }

  /** Everything below it, top first; `loadParts` first. */
  *descendants(): Generator<MimePart> {
    for (const child of this.children) {
      yield child;
      yield* child.descendants();
    }
  }

  // --- What was received

  /** The received field `index` of that name, as `how` says; undefined when there is none. */
  field(name: string, index: number, how: FieldForm): string | undefined {
    const place = pick(placesOf(this.header, name.toLowerCase()), index);
    return place === undefined ? undefined : this.#read(place, how);
  }

  /** All received fields of that name, top first. */
  fields(name: string, how: FieldForm): string[] {
    return placesOf(this.header, name.toLowerCase()).map((place) => this.#read(place, how));
  }

  /** `text/plain`, in lower case; undefined when its Content-Type cannot be understood. */
  get type(): string | undefined {
    const field = this.#contentTypeField();
    // RFC 2045 §5.2; in a digest RFC 2046 §5.1.5.
    if (field === undefined)
      return this.parent?.type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
    return /^[!#$%&'*+\-.^_`{|}~0-9a-z]+\/[!#$%&'*+\-.^_`{|}~0-9a-z]+$/.test(field.value)
      ? field.value
      : undefined;
  }

  /** A parameter of its Content-Type in UTF-8. */
  typeParameter(name: string): string | undefined {
    const field = this.#contentTypeField();
    const value = field === undefined ? undefined : parameterOf(field, name);
    return value === undefined ? undefined : toUtf8(value, undefined);
  }

  /** The name of the file that it holds, in UTF-8; encoded words are not allowed there, but many senders use them. */
  get fileName(): string | undefined {
    const raw = rawValueOf(this.place, 'content-disposition');
    const disposition = raw === undefined ? undefined : parseContentField(raw);
    const type = this.#contentTypeField();
    for (const [field, parameter] of [[disposition, 'filename'] as const, [type, 'name'] as const]) {
      const name = field === undefined ? undefined : parameterOf(field, parameter);
      if (name !== undefined && name !== '') return decodeValue(name, this.#ownCharset());
    }
    return undefined;
  }

  /** How its body is encoded; undefined for a way we do not know. */
  get encoding(): TransferEncoding | undefined {
    const raw = rawValueOf(this.place, 'content-transfer-encoding');
    return raw === undefined ? '7bit' : namedEncoding(parseContentField(raw).value);
  }

  /** Its body as received, or without its transfer encoding; a promise when it must be read from disk. */
  body(isDecoded: boolean): Buffer | Promise<Buffer> {
    const bytes = readRange(this.document.source, this.place.bodyStart, this.end);
    if (!isDecoded) return bytes;
    const { encoding } = this;
    return bytes instanceof Promise
      ? bytes.then((body) => decodeBody(body, encoding))
      : decodeBody(bytes, encoding);
  }

  /** The boundaries that no line inside of it may be: those of the multiparts around it. */
  get boundariesAround(): string[] {
    const boundaries: string[] = [];
    for (let part = this.parent; part !== undefined; part = part.parent)
      if (part.place.boundary !== undefined) boundaries.push(part.place.boundary);
    return boundaries;
  }

  // --- Changes

  /** The changes of its header. */
  get edits(): HeaderEdits {
    this.#edits ??= new HeaderEdits(() => this.document.changed(this));
    return this.#edits;
  }

  /** Its other changes. */
  get changes(): PartChanges {
    return this.#changes;
  }

  get isChanged(): boolean {
    return (this.#edits !== undefined && this.#edits.count > 0) || this.#changes !== UNCHANGED;
  }

  /** Makes one change. */
  change(what: Partial<Omit<PartChanges, 'count'>>): void {
    this.#changes = { ...this.#changes, ...what, count: this.#changes.count + 1 };
    this.document.changed(this);
  }

  takeChanges(edits: HeaderEdits, changes: PartChanges): void {
    this.#edits = edits;
    this.#changes = changes;
  }

  discardChanges(): void {
    this.#edits = undefined;
    this.#changes = UNCHANGED;
  }

  /** Nothing is known of its place any more. */
  forgetPlace(): void {
    this.#place = undefined;
    this.#children = undefined;
  }

  #read(place: number, how: FieldForm): string {
    const { start, valueStart, end } = this.header.fields[place]!;
    if (how.wholeField)
      return this.headerRange(start, end)
        .toString('latin1')
        .replace(/\r?\n$/, '');
    const value = unfold(this.headerRange(valueStart, end).toString('latin1'));
    return how.decode ? decodeValue(value, this.#ownCharset()) : value;
  }

  #contentTypeField(): ContentField | undefined {
    if (this.#contentType === undefined) {
      const raw = rawValueOf(this.place, 'content-type');
      this.#contentType = raw === undefined ? 'none' : parseContentField(raw);
    }
    return this.#contentType === 'none' ? undefined : this.#contentType;
  }

  #ownCharset(): string | undefined {
    const field = this.#contentTypeField();
    const charset = field === undefined ? undefined : parameterOf(field, 'charset');
    return charset === undefined ? undefined : trimBlanks(charset);
  }
}

/** How a field is wanted: with its name and folding, as received, or its value, unfolded and perhaps decoded. */
export interface FieldForm {
  readonly wholeField: boolean;
  readonly decode: boolean;
}

/** A message that is wholly in memory. */
export function bytesToSource(bytes: Buffer): MessageSource {
  return {
    sizeBytes: bytes.length,
    head: bytes,
    isComplete: true,
    read: async (start, end) => bytes.subarray(start, end),
  };
}

/** The bytes of pieces; a promise when some must be read from disk. */
export function readPieces(source: MessageSource, pieces: Pieces): Buffer | Promise<Buffer> {
  const parts = pieces.map((piece) =>
    piece.kind === 'bytes' ? piece.bytes : readRange(source, piece.start, piece.end),
  );
  const isInMemory = (list: readonly (Buffer | Promise<Buffer>)[]): list is readonly Buffer[] =>
    !list.some((part) => part instanceof Promise);
  return isInMemory(parts) ? Buffer.concat(parts) : Promise.all(parts).then((read) => Buffer.concat(read));
}

/** A stretch of a message; a promise when it must be read from disk, and is not there in full. */
export function readRange(source: MessageSource, start: number, end: number): Buffer | Promise<Buffer> {
  if (end <= source.head.length) return source.head.subarray(start, end);
  return source.read(start, end).then((bytes) => {
    if (bytes.length < end - start) throw new Error(`it ends at byte ${start + bytes.length}`);
    return bytes;
  });
}

function placeOfMessage(source: MessageSource): PartPlace {
  const place = newPlace(undefined, undefined, 0);
  place.end = source.sizeBytes;
  const { head } = source;
  const header = parseHeaderSection(head, 0, head.length);
  if (header.isClosed || source.isComplete) {
    placeHeader(place, header, head, 0);
  } else {
    // What is in memory of it may end inside its last field: that one and all below belong to the rest.
    const end = header.fields.at(-1)?.start ?? 0;
    placeHeader(place, { ...header, fields: header.fields.slice(0, -1), end }, head, 0);
    place.errors.add('bad_header');
  }
  return place;
}
