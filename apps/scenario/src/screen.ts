import picocolors from 'picocolors';
import stringWidth from 'string-width';

// The library colours whatever runs under CI: only a terminal is meant here.
const pc = picocolors.createColors(process.stdout.isTTY ? !process.env['NO_COLOR'] : false);

export const COLUMNS = 80;

/** `text` cut to `columns` with an ellipsis; Chinese characters are two columns wide. */
function fit(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let kept = '';
  for (const character of text) {
    if (stringWidth(kept + character) > columns - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

export function left(text: string, columns: number): string {
  const fitted = fit(text, columns);
  return fitted + ' '.repeat(columns - stringWidth(fitted));
}

export function right(text: string, columns: number): string {
  const fitted = fit(text, columns);
  return ' '.repeat(columns - stringWidth(fitted)) + fitted;
}

const paints = { plain: (text: string): string => text, red: pc.red, green: pc.green, yellow: pc.yellow, dim: pc.dim };
export type Paint = keyof typeof paints;

/** One thing that happened: when, who, did what, to whom, in how many milliseconds. Fits 80 columns. */
export function happened(
  atMs: number,
  [who, verb, what, ms]: [who: string, verb: string, what: string, ms?: number],
  paint: Paint = 'plain',
): string {
  const time = pc.dim(right(`${(atMs / 1000).toFixed(2)} s`, 8));
  const took = ms === undefined ? '' : right(`${Math.round(ms)} ms`, 9);
  return `${time}  ${left(who, 10)}  ${paints[paint](left(verb, 10))} ${left(what, 36)} ${took}`.trimEnd();
}

export const heading = (text: string): string => `\n${pc.bold(text)}`;

/**
 * The first column to the left, the others to the right; the first row is the heading, the last one the sum unless
 * `sum` is false.
 */
export function table(rows: string[][], widths: number[], sum = true): string {
  const line = (row: string[]): string =>
    row.map((cell, i) => (i === 0 ? left : right)(cell, widths[i] ?? 0)).join('  ');
  const rule = pc.dim('─'.repeat(widths.reduce((total, width) => total + width, 2 * (widths.length - 1))));
  const [head = [], ...body] = rows;
  const lines = body.map(line);
  if (sum) lines.splice(-1, 0, rule);
  return [pc.bold(line(head)), rule, ...lines].join('\n');
}

/** The middle value; undefined for none. */
export function median(values: number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const lower = sorted[middle - 1];
  if (upper === undefined) return undefined;
  return sorted.length % 2 === 1 || lower === undefined ? upper : (lower + upper) / 2;
}
