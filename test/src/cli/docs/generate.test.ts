import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Declaration, languageDeclarations, messages, type Parameter } from '#lang';
import { catalog } from '#stdlib';
import { makeFiles } from '../../../../src/cli/docs/generate.js';
import { phases } from '../../../../src/scripting/hook-programs.js';
import { hrefsOf, htmlProblems, idsOf } from '../../../support/html-check.js';
import { root } from '../../../support/peers.js';

const files = makeFiles(root);
const pages = [...files].filter(([name]) => name.endsWith('.html'));
const markdown = [...files].filter(([name]) => name.endsWith('.md'));

const declarations: readonly Declaration[] = [
  ...languageDeclarations.values(),
  ...catalog,
  ...new Set(
    Object.values(phases).flatMap(({ declarations: own }) => own.filter(({ kind }) => kind === 'class')),
  ),
];

/** Pages and anchors that a declaration must have. */
function anchorsOf(one: Declaration): string[] {
  if (one.kind === 'builtin') return [`functions/${one.group}.html#${one.name}`];
  return [
    ...Object.values(one.methods).map(({ name }) => `classes/${one.name}.html#method-${name}`),
    ...Object.values(one.statics).map(({ name }) => `classes/${one.name}.html#static-${name}`),
    ...(one.constructorOf === undefined ? [] : [`classes/${one.name}.html#constructor`]),
  ];
}

function* optionKeys(params: readonly Parameter[]): Iterable<string> {
  for (const { keys } of params) for (const key of Object.keys(keys ?? {})) yield key;
}

test('the check of the pages finds what is wrong', () => {
  const page = (body: string) =>
    `<!DOCTYPE html>\n<html><head><title>x</title></head><body><main><h1>x</h1>${body}</main></body></html>`;
  expect(htmlProblems(page('<p>1 &lt; 2 &amp; &quot;</p>'))).toEqual([]);
  for (const bad of [
    '<p><em>x</p></em>',
    '<p>a & b</p>',
    '<p>1 > 2</p>',
    '<p>1 < 2</p>',
    '<p id="a"></p><p id="a"></p>',
    '<a href="x"><a href="y"></a></a>',
    '<ul><p></p></ul>',
    '<p class=x></p>',
    '<p>',
  ])
    expect(htmlProblems(page(bad)), bad).not.toEqual([]);
});

describe('the pages', () => {
  test.each(pages)('%s is well-formed', (_, html) => {
    expect(htmlProblems(html)).toEqual([]);
  });

  test('need nothing from elsewhere, and every link leads somewhere', () => {
    const problems: string[] = [];
    for (const [name, html] of pages) {
      for (const href of hrefsOf(html)) {
        const [file = '', anchor] = href.split('#');
        const target = file === '' ? name : path.posix.join(path.posix.dirname(name), file);
        const page = files.get(target);
        if (page === undefined) problems.push(`${name}: ${href} leads to no page`);
        else if (anchor !== undefined && !idsOf(page).has(anchor))
          problems.push(`${name}: ${href} has no place`);
      }
      if (/<script|<style|<img|url\(|@import/.test(html))
        problems.push(`${name} needs more than its stylesheet`);
    }
    expect(problems).toEqual([]);
    expect(files.get('style.css')).not.toMatch(/url\(|@import/);
    expect(files.get('style.css')).toContain('prefers-color-scheme: dark');
  });

  test('are all in the menu and the index', () => {
    const index = hrefsOf(files.get('index.html')!);
    expect(pages.map(([name]) => name).filter((name) => !index.includes(name))).toEqual([]);
  });
});

test('the Markdown has the same links, and they lead somewhere', () => {
  const problems: string[] = [];
  for (const [name, words] of markdown) {
    const prose = words.replace(/^```[\s\S]*?^```$/gm, '').replace(/(`+).+?\1/gs, 'code');
    for (const [, href] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [file = '', anchor] = href!.split('#');
      const target = file === '' ? name : path.posix.join(path.posix.dirname(name), file);
      const page = files.get(target);
      if (page === undefined) problems.push(`${name}: ${href} leads to no page`);
      else if (anchor !== undefined && !page.includes(`<a id="${anchor}"></a>`))
        problems.push(`${name}: ${href} has no place`);
    }
  }
  expect(problems).toEqual([]);
  expect(markdown.map(([name]) => name.slice(0, -3))).toEqual(pages.map(([name]) => name.slice(0, -5)));
});

test('every function, class and method has its place, with every option key', () => {
  const missing: string[] = [];
  for (const one of declarations) {
    for (const place of anchorsOf(one)) {
      const [file, anchor] = place.split('#') as [string, string];
      if (!idsOf(files.get(file) ?? '').has(anchor)) missing.push(place);
    }
    const page = one.kind === 'builtin' ? `functions/${one.group}` : `classes/${one.name}`;
    const params =
      one.kind === 'builtin'
        ? one.deprecated === undefined
          ? one.params
          : []
        : [...Object.values(one.methods), ...Object.values(one.statics)].flatMap((method) => method.params);
    // Methods that a class has from another are described there.
    const own = ['classes/MIMEPart', 'classes/MailMessage', page]
      .map((name) => files.get(`${name}.html`))
      .join('');
    for (const key of optionKeys(params))
      if (!own.includes(`<code>${key}</code>`)) missing.push(`${one.name}: ${key}`);
    if (one.kind === 'class' && one.summary !== '' && !files.has(`${page}.md`)) missing.push(page);
  }
  expect(missing).toEqual([]);
});

test('a function shows its signature, parameters, result, errors, example and relatives', () => {
  const section = /<h2 id="str_split">.*?(?=<h2 )/s.exec(files.get('functions/strings.html')!)![0];
  for (const part of [
    'str_split(string $text, string $delimiter [, number $limit = 0]) → array',
    '<dt>Returns</dt><dd><code>array</code></dd>',
    '<dt>See also</dt>',
    '<span class="result">// [&quot;',
  ])
    expect(section).toContain(part);
  expect(files.get('functions/types.html')).toContain('<dt>Older names</dt>');
  expect(files.get('functions/state.html')).toContain('<dt>Waits</dt>');
});

test.each(Object.values(phases))('the page of $name has its variables, actions and outcomes', (phase) => {
  const html = files.get(`hooks/${phase.name}.html`)!;
  const ids = idsOf(html);
  for (const { name, keys } of phase.variables) {
    expect(ids).toContain(`variable-${name}`);
    for (const key of Object.keys(keys ?? {})) expect(html).toContain(`<code>${key}</code>`);
  }
  for (const one of phase.declarations) if (one.kind === 'builtin') expect(ids).toContain(one.name);
  expect(html).toContain('<dt>At the end of the script</dt>');
});

test('the language, every message and every setting are there', () => {
  const language = files.get('language.html')!;
  for (const chapter of ['Execution model', 'Patterns', 'Generators', 'barrier and shared memory'])
    expect(language).toContain(chapter);
  expect(language).not.toMatch(/\[(?:doc|guess|example)/);
  const ids = idsOf(files.get('messages.html')!);
  expect(Object.keys(messages).filter((number) => !ids.has(number))).toEqual([]);
  expect(files.get('settings.html')).toContain('<code>servers[].phases.data.maxsize</code>');
});

test('the bundled modules are described by their comments', () => {
  const page = files.get('modules/srs.html')!;
  expect(page).toContain('<h2 id="srs_forward">');
  expect(page).toContain('extras://srs');
});

test('every command is there with its arguments and options', () => {
  const html = files.get('commands.html')!;
  const ids = idsOf(html);
  for (const words of [
    'serve',
    'hsh',
    'queue list',
    'queue update',
    'queue load',
    'config livestage start',
    'resolver query',
    'log',
  ])
    expect(ids).toContain(`argonite-${words.replaceAll(' ', '-')}`);
  for (const term of ['--bounce [reason]', '--active', '-F, --field &lt;name&gt;'])
    expect(html).toContain(`<code>${term}</code>`);
});

test('a setting that has several forms says which', () => {
  const settings = files.get('settings.md')!;
  expect(settings).toMatch(/`spool\.path` \| string or array \|/);
  expect(settings).toMatch(/`lists\.jobid` \| map \|/);
  expect(settings).toMatch(/`servers\[\]\.type` \| `smtp`, `http`,/);
});
