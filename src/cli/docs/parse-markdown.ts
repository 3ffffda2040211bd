// Markdown as our own pages use it, read into blocks: headings, paragraphs, lists, tables, code that is fenced or indented.
// No HTML, no nested lists, no references.

import { anchorOf, type Block, heading, inlinesToText, parseInlines, type Row } from './blocks.js';

/** Reads a text; headings get anchors, `raise` is added to their level. */
export function parseMarkdown(markdown: string, raise = 0): Block[] {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  let at = 0;
  const isBlank = (line: string | undefined) => line === undefined || line.trim() === '';
  while (at < lines.length) {
    const line = lines[at]!;
    if (isBlank(line) || /^-{3,}$/.test(line)) at++;
    else if (line.startsWith('```')) {
      const end = lines.indexOf('```', at + 1);
      const stop = end === -1 ? lines.length : end;
      blocks.push({ kind: 'code', text: lines.slice(at + 1, stop).join('\n') });
      at = stop + 1;
    } else if (/^(?: {4}|\t)/.test(line)) {
      const start = at;
      while (at < lines.length && (/^(?: {4}|\t)/.test(lines[at]!) || isBlank(lines[at]))) at++;
      blocks.push({ kind: 'code', text: undent(lines.slice(start, at)) });
    } else if (/^#{1,6} /.test(line)) {
      const [, marks, words] = /^(#+) (.*)$/.exec(line)!;
      const parts = parseInlines(words!);
      blocks.push(heading(Math.min(6, marks!.length + raise), parts, anchorOf(inlinesToText(parts))));
      at++;
    } else if (line.startsWith('|')) {
      const start = at;
      while (lines[at]?.startsWith('|')) at++;
      blocks.push(parseTable(lines.slice(start, at)));
    } else if (isItem(line)) {
      const items: string[] = [];
      const isOrdered = /^\d/.test(line);
      for (; at < lines.length && !isBlank(lines[at]) && !startsOther(lines[at]!); at++) {
        if (isItem(lines[at]!)) items.push(lines[at]!.replace(/^(?:[-*]|\d+\.) /, ''));
        else items[items.length - 1] += ` ${lines[at]!.trim()}`;
      }
      const parsed = items.map(parseInlines);
      blocks.push(isOrdered ? { kind: 'list', items: parsed, isOrdered } : { kind: 'list', items: parsed });
    } else {
      const start = at;
      while (at < lines.length && !isBlank(lines[at]) && !startsOther(lines[at]!) && !isItem(lines[at]!))
        at++;
      blocks.push({
        kind: 'paragraph',
        parts: parseInlines(
          lines
            .slice(start, at)
            .map((one) => one.trim())
            .join(' '),
        ),
      });
    }
  }
  return blocks;
}

const isItem = (line: string) => /^(?:[-*]|\d+\.) /.test(line);
const startsOther = (line: string) => /^(?:#{1,6} |\||```)/.test(line);

function undent(lines: readonly string[]): string {
  return lines
    .map((line) => line.replace(/^(?: {4}|\t)/, ''))
    .join('\n')
    .trimEnd();
}

function parseTable(lines: readonly string[]): Block {
  const [head = [], , ...rows] = lines.map((line) =>
    splitCells(line).map((cell) => parseInlines(cell.trim().replaceAll('\\|', '|'))),
  );
  const width = head.length;
  return {
    kind: 'table',
    head,
    rows: rows.map((cells): Row => ({ cells: Array.from({ length: width }, (_, i) => cells[i] ?? []) })),
  };
}

function splitCells(line: string): string[] {
  return line.replace(/^\||\|\s*$/g, '').split(/(?<!\\)\|/);
}
