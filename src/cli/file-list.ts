// Lists of files inside a YAML document, as editors and running configurations carry them: {id, data, binary?}.

import { textToBytes } from '#lang';

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The files by id, as bytes, or a sentence that says what is wrong with the list at `key`. */
export function readFileList(list: unknown, key: string): ReadonlyMap<string, string> | string {
  if (list === undefined || list === null) return new Map();
  if (!Array.isArray(list)) return `the key "${key}" is no list; expected items with id and data`;
  const files = new Map<string, string>();
  for (const file of list as unknown[]) {
    if (!isRecord(file) || typeof file['id'] !== 'string' || typeof file['data'] !== 'string') {
      return `an item of "${key}" has no id or no data; expected {id, data, binary?}`;
    }
    files.set(
      file['id'],
      file['binary'] === true
        ? Buffer.from(file['data'], 'base64').toString('latin1')
        : textToBytes(file['data']),
    );
  }
  return files;
}
