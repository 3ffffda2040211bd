// Shows that a pattern is harmless in V8's RegExp, which knows no limits, or that it is not.
//
// V8 searches by backtracking, so its work is bounded by the number of ways it can try. That number is worked out here
// as a bound c * n^d for subjects of n bytes:
//
//   ways    in how many ways a part can match from one place, as far as what follows can tell them apart
//   work    steps to try them all
//
// A sequence multiplies the ways of its parts, a choice adds them, an unbounded repeat has n. When the byte behind a
// repeat cannot be one it repeats (`[a-z]+@`), only one of its ways goes on, and the others fail at their first step.
// The bound gives the longest subject that V8 may see; longer ones go to PCRE2, where the limits hold.
//
// The second half of the proof is meaning: repeats whose body can match nothing, or holds groups that an earlier round
// may have set, mean different things in the two engines and are refused.

import { anyByte, type ByteSet, newline, overlaps, rangesOfBytes, union } from './byte-set.js';
import type { PatternNode, PatternTree } from './pattern-tree.js';

/** Steps that V8 may take for one match: some milliseconds. */
const ALLOWED_STEPS = 2_000_000;
/** Below this length the detour is not worth it. */
const SHORTEST_USEFUL = 64;

/**
 * How long a subject may be for V8.
 * @returns a number of bytes, or undefined when the pattern must not run in V8 at all
 */
export function safeSubjectLength(tree: PatternTree): number | undefined {
  const cost = costOf(tree.body, nothing);
  if (cost === undefined) return undefined;
  const starts = isAnchored(tree.body) ? add(cost.work, linear) : multiply(cost.work, linear);
  const longest = Math.floor((ALLOWED_STEPS / starts.factor) ** (1 / starts.degree));
  return longest < SHORTEST_USEFUL ? undefined : longest;
}

/** factor * n^degree; an upper bound for every n from 1. */
interface Bound {
  readonly factor: number;
  readonly degree: number;
}

const one: Bound = { factor: 1, degree: 0 };
const linear: Bound = { factor: 1, degree: 1 };

function add(a: Bound, b: Bound): Bound {
  return { factor: a.factor + b.factor, degree: Math.max(a.degree, b.degree) };
}

function multiply(a: Bound, b: Bound): Bound {
  return { factor: a.factor * b.factor, degree: a.degree + b.degree };
}

function times(count: number): Bound {
  return { factor: count, degree: 0 };
}

interface Cost {
  readonly ways: Bound;
  readonly work: Bound;
}

/** What can come next: these bytes; with `free`, also anything else (the part can match without looking at a byte). */
interface Next {
  readonly bytes: ByteSet;
  readonly free: boolean;
}

/** At the pattern's end a match is complete: no way is ever tried again. */
const nothing: Next = { bytes: rangesOfBytes(), free: false };

/** The bytes a part can begin with; `free` when it can match without taking or checking one. */
function firstOf(node: PatternNode): Next {
  switch (node.kind) {
    case 'bytes':
      return { bytes: node.set, free: false };
    case 'sequence':
      return node.items.reduceRight<Next>((after, item) => before(firstOf(item), after), {
        bytes: nothing.bytes,
        free: true,
      });
    case 'choice': {
      const branches = node.branches.map(firstOf);
      return {
        bytes: branches.reduce((all, branch) => union(all, branch.bytes), nothing.bytes),
        free: branches.some((branch) => branch.free),
      };
    }
    case 'group':
      return firstOf(node.body);
    case 'repeat': {
      const body = firstOf(node.body);
      return { bytes: body.bytes, free: body.free || node.min === 0 };
    }
    case 'ahead':
      // Trying a look-ahead is work of its own at every place, so no repeat before it counts as settled.
      return { bytes: anyByte, free: true };
    case 'assertion':
      // These hold at the very end or before a line feed only, so any other byte stops them.
      if (node.what === 'subjectEnd' || node.what === 'lineEnd') return { bytes: newline, free: false };
      return { bytes: nothing.bytes, free: node.what !== 'veryEnd' };
  }
}

/** What can come next when `part` comes before `after`. */
function before(part: Next, after: Next): Next {
  return part.free ? { bytes: union(part.bytes, after.bytes), free: after.free } : part;
}

function costOf(node: PatternNode, next: Next): Cost | undefined {
  switch (node.kind) {
    case 'bytes':
    case 'assertion':
      return { ways: one, work: one };
    case 'group':
      return costOf(node.body, next);
    case 'ahead': {
      const body = costOf(node.body, nothing);
      return body === undefined ? undefined : { ways: one, work: body.work };
    }
    case 'sequence':
      return sequenceCost(node.items, next);
    case 'choice': {
      let sum: Cost = { ways: times(0), work: one };
      for (const branch of node.branches) {
        const cost = costOf(branch, next);
        if (cost === undefined) return undefined;
        sum = { ways: add(sum.ways, cost.ways), work: add(sum.work, cost.work) };
      }
      return sum;
    }
    case 'repeat':
      return repeatCost(node, next);
  }
}

function sequenceCost(items: readonly PatternNode[], next: Next): Cost | undefined {
  // What follows each item, found from the end.
  const follows: Next[] = [];
  let follow = next;
  for (let i = items.length - 1; i >= 0; i--) {
    follows[i] = follow;
    follow = before(firstOf(items[i]!), follow);
  }
  let total: Cost = { ways: one, work: one };
  for (let i = 0; i < items.length; i++) {
    const cost = costOf(items[i]!, follows[i]!);
    if (cost === undefined) return undefined;
    total = {
      ways: multiply(total.ways, cost.ways),
      work: add(total.work, multiply(total.ways, cost.work)),
    };
  }
  return total;
}

function repeatCost(node: PatternNode & { readonly kind: 'repeat' }, next: Next): Cost | undefined {
  const { body, min, max } = node;
  if (canBeEmpty(body)) return undefined;
  if (max === 1) {
    const once = costOf(body, next);
    if (once === undefined || min === 1) return once;
    return { ways: add(one, once.ways), work: add(one, once.work) };
  }
  const width = widthOfRound(body);
  if (width === undefined) return undefined;
  const rounds = max === Infinity ? linear : times(max);
  const work = add(times(min * width), multiply(times(width), rounds));
  const ways = max === Infinity ? linear : times(max - min + 1);
  const first = firstOf(body);
  const oneGoesOn = isOneByte(body) && !next.free && !overlaps(first.bytes, next.bytes);
  return { ways: oneGoesOn ? one : ways, work };
}

function isOneByte(node: PatternNode): boolean {
  if (node.kind === 'group') return isOneByte(node.body);
  return node.kind === 'bytes';
}

function canBeEmpty(node: PatternNode): boolean {
  switch (node.kind) {
    case 'bytes':
      return false;
    case 'sequence':
      return node.items.every(canBeEmpty);
    case 'choice':
      return node.branches.some(canBeEmpty);
    case 'group':
      return canBeEmpty(node.body);
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.body);
    case 'ahead':
    case 'assertion':
      return true;
  }
}

/**
 * The most bytes one round of a loop can take, if it can go in one way only from any place: single bytes in a row, or
 * a choice by the first byte. One group may stand around it all: its last round is what both engines keep.
 */
function widthOfRound(node: PatternNode): number | undefined {
  return fixedWidth(node.kind === 'group' ? node.body : node);
}

function fixedWidth(node: PatternNode): number | undefined {
  switch (node.kind) {
    case 'bytes':
      return 1;
    case 'sequence': {
      let sum = 0;
      for (const item of node.items) {
        const width = fixedWidth(item);
        if (width === undefined) return undefined;
        sum += width;
      }
      return sum;
    }
    case 'choice': {
      let widest = 0;
      let seen: ByteSet = nothing.bytes;
      for (const branch of node.branches) {
        const width = fixedWidth(branch);
        const { bytes } = firstOf(branch);
        if (width === undefined || overlaps(seen, bytes)) return undefined;
        seen = union(seen, bytes);
        widest = Math.max(widest, width);
      }
      return widest;
    }
    case 'group':
    case 'repeat':
    case 'ahead':
    case 'assertion':
      return undefined;
  }
}

/** Whether a match can begin at the subject's start only. */
function isAnchored(node: PatternNode): boolean {
  switch (node.kind) {
    case 'assertion':
      return node.what === 'subjectStart';
    case 'group':
      return isAnchored(node.body);
    case 'sequence':
      return node.items.length > 0 && isAnchored(node.items[0]!);
    case 'choice':
      return node.branches.every(isAnchored);
    case 'bytes':
    case 'repeat':
    case 'ahead':
      return false;
  }
}
