// Programs written instruction by instruction, for tests of the VM below the compiler.

import { type Declaration, languageDeclarations, type Program, type Value } from '#lang';
import type {
  BuiltinCode,
  ClassCode,
  FunctionCode,
  ParameterCode,
} from '../../lang/bytecode/function-code.js';
import { type Op, shapes, WORDS } from '../../lang/bytecode/opcodes.js';

/** An opcode and its operands; jump targets count instructions here. */
export type Instruction = readonly [Op, ...number[]];

/** What differs from a function without parameters and handlers. */
export interface HandFunction {
  readonly name?: string;
  readonly code: readonly Instruction[];
  readonly registers?: number;
  readonly parameters?: readonly ParameterCode[];
  readonly thisRegister?: number;
  readonly classIndex?: number;
  readonly captures?: readonly number[];
  readonly captureBase?: number;
  readonly isGenerator?: boolean;
  readonly locals?: readonly string[];
  /** Start, end, handler (instructions), register, HandlerKind. */
  readonly handlers?: readonly (readonly [number, number, number, number, number])[];
}

export interface HandProgram {
  /** The first one is the entry file's top level. */
  readonly functions: readonly HandFunction[];
  readonly constants?: readonly Value[];
  readonly classes?: readonly ClassCode[];
  readonly fields?: readonly string[];
  readonly records?: readonly (readonly string[])[];
  readonly globals?: readonly string[];
  readonly declarations?: readonly Declaration[];
}

/** A required parameter. */
export const required = (name: string): ParameterCode => ({ name, initial: -1, isRest: false });

function isJump(op: Op): boolean {
  const last = shapes[op as keyof typeof shapes]?.operands[2];
  return last === 'forward' || last === 'back';
}

function functionCode(hand: HandFunction): FunctionCode {
  const code = new Int32Array(hand.code.length * WORDS);
  const lines: number[] = [];
  hand.code.forEach(([op, ...operands], index) => {
    const at = index * WORDS;
    code.set([op, ...operands], at);
    if (isJump(op)) code[at + 3] = operands[2]! * WORDS;
    lines.push(at, 0, index + 1, 1);
  });
  const handlers = (hand.handlers ?? []).flatMap(([start, end, handler, register, kind]) => [
    start * WORDS,
    end * WORDS,
    handler * WORDS,
    register,
    kind,
  ]);
  return {
    name: hand.name ?? '',
    file: 0,
    module: 0,
    classIndex: hand.classIndex ?? -1,
    parameters: hand.parameters ?? [],
    thisRegister: hand.thisRegister ?? -1,
    captures: hand.captures ?? [],
    captureBase: hand.captureBase ?? 0,
    isGenerator: hand.isGenerator ?? false,
    registerCount: hand.registers ?? 16,
    clearFrom: hand.parameters?.length ?? 0,
    clearTo: hand.registers ?? 16,
    locals: hand.locals ?? [],
    code,
    handlers: Int32Array.from(handlers),
    lines: Int32Array.from(lines),
  };
}

/** Puts a program together; line numbers are the numbers of the instructions, from 1. */
export function handAssembled(hand: HandProgram): Program {
  const builtins: BuiltinCode[] = [...languageDeclarations.values(), ...(hand.declarations ?? [])].map(
    (declaration) => ({ name: declaration.name, declaration, method: undefined }),
  );
  return {
    modules: [{ name: 'main.hsl', main: 0 }],
    functions: hand.functions.map((one) => functionCode(one)),
    classes: hand.classes ?? [],
    globals: (hand.globals ?? []).map((name) => ({ name, module: 0, initial: -1 })),
    constants: hand.constants ?? [],
    fields: hand.fields ?? [],
    records: hand.records ?? [],
    builtins,
    files: ['main.hsl'],
    environment: { name: 'test', declarations: languageDeclarations, variables: [] },
  };
}
