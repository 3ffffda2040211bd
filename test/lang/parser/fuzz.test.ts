// Random and damaged scripts: reading never throws, never hangs, and whatever it finds lies inside the file.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { printScript } from '../../../lang/ast/print.js';
import { walk } from '../../../lang/ast/walk.js';
import { messages } from '../../../lang/diagnostics/messages.js';
import { render } from '../../../lang/diagnostics/render.js';
import { signs, words } from '../../../lang/lexer/tokens.js';
import { bare, parseFile } from './reading.js';

const SEED = 20260404;

/** A small generator of repeatable random numbers (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const pieces = [
  ...Object.keys(signs),
  ...Object.keys(words),
  ...[
    '$a',
    '$b',
    'foo',
    '"x"',
    '"$a"',
    '1',
    '2.5',
    '0x',
    "''r''",
    "'",
    '"',
    '#/a/',
    '#',
    '//',
    '/*',
    '*/',
    '\n',
    '\\',
    '&&',
    '||',
  ],
  ...['new', 'elseif', 'do', 'in', 'extends', 'public', 'const', '\xe2\x80\x9c', '\xa0', '\0', '<<<E', 'E'],
];

function soup(random: (below: number) => number): string {
  let text = '';
  for (let count = random(60); count > 0; count -= 1)
    text += `${pieces[random(pieces.length)]}${random(3) ? ' ' : ''}`;
  return text;
}

function damage(text: string, random: (below: number) => number): string {
  let damaged = text;
  for (let count = 1 + random(4); count > 0; count -= 1) {
    const at = random(damaged.length + 1);
    const length = random(12);
    const piece = [
      () => '',
      () => soup(random).slice(0, 20),
      () => damaged.slice(at, at + length).repeat(2),
      () => String.fromCharCode(random(256)),
      () => pieces[random(pieces.length)]!,
    ][random(5)]!();
    damaged = `${damaged.slice(0, at)}${piece}${damaged.slice(at + length)}`;
  }
  return damaged;
}

function check(text: string): void {
  const before = process.cpuUsage();
  const { script, diagnostics } = parseFile({ name: 'fuzz', text });
  // Of this process: others may have the machine.
  expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
  let last = 0;
  for (const one of diagnostics) {
    const { start, end } = one.span;
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(text.length);
    if (one.code !== 'HSL1102' && one.code !== 'HSL1113') {
      expect(start).toBeGreaterThanOrEqual(last);
      last = start;
    }
    for (const [hole] of messages[one.code].matchAll(/\{\w+\}/g)) {
      if (!text.includes(hole)) expect(one.message).not.toContain(hole);
    }
    render(one);
  }
  walk(script, ({ span }) => {
    if (!(span.start >= 0 && span.end >= span.start && span.end <= text.length))
      throw new Error(JSON.stringify(span));
  });
  if (diagnostics.length > 0) return;
  const again = parseFile({ name: 'again', text: printScript(script) });
  expect(again.diagnostics).toEqual([]);
  expect(bare(again.script)).toEqual(bare(script));
}

function checkAll(texts: Iterable<string>): void {
  for (const text of texts) {
    try {
      check(text);
    } catch (error) {
      throw new Error(`${JSON.stringify(text)} (seed ${SEED})`, { cause: error });
    }
  }
}

const cases = parseYaml(readFileSync('test/conformance/hsl-conformance.yaml', 'utf8')) as {
  script: string;
}[];
const scripts = cases.map(({ script }) => Buffer.from(script).toString('latin1'));

describe('reading survives', () => {
  test('token soup', () => {
    const random = randomFrom(SEED);
    checkAll(Array.from({ length: 3000 }, () => soup(random)));
  });

  test('damaged scripts', () => {
    const random = randomFrom(SEED + 1);
    checkAll(scripts.flatMap((script) => Array.from({ length: 10 }, () => damage(script, random))));
  });

  test('scripts that break off anywhere', () => {
    const random = randomFrom(SEED + 2);
    checkAll(
      scripts.flatMap((script) => Array.from({ length: 4 }, () => script.slice(0, random(script.length)))),
    );
  });

  test('random bytes', () => {
    const random = randomFrom(SEED + 3);
    const bytes = () => String.fromCharCode(...Array.from({ length: random(80) }, () => random(256)));
    checkAll(Array.from({ length: 1000 }, bytes));
  });

  test('whole scripts, which print and read the same', () => {
    checkAll(scripts);
  });

  test('one long line of rubbish', () => {
    const random = randomFrom(SEED + 4);
    check(
      Array.from({ length: 2000 }, () => soup(random))
        .join(' ')
        .replaceAll('/*', '')
        .replaceAll('\n', ' '),
    );
  });
});
