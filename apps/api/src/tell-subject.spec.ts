import { describe, expect, test } from '@jest/globals';
import { reasonCodes } from '@liandun/contracts';
import { LISTING_STATES } from '@liandun/domain';
import { tellSubject } from './tell-subject.js';

const reason = reasonCodes().codes.get('E01')!;
const filing = {
  source: 'urn:liandun:member:platform-a',
  data: { proof: { evidence: [{ sha256: 'ab'.repeat(32) }] } },
} as never;
const tell = (status: string, due?: string): { zh: string; en: string } =>
  tellSubject({ status, reason, filing, page: 'https://ledger.example/public/', due });

describe('what a publisher passes on to the subject', () => {
  test('P06: of a held case that nobody else was told, and until when to answer', () => {
    const { zh, en } = tell('held', '2026-11-20T00:00:00.000+08:00');
    expect(zh).toMatch(/拟以.*尚未告知任何其他平台.*2026-11-20T00:00:00.000\+08:00 前陈述/);
    expect(en).toMatch(/intends to list.*one piece of evidence.*No other platform has been told.*until 2026-11-20T/);
  });

  test.each(LISTING_STATES.filter((status) => status !== 'held'))(
    'P06: of one that is %s never that nobody was told, and how to see it',
    (status) => {
      const { zh, en } = tell(status);
      expect(`${zh}${en}`).not.toMatch(/尚未告知|拟以|No other platform|intends/);
      expect(zh).toContain('https://ledger.example/public/');
      expect(en).toContain('https://ledger.example/public/');
    },
  );

  test('P07: of one that is in force how to appeal, of one that is over that it is', () => {
    expect(tell('published').zh).toMatch(/已生效.*提出申诉/);
    expect(tell('stayed').en).toMatch(/suspended until your appeal is decided/);
    expect(tell('expired')).toEqual({ zh: expect.stringContaining('已终止'), en: expect.stringContaining('is over') });
  });
});
