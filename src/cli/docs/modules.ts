// The modules that come with the daemon and are written in HSL: what their comments say.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Block, heading, type Page, parseInlines, plainCode } from './blocks.js';
import { parseMarkdown } from './parse-markdown.js';

/** A page for every file that says `extras://name` in its first line. */
export function modulePages(root: string): Page[] {
  const folder = path.join(root, 'stdlib/extras');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.hsl'))
    .sort()
    .flatMap((name) => {
      const page = readModule(name.slice(0, -4), readFileSync(path.join(folder, name), 'utf8'));
      return page === undefined ? [] : [page];
    });
}

function readModule(name: string, source: string): Page | undefined {
  const lines = source.split('\n');
  const opening = commentAt(lines, 0);
  const words = opening.join('\n').replace(new RegExp(`^extras://${name}: *`), '');
  if (words === opening.join('\n')) return undefined;
  const blocks = parseMarkdown(words.charAt(0).toUpperCase() + words.slice(1));
  const offered = offeredNames(words);
  for (let at = opening.length; at < lines.length; at++) {
    const declared = /^(function|class) (\w+)\s*(\([^)]*\))?/.exec(lines[at]!);
    const comment = commentBefore(lines, at);
    if (declared === null) continue;
    const [, kind, called, parameters = ''] = declared;
    if (offered === undefined ? comment.length === 0 : !offered.has(called!)) continue;
    blocks.push(heading(2, [plainCode(called!)], called!));
    blocks.push({
      kind: 'code',
      text: kind === 'class' ? `class ${called}` : called! + parameters,
      language: 'signature',
    });
    blocks.push(...describe(comment));
    if (kind === 'class') blocks.push(...methodsOf(lines, at));
  }
  return {
    path: `modules/${name}`,
    title: `extras://${name}`,
    summary: parseInlines(
      /^(?:[^.:]|\.(?=\S))*[.:]?/s.exec(words.replaceAll('\n', ' '))![0].replace(/:$/, '.'),
    ),
    blocks,
  };
}

/** What the opening comment imports in its examples: the module's door. Undefined when it does not say. */
function offeredNames(opening: string): Set<string> | undefined {
  const lists = [...opening.matchAll(/import \{([^}]*)\} from/g)].map(([, names]) => names!);
  return lists.length === 0
    ? undefined
    : new Set(lists.flatMap((names) => names.split(',').map((name) => name.trim())));
}

/** The documented methods of the class that begins at a line. */
function methodsOf(lines: readonly string[], start: number): Block[] {
  const blocks: Block[] = [];
  for (let at = start + 1; at < lines.length && lines[at] !== '}'; at++) {
    const method = /^\t((?:static )?(?:function (\w+)|constructor)\s*\([^)]*\))/.exec(lines[at]!);
    const comment = commentBefore(lines, at);
    if (method === null || comment.length === 0) continue;
    blocks.push(heading(3, [plainCode(method[2] ?? 'constructor')]));
    blocks.push({ kind: 'code', text: method[1]!.replace('function ', ''), language: 'signature' });
    blocks.push(...describe(comment));
  }
  return blocks;
}

const commentText = (line: string) => /^\t?\/\/ ?(.*)$/.exec(line)?.[1];

function commentAt(lines: readonly string[], start: number): string[] {
  const words: string[] = [];
  for (let at = start; at < lines.length; at++) {
    const found = commentText(lines[at]!);
    if (found === undefined) break;
    words.push(found);
  }
  return words;
}

function commentBefore(lines: readonly string[], at: number): string[] {
  let start = at;
  while (start > 0 && commentText(lines[start - 1]!) !== undefined) start--;
  return commentAt(lines.slice(start, at), 0);
}

/** Words, then `@param name …` and `@return …`, each of which may go on in indented lines. */
function describe(comment: readonly string[]): Block[] {
  const words: string[] = [];
  const facts: string[] = [];
  for (const line of comment) {
    if (line.startsWith('@')) facts.push(line);
    else if (facts.length > 0) facts[facts.length - 1] += ` ${line.trim()}`;
    else words.push(line);
  }
  const blocks = parseMarkdown(words.join('\n'));
  if (facts.length > 0)
    blocks.push({
      kind: 'facts',
      facts: facts.map((fact) => {
        const [, tag, name, said] =
          /^@(param|return|throws)\s+(?:(?<=param\s+)(\$?\w+(?:, \$?\w+)*)\s+)?(.*)$/s.exec(fact) ?? [];
        if (tag === 'param')
          return [(name ?? '').replace(/\$?(\w+)/g, '$$$1'), parseInlines(said ?? '')] as const;
        return [tag === 'throws' ? 'Throws' : 'Returns', parseInlines(said ?? fact)] as const;
      }),
    });
  return blocks;
}
