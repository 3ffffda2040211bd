// The class Exception: what scripts catch when the VM or a builtin fails, and what they make themselves with
// `Exception("text")` (hsl-language 13).

import { method, nativeClass, staticMethod } from '../declare.js';
import { HslObject } from '../values/object.js';
import type { Value } from '../values/value.js';

/** The state of an Exception object. The place is undefined for those that scripts make. */
export class ExceptionState {
  constructor(
    readonly message: string,
    readonly file: string | undefined,
    readonly line: number | undefined,
    readonly column: number | undefined,
  ) {}

  /** The message with its place, if known. Guess kept here: the form of the place (hsl-language 17). */
  toText(): string {
    return this.file === undefined
      ? this.message
      : `${this.message} (${this.file}:${this.line}:${this.column})`;
  }
}

const on = method<ExceptionState>();

/** Declared by the language; environments need not list it. */
export const exceptionClass = nativeClass<ExceptionState>({
  name: 'Exception',
  group: 'types',
  summary: 'An error that can be thrown and caught.',
  details:
    'Runtime errors and failing builtins throw objects of this class, with the place where it happened. ' +
    'One made by a script has no place.',
  example: 'Exception("no route")->message()  // "no route"',
  constructorOf: staticMethod({
    name: 'Exception',
    summary: 'Makes an exception.',
    params: [{ name: 'message', type: 'string', doc: 'What went wrong.' }],
    returns: 'object',
    run: (message: string) => new ExceptionState(message, undefined, undefined, undefined),
  }),
  methods: [
    on({
      name: 'message',
      summary: 'The text without the place.',
      example: 'Exception("no route")->message()  // "no route"',
      params: [],
      returns: 'string',
      run: (self) => self.message,
    }),
    on({
      name: 'toString',
      summary: 'The text, followed by file, line and column when they are known.',
      example: 'Exception("no route")->toString()  // "no route"',
      params: [],
      returns: 'string',
      run: (self) => self.toText(),
    }),
    on({
      name: 'file',
      summary: 'The file in which it happened.',
      example: ['try { random_bytes(-1); }', 'catch ($e) { echo $e->file(); }  // example.hsl'].join('\n'),
      params: [],
      returns: 'string|none',
      run: (self) => self.file ?? null,
    }),
    on({
      name: 'line',
      summary: 'The line, from 1.',
      example: ['try { random_bytes(-1); }', 'catch ($e) { echo $e->line(); }  // 1'].join('\n'),
      params: [],
      returns: 'number|none',
      run: (self) => self.line ?? null,
    }),
    on({
      name: 'column',
      summary: 'The column in bytes, from 1.',
      example: ['try { random_bytes(-1); }', 'catch ($e) { echo $e->column(); }  // 7'].join('\n'),
      params: [],
      returns: 'number|none',
      run: (self) => self.column ?? null,
    }),
  ],
});

/** A new Exception object. */
export function newException(message: string, file?: string, line?: number, column?: number): HslObject {
  return new HslObject(exceptionClass, undefined, new ExceptionState(message, file, line, column));
}

/** The state behind `value` if it is an Exception object. */
export function exceptionState(value: Value): ExceptionState | undefined {
  return value instanceof HslObject && value.state instanceof ExceptionState ? value.state : undefined;
}
