// Tables with box lines.

import { forTerminal, shortened, widthOf } from './terminal-text.js';

/** A column: its title, and on which side its values are. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** What a peer answered, or an address, would make every line of a table as long as itself. */
const CELL_COLUMNS = 100;

/** A table; the cells may hold anything, of which long ones are cut. */
export function tableText(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const safe = rows.map((row) => row.map((cell) => shortened(forTerminal(cell), CELL_COLUMNS)));
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
