import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWorkingDays } from './working-days.js';

function withFile<T>(content: unknown, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'liandun-days-'));
  try {
    const file = join(folder, 'days.json');
    writeFileSync(file, JSON.stringify(content));
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const base = loadWorkingDays();
const next = base.lastYear + 1;

describe('the table of working days', () => {
  it('holds the State Council’s days since 2004, with their names', () => {
    expect(base.firstYear).toBe(2004);
    expect(base.holidays.get('2026-10-01')).toBe('国庆节');
    expect(base.worked.has('2026-02-14')).toBe(true);
    // Each of them in English too.
    expect(base.englishNames.get('国庆节')).toBe('National Day');
    expect([...base.holidays.values()].filter((name) => !base.englishNames.has(name))).toEqual([]);
  });

  it('takes a next year from the operator’s file, without a release', () => {
    const own = { version: '国办发明电〔X〕1号', holidays: { [`${next}-01-01`]: '元旦' }, workdays: {} };
    const table = withFile(own, loadWorkingDays);
    expect(table.lastYear).toBe(next);
    expect(table.version).toBe(`${base.version}, 国办发明电〔X〕1号`);
    expect(table.holidays.get(`${next}-01-01`)).toBe('元旦');
    expect(table.englishNames.get('元旦')).toBe("New Year's Day");
    const named = { ...own, holidays: { [`${next}-01-01`]: 'Example Day,示例节,1' } };
    expect(withFile(named, loadWorkingDays).englishNames.get('示例节')).toBe('Example Day');
    expect(table.holidays.get('2026-10-01')).toBe('国庆节');
  });

  it('replaces a whole year, so that a corrected notice leaves nothing of the old one', () => {
    const own = { version: 'corrected', holidays: { '2026-01-01': '元旦' }, workdays: {} };
    const table = withFile(own, loadWorkingDays);
    expect(table.holidays.has('2026-10-01')).toBe(false);
    expect(table.worked.has('2026-02-14')).toBe(false);
    expect(table.holidays.has('2025-10-01')).toBe(true);
  });

  it.each([
    [{ holidays: {}, workdays: {} }, '"version" is missing'],
    [{ version: '1', holidays: {}, workdays: {} }, '"holidays" is empty'],
    [{ version: '1', holidays: { '2027-02-30': '春节' }, workdays: {} }, '"2027-02-30", which is no date'],
    [{ version: '1', holidays: { '2027-2-1': '春节' }, workdays: {} }, '"2027-2-1", which is no date'],
    [{ version: '1', holidays: { [`${next}-01-01`]: 3 }, workdays: {} }, 'must be the holiday’s name'],
    [{ version: '1', holidays: { [`${next}-01-01`]: '元旦' } }, '"workdays" is missing'],
    [{ version: '1', holidays: { [`${next + 1}-01-01`]: '元旦' }, workdays: {} }, `${next} is missing`],
  ])('refuses %j', (content, message) => {
    expect(() => withFile(content, loadWorkingDays)).toThrow(message.replace('’', "'"));
  });
});
