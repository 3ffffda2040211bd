import { describe, expect, test } from 'vitest';
import { HslArray, textToBytes } from '#lang';
import { decodeYaml } from '../../../stdlib/encodings/yaml-decode.js';
import { fromValue, keyed } from '../../support/fake-context.js';

function value(text: string): unknown {
  const decoded = decodeYaml(textToBytes(text));
  if ('problem' in decoded) throw new Error(decoded.problem);
  return fromValue(decoded.value);
}

describe('yaml', () => {
  test.each([
    ['a: 1\nb: two\n', keyed(['a', 1], ['b', 'two'])],
    ['- x\n- y\n', ['x', 'y']],
    [
      's: "12"\nn: 12\nf: 1.5\ne: null\nt: ~\n',
      keyed(['s', '12'], ['n', 12], ['f', 1.5], ['e', null], ['t', null]),
    ],
    ['text: |\n  line1\n  line2\n', keyed(['text', 'line1\nline2\n'])],
    ['z: 1\n1: 2\na: 3\n', keyed(['z', 1], [1, 2], ['a', 3])],
    ['true: 1\n1.5: 2\n~: 3\n', keyed(['true', 1], ['1.5', 2], ['null', 3])],
    ['yes: no', keyed(['yes', 'no'])],
    ['0x1F', 31],
    ['12345678901234567890', Number('12345678901234567890')],
    ['å: ü', keyed([textToBytes('å'), textToBytes('ü')])],
    ['2001-12-14', '2001-12-14'],
    ['a: 1\n---\nb: 2\n', keyed(['a', 1])],
    ['', null],
    ['# only a comment\n', null],
    ['x: &a [1, 2]\ny: *a\n', keyed(['x', [1, 2]], ['y', [1, 2]])],
  ])('%j gives %j', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });
  test.each([
    ['a: [1, 2', 1],
    ['a: 1\na: 2\n', 2],
    ['a: *b\n', 1],
    ['&a [*a]', 1],
    ['? [1, 2]\n: 3\n', 1],
    ['a: 1\n b: 2\n', 1],
    ['a: 1\nb: *x\n', 2],
    ['\ta: 1', 1],
  ])('%j is refused', (text, line) => {
    expect(decodeYaml(text)).toEqual({ problem: expect.any(String), line: expect.any(Number) });
    expect((decodeYaml(text) as { line: number }).line).toBeGreaterThanOrEqual(line);
  });
  test('aliases share one array instead of multiplying it', () => {
    let text = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n';
    for (let i = 1; i < 60; i++) {
      const alias = `*a${i - 1}`;
      text += `a${i}: &a${i} [${Array(10).fill(alias).join(', ')}]\n`;
    }
    const decoded = decodeYaml(text);
    const map = 'value' in decoded ? (decoded.value as HslArray) : HslArray.empty();
    expect(map.length).toBe(60);
    const last = map.get('a59') as HslArray;
    expect(last.get(0)).toBe(last.get(9));
    expect((last.get(0) as HslArray).shared).toBe(true);
  });
  test.each(['[', '{', '- ', 'a: ', '? ', '- [', '&a [*a,', '[[],', '!!x '])(
    '%j without end is refused',
    (part) => {
      expect('problem' in decodeYaml(part.repeat(20_000))).toBe(true);
    },
  );
  test('nests 512 levels and no more', () => {
    expect('value' in decodeYaml(`${'['.repeat(512)}${']'.repeat(512)}`)).toBe(true);
    expect('problem' in decodeYaml(`${'['.repeat(515)}${']'.repeat(515)}`)).toBe(true);
  });
  test('refuses what is too long', () => {
    expect(decodeYaml(`a: ${'x'.repeat(1024 * 1024)}`)).toEqual({
      problem: expect.stringContaining('at most'),
      line: 1,
    });
  });
});
