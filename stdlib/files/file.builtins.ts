// The class File (stdlib 14): reading what the configuration, the script root or a message offers as a file. Scripts never
// write one.

import {
  type CallContext,
  HslObject,
  HslResource,
  method,
  type NativeClass,
  nativeClass,
  ScriptFault,
  staticMethod,
  textToBytes,
  type Value,
} from '#lang';
import { reserveText } from '../limits.js';
import { servicesOf } from '../services.js';
import { bytesToFile, FILE_RESOURCE, type FileContent } from './file-content.js';
import { FileReader } from './file-reader.js';

/** An open file. One that was opened for it is closed with it; what a resource holds belongs to the resource. */
class FileState {
  readonly reader: FileReader;
  readonly #isOwner: boolean;
  #isClosed = false;

  constructor(content: FileContent, isOwner: boolean) {
    this.reader = new FileReader(content);
    this.#isOwner = isOwner;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  release(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#isOwner) this.reader.content.close?.();
  }
}

function contentOf(resource: HslResource, called: string): FileContent {
  if (resource.type === FILE_RESOURCE) return resource.payload as FileContent;
  throw new ScriptFault(
    `argument 1 (file) of ${called} must be a string or a ${FILE_RESOURCE}, not a ${resource.type}`,
  );
}

async function openByName(name: string, ctx: CallContext): Promise<FileState | null> {
  const content = await servicesOf(ctx).configured.file(name);
  if (content === undefined) return null;
  const state = new FileState(content, true);
  // Cancelled while the file was being opened: nobody is left to own it.
  if (ctx.signal.aborted) state.release();
  else if (content.close !== undefined) ctx.own(state);
  return state;
}

function readerOf(state: FileState, called: string): FileReader {
  if (state.isClosed) throw new ScriptFault(`File->${called}: the file is closed`);
  return state.reader;
}

/** Reading that fails is none; what the script or its limits are to blame for stays an exception. */
function noneOnError<T extends Value>(result: T | Promise<T>): T | null | Promise<T | null> {
  if (!(result instanceof Promise)) return result;
  return result.catch((error: unknown) => {
    if (isReadError(error)) return null;
    throw error;
  });
}

function isReadError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

const reserveFor = (ctx: CallContext, called: string) => (bytes: number) => reserveText(ctx, called, bytes);

export const File: NativeClass<FileState> = nativeClass<FileState>({
  name: 'File',
  summary: 'A file that can be read.',
  details:
    'By name it is a file of the configuration (`scripting.files`); with `file://` in front one below the script root. A ' +
    'FileResource, such as a message carries, can be opened too. The constructor gives none when there is no such file. A file ' +
    'that is not closed is closed when the script ends.',
  group: 'files',
  source: 'stdlib 14',
  example: 'File::String("one\\ntwo")->readline()  // "one"\nFile("file://no/such/file")  // null',
  constructorOf: staticMethod({
    name: 'File',
    summary: 'Opens a file.',
    params: [{ name: 'file', type: 'string|resource', doc: 'A name, or a FileResource.' }],
    returns: 'File|none',
    errors: 'none when there is no such file, or it cannot be opened.',
    suspends: true,
    example:
      '$f = File("hello.txt");\necho $f ? $f->readline() : "there is no such file";  // Hello\n$f = File("no-such-file");\necho $f ? $f->readline() : "there is no such file";  // there is no such file',
    run: (file, ctx) =>
      typeof file === 'string' ? openByName(file, ctx) : new FileState(contentOf(file, 'File'), false),
  }),
  methods: [
    method<FileState>()({
      name: 'read',
      summary: 'Reads on from the current position.',
      params: [
        {
          name: 'length',
          type: 'number|none',
          default: null,
          doc: 'At most so many bytes; all that is left without it.',
        },
      ],
      returns: 'string|none',
      errors:
        'An empty text at the end; none when reading fails. An exception for a negative length or a closed file.',
      suspends: true,
      example:
        '$f = File::String("Hello");\necho $f->read(4);  // Hell\necho $f->read();  // o\necho json_encode($f->read());  // ""',
      run: (state, length, ctx) => {
        const most = length ?? Number.POSITIVE_INFINITY;
        if (!(most >= 0))
          throw new ScriptFault(`argument 1 (length) of File->read must be a number from 0, not ${most}`);
        const reader = readerOf(state, 'read');
        return noneOnError(reader.read(Math.trunc(most), reserveFor(ctx, 'File->read')));
      },
    }),
    method<FileState>()({
      name: 'readline',
      summary: 'Reads the next line, without its end.',
      details: 'A line ends with LF or CRLF; the last one may end with the file.',
      params: [],
      returns: 'string|boolean|none',
      errors: 'false at the end of the file; none when reading fails. An exception for a closed file.',
      suspends: true,
      example:
        '$f = File("hello.txt");\nwhile (($line = $f->readline()) !== false)\n  echo $line;\n// Hello\n// World',
      run: (state, ctx) => {
        const line = readerOf(state, 'readline').readLine(reserveFor(ctx, 'File->readline'));
        return noneOnError(line instanceof Promise ? line.then(falseAtEnd) : falseAtEnd(line));
      },
    }),
    method<FileState>()({
      name: 'seek',
      summary: 'Moves the position.',
      params: [
        { name: 'offset', type: 'number' },
        {
          name: 'whence',
          type: 'string',
          default: 'SEEK_SET',
          doc: 'Where the offset counts from: SEEK_SET, SEEK_CUR, or SEEK_END (then it is negative).',
        },
      ],
      returns: 'number|none',
      errors:
        'The new position, which may lie behind the end; none when it would lie before the beginning. An exception for another ' +
        '`whence` or a closed file.',
      example:
        '$f = File::String("abcdef");\necho $f->seek(-2, "SEEK_END");  // 4\necho $f->read();  // ef\necho json_encode($f->seek(-1));  // null',
      run: (state, offset, whence) => {
        const reader = readerOf(state, 'seek');
        const position = startOf(reader, whence) + Math.trunc(offset);
        if (!(position >= 0 && position <= Number.MAX_SAFE_INTEGER)) return null;
        reader.position = position;
        return position;
      },
    }),
    method<FileState>()({
      name: 'tell',
      summary: 'The current position.',
      params: [],
      returns: 'number',
      errors: 'An exception for a closed file.',
      example: '$f = File::String("abc");\n$f->read(2);\necho $f->tell();  // 2',
      run: (state) => readerOf(state, 'tell').position,
    }),
    method<FileState>()({
      name: 'getPath',
      summary: 'Where the file lies on the disk.',
      params: [],
      returns: 'string|none',
      errors: 'none for what is no file of its own: a text, a file kept inside the configuration.',
      example: 'File::String("abc")->getPath()  // null',
      run: ({ reader }) => (reader.content.path === undefined ? null : textToBytes(reader.content.path)),
    }),
    method<FileState>()({
      name: 'close',
      summary: 'Closes the file.',
      params: [],
      returns: 'none',
      example: '$f = File("hello.txt");\n$first = $f->readline();\n$f->close();\necho $first;  // Hello',
      run: (state, ctx) => {
        ctx.disown(state);
        state.release();
        return null;
      },
    }),
  ],
  statics: [
    staticMethod({
      name: 'String',
      summary: 'Makes a file in memory.',
      params: [{ name: 'data', type: 'string' }],
      returns: 'File',
      example: 'File::String("abc")->read(2)  // "ab"',
      run: (data, ctx) =>
        ctx.instantiate(File, new FileState(bytesToFile(Buffer.from(data, 'latin1')), true)),
    }),
    staticMethod({
      name: 'read',
      summary: 'Reads a whole file.',
      params: [{ name: 'path', type: 'string|resource', doc: 'As for the constructor.' }],
      returns: 'string|none',
      errors: 'none when there is no such file, or it cannot be read.',
      since: '5.4',
      suspends: true,
      example: 'File::read("hello.txt")  // "Hello\\nWorld\\n"\nFile::read("no-such-file")  // null',
      run: async (path, ctx) => {
        const state =
          typeof path === 'string'
            ? await openByName(path, ctx)
            : new FileState(contentOf(path, 'File::read'), false);
        if (state === null) return null;
        try {
          return await noneOnError(
            state.reader.read(Number.POSITIVE_INFINITY, reserveFor(ctx, 'File::read')),
          );
        } finally {
          ctx.disown(state);
          state.release();
        }
      },
    }),
  ],
});

function falseAtEnd(line: string | undefined): string | false {
  return line ?? false;
}

function startOf(reader: FileReader, whence: string): number {
  switch (whence) {
    case 'SEEK_SET':
      return 0;
    case 'SEEK_CUR':
      return reader.position;
    case 'SEEK_END':
      return reader.content.sizeBytes;
    default:
      throw new ScriptFault(
        `argument 2 (whence) of File->seek must be "SEEK_SET", "SEEK_CUR" or "SEEK_END", not "${whence.slice(0, 40)}"`,
      );
  }
}

/** A File object over a content that belongs to somebody else: a message's `toFile()`. */
export function fileObjectOf(content: FileContent, ctx: CallContext): HslObject {
  return ctx.instantiate(File, new FileState(content, false));
}

/** The content of a File object or a FileResource; undefined for anything else. */
export function fileContentOf(value: Value): FileContent | undefined {
  if (value instanceof HslResource)
    return value.type === FILE_RESOURCE ? (value.payload as FileContent) : undefined;
  if (value instanceof HslObject && value.classOf === File) return (value.state as FileState).reader.content;
  return undefined;
}
