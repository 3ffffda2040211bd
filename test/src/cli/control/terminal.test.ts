import { expect, test } from 'vitest';
import { previewOf, previewText } from '../../../../src/cli/control/preview.js';
import { tableText } from '../../../../src/cli/control/table.js';
import {
  forTerminal,
  linesForTerminal,
  shortened,
  widthOf,
} from '../../../../src/cli/control/terminal-text.js';

test('nothing that moves a cursor, changes a title or the direction of text comes through', () => {
  expect(forTerminal('\x1b]0;title\x07\x1b[2J')).toBe('\\x1b]0;title\\x07\\x1b[2J');
  expect(forTerminal('a\r\nb\tc\x9bd')).toBe('a\\x0d\\x0ab\\x09c\\x9bd');
  expect(forTerminal('abc\u202etxt.exe\u2066')).toBe('abc\\u202etxt.exe\\u2066');
  expect(forTerminal('\ud800x')).toBe('\\ud800x');
  expect(forTerminal('Blåbär 漢字 😀')).toBe('Blåbär 漢字 😀');
  expect(linesForTerminal('a\tb\r\nc\x1bd')).toBe('a\tb\nc\\x1bd');
});

test('a table has box lines, and wide characters are counted', () => {
  expect(widthOf('漢字a')).toBe(5);
  expect(
    tableText(
      [{ title: 'ID' }, { title: 'N', isNumber: true }],
      [
        ['漢', '1'],
        ['a\x1b', '22'],
      ],
    ),
  ).toBe(
    [
      '┌───────┬────┐',
      '│ ID    │  N │',
      '├───────┼────┤',
      '│ 漢    │  1 │',
      '│ a\\x1b │ 22 │',
      '└───────┴────┘',
    ].join('\n'),
  );
});

test('a long cell is cut, so that no peer decides how wide a table is', () => {
  expect(shortened('abcde', 5)).toBe('abcde');
  expect(shortened('abcdef', 5)).toBe('abcd…');
  expect(shortened('漢字漢字', 6)).toBe('漢字…');
  const [, , , row] = tableText([{ title: 'REASON' }], [[`451 4.7.1 ${'A'.repeat(36_000)}`]]).split('\n');
  expect(row).toBe(`│ 451 4.7.1 ${'A'.repeat(89)}… │`);
});

test('on a narrow terminal the widest columns give way, ids and numbers stay whole', () => {
  const id = '0190b5a2-0000-7000-8000-000000000001:1';
  const columns = [{ title: 'ID', isWhole: true }, { title: 'SENDER' }, { title: 'SIZE', isNumber: true }];
  const rows = [[id, `${'s'.repeat(60)}@x.test`, '123456789']];
  const widest = (text: string) => Math.max(...text.split('\n').map(widthOf));
  expect(widest(tableText(columns, rows, undefined))).toBe(125 - 1);
  const narrow = tableText(columns, rows, 80);
  expect(widest(narrow)).toBe(80);
  expect(narrow).toContain(`│ ${id} │ ${'s'.repeat(22)}… │ 123456789 │`);
  // Narrower than makes sense: the terminal breaks the lines.
  expect(widest(tableText(columns, rows, 20))).toBe(38 + 12 + 9 + 10);
});

test('a message is decoded for reading, and what is in it stays text', async () => {
  const message = [
    'From: =?utf-8?q?J=C3=B6rg?= <a@x.test>',
    'Subject: =?utf-8?b?G1syShtdMDt0aXRsZQc=?=',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=iso-8859-1',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Bl=E5b=E4r =1B[2J',
    '--b',
    'Content-Type: application/pdf; name="a.pdf"',
    'Content-Disposition: attachment; filename="a.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    'AAAA',
    '--b--',
    '',
  ].join('\r\n');
  const preview = await previewOf(Buffer.from(message));
  expect(preview.attachments).toEqual([{ name: 'a.pdf', type: 'application/pdf', size: 3 }]);
  const text = previewText(preview);
  expect(text).toContain('Jörg');
  expect(text).toContain('Attachment: a.pdf (application/pdf, 3 bytes)');
  expect(text).toContain('Blåbär \\x1b[2J');
  expect(text).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
});
