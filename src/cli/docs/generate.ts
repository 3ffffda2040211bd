// `npm run docs`: writes the reference to docs/reference. Nothing in it is written by hand.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Declaration, messages } from '#lang';
import { phases } from '../../scripting/hook-programs.js';
import { scriptLibrary } from '../../scripting/library.js';
import { builtinToMarkdown, classToMarkdown, groups, titleOf, variablesToMarkdown } from './markdown.js';
import { settingsToMarkdown } from './settings.js';

function declarationToMarkdown(one: Declaration): string {
  return one.kind === 'builtin' ? builtinToMarkdown(one) : classToMarkdown(one);
}

/** All pages by their path below the output folder. */
export function makePages(): Map<string, string> {
  const pages = new Map<string, string>();
  const index = ['# Reference', '', '## What scripts can call', ''];
  for (const group of groups) {
    const members = scriptLibrary
      .filter((one) => one.group === group)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    if (members.length === 0) continue;
    pages.set(
      `functions/${group}.md`,
      [`# ${titleOf(group)}`, '', ...members.map(declarationToMarkdown)].join('\n'),
    );
    index.push(
      `- [${titleOf(group)}](functions/${group}.md): ${members.map(({ name }) => `\`${name}\``).join(', ')}`,
    );
  }
  index.push('', '## Hooks', '');
  for (const phase of Object.values(phases)) {
    const parts = [
      `# ${phase.name}`,
      '',
      phase.summary,
      '',
      '## Variables',
      '',
      variablesToMarkdown(phase.variables),
      ...phase.declarations.map(declarationToMarkdown),
    ];
    pages.set(`hooks/${phase.name}.md`, parts.join('\n'));
    index.push(`- [${phase.name}](hooks/${phase.name}.md): ${phase.summary}`);
  }
  pages.set('settings.md', settingsToMarkdown());
  pages.set(
    'messages.md',
    [
      '# Messages',
      '',
      '| number | message |',
      '| --- | --- |',
      ...Object.entries(messages).map(([code, text]) => `| ${code} | ${text.replaceAll('|', '\\|')} |`),
      '',
    ].join('\n'),
  );
  index.push(
    '',
    '## Configuration and messages',
    '',
    '- [Settings](settings.md)',
    '- [Messages](messages.md)',
    '',
  );
  pages.set('index.md', index.join('\n'));
  return pages;
}

/** Writes the pages below `folder`. */
function writePages(folder: string): number {
  const pages = makePages();
  for (const [name, text] of pages) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return pages.size;
}

if (process.argv[1] === import.meta.filename) {
  const folder = path.resolve(process.argv[2] ?? 'docs/reference');
  process.stdout.write(`${writePages(folder)} pages in ${folder}\n`);
}
