// The key list of a record, shared by all records built alike. Shapes form a tree: from the empty shape, adding a key leads
// to the one child for that key, so two records with the same keys in the same order have the same shape object and an
// inline cache needs one comparison. Shapes are immutable but for their growing transitions, and live as long as the process:
// those that data makes are therefore few, whatever a stranger's JSON holds. A program's own keys always have theirs.

/** More keys than this make a dictionary: a record copies all its values when it is cloned. */
export const MAX_RECORD_KEYS = 24;

/** A shape that data has left in this many directions is a dictionary in disguise: no more of them. */
const MAX_DATA_TRANSITIONS = 64;

/** Data makes so many shapes in the life of a process (some 8 MiB at most); then what it builds are dictionaries. */
export const MAX_DATA_SHAPES = 4096;

let dataShapes = 0;

/** An immutable list of distinct string keys (none of them a canonical integer) with the place of each. */
export class Shape {
  #transitions: Map<string, Shape> | undefined = undefined;
  #dataTransitions = 0;

  constructor(
    readonly keys: readonly string[],
    readonly indexes: ReadonlyMap<string, number>,
    /** The shape without the last key. */
    readonly parent: Shape | undefined,
  ) {}

  /** The shape with `key` added at the end, as data asks for it; undefined when records should not grow that way. */
  with(key: string): Shape | undefined {
    const known = this.#transitions?.get(key);
    if (known !== undefined) return known;
    if (this.keys.length >= MAX_RECORD_KEYS) return undefined;
    if (this.#dataTransitions >= MAX_DATA_TRANSITIONS || dataShapes >= MAX_DATA_SHAPES) return undefined;
    this.#dataTransitions++;
    dataShapes++;
    return this.#grown(key);
  }

  /** The same as a program asks for it: only a record's size is limited. */
  withDeclared(key: string): Shape | undefined {
    const known = this.#transitions?.get(key);
    if (known !== undefined) return known;
    return this.keys.length < MAX_RECORD_KEYS ? this.#grown(key) : undefined;
  }

  #grown(key: string): Shape {
    const shape = new Shape([...this.keys, key], new Map(this.indexes).set(key, this.keys.length), this);
    this.#transitions ??= new Map();
    this.#transitions.set(key, shape);
    return shape;
  }
}

/** The record of no keys; only a starting point, an empty array is a list. */
export const EMPTY_RECORD = new Shape([], new Map(), undefined);

/** Marks an array whose keys are 0..n-1. */
export const LIST = new Shape([], new Map(), undefined);

/** Marks an array that keeps its entries in a Map. */
export const DICTIONARY = new Shape([], new Map(), undefined);

/** The shape that no array ever has: what an inline cache starts with. */
export const NO_SHAPE = new Shape([], new Map(), undefined);

/** The shape of a program's keys; undefined when they are none or too many. */
export function shapeOf(keys: readonly string[]): Shape | undefined {
  let shape: Shape | undefined = EMPTY_RECORD;
  for (const key of keys) shape = shape?.withDeclared(key);
  return shape === EMPTY_RECORD ? undefined : shape;
}
