// The library against its specification: every function, method, option and older name that stdlib/SPEC.md asks for is
// there, takes as many arguments, has the option's default and waits where it is said to. What differs stands in a list
// here, with the reason.

import { describe, expect, test } from 'vitest';
import {
  type Builtin,
  type Declaration,
  languageDeclarations,
  type Method,
  type NativeClass,
  type Parameter,
} from '#lang';
import { EODMailMessage } from '#stdlib';
import { catalog } from '../../stdlib/catalog.js';
import {
  type Arity,
  type ReferenceCallable,
  referenceAliases,
  referenceFunctions,
  referenceMethods,
  referenceSigningOptions,
} from '../support/reference-tables.js';

/** Asked for by the specification, not by the library: why. */
const elsewhere: Readonly<Record<string, string>> = {
  queue_suspend: 'comes with the queue',
  queue_policy: 'comes with the queue',
  queue_policy_delete: 'comes with the queue',
  PickupSuspend: 'comes with the queue',
  PickupPolicy: 'comes with the queue',
  'File->toFFIValue': 'comes with foreign functions',
  'Socket->toFFIValue': 'comes with foreign functions',
  'X509->toFFIValue': 'comes with foreign functions',
};

/** Not written yet. An entry that exists must go from here. */
const stillMissing: readonly string[] = [];

/** Where we take another number of arguments than the table says: why. */
const otherArity: Readonly<Record<string, string>> = {
  'Socket->shutdown': 'the table lists the three words that its one argument may be',
  'X509::String': 'the table writes the option array out',
};

type Callable = Pick<Method, 'params' | 'suspends' | 'callbacks'>;

const declared = new Map<string, Callable>();

function add(declaration: Declaration): void {
  if (declaration.kind === 'builtin') declared.set(declaration.name, declaration);
  else addClass(declaration);
}

function addClass(of: NativeClass): void {
  declared.set(of.name, of.constructorOf ?? { params: [] });
  for (const method of Object.values(of.methods)) declared.set(`${of.name}->${method.name}`, method);
  for (const method of Object.values(of.statics)) declared.set(`${of.name}::${method.name}`, method);
}

for (const declaration of [...languageDeclarations.values(), ...catalog, EODMailMessage]) add(declaration);

const functions = referenceFunctions().filter(({ name }) => !(name in elsewhere));
const methods = referenceMethods().filter(
  ({ name }) => !(name in elsewhere) && !/^FFI(?:$|::|->)/.test(name),
);
const wanted = [...functions, ...methods];
const present = wanted.filter(({ name }) => declared.has(name));

function arityOfDeclared(params: readonly Parameter[]): Arity {
  const required = params.filter(
    (one) => one.optional !== true && one.default === undefined && one.rest !== true,
  ).length;
  return { required, most: params.some(({ rest }) => rest) ? Number.POSITIVE_INFINITY : params.length };
}

function optionKeysOf(name: string): NonNullable<Parameter['keys']> {
  const params = declared.get(name)?.params ?? [];
  return params.find(({ type }) => type === 'options')?.keys ?? {};
}

test('the specification is read whole', () => {
  expect(functions.length).toBeGreaterThan(140);
  expect(methods.length).toBeGreaterThan(130);
});

test('every function, class and method that is asked for exists', () => {
  expect(
    wanted
      .filter(({ name }) => !declared.has(name) && !stillMissing.includes(name))
      .map(({ section, name }) => `${section} ${name}`),
  ).toEqual([]);
});

test('what is listed as missing is missing', () => {
  expect(stillMissing.filter((name) => declared.has(name))).toEqual([]);
  expect(Object.keys(elsewhere).filter((name) => declared.has(name))).toEqual([]);
});

test('every older name exists and takes what its successor takes', () => {
  const problems: string[] = [];
  for (const [old, current] of referenceAliases()) {
    if (old in elsewhere || stillMissing.includes(old)) continue;
    const one = catalog.find(({ name }) => name === old) as Builtin | undefined;
    if (one === undefined) problems.push(`${old} is missing`);
    else if (current !== undefined && one.deprecated !== current) problems.push(`${old} is not ${current}`);
    else if (one.deprecated === undefined) problems.push(`${old} names no successor`);
  }
  expect(problems).toEqual([]);
});

describe('arguments', () => {
  test.each(present.filter(({ arity }) => arity !== undefined).map((one) => [one.name, one] as const))(
    '%s takes as many as the table says',
    (name, { arity }) => {
      const ours = arityOfDeclared(declared.get(name)!.params);
      if (name in otherArity) expect(ours).not.toEqual(arity);
      else expect(ours).toEqual(arity);
    },
  );
});

/** Functions of one family share their options in the text above the table. */
const hashes = ['md5', 'sha1', 'sha2', 'hmac_md5', 'hmac_sha1', 'hmac_sha2'];

function defaultProblem(
  one: ReferenceCallable,
  key: string,
  written: string | undefined,
): string | undefined {
  const option = optionKeysOf(one.name)[key];
  if (option === undefined) return `${one.name} has no option ${key}`;
  if (written === undefined || (one.name in otherDefaults && key in otherDefaults[one.name]!))
    return undefined;
  const wantedDefault = written === 'none' || written === 'system' ? undefined : written.replaceAll('"', '');
  const ours = option.default === undefined || option.default === null ? undefined : String(option.default);
  return ours === wantedDefault ? undefined : `${one.name}: ${key} is ${ours}, not ${written}`;
}

/** Defaults that differ from the table's cell: why. */
const otherDefaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  http: {
    method: 'GET, or POST with a body: none is declared',
    tls_verify_host: 'the older default; ours is true, as the same cell says',
  },
};

test('every option exists with its default', () => {
  const problems = present.flatMap((one) =>
    [...one.options].map(([key, written]) => defaultProblem(one, key, written)),
  );
  for (const name of hashes) if (!('binary' in optionKeysOf(name))) problems.push(`${name} has no binary`);
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
});

test('signDKIM has every option of its table', () => {
  const names = [...referenceSigningOptions().keys()];
  expect(names.length).toBeGreaterThan(12);
  if (stillMissing.includes('MailMessage->signDKIM')) return;
  expect(names.filter((name) => !(name in optionKeysOf('MailMessage->signDKIM')))).toEqual([]);
});

test('what may wait is declared so', () => {
  expect(
    present.filter(({ name, suspends }) => suspends && !declared.get(name)!.suspends).map(({ name }) => name),
  ).toEqual([]);
});
