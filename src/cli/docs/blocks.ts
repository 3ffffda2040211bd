// A page of the manual as data, before it is Markdown or HTML: both say the same, because both are printed from this.

/** A place in the manual: a page by its path without an ending, and maybe an anchor on it. */
export interface Target {
  readonly page: string;
  readonly anchor?: string;
}

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  /** Becomes a link when it is the name of something that the manual describes. */
  | { readonly kind: 'code'; readonly text: string; readonly isPlain?: true }
  | { readonly kind: 'strong' | 'emphasis'; readonly parts: Inlines }
  | { readonly kind: 'link'; readonly target: Target; readonly parts: Inlines };

export type Inlines = readonly Inline[];

export interface Row {
  readonly cells: readonly Inlines[];
  readonly anchor?: string;
}

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly parts: Inlines; readonly anchor?: string }
  | { readonly kind: 'paragraph'; readonly parts: Inlines }
  | { readonly kind: 'code'; readonly text: string; readonly language?: string }
  | { readonly kind: 'table'; readonly head: readonly Inlines[]; readonly rows: readonly Row[] }
  | { readonly kind: 'list'; readonly items: readonly Inlines[]; readonly isOrdered?: true }
  /** Terms with what they say: Returns, Errors, … */
  | { readonly kind: 'facts'; readonly facts: readonly (readonly [string, Inlines])[] };

export interface Page {
  /** Below the manual's folder, without an ending: `functions/arrays`. */
  readonly path: string;
  readonly title: string;
  /** One sentence for the index. */
  readonly summary: Inlines;
  /** Without the title. */
  readonly blocks: readonly Block[];
}

export const text = (words: string): Inline => ({ kind: 'text', text: words });
export const code = (words: string): Inline => ({ kind: 'code', text: words });
/** Code that is never a link: the type `number` is not the function of that name. */
export const plainCode = (words: string): Inline => ({ kind: 'code', text: words, isPlain: true });
export const link = (target: Target, ...parts: Inline[]): Inline => ({ kind: 'link', target, parts });
export const paragraph = (...parts: Inline[]): Block => ({ kind: 'paragraph', parts });

/** A heading; without an anchor it cannot be linked to. */
export function heading(level: number, words: Inlines | string, anchor?: string): Block {
  const parts = typeof words === 'string' ? [text(words)] : words;
  return anchor === undefined ? { kind: 'heading', level, parts } : { kind: 'heading', level, parts, anchor };
}

/** `code`, **strong**, *emphasis* and words. */
export function parseInlines(markdown: string): Inlines {
  const parts: Inline[] = [];
  let end = 0;
  for (const match of markdown.matchAll(
    /(`+)(.+?)\1(?!`)|\*\*(.+?)\*\*|(?<![\w*])\*(?=[^\s*])([^*]*[^\s*])\*(?![\w*])/gs,
  )) {
    if (match.index > end) parts.push(text(markdown.slice(end, match.index)));
    const [whole, , inCode, inStrong, inEmphasis] = match;
    if (inCode !== undefined)
      parts.push(code(inCode.length > 2 ? inCode.replace(/^ (.*) $/s, '$1') : inCode));
    else if (inStrong !== undefined) parts.push({ kind: 'strong', parts: parseInlines(inStrong) });
    else parts.push({ kind: 'emphasis', parts: parseInlines(inEmphasis!) });
    end = match.index + whole.length;
  }
  if (end < markdown.length) parts.push(text(markdown.slice(end)));
  return parts;
}

/** The words alone. */
export function inlinesToText(parts: Inlines): string {
  return parts
    .map((part) => (part.kind === 'text' || part.kind === 'code' ? part.text : inlinesToText(part.parts)))
    .join('');
}

/** An anchor from the words of a heading: lower case, hyphens for the rest. */
export function anchorOf(words: string): string {
  return words
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
