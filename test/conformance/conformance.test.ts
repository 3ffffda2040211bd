// Our own case files, on the interpreter. Cases of functions that do not exist yet are named here; one that begins to
// pass must leave the list.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Case, readCases } from './cases.js';
import { judge } from './run-case.js';

function casesOf(name: string): Case[] {
  return readCases(readFileSync(new URL(name, import.meta.url), 'utf8'), name);
}

/** By the beginning of their names: MIME. */
const toCome = [
  'msg-type',
  'msg-parts',
  'msg-body-',
  'msg-filename',
];

const isToCome = ({ name }: Case) => toCome.some((beginning) => name.startsWith(beginning));

async function expectPass(one: Case): Promise<void> {
  expect(await judge(one)).toEqual({ kind: 'passed' });
}

describe('the language', () => {
  test.each(casesOf('hsl-conformance.yaml'))('$name', expectPass);
});

describe('the library', () => {
  const cases = casesOf('stdlib-cases.yaml');
  test.each(cases.filter((one) => !isToCome(one)))('$name', expectPass);

  test('has not yet what is listed as to come', async () => {
    const passing: string[] = [];
    for (const one of cases.filter(isToCome))
      if ((await judge(one)).kind === 'passed') passing.push(one.name);
    expect(passing).toEqual([]);
  });
});
