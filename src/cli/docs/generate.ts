// `npm run docs`: writes the reference to docs/reference, as HTML and as Markdown, and the table of stdlib/README.md.
// Nothing in them is written by hand.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { scriptLibrary } from '../../scripting/library.js';
import { withLibraryTable } from './library-table.js';
import { linksTo } from './links.js';
import { makeManual } from './pages.js';
import { stylesheet } from './stylesheet.js';
import { pageToHtml } from './to-html.js';
import { pageToMarkdown } from './to-markdown.js';

/** All files by their path below the output folder. */
export function makeFiles(root: string): Map<string, string> {
  const { pages, navigation, places } = makeManual(root);
  const links = linksTo(places);
  const files = new Map([['style.css', stylesheet]]);
  for (const page of pages) {
    files.set(`${page.path}.html`, pageToHtml(page, links, navigation));
    files.set(`${page.path}.md`, pageToMarkdown(page, links));
  }
  return files;
}

/** The installation's folder: the nearest one above with a package.json. */
export function installationRoot(from: string): string {
  let folder = from;
  while (!existsSync(path.join(folder, 'package.json'))) {
    const above = path.dirname(folder);
    if (above === folder) throw new Error(`there is no package.json in ${from} or above`);
    folder = above;
  }
  return folder;
}

/** Writes the files below `folder`; an older manual in it goes first. */
function writeFiles(files: ReadonlyMap<string, string>, folder: string): void {
  const index = path.join(folder, 'index.html');
  const title = /<title>.*<\/title>/.exec(files.get('index.html')!)![0];
  if (existsSync(index) && readFileSync(index, 'utf8').includes(title)) rmSync(folder, { recursive: true });
  for (const [name, words] of files) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, words);
  }
}

function refreshTable(root: string): void {
  const file = path.join(root, 'stdlib/README.md');
  const before = readFileSync(file, 'utf8');
  const after = withLibraryTable(before, scriptLibrary);
  if (after !== before) writeFileSync(file, after);
}

if (process.argv[1] === import.meta.filename) {
  const root = installationRoot(import.meta.dirname);
  const folder = path.resolve(process.argv[2] ?? 'docs/reference');
  refreshTable(root);
  const files = makeFiles(root);
  writeFiles(files, folder);
  const pages = [...files.keys()].filter((name) => name.endsWith('.html')).length;
  process.stdout.write(`${pages} pages in ${folder}: index.html, index.md\n`);
}
