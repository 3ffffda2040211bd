import { expect, test } from 'vitest';
import { type Declaration, languageDeclarations, type Parameter } from '#lang';
import { catalog } from '#stdlib';
import { makePages } from '../../../../src/cli/docs/generate.js';
import { phases } from '../../../../src/scripting/hook-programs.js';

const pages = makePages();
const all = [...pages.values()].join('\n');

function* optionKeys(params: readonly Parameter[]): Iterable<string> {
  for (const { keys } of params)
    for (const [key, { aliasOf }] of Object.entries(keys ?? {})) if (aliasOf === undefined) yield key;
}

function missingFrom(text: string, one: Declaration): string[] {
  const headings =
    one.kind === 'builtin'
      ? [
          `## ${one.name}\n`,
          ...(one.deprecated === undefined ? [...optionKeys(one.params)].map((key) => `| \`${key}\` |`) : []),
        ]
      : [
          `## class ${one.name}\n`,
          ...Object.values(one.methods).map(({ name }) => `### ->${name}\n`),
          ...Object.values(one.statics).map(({ name }) => `### ${one.name}::${name}\n`),
        ];
  return headings.filter((heading) => !text.includes(heading));
}

test('every builtin, class, method and option key is on a page', () => {
  expect([...languageDeclarations.values(), ...catalog].flatMap((one) => missingFrom(all, one))).toEqual([]);
});

test.each(Object.values(phases))('the page of $name has its variables and what only it can call', (phase) => {
  const page = pages.get(`hooks/${phase.name}.md`) ?? '';
  expect(phase.variables.filter(({ name }) => !page.includes(`### $${name}\n`))).toEqual([]);
  expect(
    phase.variables.flatMap(({ keys }) =>
      Object.keys(keys ?? {}).filter((key) => !page.includes(`\`${key}\``)),
    ),
  ).toEqual([]);
  expect(phase.declarations.flatMap((one) => missingFrom(page, one))).toEqual([]);
});

test('every page is reached from the index', () => {
  const index = pages.get('index.md') ?? '';
  expect([...pages.keys()].filter((name) => name !== 'index.md' && !index.includes(`(${name})`))).toEqual([]);
});
