// The argument check of a builtin, a native method or a native constructor, made once from its declaration: how many
// arguments, of which types, which defaults, which option keys, which patterns (stdlib 0.1). `run` never sees a wrong one.

import type { Builtin, Constant, Method, NativeClass, OptionKeys, Parameter } from '../declare.js';
import { type CompiledPattern, PatternError, type RunHost } from '../host.js';
import type { HslArray } from '../values/array.js';
import { toText } from '../values/convert.js';
import { HslFunction } from '../values/function.js';
import { patternOf, splitPattern } from '../values/pattern.js';
import { ScriptFault } from '../values/script-fault.js';
import { detached } from '../values/text.js';
import { ANY_TYPE, TYPE_BITS, typeBit, typeWord } from '../values/type-word.js';
import type { Value } from '../values/value.js';

type Run = (...args: unknown[]) => unknown;

/** One parameter or option key, ready to check. */
class Check {
  readonly mask: number;
  readonly isPattern: boolean;

  constructor(
    readonly type: string,
    readonly oneOf: readonly Constant[] | undefined,
  ) {
    let mask = 0;
    for (const word of type.split('|')) {
      if (word === 'any') mask |= ANY_TYPE;
      else if (word !== 'pattern') mask |= TYPE_BITS[word as keyof typeof TYPE_BITS];
    }
    this.mask = mask;
    this.isPattern = type.split('|').includes('pattern');
  }

  /** The value as `run` gets it. `where` names it for the exception. */
  take(value: Value, host: RunHost, where: () => string): unknown {
    if (this.isPattern) {
      const pattern = typeof value === 'string' ? compileText(value, host, where) : patternOf(value);
      if (pattern !== undefined) return pattern;
    }
    if ((typeBit(value) & this.mask) === 0)
      throw new ScriptFault(`${where()} must be ${describeType(this.type)}, not ${describeValue(value)}`);
    if (this.oneOf !== undefined && !this.oneOf.includes(value as Constant))
      throw new ScriptFault(
        `${where()} must be one of ${this.oneOf.map((allowed) => show(allowed)).join(', ')}, not ${show(value)}`,
      );
    return value;
  }
}

function show(value: Value): string {
  if (typeof value !== 'string') return toText(value);
  return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
}

function describeValue(value: Value): string {
  const word = typeWord(value);
  if (word === 'none') return 'none';
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}

function describeType(type: string): string {
  const words = type.split('|').map((word) => {
    if (word === 'none' || word === 'any') return word;
    return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
  });
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} or ${words[words.length - 1]}`;
}

interface OptionCheck {
  readonly name: string;
  readonly check: Check;
  readonly initial: Constant | undefined;
  /** Other spellings. */
  readonly aliases: readonly string[];
}

function optionChecks(keys: OptionKeys): readonly OptionCheck[] {
  const names = Object.keys(keys);
  return names
    .filter((name) => keys[name]!.aliasOf === undefined)
    .map((name) => ({
      name,
      check: new Check(keys[name]!.type, keys[name]!.oneOf),
      initial: keys[name]!.default,
      aliases: names.filter((other) => keys[other]!.aliasOf === name),
    }));
}

/** Where a result goes on: what the VM must do with what `run` returned. */
export const enum ResultKind {
  /** It is the value. */
  Plain,
  /** It may be a promise of the value. */
  Promise,
  /** It is a generator of requests. */
  Steps,
  /** It is an action's outcome: the script ends. */
  Ends,
}

export class CheckedBuiltin {
  readonly result: ResultKind;
  /** For native constructors: what the state becomes an object of. */
  readonly constructs: NativeClass | undefined;
  /** The type mask of the only parameter, or of both, when the check is nothing but that; else 0. */
  readonly firstMask: number;
  readonly secondMask: number;
  /** How many parameters the quick check covers: 1, 2, or -1 for none. */
  readonly quickCount: number;
  /** As a function value: the same one each time. */
  readonly value: HslFunction;
  readonly #checks: readonly Check[];
  readonly #options: readonly (readonly OptionCheck[] | undefined)[];
  readonly #required: number;
  readonly #positional: number;
  readonly #rest: Check | undefined;

  constructor(
    readonly name: string,
    readonly params: readonly Parameter[],
    readonly run: Run,
    result: ResultKind,
    constructs: NativeClass | undefined,
  ) {
    this.result = result;
    this.constructs = constructs;
    this.value = new HslFunction(this, name, undefined, undefined);
    const last = params.at(-1);
    const rest = last?.rest === true;
    const positional = rest ? params.slice(0, -1) : params;
    this.#positional = positional.length;
    this.#rest = rest ? new Check(last!.type, undefined) : undefined;
    this.#checks = positional.map(
      (param) => new Check(param.type === 'options' ? 'array' : param.type, undefined),
    );
    this.#options = positional.map((param) =>
      param.type === 'options' && param.keys !== undefined ? optionChecks(param.keys) : undefined,
    );
    this.#required = positional.filter(
      (param) => param.default === undefined && param.optional !== true,
    ).length;
    const isQuick =
      !rest &&
      positional.length >= 1 &&
      positional.length <= 2 &&
      this.#checks.every((check) => !check.isPattern) &&
      this.#options.every((options) => options === undefined);
    this.quickCount = isQuick ? positional.length : -1;
    this.firstMask = isQuick ? this.#checks[0]!.mask : 0;
    this.secondMask = isQuick && positional.length === 2 ? this.#checks[1]!.mask : 0;
  }

  /** The arguments as `run` takes them: checked, defaults filled in. @throws ScriptFault */
  check(args: readonly Value[], host: RunHost): unknown[] {
    const given = args.length;
    if (given < this.#required || (given > this.#positional && this.#rest === undefined))
      throw new ScriptFault(this.#countMessage(given));
    const taken: unknown[] = [];
    for (let i = 0; i < this.#positional; i++) {
      const options = this.#options[i];
      if (i >= given)
        taken.push(
          options === undefined ? this.params[i]!.default : this.#takeOptions(i, undefined, options, host),
        );
      else {
        const value = this.#checks[i]!.take(args[i]!, host, () => this.#place(i));
        taken.push(options === undefined ? value : this.#takeOptions(i, value as HslArray, options, host));
      }
    }
    if (this.#rest !== undefined) {
      const check = this.#rest;
      taken.push(
        args
          .slice(this.#positional)
          .map((value, i) => check.take(value, host, () => this.#place(this.#positional + i))),
      );
    }
    return taken;
  }

  #takeOptions(
    index: number,
    array: HslArray | undefined,
    options: readonly OptionCheck[],
    host: RunHost,
  ): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    for (const { name, check, initial, aliases } of options) {
      let value = array?.get(name);
      for (const alias of aliases) value ??= array?.get(alias);
      // A none that the key does not want counts as left out: scripts pass on what may be missing.
      if (value === undefined || (value === null && (check.mask & TYPE_BITS.none) === 0))
        record[name] = initial;
      else record[name] = check.take(value, host, () => `option "${name}" of ${this.#place(index)}`);
    }
    return record;
  }

  #place(index: number): string {
    const param = this.params[Math.min(index, this.params.length - 1)]!;
    return `argument ${index + 1} (${param.name}) of ${this.name}`;
  }

  #countMessage(given: number): string {
    const most = this.#positional;
    const plural = (count: number) => `${count} argument${count === 1 ? '' : 's'}`;
    if (this.#rest !== undefined)
      return `${this.name} takes at least ${plural(this.#required)}, not ${given}`;
    return this.#required === most
      ? `${this.name} takes ${plural(most)}, not ${given}`
      : `${this.name} takes ${this.#required} to ${plural(most)}, not ${given}`;
  }
}

// --- Patterns -----------------------------------------------------------------------------------------------------

const MAX_KNOWN = 1000;
const known = new WeakMap<object, Map<string, CompiledPattern>>();

/** Compiles a pattern string; the engine's own cache is asked only for texts not seen lately. @throws ScriptFault */
export function compileText(text: string, host: RunHost, where: () => string): CompiledPattern {
  let patterns = known.get(host.patterns);
  if (patterns === undefined) {
    patterns = new Map();
    known.set(host.patterns, patterns);
  }
  const found = patterns.get(text);
  if (found !== undefined) return found;
  const { source, flags } = splitPattern(text);
  try {
    const compiled = host.patterns.compile(detached(source), flags);
    if (patterns.size >= MAX_KNOWN) patterns.clear();
    patterns.set(detached(text), compiled);
    return compiled;
  } catch (error) {
    if (error instanceof PatternError)
      throw new ScriptFault(`${where()} is no valid pattern: ${error.message} (at byte ${error.offset})`);
    throw error;
  }
}

// --- From declarations --------------------------------------------------------------------------------------------

const checkedDeclarations = new WeakMap<object, CheckedBuiltin>();

function kindOf(method: { readonly suspends?: boolean; readonly callbacks?: boolean }): ResultKind {
  if (method.callbacks === true) return ResultKind.Steps;
  return method.suspends === true ? ResultKind.Promise : ResultKind.Plain;
}

/** The checked form of a builtin, of a native class (its constructor), or of one of its static functions. */
export function checkedBuiltin(
  name: string,
  declaration: Builtin | NativeClass,
  method: Method | undefined,
): CheckedBuiltin {
  const key = method ?? declaration;
  let checked = checkedDeclarations.get(key);
  if (checked === undefined) {
    checked = method === undefined ? fromDeclaration(declaration) : fromMethod(name, method);
    checkedDeclarations.set(key, checked);
  }
  return checked;
}

/** The checked form of a method of a native class. */
export function checkedMethod(of: NativeClass, method: Method): CheckedBuiltin {
  let checked = checkedDeclarations.get(method);
  if (checked === undefined) {
    checked = fromMethod(`${of.name}->${method.name}`, method);
    checkedDeclarations.set(method, checked);
  }
  return checked;
}

function fromMethod(name: string, method: Method): CheckedBuiltin {
  return new CheckedBuiltin(name, method.params, method.run as unknown as Run, kindOf(method), undefined);
}

function fromDeclaration(declaration: Builtin | NativeClass): CheckedBuiltin {
  const { name } = declaration;
  if (declaration.kind === 'builtin') {
    const kind = declaration.ends === true ? ResultKind.Ends : kindOf(declaration);
    return new CheckedBuiltin(name, declaration.params, declaration.run as unknown as Run, kind, undefined);
  }
  const made = declaration.constructorOf;
  if (made === undefined) {
    const refuse = () => {
      throw new ScriptFault(`a ${name} cannot be made by a script`);
    };
    return new CheckedBuiltin(
      name,
      [{ name: 'arguments', type: 'any', rest: true }],
      refuse,
      ResultKind.Plain,
      undefined,
    );
  }
  return new CheckedBuiltin(name, made.params, made.run as unknown as Run, kindOf(made), declaration);
}
