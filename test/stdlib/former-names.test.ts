import { describe, expect, test } from 'vitest';
import { compile } from '#lang';
import { catalog } from '../../stdlib/catalog.js';
import { formerNames } from '../../stdlib/former-names.js';
import { catalogEnvironment, createCompileHost } from '../support/script-host.js';

async function hintFor(script: string, environment = catalogEnvironment()): Promise<string | undefined> {
  const { diagnostics } = await compile({ name: 'main.hsl', text: script }, environment, createCompileHost());
  expect(diagnostics.map(({ severity }) => severity)).toEqual(['error']);
  return diagnostics[0]!.hint;
}

test.each([...formerNames])('whoever calls %s is told what to do', async (name, hint) => {
  expect(await hintFor(`echo ${name}("x");`)).toBe(hint);
  expect(await hintFor(`echo builtin ${name}("x");`)).toBe(hint);
  expect(hint).toMatch(/^[A-Z].*\.$/);
});

test('a name that is gone is not in the library', () => {
  expect(catalog.map(({ name }) => name).filter((name) => formerNames.has(name))).toEqual([]);
});

test('every function that a hint names exists', () => {
  const names = new Set(catalog.map(({ name }) => name));
  const elsewhere = new Set([
    'readline',
    'queue',
    'send',
    'search',
    'bind',
    'getHeaders',
    'verifyDKIM',
    'dmarc',
    'import',
  ]);
  // Classes that other parts of the library bring.
  for (const name of ['LDAP', 'MIME']) elsewhere.add(name);
  // Actions of hooks.
  for (const name of ['Accept', 'Try', 'Queue', 'Bounce']) elsewhere.add(name);
  const named = [...formerNames.values()].flatMap((hint) =>
    [...hint.matchAll(/(\w+)\(/g)].map(([, name]) => name!),
  );
  expect(named.filter((name) => !names.has(name) && !elsewhere.has(name) && name !== 'read')).toEqual([]);
});

describe('a program without a table of former names', () => {
  test('is helped by spelling alone', async () => {
    const { name, declarations, variables } = catalogEnvironment();
    expect(await hintFor('echo str_fnd("x", "y");', { name, declarations, variables })).toBe(
      'Did you mean "str_find"?',
    );
  });
});

test('a script may use a former name for a function of its own', async () => {
  const { diagnostics } = await compile(
    { name: 'main.hsl', text: 'function mail($a) { return $a; } echo mail("x");' },
    catalogEnvironment(),
    createCompileHost(),
  );
  expect(diagnostics).toEqual([]);
});
