// A part that a script hands over to be put into a message: of that message, of another one, or of its own making. It is
// taken as it is at that moment.

import { type CallContext, type HslObject, ScriptFault } from '#lang';
import { newBoundary } from './header-arguments.js';
import type { Pieces } from './message-source.js';
import { MessageBuilder } from './mime/builder.js';
import { hasDelimiterLine } from './mime/delimiter-lines.js';
import { MimePart, readPieces } from './mime/document.js';
import type { InsertedPart, Side } from './mime/part-changes.js';
import { writePart } from './mime/part-writer.js';
import { whenRead } from './reading.js';

/** The part, ready to be put beside `anchor`; undefined when it holds a delimiter of a multipart around that place. */
export function partArgument(
  called: string,
  given: HslObject,
  anchor: MimePart,
  side: Side,
  ctx: CallContext,
): InsertedPart | undefined | Promise<InsertedPart | undefined> {
  const boundaries = [...anchor.boundariesAround];
  if (anchor.place.boundary !== undefined) boundaries.push(anchor.place.boundary);
  const finish = (header: Buffer, body: Pieces, bytes: Buffer): InsertedPart | undefined => {
    const isFree = !hasDelimiterLine(header, boundaries) && !hasDelimiterLine(bytes, boundaries);
    return isFree ? { kind: 'inserted', header, body, anchor, side } : undefined;
  };
  const { state } = given;
  if (state instanceof MessageBuilder) {
    const built = state.build({ newBoundary: () => newBoundary(ctx) }, false);
    const body = Buffer.concat(built.body);
    ctx.charge(body.length);
    return finish(built.header, [{ kind: 'bytes', bytes: body }], body);
  }
  const part = partOf(state);
  if (part === undefined)
    throw new ScriptFault(
      `argument 1 (part) of ${called} must be a MIME, a MIMEPart or a message, not a ${given.classOf.name}`,
    );
  const { header, body } = writePart(part, part.document.touched);
  const isSameMessage = part.document === anchor.document;
  const around = new Set(part.boundariesAround);
  // What lay inside of these multiparts already has none of their delimiters.
  if (isSameMessage && boundaries.every((boundary) => around.has(boundary)))
    return { kind: 'inserted', header, body, anchor, side };
  const pieces = isSameMessage ? body : part.document.withContentEdits(body);
  return whenRead(called, readPieces(part.document.source, pieces), (bytes) => {
    if (isSameMessage) return finish(header, body, bytes);
    ctx.charge(bytes.length);
    return finish(header, [{ kind: 'bytes', bytes }], bytes);
  });
}

function partOf(state: unknown): MimePart | undefined {
  if (typeof state !== 'object' || state === null || !('part' in state)) return undefined;
  return state.part instanceof MimePart ? state.part : undefined;
}
