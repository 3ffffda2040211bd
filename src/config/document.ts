// One YAML file: read, checked against its schema, with every problem at its line and column.

import type { ErrorObject } from 'ajv/dist/2020.js';
import { type Document, isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { suggest } from '#lang';
import type { ConfigProblem } from './problem.js';
import { type SettingsFile, validators } from './schema/validators.js';

type Path = readonly (string | number)[];

/** A checked file. `problemAt` makes a problem at a place in it, for checks that come later. */
export interface ConfigDocument<T> {
  readonly file: string;
  readonly value: T;
  problemAt(path: Path, message: string, severity?: 'error' | 'warning'): ConfigProblem;
}

const supportedVersions = { lowest: [5, 0], highest: [6, 8] } as const;

function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  // A key in a wrong place is still a secret.
  if (text.includes('PRIVATE KEY-----')) return 'a private key';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function versionProblem(value: unknown): string | undefined {
  const { lowest, highest } = supportedVersions;
  const expected = `expected a text from "${lowest.join('.')}" to "${highest.join('.')}", such as version: "6.8"`;
  if (value === undefined) return `the version is missing; ${expected}`;
  const match = typeof value === 'string' ? /^(\d+)\.(\d+)$/.exec(value) : null;
  if (match === null) return `found version ${shown(value)}; ${expected}`;
  // "5.10" is newer than "5.9": the parts are numbers of their own.
  const [major, minor] = [Number(match[1]), Number(match[2])];
  const below = major < lowest[0] || (major === lowest[0] && minor < lowest[1]);
  const above = major > highest[0] || (major === highest[0] && minor > highest[1]);
  return below || above ? `version ${shown(value)} is not supported; ${expected}` : undefined;
}

function messageOf(error: ErrorObject): string {
  const isSecret = error.parentSchema?.['secret'] === true;
  const found = `found ${isSecret ? `a ${typeof error.data}` : shown(error.data)}`;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty']);
      const [choice] = Object.keys((error.parentSchema?.['patternProperties'] as object | undefined) ?? {});
      if (choice !== undefined) return `unknown key ${shown(key)}; expected ${choicesOf(choice)}`;
      const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {});
      const near = suggest(key, known);
      return `unknown key ${shown(key)}${near === undefined ? '' : `; did you mean "${near}"?`}`;
    }
    case 'required':
      return `the key "${String(error.params['missingProperty'])}" is missing`;
    case 'later':
      return `this setting is documented, but ${String(error.schema)} is not supported yet; remove it`;
    case 'onlyFor':
      return `${found}; only ${(error.schema as unknown[]).map(shown).join(', ')} ${(error.schema as unknown[]).length === 1 ? 'is' : 'are'} possible, ${String(error.parentSchema?.['feature'])} is not supported yet`;
    case 'onlyFields':
      return `${found}; only policies with fields: [${(error.schema as string[]).join(', ')}] are supported yet`;
    case 'textOrFlag':
      return `${found}; expected a text, true or false`;
    case 'textOrTexts':
      return `${found}; expected a text, or a list of texts`;
    case 'flagOrTexts':
      return `${found}; expected true, false, or a list of texts`;
    case 'retryInterval':
      return `${found}; expected seconds, a text such as "1h30m", or {interval: 1h30m, notify: true}`;
    case 'rate':
      return `${found}; expected so many in so many seconds, such as "30/60"`;
    case 'network':
      return `${found}; expected an address, address/bits, first-last, or unix`;
    case 'apiKey':
      return `${found}; expected the key as a text, or {id: ..., sha256: 64 hex digits}`;
    case 'rcpttoHook':
      return `${found}; expected the id of a script, or {id: ..., recipientdomains: {domain: id}}`;
    case 'unit':
      return error.schema === 'size'
        ? `${found}; expected a number of bytes, or a text such as "50MiB" (TiB, GiB, MiB, KiB, B)`
        : `${found}; expected a number of seconds, or a text such as "1h30m" (d, h, m, s)`;
    case 'type':
      return `${found}; expected ${article(String(error.params['type']))}`;
    case 'pattern':
      return `${found}; expected ${String(error.parentSchema?.['form'] ?? `a text that matches ${String(error.schema)}`)}`;
    case 'enum':
      return `${found}; expected one of ${(error.schema as unknown[]).map(shown).join(', ')}`;
    case 'minimum':
    case 'maximum':
      return `${found}; the ${error.keyword} is ${String(error.params['limit'])}`;
    case 'minItems':
      return 'the list is empty; expected at least one item';
    default:
      return `${found}; ${error.message ?? 'is not valid here'}`;
  }
}

/** `^(A|B)$` as words. */
function choicesOf(pattern: string): string {
  const [, choices] = /^\^\(([^()]*)\)\$$/.exec(pattern) ?? [];
  return choices === undefined ? `a key that matches ${pattern}` : `one of ${choices.replaceAll('|', ', ')}`;
}

function article(type: string): string {
  const words: Record<string, string> = {
    object: 'a map',
    array: 'a list',
    integer: 'a whole number',
    string: 'a text',
    boolean: 'true or false',
  };
  return words[type] ?? `a ${type}`;
}

/** Where a node (or, for an unknown key, the key itself) begins. */
function placeOf(
  doc: Document.Parsed,
  lines: LineCounter,
  path: Path,
  key?: string,
): { line: number; column: number } | undefined {
  let offset: number | undefined;
  const owner = path.length === 0 ? doc.contents : doc.getIn(path, true);
  if (key !== undefined && isMap(owner)) {
    const pair = owner.items.find(
      (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === key,
    );
    if (pair !== undefined && isScalar(pair.key)) offset = pair.key.range?.[0];
  }
  offset ??= (owner as { range?: readonly number[] } | null | undefined)?.range?.[0];
  if (offset === undefined)
    return path.length === 0 ? undefined : placeOf(doc, lines, path.slice(0, -1), String(path.at(-1)));
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/**
 * Reads one configuration file; `kind` is the name that it has where nobody gives it another.
 * @returns the checked document, or what is wrong with it
 */
export function readDocument<T>(
  file: string,
  source: string,
  kind: SettingsFile,
): { readonly document: ConfigDocument<T> } | { readonly problems: readonly ConfigProblem[] } {
  const lines = new LineCounter();
  const doc = parseDocument(source, { lineCounter: lines, uniqueKeys: true, version: '1.2' });
  const problemAt = (
    path: Path,
    message: string,
    severity: 'error' | 'warning' = 'error',
    key?: string,
  ): ConfigProblem => ({
    file,
    ...(placeOf(doc, lines, path, key) ?? {}),
    path: pathText(path),
    message,
    severity,
  });

  if (doc.errors.length > 0) {
    const problems = doc.errors.map((error): ConfigProblem => {
      const { line, col } = lines.linePos(error.pos[0]);
      return {
        file,
        line,
        column: col,
        message: error.message.split('\n')[0]!.replace(/ at line \d+.*$/, ''),
        severity: 'error',
      };
    });
    return { problems };
  }
  const value: unknown = doc.toJS({ maxAliasCount: 100 });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      problems: [
        {
          file,
          line: 1,
          column: 1,
          message: `found ${shown(value)}; expected a map with a version`,
          severity: 'error',
        },
      ],
    };
  }
  const badVersion = versionProblem((value as { version?: unknown }).version);
  if (badVersion !== undefined) return { problems: [problemAt(['version'], badVersion)] };

  const validate = validators[kind]();
  if (!validate(value)) {
    // What is wrong behind an "if" is told by itself.
    const errors = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if');
    const problems = errors.map((error) => {
      const path = error.instancePath
        .split('/')
        .slice(1)
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
        .map((part, index, all) => (Array.isArray(at(value, all.slice(0, index))) ? Number(part) : part));
      const key =
        error.keyword === 'additionalProperties' ? String(error.params['additionalProperty']) : undefined;
      return problemAt(path, messageOf(error), 'error', key);
    });
    return { problems };
  }
  return {
    document: {
      file,
      value: value as T,
      problemAt: (path, message, severity) => problemAt(path, message, severity),
    },
  };
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}
