import { describe, expect, test } from '@jest/globals';
import type { CloudEvent, Notice } from '@liandun/contracts';
import type { Preview } from '@liandun/sdk';
import { receiptText } from '../commands/common.js';
import { previewText } from '../commands/publish.js';
import { noticeText } from '../commands/tail.js';
import { contextIn } from '../testing/terminal.js';
import { render } from './render.js';

const [en, zh] = [contextIn('en'), contextIn('zh')];
const day = (date: string, verdict = 'counted', name?: string, nameEn?: string): object => ({
  date,
  verdict,
  ...(name && { name, nameEn }),
});

const APPEAL = {
  appealId: 'A1',
  grounds: 'notMe',
  status: 'stayed',
  due: '2026-10-13T00:00:00.000+08:00',
  deadline: {
    days: [
      day('2026-09-29'),
      day('2026-09-30'),
      day('2026-10-01', 'holiday', '国庆节', 'National Day'),
      day('2026-10-02', 'holiday', '国庆节', 'National Day'),
      day('2026-10-03', 'weekend'),
      day('2026-10-12', 'movedToWorkingDay'),
    ],
    due: '2026-10-13T00:00:00.000+08:00',
    term: { unit: 'workingDay', count: 3 },
    pauses: [{ from: '2026-10-01T08:00:00Z', reason: 'subjectAsked' }],
    extensions: [],
    from: '2026-09-28T10:00:00+08:00',
  },
  stayed: { by: 'deadline' },
  evidence: [],
  statement: '不是我。\n请核对。',
};

describe('an appeal', () => {
  test('reads in Chinese, its deadline day by day', () => {
    expect(render(zh, APPEAL)).toEqual([
      '申诉      A1',
      '申诉理由  列名所涉并非本人',
      '状态      暂停执行',
      '期限届满  2026-10-12 24:00',
      '期限计算',
      '  起算      2026-09-28 10:00:00 +08:00',
      '  期限      3 个工作日',
      '  中止',
      '    自                          事由',
      '    2026-10-01 16:00:00 +08:00  当事人申请',
      '  延长      无',
      '  逐日计算',
      '    2026-09-29 – 2026-09-30  2  计入',
      '    2026-10-01 – 2026-10-02  2  节假日 国庆节',
      '    2026-10-03               1  周末',
      '    2026-10-12               1  顺延至工作日',
      '  期限届满  2026-10-12 24:00',
      '暂停执行',
      '  方式  逾期未决',
      '证据      无',
      '陈述',
      '  不是我。',
      '  请核对。',
    ]);
  });

  test('reads in English', () => {
    expect(render(en, APPEAL)).toEqual(
      expect.arrayContaining([
        'grounds   the listing is about somebody else',
        'last day  2026-10-12 24:00',
        '  term      3 working days',
        '    2026-10-01 – 2026-10-02  2  holiday National Day',
        '    2026-10-03               1  weekend',
        '  by  by the clock: undecided in time',
      ]),
    );
  });
});

describe('a notice', () => {
  const notice = (data: Partial<Notice>): CloudEvent<Notice> =>
    ({
      time: '2026-11-23T02:04:13Z',
      data: {
        seq: 4,
        entity: { name: '虚构公司' },
        reason: { code: 'F04', labelEn: 'Price gouging', labelZh: '哄抬价格' },
        match: { grade: 'exact' },
        tier: 1,
        merchantIds: ['m-1'],
        shops: [{ shopId: 's-1' }],
        respondBy: '2026-11-24T02:04:13Z',
        ...data,
      },
    }) as CloudEvent<Notice>;

  test.each([
    ['disputed', 'mark: disputed', '标注：有异议'],
    ['upheld', 'mark: upheld', '标注：维持'],
  ] as const)('that marks a listing says how: %s, and asks for nothing', (status, inEnglish, inChinese) => {
    const given = notice({ action: 'mark', status });
    expect(noticeText(en, given)).toContain(`#4 2026-11-23 10:04:13 +08:00  ${inEnglish}  虚构公司`);
    expect(noticeText(zh, given)).toContain(`${inChinese}  虚构公司`);
    expect(noticeText(en, given)).not.toContain('answer by');
  });

  test.each(['close', 'check', 'reopen', 'protect'] as const)('that asks a host to %s says until when', (action) =>
    expect(noticeText(en, notice({ action }))).toContain('answer by 2026-11-24 10:04:13 +08:00'),
  );

  test.each(['lift', 'correct', 'mark'] as const)(
    'to %s, or without a merchant here, is not to be answered',
    (action) => {
      expect(noticeText(en, notice({ action }))).not.toContain('answer by');
      expect(noticeText(en, notice({ action: 'restrictAdmission', merchantIds: [] }))).not.toContain('answer by');
    },
  );
});

describe('a preview', () => {
  const preview = {
    would: 'held',
    heldBecause: ['hearing', 'flood'],
    subjects: 1,
    identifiers: [
      { field: 'uscc', hub: false },
      { field: 'phones', hub: true },
    ],
    limits: { lastHour: 2, today: 3, mean: 0 },
  } as Preview;

  test('speaks one language', () => {
    expect(previewText(zh, 'e-1', preview)).toBe(
      [
        '将被暂存（先听取当事人意见、超出报送限额）  e-1',
        '主体 1, 标识 统一社会信用代码、电话',
        '为众多商户共用，请核对：电话',
        '最近一小时 2/-, 当日 3/-',
      ].join('\n  '),
    );
    expect(previewText(en, 'e-1', preview)).toMatch(
      /^would be held \(its subject is heard first, over your limits\) {2}e-1/,
    );
  });
});

describe('a receipt', () => {
  test('names the entry that protects the victim, by which it is withdrawn', () => {
    const victim = { id: 'e-1:victim', position: 8, leafHash: '' };
    const text = receiptText(en, { id: 'e-1', status: 'accepted', position: 7, victim });
    expect(text).toMatch(/^accepted {2}e-1 {2}position 7\n {2}.*\(V01\) by e-1:victim:/);
    expect(receiptText(zh, { id: 'e-1', status: 'held', victim })).toContain('（V01）：e-1:victim。');
  });

  test('says that nothing ended where nothing rests on the decision', () => {
    const receipt = { id: 'e-1', status: 'accepted', nothingToEnd: true } as const;
    expect(receiptText(en, receipt)).toContain('Nothing rests on this decision yet');
    expect(receiptText(zh, receipt)).toContain('尚无列名以该决定为依据');
  });
});
