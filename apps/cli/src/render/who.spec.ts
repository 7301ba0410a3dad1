import { describe, expect, test } from '@jest/globals';
import { whyNotText, type WhyApart } from '../commands/entities.js';
import { reviewText } from '../commands/reviews.js';
import { contextIn } from '../testing/terminal.js';

const [en, zh] = [contextIn('en'), contextIn('zh')];
const SHA = 'ab'.repeat(32);

const ONE = {
  entityId: 'E12-0123456789ab',
  kind: 'organization',
  name: '望江亭茶庄',
  uscc: '91990101000000422P',
  observations: 2,
  members: ['platform-a', 'platform-b'],
};
const OTHER = {
  entityId: 'E14-ba9876543210',
  kind: 'person',
  name: '虚**',
  observations: 1,
  members: ['platform-b'],
  retiredFrom: 'E15-000000000001',
};
const PHONE = { en: 'phone: equal', zh: '电话：相同', stranger: 9.14, kin: 4.06 };
const NAME = { en: 'name: different', zh: '名称：不同', stranger: -12.3, kin: -8 };

const APART: WhyApart = {
  outcome: 'apart',
  entities: [ONE, OTHER],
  reasons: [
    { en: 'a reviewer decided that they are different', zh: '复核人认定为不同主体' },
    {
      en: 'what is shared is shared by too many (an agency, a park)',
      zh: '共同的信息被过多主体共用（如代理机构、园区）',
    },
  ],
  decided: {
    decision: 'different',
    ground: 'sharedAgency',
    decidedBy: 'regulator-beijing',
    reviewer: 'officer-1',
    caseNo: '2026-17',
    decidedAt: '2026-11-23T02:00:00Z',
    evidence: [{ sha256: SHA, mediaType: 'application/pdf' }],
  },
  related: [{ entityId: OTHER.entityId, kind: 'operates', direction: 'to' }],
  matcher: 'zh-1.1',
  compared: [
    { records: 40, of: 120 },
    { records: 1, of: 1 },
  ],
  pairs: [
    {
      a: 12,
      b: 14,
      outcome: 'apart',
      bits: -14.26,
      because: { en: 'what is shared is shared by too many', zh: '共同的信息被过多主体共用' },
      fields: [NAME, PHONE],
      reviewId: 'R12-14',
      members: ['platform-a', 'platform-b'],
      shared: [
        { en: 'phone', zh: '电话', holders: 13, cap: 12, generic: true },
        { en: 'shop brand', zh: '店铺品牌', holders: 2, cap: 25, generic: false },
      ],
    },
  ],
};

describe('why two entities are not one', () => {
  test('reads in English', () => {
    expect(whyNotText(en, APART).split('\n')).toEqual([
      'apart:',
      '  a reviewer decided that they are different',
      '  what is shared is shared by too many (an agency, a park)',
      '',
      'E12-0123456789ab  望江亭茶庄  organization  91990101000000422P  2 records of platform-a, platform-b',
      'E14-ba9876543210  虚**  natural person  1 record of platform-b  formerly E15-000000000001',
      'related: is operated by it',
      '',
      'decision    different merchants',
      'ground      only an agency is shared',
      'decided by  officer-1 of regulator-beijing',
      'case        2026-17',
      'on          2026-11-23 10:00:00 +08:00',
      `evidence    ${SHA}  application/pdf`,
      '',
      '12 (platform-a) – 14 (platform-b): apart, what is shared is shared by too many',
      '  review    R12-14',
      '  found by  phone, held by 13 (12 are too many); shop brand, held by 2',
      '  weight    -14.3 bits',
      '  -12.3     name: different',
      '  +4.1      phone: equal',
      '',
      'compared: 40 of 120 records with 1 of 1',
      '',
      'matcher zh-1.1',
    ]);
  });

  test('reads in Chinese', () => {
    expect(whyNotText(zh, APART).split('\n')).toEqual([
      '非同一主体：',
      '  复核人认定为不同主体',
      '  共同的信息被过多主体共用（如代理机构、园区）',
      '',
      'E12-0123456789ab  望江亭茶庄  企业或组织  91990101000000422P  2 条记录（platform-a、platform-b）',
      'E14-ba9876543210  虚**  自然人  1 条记录（platform-b）  原编号 E15-000000000001',
      '关联：由其经营',
      '',
      '决定      不同主体',
      '依据      仅共用代理机构',
      '决定人    regulator-beijing officer-1',
      '案号      2026-17',
      '决定时间  2026-11-23 10:00:00 +08:00',
      `证据      ${SHA}  application/pdf`,
      '',
      '12 (platform-a) – 14 (platform-b)：非同一主体，共同的信息被过多主体共用',
      '  复核    R12-14',
      '  检索键  电话，13 个主体持有（上限 12）；店铺品牌，2 个主体持有',
      '  权重    -14.3 比特',
      '  -12.3   名称：不同',
      '  +4.1    电话：相同',
      '',
      '已比对：120 条中的 40 条与 1 条中的 1 条',
      '',
      '匹配器 zh-1.1',
    ]);
  });
});

describe('a review', () => {
  const review = {
    reviewId: 'R12-14',
    status: 'proposed',
    entities: [ONE, OTHER] as [typeof ONE, typeof OTHER],
    because: [{ field: 'phone' }],
    atStake: { listings: 1, tier: 1, accounts: 2, wouldClose: 1 },
    proposal: {
      approvalId: 'd0e6a1d2-0000-4000-8000-000000000000',
      requestedBy: 'regulator-beijing',
      requestedAt: '2026-11-23T02:00:00Z',
      decision: 'same',
      ground: 'licenceSeen',
      caseNo: '2026-17',
      reviewer: 'officer-1',
      undoes: false,
    },
    explanation: {
      path: [],
      history: [
        { observation: 12, steps: [{ position: 13, at: '2026-11-22T02:00:00Z', type: 'liandun.entity.linked.v1' }] },
      ],
    },
  };

  test('reads in English', () => {
    expect(reviewText(en, review).split('\n')).toEqual([
      'R12-14  waits for a second person',
      '  E12-0123456789ab  望江亭茶庄  organization  91990101000000422P  2 records of platform-a, platform-b',
      '  E14-ba9876543210  虚**  natural person  1 record of platform-b  formerly E15-000000000001',
      '  at stake      listings in force: 1, strongest tier: 1, accounts: 2, would close or reopen: 1',
      '  proposed      the same merchant',
      '  ground        the business licences were compared',
      '  decided by    officer-1 of regulator-beijing',
      '  case          2026-17',
      '  on            2026-11-23 10:00:00 +08:00',
      '  approve with  liandun reviews approve d0e6a1d2-0000-4000-8000-000000000000 --reviewer <id>',
      '',
      '12  2026-11-22 10:00:00 +08:00  linked  position 13',
    ]);
  });

  test('reads in Chinese', () => {
    expect(reviewText(zh, review).split('\n')).toEqual([
      'R12-14  待第二人审批',
      '  E12-0123456789ab  望江亭茶庄  企业或组织  91990101000000422P  2 条记录（platform-a、platform-b）',
      '  E14-ba9876543210  虚**  自然人  1 条记录（platform-b）  原编号 E15-000000000001',
      '  影响      有效列名 1 条，最强层级 1，账号 2 个，将关店或恢复 1 个',
      '  提议      同一主体',
      '  依据      已核对营业执照',
      '  决定人    regulator-beijing officer-1',
      '  案号      2026-17',
      '  决定时间  2026-11-23 10:00:00 +08:00',
      '  审批命令  liandun reviews approve d0e6a1d2-0000-4000-8000-000000000000 --reviewer <id>',
      '',
      '12  2026-11-22 10:00:00 +08:00  关联  位置 13',
    ]);
  });
});
