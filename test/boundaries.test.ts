import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

// Keeps the import table of the README's picture true: who may import whom, and only through the doors.

const root = path.resolve(import.meta.dirname, '..');

const rooms = {
  lang: { doors: [], packages: ['chevrotain'], node: [] },
  stdlib: {
    doors: ['#lang'],
    packages: ['yaml', 'iconv-lite', 'ipaddr.js', 'dns-packet', 'tldts', 'undici', 'ldapts'],
    node: 'any',
  },
  hooks: { doors: ['#lang', '#stdlib'], packages: [], node: [] },
  src: { doors: ['#lang', '#stdlib', '#hooks'], packages: 'any', node: 'any' },
} as const;

type Room = keyof typeof rooms;

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found: string[] = [];
  for (const match of text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'/g))
    found.push(match[1]!);
  for (const match of text.matchAll(/(?:^|\n)import\s*'([^']+)'/g)) found.push(match[1]!);
  for (const match of text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)) found.push(match[1]!);
  return found;
}

function problem(room: Room, file: string, specifier: string): string | undefined {
  const rules = rooms[room];
  if (specifier.startsWith('.')) {
    const target = path.resolve(path.dirname(file), specifier);
    return target.startsWith(path.join(root, room) + path.sep) ? undefined : 'leaves its room by a path';
  }
  if (specifier.startsWith('#')) {
    return (rules.doors as readonly string[]).includes(specifier) ? undefined : 'may not use that door';
  }
  if (specifier.startsWith('node:')) {
    return rules.node === 'any' ? undefined : 'may not use the modules of Node';
  }
  const name = specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : specifier.split('/')[0]!;
  return rules.packages === 'any' || (rules.packages as readonly string[]).includes(name)
    ? undefined
    : 'may not use that package';
}

test.each(Object.keys(rooms) as Room[])('%s imports only what the table allows', (room) => {
  const problems: string[] = [];
  for (const file of sourcesBelow(path.join(root, room))) {
    for (const specifier of importsOf(file)) {
      const found = problem(room, file, specifier);
      if (found !== undefined) problems.push(`${path.relative(root, file)}: '${specifier}' ${found}`);
    }
  }
  expect(problems).toEqual([]);
});

test('lang reads no clock and knows no mail', () => {
  const problems: string[] = [];
  for (const file of sourcesBelow(path.join(root, 'lang'))) {
    const text = readFileSync(file, 'utf8');
    for (const word of [/\bDate\.now\b/, /\bnew Date\(/, /\bSMTP\b/, /\benvelope\b/i, /\brecipients?\b/i]) {
      if (word.test(text)) problems.push(`${path.relative(root, file)}: ${word}`);
    }
  }
  expect(problems).toEqual([]);
});

test('nobody outside src/native loads the addon', () => {
  const problems = sourcesBelow(path.join(root, 'src'))
    .filter((file) => !file.startsWith(path.join(root, 'src', 'native') + path.sep))
    .filter((file) => /process\.dlopen|argonite\.node/.test(readFileSync(file, 'utf8')));
  expect(problems).toEqual([]);
});
