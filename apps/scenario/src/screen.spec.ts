import { describe, expect, test } from '@jest/globals';
import stringWidth from 'string-width';
import { castOf, REASONS } from './cast.js';
import { COLUMNS, happened, left, median, right, table } from './screen.js';
import { TEXTS } from './texts.js';

describe('what is shown', () => {
  test('fits 80 columns, in Chinese too', () => {
    const name = '示例长堤防护用品有限公司'.repeat(3);
    for (const text of Object.values(TEXTS)) {
      expect(stringWidth(text.merchant)).toBeLessThanOrEqual(10);
      for (const verb of Object.values(text.verbs)) {
        const line = happened(123_456, ['platform-a', verb, name, 12_345]);
        expect(stringWidth(line)).toBeLessThanOrEqual(COLUMNS);
        expect(line).toContain(verb);
      }
    }
  });

  test('no line of the scenario is cut', () => {
    const names = castOf('7K2QX').records.map(({ own }) => own.identity.name);
    for (const text of Object.values(TEXTS)) {
      for (const name of names) {
        const reasons = REASONS.map((reason) => `${name} · ${reason} ${text.reasons[reason]}`);
        for (const what of [...reasons, `${name} · ${text.shops(2, 8)}`]) {
          expect(happened(0, ['platform-a', text.verbs.delists, what])).not.toContain('…');
        }
      }
    }
  });

  test('no sentence is wider than the screen', () => {
    for (const text of Object.values(TEXTS)) {
      const { reporting, sharing, mistake } = text;
      const more = [text.title('7K2QX'), text.restricted(9_999), text.bystanders(9_999)];
      for (const line of [reporting, sharing, mistake, ...more]) expect(stringWidth(line)).toBeLessThanOrEqual(COLUMNS);
    }
  });

  test('lines up where Chinese and Latin letters meet', () => {
    expect(stringWidth(left('关店 closes', 20))).toBe(20);
    expect(stringWidth(right('示例示例示例', 7))).toBe(7);
    const rows = table(
      [
        ['平台', '数'],
        ['platform-a', '12'],
        ['合计', '12'],
      ],
      [12, 4],
    ).split('\n');
    expect(new Set(rows.map((row) => stringWidth(row)))).toEqual(new Set([18]));
  });

  test('the headings of the table are not cut', () => {
    for (const text of Object.values(TEXTS)) {
      for (const [i, label] of text.columns.entries()) {
        expect(stringWidth(label)).toBeLessThanOrEqual(text.widths[i] ?? 0);
      }
      for (const [i, label] of text.latencies.entries()) {
        expect(stringWidth(label)).toBeLessThanOrEqual(text.latencyWidths[i] ?? 0);
      }
      expect(text.widths.reduce((sum, width) => sum + width + 2, -2)).toBeLessThanOrEqual(COLUMNS);
    }
  });

  test('the median is the middle, or between the two in the middle', () => {
    expect(median([30, 10, 20])).toBe(20);
    expect(median([10, 20, 30, 40])).toBe(25);
    expect(median([])).toBeUndefined();
  });
});
