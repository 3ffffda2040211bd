// The hosts that tests and benchmarks run scripts in: the whole library, files from memory, nothing kept on disk.

import { type CompileHost, type Environment, languageDeclarations } from '#lang';
import { catalog, formerNames } from '#stdlib';
import {
  createCompileHost as makeCompileHost,
  createRunHost as makeRunHost,
} from '../../src/scripting/host/index.js';

/** The library, without phases. */
export function catalogEnvironment(): Environment {
  const declarations = new Map(
    [...languageDeclarations.values(), ...catalog].map((one) => [one.name, one] as const),
  );
  return { name: 'test', declarations, variables: [], formerNames };
}

/** Finds the given files only. */
export function createCompileHost(files: Readonly<Record<string, string>> = {}): CompileHost {
  return makeCompileHost({ files: new Map(Object.entries(files)) });
}

/** Real clocks, memory of its own; echo goes where it is told. */
export function createRunHost(echo: (text: string) => void = () => {}): ReturnType<typeof makeRunHost> {
  return makeRunHost({ echo });
}
