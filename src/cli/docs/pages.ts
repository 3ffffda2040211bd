// The manual: which pages there are, what each describes, and where every name is to be found.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Builtin, type Declaration, type Method, messages, type NativeClass } from '#lang';
import { phases } from '../../scripting/hook-programs.js';
import { scriptLibrary } from '../../scripting/library.js';
import {
  type Block,
  code,
  heading,
  link,
  type Page,
  paragraph,
  parseInlines,
  type Target,
  text,
} from './blocks.js';
import { commandsPage } from './commands.js';
import { describeBuiltin, describeClass, groups, methodAnchor, titleOf } from './describe.js';
import { hookPage } from './hooks.js';
import { languagePage } from './language.js';
import { libraryEntries } from './library-table.js';
import { modulePages } from './modules.js';
import { parseMarkdown } from './parse-markdown.js';
import { settingsPage } from './settings.js';
import type { Navigation } from './to-html.js';

export interface Manual {
  readonly pages: readonly Page[];
  readonly navigation: Navigation;
  /** Where a name is described. */
  readonly places: ReadonlyMap<string, Target>;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
const isBuiltin = (one: Declaration): one is Builtin => one.kind === 'builtin';
const isClass = (one: Declaration): one is NativeClass => one.kind === 'class';

/** Everything that scripts can name, a class of several phases once. */
function allDeclarations(): readonly Declaration[] {
  const ofPhases = Object.values(phases).flatMap(({ declarations }) => declarations.filter(isClass));
  return [...new Set([...scriptLibrary, ...ofPhases])];
}

function placesOf(declarations: readonly Declaration[]): Map<string, Target> {
  const places = new Map<string, Target>();
  for (const one of declarations) {
    if (isBuiltin(one)) {
      places.set(one.name, { page: `functions/${one.group}`, anchor: one.name });
      continue;
    }
    const page = `classes/${one.name}`;
    places.set(one.name, { page });
    for (const { name } of Object.values(one.methods))
      places.set(`${one.name}->${name}`, { page, anchor: methodAnchor(name, false) });
    for (const { name } of Object.values(one.statics))
      places.set(`${one.name}::${name}`, { page, anchor: methodAnchor(name, true) });
  }
  return places;
}

function groupPages(declarations: readonly Declaration[], places: ReadonlyMap<string, Target>): Page[] {
  const olderNames = new Map<string, string[]>();
  for (const one of declarations)
    if (isBuiltin(one) && one.deprecated !== undefined)
      olderNames.set(one.deprecated, [...(olderNames.get(one.deprecated) ?? []), one.name]);
  return groups.flatMap((group) => {
    const members = declarations.filter((one) => one.group === group).sort(byName);
    if (members.length === 0) return [];
    const builtins = members.filter(isBuiltin);
    const classes = members.filter(isClass);
    const blocks: Block[] = builtins.flatMap((one) =>
      describeBuiltin(one, 2, {
        olderNames: olderNames.get(one.name) ?? [],
        seeAlso: siblings(one, builtins).map(({ name }) => ({ name, target: places.get(name)! })),
      }),
    );
    if (classes.length > 0) {
      blocks.push(heading(2, 'Classes', 'classes'), {
        kind: 'list',
        items: classes.map((one) => [
          link({ page: `classes/${one.name}` }, code(one.name)),
          text(': '),
          ...parseInlines(one.summary),
        ]),
      });
    }
    const names = members.filter((one) => isClass(one) || one.deprecated === undefined);
    return [
      {
        path: `functions/${group}`,
        title: titleOf(group),
        summary: names.flatMap(({ name }, index) => [...(index === 0 ? [] : [text(', ')]), code(name)]),
        blocks,
      },
    ];
  });
}

/** Current functions of the same family: their names begin with the same word. */
function siblings(one: Builtin, builtins: readonly Builtin[]): Builtin[] {
  const family = (name: string) => name.replace(/^is_/, '').split('_')[0];
  return builtins
    .filter(
      (other) => other !== one && other.deprecated === undefined && family(other.name) === family(one.name),
    )
    .slice(0, 8);
}

function classPages(declarations: readonly Declaration[]): Page[] {
  const described = new Map<Method, Target>();
  return declarations.filter(isClass).map((one): Page => {
    const blocks = describeClass(one, 2, new Map(described));
    for (const method of Object.values(one.methods))
      if (!described.has(method))
        described.set(method, { page: `classes/${one.name}`, anchor: methodAnchor(method.name, false) });
    return {
      path: `classes/${one.name}`,
      title: `class ${one.name}`,
      summary: parseInlines(one.summary),
      blocks: [
        ...blocks,
        paragraph(text('Group: '), link({ page: `functions/${one.group}` }, text(titleOf(one.group)))),
      ],
    };
  });
}

function messagesPage(): Page {
  return {
    path: 'messages',
    title: 'Messages',
    summary: [text('What the compiler and the linter say, by number.')],
    blocks: [
      {
        kind: 'table',
        head: [[text('number')], [text('message')]],
        rows: Object.entries(messages).map(([number, words]) => ({
          anchor: number,
          cells: [[code(number)], parseInlines(words)],
        })),
      },
    ],
  };
}

/** How examples are to be read, from the place that tells those who write them. */
function examplesPage(root: string): Page {
  const readme = readFileSync(path.join(root, 'stdlib/README.md'), 'utf8');
  const table = /^\| what \| in the world \|$[\s\S]*?(?=\n\n)/m.exec(readme)?.[0] ?? '';
  return {
    path: 'examples',
    title: 'Examples',
    summary: [text('How to read the examples, and what they find around them.')],
    blocks: [
      paragraph(
        ...parseInlines(
          'Every example was run. An expression stands before its result, as `json_encode` prints it; in a script, what an `echo` prints stands behind it, or below where it prints several times.',
        ),
      ),
      { kind: 'code', language: 'hsl', text: 'str_repeat("ab", 3)  // "ababab"' },
      { kind: 'code', language: 'hsl', text: 'foreach ([1, 2] as $n) echo $n;\n// 1\n// 2' },
      paragraph(text('What they use by name exists where they were run:')),
      ...parseMarkdown(table),
    ],
  };
}

function namesPage(declarations: readonly Declaration[]): Page {
  const entries = libraryEntries(declarations).filter(({ replacedBy }) => replacedBy === undefined);
  const older = libraryEntries(declarations).filter(({ replacedBy }) => replacedBy !== undefined);
  return {
    path: 'names',
    title: 'All names',
    summary: [text('Every function, class and method by name.')],
    blocks: [
      {
        kind: 'table',
        head: [[text('name')], [text('what it does')]],
        rows: entries
          .sort(byName)
          .map(({ name, summary }) => ({ cells: [[code(name)], parseInlines(summary)] })),
      },
      heading(2, 'Older names', 'older-names'),
      {
        kind: 'table',
        head: [[text('older name')], [text('current name')]],
        rows: older
          .sort(byName)
          .map(({ name, replacedBy }) => ({ cells: [[code(name)], [code(replacedBy!)]] })),
      },
    ],
  };
}

const listed = (pages: readonly Page[]): Block => ({
  kind: 'list',
  items: pages.map((page) => [link({ page: page.path }, text(page.title)), text(': '), ...page.summary]),
});

/** The whole manual; `root` is the installation's folder. */
export function makeManual(root: string): Manual {
  const declarations = allDeclarations();
  const places = placesOf(declarations);
  const ofGroups = groupPages(declarations, places);
  const ofClasses = classPages(declarations);
  const hooks = Object.values(phases).map(hookPage);
  const modules = modulePages(root);
  const language = languagePage(root);
  const rest = [commandsPage(), settingsPage(), messagesPage()];
  const names = namesPage(declarations);
  const examples = examplesPage(root);
  const parts: readonly (readonly [string, readonly Page[]])[] = [
    ['Language', [language, examples, names]],
    ['Functions', ofGroups],
    ['Classes', ofClasses],
    ['Hooks', hooks],
    ['Modules', modules],
    ['Operation', rest],
  ];
  const filled = parts.filter(([, pages]) => pages.length > 0);
  const index: Page = {
    path: 'index',
    title: 'Reference',
    summary: [],
    blocks: [
      paragraph(
        text(
          'What scripts are written in, what they can call, where they run, what is configured, and what the command can do.',
        ),
      ),
      ...filled.flatMap(([title, pages]) => [heading(2, title, title.toLowerCase()), listed(pages)]),
    ],
  };
  return {
    pages: [index, ...parts.flatMap(([, pages]) => pages)],
    navigation: filled.map(([title, pages]) => ({
      title,
      entries: pages.map((page) => ({
        title: page.title.replace(/^class |^extras:\/\//, ''),
        path: page.path,
      })),
    })),
    places,
  };
}
