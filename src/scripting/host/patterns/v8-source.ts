// Prints a pattern tree as a JavaScript pattern for a RegExp without the flags i, m, s, u and x.

import { byteSetSource } from './byte-set.js';
import type { Assertion, PatternNode } from './pattern-tree.js';

const assertions: Readonly<Record<Assertion, string>> = {
  subjectStart: '^',
  lineStart: '(?:^|(?<=\\n)(?!$))',
  subjectEnd: '(?=\\n?$)',
  lineEnd: '(?=\\n|$)',
  veryEnd: '$',
  wordBoundary: '\\b',
  noWordBoundary: '\\B',
};

/** The tree as JavaScript's RegExp reads it. */
export function v8Source(node: PatternNode): string {
  switch (node.kind) {
    case 'bytes':
      return byteSetSource(node.set);
    case 'sequence':
      return node.items
        .map((item) => (item.kind === 'choice' ? `(?:${v8Source(item)})` : v8Source(item)))
        .join('');
    case 'choice':
      return node.branches.map(v8Source).join('|');
    case 'group':
      return `(${v8Source(node.body)})`;
    case 'repeat': {
      const body = v8Source(node.body);
      const whole = node.body.kind === 'bytes' || node.body.kind === 'group' ? body : `(?:${body})`;
      return whole + countSource(node.min, node.max) + (node.lazy ? '?' : '');
    }
    case 'ahead':
      return `(?${node.negative ? '!' : '='}${v8Source(node.body)})`;
    case 'assertion':
      return assertions[node.what];
  }
}

function countSource(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}
