import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Expression } from '../../../lang/ast/nodes.js';
import { printExpression, printNode, printScript } from '../../../lang/ast/print.js';
import { walk } from '../../../lang/ast/walk.js';
import { bare, expressionOf, parseText, scriptOf } from '../parser/reading.js';
import { scripts, trees } from './trees.js';

// Text is bytes; parseText turns a text into bytes, so what is printed must be read as latin1 first.
function reread(text: string) {
  return parseText(
    Buffer.from(text, 'latin1')
      .toString('latin1')
      .replace(/[\x80-\xff]/g, '?'),
  );
}

function onlyAscii(text: string): string {
  return text.replace(/[\x80-\xff]/g, '?');
}

describe('printing a tree', () => {
  test('gives a text that is read as the same tree', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const text = onlyAscii(printScript(script));
        const { script: again, diagnostics } = reread(text);
        expect(diagnostics.map((one) => one.message)).toEqual([]);
        const plain = JSON.parse(onlyAscii(JSON.stringify(bare(script), (_, value) => value ?? null)));
        expect(JSON.parse(JSON.stringify(bare(again)))).toEqual(plain);
      }),
      { numRuns: 400, seed: 20260401 },
    );
  });

  test('settles: what is printed is printed the same when read again', () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const text = onlyAscii(printScript(script));
        const again = printScript({ ...reread(text).script });
        expect(printScript(reread(again).script)).toBe(again);
      }),
      { numRuns: 200, seed: 20260402 },
    );
  });

  test('writes no parentheses that could be left out', () => {
    const assignments = new Set(['Assign', 'CompoundAssign', 'Destructure', 'Yield']);
    fc.assert(
      fc.property(trees.expression, (expression) => {
        const text = onlyAscii(`$_ = ${printExpression(bare(expression) as Expression)};`);
        walk(reread(text).script, (node) => {
          if (node.kind !== 'Parenthesized' || assignments.has(node.expression.kind)) return;
          const { start, end } = node.span;
          const shorter = `${text.slice(0, start)} ${text.slice(start + 1, end - 1)} ${text.slice(end)}`;
          const { script, diagnostics } = reread(shorter);
          const same =
            diagnostics.length === 0 &&
            JSON.stringify(bare(script)) === JSON.stringify(bare(reread(text).script));
          if (same) throw new Error(`${text}\ncould be\n${shorter}`);
        });
      }),
      { numRuns: 200, seed: 20260403 },
    );
  });

  test.each([
    ['1 + 2 * 3'],
    ['(1 + 2) * 3'],
    ['-2 ** 2'],
    ['(-2) ** 2'],
    ['2 ** -1 ** 2'],
    ['(2 ** 3) ** 2'],
    ['$a ?? $b ?? $c'],
    ['($a ?? $b) ?? $c'],
    ['$a ? $b : $c ? $d : $e'],
    ['($a ? $b : $c) ? $d : $e'],
    ['$a ?: $b'],
    ['- -$x'],
    ['! ~$x'],
    ['!!$x'],
    ['$a[::2]'],
    ['$a[1:-1]'],
    ['$a[X: :2]'],
    ['"a${b}c $d"'],
    ["''raw\\n''"],
    ['#/a\\/b/i'],
    ['function ($x) {}(5)'],
    ['cache ["ttl" => 5] A::f(1, ...$rest)'],
  ])('leaves %s as it is', (text) => {
    expect(printExpression(expressionOf(text))).toBe(text);
  });

  test('puts blocks on lines of their own', () => {
    const text = [
      'function f($a, $b = 1, ...$c) {',
      '  if ($a) {',
      '    return [...$c, "k" => 1];',
      '  } else if ($b) return;',
      '  switch ($a) {',
      '    case 1:',
      '      break;',
      '    default:',
      '  }',
      '}',
      '',
    ].join('\n');
    expect(printScript(scriptOf(text))).toBe(text);
  });

  test('braces an open if in front of an else', () => {
    const inner = { ...scriptOf('if (1) ; else ;').body[0]! };
    if (inner.kind !== 'If') throw new Error('no if');
    const open = scriptOf('while (1) if (2) ;').body[0]!;
    // biome-ignore lint/suspicious/noThenProperty: a branch of an if, never awaited.
    expect(printNode({ ...inner, then: open })).toBe('if (1) {\n  while (1) if (2) ;\n} else ;');
  });
});
