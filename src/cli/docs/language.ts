// The chapters on the language, from the specification that its implementers work by: its notes on where each rule comes
// from are left out.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Block, type Inline, type Inlines, inlinesToText, link, type Page, text } from './blocks.js';
import { parseMarkdown } from './parse-markdown.js';

const PAGE = 'language';

/** Chapters that are for implementers only. */
const leftOut = /^## \d+\. Open points/;

/** The page; `root` is the installation's folder. */
export function languagePage(root: string): Page {
  const specification = readFileSync(path.join(root, 'lang/SPEC.md'), 'utf8');
  const chapters = specification.split(/^(?=## )/m).slice(1);
  const kept = chapters.filter((chapter) => !leftOut.test(chapter)).map(withoutMarks);
  const blocks = kept.flatMap((chapter) => parseMarkdown(chapter));
  return {
    path: PAGE,
    title: 'The language',
    summary: [text('What a script may say, and what it means.')],
    blocks: withSectionLinks(blocks),
  };
}

/** `[doc]`, `[guess: …]`, `[example …]` and combinations. */
function withoutMarks(chapter: string): string {
  return chapter.replace(/ ?\[(?:doc|guess|example)(?:[^\]`]|`[^`]*`)*\]/g, '');
}

/** Makes `§5.1` a link where there is a section of that number. */
function withSectionLinks(blocks: readonly Block[]): Block[] {
  const anchors = new Map<string, string>();
  for (const block of blocks) {
    if (block.kind !== 'heading' || block.anchor === undefined) continue;
    const number = /^(\d+(?:\.\d+)*)\.? /.exec(inlinesToText(block.parts))?.[1];
    if (number !== undefined) anchors.set(number, block.anchor);
  }
  const linked = (parts: Inlines): Inlines =>
    parts.flatMap((part): Inlines => {
      if (part.kind === 'strong' || part.kind === 'emphasis') return [{ ...part, parts: linked(part.parts) }];
      return part.kind === 'text' ? part.text.split(/(§\d+(?:\.\d+)*)/).map(toLink) : [part];
    });
  const toLink = (words: string): Inline => {
    const anchor = words.startsWith('§') ? anchors.get(words.slice(1)) : undefined;
    return anchor === undefined ? text(words) : link({ page: PAGE, anchor }, text(words));
  };
  return blocks.map((block): Block => {
    switch (block.kind) {
      case 'paragraph':
        return { ...block, parts: linked(block.parts) };
      case 'list':
        return { ...block, items: block.items.map(linked) };
      case 'table':
        return { ...block, rows: block.rows.map((row) => ({ ...row, cells: row.cells.map(linked) })) };
      default:
        return block;
    }
  });
}
