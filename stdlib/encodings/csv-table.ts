// A CSV text as an array of rows, keyed by the header's names and typed by a schema. Used by csv_decode and by
// `import $rows from "f.csv"`, which take the same options.

import { HslArray, type Key, ScriptFault, type Value } from '#lang';
import { type CsvProblem, type CsvRow, readCsvRows } from './csv.js';
import type { Decoded } from './json-decode.js';

export interface CsvOptions {
  readonly delimiter: string;
  /** Whether the first record names the columns. */
  readonly header: boolean;
  readonly schema: HslArray | undefined;
}

/** What a column's texts mean. */
interface Meaning {
  readonly type: 'string' | 'number' | 'boolean';
  /** Texts that mean none. */
  readonly none: ReadonlySet<string>;
  readonly true: ReadonlySet<string>;
  readonly false: ReadonlySet<string>;
}

type Schema = ReadonlyMap<Key, Meaning>;

interface Column {
  readonly name: string | number;
  readonly meaning: Meaning | undefined;
}

/** Rows between two looks of whoever reads in stretches. */
const STRETCH = 256;

/** What a row takes in memory beside its fields, and a field beside its text. */
const ROW_BYTES = 96;
const FIELD_BYTES = 40;

/** The rows, or what is wrong in which line. @throws ScriptFault when an option is wrong */
export function decodeCsvTable(text: string, options: CsvOptions): Decoded {
  const reading = readCsvTable(text, options, 'csv', () => {});
  let step = reading.next();
  while (!step.done) step = reading.next();
  return step.value;
}

/**
 * `decodeCsvTable` in stretches of about a millisecond: between them the caller may do something else.
 * @param called what messages name
 * @param reserve hears of the memory that rows take; it may throw
 */
export function* readCsvTable(
  text: string,
  options: CsvOptions,
  called: string,
  reserve: (bytes: number, elements: number) => void,
): Generator<undefined, Decoded> {
  checkDelimiter(options.delimiter, called);
  const schema = readSchema(options.schema, called);
  const table: Value[] = [];
  let columns: readonly Column[] | undefined;
  let fields = 0;
  const rows = readCsvRows(text, options.delimiter);
  for (let next = rows.next(); ; next = rows.next()) {
    if (next.done) {
      if (next.value !== undefined) return next.value;
      break;
    }
    const row = next.value;
    if (columns === undefined) {
      columns = columnsOf(row.fields, options.header, schema);
      if (options.header) continue;
    }
    const record = recordOf(row, columns, schema, options.header);
    if (!(record instanceof HslArray)) return record;
    table.push(record);
    fields += row.fields.length;
    if (table.length % STRETCH === 0) {
      reserve(STRETCH * ROW_BYTES + fields * FIELD_BYTES, fields);
      fields = 0;
      yield;
    }
  }
  reserve((table.length % STRETCH) * ROW_BYTES + fields * FIELD_BYTES, fields);
  return { value: HslArray.fromList(table) };
}

/** The columns of the first record: what it names, or its positions. */
function columnsOf(first: readonly string[], isHeader: boolean, schema: Schema): readonly Column[] {
  return first.map((name, position) => columnOf(isHeader ? name : position, schema));
}

function columnOf(name: string | number, schema: Schema): Column {
  return { name, meaning: schema.get(keyOf(name)) };
}

function recordOf(
  { fields, line }: CsvRow,
  columns: readonly Column[],
  schema: Schema,
  isKeyed: boolean,
): HslArray | CsvProblem {
  if (isKeyed && fields.length !== columns.length)
    return {
      problem: `the row has ${fields.length} fields, the header names ${columns.length} columns`,
      line,
    };
  const record = HslArray.empty();
  for (let position = 0; position < fields.length; position++) {
    // Without a header a row may be longer than the first.
    const { name, meaning } = columns[position] ?? columnOf(position, schema);
    const value = readField(fields[position]!, meaning);
    if (value === undefined)
      return {
        problem: `the field ${JSON.stringify(fields[position])} of column "${name}" is no ${meaning!.type}`,
        line,
      };
    record.set(name, value);
  }
  return record;
}

/** @throws ScriptFault unless it is one byte that has no other meaning in CSV */
export function checkDelimiter(delimiter: string, called: string): void {
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw new ScriptFault(
      `${called}: the delimiter must be one byte other than a quote or a line end, found ${JSON.stringify(delimiter)}`,
    );
  }
}

/** Column names as the schema array has them: "1" is the number 1 there. */
function keyOf(name: string | number): Key {
  const probe = HslArray.empty();
  probe.set(name, null);
  return probe.keys().next().value as Key;
}

function readField(text: string, column: Meaning | undefined): Value | undefined {
  if (column === undefined) return text;
  if (column.none.has(text)) return null;
  if (column.type === 'string') return text;
  if (column.type === 'boolean')
    return column.true.has(text) ? true : column.false.has(text) ? false : undefined;
  return /^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(text) ? Number(text) : undefined;
}

function readSchema(schema: HslArray | undefined, called: string): Schema {
  const columns = new Map<Key, Meaning>();
  for (const [name, entry] of schema?.entries() ?? []) {
    if (!(entry instanceof HslArray))
      throw new ScriptFault(`${called}: the schema of column "${String(name)}" must be an array`);
    const type = entry.get('type') ?? 'string';
    if (type !== 'string' && type !== 'number' && type !== 'boolean') {
      throw new ScriptFault(
        `${called}: the type of column "${String(name)}" must be "string", "number" or "boolean", found ${JSON.stringify(type)}`,
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
