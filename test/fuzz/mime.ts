// Messages of all kinds, whole and broken, parsed and edited.
//
// Any message: places tile it, parsing it from disk in small windows finds the same, a message without edits is the same
// bytes, edits that are taken back leave the same bytes, and the untouched parts of an edited one are in it unchanged.
// Well-formed ones: what edits mean is compared with a model (mime-model.ts), snapshots included.

import { isDeepStrictEqual } from 'node:util';
import { MailDocument, type MessageSource, type MimePart } from '#stdlib';
import { changeBody } from '../../stdlib/mail/mime/body-change.js';
import { bytesToSource } from '../../stdlib/mail/mime/document.js';
import { parseHeaderSection } from '../../stdlib/mail/mime/header-section.js';
import { encodeField } from '../../stdlib/mail/mime/header-text.js';
import { type InsertedPart, insertBeside, type Side } from '../../stdlib/mail/mime/part-changes.js';
import { newPlace, type PartPlace, placeHeader, readStructure } from '../../stdlib/mail/mime/structure.js';
import { brokenMessage, SampleMaker, type SamplePart, sampleText } from '../support/mime-samples.js';
import {
  cloneModel,
  findPart,
  insert,
  type ModelPart,
  modelOf,
  newPart,
  type Shape,
  shapeOf,
  WRAP,
} from './mime-model.js';
import { SeededRandom } from './random.js';

export interface MimeFuzzCounts {
  messages: number;
  parts: number;
  edits: number;
}

// --- Any message ------------------------------------------------------------------------------------------------

/** Children, delimiters and texts around them fill a multipart without gaps. */
function checkTiling(place: PartPlace): void {
  const { header, bodyStart, end, children, close } = place;
  if (
    !(
      place.start <= header.start &&
      header.start <= header.end &&
      header.end <= bodyStart &&
      bodyStart <= end
    )
  )
    throw new Error(`a part lies wrongly: ${place.start} ${header.end} ${bodyStart} ${end}`);
  let at = bodyStart;
  for (const child of children) {
    const { start, lineStart, textEnd, end: lineEnd } = child.delimiter!;
    const isInOrder =
      at <= start &&
      start <= lineStart &&
      lineStart < textEnd &&
      textEnd <= lineEnd &&
      lineEnd === child.start;
    if (!isInOrder || child.end > end) throw new Error(`the parts do not tile their multipart at ${at}`);
    checkTiling(child);
    at = child.end;
  }
  if (close !== undefined && !(at <= close.start && close.textEnd <= end))
    throw new Error('the closing delimiter lies inside of a part');
  for (const [index, child] of children.entries()) {
    const next = children[index + 1]?.delimiter ?? close;
    if (next !== undefined && next.start !== child.end)
      throw new Error('bytes between a part and its delimiter');
  }
}

/** A place without what depends on how it was read. */
function comparable(place: PartPlace): unknown {
  const { start, end, bodyStart, header, boundary, close, delimiter, errors, children } = place;
  return [
    start,
    end,
    bodyStart,
    header,
    boundary,
    close,
    delimiter,
    [...errors].sort(),
    children.map(comparable),
  ];
}

async function checkWindows(original: Buffer, root: PartPlace, random: SeededRandom): Promise<void> {
  const headBytes = Math.min(original.length, root.bodyStart + random.below(20));
  const source: MessageSource = {
    sizeBytes: original.length,
    head: original.subarray(0, headBytes),
    isComplete: false,
    read: async (start, end) => original.subarray(start, end),
  };
  const place = newPlace(undefined, undefined, 0);
  placeHeader(place, parseHeaderSection(original), original, 0);
  if (!place.header.isClosed) return;
  await readStructure(source, place, 3 + random.below(100));
  if (!isDeepStrictEqual(comparable(place), comparable(root)))
    throw new Error('read in windows, the message has another structure');
}

function checkGetters(part: MimePart): void {
  for (const one of [part, ...part.descendants()]) {
    one.type;
    one.typeParameter('boundary');
    one.fileName;
    one.body(true);
    one.fields('content-type', { wholeField: false, decode: true });
    if (part.document.partById(one.id) !== one) throw new Error(`part ${one.id} is not found by its id`);
  }
}

async function checkAnyMessage(
  original: Buffer,
  random: SeededRandom,
  counts: MimeFuzzCounts,
): Promise<void> {
  const document = new MailDocument(bytesToSource(original));
  const { root } = document;
  await document.loadParts();
  checkTiling(root.place);
  checkGetters(root);
  await checkWindows(original, root.place, random);
  if (!(await document.toBytes()).equals(original)) throw new Error('without edits the bytes differ');
  const parts = [root, ...root.descendants()];
  counts.parts += parts.length;
  const edited = new Set<MimePart>();
  for (let edits = random.below(4); edits > 0; edits--) {
    const part = random.pick(parts);
    for (let one: MimePart | undefined = part; one !== undefined; one = one.parent) edited.add(one);
    for (const below of part.descendants()) edited.add(below);
    edit(part, random, newInserted(part, random.pick(['before', 'after']), 'new', random), counts);
  }
  const out = await document.toBytes();
  let from = 0;
  for (const part of parts) {
    if (edited.has(part) || part.sizeBytes === 0) continue;
    if (part.parent !== undefined && !edited.has(part.parent)) continue;
    const at = out.indexOf(original.subarray(part.start, part.end), from);
    if (at === -1) throw new Error(`part ${part.id} was not edited and is not what it was`);
    from = at;
  }
  document.reset();
  if (!(await document.toBytes()).equals(original)) throw new Error('reset did not bring the message back');
}

function edit(part: MimePart, random: SeededRandom, inserted: InsertedPart, counts: MimeFuzzCounts): void {
  counts.edits++;
  switch (random.below(6)) {
    case 0:
      part.edits.set(part.header, 'X-Edit', encodeField('X-Edit', 'value'), 0);
      break;
    case 1:
      changeBody(part, Buffer.from(random.pick(['', 'new', '--=_0', '\xff\x00', 'a\nb'])), undefined);
      break;
    case 2:
      insertBeside(inserted, random.pick(['multipart/mixed', 'multipart/related']), `w${counts.edits}`);
      break;
    case 3:
      part.change({ replacement: inserted });
      break;
    case 4:
      if (part.parent !== undefined) part.change({ replacement: 'removed' });
      break;
    default:
      if (part.isMultipart)
        part.change(random.chance(0.5) ? { preamble: Buffer.from('p') } : { epilogue: Buffer.from('e') });
  }
}

function newInserted(
  anchor: MimePart,
  side: Side,
  content: string,
  random: SeededRandom,
  id = -2,
): InsertedPart {
  const header = random.chance(0.8) ? `X-Id: ${id}\r\nContent-Type: text/plain\r\n` : `X-Id: ${id}\r\n`;
  return {
    kind: 'inserted',
    header: Buffer.from(header),
    body: [{ kind: 'bytes', bytes: Buffer.from(content, 'latin1') }],
    anchor,
    side,
  };
}

// --- Well-formed messages, against the model ---------------------------------------------------------------------

/** What a message turned out to be, in the model's terms. */
async function readShape(bytes: Buffer): Promise<Shape> {
  const document = new MailDocument(bytesToSource(bytes));
  await document.loadParts();
  const shape = async (part: MimePart): Promise<Shape> => {
    const id = Number(part.field('X-Id', 0, { wholeField: false, decode: false }) ?? WRAP);
    const fields = part.fields('X-Edit', { wholeField: true, decode: false }).sort();
    if (!part.isMultipart) return [part.type!, id, fields, (await part.body(true)).toString('latin1')];
    return [part.type!, id, fields, await Promise.all(part.children.map(shape))];
  };
  return shape(document.root);
}

/** Fields that are not about the body stay on top when a whole message is wrapped or replaced. */
function withTopFields(shape: Shape, id: number, fields: readonly string[]): Shape {
  return [shape[0], id, fields, shape[3]];
}

class ModelRun {
  readonly document: MailDocument;
  #model: ModelPart;
  readonly #rootId: number;
  readonly #byId = new Map<number, MimePart>();
  readonly #snapshots: { readonly id: number; readonly model: ModelPart }[] = [];
  #nextId = -10;

  constructor(
    readonly sample: SamplePart,
    readonly random: SeededRandom,
    readonly counts: MimeFuzzCounts,
  ) {
    this.document = new MailDocument(bytesToSource(Buffer.from(sampleText(sample), 'latin1')));
    this.#model = modelOf(sample);
    this.#rootId = sample.id;
  }

  async run(): Promise<void> {
    await this.document.loadParts();
    const { root } = this.document;
    for (const part of [root, ...root.descendants()])
      this.#byId.set(Number(part.field('X-Id', 0, { wholeField: false, decode: false })), part);
    await this.#compare();
    for (let steps = 1 + this.random.below(8); steps > 0; steps--) {
      this.#step();
      if (this.random.chance(0.4)) await this.#compare();
    }
    await this.#compare();
  }

  #step(): void {
    const { random } = this;
    const [id, part] = random.pick([...this.#byId]);
    const model = findPart(this.#model, id);
    if (model === undefined) throw new Error(`the model lost part ${id}`);
    this.counts.edits++;
    switch (random.below(9)) {
      case 0:
        part.edits.set(part.header, 'X-Edit', encodeField('X-Edit', `v${this.counts.edits}`), 0);
        model.fields.set('X-Edit', `v${this.counts.edits}`);
        break;
      case 1:
        this.#setBody(part, model);
        break;
      case 2:
      case 3:
        this.#insert(part, model);
        break;
      case 4:
        this.#replace(part, model);
        break;
      case 5:
        if (part.parent === undefined) break;
        part.change({ replacement: 'removed' });
        model.isRemoved = true;
        break;
      case 6:
        this.#around(part, model);
        break;
      case 7:
        this.#snapshots.push({ id: this.document.snapshot(), model: cloneModel(this.#model) });
        break;
      default: {
        const snapshot = this.#snapshots.length === 0 ? undefined : random.pick(this.#snapshots);
        if (snapshot === undefined) break;
        if (!this.document.restore(snapshot.id)) throw new Error('a snapshot is gone');
        this.#model = cloneModel(snapshot.model);
      }
    }
  }

  #setBody(part: MimePart, model: ModelPart): void {
    const content = this.random.pick([
      '',
      'short',
      'line\r\nline\r\n',
      '--=_0\r\n--BB\r\n',
      'gr\xc3\xbc\xc3\x9f',
      '\x00\xff\x80',
      'x'.repeat(1200),
      'trailing \r\n\t',
    ]);
    const isChanged = changeBody(part, Buffer.from(content, 'latin1'), undefined);
    if (isChanged !== (this.#sampleKind(part) === 'leaf'))
      throw new Error(`the body of ${part.id} could ${isChanged ? '' : 'not '}be changed`);
    if (isChanged) model.content = content;
  }

  #sampleKind(part: MimePart): 'leaf' | 'multipart' {
    return part.isMultipart ? 'multipart' : 'leaf';
  }

  #insert(part: MimePart, model: ModelPart): void {
    const side = this.random.pick(['before', 'after'] as const);
    const type = this.random.pick(['multipart/mixed', 'multipart/alternative', 'multipart/related']);
    const id = this.#nextId--;
    insertBeside(newInserted(part, side, `new ${id}`, this.random, id), type, `new-${id}`);
    this.#model = insert(this.#model, model, newPart(id, 'text/plain', `new ${id}`), side, type);
  }

  #replace(part: MimePart, model: ModelPart): void {
    const id = this.#nextId--;
    part.change({ replacement: newInserted(part, 'after', `new ${id}`, this.random, id) });
    model.isRemoved = false;
    // Of a whole message only the content is replaced.
    const added = newPart(part.parent === undefined ? WRAP : id, 'text/plain', `new ${id}`);
    added.parent = model.parent;
    model.replacement = added;
  }

  #around(part: MimePart, model: ModelPart): void {
    if (!part.isMultipart) return;
    const text = this.random.pick(['', 'around', 'around\r\n']);
    const which = this.random.pick(['preamble', 'epilogue'] as const);
    part.change({ [which]: Buffer.from(text) });
    model[which] = text;
  }

  async #compare(): Promise<void> {
    const out = await this.document.toBytes();
    const found = await readShape(out);
    const root = findPart(this.#model, this.#rootId)!;
    const fields = [...root.fields].map(([name, value]) => `${name}: ${value}`);
    // The message's own fields stay on top whatever is put around its content.
    const inner = shapeOf(this.#model) ?? ['text/plain', WRAP, [], ''];
    const expected = withTopFields(withoutRootFields(inner, this.#rootId), this.#rootId, fields);
    if (!isDeepStrictEqual(found, expected))
      throw new Error(
        `expected ${JSON.stringify(expected)},\nfound ${JSON.stringify(found)}\nin ${JSON.stringify(out.toString('latin1'))}`,
      );
  }
}

/** What was the whole message has no fields of its own inside of a new multipart. */
function withoutRootFields([type, id, fields, content]: Shape, rootId: number): Shape {
  const inside =
    typeof content === 'string' ? content : content.map((child) => withoutRootFields(child, rootId));
  return id === rootId ? [type, WRAP, [], inside] : [type, id, fields, inside];
}

/** Runs for `seconds`, or `count` messages. @throws with seed, number and message of the first that goes wrong */
export async function run(
  seconds: number,
  seed: number,
  count = Number.POSITIVE_INFINITY,
): Promise<MimeFuzzCounts> {
  const random = new SeededRandom(seed);
  const counts: MimeFuzzCounts = { messages: 0, parts: 0, edits: 0 };
  const deadline = performance.now() + seconds * 1000;
  while (counts.messages < count && performance.now() < deadline) {
    const sample = new SampleMaker(random).part();
    const text = random.chance(0.5) ? sampleText(sample) : brokenMessage(random);
    try {
      await checkAnyMessage(Buffer.from(text, 'latin1'), random, counts);
    } catch (error) {
      throw new Error(`seed ${seed}, message ${counts.messages}: ${JSON.stringify(text)}`, { cause: error });
    }
    try {
      await new ModelRun(sample, random, counts).run();
    } catch (error) {
      throw new Error(
        `seed ${seed}, message ${counts.messages}, edits: ${JSON.stringify(sampleText(sample))}`,
        { cause: error },
      );
    }
    counts.messages++;
  }
  return counts;
}
