// A pattern of the part of PCRE that means the same in V8, taken apart. Flags are gone: caseless letters are sets,
// `.` and the anchors have become what they mean where they stand, ungreedy quantifiers are lazy ones.

import type { ByteSet } from './byte-set.js';

/** Conditions on a place; they take no bytes. */
export type Assertion =
  /** `\A`, and `^` without the flag m. */
  | 'subjectStart'
  /** `^` with the flag m: also after a line feed that is not the last byte. */
  | 'lineStart'
  /** `\Z`, and `$` without the flag m: at the end, or before a line feed there. */
  | 'subjectEnd'
  /** `$` with the flag m. */
  | 'lineEnd'
  /** `\z`. */
  | 'veryEnd'
  | 'wordBoundary'
  | 'noWordBoundary';

export type PatternNode =
  | { readonly kind: 'bytes'; readonly set: ByteSet }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly branches: readonly PatternNode[] }
  | { readonly kind: 'group'; readonly number: number; readonly body: PatternNode }
  | {
      readonly kind: 'repeat';
      readonly body: PatternNode;
      readonly min: number;
      /** Infinity when there is no limit. */
      readonly max: number;
      readonly lazy: boolean;
    }
  | { readonly kind: 'ahead'; readonly negative: boolean; readonly body: PatternNode }
  | { readonly kind: 'assertion'; readonly what: Assertion };

/** A whole pattern. */
export interface PatternTree {
  readonly body: PatternNode;
  readonly groupCount: number;
  readonly names: readonly { readonly name: string; readonly group: number }[];
}
