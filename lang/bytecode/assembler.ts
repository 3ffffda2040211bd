// Writes the code of one function: instructions with labels instead of addresses, registers taken and given back like a
// stack, handlers of exceptions, and the line table. It knows the form of bytecode, not its meaning.
//
// Code that no path reaches is not written: behind a jump, return or throw nothing is until a label that something jumps
// to. So the compiler may emit what it likes there.

import { positionAt, type SourceFile, type Span } from '../source/source-file.js';
import { HANDLER_WORDS, type HandlerKind, LINE_WORDS } from './function-code.js';
import { type Op, shapes, WORDS } from './opcodes.js';

/** A place in the code that jumps lead to. Forward labels are bound after the jumps to them, backward ones before. */
export interface Label {
  /** Address, once bound; -1 before. */
  at: number;
  /** Addresses of the operand words to fill in. */
  readonly uses: number[];
}

/** What an assembler has made. */
export interface AssembledCode {
  readonly code: Int32Array;
  readonly handlers: Int32Array;
  readonly lines: Int32Array;
  readonly registerCount: number;
}

export class Assembler {
  readonly #words: number[] = [];
  readonly #handlers: number[] = [];
  readonly #lines: number[] = [];
  #reachable = true;
  /** The next temporary register. */
  #next: number;
  #highest: number;
  #position = { file: -1, line: 0, column: 0 };

  /** Temporaries begin at `firstTemporary`; below are the function's variables. */
  constructor(readonly firstTemporary: number) {
    this.#next = firstTemporary;
    this.#highest = firstTemporary;
  }

  /** Where the next instruction goes. */
  get pc(): number {
    return this.#words.length;
  }

  /** Whether what is emitted now can run. */
  get isReachable(): boolean {
    return this.#reachable;
  }

  // --- Instructions -------------------------------------------------------------------------------------------------

  emit(op: Op, a = 0, b = 0, c = 0): void {
    if (!this.#reachable) return;
    this.#words.push(op, a, b, c);
    if (shapes[op as Exclude<Op, Op.Count>].ends) this.#reachable = false;
  }

  /** A jump to `label`; the target is operand c of every jump. */
  jump(op: Op, label: Label, a = 0, b = 0): void {
    if (!this.#reachable) return;
    if (label.at === -1) label.uses.push(this.pc + WORDS - 1);
    this.emit(op, a, b, label.at === -1 ? 0 : label.at);
  }

  label(): Label {
    return { at: -1, uses: [] };
  }

  /** Binds a label that was jumped to, or will be jumped back to from reachable code. */
  bind(label: Label): void {
    label.at = this.pc;
    for (const use of label.uses) this.#words[use] = this.pc;
    if (label.uses.length > 0) this.#reachable = true;
  }

  /** The handler of exceptions in [start, end) begins here, if there is any code in that range. */
  handler(start: number, end: number, register: number, kind: HandlerKind): boolean {
    if (start === end) return false;
    this.#handlers.push(start, end, this.pc, register, kind);
    this.#reachable = true;
    return true;
  }

  /** What is emitted from now on comes from this place in the source. */
  at(fileIndex: number, file: SourceFile, span: Span): void {
    if (!this.#reachable) return;
    const { line, column } = positionAt(file, span.start);
    const last = this.#position;
    if (last.file === fileIndex && last.line === line && last.column === column) return;
    this.#position = { file: fileIndex, line, column };
    const rows = this.#lines;
    // A place that nothing was emitted for is replaced.
    if (rows.length > 0 && rows[rows.length - LINE_WORDS] === this.pc) rows.length -= LINE_WORDS;
    rows.push(this.pc, fileIndex, line, column);
  }

  // --- Registers ----------------------------------------------------------------------------------------------------

  /** The first of `count` consecutive temporaries above all that are in use. */
  take(count = 1): number {
    const first = this.#next;
    this.#next += count;
    if (this.#next > this.#highest) this.#highest = this.#next;
    return first;
  }

  /** Whether `register` is the temporary taken last: a window may begin there. */
  isTop(register: number): boolean {
    return register >= this.firstTemporary && register === this.#next - 1;
  }

  /** How many registers are in use: to be given to `release`. */
  mark(): number {
    return this.#next;
  }

  /** Gives back every temporary taken since `mark`. */
  release(mark: number): void {
    this.#next = mark;
  }

  isTemporary(register: number): boolean {
    return register >= this.firstTemporary;
  }

  finish(): AssembledCode {
    return {
      code: Int32Array.from(this.#words),
      handlers: Int32Array.from(this.#handlers),
      lines: Int32Array.from(this.#lines),
      registerCount: this.#highest,
    };
  }
}

/** How many handlers a function has. */
export function handlerCount(handlers: Int32Array): number {
  return handlers.length / HANDLER_WORDS;
}
