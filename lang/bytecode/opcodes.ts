// The one list of opcodes. The assembler, the verifier, the disassembler, the interpreter and the translating tier all
// read it; a new opcode starts here.
//
// An instruction is four int32 in a row: the opcode and the operands a, b, c (0 where unused). `pc` and every jump
// target count int32s from the start of the function's code, so they are multiples of 4. Registers are numbered from
// the frame's base.
//
// Invariants the compiler keeps and the VM relies on:
// - A register that belongs to a variable holds `undefined` while the variable is undeclared. Everything that reads a
//   value, except where "may be undeclared" is said below, is given a declared one (CheckLocal, LoadGlobal, LoadCell
//   throw the exception). A temporary is written before it is read.
// - Jumps go forward; only Loop, LoopIf… go back. They are where the VM counts, slices time and may be interrupted.
// - Ownership of arrays (copy-on-write): `Move` lends, `Share` marks the array as held twice. What is stored in a second
//   place (variable, element, capture, result that outlives its owner, argument of a callee that writes or keeps it, any
//   argument of CallValue, CallMethod and CallSpread) must have gone through `Share`, unless it is a temporary or the last use.
// - Between Own… and the write that follows it no script code runs: right side and keys are in registers before.
// - Windows (arguments, bounds, parts) are consecutive registers. Those of a call are the highest registers in use: the
//   callee's frame begins there, so everything from the window's start on is lost by the call.

/** Changes whenever an opcode, its operands or the program's layout does: part of every compiled-script cache key. */
export const BYTECODE_VERSION = 1;

/** int32s per instruction. */
export const WORDS = 4;

export const enum Op {
  // --- constants and copies
  LoadNone, //        a = none
  LoadTrue, //        a = true
  LoadFalse, //       a = false
  LoadInt, //         a = b, an integer written in the instruction
  LoadConst, //       a = constant b
  Move, //            a = b; may be undeclared
  Share, //           a = b, and if it is an array it is marked as shared; may be undeclared; a may be b
  LoadFunction, //    a = script function b as a value
  LoadBuiltin, //     a = builtin b as a value
  LoadClass, //       a = script class b as a value
  Closure, //         a = closure of function b over this frame's cells (FunctionCode.captures)

  // --- variables
  CheckLocal, //      throws if variable register a is undeclared
  LoadGlobal, //      a = global b; throws if undeclared
  LoadGlobalQuiet, // a = global b; may be undeclared
  StoreGlobal, //     global a = b; b may be undeclared
  NewCell, //         a = new cell, undeclared
  BoxCell, //         a = new cell holding a's value; may be undeclared
  LoadCell, //        a = what cell b holds; throws if undeclared
  LoadCellQuiet, //   a = what cell b holds; may be undeclared
  StoreCell, //       cell a holds b; b may be undeclared
  UnsetLocal, //      a = whether variable register b was declared; it no longer is
  UnsetGlobal, //     a = whether global b was declared; it no longer is
  UnsetCell, //       a = whether cell b was declared; it no longer is
  IsSet, //           a = b is declared

  // --- arithmetic (hsl-language 5.3)
  Add, //             a = b + c
  Sub, //             a = b - c
  Mul, //             a = b * c
  Div, //             a = b / c
  Mod, //             a = b % c
  Pow, //             a = b ** c
  AddInt, //          a = b + c, c written in the instruction
  SubInt, //          a = b - c, likewise
  MulInt, //          a = b * c, likewise
  DivInt, //          a = b / c, likewise
  ModInt, //          a = b % c, likewise
  Increment, //       a = b + c for ++ and --: b must be a number or boolean, c is 1 or -1; a may be b
  ToNumber, //        a = b as ++ and -- read it (a boolean becomes 0 or 1): the value of x++
  Negate, //          a = -b
  Plus, //            a = +b
  BitAnd, //          a = b & c
  BitOr, //           a = b | c
  BitXor, //          a = b ^ c
  ShiftLeft, //       a = b << c
  ShiftRight, //      a = b >> c
  ShiftRightZero, //  a = b >>> c
  BitNot, //          a = ~b
  Not, //             a = !b
  ToBoolean, //       a = boolean(b): the value of `and` and `or`

  // --- text
  Concat, //          a = b . c
  ConcatMany, //      a = the c registers from b on, joined as by `.`
  Template, //        a = the c registers from b on, joined as by string interpolation

  // --- comparison (hsl-language 5.4)
  Equal, //           a = b == c
  NotEqual, //        a = b != c
  Same, //            a = b === c
  NotSame, //         a = b !== c
  Less, //            a = b < c    (b > c is Less a c b)
  LessEqual, //       a = b <= c
  Matches, //         a = b =~ c
  NotMatches, //      a = b !~ c

  // --- jumps, forward
  Jump, //                 to c
  JumpIfTrue, //           to c if a is truthy
  JumpIfFalse, //          to c if a is not truthy
  JumpIfNone, //           to c if a is none or undeclared
  JumpIfNotNone, //        to c if a is neither none nor undeclared
  JumpIfSet, //            to c if a is declared (or found: Element)
  JumpIfEqual, //          to c if a == b
  JumpIfNotEqual, //       to c if a != b
  JumpIfSame, //           to c if a === b
  JumpIfNotSame, //        to c if a !== b
  JumpIfEqualConst, //     to c if a == constant b
  JumpIfNotEqualConst, //  to c if a != constant b
  JumpIfSameConst, //      to c if a === constant b
  JumpIfNotSameConst, //   to c if a !== constant b
  JumpIfLess, //           to c if a < b
  JumpIfNotLess, //        to c unless a < b (not the same as a >= b: none, NaN)
  JumpIfLessEqual, //      to c if a <= b
  JumpIfNotLessEqual, //   to c unless a <= b
  JumpIfLessInt, //             to c if a < b, b written in the instruction
  JumpIfNotLessInt, //          to c unless a < b, likewise
  JumpIfLessEqualInt, //        to c if a <= b, likewise
  JumpIfNotLessEqualInt, //     to c unless a <= b, likewise
  JumpIfGreaterInt, //          to c if a > b, likewise
  JumpIfNotGreaterInt, //       to c unless a > b, likewise
  JumpIfGreaterEqualInt, //     to c if a >= b, likewise
  JumpIfNotGreaterEqualInt, //  to c unless a >= b, likewise
  JumpIfCase, //           to c if label or arm b takes subject a (switch and match)
  JumpIfCaseConst, //      to c if label or arm constant b takes subject a

  // --- jumps, backward
  Loop, //            to c
  LoopIfTrue, //      to c if a is truthy
  LoopIfFalse, //     to c if a is not truthy
  LoopIfLess, //      to c if a < b
  LoopIfLessInt, //   to c if a < b, b written in the instruction

  // --- reading elements. The base may be undeclared or none (gives none).
  GetIndex, //        a = b[c]
  GetIndexInt, //     a = b[c], c written in the instruction
  GetField, //        a = b[field c], also b->name
  GetIndexQuiet, //   a = b[c] on the path of ?? and isset: a private member reads as none
  GetFieldQuiet, //   a = b[field c], likewise
  IssetIndex, //      a = isset(b[c]); b may be undeclared
  IssetField, //      a = isset(b[field c]); b may be undeclared
  Slice, //           a = b[c : c+1 : c+2], none for an omitted bound
  Element, //         a = element c of b for destructuring: undeclared if b is no array or has none
  Rest, //            a = the values of b for `...$rest` behind c positional targets, c written in the instruction

  // --- writing elements. Register a is the container and is made fit for writing first: undeclared, none and scalars
  //     become an empty array, a shared array is copied, an object stays; register a then holds what was written to.
  SetIndex, //        a[b] = c
  SetField, //        a[field b] = c
  Append, //          a[] = b
  Spread, //          ...b into the array literal a
  SpreadArguments, // ...b into the argument list a (for CallSpread, CacheCall): values only, keys ignored
  OwnGlobal, //       a = global b, made fit for writing there
  OwnCell, //         a = what cell b holds, made fit for writing there
  OwnIndex, //        a = b[c], made fit for writing; b is the container
  OwnField, //        a = b[field c], likewise
  OwnAppend, //       a = a new array appended to b; b is the container
  // For unset: like Own…, but nothing is created; a missing or scalar step gives none.
  FindGlobal, //      a = global b
  FindCell, //        a = what cell b holds
  FindIndex, //       a = b[c]; b (may be undeclared) is copied first if shared
  FindField, //       a = b[field c], likewise
  UnsetIndex, //      a = whether b[c] was there; it is removed; b may be undeclared, is copied first if shared
  UnsetField, //      a = whether b[field c] was there, likewise
  Splice, //          a = b with [c : c+1 : c+2] replaced by the values of c+3: a new array; b may be undeclared
  UnsetSlice, //      a = b without [c : c+1 : c+2]: a new array; c = whether something was removed; b may be undeclared

  // --- making values
  NewArray, //        a = list of the c registers from b on
  NewRecord, //       a = record with the keys of record b and the values in the registers from c on

  // --- calls. Results may come later: any of these may suspend.
  Call, //            a = function b(registers from c on: one per parameter, defaults and rest array filled in)
  New, //             a = new object of class b(registers from c on: one per constructor parameter, likewise)
  CallValue, //       a = (value b)(c arguments in the registers behind b)
  CallSpread, //      a = (value b)(...array c)
  CallMethod, //      a = a->constant b(c arguments in the registers behind a); also a["b"](...)
  CallBuiltin, //     a = builtin b(c arguments in the registers from a on)
  CallBuiltin1, //    a = builtin b(c)
  CallBuiltin2, //    a = builtin b(c, c+1)
  CacheCall, //       a = cache: b holds the options, b+1 the function, b+2 the array of arguments
  Return, //          ends the frame with a
  ReturnNone, //      ends the frame with none

  // --- exceptions
  Throw, //           throws a
  Rethrow, //         goes on unwinding with what a handler of kind `cleanup` was given in a
  ThrowUnmatched, //  throws: no arm of `match` takes a

  // --- iteration
  Iterate, //         a = iteration over b (array, iterator, iterable object); throws for anything else
  Next, //            b = next value of iteration a, or to c when there is none
  NextPair, //        b = next key, b+1 = next value of iteration a, or to c when there is none
  Yield, //           hands out a under the running number
  YieldPair, //       hands out b under key a

  // --- barrier
  EnterBarrier, //       a = handle of barrier named b, once held; c = the value stored there, or undeclared
  LeaveBarrier, //       releases handle a
  LeaveBarrierStore, //  stores b under the barrier's name (undeclared: removes the entry) and releases handle a

  // --- output
  Echo, //            prints a

  /** Not an instruction: how many there are. */
  Count,
}

/**
 * What an operand is.
 *
 *   out      register that is written
 *   in       register that is read
 *   inout    register that is read and written
 *   maybe    register that is read and may be undeclared
 *   owner    container register: read (may be undeclared) and written back
 *   cell     register that holds a cell
 *   window   first of several consecutive registers (Shape.window says how many)
 *   constant, global, function, class, builtin, field, record   index into that table of the program
 *   int      a number written in the instruction
 *   forward, back   jump target
 *   none     unused, 0
 */
export type Operand =
  | 'out'
  | 'in'
  | 'inout'
  | 'maybe'
  | 'owner'
  | 'cell'
  | 'window'
  | 'constant'
  | 'global'
  | 'function'
  | 'class'
  | 'builtin'
  | 'field'
  | 'record'
  | 'int'
  | 'forward'
  | 'back'
  | 'none';

/** How many registers a window has. `parameters`: as many as the function (or the class's constructor) has parameters. */
export type WindowSize = 'a' | 'b' | 'c' | 'parameters' | 'record' | number;

export interface Shape {
  /** As the disassembler prints it. */
  readonly name: string;
  readonly operands: readonly [Operand, Operand, Operand];
  /** Registers read besides the operands: `size` of them, from the operand's register plus `offset` on. */
  readonly window?: { readonly operand: 0 | 1 | 2; readonly offset: number; readonly size: WindowSize };
  /** Registers written besides the operands: operand index and offset. */
  readonly alsoWrites?: { readonly operand: 0 | 1 | 2; readonly offset: number };
  /** May throw a script exception. */
  readonly throws: boolean;
  /** May run script code or suspend: everything in registers above its window is lost. */
  readonly calls: boolean;
  /** Control never goes on to the next instruction. */
  readonly ends: boolean;
}

type Flags = 'throws' | 'calls' | 'ends';

function shape(
  name: string,
  operands: readonly Operand[],
  flags: readonly Flags[] = [],
  more: Pick<Shape, 'window' | 'alsoWrites'> = {},
): Shape {
  const [a = 'none', b = 'none', c = 'none'] = operands;
  return {
    name,
    operands: [a, b, c],
    throws: flags.includes('throws') || flags.includes('calls'),
    calls: flags.includes('calls'),
    ends: flags.includes('ends'),
    ...more,
  };
}

const binary = (name: string) => shape(name, ['out', 'in', 'in'], ['throws']);
const pure = (name: string) => shape(name, ['out', 'in', 'in']);
const withInt = (name: string) => shape(name, ['out', 'in', 'int'], ['throws']);
const unary = (name: string) => shape(name, ['out', 'in'], ['throws']);
const jump = (name: string, b: Operand, throws = false) =>
  shape(name, ['in', b, 'forward'], throws ? ['throws'] : []);
const window = (operand: 0 | 1 | 2, size: WindowSize, offset = 0) => ({ window: { operand, offset, size } });

/** One row per opcode, or this does not compile. */
export const shapes: Readonly<Record<Exclude<Op, Op.Count>, Shape>> = {
  [Op.LoadNone]: shape('load_none', ['out']),
  [Op.LoadTrue]: shape('load_true', ['out']),
  [Op.LoadFalse]: shape('load_false', ['out']),
  [Op.LoadInt]: shape('load_int', ['out', 'int']),
  [Op.LoadConst]: shape('load_const', ['out', 'constant']),
  [Op.Move]: shape('move', ['out', 'maybe']),
  [Op.Share]: shape('share', ['out', 'maybe']),
  [Op.LoadFunction]: shape('load_function', ['out', 'function']),
  [Op.LoadBuiltin]: shape('load_builtin', ['out', 'builtin']),
  [Op.LoadClass]: shape('load_class', ['out', 'class']),
  [Op.Closure]: shape('closure', ['out', 'function']),

  [Op.CheckLocal]: shape('check_local', ['maybe'], ['throws']),
  [Op.LoadGlobal]: shape('load_global', ['out', 'global'], ['throws']),
  [Op.LoadGlobalQuiet]: shape('load_global_quiet', ['out', 'global']),
  [Op.StoreGlobal]: shape('store_global', ['global', 'maybe']),
  [Op.NewCell]: shape('new_cell', ['out']),
  [Op.BoxCell]: shape('box_cell', ['owner']),
  [Op.LoadCell]: shape('load_cell', ['out', 'cell'], ['throws']),
  [Op.LoadCellQuiet]: shape('load_cell_quiet', ['out', 'cell']),
  [Op.StoreCell]: shape('store_cell', ['cell', 'maybe']),
  [Op.UnsetLocal]: shape('unset_local', ['out', 'owner']),
  [Op.UnsetGlobal]: shape('unset_global', ['out', 'global']),
  [Op.UnsetCell]: shape('unset_cell', ['out', 'cell']),
  [Op.IsSet]: shape('is_set', ['out', 'maybe']),

  [Op.Add]: binary('add'),
  [Op.Sub]: binary('sub'),
  [Op.Mul]: binary('mul'),
  [Op.Div]: binary('div'),
  [Op.Mod]: binary('mod'),
  [Op.Pow]: binary('pow'),
  [Op.AddInt]: withInt('add_int'),
  [Op.SubInt]: withInt('sub_int'),
  [Op.MulInt]: withInt('mul_int'),
  [Op.DivInt]: withInt('div_int'),
  [Op.ModInt]: withInt('mod_int'),
  [Op.Increment]: withInt('increment'),
  [Op.ToNumber]: unary('to_number'),
  [Op.Negate]: unary('negate'),
  [Op.Plus]: unary('plus'),
  [Op.BitAnd]: binary('bit_and'),
  [Op.BitOr]: binary('bit_or'),
  [Op.BitXor]: binary('bit_xor'),
  [Op.ShiftLeft]: binary('shift_left'),
  [Op.ShiftRight]: binary('shift_right'),
  [Op.ShiftRightZero]: binary('shift_right_zero'),
  [Op.BitNot]: unary('bit_not'),
  [Op.Not]: shape('not', ['out', 'in']),
  [Op.ToBoolean]: shape('to_boolean', ['out', 'in']),

  [Op.Concat]: binary('concat'),
  [Op.ConcatMany]: shape('concat_many', ['out', 'window', 'int'], ['throws'], window(1, 'c')),
  [Op.Template]: shape('template', ['out', 'window', 'int'], ['throws'], window(1, 'c')),

  [Op.Equal]: pure('equal'),
  [Op.NotEqual]: pure('not_equal'),
  [Op.Same]: pure('same'),
  [Op.NotSame]: pure('not_same'),
  [Op.Less]: binary('less'),
  [Op.LessEqual]: binary('less_equal'),
  [Op.Matches]: binary('matches'),
  [Op.NotMatches]: binary('not_matches'),

  [Op.Jump]: shape('jump', ['none', 'none', 'forward'], ['ends']),
  [Op.JumpIfTrue]: jump('jump_if_true', 'none'),
  [Op.JumpIfFalse]: jump('jump_if_false', 'none'),
  [Op.JumpIfNone]: shape('jump_if_none', ['maybe', 'none', 'forward']),
  [Op.JumpIfNotNone]: shape('jump_if_not_none', ['maybe', 'none', 'forward']),
  [Op.JumpIfSet]: shape('jump_if_set', ['maybe', 'none', 'forward']),
  [Op.JumpIfEqual]: jump('jump_if_equal', 'in'),
  [Op.JumpIfNotEqual]: jump('jump_if_not_equal', 'in'),
  [Op.JumpIfSame]: jump('jump_if_same', 'in'),
  [Op.JumpIfNotSame]: jump('jump_if_not_same', 'in'),
  [Op.JumpIfEqualConst]: jump('jump_if_equal_const', 'constant'),
  [Op.JumpIfNotEqualConst]: jump('jump_if_not_equal_const', 'constant'),
  [Op.JumpIfSameConst]: jump('jump_if_same_const', 'constant'),
  [Op.JumpIfNotSameConst]: jump('jump_if_not_same_const', 'constant'),
  [Op.JumpIfLess]: jump('jump_if_less', 'in', true),
  [Op.JumpIfNotLess]: jump('jump_if_not_less', 'in', true),
  [Op.JumpIfLessEqual]: jump('jump_if_less_equal', 'in', true),
  [Op.JumpIfNotLessEqual]: jump('jump_if_not_less_equal', 'in', true),
  [Op.JumpIfLessInt]: jump('jump_if_less_int', 'int', true),
  [Op.JumpIfNotLessInt]: jump('jump_if_not_less_int', 'int', true),
  [Op.JumpIfLessEqualInt]: jump('jump_if_less_equal_int', 'int', true),
  [Op.JumpIfNotLessEqualInt]: jump('jump_if_not_less_equal_int', 'int', true),
  [Op.JumpIfGreaterInt]: jump('jump_if_greater_int', 'int', true),
  [Op.JumpIfNotGreaterInt]: jump('jump_if_not_greater_int', 'int', true),
  [Op.JumpIfGreaterEqualInt]: jump('jump_if_greater_equal_int', 'int', true),
  [Op.JumpIfNotGreaterEqualInt]: jump('jump_if_not_greater_equal_int', 'int', true),
  [Op.JumpIfCase]: jump('jump_if_case', 'in'),
  [Op.JumpIfCaseConst]: jump('jump_if_case_const', 'constant'),

  [Op.Loop]: shape('loop', ['none', 'none', 'back'], ['calls', 'ends']),
  [Op.LoopIfTrue]: shape('loop_if_true', ['in', 'none', 'back'], ['calls']),
  [Op.LoopIfFalse]: shape('loop_if_false', ['in', 'none', 'back'], ['calls']),
  [Op.LoopIfLess]: shape('loop_if_less', ['in', 'in', 'back'], ['calls']),
  [Op.LoopIfLessInt]: shape('loop_if_less_int', ['in', 'int', 'back'], ['calls']),

  [Op.GetIndex]: shape('get_index', ['out', 'maybe', 'in'], ['throws']),
  [Op.GetIndexInt]: shape('get_index_int', ['out', 'maybe', 'int'], ['throws']),
  [Op.GetField]: shape('get_field', ['out', 'maybe', 'field'], ['throws']),
  [Op.GetIndexQuiet]: shape('get_index_quiet', ['out', 'maybe', 'in']),
  [Op.GetFieldQuiet]: shape('get_field_quiet', ['out', 'maybe', 'field']),
  [Op.IssetIndex]: shape('isset_index', ['out', 'maybe', 'in']),
  [Op.IssetField]: shape('isset_field', ['out', 'maybe', 'field']),
  [Op.Slice]: shape('slice', ['out', 'in', 'window'], ['throws'], window(2, 3)),
  [Op.Element]: shape('element', ['out', 'in', 'in']),
  [Op.Rest]: shape('rest', ['out', 'in', 'int']),

  [Op.SetIndex]: shape('set_index', ['owner', 'in', 'in'], ['throws']),
  [Op.SetField]: shape('set_field', ['owner', 'field', 'in'], ['throws']),
  [Op.Append]: shape('append', ['owner', 'in'], ['throws']),
  [Op.Spread]: shape('spread', ['owner', 'in'], ['throws']),
  [Op.SpreadArguments]: shape('spread_arguments', ['owner', 'in'], ['throws']),
  [Op.OwnGlobal]: shape('own_global', ['out', 'global'], ['throws']),
  [Op.OwnCell]: shape('own_cell', ['out', 'cell'], ['throws']),
  [Op.OwnIndex]: shape('own_index', ['out', 'owner', 'in'], ['throws']),
  [Op.OwnField]: shape('own_field', ['out', 'owner', 'field'], ['throws']),
  [Op.OwnAppend]: shape('own_append', ['out', 'owner'], ['throws']),
  [Op.FindGlobal]: shape('find_global', ['out', 'global']),
  [Op.FindCell]: shape('find_cell', ['out', 'cell']),
  [Op.FindIndex]: shape('find_index', ['out', 'owner', 'in'], ['throws']),
  [Op.FindField]: shape('find_field', ['out', 'owner', 'field'], ['throws']),
  [Op.UnsetIndex]: shape('unset_index', ['out', 'owner', 'in'], ['throws']),
  [Op.UnsetField]: shape('unset_field', ['out', 'owner', 'field'], ['throws']),
  [Op.Splice]: shape('splice', ['out', 'maybe', 'window'], ['throws'], window(2, 4)),
  [Op.UnsetSlice]: shape('unset_slice', ['out', 'maybe', 'window'], ['throws'], {
    ...window(2, 3),
    alsoWrites: { operand: 2, offset: 0 },
  }),

  [Op.NewArray]: shape('new_array', ['out', 'window', 'int'], ['throws'], window(1, 'c')),
  [Op.NewRecord]: shape('new_record', ['out', 'record', 'window'], ['throws'], window(2, 'record')),

  [Op.Call]: shape('call', ['out', 'function', 'window'], ['calls'], window(2, 'parameters')),
  [Op.New]: shape('new', ['out', 'class', 'window'], ['calls'], window(2, 'parameters')),
  [Op.CallValue]: shape('call_value', ['out', 'in', 'int'], ['calls'], window(1, 'c', 1)),
  [Op.CallSpread]: shape('call_spread', ['out', 'in', 'in'], ['calls']),
  [Op.CallMethod]: shape('call_method', ['inout', 'constant', 'int'], ['calls'], window(0, 'c', 1)),
  [Op.CallBuiltin]: shape('call_builtin', ['out', 'builtin', 'int'], ['calls'], window(0, 'c')),
  [Op.CallBuiltin1]: shape('call_builtin_1', ['out', 'builtin', 'in'], ['calls']),
  [Op.CallBuiltin2]: shape('call_builtin_2', ['out', 'builtin', 'window'], ['calls'], window(2, 2)),
  [Op.CacheCall]: shape('cache_call', ['out', 'window'], ['calls'], window(1, 3)),
  [Op.Return]: shape('return', ['in'], ['ends']),
  [Op.ReturnNone]: shape('return_none', [], ['ends']),

  [Op.Throw]: shape('throw', ['in'], ['throws', 'ends']),
  [Op.Rethrow]: shape('rethrow', ['in'], ['throws', 'ends']),
  [Op.ThrowUnmatched]: shape('throw_unmatched', ['in'], ['throws', 'ends']),

  [Op.Iterate]: shape('iterate', ['out', 'in'], ['throws']),
  [Op.Next]: shape('next', ['in', 'out', 'forward'], ['calls']),
  [Op.NextPair]: shape('next_pair', ['in', 'out', 'forward'], ['calls'], {
    alsoWrites: { operand: 1, offset: 1 },
  }),
  [Op.Yield]: shape('yield', ['in'], ['calls']),
  [Op.YieldPair]: shape('yield_pair', ['in', 'in'], ['calls']),

  [Op.EnterBarrier]: shape('enter_barrier', ['out', 'in', 'out'], ['calls']),
  [Op.LeaveBarrier]: shape('leave_barrier', ['in']),
  [Op.LeaveBarrierStore]: shape('leave_barrier_store', ['in', 'maybe']),

  [Op.Echo]: shape('echo', ['in'], ['throws']),
};
