// The body of a request: multipart/form-data (RFC 7578) with two parts, each perhaps packed with gzip. Parts are handed on
// as streams while they arrive; nothing is collected here. What is foreign to it ends the reading at once.

import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Busboy } from '@fastify/busboy';
import { RequestProblem } from './request-problem.js';

/** The parts there are, without `.gzip`. */
export type PartName = 'options' | 'rfc822';

/** Takes the bytes of a part, in order. What it throws ends the reading. */
export type PartTaker = (name: PartName, bytes: AsyncIterable<Buffer>) => Promise<void>;

/** Header fields of one part; the real ones have some hundred bytes. */
const mostHeaderBytes = 8 * 1024;
const mostHeaderFields = 32;

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

/** Reads a form. `onBytes` hears of every piece of the body. */
export function readForm(
  body: Readable,
  contentType: string,
  take: PartTaker,
  onBytes: (count: number) => void,
): FormReading {
  let settle: { resolve(): void; reject(error: Error): void };
  const done = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  let isOver = false;
  const taking: Promise<void>[] = [];
  const streams: Readable[] = [];
  const form = openForm(contentType);

  const leave = (): void => {
    isOver = true;
    body.off('data', onData);
    body.off('end', onEnd);
  };
  const stop = (problem: Error): void => {
    if (isOver) return;
    leave();
    for (const stream of streams) stream.destroy(problem);
    form.destroy();
    settle.reject(problem);
  };
  const onData = (chunk: Buffer): void => {
    try {
      onBytes(chunk.length);
      if (!form.write(chunk)) body.pause();
    } catch (error) {
      stop(error as Error);
    }
  };
  const onEnd = (): void => {
    form.end();
  };

  const seen = new Set<string>();
  form.on('file', (name, stream, _fileName, encoding, type) => {
    // Whoever reads the stream hears of its error as well.
    stream.on('error', () => {});
    streams.push(stream);
    try {
      const { part, isPacked } = checkPart(name, type, encoding, seen);
      const taken = take(part, isPacked ? unpacked(stream, name) : stream);
      taken.catch(stop);
      taking.push(taken);
    } catch (error) {
      stop(error as Error);
    }
  });
  form.on('partsLimit', () => {
    stop(new RequestProblem(400, 'the form has more than two parts; expected "options" and "rfc822"'));
  });
  form.on('error', (error: Error) => {
    stop(new RequestProblem(400, `the form cannot be read: ${error.message}`));
  });
  form.on('drain', () => body.resume());
  form.on('finish', () => {
    void Promise.all(taking).then(
      () => {
        leave();
        settle.resolve();
      },
      () => {},
    );
  });
  body.on('data', onData);
  body.on('end', onEnd);
  return { done, stop };
}

/** @throws RequestProblem when there is no boundary */
function openForm(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: () => true,
      preservePath: true,
      limits: { parts: 2, headerPairs: mostHeaderFields, headerSize: mostHeaderBytes },
    });
  } catch {
    throw new RequestProblem(
      400,
      'the Content-Type has no boundary; expected multipart/form-data; boundary=...',
    );
  }
}

/** @throws RequestProblem */
function checkPart(
  name: string,
  type: string,
  encoding: string,
  seen: Set<string>,
): { part: PartName; isPacked: boolean } {
  const types = Object.hasOwn(partTypes, name) ? partTypes[name] : undefined;
  if (types === undefined)
    throw new RequestProblem(
      400,
      `unknown part ${JSON.stringify(String(name).slice(0, 80))}; expected "options" and "rfc822", each perhaps with ".gzip"`,
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

/** Unpacks while bytes arrive, and no faster than they are taken: what a few bytes can swell to is the taker's to limit. */
async function* unpacked(stream: Readable, name: string): AsyncIterable<Buffer> {
  const gunzip = createGunzip();
  stream.on('error', (error) => gunzip.destroy(error));
  stream.on('close', () => {
    if (!stream.readableEnded) gunzip.destroy(new Error('the part ends early'));
  });
  try {
    for await (const chunk of stream.pipe(gunzip)) yield chunk as Buffer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') !== true) throw error;
    throw new RequestProblem(400, `the part "${name}" is no whole gzip data: ${(error as Error).message}`);
  } finally {
    gunzip.destroy();
  }
}
