// Random trees for property tests: any tree that some text could be read as.

import fc from 'fast-check';
import type * as ast from '../../../lang/ast/nodes.js';

const span = { start: 0, end: 0 };

const identifier = fc
  .tuple(fc.constantFrom('a', 'b', 'Foo', '_x', 'name', 'q'), fc.constantFrom('', '1', '_2', 'Z', 'abc'))
  .map((parts) => parts.join(''));
/** Behind `->` and `::`, keywords are names as well. */
const memberName = fc.oneof(identifier, fc.constantFrom('echo', 'match', 'class', 'none', 'or'));
const bytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'abz09 \\"$\'{}[]\n\r\t/#'),
      fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''));

const nameNode = (text: string): ast.Name => ({ kind: 'Name', span, text });
const name = identifier.map(nameNode);
const variable = identifier.map((text): ast.Variable => ({ kind: 'Variable', span, name: text }));
const plainString = bytes.map((value): ast.PlainString => ({ kind: 'PlainString', span, value }));
const flag = fc.boolean();
const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });

const literal: fc.Arbitrary<ast.Literal> = fc
  .oneof(
    fc.constantFrom<ast.Literal['value'][]>(null, true, false, 0, 1, 2.5, 1e21, 1.5e-9, 5e-324, 2 ** 53),
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs),
    bytes,
  )
  .map((value) => ({ kind: 'Literal', span, value }));

const template: fc.Arbitrary<ast.Template> = fc
  .tuple(fc.array(fc.tuple(bytes, variable), { minLength: 1, maxLength: 3 }), bytes)
  .map(([pairs, last]) => ({
    kind: 'Template',
    span,
    parts: [...pairs.flat(), last].filter((part) => part !== ''),
  }));

const pattern: fc.Arbitrary<ast.PatternLiteral> = fc
  .tuple(
    fc.array(fc.constantFrom('a', '.', '*', '\\d', '\\/', '\\\\', '[', '(', '#', ' ', '$', '"'), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.constantFrom('', 'i', 'imsxuUX', 'ii'),
  )
  .map(([body, flags]) => ({ kind: 'PatternLiteral', span, body: body.join(''), flags }));

const staticReference = fc
  .tuple(fc.oneof(identifier, fc.constant('static')), flag, memberName, identifier)
  .map(
    ([owner, isVariable, member, field]): ast.StaticReference => ({
      kind: 'StaticReference',
      span,
      owner: nameNode(owner),
      isVariable,
      member: nameNode(isVariable ? field : member),
    }),
  );

const infixOperators = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '**',
  '.',
  '<<',
  '>>',
  '>>>',
  '&',
  '|',
  '^',
  '<',
  '>',
  '<=',
  '>=',
  '==',
  '!=',
  '===',
  '!==',
  '=~',
  '!~',
] as const;
const compoundOperators = ['+', '-', '*', '/', '%', '**', '.', '??'] as const;

// A type, not an interface: fc.letrec asks for one that is open to an index signature.
type Trees = {
  expression: ast.Expression;
  assignable: ast.Assignable;
  parenthesized: ast.Expression;
  array: ast.ArrayLiteral;
  args: ast.Expression[];
  code: ast.FunctionCode;
  block: ast.Block;
  statement: ast.Statement;
};

const leaf: fc.Arbitrary<ast.Expression> = fc.oneof(
  variable,
  literal,
  template,
  pattern,
  identifier.map((text): ast.Expression => ({ kind: 'NameReference', span, name: text })),
  identifier.map((text): ast.Expression => ({ kind: 'BuiltinReference', span, name: text })),
  staticReference,
);

/** All arbitraries that know each other. */
export const trees = fc.letrec<Trees>((tie) => {
  const expression = tie('expression');
  const assignable = tie('assignable');
  const statement = tie('statement');
  const block = tie('block');
  const code = tie('code');
  const item = fc
    .tuple(optional(expression), expression, fc.integer({ min: 0, max: 4 }))
    .map(
      ([key, value, spread]): ast.ArrayItem =>
        spread === 0
          ? { kind: 'ArrayItem', span, key: undefined, value: { kind: 'Spread', span, value } }
          : { kind: 'ArrayItem', span, key, value },
    );
  const destructureTarget = fc
    .tuple(optional(expression), assignable, optional(expression), fc.integer({ min: 0, max: 4 }))
    .map(
      ([key, target, initial, rest]): ast.DestructureTarget =>
        rest === 0
          ? { kind: 'DestructureTarget', span, key: undefined, target, initial: undefined, isRest: true }
          : { kind: 'DestructureTarget', span, key, target, initial, isRest: false },
    );
  const arm = fc
    .tuple(optional(fc.array(expression, { minLength: 1, maxLength: 2 })), expression)
    .map(([tests, value]): ast.MatchArm => ({ kind: 'MatchArm', span, tests, value }));
  const parameter = fc.tuple(variable, optional(expression), flag).map(
    ([of, initial, isRest]): ast.Parameter => ({
      kind: 'Parameter',
      span,
      variable: of,
      initial: isRest ? undefined : initial,
      isRest,
    }),
  );
  const member: fc.Arbitrary<ast.ClassMember> = fc.oneof(
    code.map((of): ast.ClassMember => ({ kind: 'ConstructorMember', span, code: of })),
    fc.tuple(name, flag, flag, code).map(
      ([of, isPrivate, isStatic, body]): ast.ClassMember => ({
        kind: 'MethodMember',
        span,
        name: of,
        isPrivate,
        isStatic,
        code: body,
      }),
    ),
    fc.tuple(name, flag, flag, flag, optional(expression)).map(
      ([of, isPrivate, isStatic, isReadonly, initial]): ast.ClassMember => ({
        kind: 'FieldMember',
        span,
        name: of,
        isPrivate,
        isStatic,
        isReadonly,
        initial,
      }),
    ),
  );
  const symbol = fc.tuple(flag, identifier, identifier).map(
    ([isVariable, of, local]): ast.ImportedSymbol => ({
      kind: 'ImportedSymbol',
      span,
      isVariable,
      name: nameNode(of),
      local: nameNode(local),
    }),
  );
  const deep = { depthSize: 'small', withCrossShrink: true } as const;
  return {
    block: fc.array(statement, { maxLength: 3 }).map((body): ast.Block => ({ kind: 'Block', span, body })),
    code: fc.tuple(fc.array(parameter, { maxLength: 3 }), block).map(
      ([parameters, body]): ast.FunctionCode => ({
        kind: 'FunctionCode',
        span,
        parameters,
        captures: undefined,
        body,
      }),
    ),
    array: fc
      .array(item, { maxLength: 3 })
      .map((items): ast.ArrayLiteral => ({ kind: 'ArrayLiteral', span, items })),
    parenthesized: expression.map((of): ast.Expression => ({ kind: 'Parenthesized', span, expression: of })),
    args: fc.array(
      fc
        .tuple(expression, flag)
        .map(([value, spread]): ast.Expression => (spread ? { kind: 'Spread', span, value } : value)),
      { maxLength: 3 },
    ),
    assignable: fc.oneof(
      deep,
      variable,
      staticReference.map((of): ast.Assignable => ({ ...of, isVariable: true, member: nameNode('field') })),
      fc
        .tuple(expression, expression)
        .map(([object, index]): ast.Assignable => ({ kind: 'Subscript', span, object, index })),
      expression.map((object): ast.Assignable => ({ kind: 'Append', span, object })),
      fc.tuple(expression, optional(expression), optional(expression), optional(expression)).map(
        ([object, first, last, step]): ast.Assignable => ({
          kind: 'Slice',
          span,
          object,
          first,
          last,
          step,
        }),
      ),
      fc
        .tuple(expression, memberName)
        .map(([object, of]): ast.Assignable => ({ kind: 'Member', span, object, name: nameNode(of) })),
    ),
    expression: fc.oneof(
      deep,
      leaf,
      assignable,
      tie('array'),
      tie('parenthesized'),
      fc
        .tuple(fc.constantFrom(...infixOperators), expression, expression)
        .map(([operator, left, right]): ast.Expression => ({ kind: 'Binary', span, operator, left, right })),
      fc
        .tuple(fc.constantFrom('and' as const, 'or' as const), expression, expression)
        .map(([operator, left, right]): ast.Expression => ({ kind: 'Logical', span, operator, left, right })),
      fc
        .tuple(expression, expression)
        .map(([left, right]): ast.Expression => ({ kind: 'Coalesce', span, left, right })),
      fc
        .tuple(expression, optional(expression), expression)
        .map(
          ([test, then, otherwise]): ast.Expression => ({ kind: 'Conditional', span, test, then, otherwise }),
        ),
      fc
        .tuple(fc.constantFrom('-' as const, '+' as const, '!' as const, '~' as const), expression)
        .map(([operator, operand]): ast.Expression => ({ kind: 'Unary', span, operator, operand })),
      fc
        .tuple(fc.constantFrom(1 as const, -1 as const), flag, assignable)
        .map(([by, isPrefix, target]): ast.Expression => ({ kind: 'Increment', span, by, isPrefix, target })),
      fc
        .tuple(assignable, expression)
        .map(([target, value]): ast.Expression => ({ kind: 'Assign', span, target, value })),
      fc.tuple(fc.constantFrom(...compoundOperators), assignable, expression).map(
        ([operator, target, value]): ast.Expression => ({
          kind: 'CompoundAssign',
          span,
          operator,
          target,
          value,
        }),
      ),
      fc
        .tuple(fc.array(destructureTarget, { maxLength: 3 }), expression)
        .map(([targets, value]): ast.Expression => ({ kind: 'Destructure', span, targets, value })),
      fc
        .tuple(expression, tie('args'))
        .map(([callee, args]): ast.Expression => ({ kind: 'Call', span, callee, args })),
      expression.map((path): ast.Expression => ({ kind: 'Isset', span, path })),
      expression.map((path): ast.Expression => ({ kind: 'Unset', span, path })),
      fc
        .tuple(optional(expression), optional(expression))
        .map(([key, value]): ast.Expression => ({ kind: 'Yield', span, key: value && key, value })),
      fc
        .tuple(expression, fc.array(arm, { minLength: 1, maxLength: 3 }))
        .map(([subject, arms]): ast.Expression => ({ kind: 'Match', span, subject, arms })),
      fc
        .tuple(
          tie('array'),
          fc.oneof(
            identifier.map((of): ast.Cache['callee'] => ({ kind: 'NameReference', span, name: of })),
            identifier.map((of): ast.Cache['callee'] => ({ kind: 'BuiltinReference', span, name: of })),
            staticReference.map((of): ast.Cache['callee'] => ({ ...of, isVariable: false })),
          ),
          tie('args'),
        )
        .map(([options, callee, args]): ast.Expression => ({ kind: 'Cache', span, options, callee, args })),
      fc.tuple(code, optional(fc.array(variable, { maxLength: 2 }))).map(
        ([of, captures]): ast.Expression => ({
          kind: 'AnonymousFunction',
          span,
          code: { ...of, captures },
        }),
      ),
    ),
    statement: fc.oneof(
      deep,
      fc.constantFrom<ast.Statement[]>(
        { kind: 'Break', span },
        { kind: 'Continue', span },
        { kind: 'Empty', span },
      ),
      expression.map((of): ast.Statement => ({ kind: 'ExpressionStatement', span, expression: of })),
      expression.map((value): ast.Statement => ({ kind: 'Echo', span, value })),
      optional(expression).map((value): ast.Statement => ({ kind: 'Return', span, value })),
      expression.map((value): ast.Statement => ({ kind: 'Throw', span, value })),
      block,
      // Only a block keeps an else from going to an if inside the first branch.
      fc
        .tuple(expression, block, statement)
        .map(([test, then, otherwise]): ast.Statement => ({ kind: 'If', span, test, then, otherwise })),
      fc
        .tuple(expression, statement)
        .map(([test, then]): ast.Statement => ({ kind: 'If', span, test, then, otherwise: undefined })),
      fc
        .tuple(optional(expression), optional(expression), optional(expression), statement)
        .map(([init, test, step, body]): ast.Statement => ({ kind: 'For', span, init, test, step, body })),
      fc.tuple(expression, optional(assignable), assignable, statement).map(
        ([iterable, key, value, body]): ast.Statement => ({
          kind: 'Foreach',
          span,
          iterable,
          key,
          value,
          body,
        }),
      ),
      fc
        .tuple(expression, statement)
        .map(([test, body]): ast.Statement => ({ kind: 'While', span, test, body })),
      statement.map((body): ast.Statement => ({ kind: 'Forever', span, body })),
      fc
        .tuple(
          expression,
          fc.array(
            fc
              .tuple(optional(expression), fc.array(statement, { maxLength: 2 }))
              .map(([test, body]): ast.SwitchCase => ({ kind: 'SwitchCase', span, test, body })),
            { maxLength: 3 },
          ),
        )
        .map(([subject, cases]): ast.Statement => ({ kind: 'Switch', span, subject, cases })),
      fc
        .tuple(block, variable, block)
        .map(([body, of, handler]): ast.Statement => ({ kind: 'Try', span, body, variable: of, handler })),
      fc
        .tuple(expression, optional(variable), block)
        .map(
          ([of, into, body]): ast.Statement => ({ kind: 'Barrier', span, name: of, variable: into, body }),
        ),
      fc
        .array(variable, { minLength: 1, maxLength: 3 })
        .map((variables): ast.Statement => ({ kind: 'Global', span, variables })),
      fc
        .tuple(name, code)
        .map(([of, body]): ast.Statement => ({ kind: 'FunctionDeclaration', span, name: of, code: body })),
      fc
        .tuple(name, fc.array(member, { maxLength: 3 }))
        .map(([of, members]): ast.Statement => ({ kind: 'ClassDeclaration', span, name: of, members })),
      fc
        .tuple(flag, plainString)
        .map(([once, path]): ast.Statement => ({ kind: 'Include', span, once, path })),
      fc
        .tuple(fc.array(symbol, { minLength: 1, maxLength: 3 }), plainString)
        .map(([symbols, from]): ast.Statement => ({ kind: 'ImportSymbols', span, symbols, from })),
      fc
        .tuple(name, plainString)
        .map(([local, from]): ast.Statement => ({ kind: 'ImportNamespace', span, local, from })),
      fc
        .tuple(variable, plainString, optional(tie('array')))
        .map(
          ([of, from, options]): ast.Statement => ({ kind: 'ImportFile', span, variable: of, from, options }),
        ),
      fc
        .tuple(bytes, bytes, statement)
        .map(
          ([debugId, pointId, body]): ast.Statement => ({ kind: 'DebugPoint', span, debugId, pointId, body }),
        ),
    ),
  };
});

/** Whole scripts. */
export const scripts = fc
  .array(trees.statement, { maxLength: 4 })
  .map((body): ast.Script => ({ kind: 'Script', span, body }));
