import { describe, expect, test } from '@jest/globals';
import stringWidth from 'string-width';
import { table } from './layout.js';

const ID = `A${'0123456789abcdef'.repeat(2)}`;
const ROWS = [
  ['appeal', 'words', 'listing'],
  [ID, '申诉人认为列名所涉并非本人，且所附证据均与其无关', 'L137-81c3f230b858'],
];

describe('a table', () => {
  test('lets its other columns give way, never those of ids', () => {
    const lines = table(ROWS, { columns: 72, whole: [0, 2] }).split('\n');
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(72);
    expect(lines[1]).toMatch(new RegExp(`^${ID}  .*… +L137-81c3f230b858$`));
  });

  test('is wider than the terminal rather than with a cut id', () => {
    const [, line] = table(ROWS, { columns: 20, whole: [0, 2] }).split('\n');
    expect(line).toMatch(new RegExp(`^${ID}  申诉…? *  L137-81c3f230b858$`));
  });

  test('is cut nowhere where it has all the room', () => {
    expect(table(ROWS, { columns: Infinity })).toContain(ROWS[1]?.[1]);
  });

  test('lines up Chinese and English', () => {
    const lines = table([['甲乙', 'x'], ['abcd', 'y'], ['a', 'z']]).split('\n'); // prettier-ignore
    expect(lines).toEqual(['甲乙  x', 'abcd  y', 'a     z']);
  });
});
