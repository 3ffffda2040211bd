// What edits of a message mean, said once more in the simplest way: a tree of parts that is changed in place. The fuzz
// target compares it with what our editor writes, read again.

import type { SamplePart } from '../support/mime-samples.js';

/** A part as the model has it. */
export interface ModelPart {
  /** The sample's id; new parts have negative ones. */
  readonly id: number;
  type: string;
  /** Fields that were set, by name. */
  readonly fields: Map<string, string>;
  /** Decoded content; undefined for a multipart. */
  content: string | undefined;
  children: ModelPart[];
  parent: ModelPart | undefined;
  /** Who put it in, on which side. */
  anchor: ModelPart | undefined;
  side: 'before' | 'after' | undefined;
  preamble: string;
  epilogue: string;
  isRemoved: boolean;
  /** A part that took its place. */
  replacement: ModelPart | undefined;
}

export function modelOf(sample: SamplePart, parent?: ModelPart): ModelPart {
  const part = newPart(sample.id, sample.type, sample.kind === 'leaf' ? sample.content : undefined);
  part.parent = parent;
  if (sample.kind === 'multipart') {
    part.children = sample.children.map((child) => modelOf(child, part));
    part.preamble = sample.preamble;
    part.epilogue = sample.epilogue;
  }
  return part;
}

export function newPart(id: number, type: string, content: string | undefined): ModelPart {
  return {
    id,
    type,
    fields: new Map(),
    content,
    children: [],
    parent: undefined,
    anchor: undefined,
    side: undefined,
    preamble: '',
    epilogue: '',
    isRemoved: false,
    replacement: undefined,
  };
}

/** The part with that id; wrapping multiparts have none. */
export function findPart(root: ModelPart, id: number): ModelPart | undefined {
  if (root.id === id) return root;
  for (const child of root.children) {
    const found = findPart(child, id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The id of multiparts that wrap others. */
export const WRAP = -1;

/** @returns the root, which may be another one now */
export function insert(
  root: ModelPart,
  part: ModelPart,
  added: ModelPart,
  side: 'before' | 'after',
  type: string,
): ModelPart {
  added.anchor = part;
  added.side = side;
  const { parent } = part;
  const isInserted = (one: ModelPart | undefined) => one?.anchor === part && one.side === side;
  if (parent !== undefined && parent.type === type) {
    let at = parent.children.indexOf(part);
    if (side === 'after') for (at++; isInserted(parent.children[at]); ) at++;
    parent.children.splice(at, 0, added);
    added.parent = parent;
    return root;
  }
  if (part.content === undefined && part.type === type && !part.isRemoved && part.replacement === undefined) {
    let at = side === 'after' ? part.children.length : 0;
    if (side === 'before') while (isInserted(part.children[at])) at++;
    part.children.splice(at, 0, added);
    added.parent = part;
    return root;
  }
  const wrap = newPart(WRAP, type, undefined);
  wrap.parent = parent;
  wrap.children = side === 'before' ? [added, part] : [part, added];
  if (parent !== undefined) parent.children[parent.children.indexOf(part)] = wrap;
  part.parent = wrap;
  added.parent = wrap;
  return parent === undefined ? wrap : root;
}

/** What can be compared: type, id, fields, content, parts. */
export type Shape = readonly [
  type: string,
  id: number,
  fields: readonly string[],
  content: string | readonly Shape[],
];

/** The shape of what is left of a part; undefined when nothing is. */
export function shapeOf(part: ModelPart): Shape | undefined {
  if (part.isRemoved) return undefined;
  if (part.replacement !== undefined) return shapeOf(part.replacement);
  const fields = [...part.fields].map(([name, value]) => `${name}: ${value}`).sort();
  if (part.content !== undefined) return [part.type, part.id, fields, part.content];
  const children = part.children.map(shapeOf).filter((shape) => shape !== undefined);
  if (children.length === 0 && part.parent !== undefined) return undefined;
  return [part.type, part.id, fields, children.length === 0 ? [['text/plain', WRAP, [], '']] : children];
}

/** A copy of the whole tree. */
export function cloneModel(root: ModelPart): ModelPart {
  const copies = new Map<ModelPart, ModelPart>();
  const clone = (part: ModelPart): ModelPart => {
    const known = copies.get(part);
    if (known !== undefined) return known;
    const copy: ModelPart = { ...part, fields: new Map(part.fields) };
    copies.set(part, copy);
    copy.children = part.children.map(clone);
    if (part.parent !== undefined) copy.parent = clone(part.parent);
    if (part.anchor !== undefined) copy.anchor = clone(part.anchor);
    if (part.replacement !== undefined) copy.replacement = clone(part.replacement);
    return copy;
  };
  return clone(root);
}
