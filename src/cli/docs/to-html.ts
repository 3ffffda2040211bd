// Blocks as HTML: one page, one stylesheet, nothing else.

import {
  anchorOf,
  type Block,
  type Inline,
  type Inlines,
  inlinesToText,
  type Page,
  type Target,
} from './blocks.js';
import type { Links } from './links.js';

/** The pages that every page leads to, under headings. */
export type Navigation = readonly {
  readonly title: string;
  readonly entries: readonly { readonly title: string; readonly path: string }[];
}[];

/** For text and attribute values alike. */
export function escapeHtml(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\ufffd');
}

class HtmlWriter {
  readonly #page: string;
  readonly #links: Links;
  /** The anchor under whose heading we are: a name is not linked to itself. */
  #here: string | undefined;

  constructor(page: string, links: Links) {
    this.#page = page;
    this.#links = links;
  }

  blocks(blocks: readonly Block[]): string {
    return blocks.map((block) => this.#block(block)).join('\n');
  }

  #block(block: Block): string {
    switch (block.kind) {
      case 'heading': {
        const tag = `h${block.level}`;
        if (block.anchor === undefined) return `<${tag}>${this.inlines(block.parts)}</${tag}>`;
        this.#here = block.anchor;
        const id = escapeHtml(block.anchor);
        const mark = `<a class="anchor" href="#${id}" aria-label="Link to this place">#</a>`;
        return `<${tag} id="${id}">${this.inlines(block.parts)} ${mark}</${tag}>`;
      }
      case 'paragraph':
        return `<p>${this.inlines(block.parts)}</p>`;
      case 'code':
        return block.language === 'signature'
          ? `<pre class="signature"><code>${escapeHtml(block.text)}</code></pre>`
          : `<pre><code>${block.language === 'hsl' ? markResults(block.text) : escapeHtml(block.text)}</code></pre>`;
      case 'list': {
        const tag = block.isOrdered ? 'ol' : 'ul';
        return `<${tag}>\n${block.items.map((item) => `<li>${this.inlines(item)}</li>`).join('\n')}\n</${tag}>`;
      }
      case 'facts':
        return `<dl>\n${block.facts
          .map(([term, parts]) => `<dt>${escapeHtml(term)}</dt><dd>${this.inlines(parts)}</dd>`)
          .join('\n')}\n</dl>`;
      case 'table': {
        const head = block.head.map((cell) => `<th scope="col">${this.inlines(cell)}</th>`).join('');
        const rows = block.rows.map(({ cells, anchor }) => {
          const id = anchor === undefined ? '' : ` id="${escapeHtml(anchor)}"`;
          return `<tr${id}>${cells.map((cell) => `<td>${this.inlines(cell)}</td>`).join('')}</tr>`;
        });
        return `<div class="table"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table></div>`;
      }
    }
  }

  inlines(parts: Inlines): string {
    return parts.map((part) => this.#inline(part)).join('');
  }

  #inline(part: Inline): string {
    switch (part.kind) {
      case 'text':
        return escapeHtml(part.text);
      case 'strong':
        return `<strong>${this.inlines(part.parts)}</strong>`;
      case 'emphasis':
        return `<em>${this.inlines(part.parts)}</em>`;
      case 'link':
        // A name inside a link is not a link of its own.
        return `<a href="${this.#href(part.target)}">${part.parts.map(withoutLink).join('')}</a>`;
      case 'code': {
        const words = `<code>${escapeHtml(part.text)}</code>`;
        const target = part.isPlain ? undefined : this.#links.targetOf(part.text, this.#page);
        const isHere = target?.page === this.#page && target.anchor === this.#here;
        return target === undefined || isHere ? words : `<a href="${this.#href(target)}">${words}</a>`;
      }
    }
  }

  #href(target: Target): string {
    return escapeHtml(this.#links.href(this.#page, target, '.html'));
  }
}

function withoutLink(part: Inline): string {
  return part.kind === 'code' ? `<code>${escapeHtml(part.text)}</code>` : escapeHtml(inlinesToText([part]));
}

/** An example with what comes out of it set apart. */
function markResults(example: string): string {
  return example
    .split('\n')
    .map((line) => {
      const [, before, result] = /^(.*?(?:^| {2}))(\/\/ ?.*)$/.exec(line) ?? [];
      if (before === undefined || result === undefined) return escapeHtml(line);
      return `${escapeHtml(before)}<span class="result">${escapeHtml(result)}</span>`;
    })
    .join('\n');
}

/** The headings of a page that are worth a list at its top. */
function contentsOf(page: Page): string {
  const entries = page.blocks.flatMap((block) =>
    block.kind === 'heading' && block.level === 2 && block.anchor !== undefined
      ? [`<li><a href="#${escapeHtml(block.anchor)}">${block.parts.map(withoutLink).join('')}</a></li>`]
      : [],
  );
  return entries.length < 3
    ? ''
    : `<nav class="contents" aria-label="On this page">\n<ul>\n${entries.join('\n')}\n</ul>\n</nav>\n`;
}

/** A whole page of the manual. */
export function pageToHtml(page: Page, links: Links, navigation: Navigation): string {
  const writer = new HtmlWriter(page.path, links);
  const up = '../'.repeat(page.path.split('/').length - 1);
  const menu = navigation
    .map(({ title, entries }) => {
      const items = entries.map(({ title: words, path }) => {
        const current = path === page.path ? ' aria-current="page"' : '';
        return `<li><a href="${escapeHtml(links.href(page.path, { page: path }, '.html'))}"${current}>${escapeHtml(words)}</a></li>`;
      });
      return `<h2 id="menu-${anchorOf(title)}">${escapeHtml(title)}</h2>\n<ul aria-labelledby="menu-${anchorOf(title)}">\n${items.join('\n')}\n</ul>`;
    })
    .join('\n');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(page.title)} · argonite reference</title>
<link rel="stylesheet" href="${up}style.css">
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header><a href="${up}index.html">argonite reference</a></header>
<div class="columns">
<nav class="menu" aria-label="Pages">
${menu}
</nav>
<main id="content">
<h1>${escapeHtml(page.title)}</h1>
${contentsOf(page)}${writer.blocks(page.blocks)}
</main>
</div>
</body>
</html>
`;
}
