// A program in readable form, for `hsh --dump`, the REPL's `:dis` and tests.

import { quoteText, toText } from '../values/convert.js';
import { patternOf } from '../values/pattern.js';
import type { Value } from '../values/value.js';
import { type FunctionCode, HANDLER_WORDS, HandlerKind, LINE_WORDS, type Program } from './function-code.js';
import { type Op, type Operand, shapes, WORDS } from './opcodes.js';

/** Every function of the program, top levels first. */
export function disassemble(program: Program): string {
  const mains = new Set(program.modules.map((module) => module.main));
  const order = [...mains, ...program.functions.keys()].filter((index, at, all) => all.indexOf(index) === at);
  return order.map((index) => disassembleFunction(program, program.functions[index]!, index)).join('\n');
}

/** One function: its registers, then one line per instruction with the source line it comes from. */
export function disassembleFunction(program: Program, fn: FunctionCode, index: number): string {
  const out: string[] = [heading(program, fn, index)];
  const named = fn.locals.map((name, register) => (name === '' ? '' : `r${register}=$${name}`));
  const registers = named.filter((text) => text !== '').join(' ');
  out.push(`  ${fn.registerCount} registers${registers === '' ? '' : `: ${registers}`}`);

  const targets = jumpTargets(fn);
  const { code } = fn;
  let line = '';
  for (let pc = 0; pc < code.length; pc += WORDS) {
    const place = placeAt(program, fn, pc);
    const margin = place === line ? '' : place;
    line = place;
    const mark = targets.has(pc) ? '>' : ' ';
    out.push(
      `${mark} ${String(pc / WORDS).padStart(4)}  ${instruction(program, fn, pc).padEnd(50)} ${margin}`.trimEnd(),
    );
  }
  for (let row = 0; row < fn.handlers.length; row += HANDLER_WORDS) {
    const [start, end, target, register, kind] = fn.handlers.subarray(row, row + HANDLER_WORDS);
    const word = kind === HandlerKind.Catch ? 'catch' : 'cleanup';
    out.push(`  ${word} ${start! / WORDS}..${end! / WORDS - 1} -> ${target! / WORDS} r${register}`);
  }
  return `${out.join('\n')}\n`;
}

function heading(program: Program, fn: FunctionCode, index: number): string {
  const module = program.modules.find((each) => each.main === index);
  if (module !== undefined) return `top level of ${module.name}`;
  const parameters = fn.parameters.map((parameter) => {
    const initial =
      parameter.initial === -1 ? '' : ` = ${constantText(program.constants[parameter.initial]!)}`;
    return `${parameter.isRest ? '...' : ''}$${parameter.name}${initial}`;
  });
  const generator = fn.isGenerator ? 'generator ' : '';
  return `${generator}function ${index} ${fn.name}(${parameters.join(', ')}) of ${program.files[fn.file]}`;
}

function jumpTargets(fn: FunctionCode): ReadonlySet<number> {
  const targets = new Set<number>();
  for (let pc = 0; pc < fn.code.length; pc += WORDS) {
    const { operands } = shapes[fn.code[pc] as Exclude<Op, Op.Count>];
    operands.forEach((kind, at) => {
      if (kind === 'forward' || kind === 'back') targets.add(fn.code[pc + 1 + at]!);
    });
  }
  return targets;
}

function placeAt(program: Program, fn: FunctionCode, pc: number): string {
  let found = '';
  for (let row = 0; row < fn.lines.length && fn.lines[row]! <= pc; row += LINE_WORDS)
    found = `; ${program.files[fn.lines[row + 1]!]}:${fn.lines[row + 2]}`;
  return found;
}

function instruction(program: Program, fn: FunctionCode, pc: number): string {
  const { name, operands } = shapes[fn.code[pc] as Exclude<Op, Op.Count>];
  const texts = operands
    .map((kind, at) => operandText(program, kind, fn.code[pc + 1 + at]!))
    .filter((text) => text !== '');
  return `${name.padEnd(20)} ${texts.join(', ')}`.trimEnd();
}

function operandText(program: Program, kind: Operand, value: number): string {
  switch (kind) {
    case 'none':
      return '';
    case 'int':
      return String(value);
    case 'forward':
    case 'back':
      return `-> ${value / WORDS}`;
    case 'constant':
      return constantText(program.constants[value]!);
    case 'global':
      return `global $${program.globals[value]!.name}`;
    case 'function':
      return `function ${value} ${program.functions[value]!.name}`;
    case 'class':
      return `class ${program.classes[value]!.name}`;
    case 'builtin':
      return `builtin ${program.builtins[value]!.name}`;
    case 'field':
      return `.${program.fields[value]}`;
    case 'record':
      return `[${program.records[value]!.join(' ')}]`;
    default:
      return `r${value}`;
  }
}

const MAX_TEXT = 40;

function constantText(value: Value): string {
  const pattern = patternOf(value);
  if (pattern !== undefined) return `#/${pattern.source}/${pattern.flags}`;
  const text = typeof value === 'string' ? quoteText(value) : toText(value);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
