import stringWidth from 'string-width';

/** `text` cut to `columns`, an ellipsis in place of what is left out. Chinese characters are two columns wide. */
export function fit(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const next = width + stringWidth(segment);
    if (next > columns - 1) break;
    kept += segment;
    width = next;
  }
  return `${kept}…`;
}

export const pad = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - stringWidth(text)));

/** A column that gives way keeps this much: an ellipsis alone says nothing. */
const COLUMN_MIN = 6;

/** How wide a table may be, and what of it must not be cut. */
export interface TableForm {
  /** `Infinity` where nobody looks at a terminal: then nothing is cut. */
  columns?: number;
  /** Columns, from 0, whose cells are ids, codes or hashes: cut they would be good for nothing, so that they never are. */
  whole?: readonly number[];
}

/**
 * Rows in columns that line up, also in Chinese. The widest column that isn't `whole` gives way where the table is wider than
 * `columns`; where that isn't enough, its lines are longer.
 * @param rows all of the same length; the first one may be the heading
 */
export function table(rows: readonly (readonly string[])[], { columns = 80, whole = [] }: TableForm = {}): string {
  const first = rows[0];
  if (!first) return '';
  const widths = first.map((_, i) => Math.max(...rows.map((row) => stringWidth(row[i] ?? ''))));
  for (let over = sum(widths) + GAP * (widths.length - 1) - columns; over > 0; over -= 1) {
    const widest = widestOf(widths, whole);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => pad(fit(cell, widths[i] ?? 0), widths[i] ?? 0))
        .join(' '.repeat(GAP))
        .trimEnd(),
    )
    .join('\n');
}

const GAP = 2;

const widestOf = (widths: readonly number[], whole: readonly number[]): number | undefined =>
  widths
    .flatMap((width, i) => (width > COLUMN_MIN && !whole.includes(i) ? [i] : []))
    .reduce<number | undefined>(
      (widest, i) => ((widths[i] ?? 0) > (widths[widest ?? -1] ?? 0) ? i : widest),
      undefined,
    );

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
