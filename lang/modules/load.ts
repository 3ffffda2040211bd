// Loads every file a program is made of. A depth-first walk in the order of the text: an include is read where it
// stands (so that include_once means "not read before this place"), an import is loaded completely before the walk
// goes on, which is also the order in which modules run.
//
// No file access here: the host's ModuleSource finds texts, its DataLoaders turn data files into values.

import type {
  ArrayLiteral,
  Expression,
  ImportFile,
  ImportNamespace,
  ImportSymbols,
  Include,
  PlainString,
  Script,
} from '../ast/nodes.js';
import { evaluateConstant } from '../compiler/fold.js';
import { type Diagnostic, makeDiagnostic } from '../diagnostics/diagnostic.js';
import type { MessageCode, MessageParams } from '../diagnostics/messages.js';
import type { CompileHost, DataLoader, FoundFile } from '../host.js';
import { didYouMean } from '../resolver/did-you-mean.js';
import type { SourceFile } from '../source/source-file.js';
import type { Value } from '../values/value.js';
import { loadData } from './data.js';
import { findLinks } from './find-statements.js';
import type {
  DataImport,
  Dependency,
  IncludedScript,
  IncludeSite,
  LoadedModule,
  ModuleGraph,
} from './module-graph.js';

/** What loading needs of the parser. */
export type Parse = (file: SourceFile) => {
  readonly script: Script;
  readonly diagnostics: readonly Diagnostic[];
};

/** Files that include each other twice over would make a program that grows without end. */
const MAX_INCLUDE_DEPTH = 64;
const MAX_INCLUDES = 10_000;

/** Reads `entry` and everything it leads to. The graph holds what could be loaded, whatever was wrong with the rest. */
export function loadModules(
  entry: FoundFile,
  parse: Parse,
  host: CompileHost,
): { readonly graph: ModuleGraph; readonly diagnostics: readonly Diagnostic[] } {
  const loader = new ModuleLoader(parse, host);
  loader.loadModule({ name: entry.name, text: entry.text });
  return { graph: loader.graph, diagnostics: loader.diagnostics };
}

/** A file being read, inside the module it is a part of. */
interface Place {
  readonly file: SourceFile;
  readonly includedFrom: readonly IncludeSite[];
  /** Canonical names of the files that include_once knows, shared by all files of the module. */
  readonly seen: Set<string>;
}

class ModuleLoader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #modules: LoadedModule[] = [];
  readonly #includes = new Map<Include, IncludedScript>();
  readonly #imports = new Map<ImportSymbols | ImportNamespace, LoadedModule>();
  readonly #data = new Map<ImportFile, DataImport>();
  readonly #dependencies: Dependency[] = [];
  readonly #loaded = new Map<string, LoadedModule>();
  /** Modules whose imports are being loaded, outermost first. */
  readonly #importing: string[] = [];

  constructor(
    readonly parse: Parse,
    readonly host: CompileHost,
  ) {}

  get graph(): ModuleGraph {
    return {
      modules: this.#modules,
      includes: this.#includes,
      imports: this.#imports,
      data: this.#data,
      dependencies: this.#dependencies,
    };
  }

  loadModule(file: SourceFile): LoadedModule {
    this.#importing.push(file.name);
    const script = this.#parse(file, []);
    this.#follow(script, { file, includedFrom: [], seen: new Set([file.name]) });
    this.#importing.pop();
    const module = { index: this.#modules.length, file, script };
    this.#modules.push(module);
    this.#loaded.set(file.name, module);
    return module;
  }

  #parse(file: SourceFile, includedFrom: readonly IncludeSite[]): Script {
    const { script, diagnostics } = this.parse(file);
    for (const found of diagnostics)
      this.diagnostics.push(includedFrom.length > 0 ? { ...found, includedFrom } : found);
    return script;
  }

  #follow(script: Script, place: Place): void {
    for (const link of findLinks(script)) {
      switch (link.kind) {
        case 'Include':
          this.#include(link, place);
          break;
        case 'ImportSymbols':
        case 'ImportNamespace':
          this.#import(link, place);
          break;
        case 'ImportFile':
          this.#importData(link, place);
          break;
      }
    }
  }

  #include(node: Include, place: Place): void {
    const found = this.#find(node.path, node.path.value, place);
    if (found === undefined) return;
    if (node.once && place.seen.has(found.name)) return;
    const chain = [place.file.name, ...place.includedFrom.map((site) => site.file.name)];
    if (chain.includes(found.name)) {
      this.#report('HSL3002', place, node.path, {
        path: node.path.value,
        chain: [...chain.slice(0, chain.indexOf(found.name) + 1).reverse(), found.name].join(' → '),
      });
      return;
    }
    if (chain.length > MAX_INCLUDE_DEPTH || this.#includes.size >= MAX_INCLUDES) {
      const isDeep = chain.length > MAX_INCLUDE_DEPTH;
      this.#report('HSL3010', place, node, {
        found: isDeep ? `${chain.length} inside each other` : `${this.#includes.size} files`,
        limit: isDeep ? MAX_INCLUDE_DEPTH : MAX_INCLUDES,
      });
      return;
    }
    place.seen.add(found.name);
    const file = { name: found.name, text: found.text };
    const includedFrom = [{ file: place.file, span: node.span }, ...place.includedFrom];
    const script = this.#parse(file, includedFrom);
    this.#includes.set(node, { file, script, includedFrom });
    this.#follow(script, { file, includedFrom, seen: place.seen });
  }

  #import(node: ImportSymbols | ImportNamespace, place: Place): void {
    const found = this.#find(node.from, node.from.value, place);
    if (found === undefined) return;
    const running = this.#importing.indexOf(found.name);
    if (running !== -1) {
      this.#report('HSL3003', place, node.from, {
        path: node.from.value,
        chain: [...this.#importing.slice(running), found.name].join(' → '),
      });
      return;
    }
    const module = this.#loaded.get(found.name) ?? this.loadModule({ name: found.name, text: found.text });
    this.#imports.set(node, module);
  }

  #importData(node: ImportFile, place: Place): void {
    const choice = this.#chooseLoader(node.from, place);
    if (choice === undefined) return;
    const options = this.#options(node.options, choice.name, choice.loader, place);
    const found = this.#find(node.from, choice.path, place);
    if (found === undefined || options === undefined) return;
    const loaded = loadData(choice.loader, found, options);
    if ('problem' in loaded) {
      this.#report('HSL3009', place, node.from, {
        path: choice.path,
        loader: choice.name,
        why: loaded.line === undefined ? loaded.problem : `${loaded.problem} (line ${loaded.line} there)`,
      });
      return;
    }
    const { value } = loaded;
    this.#data.set(node, { loader: choice.name, path: choice.path, from: place.file.name, options, value });
  }

  /** `loader!path` forces a loader; else the file ending chooses, and an unknown one means text (hsl-language 14.3). */
  #chooseLoader(
    from: PlainString,
    place: Place,
  ): { readonly name: string; readonly loader: DataLoader; readonly path: string } | undefined {
    const { loaders } = this.host;
    const forced = /^([A-Za-z0-9_]+)!(.*)$/s.exec(from.value);
    if (forced !== null) {
      const name = forced[1]!;
      const loader = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
      if (loader !== undefined) return { name, loader, path: forced[2]! };
      this.#report('HSL3006', place, from, { loader: name }, didYouMean(name, Object.keys(loaders)));
      return undefined;
    }
    const path = from.value;
    const ending = /\.[A-Za-z0-9_]+$/.exec(path)?.[0].toLowerCase();
    if (ending === undefined || ending === '.hsl') {
      const hint = `To read the file as data, name a loader: "txt!${path}"`;
      this.#report('HSL3005', place, from, { path }, hint);
      return undefined;
    }
    for (const [name, loader] of Object.entries(loaders))
      if (loader.extensions.includes(ending)) return { name, loader, path };
    const text = loaders['txt'];
    if (text !== undefined) return { name: 'txt', loader: text, path };
    this.#report('HSL3006', place, from, { loader: 'txt' });
    return undefined;
  }

  #options(
    node: ArrayLiteral | undefined,
    loaderName: string,
    loader: DataLoader,
    place: Place,
  ): ReadonlyMap<string, Value> | undefined {
    const options = new Map<string, Value>();
    let complete = true;
    for (const item of node?.items ?? []) {
      const key = item.key === undefined ? undefined : constantOf(item.key);
      const value = constantOf(item.value);
      if (typeof key !== 'string' || value === undefined) {
        const found = typeof key === 'string' ? 'a value that is not constant' : 'an option without a name';
        this.#report('HSL3008', place, item, { found });
        complete = false;
      } else if (!loader.options.includes(key)) {
        const params = { loader: loaderName, option: key };
        this.#report('HSL3007', place, item.key ?? item, params, didYouMean(key, loader.options));
        complete = false;
      } else {
        options.set(key, value);
      }
    }
    return complete ? options : undefined;
  }

  #find(node: PlainString, path: string, place: Place): FoundFile | undefined {
    const found = this.host.modules.find(path, place.file.name);
    if ('problem' in found) {
      this.#report('HSL3001', place, node, { path, why: found.problem });
      return undefined;
    }
    this.#dependencies.push({
      path,
      from: place.file.name,
      name: found.name,
      hash: this.host.hash(found.text),
    });
    return found;
  }

  #report<C extends MessageCode>(
    code: C,
    place: Place,
    at: { readonly span: SourceSpan },
    params: MessageParams<C>,
    hint?: string,
  ): void {
    const found = makeDiagnostic(code, place.file, at.span, params, hint);
    const { includedFrom } = place;
    this.diagnostics.push(includedFrom.length > 0 ? { ...found, includedFrom } : found);
  }
}

type SourceSpan = PlainString['span'];

function constantOf(expression: Expression): Value | undefined {
  const result = evaluateConstant(expression);
  return result.kind === 'value' ? result.value : undefined;
}
