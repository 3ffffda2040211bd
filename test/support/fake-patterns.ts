// A pattern engine for unit tests, on JavaScript's RegExp: enough for patterns that mean the same in both worlds.

import { type CompiledPattern, type PatternEngine, PatternError } from '#lang';

export const fakePatterns: PatternEngine = {
  compile(source, flags) {
    const letters = [...flags].filter((letter) => 'ims'.includes(letter)).join('');
    let regExp: RegExp;
    try {
      regExp = new RegExp(source, `${letters}dg`);
    } catch (error) {
      throw new PatternError(error instanceof Error ? error.message : String(error), 0);
    }
    return new FakePattern(source, flags, regExp);
  },
};

class FakePattern implements CompiledPattern {
  readonly engine = 'v8';
  readonly groupCount: number;
  readonly names: readonly { readonly name: string; readonly group: number }[];
  readonly #regExp: RegExp;

  constructor(
    readonly source: string,
    readonly flags: string,
    regExp: RegExp,
  ) {
    this.#regExp = regExp;
    // An alternative that always matches shows how many groups there are.
    const groups = new RegExp(`${source}|`).exec('')!;
    this.groupCount = groups.length - 1;
    const opened = [...source.matchAll(/\\.|\((?!\?)|\(\?<([A-Za-z_]\w*)>/g)].filter(
      ([text]) => text[0] === '(',
    );
    this.names = opened.flatMap((match, index) =>
      match[1] === undefined ? [] : [{ name: match[1], group: index + 1 }],
    );
  }

  exec(subject: string, start: number, notEmpty?: boolean): number[] | undefined {
    this.#regExp.lastIndex = start;
    const match = this.#regExp.exec(subject);
    if (match === null) return undefined;
    if (notEmpty && match[0] === '' && match.index === start) {
      return start < subject.length ? this.exec(subject, start + 1) : undefined;
    }
    return match.indices!.flatMap((pair) => (pair === undefined ? [-1, -1] : [pair[0], pair[1]]));
  }

  test(subject: string): boolean {
    return this.exec(subject, 0) !== undefined;
  }
}
