// Whether a page is well-formed HTML as we write it: every element is closed in order, attributes are quoted, text is
// escaped, ids are unique. Stricter than a browser on purpose.

const voidElements = new Set(['meta', 'link', 'br', 'hr', 'img', 'input']);
/** What may not stand inside the element. */
const forbiddenInside: Readonly<Record<string, RegExp>> = {
  p: /^(?:p|div|ul|ol|dl|table|pre|h[1-6]|nav|main)$/,
  a: /^a$/,
  ul: /^(?!li$)/,
  ol: /^(?!li$)/,
  dl: /^(?!d[td]$)/,
  table: /^(?!thead$|tbody$)/,
  thead: /^(?!tr$)/,
  tbody: /^(?!tr$)/,
  tr: /^(?!t[dh]$)/,
};

/** What is wrong with the page, in sentences; none when it is well-formed. */
export function htmlProblems(html: string): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  const ids = new Set<string>();
  if (!html.startsWith('<!DOCTYPE html>\n')) problems.push('the page does not begin with its document type');
  let at = '<!DOCTYPE html>'.length;
  while (at < html.length) {
    const next = html.indexOf('<', at);
    checkText(html.slice(at, next === -1 ? html.length : next), problems);
    if (next === -1) break;
    const tag = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"<]*")*)\s*>/.exec(html.slice(next));
    if (tag === null) {
      problems.push(`no tag: ${html.slice(next, next + 60)}`);
      at = next + 1;
      continue;
    }
    const [whole, slash, name, attributes] = tag as unknown as [string, string, string, string];
    at = next + whole.length;
    if (slash !== '') {
      const last = open.pop();
      if (last !== name) problems.push(`</${name}> closes <${last}>`);
      continue;
    }
    const parent = open.at(-1);
    if (parent !== undefined && forbiddenInside[parent]?.test(name))
      problems.push(`<${name}> inside <${parent}>`);
    if (name === 'a' && open.includes('a')) problems.push('a link inside a link');
    for (const [, attribute, value] of attributes.matchAll(/([a-z-]+)="([^"]*)"/g)) {
      checkText(value!, problems);
      if (attribute !== 'id') continue;
      if (ids.has(value!)) problems.push(`the id ${value} is there twice`);
      if (value === '' || /\s/.test(value!)) problems.push(`the id "${value}" is no id`);
      ids.add(value!);
    }
    if (!voidElements.has(name)) open.push(name);
  }
  if (open.length > 0) problems.push(`not closed: ${open.join(', ')}`);
  for (const needed of ['html', 'head', 'title', 'body', 'main', 'h1'])
    if (!html.includes(`<${needed}`)) problems.push(`no <${needed}>`);
  return problems;
}

function checkText(words: string, problems: string[]): void {
  const bad = /&(?!(?:amp|lt|gt|quot|#39);)|>|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(words);
  if (bad !== null)
    problems.push(`not escaped: ${JSON.stringify(words.slice(Math.max(0, bad.index - 20), bad.index + 20))}`);
}

/** The places a page offers. */
export function idsOf(html: string): Set<string> {
  return new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!));
}

/** What a page refers to. */
export function hrefsOf(html: string): string[] {
  return [...html.matchAll(/ (?:href|src)="([^"]*)"/g)].map(([, href]) => href!);
}
