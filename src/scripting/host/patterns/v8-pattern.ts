// A pattern that V8's RegExp may run, for subjects up to a proven length. For a short text and two groups, V8 says
// whether it matches in 22 ns and what the groups matched in 60 ns (PCRE2: 75), but where the groups lie in 185 ns
// (PCRE2: 76). So `test` and `texts` ask V8 and `exec` asks PCRE2; without the addon V8 does all. In a long text PCRE2's
// search is the faster one, also with the copy that it needs.

import { type CompiledPattern, PatternLimitError } from '#lang';
import type { PatternTree } from './pattern-tree.js';
import { shown } from './pcre2-pattern.js';
import { v8Source } from './v8-source.js';

/** The same pattern by PCRE2, with and without its clock; undefined when there is no PCRE2. */
export interface ByPcre2 {
  readonly timed: (() => CompiledPattern) | undefined;
  readonly untimed: (() => CompiledPattern) | undefined;
}

/** A subject beyond this is searched by PCRE2. */
const LONG_SUBJECT = 2048;

/** Makes a pattern for V8. */
export function v8Pattern(
  source: string,
  flags: string,
  tree: PatternTree,
  longestSubject: number,
  other: ByPcre2,
): CompiledPattern {
  return new V8Pattern(source, flags, tree, longestSubject, other);
}

class V8Pattern implements CompiledPattern {
  readonly engine = 'v8';
  readonly groupCount: number;
  readonly names: CompiledPattern['names'];
  readonly #longest: number;
  readonly #script: string;
  readonly #tester: RegExp;
  readonly #compileOther: ByPcre2;
  #timed: CompiledPattern | undefined;
  #untimed: CompiledPattern | undefined;
  /** For `exec` without PCRE2: with the offsets of groups. */
  #finder: RegExp | undefined;

  constructor(
    readonly source: string,
    readonly flags: string,
    tree: PatternTree,
    longestSubject: number,
    other: ByPcre2,
  ) {
    this.groupCount = tree.groupCount;
    this.names = tree.names;
    this.#longest = longestSubject;
    this.#script = v8Source(tree.body);
    this.#tester = new RegExp(this.#script);
    this.#compileOther = other;
  }

  test(subject: string): boolean {
    if (this.#isForV8(subject)) return this.#tester.test(subject);
    return this.#pcre2(subject).test(subject);
  }

  texts(subject: string): readonly (string | undefined)[] | undefined {
    if (this.#isForV8(subject)) return this.#tester.exec(subject) ?? undefined;
    const { groupCount } = this;
    const offsets = this.#pcre2(subject).exec(subject, 0);
    if (offsets === undefined) return undefined;
    const texts: (string | undefined)[] = [];
    for (let at = 0; at <= 2 * groupCount; at += 2)
      texts.push(offsets[at] === -1 ? undefined : subject.slice(offsets[at], offsets[at + 1]));
    return texts;
  }

  #isForV8(subject: string): boolean {
    const { length } = subject;
    return length <= this.#longest && (length <= LONG_SUBJECT || this.#compileOther.untimed === undefined);
  }

  exec(subject: string, start: number, notEmpty = false): ArrayLike<number> | undefined {
    if (this.#compileOther.timed !== undefined || subject.length > this.#longest)
      return this.#pcre2(subject).exec(subject, start, notEmpty);
    if (start > subject.length) return undefined;
    this.#finder ??= new RegExp(this.#script, 'dg');
    const found = offsetsOf(this.#finder, subject, start);
    if (!notEmpty || found === undefined || found[0] !== start || found[1] !== start) return found;
    // PCRE2 goes on from the empty match to other ways from the same place; so does this, by a condition at the end.
    return offsetsOf(new RegExp(`(?:${this.#script})(?<!^[^]{${start}})`, 'dg'), subject, start);
  }

  #pcre2(subject: string): CompiledPattern {
    const { timed, untimed } = this.#compileOther;
    if (timed === undefined || untimed === undefined)
      throw new PatternLimitError(
        `matching ${shown(this.source)} against a text of ${subject.length} bytes needs the native addon, which is not ` +
          `there; without it this pattern takes texts of up to ${this.#longest} bytes.`,
      );
    if (subject.length <= this.#longest) {
      this.#untimed ??= untimed();
      return this.#untimed;
    }
    this.#timed ??= timed();
    return this.#timed;
  }
}

function offsetsOf(finder: RegExp, subject: string, start: number): number[] | undefined {
  finder.lastIndex = start;
  const indices = finder.exec(subject)?.indices;
  return indices?.flatMap((pair) => pair ?? [-1, -1]);
}
