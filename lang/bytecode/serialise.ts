// Programs as bytes. What the host made is not written but made again when the program is read: patterns are compiled from
// their text, builtins looked up by name, data imports loaded. Bytes that are damaged, or of another version, or that
// name something that is not there any more, give undefined: the program is then compiled from its source.

import type { Environment } from '../declare.js';
import type { CompiledPattern } from '../host.js';
import { findDeclaration } from '../resolver/names.js';
import { HslArray } from '../values/array.js';
import { patternOf, regexOf } from '../values/pattern.js';
import type { Value } from '../values/value.js';
import { ByteReader, ByteWriter, DamagedBytes } from './byte-stream.js';
import type {
  BuiltinCode,
  ClassCode,
  FunctionCode,
  MethodCode,
  ParameterCode,
  Program,
} from './function-code.js';
import { BYTECODE_VERSION } from './opcodes.js';
import { verify } from './verify.js';

/** Changes with the form of the bytes; the bytecode has a version of its own. */
export const FORMAT_VERSION = `1.${BYTECODE_VERSION}`;

/** A data import among the constants: how to load it again. */
export interface DataSource {
  readonly loader: string;
  readonly path: string;
  readonly from: string;
  readonly options: ReadonlyMap<string, Value>;
}

/** What reading a program needs of the host. */
export interface ProgramSources {
  readonly environment: Environment;
  /** @throws when the pattern cannot be compiled any more */
  compilePattern(source: string, flags: string): CompiledPattern;
  /** Undefined when the data cannot be loaded any more. */
  loadData(source: DataSource): Value | undefined;
}

const enum Tag {
  None = 0,
  False = 1,
  True = 2,
  Number = 3,
  String = 4,
  Array = 5,
  Pattern = 6,
  Data = 7,
}

// --- Writing --------------------------------------------------------------------------------------------------------

/** The program as bytes. `data` says which of its constants are data imports. */
export function serialise(program: Program, data: ReadonlyMap<Value, DataSource> = new Map()): Uint8Array {
  const out = new ByteWriter();
  out.text(FORMAT_VERSION);
  out.list(program.files, (file) => out.text(file));
  out.list(program.modules, (module) => {
    out.text(module.name);
    out.int(module.main);
  });
  out.list(program.constants, (constant) => {
    const source = data.get(constant);
    if (source === undefined) writeValue(out, constant);
    else writeSource(out, source);
  });
  out.list(program.globals, (global) => {
    out.text(global.name);
    out.int(global.module);
    out.int(global.initial);
  });
  out.list(program.fields, (field) => out.text(field));
  out.list(program.records, (keys) => out.list(keys, (key) => out.text(key)));
  out.list(program.builtins, (builtin) => out.text(builtin.name));
  out.list(program.classes, (of) => writeClass(out, of));
  out.list(program.functions, (fn) => writeFunction(out, fn));
  return out.finish();
}

function writeValue(out: ByteWriter, value: Value): void {
  if (value === null) out.byte(Tag.None);
  else if (typeof value === 'boolean') out.byte(value ? Tag.True : Tag.False);
  else if (typeof value === 'number') {
    out.byte(Tag.Number);
    out.double(value);
  } else if (typeof value === 'string') {
    out.byte(Tag.String);
    out.text(value);
  } else if (value instanceof HslArray) {
    out.byte(Tag.Array);
    out.list([...value.entries()], ([key, element]) => {
      writeValue(out, key);
      writeValue(out, element);
    });
  } else {
    const pattern = patternOf(value);
    if (pattern === undefined) throw new Error('a constant is neither plain nor a data import');
    out.byte(Tag.Pattern);
    out.text(pattern.source);
    out.text(pattern.flags);
  }
}

function writeSource(out: ByteWriter, source: DataSource): void {
  out.byte(Tag.Data);
  out.text(source.loader);
  out.text(source.path);
  out.text(source.from);
  out.list([...source.options], ([name, value]) => {
    out.text(name);
    writeValue(out, value);
  });
}

function writeClass(out: ByteWriter, of: ClassCode): void {
  out.text(of.name);
  out.int(of.module);
  out.int(of.constructorIndex);
  out.list(of.fields, (field) => {
    out.text(field.name);
    out.int(field.initial);
    out.bool(field.isPrivate);
    out.bool(field.isReadonly);
  });
  const method = (each: MethodCode) => {
    out.text(each.name);
    out.int(each.function);
    out.bool(each.isPrivate);
  };
  out.list(of.methods, method);
  out.list(of.statics, method);
}

function writeFunction(out: ByteWriter, fn: FunctionCode): void {
  out.text(fn.name);
  out.int(fn.file);
  out.int(fn.module);
  out.int(fn.classIndex);
  out.list(fn.parameters, (parameter) => {
    out.text(parameter.name);
    out.int(parameter.initial);
    out.bool(parameter.isRest);
  });
  out.int(fn.thisRegister);
  out.ints(fn.captures);
  out.int(fn.captureBase);
  out.bool(fn.isGenerator);
  out.int(fn.registerCount);
  out.int(fn.clearFrom);
  out.int(fn.clearTo);
  out.list(fn.locals, (name) => out.text(name));
  out.ints(fn.code);
  out.ints(fn.handlers);
  out.ints(fn.lines);
}

// --- Reading --------------------------------------------------------------------------------------------------------

/** The program that was written, verified; undefined when it cannot be had from these bytes. */
export function deserialise(bytes: Uint8Array, sources: ProgramSources): Program | undefined {
  try {
    const program = readProgram(new ByteReader(bytes), sources);
    return program !== undefined && verify(program) === undefined ? program : undefined;
  } catch {
    // Whatever a damaged file or a changed host comes up with, compiling again is the answer.
    return undefined;
  }
}

function readProgram(input: ByteReader, sources: ProgramSources): Program | undefined {
  if (input.text() !== FORMAT_VERSION) return undefined;
  const files = input.list(() => input.text());
  const modules = input.list(() => ({ name: input.text(), main: input.int() }));
  const constants = input.list(() => readValue(input, sources, 0));
  const globals = input.list(() => ({ name: input.text(), module: input.int(), initial: input.int() }));
  const fields = input.list(() => input.text());
  const records = input.list(() => input.list(() => input.text()));
  const builtins = input.list(() => findBuiltin(input.text(), sources.environment));
  const classes = input.list(() => readClass(input));
  const functions = input.list(() => readFunction(input));
  if (!input.isAtEnd) return undefined;
  const { environment } = sources;
  return {
    modules,
    functions,
    classes,
    globals,
    constants,
    fields,
    records,
    builtins,
    files,
    environment,
  };
}

/** Constants nest no deeper than scripts do; damage might. */
const MAX_DEPTH = 1000;

function readValue(input: ByteReader, sources: ProgramSources, depth: number): Value {
  if (depth > MAX_DEPTH) throw new DamagedBytes('a constant is nested too deeply');
  switch (input.byte()) {
    case Tag.None:
      return null;
    case Tag.False:
      return false;
    case Tag.True:
      return true;
    case Tag.Number:
      return input.double();
    case Tag.String:
      return input.text();
    case Tag.Array: {
      const array = HslArray.fromEntries(
        input.list(
          () => [readValue(input, sources, depth + 1), readValue(input, sources, depth + 1)] as const,
        ),
      );
      array.shared = true;
      return array;
    }
    case Tag.Pattern:
      return regexOf(sources.compilePattern(input.text(), input.text()));
    case Tag.Data: {
      const source: DataSource = {
        loader: input.text(),
        path: input.text(),
        from: input.text(),
        options: new Map(input.list(() => [input.text(), readValue(input, sources, depth + 1)] as const)),
      };
      const value = sources.loadData(source);
      if (value === undefined) throw new DamagedBytes('a data import is gone');
      return value;
    }
    default:
      throw new DamagedBytes('a constant of no known kind');
  }
}

function findBuiltin(name: string, environment: Environment): BuiltinCode {
  const [owner, member] = name.split('::') as [string, string | undefined];
  const declaration = findDeclaration(environment, owner);
  if (declaration === undefined) throw new DamagedBytes(`${name} is gone`);
  if (member === undefined) return { name, declaration, method: undefined };
  const method =
    declaration.kind === 'class' && Object.hasOwn(declaration.statics, member)
      ? declaration.statics[member]
      : undefined;
  if (method === undefined) throw new DamagedBytes(`${name} is gone`);
  return { name, declaration, method };
}

function readClass(input: ByteReader): ClassCode {
  const method = (): MethodCode => ({
    name: input.text(),
    function: input.int(),
    isPrivate: input.bool(),
  });
  return {
    name: input.text(),
    module: input.int(),
    constructorIndex: input.int(),
    fields: input.list(() => ({
      name: input.text(),
      initial: input.int(),
      isPrivate: input.bool(),
      isReadonly: input.bool(),
    })),
    methods: input.list(method),
    statics: input.list(method),
  };
}

function readFunction(input: ByteReader): FunctionCode {
  return {
    name: input.text(),
    file: input.int(),
    module: input.int(),
    classIndex: input.int(),
    parameters: input.list(
      (): ParameterCode => ({ name: input.text(), initial: input.int(), isRest: input.bool() }),
    ),
    thisRegister: input.int(),
    captures: [...input.ints()],
    captureBase: input.int(),
    isGenerator: input.bool(),
    registerCount: input.int(),
    clearFrom: input.int(),
    clearTo: input.int(),
    locals: input.list(() => input.text()),
    code: input.ints(),
    handlers: input.ints(),
    lines: input.ints(),
  };
}
