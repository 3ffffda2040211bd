import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

// A start whose scripts are all compiled must not pay for the parser: half a second. So nothing that the door of the
// language loads at once may lead to chevrotain; `import()` is the only way there.

function staticImports(file: string): string[] {
  const lines = readFileSync(file, 'utf8').matchAll(
    /(?:^|\n)(?:import|export)\s+(?!type\b)([^'";]*?)\s*from\s*'([^']+)'/g,
  );
  return Array.from(lines)
    .filter(([, names]) => !/^\{\s*(?:type\s+\w+(?:\s+as\s+\w+)?\s*,?\s*)+\}$/.test(names ?? ''))
    .map(([, , specifier]) => specifier!);
}

test('the door of the language does not load chevrotain', () => {
  const seen = new Set<string>();
  const open = [path.resolve('lang/index.ts')];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const specifier of staticImports(file)) {
      expect(`${path.relative('.', file)} imports ${specifier}`).not.toMatch(/imports chevrotain$/);
      if (specifier.startsWith('.'))
        open.push(path.resolve(path.dirname(file), specifier.replace(/\.js$/, '.ts')));
    }
  }
  expect(seen.size).toBeGreaterThan(20);
  expect(Array.from(seen, (file) => path.basename(file))).not.toContain('grammar.ts');
});
