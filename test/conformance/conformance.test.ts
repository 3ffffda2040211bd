// Our own case files, on the interpreter.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Case, readCases } from './cases.js';
import { judge } from './run-case.js';

function casesOf(name: string): Case[] {
  return readCases(readFileSync(new URL(name, import.meta.url), 'utf8'), name);
}

async function expectPass(one: Case): Promise<void> {
  expect(await judge(one)).toEqual({ kind: 'passed' });
}

describe('the language', () => {
  test.each(casesOf('hsl-conformance.yaml'))('$name', expectPass);
});

describe('the library', () => {
  test.each(casesOf('stdlib-cases.yaml'))('$name', expectPass);
});
