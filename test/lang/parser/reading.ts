// What the tests of lexer, parser, tree and linter share: a parser that checks its own grammar, and trees without the
// parts that do not count when two of them are compared.

import type { Expression, Node, Script } from '../../../lang/ast/nodes.js';
import type { Diagnostic } from '../../../lang/diagnostics/diagnostic.js';
import type { Parsed } from '../../../lang/parser/index.js';
import { makeParser } from '../../../lang/parser/parse.js';
import { positionAt, type SourceFile } from '../../../lang/source/source-file.js';

const parser = makeParser({ validate: true });

/** A file of that text, one character per byte. */
export function fileOf(text: string, name = 'test.hsl'): SourceFile {
  return { name, text: Buffer.from(text).toString('latin1') };
}

export function parseText(text: string): Parsed {
  return parser.parse(fileOf(text));
}

export function parseFile(file: SourceFile): Parsed {
  return parser.parse(file);
}

/** The tree of a correct script. */
export function scriptOf(text: string): Script {
  const { script, diagnostics } = parseText(text);
  if (diagnostics.length > 0) throw new Error(`${text}: ${findings(diagnostics).join('; ')}`);
  return script;
}

/** The tree of a correct expression. */
export function expressionOf(text: string): Expression {
  const [statement] = scriptOf(`$_ = ${text};`).body;
  if (statement?.kind === 'ExpressionStatement' && statement.expression.kind === 'Assign') {
    return statement.expression.value;
  }
  throw new Error(`${text} is no single expression`);
}

/** `line:column code` of each. */
export function findings(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.map(({ code, file, span }) => {
    const { line, column } = positionAt(file, span.start);
    return `${line}:${column} ${code}`;
  });
}

/** A tree as plain data: no spans, no raw texts, nothing undefined and, unless asked for, no parentheses. */
export function bare(node: Node, keepParentheses = false): unknown {
  return strip(node, keepParentheses);
}

function strip(value: unknown, keepParentheses: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item, keepParentheses));
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  if (!keepParentheses && fields['kind'] === 'Parenthesized')
    return strip(fields['expression'], keepParentheses);
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([key, field]) => key !== 'span' && key !== 'raw' && field !== undefined)
      .map(([key, field]) => [key, strip(field, keepParentheses)]),
  );
}

/** An expression with a pair of parentheses around every operator: shows how it was grouped. */
export function grouped(node: Expression): string {
  switch (node.kind) {
    case 'Parenthesized':
      return grouped(node.expression);
    case 'Unary':
      return `(${node.operator}${grouped(node.operand)})`;
    case 'Binary':
    case 'Logical':
      return `(${grouped(node.left)} ${node.operator} ${grouped(node.right)})`;
    case 'Coalesce':
      return `(${grouped(node.left)} ?? ${grouped(node.right)})`;
    case 'Conditional':
      return `(${grouped(node.test)} ? ${node.then === undefined ? '' : `${grouped(node.then)} `}: ${grouped(node.otherwise)})`;
    case 'Assign':
      return `(${grouped(node.target)} = ${grouped(node.value)})`;
    case 'CompoundAssign':
      return `(${grouped(node.target)} ${node.operator}= ${grouped(node.value)})`;
    case 'Increment':
      return node.isPrefix
        ? `(${node.by === 1 ? '++' : '--'}${grouped(node.target)})`
        : `(${grouped(node.target)}${node.by === 1 ? '++' : '--'})`;
    case 'Variable':
      return `$${node.name}`;
    case 'Literal':
      return typeof node.value === 'string' ? JSON.stringify(node.value) : String(node.value ?? 'none');
    case 'NameReference':
      return node.name;
    case 'Subscript':
      return `${grouped(node.object)}[${grouped(node.index)}]`;
    case 'Member':
      return `${grouped(node.object)}->${node.name.text}`;
    case 'Call':
      return `${grouped(node.callee)}(${node.args.map(grouped).join(', ')})`;
    case 'Slice': {
      const part = (one: Expression | undefined) => (one === undefined ? '' : grouped(one));
      return `${grouped(node.object)}[${part(node.first)}:${part(node.last)}:${part(node.step)}]`;
    }
    default:
      return node.kind;
  }
}
