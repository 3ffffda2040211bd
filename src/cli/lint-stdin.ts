// The editors' side of lint (control-api 8.2): one YAML document in, nothing out when the script is fine, else the first
// error as YAML on stderr. Any other exit code than 0 and 1 means that we failed, not the script.

import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { PhaseName } from '#hooks';
import { bytesToText, type Diagnostic, lint, positionAt, textToBytes } from '#lang';
import { phases } from '../scripting/hook-programs.js';
import { createCompileHost } from '../scripting/host/index.js';
import { exitCodes } from './exit-codes.js';
import { isRecord, readFileList } from './file-list.js';
import { environmentForPhase } from './lint.js';

/** What the script itself is called inside; the answer leaves it out. */
const hookName = '<hook>';

interface Request {
  readonly phase: PhaseName | undefined;
  readonly data: string;
  readonly files: ReadonlyMap<string, string>;
  readonly rootPath: string | undefined;
}

/** @returns the request, or a sentence that says what is wrong with it */
export function parseRequest(text: string): Request | string {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return `the request is not YAML: ${(error as Error).message}`;
  }
  if (!isRecord(value)) return 'the request is no map; expected {version, phase, data, files}';
  const phase = value['phase'] ?? '';
  if (typeof phase !== 'string' || (phase !== '' && !Object.hasOwn(phases, phase))) {
    return `found phase ${JSON.stringify(phase)}; expected one of ${Object.keys(phases).join(', ')}, or none for a plain file`;
  }
  const data = value['data'];
  if (typeof data !== 'string') return 'the key "data" is missing or no text; expected the script';
  const files = readFileList(value['files'], 'files');
  if (typeof files === 'string') return files;
  const scripting = value['scripting'];
  const rootPath =
    isRecord(scripting) && typeof scripting['rootpath'] === 'string' ? scripting['rootpath'] : undefined;
  return { phase: phase === '' ? undefined : (phase as PhaseName), data: textToBytes(data), files, rootPath };
}

function place(file: Diagnostic['file'], offset: number): { file?: string; line: number; column: number } {
  const position = positionAt(file, offset);
  return file.name === hookName ? position : { file: bytesToText(file.name), ...position };
}

/** The answer for one error. */
export function errorToYaml(diagnostic: Diagnostic): string {
  const chain = diagnostic.includedFrom ?? [];
  return stringify({
    ...place(diagnostic.file, diagnostic.span.start),
    message: bytesToText(diagnostic.message),
    ...(chain.length === 0 ? {} : { path: chain.map(({ file, span }) => place(file, span.start)) }),
  });
}

export async function lintFromStdin(): Promise<number> {
  const request = parseRequest(readFileSync(0, 'utf8'));
  if (typeof request === 'string') {
    process.stderr.write(`lint: ${request}\n`);
    return exitCodes.usage;
  }
  const host = createCompileHost({
    files: request.files,
    ...(request.rootPath === undefined ? {} : { folders: [request.rootPath] }),
  });
  const diagnostics = await lint(
    { name: hookName, text: request.data },
    environmentForPhase(request.phase),
    host,
  );
  const error = diagnostics.find(({ severity }) => severity === 'error');
  if (error === undefined) return exitCodes.done;
  process.stderr.write(errorToYaml(error));
  return exitCodes.failed;
}
