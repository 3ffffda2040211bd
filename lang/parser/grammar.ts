// The grammar (hsl-language 4), as chevrotain rules that make the tree while they read. Order of the file: programs and
// statements, functions and classes, modules, expressions.
//
// How it is kept fast and honest:
// - every choice is decided by one token (the lexer tells `function name` from `function (`), `else if` apart;
// - expressions are one flat rule over operands; OperatorChain puts strong operators together;
// - alternatives of the big choices are made once, not at every call, which is why they use no local variables;
// - nothing is tried and taken back (no BACKTRACK): `[…]` is read as an array and becomes a destructuring list when `=` follows.
//
// Rules run once with made-up tokens when chevrotain records them (RECORDING_PHASE): actions must survive that.

import {
  EmbeddedActionsParser,
  EOF,
  type IParserErrorMessageProvider,
  type IToken,
  type ParserMethod,
  type TokenType,
  tokenLabel,
} from 'chevrotain';
import type * as ast from '../ast/nodes.js';
import { type Diagnostic, makeDiagnostic } from '../diagnostics/diagnostic.js';
import type { MessageCode, MessageParams } from '../diagnostics/messages.js';
import { spanOfToken } from '../lexer/lexer.js';
import { readPattern, readRawString, readString } from '../lexer/strings.js';
import {
  AssignOperator,
  BinaryOperator,
  Identifier,
  NamedFunction,
  NumberToken,
  Pattern,
  PrefixOperator,
  RawString,
  StringToken,
  signs,
  Variable,
  vocabulary,
  words,
} from '../lexer/tokens.js';
import type { SourceFile, Span } from '../source/source-file.js';
import {
  applyPrefixes,
  describe,
  isAssignable,
  nameOf,
  numberLiteral,
  OperatorChain,
  rawStringLiteral,
  spanFrom,
  stringLiteral,
  toDestructure,
} from './build-ast.js';
import { foreignConstruct, isEndOfFile, placeOf, showToken } from './recovery.js';

/** Levels of blocks and expressions inside each other. Each costs JavaScript stack, here and in later passes. */
export const NESTING_LIMIT = 200;
/** Mistakes after which reading stops; echoes count. */
const ERROR_LIMIT = 200;

/** Thrown to stop reading altogether; the parser's door catches it. */
export class ReadingStopped extends Error {
  constructor(readonly finding: Diagnostic) {
    super(finding.message);
  }
}

/** A rule without arguments. */
type Rule<T> = ParserMethod<[], T>;

/** What follows a primary: `[…]`, `->name`, `(…)`, `++`. Applied to what stands before it by `withTail`. */
type Tail =
  | { readonly kind: 'subscript'; readonly index: ast.Expression }
  | { readonly kind: 'append' }
  | {
      readonly kind: 'slice';
      readonly first: ast.Expression | undefined;
      readonly last: ast.Expression | undefined;
      readonly step: ast.Expression | undefined;
    }
  | { readonly kind: 'member'; readonly name: ast.Name }
  | { readonly kind: 'call'; readonly args: readonly ast.Expression[] }
  | { readonly kind: 'increment'; readonly by: 1 | -1 };

/** Where reading goes on after a mistake: what begins a statement and nothing else. */
const statementWords = new Set<TokenType>([
  words.echo,
  words.if,
  words.for,
  words.foreach,
  words.while,
  words.forever,
  words.switch,
  words.break,
  words.continue,
  words.return,
  words.throw,
  words.try,
  words.barrier,
  words.global,
  words.class,
  words.include,
  words.include_once,
  words.import,
  words.case,
  words.else,
  NamedFunction,
]);

/** What begins a member of a class. */
const memberStarts: readonly TokenType[] = [
  NamedFunction,
  words.private,
  words.static,
  words.readonly,
  words.constructor,
  Variable,
  signs[';'],
];

/** What is expected besides a closing bracket, by the rule that wants it. */
const beforeClose: Readonly<Record<string, string>> = {
  argumentList: 'an argument or ',
  arrayLiteral: 'an element or ',
  arrayWord: 'an element or ',
  subscript: 'an operator or ',
  parenthesized: 'an operator or ',
};

/** Only signs may be made up to go on; a made-up name would be reported as unknown later. */
const insertable = new Set<TokenType>([
  signs[')'],
  signs[']'],
  signs['('],
  signs['{'],
  signs[':'],
  signs['=>'],
  signs['='],
  words.as,
  words.from,
]);

export class Grammar extends EmbeddedActionsParser {
  #file: SourceFile = { name: '', text: '' };
  #reports: Diagnostic[] = [];
  #errors: { count: number };
  #depth = 0;

  constructor(options: { readonly validate: boolean }) {
    const errors = { count: 0 };
    super([...vocabulary], {
      recoveryEnabled: true,
      maxLookahead: 2,
      skipValidations: !options.validate,
      errorMessageProvider: expectations(() => this.#countError()),
    });
    this.#errors = errors;
    this.performSelfAnalysis();
  }

  /** Reads a file's tokens. What was wrong is in `errors` and `reports`. @throws ReadingStopped */
  read(file: SourceFile, tokens: IToken[]): ast.Script {
    this.#file = file;
    this.#reports = [];
    this.#errors.count = 0;
    this.#depth = 0;
    this.input = tokens;
    const body = this.program();
    return { kind: 'Script', span: { start: 0, end: file.text.length }, body };
  }

  /** What was found besides exceptions. */
  get reports(): readonly Diagnostic[] {
    return this.#reports;
  }

  // --- Places and problems --------------------------------------------------------------------------------------

  #here(): number {
    const { startOffset } = this.LA(1);
    return Number.isNaN(startOffset) ? this.#file.text.length : startOffset;
  }

  /** From `start` to the end of the token read last. */
  #since(start: number): Span {
    const last = this.LA(0);
    const end = isEndOfFile(last) ? start : last.startOffset + last.image.length;
    return { start, end: Math.max(start, end) };
  }

  /** A made-up token has no place; it stands where it was missed. */
  #spanOf(token: IToken): Span {
    if (this.RECORDING_PHASE) return { start: 0, end: 0 };
    if (!Number.isNaN(token.startOffset)) return spanOfToken(token);
    const here = this.#here();
    return { start: here, end: here };
  }

  #name(token: IToken): ast.Name {
    return nameOf(token, this.#spanOf(token));
  }

  /** For variable tokens whose name is wanted, without the `$`. */
  #variableName(token: IToken): ast.Name {
    const text = this.RECORDING_PHASE ? '' : token.image.slice(1);
    return { kind: 'Name', span: this.#spanOf(token), text };
  }

  #report<C extends MessageCode>(code: C, span: Span, params: MessageParams<C>, hint?: string): void {
    if (this.RECORDING_PHASE) return;
    this.#reports.push(makeDiagnostic(code, this.#file, span, params, hint));
    this.#countError();
  }

  #countError(): void {
    this.#errors.count += 1;
    if (this.#errors.count <= ERROR_LIMIT) return;
    throw new ReadingStopped(makeDiagnostic('HSL1113', this.#file, placeOf(this.LA(1), this.#file), {}));
  }

  #expected(expected: string, hint?: string): void {
    const next = this.LA(1);
    const span = placeOf(next, this.#file);
    const foreign = foreignConstruct(next, this.LA(0), this.LA(-1));
    if (foreign !== undefined) this.#report('HSL1200', span, foreign);
    else this.#report('HSL1100', span, { found: showToken(next), expected }, hint);
  }

  /** One level deeper; the caller puts the result back when it is done. */
  #deeper(): number {
    const depth = this.#depth;
    if (depth >= NESTING_LIMIT) {
      const span = placeOf(this.LA(1), this.#file);
      const params = { limit: NESTING_LIMIT, what: 'blocks and expressions' };
      throw new ReadingStopped(makeDiagnostic('HSL1102', this.#file, span, params));
    }
    this.#depth = depth + 1;
    return depth;
  }

  /** Stands in for an expression that could not be read. */
  #nothing(): ast.Expression {
    const here = this.#here();
    return { kind: 'Literal', span: { start: here, end: here }, value: null };
  }

  #noBlock(): ast.Block {
    const here = this.#here();
    return { kind: 'Block', span: { start: here, end: here }, body: [] };
  }

  #target(node: ast.Expression, hint?: string): ast.Assignable {
    if (isAssignable(node)) return node;
    // Something empty was never there; that is reported.
    if (node.span.start < node.span.end) this.#report('HSL1103', node.span, { what: describe(node) }, hint);
    return { kind: 'Variable', span: node.span, name: '' };
  }

  // --- Recovery -------------------------------------------------------------------------------------------------

  protected override canTokenTypeBeInsertedInRecovery(type: TokenType): boolean {
    return insertable.has(type);
  }

  /** The `;` of a statement. Before `}` and at the end it may be missing (hsl-language 4). */
  #semicolon(hints?: Readonly<Record<string, string>>): void {
    const next = this.LA(1);
    if (this.RECORDING_PHASE || next.tokenType === signs[';']) {
      this.CONSUME(signs[';']);
      return;
    }
    if (next.tokenType === signs['}'] || isEndOfFile(next)) return;
    if (this.#onNewLine()) {
      const { end } = this.#since(0);
      const span = { start: end, end };
      this.#report('HSL1112', span, { expected: '";"', found: showToken(next) });
      return;
    }
    const kind = next.tokenType === signs[','] ? 'comma' : next.tokenType === NumberToken ? 'number' : '';
    this.#expected(kind === 'comma' ? '";"' : 'an operator or ";"', hints?.[kind]);
    this.#skipStatement();
  }

  #onNewLine(): boolean {
    return this.#file.text.slice(this.#since(0).end, this.#here()).includes('\n');
  }

  #skipStatement(): void {
    for (;;) {
      const next = this.LA(1);
      const type = next.tokenType;
      if (type === signs[';']) {
        this.CONSUME(signs[';']);
        return;
      }
      if (type === signs['}'] || type === signs['{'] || isEndOfFile(next) || statementWords.has(type)) return;
      if (this.#onNewLine() || this.SKIP_TOKEN() === next) return;
    }
  }

  /** Skips to one of `stops` that stands inside no further brackets, or to what closes the brackets around. */
  #skipUntil(stops: readonly TokenType[]): void {
    let open = 0;
    for (let next = this.LA(1); !isEndOfFile(next); ) {
      const type = next.tokenType;
      if (open === 0 && stops.includes(type)) return;
      if (type === signs['{'] || type === signs['('] || type === signs['[']) open += 1;
      if (type === signs['}'] || type === signs[')'] || type === signs[']']) {
        if (open === 0) return;
        open -= 1;
        // Behind a block whatever was wrong is over.
        if (open === 0 && type === signs['}'] && stops.includes(NamedFunction)) {
          this.SKIP_TOKEN();
          return;
        }
      }
      const after = this.SKIP_TOKEN();
      if (after === next) return;
      next = after;
    }
  }

  /** The `)` of a condition. When it is missing, one a little further on does as well. */
  #closeCondition(): void {
    if (this.RECORDING_PHASE || this.LA(1).tokenType === signs[')']) {
      this.CONSUME(signs[')']);
      return;
    }
    this.#expected('an operator or ")"');
    let open = 0;
    for (let ahead = 1; ahead < 200; ahead += 1) {
      const type = this.LA(ahead).tokenType;
      if (type === signs[';'] || type === signs['{'] || type === signs['}'] || isEndOfFile(this.LA(ahead)))
        return;
      if (type === signs['(']) open += 1;
      if (type !== signs[')']) continue;
      if (open > 0) {
        open -= 1;
        continue;
      }
      for (let skipped = 1; skipped < ahead; skipped += 1) this.SKIP_TOKEN();
      this.CONSUME(signs[')']);
      return;
    }
  }

  /** Behind an element of a list: a comma, or the list's end. */
  #listGoesOn(comma: IToken | undefined, close: TokenType): void {
    if (this.RECORDING_PHASE || comma !== undefined || this.LA(1).tokenType === close) return;
    this.#expected(`"," or ${tokenLabel(close)}`);
  }

  /** A rule; `otherwise` makes what stands for its result when it could not be read. */
  #rule<T>(name: string, read: () => T, otherwise?: () => T): Rule<T> {
    return this.RULE(name, read, otherwise === undefined ? {} : { recoveryValueFunc: otherwise });
  }

  // --- Programs and statements ----------------------------------------------------------------------------------

  readonly program: Rule<ast.Statement[]> = this.#rule(
    'program',
    () => {
      const body: ast.Statement[] = [];
      this.MANY(() => {
        body.push(this.SUBRULE(this.statement));
      });
      return body;
    },
    () => [],
  );

  readonly block: Rule<ast.Block> = this.#rule(
    'block',
    () => {
      const start = this.#here();
      const body: ast.Statement[] = [];
      this.CONSUME(signs['{']);
      this.MANY(() => {
        body.push(this.SUBRULE(this.statement));
      });
      this.CONSUME(signs['}']);
      return { kind: 'Block', span: this.#since(start), body };
    },
    () => this.#noBlock(),
  );

  #statementChoice: Parameters<EmbeddedActionsParser['or']>[1] | undefined;

  readonly statement: Rule<ast.Statement> = this.#rule(
    'statement',
    () => {
      const depth = this.#deeper();
      try {
        this.#statementChoice ??= {
          ERR_MSG: 'a statement',
          DEF: [
            { ALT: () => this.SUBRULE(this.expressionStatement) },
            { ALT: () => this.SUBRULE(this.ifStatement) },
            { ALT: () => this.SUBRULE(this.block) },
            { ALT: () => this.SUBRULE(this.echoStatement) },
            { ALT: () => this.SUBRULE(this.returnStatement) },
            { ALT: () => this.SUBRULE(this.foreachStatement) },
            { ALT: () => this.SUBRULE(this.forStatement) },
            { ALT: () => this.SUBRULE(this.whileStatement) },
            { ALT: () => this.SUBRULE(this.foreverStatement) },
            { ALT: () => this.SUBRULE(this.switchStatement) },
            { ALT: () => this.SUBRULE(this.jumpStatement) },
            { ALT: () => this.SUBRULE(this.throwStatement) },
            { ALT: () => this.SUBRULE(this.tryStatement) },
            { ALT: () => this.SUBRULE(this.barrierStatement) },
            { ALT: () => this.SUBRULE(this.globalStatement) },
            { ALT: () => this.SUBRULE(this.functionDeclaration) },
            { ALT: () => this.SUBRULE(this.classDeclaration) },
            { ALT: () => this.SUBRULE(this.includeStatement) },
            { ALT: () => this.SUBRULE(this.importStatement) },
            { ALT: () => this.SUBRULE(this.debugPoint) },
            {
              ALT: () => {
                const span = this.#spanOf(this.CONSUME(signs[';']));
                return { kind: 'Empty', span } satisfies ast.Empty;
              },
            },
          ],
        };
        return this.OR(this.#statementChoice) as ast.Statement;
      } finally {
        this.#depth = depth;
      }
    },
    (): ast.Statement => {
      const here = this.#here();
      return { kind: 'Empty', span: { start: here, end: here } };
    },
  );

  readonly expressionStatement: Rule<ast.Statement> = this.#rule('expressionStatement', () => {
    const start = this.#here();
    const expression = this.SUBRULE(this.expression);
    this.#semicolon();
    return { kind: 'ExpressionStatement', span: this.#since(start), expression };
  });

  readonly echoStatement: Rule<ast.Statement> = this.#rule('echoStatement', () => {
    const start = this.#here();
    this.CONSUME(words.echo);
    const value = this.SUBRULE(this.expression);
    this.#semicolon({ comma: 'echo takes one expression; join texts with ".".' });
    return { kind: 'Echo', span: this.#since(start), value };
  });

  readonly condition: Rule<ast.Expression> = this.#rule(
    'condition',
    () => {
      this.CONSUME(signs['(']);
      const test = this.SUBRULE(this.expression);
      this.#closeCondition();
      return test;
    },
    () => this.#nothing(),
  );

  // A chain of `else if` is read in a loop, so that its length does not count as depth here.
  readonly ifStatement: Rule<ast.Statement> = this.#rule('ifStatement', () => {
    const chain: { start: number; test: ast.Expression; then: ast.Statement }[] = [];
    const start = this.#here();
    this.CONSUME(words.if);
    const test = this.SUBRULE(this.condition);
    const then = this.SUBRULE(this.statement);
    chain.push({ start, test, then });
    this.MANY(() => {
      this.CONSUME1(words.else);
      const start = this.#here();
      this.CONSUME1(words.if);
      const test = this.SUBRULE1(this.condition);
      const then = this.SUBRULE1(this.statement);
      chain.push({ start, test, then });
    });
    let otherwise: ast.Statement | undefined = this.OPTION(() => {
      this.CONSUME2(words.else);
      return this.SUBRULE2(this.statement);
    });
    for (let link = chain.pop(); link !== undefined; link = chain.pop()) {
      const { test, then } = link;
      otherwise = { kind: 'If', span: this.#since(link.start), test, then, otherwise };
    }
    return otherwise!;
  });

  readonly forStatement: Rule<ast.Statement> = this.#rule('forStatement', () => {
    const start = this.#here();
    this.CONSUME(words.for);
    this.CONSUME(signs['(']);
    const init = this.OPTION1(() => this.SUBRULE1(this.expression));
    this.#refuseComma();
    this.CONSUME1(signs[';']);
    const test = this.OPTION2(() => this.SUBRULE2(this.expression));
    this.#refuseComma();
    this.CONSUME2(signs[';']);
    const step = this.OPTION3(() => this.SUBRULE3(this.expression));
    this.#refuseComma();
    this.CONSUME(signs[')']);
    const body = this.SUBRULE(this.statement);
    return { kind: 'For', span: this.#since(start), init, test, step, body };
  });

  #refuseComma(): void {
    if (this.RECORDING_PHASE || this.LA(1).tokenType !== signs[',']) return;
    this.#expected('";" or ")"', 'Each part of for (...; ...; ...) is one expression.');
    this.#skipUntil([signs[';'], signs[')']]);
  }

  readonly foreachStatement: Rule<ast.Statement> = this.#rule('foreachStatement', () => {
    const start = this.#here();
    this.CONSUME(words.foreach);
    this.CONSUME(signs['(']);
    const iterable = this.SUBRULE(this.expression);
    this.CONSUME(words.as);
    const first = this.#loopVariable(this.SUBRULE1(this.operand));
    const second = this.OPTION(() => {
      this.CONSUME(signs['=>']);
      return this.#loopVariable(this.SUBRULE2(this.operand));
    });
    this.CONSUME(signs[')']);
    const body = this.SUBRULE(this.statement);
    const key = second === undefined ? undefined : first;
    return { kind: 'Foreach', span: this.#since(start), iterable, key, value: second ?? first, body };
  });

  #loopVariable(node: ast.Expression): ast.Assignable {
    if (this.RECORDING_PHASE || isAssignable(node)) return node as ast.Assignable;
    const hint =
      node.kind === 'ArrayLiteral'
        ? 'Take the element into a variable and destructure that in the body.'
        : undefined;
    this.#report('HSL1105', node.span, { what: describe(node) }, hint);
    return { kind: 'Variable', span: node.span, name: '' };
  }

  readonly whileStatement: Rule<ast.Statement> = this.#rule('whileStatement', () => {
    const start = this.#here();
    this.CONSUME(words.while);
    const test = this.SUBRULE(this.condition);
    const body = this.SUBRULE(this.statement);
    return { kind: 'While', span: this.#since(start), test, body };
  });

  readonly foreverStatement: Rule<ast.Statement> = this.#rule('foreverStatement', () => {
    const start = this.#here();
    this.CONSUME(words.forever);
    const body = this.SUBRULE(this.statement);
    return { kind: 'Forever', span: this.#since(start), body };
  });

  readonly switchStatement: Rule<ast.Statement> = this.#rule('switchStatement', () => {
    const start = this.#here();
    const cases: ast.SwitchCase[] = [];
    this.CONSUME(words.switch);
    const subject = this.SUBRULE(this.condition);
    this.CONSUME(signs['{']);
    this.#checkLabel();
    this.MANY(() => {
      cases.push(this.SUBRULE(this.switchCase));
    });
    this.CONSUME(signs['}']);
    return { kind: 'Switch', span: this.#since(start), subject, cases };
  });

  #checkLabel(): void {
    const next = this.LA(1);
    const type = next.tokenType;
    if (type === words.case || type === words.default || type === signs['}'] || isEndOfFile(next)) return;
    this.#report('HSL1111', placeOf(next, this.#file), { found: showToken(next) });
    this.#skipUntil([words.case, words.default]);
  }

  readonly switchCase: Rule<ast.SwitchCase> = this.#rule(
    'switchCase',
    () => {
      const start = this.#here();
      const body: ast.Statement[] = [];
      const test = this.OR({
        ERR_MSG: '"case" or "default"',
        DEF: [
          {
            ALT: () => {
              this.CONSUME(words.case);
              return this.SUBRULE(this.expression);
            },
          },
          {
            ALT: () => {
              this.CONSUME(words.default);
              return undefined;
            },
          },
        ],
      });
      this.CONSUME(signs[':']);
      this.MANY(() => {
        body.push(this.SUBRULE(this.statement));
      });
      return { kind: 'SwitchCase', span: this.#since(start), test, body };
    },
    (): ast.SwitchCase => {
      const here = this.#here();
      return { kind: 'SwitchCase', span: { start: here, end: here }, test: undefined, body: [] };
    },
  );

  readonly jumpStatement: Rule<ast.Statement> = this.#rule('jumpStatement', () => {
    const start = this.#here();
    const kind = this.OR([
      {
        ALT: () => {
          this.CONSUME(words.break);
          return 'Break' as const;
        },
      },
      {
        ALT: () => {
          this.CONSUME(words.continue);
          return 'Continue' as const;
        },
      },
    ]);
    this.#semicolon({ number: 'break and continue act on the innermost loop and take no number.' });
    return { kind, span: this.#since(start) };
  });

  readonly returnStatement: Rule<ast.Statement> = this.#rule('returnStatement', () => {
    const start = this.#here();
    this.CONSUME(words.return);
    const value = this.OPTION(() => this.SUBRULE(this.expression));
    this.#semicolon();
    return { kind: 'Return', span: this.#since(start), value };
  });

  readonly throwStatement: Rule<ast.Statement> = this.#rule('throwStatement', () => {
    const start = this.#here();
    this.CONSUME(words.throw);
    const value = this.SUBRULE(this.expression);
    this.#semicolon();
    return { kind: 'Throw', span: this.#since(start), value };
  });

  readonly tryStatement: Rule<ast.Statement> = this.#rule('tryStatement', () => {
    const start = this.#here();
    this.CONSUME(words.try);
    const body = this.SUBRULE1(this.block);
    this.CONSUME(words.catch);
    this.CONSUME(signs['(']);
    const variable = this.SUBRULE(this.variable);
    this.CONSUME(signs[')']);
    const handler = this.SUBRULE2(this.block);
    return { kind: 'Try', span: this.#since(start), body, variable, handler };
  });

  readonly barrierStatement: Rule<ast.Statement> = this.#rule('barrierStatement', () => {
    const start = this.#here();
    this.CONSUME(words.barrier);
    const name = this.SUBRULE(this.expression);
    const variable = this.OPTION(() => {
      this.CONSUME(signs['=>']);
      return this.SUBRULE(this.variable);
    });
    const body = this.SUBRULE(this.block);
    return { kind: 'Barrier', span: this.#since(start), name, variable, body };
  });

  readonly globalStatement: Rule<ast.Statement> = this.#rule('globalStatement', () => {
    const start = this.#here();
    const variables: ast.Variable[] = [];
    this.CONSUME(words.global);
    this.AT_LEAST_ONE_SEP({
      SEP: signs[','],
      DEF: () => {
        variables.push(this.SUBRULE(this.variable));
      },
    });
    this.#semicolon();
    return { kind: 'Global', span: this.#since(start), variables };
  });

  readonly debugPoint: Rule<ast.Statement> = this.#rule('debugPoint', () => {
    const start = this.#here();
    this.CONSUME(words.__debug);
    this.CONSUME(signs['[']);
    const debug = this.SUBRULE1(this.plainString);
    this.CONSUME(signs[',']);
    const point = this.SUBRULE2(this.plainString);
    this.CONSUME(signs[']']);
    if (debug === undefined || point === undefined) this.#report('HSL1118', this.#since(start), {});
    const body = this.SUBRULE(this.statement);
    return {
      kind: 'DebugPoint',
      span: this.#since(start),
      debugId: debug?.value ?? '',
      pointId: point?.value ?? '',
      body,
    };
  });

  // --- Functions and classes ------------------------------------------------------------------------------------

  readonly variable: Rule<ast.Variable> = this.#rule(
    'variable',
    () => {
      const token = this.CONSUME(Variable);
      return { kind: 'Variable', span: this.#spanOf(token), name: token.image.slice(1) };
    },
    (): ast.Variable => {
      const here = this.#here();
      return { kind: 'Variable', span: { start: here, end: here }, name: '' };
    },
  );

  readonly functionDeclaration: Rule<ast.Statement> = this.#rule('functionDeclaration', () => {
    const start = this.#here();
    this.CONSUME(NamedFunction);
    const name = this.#name(this.CONSUME(Identifier));
    const code = this.SUBRULE(this.functionCode);
    return { kind: 'FunctionDeclaration', span: this.#since(start), name, code };
  });

  readonly functionCode: Rule<ast.FunctionCode> = this.#rule(
    'functionCode',
    () => {
      const start = this.#here();
      const parameters = this.SUBRULE(this.parameters);
      const body = this.SUBRULE(this.block);
      return { kind: 'FunctionCode', span: this.#since(start), parameters, captures: undefined, body };
    },
    () => this.#noCode(),
  );

  #noCode(): ast.FunctionCode {
    const body = this.#noBlock();
    return { kind: 'FunctionCode', span: body.span, parameters: [], captures: undefined, body };
  }

  readonly parameters: Rule<ast.Parameter[]> = this.#rule(
    'parameters',
    () => {
      const parameters: ast.Parameter[] = [];
      this.CONSUME(signs['(']);
      this.MANY_SEP({
        SEP: signs[','],
        DEF: () => {
          parameters.push(this.SUBRULE(this.parameter));
        },
      });
      this.CONSUME(signs[')']);
      return parameters;
    },
    () => [],
  );

  readonly parameter: Rule<ast.Parameter> = this.#rule(
    'parameter',
    () => {
      const start = this.#here();
      return this.OR<ast.Parameter>({
        ERR_MSG: 'a parameter',
        DEF: [
          {
            ALT: () => {
              const variable = this.SUBRULE1(this.variable);
              const initial = this.OPTION(() => {
                this.CONSUME(signs['=']);
                return this.SUBRULE(this.expression);
              });
              return { kind: 'Parameter', span: this.#since(start), variable, initial, isRest: false };
            },
          },
          {
            ALT: () => {
              this.CONSUME(signs['...']);
              const variable = this.SUBRULE2(this.variable);
              return {
                kind: 'Parameter',
                span: this.#since(start),
                variable,
                initial: undefined,
                isRest: true,
              };
            },
          },
        ],
      });
    },
    (): ast.Parameter => {
      const here = this.#here();
      const span = { start: here, end: here };
      const variable: ast.Variable = { kind: 'Variable', span, name: '' };
      return { kind: 'Parameter', span, variable, initial: undefined, isRest: false };
    },
  );

  readonly anonymousFunction: Rule<ast.Expression> = this.#rule(
    'anonymousFunction',
    () => {
      const start = this.#here();
      this.CONSUME(words.function);
      const codeStart = this.#here();
      const parameters = this.SUBRULE(this.parameters);
      const captures = this.OPTION(() => this.SUBRULE(this.captureList));
      const body = this.SUBRULE(this.block);
      const span = this.#since(codeStart);
      const code: ast.FunctionCode = { kind: 'FunctionCode', span, parameters, captures, body };
      return { kind: 'AnonymousFunction', span: this.#since(start), code };
    },
    () => this.#nothing(),
  );

  readonly captureList: Rule<ast.Variable[]> = this.#rule(
    'captureList',
    () => {
      const captures: ast.Variable[] = [];
      this.CONSUME(words.closure);
      this.CONSUME(signs['(']);
      this.MANY_SEP({
        SEP: signs[','],
        DEF: () => {
          captures.push(this.SUBRULE(this.variable));
        },
      });
      this.CONSUME(signs[')']);
      return captures;
    },
    () => [],
  );

  readonly classDeclaration: Rule<ast.Statement> = this.#rule('classDeclaration', () => {
    const start = this.#here();
    const members: ast.ClassMember[] = [];
    this.CONSUME(words.class);
    const name = this.#name(this.CONSUME(Identifier));
    this.CONSUME(signs['{']);
    const read = () =>
      this.MANY(() => {
        const member = this.SUBRULE(this.classMember);
        if (member !== undefined) members.push(member);
      });
    read();
    while (this.#isStrangeMember()) {
      this.#skipUntil(memberStarts);
      read();
    }
    this.CONSUME(signs['}']);
    return { kind: 'ClassDeclaration', span: this.#since(start), name, members };
  });

  /** Whether something stands here that is no member; reports it. */
  #isStrangeMember(): boolean {
    const next = this.LA(1);
    if (this.RECORDING_PHASE || next.tokenType === signs['}'] || isEndOfFile(next)) return false;
    // What closes brackets that were never opened is not ours to skip.
    if (next.tokenType === signs[')'] || next.tokenType === signs[']']) return false;
    this.#expected('a variable, a function or the constructor of the class');
    return this.LA(2) !== next && !isEndOfFile(this.LA(2));
  }

  readonly classMember: Rule<ast.ClassMember | undefined> = this.#rule('classMember', () => {
    const start = this.#here();
    const modifiers: IToken[] = [];
    this.MANY(() => {
      modifiers.push(this.SUBRULE(this.modifier));
    });
    const isPrivate = modifiers.some((token) => token.tokenType === words.private);
    const isStatic = modifiers.some((token) => token.tokenType === words.static);
    const isReadonly = modifiers.some((token) => token.tokenType === words.readonly);
    return this.OR<ast.ClassMember | undefined>({
      ERR_MSG: 'a variable, a function or the constructor of the class',
      DEF: [
        {
          ALT: () => {
            this.CONSUME(NamedFunction);
            const name = this.#name(this.CONSUME(Identifier));
            const code = this.SUBRULE1(this.functionCode);
            this.#refuseModifier(modifiers, words.readonly, 'a function');
            return { kind: 'MethodMember', span: this.#since(start), name, isPrivate, isStatic, code };
          },
        },
        {
          ALT: () => {
            const name = this.#variableName(this.CONSUME(Variable));
            const initial = this.OPTION(() => {
              this.CONSUME(signs['=']);
              return this.SUBRULE(this.expression);
            });
            this.#semicolon();
            const span = this.#since(start);
            return { kind: 'FieldMember', span, name, isPrivate, isStatic, isReadonly, initial };
          },
        },
        {
          ALT: () => {
            this.CONSUME(words.constructor);
            const code = this.SUBRULE2(this.functionCode);
            this.#refuseModifier(modifiers, undefined, 'a constructor');
            return { kind: 'ConstructorMember', span: this.#since(start), code };
          },
        },
        {
          ALT: () => {
            this.CONSUME2(signs[';']);
            this.#refuseModifier(modifiers, undefined, 'a lone ;');
            return undefined;
          },
        },
      ],
    });
  });

  readonly modifier: Rule<IToken> = this.#rule('modifier', () =>
    this.OR([
      { ALT: () => this.CONSUME(words.private) },
      { ALT: () => this.CONSUME(words.static) },
      { ALT: () => this.CONSUME(words.readonly) },
    ]),
  );

  #refuseModifier(modifiers: readonly IToken[], only: TokenType | undefined, what: string): void {
    if (this.RECORDING_PHASE) return;
    const token = modifiers.find((token) => only === undefined || token.tokenType === only);
    if (token !== undefined) this.#report('HSL1115', this.#spanOf(token), { modifier: token.image, what });
  }

  // --- Modules --------------------------------------------------------------------------------------------------

  readonly includeStatement: Rule<ast.Statement> = this.#rule('includeStatement', () => {
    const start = this.#here();
    const keyword = this.OR([
      { ALT: () => this.CONSUME(words.include) },
      { ALT: () => this.CONSUME(words.include_once) },
    ]);
    const path = this.#path(this.SUBRULE(this.plainString), keyword.image);
    this.#semicolon();
    return {
      kind: 'Include',
      span: this.#since(start),
      once: keyword.tokenType === words.include_once,
      path,
    };
  });

  /** A string without variables; undefined for one that has some. */
  readonly plainString: Rule<ast.PlainString | undefined> = this.#rule('plainString', () =>
    this.OR<ast.PlainString | undefined>({
      ERR_MSG: 'a string',
      DEF: [
        {
          ALT: () => {
            const token = this.CONSUME(StringToken);
            const parts = this.RECORDING_PHASE ? [] : readString(token.image);
            const value = parts.length === 0 ? '' : parts.length === 1 ? parts[0] : undefined;
            if (typeof value !== 'string') return undefined;
            return { kind: 'PlainString', span: this.#spanOf(token), value };
          },
        },
        {
          ALT: () => {
            const token = this.CONSUME(RawString);
            return { kind: 'PlainString', span: this.#spanOf(token), value: readRawString(token.image) };
          },
        },
      ],
    }),
  );

  #path(path: ast.PlainString | undefined, keyword: string): ast.PlainString {
    if (path !== undefined) return path;
    // Also undefined when no string was there at all; then that is reported, and this an echo of it.
    const last = this.LA(0);
    const span = isEndOfFile(last) ? { start: 0, end: 0 } : spanOfToken(last);
    const hint = 'Files are found when the script is compiled, before any variable has a value.';
    this.#report('HSL1110', span, { keyword }, hint);
    return { kind: 'PlainString', span, value: '' };
  }

  readonly importStatement: Rule<ast.Statement> = this.#rule('importStatement', () => {
    const start = this.#here();
    this.CONSUME(words.import);
    const node = this.OR<ast.Statement>({
      ERR_MSG: '"{", "*" or a variable',
      DEF: [
        {
          ALT: () => {
            const symbols: ast.ImportedSymbol[] = [];
            this.CONSUME(signs['{']);
            this.AT_LEAST_ONE_SEP({
              SEP: signs[','],
              DEF: () => {
                symbols.push(this.SUBRULE(this.importedSymbol));
              },
            });
            this.CONSUME(signs['}']);
            this.CONSUME1(words.from);
            const from = this.#path(this.SUBRULE1(this.plainString), 'from');
            return { kind: 'ImportSymbols', span: this.#since(start), symbols, from };
          },
        },
        {
          ALT: () => {
            this.CONSUME(signs['*']);
            this.CONSUME(words.as);
            const local = this.#name(this.CONSUME(Identifier));
            this.CONSUME2(words.from);
            const from = this.#path(this.SUBRULE2(this.plainString), 'from');
            return { kind: 'ImportNamespace', span: this.#since(start), local, from };
          },
        },
        {
          ALT: () => {
            const variable = this.SUBRULE(this.variable);
            this.CONSUME3(words.from);
            const from = this.#path(this.SUBRULE3(this.plainString), 'from');
            const options = this.OPTION(() => {
              this.CONSUME(words.with);
              return this.SUBRULE(this.anyArray);
            });
            return { kind: 'ImportFile', span: this.#since(start), variable, from, options };
          },
        },
      ],
    });
    this.#semicolon();
    return node;
  });

  readonly importedSymbol: Rule<ast.ImportedSymbol> = this.#rule(
    'importedSymbol',
    () => {
      const start = this.#here();
      const name = this.OR1({
        ERR_MSG: 'a name or a variable',
        DEF: [{ ALT: () => this.CONSUME1(Identifier) }, { ALT: () => this.CONSUME1(Variable) }],
      });
      const local = this.OPTION(() => {
        this.CONSUME(words.as);
        return this.OR2({
          ERR_MSG: 'a name or a variable',
          DEF: [{ ALT: () => this.CONSUME2(Identifier) }, { ALT: () => this.CONSUME2(Variable) }],
        });
      });
      const isVariable = name.tokenType === Variable;
      if (local !== undefined && local.tokenType !== name.tokenType) {
        const hint = isVariable
          ? 'A variable stays a variable: $name.'
          : 'A function or class has a name without $.';
        this.#report('HSL1121', this.#spanOf(local), { what: name.image, local: local.image }, hint);
      }
      const nameOfSymbol = (token: IToken) =>
        token.tokenType === Variable ? this.#variableName(token) : this.#name(token);
      return {
        kind: 'ImportedSymbol',
        span: this.#since(start),
        isVariable,
        name: nameOfSymbol(name),
        local: nameOfSymbol(local ?? name),
      };
    },
    (): ast.ImportedSymbol => {
      const here = this.#here();
      const name: ast.Name = { kind: 'Name', span: { start: here, end: here }, text: '' };
      return { kind: 'ImportedSymbol', span: name.span, isVariable: false, name, local: name };
    },
  );

  // --- Expressions ----------------------------------------------------------------------------------------------

  readonly expression: Rule<ast.Expression> = this.#rule(
    'expression',
    () => {
      const depth = this.#deeper();
      try {
        const first = this.SUBRULE(this.operand);
        let chain: OperatorChain | undefined;
        this.MANY(() => {
          const operator = this.CONSUME(BinaryOperator);
          const right = this.SUBRULE1(this.operand);
          if (this.RECORDING_PHASE) return;
          chain ??= new OperatorChain(first);
          chain.add(operator.tokenType, right);
        });
        let node = chain === undefined ? first : chain.finish();
        this.OPTION(() => {
          this.CONSUME(signs['?']);
          const then = this.OPTION1(() => this.SUBRULE2(this.expression));
          this.CONSUME(signs[':']);
          const otherwise = this.SUBRULE3(this.expression);
          if (this.RECORDING_PHASE) return;
          node = {
            kind: 'Conditional',
            span: spanFrom(node.span, otherwise.span),
            test: node,
            then,
            otherwise,
          };
        });
        return node;
      } finally {
        this.#depth = depth;
      }
    },
    () => this.#nothing(),
  );

  #tailChoice: Parameters<EmbeddedActionsParser['or']>[1] | undefined;

  /**
   * Levels 1 to 3 of hsl-language 5.1, and assignments: an assignable operand with an assignment operator behind it is
   * an assignment whatever stood before (hsl-language 4, notes).
   */
  readonly operand: Rule<ast.Expression> = this.#rule(
    'operand',
    () => {
      let prefixes: IToken[] | undefined;
      this.MANY(() => {
        const token = this.CONSUME(PrefixOperator);
        if (prefixes === undefined) prefixes = [token];
        else prefixes.push(token);
      });
      let node = this.SUBRULE(this.primary);
      this.MANY1(() => {
        this.#tailChoice ??= {
          DEF: [
            { ALT: () => this.SUBRULE(this.subscript) },
            { ALT: () => this.SUBRULE(this.memberTail) },
            { ALT: () => this.SUBRULE(this.callTail) },
            {
              ALT: () => {
                this.CONSUME(signs['++']);
                return { kind: 'increment', by: 1 } satisfies Tail;
              },
            },
            {
              ALT: () => {
                this.CONSUME(signs['--']);
                return { kind: 'increment', by: -1 } satisfies Tail;
              },
            },
          ],
        };
        const tail = this.OR(this.#tailChoice) as Tail | undefined;
        if (!this.RECORDING_PHASE && tail !== undefined) node = this.#withTail(node, tail);
      });
      this.OPTION(() => {
        const operator = this.CONSUME(AssignOperator);
        const value = this.SUBRULE(this.expression);
        if (!this.RECORDING_PHASE) node = this.#assign(node, operator, value);
      });
      this.OPTION1(() => {
        this.CONSUME(signs['**']);
        const depth = this.#deeper();
        const right = this.SUBRULE(this.operand);
        this.#depth = depth;
        if (this.RECORDING_PHASE) return;
        node = { kind: 'Binary', span: spanFrom(node.span, right.span), operator: '**', left: node, right };
      });
      if (prefixes === undefined || this.RECORDING_PHASE) return node;
      return applyPrefixes(prefixes, node, (operand) => this.#target(operand));
    },
    () => this.#nothing(),
  );

  #withTail(object: ast.Expression, tail: Tail): ast.Expression {
    const span = this.#since(object.span.start);
    switch (tail.kind) {
      case 'subscript':
        return { kind: 'Subscript', span, object, index: tail.index };
      case 'append':
        return { kind: 'Append', span, object };
      case 'slice':
        return { kind: 'Slice', span, object, first: tail.first, last: tail.last, step: tail.step };
      case 'member':
        return { kind: 'Member', span, object, name: tail.name };
      case 'call':
        return { kind: 'Call', span, callee: object, args: tail.args };
      case 'increment':
        return { kind: 'Increment', span, by: tail.by, isPrefix: false, target: this.#target(object) };
    }
  }

  #assign(left: ast.Expression, token: IToken, value: ast.Expression): ast.Expression {
    const operator = token.image.slice(0, -1);
    // `array(…)` looks like a call and is no list of targets.
    if (left.kind === 'ArrayLiteral' && operator === '' && this.#file.text.charAt(left.span.start) === '[') {
      return toDestructure(left, value, (node) => {
        const hint =
          node.kind === 'ArrayLiteral'
            ? 'Take the inner array into a variable and destructure that.'
            : undefined;
        this.#report('HSL1104', node.span, { what: describe(node) }, hint);
      });
    }
    const hint = operator === '' && left.kind !== 'ArrayLiteral' ? 'To compare, write ==.' : undefined;
    const target = this.#target(left, hint);
    const span = spanFrom(left.span, value.span);
    if (token.tokenType === signs['=']) return { kind: 'Assign', span, target, value };
    return { kind: 'CompoundAssign', span, operator: compoundOperator(operator), target, value };
  }

  readonly subscript: Rule<Tail> = this.#rule('subscript', (): Tail => {
    let isSlice = false;
    let last: ast.Expression | undefined;
    let step: ast.Expression | undefined;
    this.CONSUME(signs['[']);
    const first = this.OPTION1(() => this.SUBRULE1(this.expression));
    this.OPTION2(() => {
      isSlice = true;
      this.OR([
        {
          ALT: () => {
            this.CONSUME1(signs[':']);
            last = this.OPTION3(() => this.SUBRULE2(this.expression));
            this.OPTION4(() => {
              this.CONSUME2(signs[':']);
              step = this.OPTION5(() => this.SUBRULE3(this.expression));
            });
          },
        },
        {
          ALT: () => {
            this.CONSUME(signs['::']);
            step = this.OPTION6(() => this.SUBRULE4(this.expression));
          },
        },
      ]);
    });
    this.CONSUME(signs[']']);
    if (isSlice) return { kind: 'slice', first, last, step };
    return first === undefined ? { kind: 'append' } : { kind: 'subscript', index: first };
  });

  readonly memberTail: Rule<Tail> = this.#rule('memberTail', (): Tail => {
    this.CONSUME(signs['->']);
    return { kind: 'member', name: this.#name(this.CONSUME(Identifier)) };
  });

  readonly callTail: Rule<Tail> = this.#rule('callTail', (): Tail => {
    return { kind: 'call', args: this.SUBRULE(this.argumentList) };
  });

  readonly argumentList: Rule<ast.Expression[]> = this.#rule(
    'argumentList',
    () => {
      const args: ast.Expression[] = [];
      this.CONSUME(signs['(']);
      this.MANY(() => {
        const start = this.#here();
        const isSpread = this.OPTION(() => this.CONSUME(signs['...'])) !== undefined;
        const value = this.SUBRULE(this.expression);
        args.push(isSpread ? { kind: 'Spread', span: this.#since(start), value } : value);
        const comma = this.OPTION1(() => this.CONSUME(signs[',']));
        this.#listGoesOn(comma, signs[')']);
      });
      this.CONSUME(signs[')']);
      return args;
    },
    () => [],
  );

  #primaryChoice: Parameters<EmbeddedActionsParser['or']>[1] | undefined;

  readonly primary: Rule<ast.Expression> = this.#rule(
    'primary',
    () => {
      this.#primaryChoice ??= {
        ERR_MSG: 'an expression',
        DEF: [
          { ALT: () => this.#variable(this.CONSUME(Variable)) },
          {
            ALT: () => {
              const token = this.CONSUME(StringToken);
              return this.RECORDING_PHASE ? undefined : stringLiteral(token, this.#spanOf(token));
            },
          },
          { ALT: () => this.SUBRULE(this.nameOrStatic) },
          {
            ALT: () => {
              const token = this.CONSUME(NumberToken);
              return numberLiteral(token, this.#spanOf(token));
            },
          },
          { ALT: () => this.SUBRULE(this.parenthesized) },
          { ALT: () => this.SUBRULE(this.arrayLiteral) },
          { ALT: () => this.SUBRULE(this.arrayWord) },
          { ALT: () => this.#constant(this.CONSUME(words.none), null) },
          { ALT: () => this.#constant(this.CONSUME(words.true), true) },
          { ALT: () => this.#constant(this.CONSUME(words.false), false) },
          {
            ALT: () => {
              const token = this.CONSUME(RawString);
              return rawStringLiteral(token, this.#spanOf(token));
            },
          },
          {
            ALT: () => {
              const token = this.CONSUME(Pattern);
              return { kind: 'PatternLiteral', span: this.#spanOf(token), ...readPattern(token.image) };
            },
          },
          { ALT: () => this.SUBRULE(this.anonymousFunction) },
          { ALT: () => this.SUBRULE(this.issetOrUnset) },
          { ALT: () => this.SUBRULE(this.builtinReference) },
          { ALT: () => this.SUBRULE(this.staticReference) },
          { ALT: () => this.SUBRULE(this.matchExpression) },
          { ALT: () => this.SUBRULE(this.cacheExpression) },
          { ALT: () => this.SUBRULE(this.yieldExpression) },
        ],
      };
      return this.OR(this.#primaryChoice) as ast.Expression;
    },
    () => this.#nothing(),
  );

  #variable(token: IToken): ast.Variable {
    return { kind: 'Variable', span: this.#spanOf(token), name: token.image.slice(1) };
  }

  #constant(token: IToken, value: boolean | null): ast.Literal {
    return { kind: 'Literal', span: this.#spanOf(token), value };
  }

  readonly nameOrStatic: Rule<ast.NameReference | ast.StaticReference> = this.#rule(
    'nameOrStatic',
    () => {
      const token = this.CONSUME(Identifier);
      const member = this.OPTION(() => this.SUBRULE(this.staticMember));
      if (member === undefined)
        return { kind: 'NameReference', span: this.#spanOf(token), name: token.image };
      return this.#staticReference(token, member);
    },
    () => this.#noName(),
  );

  readonly staticReference: Rule<ast.StaticReference> = this.#rule('staticReference', () => {
    const token = this.CONSUME(words.static);
    return this.#staticReference(token, this.SUBRULE(this.staticMember));
  });

  #staticReference(owner: IToken, member: IToken): ast.StaticReference {
    const isVariable = member?.tokenType === Variable;
    const name = isVariable ? this.#variableName(member) : this.#name(member);
    const ownerName = this.#name(owner);
    const span = spanFrom(ownerName.span, name.span);
    return { kind: 'StaticReference', span, owner: ownerName, isVariable, member: name };
  }

  readonly staticMember: Rule<IToken> = this.#rule(
    'staticMember',
    () => {
      this.CONSUME(signs['::']);
      return this.OR({
        ERR_MSG: 'a name or a variable',
        DEF: [{ ALT: () => this.CONSUME(Identifier) }, { ALT: () => this.CONSUME(Variable) }],
      });
    },
    () => this.#noToken(),
  );

  #noToken(): IToken {
    return { ...this.LA(1), image: '', startOffset: this.#here(), tokenType: Identifier };
  }

  #noName(): ast.NameReference {
    const here = this.#here();
    return { kind: 'NameReference', span: { start: here, end: here }, name: '' };
  }

  readonly builtinReference: Rule<ast.BuiltinReference> = this.#rule('builtinReference', () => {
    const start = this.#here();
    this.CONSUME(words.builtin);
    const token = this.CONSUME(Identifier);
    return { kind: 'BuiltinReference', span: this.#since(start), name: token.image };
  });

  readonly parenthesized: Rule<ast.Expression> = this.#rule('parenthesized', () => {
    const start = this.#here();
    this.CONSUME(signs['(']);
    const expression = this.SUBRULE(this.expression);
    this.CONSUME(signs[')']);
    return { kind: 'Parenthesized', span: this.#since(start), expression };
  });

  readonly arrayLiteral: Rule<ast.ArrayLiteral> = this.#rule(
    'arrayLiteral',
    () => {
      const start = this.#here();
      const items: ast.ArrayItem[] = [];
      this.CONSUME(signs['[']);
      this.MANY(() => {
        items.push(this.SUBRULE(this.arrayItem));
        const comma = this.OPTION(() => this.CONSUME(signs[',']));
        this.#listGoesOn(comma, signs[']']);
      });
      this.CONSUME(signs[']']);
      return { kind: 'ArrayLiteral', span: this.#since(start), items };
    },
    () => this.#noArray(),
  );

  /** `array(…)`, the older spelling. */
  readonly arrayWord: Rule<ast.ArrayLiteral> = this.#rule(
    'arrayWord',
    () => {
      const start = this.#here();
      const items: ast.ArrayItem[] = [];
      this.CONSUME(words.array);
      this.CONSUME(signs['(']);
      this.MANY(() => {
        items.push(this.SUBRULE(this.arrayItem));
        const comma = this.OPTION(() => this.CONSUME(signs[',']));
        this.#listGoesOn(comma, signs[')']);
      });
      this.CONSUME(signs[')']);
      return { kind: 'ArrayLiteral', span: this.#since(start), items };
    },
    () => this.#noArray(),
  );

  readonly anyArray: Rule<ast.ArrayLiteral> = this.#rule(
    'anyArray',
    () =>
      this.OR({
        ERR_MSG: 'an array of options',
        DEF: [{ ALT: () => this.SUBRULE(this.arrayLiteral) }, { ALT: () => this.SUBRULE(this.arrayWord) }],
      }),
    () => this.#noArray(),
  );

  #noArray(): ast.ArrayLiteral {
    const here = this.#here();
    return { kind: 'ArrayLiteral', span: { start: here, end: here }, items: [] };
  }

  readonly arrayItem: Rule<ast.ArrayItem> = this.#rule(
    'arrayItem',
    () => {
      const start = this.#here();
      const isSpread = this.OPTION1(() => this.CONSUME(signs['...'])) !== undefined;
      const first = this.SUBRULE1(this.expression);
      const second = this.OPTION2(() => {
        this.CONSUME(signs['=>']);
        return this.SUBRULE2(this.expression);
      });
      const span = this.#since(start);
      if (!isSpread) return { kind: 'ArrayItem', span, key: second && first, value: second ?? first };
      if (second !== undefined) {
        const params = { found: '"=>"', expected: '"," or "]"' };
        this.#report('HSL1100', span, params, 'What ... inserts brings its own keys.');
      }
      return { kind: 'ArrayItem', span, key: undefined, value: { kind: 'Spread', span, value: first } };
    },
    (): ast.ArrayItem => {
      const value = this.#nothing();
      return { kind: 'ArrayItem', span: value.span, key: undefined, value };
    },
  );

  readonly issetOrUnset: Rule<ast.Expression> = this.#rule(
    'issetOrUnset',
    () => {
      const start = this.#here();
      const keyword = this.OR([
        { ALT: () => this.CONSUME(words.isset) },
        { ALT: () => this.CONSUME(words.unset) },
      ]);
      this.CONSUME(signs['(']);
      const path = this.SUBRULE(this.expression);
      this.CONSUME(signs[')']);
      const kind = keyword.tokenType === words.isset ? 'Isset' : 'Unset';
      return { kind, span: this.#since(start), path };
    },
    () => this.#nothing(),
  );

  readonly yieldExpression: Rule<ast.Expression> = this.#rule('yieldExpression', () => {
    const start = this.#here();
    let key: ast.Expression | undefined;
    let value: ast.Expression | undefined;
    this.CONSUME(words.yield);
    this.OPTION1(() => {
      value = this.SUBRULE1(this.expression);
      this.OPTION2(() => {
        this.CONSUME(signs['=>']);
        key = value;
        value = this.SUBRULE2(this.expression);
      });
    });
    return { kind: 'Yield', span: this.#since(start), key, value };
  });

  readonly matchExpression: Rule<ast.Expression> = this.#rule(
    'matchExpression',
    () => {
      const start = this.#here();
      const arms: ast.MatchArm[] = [];
      this.CONSUME(words.match);
      const subject = this.SUBRULE(this.condition);
      this.CONSUME(signs['{']);
      this.AT_LEAST_ONE({
        ERR_MSG: 'an arm: value => result',
        DEF: () => {
          arms.push(this.SUBRULE(this.matchArm));
          const comma = this.OPTION(() => this.CONSUME(signs[',']));
          this.#listGoesOn(comma, signs['}']);
        },
      });
      this.CONSUME(signs['}']);
      return { kind: 'Match', span: this.#since(start), subject, arms };
    },
    () => this.#nothing(),
  );

  readonly matchArm: Rule<ast.MatchArm> = this.#rule(
    'matchArm',
    () => {
      const start = this.#here();
      const tests = this.OR({
        ERR_MSG: 'a value or "default"',
        DEF: [
          {
            ALT: () => {
              this.CONSUME(words.default);
              return undefined;
            },
          },
          {
            ALT: () => {
              const list: ast.Expression[] = [];
              this.AT_LEAST_ONE_SEP({
                SEP: signs[','],
                DEF: () => {
                  list.push(this.SUBRULE1(this.expression));
                },
              });
              return list;
            },
          },
        ],
      });
      this.CONSUME(signs['=>']);
      const value = this.SUBRULE2(this.expression);
      return { kind: 'MatchArm', span: this.#since(start), tests, value };
    },
    (): ast.MatchArm => {
      const value = this.#nothing();
      return { kind: 'MatchArm', span: value.span, tests: undefined, value };
    },
  );

  readonly cacheExpression: Rule<ast.Expression> = this.#rule(
    'cacheExpression',
    () => {
      const start = this.#here();
      this.CONSUME(words.cache);
      const options = this.SUBRULE(this.anyArray);
      this.#checkCallee();
      const callee = this.OR<ast.NameReference | ast.StaticReference | ast.BuiltinReference>({
        ERR_MSG: 'the name of a function',
        DEF: [
          { ALT: () => this.SUBRULE(this.nameOrStatic) },
          { ALT: () => this.SUBRULE(this.staticReference) },
          { ALT: () => this.SUBRULE(this.builtinReference) },
        ],
      });
      if (!this.RECORDING_PHASE && callee.kind === 'StaticReference' && callee.isVariable) {
        const found = `the variable ${callee.owner.text}::$${callee.member.text}`;
        this.#report('HSL1117', callee.span, { found });
      }
      const args = this.SUBRULE(this.argumentList);
      return { kind: 'Cache', span: this.#since(start), options, callee, args };
    },
    () => this.#nothing(),
  );

  #checkCallee(): void {
    const next = this.LA(1);
    const type = next.tokenType;
    if (type === Identifier || type === words.static || type === words.builtin || isEndOfFile(next)) return;
    this.#report('HSL1117', placeOf(next, this.#file), { found: showToken(next) });
  }
}

function compoundOperator(text: string): ast.CompoundAssign['operator'] {
  switch (text) {
    case '-':
    case '*':
    case '/':
    case '%':
    case '**':
    case '.':
    case '??':
      return text;
    default:
      return '+';
  }
}

/**
 * What chevrotain's errors say: only what was expected; lang/parser/recovery.ts makes sentences of it. `onError` is
 * called for each and may stop reading.
 */
function expectations(onError: () => void): IParserErrorMessageProvider {
  const said = (text: string): string => {
    onError();
    return text;
  };
  return {
    buildMismatchTokenMessage: ({ expected, ruleName }) => {
      if (expected === EOF) return said('');
      const isClose = expected === signs[')'] || expected === signs[']'];
      return said(`${isClose ? (beforeClose[ruleName] ?? '') : ''}${tokenLabel(expected)}`);
    },
    buildNotAllInputParsedMessage: () => said(''),
    buildNoViableAltMessage: ({ customUserDescription }) => said(customUserDescription ?? ''),
    buildEarlyExitMessage: ({ customUserDescription }) => said(customUserDescription ?? ''),
  };
}
