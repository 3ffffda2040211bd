// Declarations as blocks. Everything shown is read from the declarations that the VM and the linter read.

import type {
  Builtin,
  Constant,
  Group,
  Method,
  NativeClass,
  OptionKeys,
  Parameter,
  PredefinedVariable,
} from '#lang';
import {
  type Block,
  code,
  heading,
  type Inlines,
  link,
  parseInlines,
  plainCode,
  type Target,
  text,
} from './blocks.js';
import { parseMarkdown } from './parse-markdown.js';

const groupTitles: Readonly<Record<Group, string>> = {
  actions: 'Actions',
  arrays: 'Arrays',
  types: 'Types and conversions',
  strings: 'Strings',
  patterns: 'Patterns',
  math: 'Mathematics and random numbers',
  crypto: 'Hashes, ciphers, signatures',
  encodings: 'Encodings',
  time: 'Time and miscellaneous',
  network: 'Network values',
  dns: 'DNS',
  http: 'HTTP',
  smtp: 'SMTP client',
  mail: 'Messages',
  state: 'State shared by executions',
  queue: 'The queue',
  metrics: 'Metrics',
  collections: 'Collections',
  files: 'Files',
  sockets: 'Sockets',
  certificates: 'Certificates',
  ldap: 'LDAP',
  ffi: 'Foreign functions',
};

export const groups = Object.keys(groupTitles) as readonly Group[];

export function titleOf(group: Group): string {
  return groupTitles[group];
}

const constant = (value: Constant) => (value === null ? 'none' : JSON.stringify(value));
const typeWord = (type: Parameter['type']) => (type === 'options' ? 'array' : type);
const mayBeLeftOut = (one: Parameter) =>
  one.optional === true || one.default !== undefined || one.rest === true;

/** `name(string $a [, number $b = 1]) → string` */
export function signatureOf(name: string, params: readonly Parameter[], returns?: string): string {
  let inside = '';
  let open = 0;
  params.forEach((one, index) => {
    const words = `${typeWord(one.type)} ${one.rest ? '...' : ''}$${one.name}${
      one.default === undefined ? '' : ` = ${constant(one.default)}`
    }`;
    const comma = index === 0 ? '' : ', ';
    if (mayBeLeftOut(one)) {
      inside += `${index === 0 ? '' : ' '}[${comma}${words}`;
      open++;
    } else inside += comma + words;
  });
  return `${name}(${inside}${']'.repeat(open)})${returns === undefined ? '' : ` → ${returns}`}`;
}

const asCode = (words: string | undefined): Inlines => (words === undefined ? [] : [plainCode(words)]);
const sentences = (words: string | undefined): Inlines => (words === undefined ? [] : parseInlines(words));

function parameterTables(params: readonly Parameter[]): Block[] {
  if (params.length === 0) return [];
  const head = ['parameter', 'type', 'default', 'meaning'].map((title) => [text(title)]);
  const rows = params.map((one) => ({
    cells: [
      asCode(`$${one.name}`),
      asCode(typeWord(one.type)),
      one.default === undefined
        ? mayBeLeftOut(one)
          ? [text('optional')]
          : []
        : asCode(constant(one.default)),
      sentences(one.doc),
    ],
  }));
  return [
    { kind: 'table', head, rows },
    ...params.flatMap(({ name, keys }) => optionTables(`$${name}`, keys ?? {})),
  ];
}

/** The options, and behind them those that are options of an option. */
function optionTables(holder: string, keys: OptionKeys): Block[] {
  const entries = Object.entries(keys);
  if (entries.length === 0) return [];
  const head = [[text('key of '), code(holder)], [text('type')], [text('default')], [text('meaning')]];
  const rows = entries.map(([name, key]) => ({
    cells: [
      asCode(name),
      asCode(key.type),
      key.default === undefined ? [] : asCode(constant(key.default)),
      key.aliasOf === undefined
        ? [...sentences(key.doc), ...oneOf(key.oneOf)]
        : [text('Older spelling of '), code(key.aliasOf), text('.')],
    ],
  }));
  const inner = entries.flatMap(([name, key]) => optionTables(`${holder}["${name}"]`, key.keys ?? {}));
  return [{ kind: 'table', head, rows }, ...inner];
}

function oneOf(values: readonly Constant[] | undefined): Inlines {
  if (values === undefined) return [];
  return [
    text(' One of '),
    ...values.flatMap((value, index) => [...(index === 0 ? [] : [text(', ')]), code(constant(value))]),
    text('.'),
  ];
}

/** What a description says beyond the declaration itself. */
export interface Surroundings {
  /** Older names of a function. */
  readonly olderNames?: readonly string[];
  readonly seeAlso?: readonly { readonly name: string; readonly target: Target }[];
}

type Callable = Pick<
  Method,
  'summary' | 'details' | 'params' | 'returns' | 'errors' | 'example' | 'since' | 'source' | 'suspends'
>;

function callable(name: string, one: Callable, around: Surroundings = {}): Block[] {
  const { olderNames = [], seeAlso = [] } = around;
  const facts: [string, Inlines][] = [['Returns', asCode(one.returns)]];
  if (one.errors !== undefined) facts.push(['Errors', sentences(one.errors)]);
  if (one.suspends) facts.push(['Waits', [text('The script waits for the result; the server goes on.')]]);
  if (one.since !== undefined) facts.push(['Since', [text(one.since)]]);
  if (one.source !== undefined) facts.push(['Source', [text(one.source)]]);
  if (olderNames.length > 0) facts.push(['Older names', commas(olderNames.map((old) => code(old)))]);
  if (seeAlso.length > 0)
    facts.push(['See also', commas(seeAlso.map((other) => link(other.target, text(other.name))))]);
  return [
    { kind: 'code', text: signatureOf(name, one.params, one.returns), language: 'signature' },
    { kind: 'paragraph', parts: sentences(one.summary) },
    ...(one.details === undefined ? [] : parseMarkdown(one.details)),
    ...parameterTables(one.params),
    { kind: 'facts', facts },
    ...exampleBlocks(one.example),
  ];
}

function exampleBlocks(example: string | undefined): Block[] {
  return example === undefined ? [] : [{ kind: 'code', text: example, language: 'hsl' }];
}

function commas(parts: readonly Inlines[number][]): Inlines {
  return parts.flatMap((part, index) => (index === 0 ? [part] : [text(', '), part]));
}

/** A function; its anchor is its name. */
export function describeBuiltin(one: Builtin, level: number, around: Surroundings = {}): Block[] {
  const title = heading(level, [plainCode(one.name)], one.name);
  if (one.deprecated !== undefined)
    return [title, { kind: 'paragraph', parts: [text('Older name of '), code(one.deprecated), text('.')] }];
  return [title, ...callable(one.name, one, around)];
}

/** The anchor of a method on the page of its class: a static function may have the name of a method. */
export function methodAnchor(name: string, isStatic: boolean): string {
  return isStatic ? `static-${name}` : `method-${name}`;
}

/** One method; `called` is what stands before its name in a call. */
export function describeMethod(method: Method, called: string, level: number, anchor?: string): Block[] {
  const name = `${called}${method.name}`;
  return [heading(level, [plainCode(name)], anchor), ...callable(name, method)];
}

/**
 * A class: what it is, its constructor, static functions, methods. Methods that `inherited` has are listed with the class
 * that describes them.
 */
export function describeClass(
  one: NativeClass,
  level: number,
  inherited: ReadonlyMap<Method, Target> = new Map(),
): Block[] {
  const blocks: Block[] = [
    { kind: 'paragraph', parts: sentences(one.summary) },
    ...(one.details === undefined ? [] : parseMarkdown(one.details)),
    ...exampleBlocks(one.example),
  ];
  if (one.constructorOf !== undefined)
    blocks.push(
      heading(level, [plainCode(one.name)], 'constructor'),
      ...callable(one.name, { ...one.constructorOf, summary: 'Makes one.' }),
    );
  for (const method of Object.values(one.statics))
    blocks.push(...describeMethod(method, `${one.name}::`, level, methodAnchor(method.name, true)));
  const borrowed: Block[] = [];
  for (const method of Object.values(one.methods)) {
    const anchor = methodAnchor(method.name, false);
    const target = inherited.get(method);
    if (target === undefined) blocks.push(...describeMethod(method, '->', level, anchor));
    else
      borrowed.push(heading(level + 1, [link(target, code(`->${method.name}`))], anchor), {
        kind: 'paragraph',
        parts: sentences(method.summary),
      });
  }
  if (borrowed.length > 0) blocks.push(heading(level, 'Also', 'also'), ...borrowed);
  return blocks;
}

/** Predefined variables with their keys. */
export function describeVariables(variables: readonly PredefinedVariable[], level: number): Block[] {
  return variables.flatMap((one) => {
    const blocks: Block[] = [
      heading(level, [plainCode(`$${one.name}`)], `variable-${one.name}`),
      {
        kind: 'paragraph',
        parts: [...sentences(one.summary), ...(one.readonly ? [text(' Read-only.')] : [])],
      },
    ];
    if (one.keys !== undefined)
      blocks.push({
        kind: 'table',
        head: [[text('key')], [text('meaning')]],
        rows: Object.entries(one.keys).map(([key, doc]) => ({ cells: [asCode(key), sentences(doc)] })),
      });
    return blocks;
  });
}
