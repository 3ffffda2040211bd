// From a tree back to HSL text: what a debugger, a formatter and the property tests of the parser need. Parentheses
// appear where the tree has them (Parenthesized) and where the text would otherwise be read as another tree; nowhere else.
//
// Every expression is printed for a place that wants at most some level of hsl-language 5.1: `text(node, level)`.

import type {
  ArrayItem,
  ClassMember,
  DestructureTarget,
  Expression,
  FunctionCode,
  ImportedSymbol,
  MatchArm,
  Name,
  Node,
  Parameter,
  PlainString,
  Script,
  Statement,
  SwitchCase,
  Variable,
} from './nodes.js';
import { type InfixOperator, infixLevels, level } from './precedence.js';

/** The text of a whole script, two blanks per level. */
export function printScript(script: Script): string {
  return script.body.map((statement) => `${printStatement(statement, '')}\n`).join('');
}

/** The text of an expression on one line (anonymous functions apart). */
export function printExpression(node: Expression): string {
  return text(node, level.assignment, '');
}

// --- Statements ---------------------------------------------------------------------------------------------------

/** The text of one statement; `indent` stands before each of its lines but the first. */
export function printStatement(node: Statement, indent: string): string {
  switch (node.kind) {
    case 'Block':
      return block(node.body, indent);
    case 'Empty':
      return ';';
    case 'Echo':
      return `echo ${text(node.value, level.assignment, indent)};`;
    case 'If':
      return ifText(node, indent);
    case 'For': {
      const part = (one: Expression | undefined) =>
        one === undefined ? '' : text(one, level.assignment, indent);
      const later = (one: Expression | undefined) => (one === undefined ? '' : ` ${part(one)}`);
      const head = `${part(node.init)};${later(node.test)};${later(node.step)}`;
      return `for (${head}) ${printStatement(node.body, indent)}`;
    }
    case 'Foreach': {
      const key = node.key === undefined ? '' : `${text(node.key, level.postfix, indent)} => `;
      const head = `${text(node.iterable, level.assignment, indent)} as ${key}${text(node.value, level.postfix, indent)}`;
      return `foreach (${head}) ${printStatement(node.body, indent)}`;
    }
    case 'While':
      return `while (${text(node.test, level.assignment, indent)}) ${printStatement(node.body, indent)}`;
    case 'Forever':
      return `forever ${printStatement(node.body, indent)}`;
    case 'Switch':
      return switchText(text(node.subject, level.assignment, indent), node.cases, indent);
    case 'Break':
      return 'break;';
    case 'Continue':
      return 'continue;';
    case 'Return':
      return node.value === undefined ? 'return;' : `return ${text(node.value, level.assignment, indent)};`;
    case 'Throw':
      return `throw ${text(node.value, level.assignment, indent)};`;
    case 'Try': {
      const handler = `catch (${variable(node.variable)}) ${block(node.handler.body, indent)}`;
      return `try ${block(node.body.body, indent)} ${handler}`;
    }
    case 'Barrier': {
      const into = node.variable === undefined ? '' : ` => ${variable(node.variable)}`;
      return `barrier ${text(node.name, level.assignment, indent)}${into} ${block(node.body.body, indent)}`;
    }
    case 'Global':
      return `global ${node.variables.map(variable).join(', ')};`;
    case 'FunctionDeclaration':
      return `function ${node.name.text}${code(node.code, indent)}`;
    case 'ClassDeclaration':
      return `class ${node.name.text} ${braces(
        node.members.map((member) => memberText(member, deeper(indent))),
        indent,
      )}`;
    case 'Include':
      return `${node.once ? 'include_once' : 'include'} ${plainString(node.path)};`;
    case 'ImportSymbols':
      return `import { ${node.symbols.map(symbol).join(', ')} } from ${plainString(node.from)};`;
    case 'ImportNamespace':
      return `import * as ${node.local.text} from ${plainString(node.from)};`;
    case 'ImportFile': {
      const options = node.options === undefined ? '' : ` with ${text(node.options, level.postfix, indent)}`;
      return `import ${variable(node.variable)} from ${plainString(node.from)}${options};`;
    }
    case 'DebugPoint': {
      const names = `[${quoted(node.debugId)}, ${quoted(node.pointId)}]`;
      return `__debug ${names} ${printStatement(node.body, indent)}`;
    }
    case 'ExpressionStatement':
      return `${statementExpression(node.expression, indent)};`;
  }
}

/** Only here a yield needs no parentheses: nothing follows that its value could swallow. */
function statementExpression(node: Expression, indent: string): string {
  return node.kind === 'Yield' ? yieldText(node, indent) : text(node, level.assignment, indent);
}

function ifText(node: Statement & { kind: 'If' }, indent: string): string {
  const test = `if (${text(node.test, level.assignment, indent)})`;
  if (node.otherwise === undefined) return `${test} ${printStatement(node.then, indent)}`;
  // An if without else at the end of the then branch would take our else.
  const then = endsInOpenIf(node.then) ? block([node.then], indent) : printStatement(node.then, indent);
  return `${test} ${then} else ${printStatement(node.otherwise, indent)}`;
}

function endsInOpenIf(node: Statement): boolean {
  switch (node.kind) {
    case 'If':
      return node.otherwise === undefined || endsInOpenIf(node.otherwise);
    case 'For':
    case 'Foreach':
    case 'While':
    case 'Forever':
    case 'DebugPoint':
      return endsInOpenIf(node.body);
    default:
      return false;
  }
}

function switchText(subject: string, cases: readonly SwitchCase[], indent: string): string {
  const inner = deeper(indent);
  const labels = cases.map((label) => {
    const head = label.test === undefined ? 'default:' : `case ${text(label.test, level.assignment, inner)}:`;
    const body = label.body.map(
      (statement) => `\n${deeper(inner)}${printStatement(statement, deeper(inner))}`,
    );
    return `${head}${body.join('')}`;
  });
  return `switch (${subject}) ${braces(labels, indent)}`;
}

function block(body: readonly Statement[], indent: string): string {
  return braces(
    body.map((statement) => printStatement(statement, deeper(indent))),
    indent,
  );
}

function braces(lines: readonly string[], indent: string): string {
  if (lines.length === 0) return '{}';
  return `{${lines.map((line) => `\n${deeper(indent)}${line}`).join('')}\n${indent}}`;
}

function deeper(indent: string): string {
  return `${indent}  `;
}

// --- Functions, classes, modules -----------------------------------------------------------------------------------

function code(node: FunctionCode, indent: string): string {
  const parameters = node.parameters.map((one) => parameter(one, indent)).join(', ');
  const captures = node.captures === undefined ? '' : ` closure (${node.captures.map(variable).join(', ')})`;
  return `(${parameters})${captures} ${block(node.body.body, indent)}`;
}

function parameter(node: Parameter, indent: string): string {
  if (node.isRest) return `...${variable(node.variable)}`;
  if (node.initial === undefined) return variable(node.variable);
  return `${variable(node.variable)} = ${text(node.initial, level.assignment, indent)}`;
}

function memberText(node: ClassMember, indent: string): string {
  switch (node.kind) {
    case 'ConstructorMember':
      return `constructor${code(node.code, indent)}`;
    case 'MethodMember':
      return `${modifiers(node)}function ${node.name.text}${code(node.code, indent)}`;
    case 'FieldMember': {
      const initial = node.initial === undefined ? '' : ` = ${text(node.initial, level.assignment, indent)}`;
      return `${modifiers(node)}${node.isReadonly ? 'readonly ' : ''}$${node.name.text}${initial};`;
    }
  }
}

function modifiers(node: { readonly isPrivate: boolean; readonly isStatic: boolean }): string {
  return `${node.isPrivate ? 'private ' : ''}${node.isStatic ? 'static ' : ''}`;
}

function symbol(node: ImportedSymbol): string {
  const name = (one: Name) => (node.isVariable ? `$${one.text}` : one.text);
  return node.name.text === node.local.text ? name(node.name) : `${name(node.name)} as ${name(node.local)}`;
}

function plainString(node: PlainString): string {
  return quoted(node.value);
}

function variable(node: Variable): string {
  return `$${node.name}`;
}

// --- Expressions ---------------------------------------------------------------------------------------------------

/** Where each kind of expression stands in the table of hsl-language 5.1. */
function levelOf(node: Expression): number {
  switch (node.kind) {
    case 'Unary':
      return level.prefix;
    case 'Increment':
      return node.isPrefix ? level.prefix : level.postfix;
    case 'Literal':
      return typeof node.value === 'number' && (node.value < 0 || Object.is(node.value, -0))
        ? level.prefix
        : level.postfix;
    case 'Binary':
      return node.operator === '**' ? level.power : infixLevels[node.operator];
    case 'Logical':
      return infixLevels[node.operator];
    case 'Coalesce':
      return level.coalesce;
    case 'Conditional':
      return level.conditional;
    case 'Assign':
    case 'CompoundAssign':
    case 'Destructure':
      return level.assignment;
    case 'Yield':
      return level.assignment + 1;
    default:
      return level.postfix;
  }
}

/** `node` for a place that takes expressions up to level `most` as they are. */
function text(node: Expression, most: number, indent: string): string {
  const bare = bareText(node, indent);
  return levelOf(node) <= most ? bare : `(${bare})`;
}

function bareText(node: Expression, indent: string): string {
  const full = (inner: Expression) => text(inner, level.assignment, indent);
  const postfix = (inner: Expression) => text(inner, level.postfix, indent);
  const args = (list: readonly Expression[]) => list.map(full).join(', ');
  switch (node.kind) {
    case 'Literal':
      return literal(node.value, node.raw);
    case 'Template':
      return template(node.parts);
    case 'PatternLiteral':
      return `#/${node.body}/${node.flags}`;
    case 'Variable':
      return variable(node);
    case 'NameReference':
      return node.name;
    case 'BuiltinReference':
      return `builtin ${node.name}`;
    case 'StaticReference':
      return `${node.owner.text}::${node.isVariable ? '$' : ''}${node.member.text}`;
    case 'ArrayLiteral':
      return `[${node.items.map((item) => arrayItem(item, full)).join(', ')}]`;
    case 'AnonymousFunction':
      return `function ${code(node.code, indent)}`;
    case 'Unary':
      return prefixed(node.operator, text(node.operand, level.prefix, indent));
    case 'Increment': {
      const sign = node.by === 1 ? '++' : '--';
      return node.isPrefix ? `${sign}${postfix(node.target)}` : `${postfix(node.target)}${sign}`;
    }
    case 'Binary':
      if (node.operator === '**') return `${postfix(node.left)} ** ${text(node.right, level.prefix, indent)}`;
      return infix(node.operator, node.left, node.right, indent);
    case 'Logical':
      return infix(node.operator, node.left, node.right, indent);
    case 'Coalesce':
      return infix('??', node.left, node.right, indent);
    case 'Conditional': {
      const test = text(node.test, level.coalesce, indent);
      const then = node.then === undefined ? '?:' : `? ${full(node.then)} :`;
      return `${test} ${then} ${full(node.otherwise)}`;
    }
    case 'Assign':
      return `${postfix(node.target)} = ${full(node.value)}`;
    case 'CompoundAssign':
      return `${postfix(node.target)} ${node.operator}= ${full(node.value)}`;
    case 'Destructure':
      return `[${node.targets.map((target) => destructureTarget(target, full)).join(', ')}] = ${full(node.value)}`;
    case 'Call':
      return `${postfix(node.callee)}(${args(node.args)})`;
    case 'Subscript':
      return `${postfix(node.object)}[${full(node.index)}]`;
    case 'Append':
      return `${postfix(node.object)}[]`;
    case 'Slice': {
      const [first, last, step] = [node.first, node.last, node.step].map((part) => part && full(part));
      return `${postfix(node.object)}[${sliceText(first, last, step)}]`;
    }
    case 'Member':
      return `${postfix(node.object)}->${node.name.text}`;
    case 'Isset':
      return `isset(${full(node.path)})`;
    case 'Unset':
      return `unset(${full(node.path)})`;
    case 'Yield':
      return yieldText(node, indent);
    case 'Match': {
      const arms = node.arms.map(
        (arm) => `${matchArm(arm, (inner) => text(inner, level.assignment, deeper(indent)))},`,
      );
      return `match (${full(node.subject)}) ${braces(arms, indent)}`;
    }
    case 'Cache':
      return `cache ${full(node.options)} ${bareText(node.callee, indent)}(${args(node.args)})`;
    case 'Spread':
      return `...${full(node.value)}`;
    case 'Parenthesized':
      return `(${text(node.expression, level.assignment + 1, indent)})`;
  }
}

function infix(operator: InfixOperator, left: Expression, right: Expression, indent: string): string {
  const strength = infixLevels[operator];
  const leansRight = operator === '??';
  const before = text(left, leansRight ? strength - 1 : strength, indent);
  const behind = text(right, leansRight ? strength : strength - 1, indent);
  return `${before} ${operator} ${behind}`;
}

/** `- -5`, not `--5`; `! ~$x`, not `!~$x`. */
function prefixed(operator: string, operand: string): string {
  const first = operand.charAt(0);
  const fuses = operator === '!' ? first === '~' : operator !== '~' && first === operator;
  return fuses ? `${operator} ${operand}` : `${operator}${operand}`;
}

function yieldText(node: Expression & { kind: 'Yield' }, indent: string): string {
  if (node.value === undefined) return 'yield';
  const value = text(node.value, level.assignment, indent);
  return node.key === undefined
    ? `yield ${value}`
    : `yield ${text(node.key, level.assignment, indent)} => ${value}`;
}

// `X::2` would be read as a member of X, so two colons only stand together when nothing is before them.
function sliceText(first: string | undefined, last: string | undefined, step: string | undefined): string {
  if (step === undefined) return `${first ?? ''}:${last ?? ''}`;
  if (first === undefined && last === undefined) return `::${step}`;
  return last === undefined ? `${first}: :${step}` : `${first ?? ''}:${last}:${step}`;
}

function arrayItem(node: ArrayItem, full: (inner: Expression) => string): string {
  return node.key === undefined ? full(node.value) : `${full(node.key)} => ${full(node.value)}`;
}

function destructureTarget(node: DestructureTarget, full: (inner: Expression) => string): string {
  const key = node.key === undefined ? '' : `${full(node.key)} => `;
  const initial = node.initial === undefined ? '' : ` = ${full(node.initial)}`;
  return `${key}${node.isRest ? '...' : ''}${full(node.target)}${initial}`;
}

function matchArm(node: MatchArm, full: (inner: Expression) => string): string {
  const head = node.tests === undefined ? 'default' : node.tests.map(full).join(', ');
  return `${head} => ${full(node.value)}`;
}

// --- Literals -------------------------------------------------------------------------------------------------------

function literal(value: number | string | boolean | null, raw: string | undefined): string {
  if (value === null) return 'none';
  if (typeof value === 'number') return decimal(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return raw ?? quoted(value);
}

/** A number without exponent, which HSL does not have. */
function decimal(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (!Number.isFinite(value)) return `${sign}${'9'.repeat(310)}`;
  const [digits, exponent] = String(Math.abs(value)).split('e');
  if (exponent === undefined) return `${sign}${digits}`;
  const [whole, fraction = ''] = digits!.split('.');
  const shift = Number(exponent);
  if (shift > 0) return `${sign}${whole}${fraction.padEnd(shift, '0')}`;
  return `${sign}0.${'0'.repeat(-shift - 1)}${whole}${fraction}`;
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  $: '\\$',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** A double-quoted string. Bytes above ASCII stand as they are. */
function quoted(value: string): string {
  const inner = value.replace(
    /[\\"$\x00-\x1f\x7f]/g,
    (byte) => escapes[byte] ?? `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${inner}"`;
}

function template(parts: readonly (string | Variable)[]): string {
  let inner = '';
  for (const [at, part] of parts.entries()) {
    if (typeof part === 'string') {
      inner += quoted(part).slice(1, -1);
      continue;
    }
    const next = parts[at + 1];
    const runsOn = typeof next === 'string' && /^\w/.test(next);
    inner += runsOn ? `\${${part.name}}` : `$${part.name}`;
  }
  return `"${inner}"`;
}

/** Any node's text: for messages of tests and tools that do not know what they hold. */
export function printNode(node: Node): string {
  switch (node.kind) {
    case 'Script':
      return printScript(node);
    case 'SwitchCase':
      return switchText('', [node], '');
    case 'ConstructorMember':
    case 'MethodMember':
    case 'FieldMember':
      return memberText(node, '');
    case 'ImportedSymbol':
      return symbol(node);
    case 'FunctionCode':
      return code(node, '');
    case 'Parameter':
      return parameter(node, '');
    case 'ArrayItem':
      return arrayItem(node, printExpression);
    case 'DestructureTarget':
      return destructureTarget(node, printExpression);
    case 'MatchArm':
      return matchArm(node, printExpression);
    case 'Name':
      return node.text;
    case 'PlainString':
      return plainString(node);
    case 'Block':
    case 'Empty':
    case 'Echo':
    case 'If':
    case 'For':
    case 'Foreach':
    case 'While':
    case 'Forever':
    case 'Switch':
    case 'Break':
    case 'Continue':
    case 'Return':
    case 'Throw':
    case 'Try':
    case 'Barrier':
    case 'Global':
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
    case 'Include':
    case 'ImportSymbols':
    case 'ImportNamespace':
    case 'ImportFile':
    case 'DebugPoint':
    case 'ExpressionStatement':
      return printStatement(node, '');
    default:
      return printExpression(node);
  }
}
