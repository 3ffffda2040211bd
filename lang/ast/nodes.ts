// The syntax tree: what a script says, and nothing about what it means. A node is a readonly record with a literal
// `kind` and a `span`; passes are `switch (node.kind)`. Trees are never changed: a pass that wants a different one
// makes a new one, and what the resolver finds out lives beside the tree (lang/resolver/resolved.ts).

import type { Span } from '../source/source-file.js';

interface Base {
  readonly span: Span;
}

// --- Programs -------------------------------------------------------------------------------------------------

/** One file. `include` statements are still statements here; the module loader splices their files in. */
export interface Script extends Base {
  readonly kind: 'Script';
  readonly body: readonly Statement[];
}

// --- Statements -----------------------------------------------------------------------------------------------

export type Statement =
  | Block
  | Empty
  | Echo
  | If
  | For
  | Foreach
  | While
  | Forever
  | Switch
  | Break
  | Continue
  | Return
  | Throw
  | Try
  | Barrier
  | Global
  | FunctionDeclaration
  | ClassDeclaration
  | Include
  | ImportSymbols
  | ImportNamespace
  | ImportFile
  | DebugPoint
  | ExpressionStatement;

/** `{ … }`. It opens no scope. */
export interface Block extends Base {
  readonly kind: 'Block';
  readonly body: readonly Statement[];
}

/** A lone `;`. */
export interface Empty extends Base {
  readonly kind: 'Empty';
}

export interface Echo extends Base {
  readonly kind: 'Echo';
  readonly value: Expression;
}

export interface If extends Base {
  readonly kind: 'If';
  readonly test: Expression;
  readonly then: Statement;
  readonly otherwise: Statement | undefined;
}

export interface For extends Base {
  readonly kind: 'For';
  readonly init: Expression | undefined;
  /** Absent means true. */
  readonly test: Expression | undefined;
  readonly step: Expression | undefined;
  readonly body: Statement;
}

export interface Foreach extends Base {
  readonly kind: 'Foreach';
  readonly iterable: Expression;
  readonly key: Assignable | undefined;
  readonly value: Assignable;
  readonly body: Statement;
}

export interface While extends Base {
  readonly kind: 'While';
  readonly test: Expression;
  readonly body: Statement;
}

export interface Forever extends Base {
  readonly kind: 'Forever';
  readonly body: Statement;
}

export interface Switch extends Base {
  readonly kind: 'Switch';
  readonly subject: Expression;
  readonly cases: readonly SwitchCase[];
}

/** One label and the statements up to the next one. `test` absent is `default`. */
export interface SwitchCase extends Base {
  readonly kind: 'SwitchCase';
  readonly test: Expression | undefined;
  readonly body: readonly Statement[];
}

export interface Break extends Base {
  readonly kind: 'Break';
}

export interface Continue extends Base {
  readonly kind: 'Continue';
}

export interface Return extends Base {
  readonly kind: 'Return';
  readonly value: Expression | undefined;
}

export interface Throw extends Base {
  readonly kind: 'Throw';
  readonly value: Expression;
}

export interface Try extends Base {
  readonly kind: 'Try';
  readonly body: Block;
  readonly variable: Variable;
  readonly handler: Block;
}

export interface Barrier extends Base {
  readonly kind: 'Barrier';
  readonly name: Expression;
  readonly variable: Variable | undefined;
  readonly body: Block;
}

export interface Global extends Base {
  readonly kind: 'Global';
  readonly variables: readonly Variable[];
}

export interface FunctionDeclaration extends Base {
  readonly kind: 'FunctionDeclaration';
  readonly name: Name;
  readonly code: FunctionCode;
}

export interface ClassDeclaration extends Base {
  readonly kind: 'ClassDeclaration';
  readonly name: Name;
  readonly members: readonly ClassMember[];
}

export type ClassMember = ConstructorMember | MethodMember | FieldMember;

export interface ConstructorMember extends Base {
  readonly kind: 'ConstructorMember';
  readonly code: FunctionCode;
}

export interface MethodMember extends Base {
  readonly kind: 'MethodMember';
  readonly name: Name;
  readonly isPrivate: boolean;
  readonly isStatic: boolean;
  readonly code: FunctionCode;
}

export interface FieldMember extends Base {
  readonly kind: 'FieldMember';
  /** Without the `$`. */
  readonly name: Name;
  readonly isPrivate: boolean;
  readonly isStatic: boolean;
  readonly isReadonly: boolean;
  /** A constant expression; absent means none. */
  readonly initial: Expression | undefined;
}

export interface Include extends Base {
  readonly kind: 'Include';
  readonly once: boolean;
  readonly path: PlainString;
}

/** `import { a, b as c, $x as $y } from "module";` */
export interface ImportSymbols extends Base {
  readonly kind: 'ImportSymbols';
  readonly symbols: readonly ImportedSymbol[];
  readonly from: PlainString;
}

export interface ImportedSymbol extends Base {
  readonly kind: 'ImportedSymbol';
  readonly isVariable: boolean;
  /** The module's name for it, without `$`. */
  readonly name: Name;
  /** This file's name for it, without `$`. */
  readonly local: Name;
}

/** `import * as ns from "module";` */
export interface ImportNamespace extends Base {
  readonly kind: 'ImportNamespace';
  readonly local: Name;
  readonly from: PlainString;
}

/** `import $x from "file.json" with [...];` — or without a loader's options. */
export interface ImportFile extends Base {
  readonly kind: 'ImportFile';
  readonly variable: Variable;
  readonly from: PlainString;
  readonly options: ArrayLiteral | undefined;
}

/** `__debug ["debugid", "pointid"] statement`: does nothing outside a debug session (queue-and-config 9.2). */
export interface DebugPoint extends Base {
  readonly kind: 'DebugPoint';
  readonly debugId: string;
  readonly pointId: string;
  readonly body: Statement;
}

export interface ExpressionStatement extends Base {
  readonly kind: 'ExpressionStatement';
  readonly expression: Expression;
}

// --- Functions ------------------------------------------------------------------------------------------------

/** Parameters and body: shared by named and anonymous functions, methods and constructors. */
export interface FunctionCode extends Base {
  readonly kind: 'FunctionCode';
  readonly parameters: readonly Parameter[];
  /** `closure ($a, $b)`; undefined when there is no list. Only anonymous functions have one. */
  readonly captures: readonly Variable[] | undefined;
  readonly body: Block;
}

export interface Parameter extends Base {
  readonly kind: 'Parameter';
  readonly variable: Variable;
  /** A constant expression. */
  readonly initial: Expression | undefined;
  readonly isRest: boolean;
}

// --- Expressions ----------------------------------------------------------------------------------------------

export type Expression =
  | Literal
  | Template
  | PatternLiteral
  | Variable
  | NameReference
  | BuiltinReference
  | StaticReference
  | ArrayLiteral
  | AnonymousFunction
  | Unary
  | Binary
  | Logical
  | Conditional
  | Coalesce
  | Assign
  | CompoundAssign
  | Destructure
  | Increment
  | Call
  | Subscript
  | Append
  | Slice
  | Member
  | Isset
  | Unset
  | Yield
  | Match
  | Cache
  | Spread
  | Parenthesized;

/** A number, a string without interpolation, `true`, `false` or `none` (as null). */
export interface Literal extends Base {
  readonly kind: 'Literal';
  readonly value: number | string | boolean | null;
  /** For strings, how it was written: the printer keeps it. */
  readonly raw?: string;
}

/** A double-quoted string with at least one interpolated variable. */
export interface Template extends Base {
  readonly kind: 'Template';
  readonly parts: readonly (string | Variable)[];
}

/** `#/body/flags` */
export interface PatternLiteral extends Base {
  readonly kind: 'PatternLiteral';
  readonly body: string;
  readonly flags: string;
}

export interface Variable extends Base {
  readonly kind: 'Variable';
  /** Without the `$`; `this` for `$this`. */
  readonly name: string;
}

/** A bare name: a function, builtin or class as a value, or as the callee of a call. */
export interface NameReference extends Base {
  readonly kind: 'NameReference';
  readonly name: string;
}

/** `builtin name` */
export interface BuiltinReference extends Base {
  readonly kind: 'BuiltinReference';
  readonly name: string;
}

/** `Class::$field`, `Class::method`, `static::…`, `namespace::name`, `namespace::$x`. */
export interface StaticReference extends Base {
  readonly kind: 'StaticReference';
  /** A class or an imported namespace; `static` is the class around. */
  readonly owner: Name;
  readonly isVariable: boolean;
  readonly member: Name;
}

export interface ArrayLiteral extends Base {
  readonly kind: 'ArrayLiteral';
  readonly items: readonly ArrayItem[];
}

export interface ArrayItem extends Base {
  readonly kind: 'ArrayItem';
  readonly key: Expression | undefined;
  /** A `Spread` for `...expr`. */
  readonly value: Expression;
}

export interface AnonymousFunction extends Base {
  readonly kind: 'AnonymousFunction';
  readonly code: FunctionCode;
}

export interface Unary extends Base {
  readonly kind: 'Unary';
  /** `not` is the same operator as `!`. */
  readonly operator: '-' | '+' | '!' | '~';
  readonly operand: Expression;
}

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '**'
  | '.'
  | '<<'
  | '>>'
  | '>>>'
  | '&'
  | '|'
  | '^'
  | '<'
  | '>'
  | '<='
  | '>='
  | '=='
  | '!='
  | '==='
  | '!=='
  | '=~'
  | '!~';

export interface Binary extends Base {
  readonly kind: 'Binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

export interface Logical extends Base {
  readonly kind: 'Logical';
  readonly operator: 'and' | 'or';
  readonly left: Expression;
  readonly right: Expression;
}

/** `test ? then : otherwise`; `then` absent is `test ?: otherwise`. */
export interface Conditional extends Base {
  readonly kind: 'Conditional';
  readonly test: Expression;
  readonly then: Expression | undefined;
  readonly otherwise: Expression;
}

/** `left ?? right` */
export interface Coalesce extends Base {
  readonly kind: 'Coalesce';
  readonly left: Expression;
  readonly right: Expression;
}

/** What may stand left of an assignment. */
export type Assignable = Variable | Subscript | Append | Slice | Member | StaticReference;

export interface Assign extends Base {
  readonly kind: 'Assign';
  readonly target: Assignable;
  readonly value: Expression;
}

export interface CompoundAssign extends Base {
  readonly kind: 'CompoundAssign';
  readonly operator: '+' | '-' | '*' | '/' | '%' | '**' | '.' | '??';
  readonly target: Assignable;
  readonly value: Expression;
}

/** `[$a, $b = 1, ...$rest] = value` or `["k" => $a] = value`. */
export interface Destructure extends Base {
  readonly kind: 'Destructure';
  readonly targets: readonly DestructureTarget[];
  readonly value: Expression;
}

export interface DestructureTarget extends Base {
  readonly kind: 'DestructureTarget';
  readonly key: Expression | undefined;
  readonly target: Assignable;
  readonly initial: Expression | undefined;
  readonly isRest: boolean;
}

export interface Increment extends Base {
  readonly kind: 'Increment';
  readonly by: 1 | -1;
  readonly isPrefix: boolean;
  readonly target: Assignable;
}

export interface Call extends Base {
  readonly kind: 'Call';
  readonly callee: Expression;
  /** `Spread` nodes among them are `...expr`. */
  readonly args: readonly Expression[];
}

/** `object[index]` */
export interface Subscript extends Base {
  readonly kind: 'Subscript';
  readonly object: Expression;
  readonly index: Expression;
}

/** `object[]`: only as the target of an assignment. */
export interface Append extends Base {
  readonly kind: 'Append';
  readonly object: Expression;
}

/** `object[first:last:step]` */
export interface Slice extends Base {
  readonly kind: 'Slice';
  readonly object: Expression;
  readonly first: Expression | undefined;
  readonly last: Expression | undefined;
  readonly step: Expression | undefined;
}

/** `object->name` */
export interface Member extends Base {
  readonly kind: 'Member';
  readonly object: Expression;
  readonly name: Name;
}

export interface Isset extends Base {
  readonly kind: 'Isset';
  readonly path: Expression;
}

export interface Unset extends Base {
  readonly kind: 'Unset';
  readonly path: Expression;
}

export interface Yield extends Base {
  readonly kind: 'Yield';
  readonly key: Expression | undefined;
  readonly value: Expression | undefined;
}

export interface Match extends Base {
  readonly kind: 'Match';
  readonly subject: Expression;
  readonly arms: readonly MatchArm[];
}

/** `tests` absent is the `default` arm. */
export interface MatchArm extends Base {
  readonly kind: 'MatchArm';
  readonly tests: readonly Expression[] | undefined;
  readonly value: Expression;
}

/** `cache [options] name(args)` */
export interface Cache extends Base {
  readonly kind: 'Cache';
  readonly options: ArrayLiteral;
  readonly callee: NameReference | BuiltinReference | StaticReference;
  readonly args: readonly Expression[];
}

/** `...expr`, in an array literal or an argument list only. */
export interface Spread extends Base {
  readonly kind: 'Spread';
  readonly value: Expression;
}

/** Kept because `($a) = 1` is an error and `(a) . b` is not ambiguous; later passes look through it. */
export interface Parenthesized extends Base {
  readonly kind: 'Parenthesized';
  readonly expression: Expression;
}

// --- Leaves that are no expressions ----------------------------------------------------------------------------

export interface Name extends Base {
  readonly kind: 'Name';
  readonly text: string;
}

/** A string without interpolation where the grammar wants one (include, import). */
export interface PlainString extends Base {
  readonly kind: 'PlainString';
  readonly value: string;
}

export type Node =
  | Script
  | Statement
  | SwitchCase
  | ClassMember
  | ImportedSymbol
  | FunctionCode
  | Parameter
  | Expression
  | ArrayItem
  | DestructureTarget
  | MatchArm
  | Name
  | PlainString;
