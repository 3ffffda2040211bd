// The log's lines for those who watch it while the daemon runs: the last ones are kept, and every new one is handed to whoever follows.
// A line costs one look at a number when nobody does.

/** Lines that are kept, and their characters. */
const MOST_LINES = 1000;
const MOST_CHARACTERS = 512 * 1024;

/** The last lines of the log, in JSON without their ends. */
export class LogLines {
  readonly #followers = new Set<(line: string) => void>();
  #lines: string[] = [];
  /** Where the first kept line is in the list. */
  #first = 0;
  #characters = 0;

  /** Takes a line of JSON, with its end or without. */
  put(line: string): void {
    const whole = line.endsWith('\n') ? line.slice(0, -1) : line;
    this.#lines.push(whole);
    this.#characters += whole.length;
    while (
      this.#lines.length - this.#first > 1 &&
      (this.#lines.length - this.#first > MOST_LINES || this.#characters > MOST_CHARACTERS)
    ) {
      this.#characters -= this.#lines[this.#first]!.length;
      this.#lines[this.#first++] = '';
    }
    if (this.#first > MOST_LINES) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
    for (const follower of this.#followers) follower(whole);
  }

  /** The lines that are kept, the oldest first. */
  last(): readonly string[] {
    return this.#lines.slice(this.#first);
  }

  /** Calls with every line from now on, until the result is called. The call must not log. */
  follow(call: (line: string) => void): () => void {
    this.#followers.add(call);
    return () => this.#followers.delete(call);
  }
}
