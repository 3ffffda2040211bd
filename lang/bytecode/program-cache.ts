// What a compiled script looks like in the host's cache, and when it may be used again:
//
//   magic │ hash of the rest │ dependencies │ warnings │ program (serialise.ts)
//
// The key says which entry text, library and bytecode version it is for. The dependencies are asked for again, by the
// path as written; if each gives the same file with the same content, so would compiling. Damaged bytes are a miss.

import type { Environment, Method, Parameter } from '../declare.js';
import type { Diagnostic } from '../diagnostics/diagnostic.js';
import { type MessageCode, messages } from '../diagnostics/messages.js';
import type { CompileHost, FoundFile } from '../host.js';
import { loadData } from '../modules/data.js';
import type { Dependency, ModuleGraph } from '../modules/module-graph.js';
import type { SourceFile } from '../source/source-file.js';
import type { Value } from '../values/value.js';
import { ByteReader, ByteWriter, DamagedBytes } from './byte-stream.js';
import type { Program } from './function-code.js';
import { type DataSource, deserialise, FORMAT_VERSION, serialise } from './serialise.js';

const MAGIC = 'argonite-hsl';

/** A program without errors, and the warnings that came with it. */
export interface CachedProgram {
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
}

// --- Key ------------------------------------------------------------------------------------------------------------

/** The name under which a compiled script is kept. */
export function cacheKey(entry: FoundFile, environment: Environment, host: CompileHost): string {
  return host.hash([FORMAT_VERSION, entry.name, signatureOf(environment), entry.text].join('\n'));
}

const signatures = new WeakMap<Environment, string>();

/** Everything of the library that the compiler looks at. */
function signatureOf(environment: Environment): string {
  let signature = signatures.get(environment);
  if (signature === undefined) {
    signature = JSON.stringify({
      name: environment.name,
      variables: environment.variables.map(({ name, readonly }) => [name, readonly]),
      declarations: [...environment.declarations].map(([name, declaration]) =>
        declaration.kind === 'builtin'
          ? [name, parametersOf(declaration.params), declaration.callbacks, declaration.suspends]
          : [
              name,
              declaration.constructorOf === undefined ? 0 : parametersOf(declaration.constructorOf.params),
              Object.values(declaration.methods).map(methodOf),
              Object.values(declaration.statics).map(methodOf),
            ],
      ),
    });
    signatures.set(environment, signature);
  }
  return signature;
}

function methodOf(method: Method): unknown {
  return [method.name, parametersOf(method.params), method.callbacks, method.suspends];
}

function parametersOf(params: readonly Parameter[]): unknown {
  return params.map((param) => [param.name, param.type, 'default' in param, param.optional, param.rest]);
}

// --- Writing --------------------------------------------------------------------------------------------------------

/** The bytes to keep. */
export function writeCached(result: CachedProgram, graph: ModuleGraph, host: CompileHost): Uint8Array {
  const data = new Map<Value, DataSource>();
  for (const each of graph.data.values()) data.set(each.value, each);

  const body = new ByteWriter();
  body.list(graph.dependencies, (dependency) => {
    body.text(dependency.path);
    body.text(dependency.from);
    body.text(dependency.name);
    body.text(dependency.hash);
  });
  body.list(result.diagnostics, (found) => writeDiagnostic(body, found));
  body.bytes(serialise(result.program, data));

  const bytes = body.finish();
  const out = new ByteWriter();
  out.text(MAGIC);
  out.text(host.hash(bytesAsText(bytes)));
  out.bytes(bytes);
  return out.finish();
}

function writeDiagnostic(out: ByteWriter, found: Diagnostic): void {
  out.text(found.code);
  out.text(found.message);
  out.text(found.hint ?? '');
  writePlace(out, found);
  out.list(found.includedFrom ?? [], (site) => writePlace(out, site));
}

function writePlace(out: ByteWriter, place: Pick<Diagnostic, 'file' | 'span'>): void {
  out.text(place.file.name);
  out.int(place.span.start);
  out.int(place.span.end);
}

// --- Reading --------------------------------------------------------------------------------------------------------

/** The program in `bytes`, if it is whole and everything it depends on is as it was. */
export function readCached(
  bytes: Uint8Array,
  entry: FoundFile,
  environment: Environment,
  host: CompileHost,
): CachedProgram | undefined {
  try {
    const input = new ByteReader(bytes);
    if (input.text() !== MAGIC) return undefined;
    const hash = input.text();
    const body = input.rest();
    if (host.hash(bytesAsText(body)) !== hash) return undefined;
    return readBody(new ByteReader(body), entry, environment, host);
  } catch (error) {
    if (error instanceof DamagedBytes) return undefined;
    throw error;
  }
}

function readBody(
  input: ByteReader,
  entry: FoundFile,
  environment: Environment,
  host: CompileHost,
): CachedProgram | undefined {
  const dependencies = input.list(
    (): Dependency => ({
      path: input.text(),
      from: input.text(),
      name: input.text(),
      hash: input.text(),
    }),
  );
  const files = new Map<string, SourceFile>([[entry.name, { name: entry.name, text: entry.text }]]);
  for (const { path, from, name, hash } of dependencies) {
    const found = host.modules.find(path, from);
    if ('problem' in found || found.name !== name || host.hash(found.text) !== hash) return undefined;
    files.set(name, { name, text: found.text });
  }
  const diagnostics = input.list(() => readDiagnostic(input, files));
  const program = deserialise(input.rest(), {
    environment,
    compilePattern: (source, flags) => host.patterns.compile(source, flags),
    loadData: (source) => loadAgain(source, host),
  });
  return program === undefined ? undefined : { program, diagnostics };
}

function loadAgain(source: DataSource, host: CompileHost): Value | undefined {
  const loader = Object.hasOwn(host.loaders, source.loader) ? host.loaders[source.loader] : undefined;
  const found = host.modules.find(source.path, source.from);
  if (loader === undefined || 'problem' in found) return undefined;
  const loaded = loadData(loader, found, source.options);
  return 'value' in loaded ? loaded.value : undefined;
}

function readDiagnostic(input: ByteReader, files: ReadonlyMap<string, SourceFile>): Diagnostic {
  const code = input.text();
  const message = input.text();
  const hint = input.text();
  const place = readPlace(input, files);
  const includedFrom = input.list(() => readPlace(input, files));
  if (!Object.hasOwn(messages, code)) throw new DamagedBytes('a warning of no known kind');
  return {
    code: code as MessageCode,
    severity: 'warning',
    message,
    ...place,
    ...(hint === '' ? {} : { hint }),
    ...(includedFrom.length === 0 ? {} : { includedFrom }),
  };
}

function readPlace(
  input: ByteReader,
  files: ReadonlyMap<string, SourceFile>,
): Pick<Diagnostic, 'file' | 'span'> {
  const file = files.get(input.text());
  if (file === undefined) throw new DamagedBytes('a warning is about no known file');
  return { file, span: { start: input.int(), end: input.int() } };
}

/** One character per byte, as the host's hash takes it. */
function bytesAsText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}
