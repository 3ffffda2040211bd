// Data files that are text with a structure: json, yaml, csv, txt.

import type { DataLoader, Value } from '#lang';
import { HslArray } from '#lang';
import { decodeCsvTable } from '../encodings/csv-table.js';
import { decodeJson } from '../encodings/json-decode.js';
import { decodeYaml } from '../encodings/yaml-decode.js';

/** Configuration may be large, and loading it happens before any mail waits. */
const LONGEST_YAML_FILE_BYTES = 64 * 1024 * 1024;

export const jsonLoader: DataLoader = {
  extensions: ['.json'],
  options: [],
  load: (file) => decodeJson(file.text, true),
};

export const yamlLoader: DataLoader = {
  extensions: ['.yaml', '.yml'],
  options: [],
  load: (file) => decodeYaml(file.text, LONGEST_YAML_FILE_BYTES),
};

/** The options are those of csv_decode. */
export const csvLoader: DataLoader = {
  extensions: ['.csv'],
  options: ['delimiter', 'header', 'schema'],
  load: (file, options) => {
    const delimiter = options.get('delimiter') ?? ',';
    const header = options.get('header') ?? true;
    const schema = options.get('schema');
    if (typeof delimiter !== 'string') return { problem: 'the option delimiter must be a string' };
    if (typeof header !== 'boolean') return { problem: 'the option header must be true or false' };
    if (schema !== undefined && !(schema instanceof HslArray))
      return { problem: 'the option schema must be an array' };
    return decodeCsvTable(file.text, { delimiter, header, schema });
  },
};

/** The whole text, or with `array` its lines without their ends. */
export const txtLoader: DataLoader = {
  extensions: ['.txt'],
  options: ['array'],
  load: (file, options) => {
    const array = options.get('array') ?? false;
    if (typeof array !== 'boolean') return { problem: 'the option array must be true or false' };
    return { value: array ? textLines(file.text) : file.text };
  },
};

function textLines(text: string): Value {
  const lines = text.split(/\r?\n/);
  // The end of the last line begins no further one.
  if (lines.at(-1) === '') lines.pop();
  return HslArray.fromList(lines);
}
