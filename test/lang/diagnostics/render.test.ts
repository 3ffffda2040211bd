import { describe, expect, test } from 'vitest';
import { makeDiagnostic } from '../../../lang/diagnostics/diagnostic.js';
import { printable, render, renderLine } from '../../../lang/diagnostics/render.js';
import { fileOf } from '../parser/reading.js';

function at(text: string, start: number, end: number, hint?: string) {
  return makeDiagnostic('HSL1101', fileOf(text, 'hook.hsl'), { start, end }, { found: '")"' }, hint);
}

describe('a diagnostic is rendered', () => {
  test('with its place, its line, a caret for each byte and its hint', () => {
    expect(render(at('$a = 1;\necho (1 + );\n', 18, 20, 'Write something.'))).toBe(
      [
        'hook.hsl:2:11: error: unexpected ")" [HSL1101]',
        '  2 | echo (1 + );',
        '    |           ^^',
        '  hint: Write something.',
      ].join('\n'),
    );
  });

  test('on one line for the linter', () => {
    expect(renderLine(at('x', 0, 1, 'Do this.'))).toBe(
      'hook.hsl:1:1: error HSL1101: unexpected ")". Do this.',
    );
  });

  test('with tabs as blanks, so that the caret stands where it should', () => {
    expect(
      render(at('\tx\ty', 3, 4))
        .split('\n')
        .slice(1),
    ).toEqual(['  1 |     x    y', '    |          ^']);
  });

  test('with a caret behind the last character for the end of a line', () => {
    expect(
      render(at('abc\r\nd', 3, 3))
        .split('\n')
        .slice(1),
    ).toEqual(['  1 | abc', '    |    ^']);
    expect(
      render(at('', 0, 0))
        .split('\n')
        .slice(1),
    ).toEqual(['  1 | ', '    | ^']);
  });

  test('with a mark up to the end of the line when it goes on in the next', () => {
    expect(
      render(at('abcd\nef', 1, 6))
        .split('\n')
        .slice(1),
    ).toEqual(['  1 | abcd', '    |  ^^^']);
  });

  test('with a long line cut around the place', () => {
    const [, source, carets] = render(at(`${'a'.repeat(500)}XYZ${'b'.repeat(500)}`, 500, 503), {
      width: 40,
    }).split('\n');
    expect(source).toMatch(/^ {2}1 \| \.\.\.a+XYZb+\.\.\.$/);
    expect(source!.length).toBeLessThan(60);
    expect(carets!.indexOf('^')).toBe(source!.indexOf('X'));
    expect(carets!.trimEnd().length).toBe(source!.indexOf('Z') + 1);
  });

  test('with bytes that steer a terminal escaped, and UTF-8 shown as what it is', () => {
    const file = { name: 'a\x1bb.hsl', text: `${Buffer.from('å').toString('latin1')}\x1b[31m\xff` };
    const rendered = render(makeDiagnostic('HSL1101', file, { start: 2, end: 3 }, { found: file.text }));
    expect(rendered).not.toContain('\x1b');
    expect(rendered.split('\n')[0]).toBe('a\\x1bb.hsl:1:3: error: unexpected å\\x1b[31m\\xff [HSL1101]');
    expect(rendered.split('\n').slice(1)).toEqual(['  1 | å\\x1b[31m\\xff', '    |  ^^^^']);
  });

  test('with colours when asked for', () => {
    expect(render(at('x', 0, 1), { colour: true })).toContain('\x1b[31merror:\x1b[0m');
  });

  test('with the includes that led there', () => {
    const main = fileOf('include "a";', 'main.hsl');
    const rendered = render({
      ...at('x', 0, 1),
      includedFrom: [{ file: main, span: { start: 0, end: 12 } }],
    });
    expect(rendered).toContain('\n  included from main.hsl:1:1');
  });
});

test('characters that turn the direction of text stay bytes', () => {
  expect(printable(Buffer.from('a\u202eb').toString('latin1'))).toBe('a\\xe2\\x80\\xaeb');
});

test('a warning is a row in the 9000s', () => {
  expect(at('x', 0, 1).severity).toBe('error');
});
