// How a builtin, a native class, an action or a phase variable is declared. One declaration has many readers: the VM
// calls it and checks its arguments by it, the linter checks calls against it, the REPL and the editor show it, the
// reference manual is printed from it, and a test runs its example. If one of them needs more, the declaration grows.
//
// `run` takes its parameters by position, in the order of `params`, then the call's context; their TypeScript types
// follow from `params`. Rules for `run`:
// - it never writes to an array it was given, and marks what it keeps or puts into its result with `share`;
// - it returns at once, unless `suspends` (then it may return a promise) or `callbacks` (then it may return a generator
//   that yields `call(fn, args)` for every call of a script function, `wait(promise)` to suspend, and now and then `PAUSE`
//   when it works through much input: other executions and sessions get their turn);
// - it throws ScriptFault for the script's mistakes. Wrong argument count or types never reach it.

import type { CompiledPattern, RunHost } from './host.js';
import type { HslArray } from './values/array.js';
import type { HslFunction } from './values/function.js';
import type { HslObject, HslResource } from './values/object.js';
import type { Value } from './values/value.js';

// --- Types ------------------------------------------------------------------------------------------------------

interface TypeTable {
  any: Value;
  none: null;
  boolean: boolean;
  number: number;
  string: string;
  array: HslArray;
  function: HslFunction;
  object: HslObject;
  resource: HslResource;
  /** A pattern string, `/re/flags` string or Regex, compiled before `run` sees it. */
  pattern: CompiledPattern;
}

export type BasicType = keyof TypeTable;
/** One type, or several joined by `|`: `string|none`. */
export type Type = BasicType | `${BasicType}|${BasicType}` | `${BasicType}|${BasicType}|${BasicType}`;

type TypeOf<T extends string> = T extends `${infer A}|${infer B}`
  ? TypeOf<A> | TypeOf<B>
  : T extends BasicType
    ? TypeTable[T]
    : never;

/** A default that can be written down in a declaration. */
export type Constant = null | boolean | number | string;

/** One key of an options array. */
export interface OptionKey {
  readonly type: Type;
  /** Absent means undefined when the script leaves it out. */
  readonly default?: Constant;
  /** Allowed texts or numbers; anything else is an exception. */
  readonly oneOf?: readonly Constant[];
  readonly doc: string;
  /** An older spelling of another key: accepted, and the linter names the replacement. */
  readonly aliasOf?: string;
  /** The keys of a value that is an array of options itself. `run` takes it as it is and checks them. */
  readonly keys?: OptionKeys;
}

export type OptionKeys = Readonly<Record<string, OptionKey>>;

export interface Parameter {
  readonly name: string;
  /** `options` is an array whose keys are declared; `run` gets a plain record. */
  readonly type: Type | 'options';
  readonly doc?: string;
  /** May be left out; `run` then gets this value. */
  readonly default?: Constant;
  /** May be left out; `run` then gets undefined. */
  readonly optional?: true;
  /** Takes all remaining arguments; must be the last. */
  readonly rest?: true;
  /** With type `options` only. */
  readonly keys?: OptionKeys;
}

type OptionValues<K> = K extends OptionKeys
  ? {
      readonly [N in keyof K]: K[N] extends { default: Constant }
        ? TypeOf<K[N]['type']> | K[N]['default']
        : TypeOf<K[N]['type']> | undefined;
    }
  : never;

type ArgumentOf<P> = P extends { type: 'options'; keys: infer K }
  ? OptionValues<K>
  : P extends { rest: true; type: infer T extends string }
    ? readonly TypeOf<T>[]
    : P extends { optional: true; type: infer T extends string }
      ? TypeOf<T> | undefined
      : P extends { type: infer T extends string }
        ? TypeOf<T>
        : never;

type ArgumentsOf<P extends readonly Parameter[]> = { -readonly [I in keyof P]: ArgumentOf<P[I]> };

// --- The call's context -----------------------------------------------------------------------------------------

/** What a builtin sees of the execution that calls it. */
export interface CallContext {
  readonly host: RunHost;
  /** What the program's owner hands to its builtins (the daemon's services, a hook's message); see stdlib/services.ts. */
  readonly services: unknown;
  /** Seconds on the monotonic clock when the execution began. */
  readonly startedAt: number;
  /** The object whose method was just called: what "returns this" gives. Read it before anything is awaited. */
  readonly receiver?: HslObject | undefined;
  /** Aborted when the execution is cancelled: whatever waits must give up and release what it holds. */
  readonly signal: AbortSignal;
  /** Releases `resource` when the execution ends, unless its own close came first. */
  own(resource: { release(): void }): void;
  disown(resource: { release(): void }): void;
  /**
   * Keys of the shared memory that this execution holds locked now (barrier bodies, memory_* callbacks): asking for one
   * of them again would wait for itself, so it is an exception. Whoever locks adds, whoever unlocks removes.
   */
  readonly heldLocks?: Set<string>;
  /** Counts bytes against the execution's memory limit; throws the limit's error when there are too many. */
  charge(bytes: number): void;
  /** Text of a value as `string()` makes it. */
  toText(value: Value): string;
  /** A new instance of a native class. */
  instantiate<Self>(of: NativeClass<Self>, self: Self): HslObject;
}

/** Asks the VM to call a script function; the generator's `yield` gives its result, or throws what it threw. */
export interface CallRequest {
  readonly kind: 'call';
  readonly fn: HslFunction;
  readonly args: readonly Value[];
  /** The caller holds a lock: a suspend inside the call is an exception (memory_* callbacks). */
  readonly atomic?: true;
}

/** Asks the VM to suspend until the promise settles. */
export interface WaitRequest {
  readonly kind: 'wait';
  readonly promise: Promise<unknown>;
}

/** Asks the VM whether the event loop should turn before the builtin goes on. */
export interface PauseRequest {
  readonly kind: 'pause';
}

export type BuiltinRequest = CallRequest | WaitRequest | PauseRequest;
export type BuiltinSteps<R> = Generator<BuiltinRequest, R, never>;

export function call(fn: HslFunction, ...args: Value[]): CallRequest {
  return { kind: 'call', fn, args };
}

/** `call` for a caller that holds a lock: the script function must not suspend. */
export function callAtomic(fn: HslFunction, ...args: Value[]): CallRequest {
  return { kind: 'call', fn, args, atomic: true };
}

/**
 * For builtins that work through much input: yielded every few milliseconds, it lets the event loop turn when this
 * execution has kept it for its time, and ends the execution when it ran out of time or was cancelled.
 */
export const PAUSE: PauseRequest = { kind: 'pause' };

export function wait(promise: Promise<unknown>): WaitRequest {
  return { kind: 'wait', promise };
}

// --- Builtins ---------------------------------------------------------------------------------------------------

/** The groups of the reference manual, in its order. */
export type Group =
  | 'actions'
  | 'arrays'
  | 'types'
  | 'strings'
  | 'patterns'
  | 'math'
  | 'crypto'
  | 'encodings'
  | 'time'
  | 'network'
  | 'dns'
  | 'http'
  | 'smtp'
  | 'mail'
  | 'state'
  | 'queue'
  | 'metrics'
  | 'collections'
  | 'files'
  | 'sockets'
  | 'certificates'
  | 'ldap'
  | 'ffi';

interface Described {
  readonly name: string;
  /** One sentence ending in a period. */
  readonly summary: string;
  /** More than the summary says: units, rules, departures. Markdown. */
  readonly details?: string;
  /** `expression  // result as json_encode prints it`: run by a test. Several lines are several examples. */
  readonly example?: string;
  /** The first release of the original that had it, if known. */
  readonly since?: string;
  /** RFC and section, or the reference page. */
  readonly source?: string;
}

/** What the VM, linter and documents read. `builtin()` makes it with checked types. */
export interface Builtin extends Described {
  readonly kind: 'builtin';
  readonly group: Group;
  readonly params: readonly Parameter[];
  readonly returns: string;
  /** When and how it fails: the exception, or the value that says so. */
  readonly errors?: string;
  /** Same arguments, same result, no effect, never suspends: calls with constant arguments may be folded. */
  readonly pure?: boolean;
  readonly suspends?: boolean;
  readonly callbacks?: boolean;
  /** An action: its result is the execution's outcome, and the script ends. */
  readonly ends?: boolean;
  /** Set on an older name: the linter names the replacement. */
  readonly deprecated?: string;
  readonly run: (...args: never[]) => unknown;
}

type RunOf<P extends readonly Parameter[], S, C, E> = (
  ...args: [...ArgumentsOf<P>, CallContext]
) => E extends true
  ? unknown
  : C extends true
    ? BuiltinSteps<Value> | Value
    : S extends true
      ? Value | Promise<Value>
      : Value;

interface BuiltinSpec<P extends readonly Parameter[], S extends boolean, C extends boolean, E extends boolean>
  extends Described {
  readonly group: Group;
  readonly params: P;
  /** Type words for people: `string`, `array|none`. */
  readonly returns: string;
  readonly errors?: string;
  readonly pure?: true;
  readonly suspends?: S;
  readonly callbacks?: C;
  readonly ends?: E;
  readonly deprecated?: string;
  readonly run: RunOf<P, S, C, E>;
}

/** Declares a function that scripts can call. */
export function builtin<
  const P extends readonly Parameter[],
  const S extends boolean = false,
  const C extends boolean = false,
  const E extends boolean = false,
>(spec: BuiltinSpec<P, S, C, E>): Builtin {
  return { kind: 'builtin', ...spec } as unknown as Builtin;
}

// --- Native classes ---------------------------------------------------------------------------------------------

/** A method: like a builtin, but `run` gets the object's state first. */
export interface Method extends Described {
  readonly params: readonly Parameter[];
  readonly returns: string;
  readonly errors?: string;
  readonly suspends?: boolean;
  readonly callbacks?: boolean;
  readonly run: (...args: never[]) => unknown;
}

/** A class implemented in TypeScript. `Self` is the state its methods get. */
export interface NativeClass<Self = unknown> extends Described {
  readonly kind: 'class';
  readonly group: Group;
  /** Absent: scripts cannot make one. `run` returns the state; none makes the call's result none. */
  readonly constructorOf?: Omit<Method, 'name' | 'summary'>;
  readonly methods: Readonly<Record<string, Method>>;
  readonly statics: Readonly<Record<string, Method>>;
  /** What `foreach` walks, if it can be walked: pairs of key and value. */
  iterate?(self: Self): Iterator<readonly [Value, Value]>;
  /** The script values inside the state, for the memory limit; absent when it holds none. */
  holds?(self: Self): Iterable<Value>;
}

interface MethodSpec<P extends readonly Parameter[], S extends boolean, C extends boolean> {
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly example?: string;
  readonly since?: string;
  readonly source?: string;
  readonly params: P;
  readonly returns: string;
  readonly errors?: string;
  readonly suspends?: S;
  readonly callbacks?: C;
}

/** Declares a method of `Self`; `run` gets the state, the arguments, the context. */
export function method<Self>() {
  return <
    const P extends readonly Parameter[],
    const S extends boolean = false,
    const C extends boolean = false,
  >(
    spec: MethodSpec<P, S, C> & {
      readonly run: (
        self: Self,
        ...args: [...ArgumentsOf<P>, CallContext]
      ) => ReturnType<RunOf<P, S, C, false>>;
    },
  ): Method => spec as unknown as Method;
}

/** Declares a static function or, with any name, a constructor (its `run` may return a state of any type). */
export function staticMethod<
  const P extends readonly Parameter[],
  const S extends boolean = false,
  const C extends boolean = false,
>(
  spec: MethodSpec<P, S, C> & { readonly run: (...args: [...ArgumentsOf<P>, CallContext]) => unknown },
): Method {
  return spec as unknown as Method;
}

export function nativeClass<Self>(
  spec: Omit<NativeClass<Self>, 'kind' | 'methods' | 'statics'> & {
    readonly methods: readonly Method[];
    readonly statics?: readonly Method[];
  },
): NativeClass<Self> {
  // Each class has its own copy of a method that several share: errors name the class, and are made once for each method.
  const byName = (list: readonly Method[]) => Object.fromEntries(list.map((m) => [m.name, { ...m }]));
  return { ...spec, kind: 'class', methods: byName(spec.methods), statics: byName(spec.statics ?? []) };
}

export type Declaration = Builtin | NativeClass;

// --- Predefined variables ---------------------------------------------------------------------------------------

/** A variable that exists before the script's first statement (`$arguments`). */
export interface PredefinedVariable {
  /** Without the `$`. */
  readonly name: string;
  readonly summary: string;
  readonly readonly: boolean;
  /** Known keys, for hover help and the reference. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** What a program is compiled against: every name it did not declare itself. */
export interface Environment {
  /** For messages: `mailfrom`, `hsh`. */
  readonly name: string;
  readonly declarations: ReadonlyMap<string, Declaration>;
  readonly variables: readonly PredefinedVariable[];
  /** Names that scripts in the field still use and that are gone: what to do instead, in a sentence. */
  readonly formerNames?: ReadonlyMap<string, string>;
}
