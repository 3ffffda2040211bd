// The rules every declaration keeps: what the manual, the linter and the editor need is there.

import { describe, expect, test } from 'vitest';
import { type Builtin, type Declaration, languageDeclarations, type Method, type Parameter } from '#lang';
import { EODMailMessage } from '#stdlib';
import { catalog } from '../../stdlib/catalog.js';
import { parseExample } from '../support/example-world/example.js';

const builtins = catalog.filter((declaration): declaration is Builtin => declaration.kind === 'builtin');

test('names are unique', () => {
  const names = catalog.map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

/** Everything with a summary, and its parameters. */
function described(
  declaration: Declaration,
): { name: string; summary: string; example?: string; params: readonly Parameter[] }[] {
  if (declaration.kind === 'builtin') return [declaration];
  const methods: Method[] = [...Object.values(declaration.methods), ...Object.values(declaration.statics)];
  return [
    { ...declaration, params: declaration.constructorOf?.params ?? [] },
    ...methods.map((method) => ({ ...method, name: `${declaration.name}->${method.name}` })),
  ];
}

describe.each(catalog.flatMap(described).map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
  test('has a summary of one sentence', () => {
    expect(entry.summary).toMatch(/^[A-Z].*\.$/);
    expect(entry.summary).not.toMatch(/\. [A-Z]/);
  });
  test('documents its options', () => {
    for (const param of entry.params) {
      if (param.type === 'options') expect(param.optional).toBe(true);
      for (const key of Object.values(param.keys ?? {})) expect(key.doc).toMatch(/\.$/);
    }
  });
  test('has parameters that may be left out behind those that may not', () => {
    const required = entry.params.map(
      (param) => !param.optional && param.default === undefined && !param.rest,
    );
    expect(required.lastIndexOf(true)).toBe(required.filter(Boolean).length - 1);
  });
  test('documents parameters in sentences', () => {
    for (const param of entry.params) if (param.doc !== undefined) expect(param.doc).toMatch(/\.$/);
  });
});

test('every builtin says where its rules are', () => {
  for (const builtin of builtins) expect(builtin.source, builtin.name).toBeDefined();
});

/** What has no example: a function, a class, a static function or a method. */
function withoutExample(one: Declaration): string[] {
  if (one.kind === 'builtin')
    return one.deprecated === undefined && one.example === undefined ? [one.name] : [];
  const methods = [...Object.values(one.statics), ...Object.values(one.methods)];
  return [
    ...(one.example === undefined && one.constructorOf?.example === undefined ? [one.name] : []),
    ...methods.filter(({ example }) => example === undefined).map(({ name }) => `${one.name}->${name}`),
  ];
}

test('every function, class and method shows an example, unless it is an older name', () => {
  expect([...languageDeclarations.values(), ...catalog, EODMailMessage].flatMap(withoutExample)).toEqual([]);
});

test('examples say what comes out', () => {
  for (const { name, example } of catalog.flatMap(described))
    if (example !== undefined) expect(() => parseExample(example), name).not.toThrow();
});

test('older names lead to names that exist', () => {
  const names = new Set(builtins.map(({ name }) => name));
  for (const { deprecated } of builtins) if (deprecated !== undefined) expect(names).toContain(deprecated);
});

test('what is pure neither waits nor calls functions', () => {
  for (const builtin of builtins) {
    if (builtin.pure)
      expect([builtin.suspends, builtin.callbacks, builtin.ends]).toEqual([undefined, undefined, undefined]);
  }
});
