// Files that a command is given, read where the command runs.

import { readFileSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/** The bytes of the file that an option names. @throws UsageError that says what is wrong with it */
export function bytesOfFile(file: string, option: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${option}: ${adviceOn(file, error as NodeJS.ErrnoException)}`);
  }
}

function adviceOn(file: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no file ${file}`;
    case 'EACCES':
      return `you may not read ${file}`;
    case 'EISDIR':
      return `${file} is a folder; expected a file`;
    default:
      return message;
  }
}
