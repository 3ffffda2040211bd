// Tables with box lines.

import { forTerminal, widthOf } from './terminal-text.js';

/** A column: its title, and on which side its values are. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** A table; the cells may hold anything. */
export function tableText(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const safe = rows.map((row) => row.map(forTerminal));
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...safe.map((row) => widthOf(row[index] ?? ''))),
  );
  const line = (left: string, middle: string, right: string): string =>
    `${left}${widths.map((width) => '─'.repeat(width + 2)).join(middle)}${right}`;
  const rowText = (cells: readonly string[]): string =>
    `│${widths
      .map((width, index) => {
        const cell = cells[index] ?? '';
        const gap = ' '.repeat(width - widthOf(cell));
        return columns[index]!.isNumber === true ? ` ${gap}${cell} ` : ` ${cell}${gap} `;
      })
      .join('│')}│`;
  return [
    line('┌', '┬', '┐'),
    rowText(columns.map(({ title }) => title)),
    line('├', '┼', '┤'),
    ...safe.map(rowText),
    line('└', '┴', '┘'),
  ].join('\n');
}
