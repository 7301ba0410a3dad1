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

/**
 * Rows in columns that line up, also in Chinese. The widest column gives way where the table is wider than `columns`.
 * @param rows all of the same length; the first one may be the heading
 */
export function table(rows: readonly (readonly string[])[], columns = 80): string {
  const first = rows[0];
  if (!first) return '';
  const widths = first.map((_, i) => Math.max(...rows.map((row) => stringWidth(row[i] ?? ''))));
  const gaps = 2 * (widths.length - 1);
  for (let over = sum(widths) + gaps - columns; over > 0; over -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => pad(fit(cell, widths[i] ?? 0), widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
