// A CSV text as an array of rows, keyed by the header's names and typed by a schema. Used by csv_decode and by
// `import $rows from "f.csv"`, which take the same options.

import { HslArray, type Key, ScriptFault, type Value } from '#lang';
import { decodeCsvRows } from './csv.js';
import type { Decoded } from './json-decode.js';

export interface CsvOptions {
  readonly delimiter: string;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  readonly schema: HslArray | undefined;
}

/** What a column's texts mean. */
interface Column {
  readonly type: 'string' | 'number' | 'boolean';
  /** Texts that mean none. */
  readonly none: ReadonlySet<string>;
  readonly true: ReadonlySet<string>;
  readonly false: ReadonlySet<string>;
}

type Schema = ReadonlyMap<Key, Column>;

/** The rows, or what is wrong in which line. @throws ScriptFault when an option is wrong */
export function decodeCsvTable(text: string, options: CsvOptions): Decoded {
  checkDelimiter(options.delimiter);
  const schema = readSchema(options.schema);
  const decoded = decodeCsvRows(text, options.delimiter);
  if ('problem' in decoded) return decoded;
  const { rows, lines } = decoded;
  const names = options.header ? rows[0] : undefined;
  const table: Value[] = [];
  for (let i = names === undefined ? 0 : 1; i < rows.length; i++) {
    const row = rows[i]!;
    if (names !== undefined && row.length !== names.length) {
      return {
        problem: `the row has ${row.length} fields, the header names ${names.length} columns`,
        line: lines[i]!,
      };
    }
    const record = HslArray.empty();
    for (let column = 0; column < row.length; column++) {
      const name = names === undefined ? column : names[column]!;
      const value = readField(row[column]!, schema.get(names === undefined ? column : keyOf(name)));
      if (value === undefined) {
        return {
          problem: `the field ${JSON.stringify(row[column])} of column "${name}" is no ${schema.get(keyOf(name))!.type}`,
          line: lines[i]!,
        };
      }
      record.set(name, value);
    }
    table.push(record);
  }
  return { value: HslArray.fromList(table) };
}

/** @throws ScriptFault unless it is one byte that has no other meaning in CSV */
export function checkDelimiter(delimiter: string): void {
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw new ScriptFault(
      `csv: the delimiter must be one byte other than a quote or a line end, found ${JSON.stringify(delimiter)}`,
    );
  }
}

/** Column names as the schema array has them: "1" is the number 1 there. */
function keyOf(name: string | number): Key {
  const probe = HslArray.empty();
  probe.set(name, null);
  return probe.keys().next().value as Key;
}

function readField(text: string, column: Column | undefined): Value | undefined {
  if (column === undefined) return text;
  if (column.none.has(text)) return null;
  if (column.type === 'string') return text;
  if (column.type === 'boolean')
    return column.true.has(text) ? true : column.false.has(text) ? false : undefined;
  return /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : undefined;
}

function readSchema(schema: HslArray | undefined): Schema {
  const columns = new Map<Key, Column>();
  for (const [name, entry] of schema?.entries() ?? []) {
    if (!(entry instanceof HslArray))
      throw new ScriptFault(`csv: the schema of column "${String(name)}" must be an array`);
    const type = entry.get('type') ?? 'string';
    if (type !== 'string' && type !== 'number' && type !== 'boolean') {
      throw new ScriptFault(
        `csv: the type of column "${String(name)}" must be "string", "number" or "boolean", found ${JSON.stringify(type)}`,
      );
    }
    const nullable = entry.get('nullable') ?? false;
    columns.set(name, {
      type,
      none: nullable === true ? new Set(['']) : readTexts(nullable, []),
      true: readTexts(entry.get('true'), ['true']),
      false: readTexts(entry.get('false'), ['false']),
    });
  }
  return columns;
}

function readTexts(value: Value | undefined, otherwise: readonly string[]): ReadonlySet<string> {
  if (!(value instanceof HslArray)) return new Set(otherwise);
  return new Set([...value.values()].filter((text) => typeof text === 'string'));
}
