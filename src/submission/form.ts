// The body of a request: a form of two parts, each perhaps packed with gzip. Parts are handed on while they arrive; nothing is
// collected here, and the body flows no faster than its parts are taken. What is foreign to it ends the reading at once.

import type { Readable } from 'node:stream';
import { boundaryOf, MalformedForm, MultipartReader, type PartHead } from './multipart.js';
import { PackedPart } from './packed-part.js';
import { RequestProblem } from './request-problem.js';

/** The parts there are, without `.gzip`. */
export type PartName = 'options' | 'rfc822';

/** Takes the bytes of a part, in order. What it throws, or a promise of it, ends the reading. */
export interface PartTaker {
  /** @returns a wish to wait before more comes */
  take(piece: Buffer): Promise<void> | undefined;
  /** All of it was there. */
  end(): Promise<void> | undefined;
}

/** What clients call the parts; many say text/plain or nothing, or application/octet-stream for whatever is a file. */
const partTypes: Readonly<Record<string, readonly string[]>> = {
  options: ['application/json', 'text/plain', 'application/octet-stream'],
  rfc822: ['message/rfc822', 'message/global', 'text/plain', 'application/octet-stream'],
  'options.gzip': [
    'application/gzip',
    'application/x-gzip',
    'application/json',
    'text/plain',
    'application/octet-stream',
  ],
  'rfc822.gzip': [
    'application/gzip',
    'application/x-gzip',
    'message/rfc822',
    'message/global',
    'text/plain',
    'application/octet-stream',
  ],
};

/** A form while it is read. `done` settles when all parts are taken, or with what ended it. */
export interface FormReading {
  readonly done: Promise<void>;
  /** Ends the reading; the body flows on and is not looked at. */
  stop(problem: Error): void;
}

/** Reads a form. `open` is asked for each part; `onBytes` hears of every piece of the body. */
export function readForm(
  body: Readable,
  contentType: string,
  open: (name: PartName) => PartTaker,
  onBytes: (count: number) => void,
): FormReading {
  const boundary = boundaryOf(contentType);
  if (boundary === undefined)
    throw new RequestProblem(
      400,
      'the Content-Type has no boundary; expected multipart/form-data; boundary=...',
    );
  return new OpenForm(body, boundary, open, onBytes);
}

class OpenForm implements FormReading {
  readonly done: Promise<void>;
  readonly #body: Readable;
  readonly #open: (name: PartName) => PartTaker;
  readonly #onBytes: (count: number) => void;
  readonly #reader: MultipartReader;
  readonly #seen = new Set<string>();
  #taker: PartTaker | undefined;
  readonly #packed: PackedPart[] = [];
  /** Wishes to wait that are not over. */
  #waits = 0;
  #hasEnded = false;
  #isOver = false;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  constructor(
    body: Readable,
    boundary: string,
    open: (name: PartName) => PartTaker,
    onBytes: (count: number) => void,
  ) {
    this.#body = body;
    this.#open = open;
    this.#onBytes = onBytes;
    this.#reader = new MultipartReader(boundary, {
      begin: (head) => this.#begin(head),
      content: (piece) => this.#await(this.#taker!.take(piece)),
      end: () => this.#await(this.#taker!.end()),
    });
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    body.on('data', this.#onData);
    body.on('end', this.#onEnd);
  }

  readonly stop = (problem: Error): void => {
    if (this.#isOver) return;
    this.#leave();
    for (const part of this.#packed) part.abort();
    this.#reject(
      problem instanceof MalformedForm
        ? new RequestProblem(400, `the form cannot be read: ${problem.message}`)
        : problem,
    );
  };

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#onBytes(chunk.length);
      this.#reader.feed(chunk);
    } catch (error) {
      this.stop(error as Error);
    }
  };

  readonly #onEnd = (): void => {
    try {
      this.#reader.end();
    } catch (error) {
      this.stop(error as Error);
      return;
    }
    this.#hasEnded = true;
    if (this.#waits === 0) this.#finish();
  };

  #begin(head: PartHead): void {
    if (this.#seen.size === 2)
      throw new RequestProblem(400, 'the form has more than two parts; expected "options" and "rfc822"');
    const { part, isPacked } = checkPart(head, this.#seen);
    const taker = this.#open(part);
    if (!isPacked) {
      this.#taker = taker;
      return;
    }
    const packed = new PackedPart(head.name, taker, this.stop);
    this.#packed.push(packed);
    this.#taker = packed;
  }

  #await(storing: Promise<void> | undefined): void {
    if (storing === undefined) return;
    this.#waits++;
    this.#body.pause();
    storing.then(() => {
      if (--this.#waits > 0 || this.#isOver) return;
      if (this.#hasEnded) this.#finish();
      else this.#body.resume();
    }, this.stop);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#resolve();
  }

  #leave(): void {
    this.#isOver = true;
    this.#body.off('data', this.#onData);
    this.#body.off('end', this.#onEnd);
  }
}

/** @throws RequestProblem */
function checkPart(
  { name, type, encoding }: PartHead,
  seen: Set<string>,
): { part: PartName; isPacked: boolean } {
  const types = Object.hasOwn(partTypes, name) ? partTypes[name] : undefined;
  if (types === undefined)
    throw new RequestProblem(
      400,
      `unknown part ${JSON.stringify(name.slice(0, 80))}; expected "options" and "rfc822", each perhaps with ".gzip"`,
    );
  const isPacked = name.endsWith('.gzip');
  const part = (isPacked ? name.slice(0, -'.gzip'.length) : name) as PartName;
  if (seen.has(part)) throw new RequestProblem(400, `there are two parts "${part}"`);
  seen.add(part);
  if (!types.includes(type))
    throw new RequestProblem(
      415,
      `the part "${name}" is ${JSON.stringify(type.slice(0, 80))}; expected ${types[0]}`,
    );
  if (encoding !== '7bit' && encoding !== '8bit' && encoding !== 'binary')
    throw new RequestProblem(
      415,
      `the part "${name}" has a Content-Transfer-Encoding; expected its bytes as they are (RFC 7578 §4.7)`,
    );
  return { part, isPacked };
}
