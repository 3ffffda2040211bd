// Array literals. Constant ones are constants (fold.ts); a record's keys are known now, so that its shape is, too; a list
// is made in one step; what mixes keys, values and spreads is built up one by one.

import type { ArrayItem, ArrayLiteral } from '../ast/nodes.js';
import { Op } from '../bytecode/opcodes.js';
import { MAX_RECORD_KEYS } from '../values/shape.js';
import { constantKey, loadConstant, operand, operandBefore, stored, storedInto } from './expressions.js';
import type { FunctionCompiler } from './function-compiler.js';

/** Values made in one step; the rest of a longer list is appended, so that no function needs thousands of registers. */
const MAX_WINDOW = 64;

/** The array in register `to`. */
export function compileArray(f: FunctionCompiler, node: ArrayLiteral, to: number): void {
  const { asm } = f;
  const keys = recordKeys(f, node.items);
  if (keys !== undefined) {
    const first = asm.take(node.items.length);
    node.items.forEach((item, index) => {
      storedInto(f, item.value, first + index);
    });
    f.at(node.span);
    asm.emit(Op.NewRecord, to, f.program.record(keys), first);
    return;
  }

  const plain = node.items.findIndex((item) => item.key !== undefined || item.value.kind === 'Spread');
  const leading = Math.min(MAX_WINDOW, plain === -1 ? node.items.length : plain);
  if (leading === node.items.length) {
    const first = asm.take(leading);
    node.items.forEach((item, index) => {
      storedInto(f, item.value, first + index);
    });
    f.at(node.span);
    asm.emit(Op.NewArray, to, first, leading);
    return;
  }

  // Built in a temporary: an exception on the way must not leave half an array in a variable.
  const array = asm.take();
  const mark = asm.mark();
  const first = asm.take(leading);
  for (let i = 0; i < leading; i++) storedInto(f, node.items[i]!.value, first + i);
  f.at(node.span);
  asm.emit(Op.NewArray, array, first, leading);
  asm.release(mark);
  for (const item of node.items.slice(leading)) {
    addItem(f, item, array);
    asm.release(mark);
  }
  asm.emit(Op.Move, to, array);
}

function addItem(f: FunctionCompiler, item: ArrayItem, array: number): void {
  const { asm } = f;
  if (item.value.kind === 'Spread') {
    const spread = operand(f, item.value.value);
    f.at(item.span);
    asm.emit(Op.Spread, array, spread);
  } else if (item.key === undefined) {
    const value = stored(f, item.value);
    f.at(item.span);
    asm.emit(Op.Append, array, value);
  } else {
    const key = constantKey(f, item.key);
    if (key?.kind === 'field') {
      const value = stored(f, item.value);
      f.at(item.span);
      asm.emit(Op.SetField, array, f.program.field(key.name), value);
      return;
    }
    let index: number;
    if (key?.kind === 'integer') {
      index = asm.take();
      loadConstant(f, key.value, index);
    } else {
      index = operandBefore(f, item.key, [item.value]);
    }
    const value = stored(f, item.value);
    f.at(item.span);
    asm.emit(Op.SetIndex, array, index, value);
  }
}

/** The keys of a literal that has nothing but distinct constant names as keys. */
function recordKeys(f: FunctionCompiler, items: readonly ArrayItem[]): readonly string[] | undefined {
  if (items.length === 0 || items.length > MAX_RECORD_KEYS) return undefined;
  const keys: string[] = [];
  for (const item of items) {
    if (item.key === undefined || item.value.kind === 'Spread') return undefined;
    const key = constantKey(f, item.key);
    if (key?.kind !== 'field' || keys.includes(key.name)) return undefined;
    keys.push(key.name);
  }
  return keys;
}
