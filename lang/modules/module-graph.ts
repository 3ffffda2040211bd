// What loading gives: every script a program is made of, and what its include and import statements lead to. The
// trees stay as they were parsed; what a statement stands for is found in the maps, by the statement's node.

import type { ImportFile, ImportNamespace, ImportSymbols, Include, Script } from '../ast/nodes.js';
import type { SourceFile, Span } from '../source/source-file.js';
import type { Value } from '../values/value.js';

/** A script with global variables of its own: the entry file or an imported one, with all that they include. */
export interface LoadedModule {
  /** Its place in order of execution: what a module imports stands before it, the entry file stands last. */
  readonly index: number;
  readonly file: SourceFile;
  readonly script: Script;
}

/** One place in a file: where an `include` stands. */
export interface IncludeSite {
  readonly file: SourceFile;
  readonly span: Span;
}

/**
 * What one `include` statement brings in. Each inclusion has a tree of its own, so that tables keyed by node hold
 * when a file is included twice.
 */
export interface IncludedScript {
  readonly file: SourceFile;
  readonly script: Script;
  /** The include statements that led here, innermost first. */
  readonly includedFrom: readonly IncludeSite[];
}

/** A data file's value, and what is needed to load it again. */
export interface DataImport {
  readonly loader: string;
  /** As written, without the loader prefix. */
  readonly path: string;
  readonly from: string;
  readonly options: ReadonlyMap<string, Value>;
  readonly value: Value;
}

/** A file that was asked for: the program is stale when asking again gives another answer. */
export interface Dependency {
  readonly path: string;
  readonly from: string;
  readonly name: string;
  readonly hash: string;
}

export interface ModuleGraph {
  /** In order of execution; the last one is the entry. */
  readonly modules: readonly LoadedModule[];
  /** An `include_once` that brought nothing in is absent. */
  readonly includes: ReadonlyMap<Include, IncludedScript>;
  /** An import whose module could not be loaded is absent: that has been reported. */
  readonly imports: ReadonlyMap<ImportSymbols | ImportNamespace, LoadedModule>;
  readonly data: ReadonlyMap<ImportFile, DataImport>;
  readonly dependencies: readonly Dependency[];
}
