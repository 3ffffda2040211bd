// What the specification of the library (stdlib/SPEC.md) asks for, read from its tables: names, parameters, options,
// which of them wait. Prose is read only where a class is described in a paragraph instead of a table.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './peers.js';

/** How many arguments a call may have. */
export interface Arity {
  readonly required: number;
  /** Infinity when the last one repeats. */
  readonly most: number;
}

export interface ReferenceCallable {
  /** `f`, `Class`, `Class->m` or `Class::m`. */
  readonly name: string;
  readonly section: number;
  readonly arity: Arity | undefined;
  /** Marked A: it may suspend the script. */
  readonly suspends: boolean;
  /** Option keys; the value is the default as written, undefined when none is. */
  readonly options: ReadonlyMap<string, string | undefined>;
}

/** Arguments between the parentheses of a signature: those in brackets may be left out. */
export function arityOf(signature: string): Arity {
  let depth = 0;
  let required = 0;
  let optional = 0;
  let hasRest = false;
  for (const [token] of signature.matchAll(/[[\]]|"[^"]*"|[^\s,[\]][^,[\]]*/g)) {
    if (token === '[') depth++;
    else if (token === ']') depth--;
    else if (token.startsWith('...')) hasRest = true;
    else if (/^\s*=/.test(token)) continue;
    else if (depth > 0) optional++;
    else required++;
  }
  return { required, most: hasRest ? Number.POSITIVE_INFINITY : required + optional };
}

interface Row {
  readonly section: number;
  /** Cells by column title; the first column is `signature` or `method` or `option`. */
  readonly cells: Readonly<Record<string, string>>;
  readonly first: string;
  /** The nearest heading or paragraph opening above. */
  readonly owner: string;
}

const ticked = /`([^`]+)`/g;

function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** The rows of all tables, and the other lines with the section they stand in. */
function readSpecification(): { rows: Row[]; lines: { section: number; text: string }[] } {
  const rows: Row[] = [];
  const lines: { section: number; text: string }[] = [];
  let section = 0;
  let owner = '';
  let titles: readonly string[] | undefined;
  for (const line of readFileSync(path.join(root, 'stdlib/SPEC.md'), 'utf8').split('\n')) {
    const heading = /^## (\d+)\./.exec(line);
    if (heading !== null) section = Number(heading[1]);
    if (!line.startsWith('|')) {
      titles = undefined;
      const named = /^(?:### (\w+)|\*\*(\w+)\*\*|(\w+)\()/.exec(line);
      if (named !== null) owner = named[1] ?? named[2] ?? named[3] ?? owner;
      lines.push({ section, text: line });
      continue;
    }
    const cells = cellsOf(line);
    if (titles === undefined) titles = cells;
    else if (!/^-+$/.test(cells[0] ?? '')) {
      rows.push({
        section,
        owner,
        first: cells[0] ?? '',
        cells: Object.fromEntries(titles.map((title, index) => [title, cells[index] ?? ''])),
      });
      lines.push({ section, text: line });
    }
  }
  return { rows, lines };
}

/** Options that a row's notes list behind the word "opts". */
function optionsOf(notes: string): Map<string, string | undefined> {
  const options = new Map<string, string | undefined>();
  // What stands in parentheses explains an option.
  const list = /\bopts (`.*)/.exec(notes.replace(/\((?:[^()]|\([^()]*\))*\)/g, ''))?.[1] ?? '';
  for (const [, token] of (/^(?:[^.;]|\.(?!\s))*/.exec(list)?.[0] ?? '').matchAll(ticked)) {
    const option = /^(\w+)(?: (?:string|boolean|number|array|function))?(?: = (.+))?$/.exec(token ?? '');
    if (option !== null && !/^(true|false|none|PrivateKeyInfo|SubjectPublicKeyInfo)$/.test(option[1]!))
      options.set(option[1]!, option[2]);
  }
  return options;
}

const constructs = new Set(['array', 'isset', 'unset', 'echo expr;']);

/** The lower-case functions of sections 1 to 12 that have priority 1 or 2. */
export function referenceFunctions(): ReferenceCallable[] {
  const found: ReferenceCallable[] = [];
  const { rows, lines } = readSpecification();
  for (const { section, cells, first } of rows) {
    if (section < 1 || section > 12 || cells.signature === undefined) continue;
    if (cells.P === '–' || (cells.P === '' && first.includes('array_range'))) continue;
    const notes = Object.values(cells).slice(1).join(' | ');
    const tokens = [...first.matchAll(ticked)].map(([, token]) => token!);
    const shared = tokens.map((token) => /\((.*)\)$/.exec(token)?.[1]).find((inner) => inner !== undefined);
    for (const token of tokens) {
      const parsed = /^([a-z]\w*)(?:\((.*)\))?$/.exec(token);
      if (parsed === null || constructs.has(parsed[1]!)) continue;
      const inner = parsed[2] === '...' ? shared : (parsed[2] ?? shared);
      found.push({
        name: parsed[1]!,
        section,
        arity: inner === undefined ? undefined : arityOf(inner),
        suspends: /\*\*A\*\*/.test(cells.A ?? '') || (section === 10 && cells.P !== '–'),
        options: optionsOf(notes),
      });
    }
  }
  // Functions that have a heading of their own, with a table of options.
  for (const { section, text } of lines) {
    const heading = /^### ([a-z]\w*)\((.*?)\) (?:→|\()/.exec(text);
    if (heading === null) continue;
    const name = heading[1]!;
    const options = new Map<string, string | undefined>();
    for (const row of rows) {
      if (row.owner !== name || row.cells.option === undefined) continue;
      for (const [, token] of row.first.matchAll(ticked)) {
        const initial = row.cells.default ?? /= ([^ (]+)/.exec(row.cells['type = default'] ?? '')?.[1];
        options.set(token!.split(' ')[0]!, initial);
      }
    }
    found.push({ name, section, arity: arityOf(heading[2]!), suspends: true, options });
  }
  // Metrics stand in a paragraph.
  for (const { section, text } of lines.filter(({ text: line }) => line.includes('`metrics_'))) {
    for (const [, name, inner] of text.matchAll(/`(metrics_\w+)\((.*?)\)`/g))
      found.push({ name: name!, section, arity: arityOf(inner!), suspends: false, options: new Map() });
  }
  return found;
}

/** The options of signDKIM, from the table of its own. */
export function referenceSigningOptions(): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const { section, first, cells } of readSpecification().rows) {
    if (section !== 15 || cells.option === undefined) continue;
    const names = [...first.matchAll(ticked)].map(([, name]) => name!);
    const defaults = (cells.default ?? '').split(' / ');
    names.forEach((name, index) => {
      options.set(name, defaults[index] ?? defaults[0]!);
    });
  }
  return options;
}

/** The classes of sections 13 to 15 with their methods and static functions. */
export function referenceMethods(): ReferenceCallable[] {
  const found = new Map<string, ReferenceCallable>();
  let of = '';
  const add = (name: string, section: number, inner: string | undefined, notes = ''): void => {
    if (found.has(name)) return;
    found.set(name, {
      name,
      section,
      arity: inner === undefined ? undefined : arityOf(inner),
      suspends: /\*\*A\*\*/.test(notes),
      options: optionsOf(notes),
    });
  };
  for (const { section, text } of readSpecification().lines) {
    if (section < 13 || section > 15) continue;
    // The bundled modules are described behind the classes.
    if (text.includes('`AuthenticationResults()`')) break;
    const bold = /(?:^|\. )\*\*([A-Z]\w+)(?:\(\))?\*\*(?:`\((.*?)\)`)?/.exec(text);
    if (bold !== null && !text.startsWith('|')) {
      of = bold[1]!;
      add(of, section, bold[2]);
    }
    const isRow = text.startsWith('|');
    const [first = '', ...others] = isRow ? cellsOf(text) : [text];
    const notes = others.join(' | ');
    for (const [, token] of first.matchAll(ticked)) {
      const parsed = /^(?:(->)|(\w+)::)?(\w+)(?:\((.*)\))?$/s.exec(token!);
      if (parsed === null) continue;
      const [, arrow, ofStatic, name, inner] = parsed;
      if (arrow !== undefined) add(`${of}->${name}`, section, inner, notes);
      else if (ofStatic !== undefined) add(`${ofStatic}::${name}`, section, inner, notes);
      else if (/^[A-Z][A-Za-z0-9]*$/.test(name!) && inner !== undefined && /^\|? ?`[A-Z]|^\*\*/.test(text)) {
        if (isRow && first.startsWith('`')) of = name!;
        if (name === of) add(of, section, inner);
      } else if (isRow && inner === undefined && /^(set|get)[A-Z]/.test(name!)) {
        add(`${of}->${name}`, section, name!.startsWith('set') ? 'value' : '', notes);
      } else if (of === 'MailMessage' && inner !== undefined && /^[a-z]/.test(name!)) {
        if (/^\*\*MailMessage|^`queue/.test(text)) add(`MailMessage->${name}`, section, inner || undefined);
      } else if (of === 'LDAP' && inner !== undefined && text.startsWith('static')) {
        add(`LDAP::${name}`, section, inner);
      }
    }
    if (of === 'X509CRL' && text.startsWith('**X509CRL')) {
      for (const name of [
        'issuer',
        'revoked',
        'version',
        'last_update',
        'next_update',
        'export',
        'extensions',
      ])
        add(`X509CRL->${name}`, section, undefined);
      add('X509CRL->toResource', section, '');
      add('X509CRL::String', section, undefined);
    }
    if (text.includes('`LDAPResult->next()`')) add('LDAPResult->next', section, '');
  }
  return [...found.values()];
}

/** Section 16: each older name, and the current one where it has the same arguments. */
export function referenceAliases(): ReadonlyMap<string, string | undefined> {
  const aliases = new Map<string, string | undefined>();
  const { lines } = readSpecification();
  const inSection = lines.filter(({ section }) => section === 16).map(({ text }) => text);
  for (const clause of inSection
    .slice(1)
    .join(' ')
    .split(/;|\.(?:\s|$)/)) {
    const [left = '', right] = clause.split('→');
    const olds = left.split(/,(?![^(]*\))/).map((name) => /^\w*/.exec(name.trim())![0]);
    const currents = right?.split(',').map((name) => name.trim());
    olds.forEach((old, index) => {
      if (old === 'dns') for (const shim of dnsShims(lines)) aliases.set(shim, undefined);
      else if (old !== '')
        aliases.set(old, /^\w+$/.test(currents?.[0] ?? '') ? (currents![index] ?? currents![0]) : undefined);
    });
  }
  return aliases;
}

/** `dns*` of section 16, as section 10 names them. */
function dnsShims(lines: readonly { text: string }[]): string[] {
  const listed = lines.map(({ text }) => /Older functions `(dns, [\w, ]+)`/.exec(text)?.[1]).find(Boolean);
  return [...listed!.split(', '), 'dnsbl'];
}
