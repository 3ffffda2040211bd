// The door of the language.

export type * as ast from './ast/nodes.js';
export { disassemble } from './bytecode/disassembler.js';
export type { Program } from './bytecode/function-code.js';
export { type Checked, type Compilation, check, compile } from './compile.js';
export * from './declare.js';
export type { Diagnostic } from './diagnostics/diagnostic.js';
export { messages } from './diagnostics/messages.js';
export {
  printable,
  render as renderDiagnostic,
  renderAll as renderDiagnostics,
  renderLine as renderDiagnosticLine,
} from './diagnostics/render.js';
export { suggest } from './diagnostics/suggest.js';
export {
  DEFAULT_LIMITS,
  DEPTH_ONLY,
  type ExecuteOptions,
  type Execution,
  type ExecutionResult,
  execute,
  type Limits,
  ScriptError,
  type StackEntry,
  stackLine,
} from './execute.js';
export * from './host.js';
export { lint } from './linter/index.js';
export { loadParser, type Parsed, type Parser } from './parser/index.js';
export { lineText, type Position, positionAt, type SourceFile, type Span } from './source/source-file.js';
export { HslArray, type Key, stringToKey, toKey } from './values/array.js';
export { isEqual, isLess, isSame } from './values/compare.js';
export { numberToText, toBoolean, toNumber, toText } from './values/convert.js';
export { HslFunction } from './values/function.js';
export { FreshValue, HslObject, HslResource, share } from './values/object.js';
export { add } from './values/operators.js';
export { patternOf, regexOf, splitPattern } from './values/pattern.js';
export { ScriptFault } from './values/script-fault.js';
export { bytesToText, detached, textToBytes } from './values/text.js';
export { typeWord } from './values/type-word.js';
export type { TypeWord, Value } from './values/value.js';
export { ValueSet } from './values/value-set.js';
export { exceptionClass, exceptionState, newException } from './vm/exception.js';
export { languageDeclarations } from './vm/language-declarations.js';
