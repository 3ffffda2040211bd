// Tables with box lines.

import { forTerminal, shortened, widthOf } from './terminal-text.js';

/** A column: its title, and on which side its values are. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
  /** For commands to come, and of no use when it is cut. */
  readonly isWhole?: boolean;
}

/** What a peer answered, or an address, would make every line of a table as long as itself. */
const CELL_COLUMNS = 100;

/** Narrower than this no column is made for a narrow terminal: less says nothing. */
const NARROWEST_COLUMNS = 12;

/**
 * A table; the cells may hold anything, of which long ones are cut. On a terminal the widest columns give way until it fits, as
 * far as that makes sense; `within` = its width, absent for what is no terminal.
 */
export function tableText(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  within: number | undefined = process.stdout.columns,
): string {
  const whole = rows.map((row) => row.map((cell) => shortened(forTerminal(cell), CELL_COLUMNS)));
  const widths = fitted(
    columns,
    columns.map(({ title }, index) =>
      Math.max(widthOf(title), ...whole.map((row) => widthOf(row[index] ?? ''))),
    ),
    within,
  );
  const safe = whole.map((row) => row.map((cell, index) => shortened(cell, widths[index]!)));
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

/** The widths that make a table fit. */
function fitted(columns: readonly Column[], wanted: readonly number[], within: number | undefined): number[] {
  const widths = [...wanted];
  if (within === undefined) return widths;
  // Each column has a line and two blanks, and the last one another line.
  const frame = 3 * columns.length + 1;
  const least = columns.map(({ title, isNumber, isWhole }, index) =>
    isNumber === true || isWhole === true ? wanted[index]! : Math.max(widthOf(title), NARROWEST_COLUMNS),
  );
  for (let excess = frame + widths.reduce((sum, width) => sum + width, 0) - within; excess > 0; excess--) {
    let widest = -1;
    for (const [index, width] of widths.entries())
      if (width > least[index]! && width > (widths[widest] ?? 0)) widest = index;
    if (widest === -1) break;
    widths[widest]!--;
  }
  return widths;
}
