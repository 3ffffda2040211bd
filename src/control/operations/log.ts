// R, LogRequest: the daemon's log, its last lines and those to come, by filters. The lines come as `=` frames. Nobody waits for a
// follower: one that is too slow loses lines, and is told how many.

import { textToBytes } from '#lang';
import type { LogLines } from '../../log/log-lines.js';
import { patternTest } from '../conditions/values.js';
import { type Caller, ControlError, type FrameStream, type Operation } from '../operation.js';

const DEFAULT_LINES = 100;

/** `LogRequest`. */
export interface LogRequest {
  readonly follow?: boolean;
  readonly lines?: number;
  readonly level?: string;
  readonly contains: readonly string[];
  readonly regex?: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Levels as the lines have them, the worst first. */
const levels = ['error', 'warning', 'info', 'debug'];

/** Shows the log. */
export function logFollowing(lines: LogLines): Operation<LogRequest> {
  return {
    run(request, { signal, stream }: Caller) {
      const fits = readFilters(request);
      const last = lines.last().filter(fits);
      const { lines: count = DEFAULT_LINES } = request;
      const follower = new Follower(stream);
      if (count > 0) for (const line of last.slice(-count)) follower.put(line);
      if (request.follow !== true || signal.aborted) return undefined;
      stream.keep();
      const stop = lines.follow((line) => {
        if (fits(line)) follower.put(line);
      });
      signal.addEventListener('abort', stop, { once: true });
      return undefined;
    },
  };
}

/** Hands lines to a connection as fast as it takes them. */
class Follower {
  readonly #stream: FrameStream;
  #isFull = false;
  #lost = 0;

  constructor(stream: FrameStream) {
    this.#stream = stream;
  }

  put(line: string): void {
    if (this.#isFull) {
      this.#lost++;
      return;
    }
    const lost = this.#lost;
    this.#lost = 0;
    const hasRoom = this.#stream.send('LogFrame', { line, ...(lost === 0 ? undefined : { lost }) });
    if (hasRoom) return;
    this.#isFull = true;
    this.#stream.onRoom(() => {
      this.#isFull = false;
    });
  }
}

/** Whether a line is wanted. @throws ControlError */
function readFilters({ level, contains, regex, fields }: LogRequest): (line: string) => boolean {
  const tests: ((line: string) => boolean)[] = [];
  if (level !== undefined && level !== '') {
    const worst = levels.indexOf(level === 'warn' ? 'warning' : level);
    if (worst === -1)
      throw new ControlError(`level: found ${JSON.stringify(level)}; expected one of ${levels.join(', ')}`);
    const wanted = levels.slice(0, worst + 1).map((word) => `"level":"${word}"`);
    tests.push((line) => wanted.some((word) => line.includes(word)));
  }
  for (const text of contains) tests.push((line) => line.includes(text));
  if (regex !== undefined && regex !== '') {
    const matches = patternTest(regex, 'regex');
    tests.push((line) => matches(textToBytes(line)));
  }
  const wantedFields = Object.entries(fields);
  if (wantedFields.length > 0) tests.push((line) => hasFields(line, wantedFields));
  return (line) => tests.every((test) => test(line));
}

function hasFields(line: string, wanted: readonly (readonly [string, string])[]): boolean {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return false;
  }
  if (typeof value !== 'object' || value === null) return false;
  return wanted.every(([key, text]) => {
    const found = (value as Record<string, unknown>)[key];
    return found !== undefined && (typeof found === 'string' ? found : JSON.stringify(found)) === text;
  });
}
