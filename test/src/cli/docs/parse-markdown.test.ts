import { describe, expect, test } from 'vitest';
import { type Inline, parseInlines } from '../../../../src/cli/docs/blocks.js';
import { parseMarkdown } from '../../../../src/cli/docs/parse-markdown.js';
import { blocksToMarkdown } from '../../../../src/cli/docs/to-markdown.js';

const text = (words: string): Inline => ({ kind: 'text', text: words });
const code = (words: string): Inline => ({ kind: 'code', text: words });

describe('inline words', () => {
  test.each<[string, readonly Inline[]]>([
    ['plain', [text('plain')]],
    ['a `b` c', [text('a '), code('b'), text(' c')]],
    ['`` a`b `` x', [code('a`b'), text(' x')]],
    ['**a `b`**', [{ kind: 'strong', parts: [text('a '), code('b')] }]],
    ['only *between* them', [text('only '), { kind: 'emphasis', parts: [text('between')] }, text(' them')]],
    ['2 * 3 * 4', [text('2 * 3 * 4')]],
    ['memory_* and queue_*', [text('memory_* and queue_*')]],
    ['an open `tick', [text('an open `tick')]],
  ])('%s', (markdown, parts) => {
    expect(parseInlines(markdown)).toEqual(parts);
  });
});

describe('blocks', () => {
  test('paragraphs, lists, tables, code and headings are told apart', () => {
    const blocks = parseMarkdown(
      [
        '## 2.1 A `b`',
        'One',
        'two.',
        '- first',
        '  goes on',
        '- second',
        '',
        '1. a',
        '2. b',
        '',
        '| x | y |',
        '|---|---|',
        '| `a\\|b` | 1 |',
        '',
        '    code',
        '',
        '      more',
        '',
        '```',
        '| no table |',
        '```',
      ].join('\n'),
    );
    expect(blocks.map(({ kind }) => kind)).toEqual([
      'heading',
      'paragraph',
      'list',
      'list',
      'table',
      'code',
      'code',
    ]);
    expect(blocks[0]).toEqual({
      kind: 'heading',
      level: 2,
      parts: [text('2.1 A '), code('b')],
      anchor: '2-1-a-b',
    });
    expect(blocks[1]).toEqual({ kind: 'paragraph', parts: [text('One two.')] });
    expect(blocks[2]).toEqual({ kind: 'list', items: [[text('first goes on')], [text('second')]] });
    expect(blocks[4]).toEqual({
      kind: 'table',
      head: [[text('x')], [text('y')]],
      rows: [{ cells: [[code('a|b')], [text('1')]] }],
    });
    expect(blocks[5]).toEqual({ kind: 'code', text: 'code\n\n  more' });
    expect(blocks[6]).toEqual({ kind: 'code', text: '| no table |' });
  });

  test('what was printed reads the same again', () => {
    const markdown =
      '## a\n\nWords with `code`, **strong** and 1 < 2 [x].\n\n- one\n- two\n\n| a |\n| --- |\n| `x\\|y` |\n';
    const printed = blocksToMarkdown(parseMarkdown(markdown));
    expect(printed).toContain('1 \\< 2 \\[x\\].');
    expect(printed).toContain('| `x\\|y` |');
  });
});
