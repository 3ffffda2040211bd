import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { compile, type Program } from '#lang';
import type { FunctionCode } from '../../../lang/bytecode/function-code.js';
import { Op, WORDS } from '../../../lang/bytecode/opcodes.js';
import { verify } from '../../../lang/bytecode/verify.js';
import { catalogEnvironment, createCompileHost } from '../../support/script-host.js';

const SCRIPT = `
  function f($a, $b = 1) { $c = 0; $g = function () closure ($c) { return $c; }; while ($a < 3) { $a++; } return [$a, $b, $g]; }
  try { echo f(1); } catch ($e) { echo $e; }`;

let program: Program;

beforeAll(async () => {
  const compiled = await compile(
    { name: 'main.hsl', text: SCRIPT },
    catalogEnvironment(),
    createCompileHost(),
  );
  program = compiled.program!;
});

/** The program with a change to one function. */
function changed(index: number, change: Partial<FunctionCode>): Program {
  return {
    ...program,
    functions: program.functions.map((fn, at) => (at === index ? { ...fn, ...change } : fn)),
  };
}

function withWord(index: number, at: number, word: number): Program {
  const code = program.functions[index]!.code.slice();
  code[at] = word;
  return changed(index, { code });
}

function find(index: number, op: Op): number {
  const { code } = program.functions[index]!;
  for (let pc = 0; pc < code.length; pc += WORDS) if (code[pc] === op) return pc;
  throw new Error(`no opcode ${op}`);
}

const f = () => program.functions.findIndex(({ name }) => name === 'f');

test('a program without faults passes', () => {
  expect(verify(program)).toBeUndefined();
});

test('an opcode that does not exist is found', () => {
  expect(verify(withWord(f(), 0, 9999))).toMatch(/no opcode 9999/);
});

test('a register behind the last one is found', () => {
  const at = find(f(), Op.Return);
  expect(verify(withWord(f(), at + 1, program.functions[f()]!.registerCount))).toMatch(/bad register/);
});

test('a jump into the middle of an instruction is found', () => {
  const at = find(f(), Op.JumpIfNotLessInt);
  expect(verify(withWord(f(), at + 3, at + WORDS + 1))).toMatch(/bad jump/);
});

test('a forward jump that goes back is found', () => {
  const at = find(f(), Op.JumpIfNotLessInt);
  expect(verify(withWord(f(), at + 3, 0))).toMatch(/bad jump/);
});

test('code that runs off its end is found', () => {
  const { code } = program.functions[f()]!;
  expect(verify(changed(f(), { code: code.subarray(0, find(f(), Op.Return)) }))).toMatch(/runs off the end/);
});

test('a cell operand that names no cell is found', () => {
  const at = find(f(), Op.StoreCell);
  expect(verify(withWord(f(), at + 1, 0))).toMatch(/holds no cell/);
});

test('a closure over a register without a cell is found', () => {
  const closure = program.functions.findIndex(({ captures }) => captures.length > 0);
  expect(verify(changed(closure, { captures: [0] }))).toMatch(/no cell to capture/);
});

test('a window that ends behind the registers is found', () => {
  const at = find(f(), Op.NewArray);
  expect(verify(withWord(f(), at + 3, 1000))).toMatch(/window/);
});

test('a handler outside the code is found', () => {
  const main = program.modules[0]!.main;
  const handlers = program.functions[main]!.handlers.slice();
  handlers[2] = 1 << 20;
  expect(verify(changed(main, { handlers }))).toMatch(/bad handler/);
});

test('whatever word is changed, the verifier answers and does not fail', () => {
  const word = fc.oneof(fc.integer({ min: -2, max: 200 }), fc.integer());
  fc.assert(
    fc.property(fc.nat(program.functions.length - 1), fc.nat(1000), word, (index, at, to) => {
      const mutant = withWord(index, at % program.functions[index]!.code.length, to);
      const answer = verify(mutant);
      expect(answer === undefined || typeof answer === 'string').toBe(true);
    }),
    { numRuns: 5000, seed: 99 },
  );
});
