// A running configuration as `hsh -A` takes it (control-api 8.3): YAML whose `__entrypoint` is the code to run and whose
// `scripting.files` can be included. The rest of it is the daemon's.

import { parse } from 'yaml';
import { textToBytes } from '#lang';
import { isRecord, readFileList } from './file-list.js';

export interface RunningConfiguration {
  /** Bytes. */
  readonly entrypoint: string;
  readonly files: ReadonlyMap<string, string>;
  readonly rootPath: string | undefined;
}

/** @returns the parts that matter here, or a sentence that says what is wrong */
export function readRunningConfiguration(text: string): RunningConfiguration | string {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return `it is not YAML: ${(error as Error).message}`;
  }
  if (!isRecord(value) || typeof value['__entrypoint'] !== 'string')
    return 'the key "__entrypoint" is missing or no text; expected the code to run';
  const scripting = isRecord(value['scripting']) ? value['scripting'] : {};
  const files = readFileList(scripting['files'], 'scripting.files');
  if (typeof files === 'string') return files;
  const rootPath = typeof scripting['rootpath'] === 'string' ? scripting['rootpath'] : undefined;
  return { entrypoint: textToBytes(value['__entrypoint']), files, rootPath };
}
