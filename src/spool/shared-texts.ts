// Texts that come again and again, kept once: a host that is down gives thousands of messages the same reason. Unlike interning
// nothing is counted; a text is shared with those seen lately, and a rare one costs nothing but itself.

const REMEMBERED = 1000;

/** Gives equal texts that come close together as one object. */
export class SharedTexts {
  readonly #recent = new Map<string, string>();

  /** The same text; the empty one is none. */
  share(text: string | undefined): string | undefined {
    if (text === undefined || text === '') return undefined;
    const known = this.#recent.get(text);
    if (known !== undefined) return known;
    if (this.#recent.size >= REMEMBERED) this.#recent.clear();
    this.#recent.set(text, text);
    return text;
  }
}
