// What a shell remembers between two inputs: the functions, classes and imports declared so far (as text), and the
// variables (as values). Each input is compiled as a program of its own, with the declarations in front and the variables
// predefined. Modules that were imported therefore run anew with each input.

import {
  type ast,
  compile,
  DEPTH_ONLY,
  type Diagnostic,
  execute,
  loadParser,
  type PredefinedVariable,
  type Program,
  type RunHost,
  type ScriptError,
  type Value,
} from '#lang';
import type { LibraryServices } from '#stdlib';
import { hostForRoot, plainEnvironment } from '../script-surroundings.js';

export type ReplOutcome =
  | { readonly kind: 'done' /** The value of a lone expression. */; readonly value: Value | undefined }
  /** More input is needed: a bracket or a string is open. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'refused'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly kind: 'failed'; readonly error: ScriptError }
  | { readonly kind: 'cancelled'; readonly reason: string };

/** A function, class or import of earlier input. */
export interface Declared {
  /** Its name; of an import, a text of its own. */
  readonly name: string;
  readonly isImport: boolean;
  readonly source: string;
  /** What stands before the body. */
  readonly heading: string;
  /** Of a class. */
  readonly methods: readonly {
    readonly name: string;
    readonly isStatic: boolean;
    readonly heading: string;
  }[];
}

/** Where the value of a lone expression goes on its way out. */
const resultVariable = '__result';

const declarationKinds: ReadonlySet<ast.Statement['kind']> = new Set([
  'FunctionDeclaration',
  'ClassDeclaration',
  'ImportSymbols',
  'ImportNamespace',
  'ImportFile',
]);

/** Expressions whose value need not be shown, since they are run for what they do. */
const silentKinds: ReadonlySet<ast.Expression['kind']> = new Set([
  'Assign',
  'CompoundAssign',
  'Destructure',
  'Unset',
]);

export class ReplSession {
  readonly #root: string;
  readonly #host: RunHost;
  readonly #services: LibraryServices | undefined;
  /** By name, so that a new definition replaces the old one. */
  readonly #declarations = new Map<string, Declared>();
  #variables = new Map<string, Value>();
  #cancel: ((reason: string) => void) | undefined;

  /** `services` are what the library asks of the process; in-process ones without. */
  constructor(root: string, host: RunHost, services?: LibraryServices) {
    this.#root = root;
    this.#host = host;
    this.#services = services;
  }

  get variables(): ReadonlyMap<string, Value> {
    return this.#variables;
  }

  /** Functions and classes declared here. */
  get declared(): readonly Declared[] {
    return [...this.#declarations.values()].filter(({ isImport }) => !isImport);
  }

  /** Runs one input. `isWhole` says that no more of it will come, unless a bracket is open: what is missing then is an error. */
  async run(text: string, isWhole = false): Promise<ReplOutcome> {
    const prepared = await this.#prepare(text, isWhole);
    if ('kind' in prepared) return prepared;
    const names = [...this.#variables.keys()];
    const execution = execute(prepared.program, {
      host: this.#host,
      limits: DEPTH_ONLY,
      variables: names.map((name) => this.#variables.get(name)),
      services: this.#services,
    });
    this.#cancel = (reason) => execution.cancel(reason);
    const result = await execution.run();
    this.#cancel = undefined;
    // What was assigned before a failure stays, as it would at a prompt of any shell.
    const variables = new Map<string, Value>();
    for (const name of names) {
      const value = execution.variable(name);
      if (value !== undefined) variables.set(name, value);
    }
    for (const [name, value] of execution.globals()) if (value !== undefined) variables.set(name, value);
    const value = variables.get(resultVariable);
    variables.delete(resultVariable);
    this.#variables = variables;
    for (const [name, declared] of prepared.declarations) this.#declarations.set(name, declared);
    if (result.kind === 'failed' || result.kind === 'cancelled') return result;
    return { kind: 'done', value: prepared.showsValue ? value : undefined };
  }

  /** The bytecode of one input. */
  async compile(text: string): Promise<Program | readonly Diagnostic[]> {
    const prepared = await this.#prepare(text, true);
    if (!('kind' in prepared)) return prepared.program;
    return prepared.kind === 'refused' ? prepared.diagnostics : [];
  }

  /** Ends what is running. */
  interrupt(): boolean {
    this.#cancel?.('interrupted');
    return this.#cancel !== undefined;
  }

  async #prepare(
    text: string,
    isWhole: boolean,
  ): Promise<
    | ReplOutcome
    | {
        readonly program: Program;
        readonly declarations: ReadonlyMap<string, Declared>;
        readonly showsValue: boolean;
      }
  > {
    const file = { name: '<input>', text };
    const parser = await loadParser();
    const { script, diagnostics } = parser.parse(file);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    // Inside brackets an empty line is nothing but an empty line: functions are pasted with them.
    if (isOpen(text)) return { kind: 'incomplete' };
    const endsEarly = errors.some(({ span }) => span.start >= text.trimEnd().length);
    if (endsEarly && !isWhole) return { kind: 'incomplete' };
    if (errors.length > 0) return { kind: 'refused', diagnostics: errors };

    const declarations = new Map<string, Declared>();
    for (const statement of script.body) {
      if (!declarationKinds.has(statement.kind)) continue;
      const declared = describeDeclaration(statement, text.slice(statement.span.start, statement.span.end));
      declarations.set(declared.name, declared);
    }
    const kept = [...this.#declarations.values()].filter(({ name }) => !declarations.has(name));
    const only = script.body.length === 1 ? script.body[0] : undefined;
    const showsValue = only?.kind === 'ExpressionStatement' && !silentKinds.has(only.expression.kind);
    const body =
      showsValue && only.kind === 'ExpressionStatement'
        ? `$${resultVariable} = (${text.slice(only.expression.span.start, only.expression.span.end)});`
        : text;
    // Functions and classes are known in the whole file: they stand behind, so that places in the input stay true and
    // their own comments and strings are left alone. Imports come first and go before it, on its line.
    const imports = kept.filter(({ isImport }) => isImport).map(({ source }) => source.replaceAll('\n', ' '));
    const prefix = imports.length === 0 ? '' : `${imports.join(' ')} `;
    const suffix = kept.filter(({ isImport }) => !isImport).map(({ source }) => `\n${source}`);
    const variables = [...this.#variables.keys()].map(
      (name): PredefinedVariable => ({ name, summary: 'A variable of this session.', readonly: false }),
    );
    const compileBody = (code: string) =>
      compile(
        { name: '<input>', text: prefix + code + suffix.join('') },
        plainEnvironment(variables),
        hostForRoot(this.#root, '<input>'),
      );
    const compiled = await compileBody(body);
    if (compiled.program === undefined) {
      // A refusal shows what was typed, not what was made of it.
      const { diagnostics: refusals } = body === text ? compiled : await compileBody(text);
      return { kind: 'refused', diagnostics: refusals.length > 0 ? refusals : compiled.diagnostics };
    }
    return { program: compiled.program, declarations, showsValue };
  }
}

/** What is remembered of a declaration, and told about it. */
function describeDeclaration(statement: ast.Statement, source: string): Declared {
  const isNamed = statement.kind === 'FunctionDeclaration' || statement.kind === 'ClassDeclaration';
  if (!isNamed) return { name: `import ${source}`, isImport: true, source, heading: source, methods: [] };
  const heading = /^[^{]*/.exec(source)![0].trim();
  if (statement.kind === 'FunctionDeclaration')
    return { name: statement.name.text, isImport: false, source, heading, methods: [] };
  const methods = statement.members.flatMap((member) => {
    if (member.kind !== 'MethodMember' || member.isPrivate) return [];
    const text = source.slice(
      member.span.start - statement.span.start,
      member.span.end - statement.span.start,
    );
    const [, signature = member.name.text] = /function\s+([^{]*?)\s*\{/.exec(text) ?? [];
    return [{ name: member.name.text, isStatic: member.isStatic, heading: signature }];
  });
  return { name: statement.name.text, isImport: false, source, heading, methods };
}

/** A string, comment or bracket that was opened and not closed, as far as brackets tell. */
function isOpen(text: string): boolean {
  let depth = 0;
  const token =
    /"(?:\\[\s\S]|[^"\\])*("?)|'([^']*)'[\s\S]*?(?:'\2'|$)|\/\/[^\n]*|\/\*[\s\S]*?(\*\/|$)|#\/(?:\\.|[^/\n])+\/|[()[\]{}]/g;
  for (const match of text.matchAll(token)) {
    const [whole, closingQuote, , commentEnd] = match;
    if (whole.startsWith('"') && closingQuote === '') return true;
    if (whole.startsWith('/*') && commentEnd === '') return true;
    if ('([{'.includes(whole)) depth++;
    else if (')]}'.includes(whole)) depth--;
  }
  return depth > 0;
}
