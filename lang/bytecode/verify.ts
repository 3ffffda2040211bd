// Checks that a program can be run without reading outside its tables or registers. The compiler's own output is trusted;
// what comes from a cache is verified before anything runs it. One rule per line of opcodes.ts: operands are in range, jumps
// lead to instructions, cells are made before they are used, control cannot run off the end.

import { stringToKey } from '../values/array.js';
import { MAX_RECORD_KEYS } from '../values/shape.js';
import type { FunctionCode, Program } from './function-code.js';
import { HANDLER_WORDS, LINE_WORDS } from './function-code.js';
import { Op, type Operand, type Shape, shapes, WORDS } from './opcodes.js';

/** What is wrong with the program, in a sentence; undefined when nothing is. */
export function verify(program: Program): string | undefined {
  try {
    verifyTables(program);
    program.functions.forEach((fn, index) => {
      verifyFunction(program, fn, `function ${index}`);
    });
    return undefined;
  } catch (error) {
    if (error instanceof Unfit) return error.message;
    throw error;
  }
}

class Unfit extends Error {}

function need(condition: boolean, where: string, what: string): asserts condition {
  if (!condition) throw new Unfit(`${where}: ${what}`);
}

function inRange(index: number, length: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < length;
}

// --- Tables -------------------------------------------------------------------------------------------------------

function verifyTables(program: Program): void {
  const { modules, functions, classes, globals, constants, fields, records, files, environment } = program;
  const isFunction = (index: number) => inRange(index, functions.length);
  const isConstant = (index: number) => index === -1 || inRange(index, constants.length);

  need(modules.length > 0, 'program', 'it has no modules');
  modules.forEach((module, index) => {
    need(isFunction(module.main), `module ${index}`, 'its main is no function');
    need(functions[module.main]!.parameters.length === 0, `module ${index}`, 'its main has parameters');
    need(functions[module.main]!.captures.length === 0, `module ${index}`, 'its main captures variables');
  });
  need(globals.length >= environment.variables.length, 'globals', 'predefined variables are missing');
  globals.forEach((global, index) => {
    need(isConstant(global.initial), `global ${index}`, 'its value is no constant');
    need(inRange(global.module + 1, modules.length + 1), `global ${index}`, 'its module does not exist');
  });
  classes.forEach((of, index) => {
    const where = `class ${index}`;
    need(inRange(of.module, modules.length), where, 'its module does not exist');
    need(
      of.constructorIndex === -1 || isFunction(of.constructorIndex),
      where,
      'its constructor is no function',
    );
    for (const field of of.fields) need(isConstant(field.initial), where, 'a variable is no constant');
    for (const method of [...of.methods, ...of.statics])
      need(isFunction(method.function), where, 'a method is no function');
  });
  for (const key of fields) need(typeof stringToKey(key) === 'string', 'fields', `${key} is a number`);
  for (const keys of records) {
    need(keys.length <= MAX_RECORD_KEYS && new Set(keys).size === keys.length, 'records', 'bad key list');
    for (const key of keys) need(typeof stringToKey(key) === 'string', 'records', `${key} is a number`);
  }
  need(files.length > 0, 'files', 'there are none');
}

// --- Functions ----------------------------------------------------------------------------------------------------

function verifyFunction(program: Program, fn: FunctionCode, where: string): void {
  const { code, parameters, registerCount, captures } = fn;
  need(inRange(fn.file, program.files.length), where, 'its file does not exist');
  need(inRange(fn.module, program.modules.length), where, 'its module does not exist');
  need(inRange(fn.classIndex + 1, program.classes.length + 1), where, 'its class does not exist');
  need(registerCount >= parameters.length && registerCount < 1 << 24, where, 'bad number of registers');
  parameters.forEach((parameter, index) => {
    need(inRange(parameter.initial + 1, program.constants.length + 1), where, 'a default is no constant');
    need(!parameter.isRest || index === parameters.length - 1, where, 'a rest parameter is not the last');
  });
  need(inRange(fn.thisRegister + 1, registerCount + 1), where, 'bad register of $this');
  need(
    captures.length === 0 || inRange(fn.captureBase + captures.length - 1, registerCount),
    where,
    'bad registers of captured cells',
  );
  need(fn.captureBase >= 0, where, 'bad registers of captured cells');
  need(
    fn.clearFrom >= 0 && fn.clearFrom <= fn.clearTo && fn.clearTo <= registerCount,
    where,
    'bad range of undeclared variables',
  );
  need(fn.locals.length <= registerCount, where, 'more names than registers');
  need(code.length > 0 && code.length % WORDS === 0, where, 'bad length of code');

  const cells = cellsOf(fn, where);
  for (let pc = 0; pc < code.length; pc += WORDS) verifyInstruction(program, fn, cells, pc, where);
  const last = code[code.length - WORDS]!;
  need(shapes[last as Exclude<Op, Op.Count>].ends, where, 'control runs off the end');
  verifyRows(program, fn, where);
}

/** The registers that hold cells, and where the instructions that make them end: nothing jumps back among those. */
interface Cells {
  readonly registers: ReadonlySet<number>;
  readonly prologueEnd: number;
}

function cellsOf(fn: FunctionCode, where: string): Cells {
  const registers = new Set<number>();
  fn.captures.forEach((_, index) => {
    registers.add(fn.captureBase + index);
  });
  let pc = 0;
  for (; pc < fn.code.length; pc += WORDS) {
    const op = fn.code[pc];
    if (op !== Op.NewCell && op !== Op.BoxCell) break;
    const register = fn.code[pc + 1]!;
    need(!registers.has(register), where, 'a cell is made twice');
    registers.add(register);
  }
  return { registers, prologueEnd: pc };
}

function verifyInstruction(
  program: Program,
  fn: FunctionCode,
  cells: Cells,
  pc: number,
  where: string,
): void {
  const { code, registerCount } = fn;
  const op = code[pc]!;
  const place = `${where} at ${pc}`;
  need(inRange(op, Op.Count), place, `there is no opcode ${op}`);
  const shape = shapes[op as Exclude<Op, Op.Count>];
  const operands = [code[pc + 1]!, code[pc + 2]!, code[pc + 3]!] as const;
  const isPrologue = pc < cells.prologueEnd;

  const isRegister = (register: number) => inRange(register, registerCount);
  const reads = (register: number) =>
    need(isRegister(register) && !cells.registers.has(register), place, `bad register ${register}`);

  operands.forEach((value, index) => {
    const kind = shape.operands[index]!;
    switch (kind) {
      case 'out':
      case 'in':
      case 'inout':
      case 'maybe':
      case 'owner':
        if (isPrologue) need(isRegister(value), place, `bad register ${value}`);
        else reads(value);
        break;
      case 'cell':
        need(cells.registers.has(value), place, `register ${value} holds no cell`);
        break;
      case 'window':
        need(value >= 0 && value <= registerCount, place, `bad window ${value}`);
        break;
      case 'forward':
        need(value > pc && value < code.length && value % WORDS === 0, place, `bad jump forward to ${value}`);
        break;
      case 'back':
        need(
          value <= pc && value >= cells.prologueEnd && value % WORDS === 0,
          place,
          `bad jump back to ${value}`,
        );
        break;
      case 'int':
        break;
      case 'none':
        need(value === 0, place, 'an operand that means nothing');
        break;
      default:
        need(inRange(value, tableSize(program, kind)), place, `there is no ${kind} ${value}`);
    }
  });

  const { window, alsoWrites } = shape;
  if (window !== undefined) {
    const first = operands[window.operand] + window.offset;
    const size = windowSize(program, shape, operands);
    need(size >= 0 && first + size <= registerCount, place, 'the window ends behind the registers');
    for (let register = first; register < first + size; register++) reads(register);
  }
  if (alsoWrites !== undefined) reads(operands[alsoWrites.operand] + alsoWrites.offset);
  verifyMeaning(program, fn, op, operands, place);
}

function tableSize(program: Program, kind: Operand): number {
  switch (kind) {
    case 'constant':
      return program.constants.length;
    case 'global':
      return program.globals.length;
    case 'function':
      return program.functions.length;
    case 'class':
      return program.classes.length;
    case 'builtin':
      return program.builtins.length;
    case 'field':
      return program.fields.length;
    case 'record':
      return program.records.length;
    default:
      return 0;
  }
}

function windowSize(program: Program, shape: Shape, operands: readonly [number, number, number]): number {
  const size = shape.window!.size;
  switch (size) {
    case 'a':
      return operands[0];
    case 'b':
      return operands[1];
    case 'c':
      return operands[2];
    case 'record':
      return program.records[operands[1]]!.length;
    case 'parameters': {
      const isFunction = shape.operands[1] === 'function';
      const fn = isFunction ? operands[1] : program.classes[operands[1]]!.constructorIndex;
      return fn === -1 ? 0 : program.functions[fn]!.parameters.length;
    }
    default:
      return size;
  }
}

/** What the operand kinds do not say. */
function verifyMeaning(
  program: Program,
  fn: FunctionCode,
  op: Op,
  operands: readonly [number, number, number],
  place: string,
): void {
  const [, b, c] = operands;
  switch (op) {
    case Op.CallMethod:
      need(typeof program.constants[b] === 'string', place, 'the name of a method is no text');
      break;
    case Op.Call: {
      const callee = program.functions[b]!;
      need(callee.captures.length === 0, place, 'a closure is called without its cells');
      break;
    }
    case Op.Closure: {
      const closure = program.functions[b]!;
      const cells = cellsOf(fn, place);
      for (const register of closure.captures)
        need(cells.registers.has(register), place, `register ${register} holds no cell to capture`);
      need(
        closure.thisRegister === -1 || fn.thisRegister !== -1,
        place,
        'a closure wants $this where there is none',
      );
      break;
    }
    case Op.LoadFunction:
      need(program.functions[b]!.captures.length === 0, place, 'a closure is loaded without its cells');
      break;
    case Op.Rest:
      need(c >= 0, place, 'a negative number of targets');
      break;
    default:
      break;
  }
}

function verifyRows(program: Program, fn: FunctionCode, where: string): void {
  const { code, handlers, lines, registerCount } = fn;
  const isPlace = (pc: number) => pc % WORDS === 0 && inRange(pc, code.length);
  const cells = cellsOf(fn, where);
  need(handlers.length % HANDLER_WORDS === 0, where, 'bad length of handlers');
  for (let row = 0; row < handlers.length; row += HANDLER_WORDS) {
    const [start, end, target, register, kind] = handlers.subarray(row, row + HANDLER_WORDS) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    need(
      isPlace(start) && end > start && end <= code.length && end % WORDS === 0,
      where,
      'bad handler range',
    );
    need(isPlace(target) && target >= end, where, 'bad handler');
    need(inRange(register, registerCount) && !cells.registers.has(register), where, 'bad handler register');
    need(kind === 0 || kind === 1, where, 'bad handler kind');
  }
  need(lines.length % LINE_WORDS === 0, where, 'bad length of lines');
  let before = -1;
  for (let row = 0; row < lines.length; row += LINE_WORDS) {
    const pc = lines[row]!;
    need(pc > before && pc % WORDS === 0 && pc <= code.length, where, 'lines are not in order');
    need(inRange(lines[row + 1]!, program.files.length), where, 'a line is in no file');
    before = pc;
  }
}
