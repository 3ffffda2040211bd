// Texts that come again and again, kept once: a host that is down gives thousands of messages the same reason. Unlike interning
// nothing is counted; a text is shared with those seen lately, and a rare one costs nothing but itself.

/** So many texts are known, and up to as many more from before. */
const REMEMBERED = 4000;

/** Gives equal texts that come close together as one object. */
export class SharedTexts {
  #recent = new Map<string, string>();
  #before = new Map<string, string>();

  /** The same text; the empty one is none. */
  share(text: string | undefined): string | undefined {
    if (text === undefined || text === '') return undefined;
    const recent = this.#recent.get(text);
    if (recent !== undefined) return recent;
    const known = this.#before.get(text) ?? text;
    if (this.#recent.size >= REMEMBERED) {
      this.#before = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(known, known);
    return known;
  }
}
