// Blocks as Markdown.

import {
  type Block,
  type Inline,
  type Inlines,
  inlinesToText,
  type Page,
  type Row,
  type Target,
} from './blocks.js';
import { type Links, noLinks } from './links.js';

const escapeWords = (words: string) => words.replace(/[\\`*_[\]<>#]/g, '\\$&');

function fence(words: string): string {
  const longest = Math.max(0, ...[...words.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = '`'.repeat(longest + 1);
  return longest > 0 ? `${marks} ${words} ${marks}` : `${marks}${words}${marks}`;
}

class MarkdownWriter {
  readonly #page: string;
  readonly #links: Links;
  readonly #hasAnchors: boolean;

  constructor(page: string, links: Links, hasAnchors: boolean) {
    this.#page = page;
    this.#links = links;
    this.#hasAnchors = hasAnchors;
  }

  blocks(blocks: readonly Block[]): string {
    return `${blocks.map((block) => this.#block(block)).join('\n\n')}\n`;
  }

  #block(block: Block): string {
    switch (block.kind) {
      case 'heading': {
        const marks = '#'.repeat(block.level);
        if (!this.#hasAnchors) return `${marks} ${inlinesToText(block.parts)}`;
        const line = `${marks} ${this.inlines(block.parts)}`;
        return block.anchor === undefined ? line : `${anchor(block.anchor)}\n\n${line}`;
      }
      case 'paragraph':
        return this.inlines(block.parts);
      case 'code': {
        const longest = Math.max(2, ...[...block.text.matchAll(/`+/g)].map(([run]) => run.length));
        const marks = '`'.repeat(longest + 1);
        return `${marks}${block.language === 'hsl' ? 'hsl' : ''}\n${block.text}\n${marks}`;
      }
      case 'list':
        return block.items
          .map((item, index) => `${block.isOrdered ? `${index + 1}.` : '-'} ${this.inlines(item)}`)
          .join('\n');
      case 'facts':
        return block.facts.map(([term, parts]) => `- ${term}: ${this.inlines(parts)}`).join('\n');
      case 'table':
        return [
          this.#row(block.head),
          `|${' --- |'.repeat(block.head.length)}`,
          ...block.rows.map((row) => this.#row(row.cells, row)),
        ].join('\n');
    }
  }

  #row(cells: readonly Inlines[], row?: Row): string {
    const words = cells.map((cell) => this.inlines(cell).replaceAll('|', '\\|').replaceAll('\n', ' '));
    if (row?.anchor !== undefined && this.#hasAnchors) words[0] = `${anchor(row.anchor)}${words[0]}`;
    return `| ${words.join(' | ')} |`;
  }

  inlines(parts: Inlines): string {
    return parts.map((part) => this.#inline(part)).join('');
  }

  #inline(part: Inline): string {
    switch (part.kind) {
      case 'text':
        return escapeWords(part.text);
      case 'strong':
        return `**${this.inlines(part.parts)}**`;
      case 'emphasis':
        return `*${this.inlines(part.parts)}*`;
      case 'link':
        return `[${this.inlines(part.parts)}](${this.#href(part.target)})`;
      case 'code': {
        const target = part.isPlain ? undefined : this.#links.targetOf(part.text, this.#page);
        return target === undefined ? fence(part.text) : `[${fence(part.text)}](${this.#href(target)})`;
      }
    }
  }

  #href(target: Target): string {
    return this.#links.href(this.#page, target, '.md');
  }
}

const anchor = (id: string) => `<a id="${id}"></a>`;

/** A page of the manual. */
export function pageToMarkdown(page: Page, links: Links): string {
  const writer = new MarkdownWriter(page.path, links, true);
  return `# ${escapeWords(page.title)}\n\n${writer.blocks(page.blocks)}`;
}

/** Blocks to be read by themselves, as on a terminal: nothing is linked. */
export function blocksToMarkdown(blocks: readonly Block[]): string {
  return new MarkdownWriter('', noLinks, false).blocks(blocks);
}
