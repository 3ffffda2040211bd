// Parts as script objects: one object for each part, so that the same part is the same value.

import { type CallContext, HslArray, type HslObject, type NativeClass } from '#lang';
import type { MimePart } from './mime/document.js';

/** What every message class has at least: the part it stands for. */
export interface PartState {
  readonly part: MimePart;
}

const objects = new WeakMap<MimePart, HslObject>();
let partClass: NativeClass<PartState> | undefined;

/** Says which class parts are of; the class itself has methods that make parts. */
export function definePartClass(of: NativeClass<PartState>): void {
  partClass = of;
}

/** The part as an object. */
export function partToObject(part: MimePart, ctx: CallContext): HslObject {
  let object = objects.get(part);
  if (object === undefined) {
    object = ctx.instantiate(partClass!, { part });
    objects.set(part, object);
    ctx.charge(200);
  }
  return object;
}

/** Parts as a list. */
export function partsToList(parts: Iterable<MimePart>, ctx: CallContext): HslArray {
  return HslArray.fromList(Array.from(parts, (part) => partToObject(part, ctx)));
}
