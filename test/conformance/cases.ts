// Reads case files. Two formats, one meaning:
//
//   a list of    name, script, files, output | error           output: every echo with a line feed behind it
//   cases: of    id, group, script, expect                     expect: the same without the last line feed
//
// Keys that are not named here are ignored. Text in YAML is Unicode; scripts and what they print are bytes.

import { parseDocument } from 'yaml';
import { textToBytes } from '#lang';

/** When a case expects failure: before anything ran, by an uncaught error, or either. */
export type ExpectedError = 'compile' | 'runtime' | 'any';

/** One script and what must come of it. Texts are bytes. */
export interface Case {
  readonly name: string;
  /** Of the second format only. */
  readonly group: string | undefined;
  readonly script: string;
  readonly files: ReadonlyMap<string, string>;
  /** What must be printed, with the last line feed; undefined when it does not matter. */
  readonly output: string | undefined;
  /** True when the case names its output without the last line feed. */
  readonly dropsLastLineFeed: boolean;
  readonly error: ExpectedError | undefined;
}

/** A case file that is not one; the message says what and where. */
export class CaseFileError extends Error {}

/** @throws CaseFileError */
export function readCases(text: string, file: string): Case[] {
  const document = parseDocument(text, { uniqueKeys: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw new CaseFileError(`${file}: ${broken.message}`);
  const content: unknown = document.toJS();
  const list = isRecord(content) ? content['cases'] : content;
  if (!Array.isArray(list))
    throw new CaseFileError(`${file}: expected a list of cases, or a map with the key "cases"`);
  return list.map((entry: unknown, index) => readCase(entry, `${file}: case ${index + 1}`));
}

function readCase(entry: unknown, place: string): Case {
  if (!isRecord(entry)) throw new CaseFileError(`${place} is not a map`);
  const name = entry['name'] ?? entry['id'];
  if (typeof name !== 'string') throw new CaseFileError(`${place} has no name or id`);
  const script = entry['script'];
  if (typeof script !== 'string') throw new CaseFileError(`${place} (${name}) has no script`);
  const error = entry['error'];
  if (error !== undefined && error !== 'compile' && error !== 'runtime' && error !== 'any')
    throw new CaseFileError(
      `${place} (${name}): error must be compile, runtime or any, not ${String(error)}`,
    );
  const output = entry['output'] ?? entry['expect'];
  const group = entry['group'];
  return {
    name,
    group: typeof group === 'string' ? group : undefined,
    script: textToBytes(script),
    files: readFiles(entry['files'], `${place} (${name})`),
    output: output === undefined ? undefined : textToBytes(String(output)),
    dropsLastLineFeed: !('output' in entry),
    error,
  };
}

function readFiles(given: unknown, place: string): ReadonlyMap<string, string> {
  if (given === undefined || given === null) return new Map();
  if (!isRecord(given)) throw new CaseFileError(`${place}: files must be a map of name to content`);
  return new Map(
    Object.entries(given).map(([name, content]) => [textToBytes(name), textToBytes(String(content ?? ''))]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
