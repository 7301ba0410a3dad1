import { describe, expect, test } from '@jest/globals';
import { keysText, type MemberKeyList } from '../commands/keys-list.js';
import { contextIn } from '../testing/terminal.js';
import { entityText, type EntityPage } from './entity.js';

const [en, zh] = [contextIn('en'), contextIn('zh')];
const AT = '2026-11-23T10:00:00.000+08:00';
const SHOP = { shopId: 's-1', name: '望江亭旗舰店', url: 'https://s.example/' };
const BECAUSE = [{ field: 'uscc', grade: 'exact' }];
const PAIR = {
  a: 12,
  b: 14,
  outcome: 'link',
  bits: 20,
  because: { en: 'the same code', zh: '代码相同' },
  fields: [{ en: 'code: equal', zh: '代码：一致', stranger: 20, kin: 20 }],
};

const ENTITY: EntityPage = {
  entityId: 'E12-0123456789ab',
  kind: 'organization',
  name: '望江亭茶庄',
  uscc: '91990101000000422P',
  observations: [
    {
      position: 12,
      member: 'platform-a',
      merchantId: 'm-1',
      type: 'liandun.merchant.reported.v1',
      name: '望江亭茶庄',
      shops: [SHOP],
      because: BECAUSE,
      acceptedAt: AT,
      explanation: { surest: PAIR, how: [{ position: 15, at: AT, type: 'liandun.entity.linked.v1' }] },
    },
  ],
  listings: [
    {
      listingId: 'L14-0123456789ab',
      member: 'platform-b',
      code: 'E01',
      tier: 2,
      status: 'published',
      effectiveAt: AT,
      expiresAt: AT,
    },
  ],
  possible: [{ observation: 20, entityId: 'E20-0123456789ab', because: [{ field: 'phone', grade: 'possible' }] }],
  related: [{ entityId: 'E21-0123456789ab', kind: 'operates', direction: 'to' }],
};

describe('an entity', () => {
  test('reads in English', () => {
    expect(entityText(en, ENTITY).split('\n')).toEqual([
      'entity                      E12-0123456789ab',
      'name                        望江亭茶庄',
      'kind                        organization',
      'unified social credit code  91990101000000422P',
      '',
      'records',
      '  position  member      its merchant  event              name        shops         accepted on                 because',
      '  12        platform-a  m-1           merchant reported  望江亭茶庄  望江亭旗舰店  2026-11-23 10:00:00 +08:00  unified social credit code (exact)',
      '',
      'listings',
      '  listing           member      code  tier  status     in force since              ends',
      '  L14-0123456789ab  platform-b  E01   2     published  2026-11-23 10:00:00 +08:00  2026-11-23 10:00:00 +08:00',
      '',
      'possibly the same',
      '  record  entity            because',
      '  20      E20-0123456789ab  phone (possible)',
      '',
      'related; nothing follows from it',
      '  entity            relation',
      '  E21-0123456789ab  is operated by it',
      '',
      'why they are one',
      '  12 – 14: one, the same code',
      '    weight  +20.0 bits',
      '    +20.0   code: equal',
      '',
      'how it came to be',
      '  12: linked on 2026-11-23 10:00:00 +08:00, position 15',
    ]);
  });

  test('reads in Chinese alone', () => {
    const text = entityText(zh, ENTITY);
    expect(text).toContain('统一社会信用代码（确定）');
    const ids = /[A-Z]\d+-[0-9a-f]{12}|platform-[ab]|m-1|E01|91990101000000422P/g;
    expect(text.replaceAll(ids, '').match(/[A-Za-z]{2,}/g)).toBeNull();
  });

  test('leaves out what a platform is not shown', () => {
    const [{ explanation: _explanation, ...own }] = ENTITY.observations as [EntityPage['observations'][0]];
    const page = { ...ENTITY, observations: [{ ...own, because: [] }], listings: [], possible: [], related: [] };
    expect(entityText(en, page)).not.toMatch(/listings|possibly|related|why|how/);
  });
});

describe('the keys of members', () => {
  const MEMBERS: MemberKeyList[] = [
    {
      memberId: 'platform-a',
      keys: [
        { kid: 'k-1', status: 'live', since: AT, addedAt: AT, alg: 'EdDSA', use: 'sig' },
        {
          kid: 'k-2',
          status: 'suspended',
          since: AT,
          addedAt: AT,
          alg: 'ES256',
          use: 'sig',
          requests: [{ approvalId: 'r-1', requestedBy: 'admin', emergency: true, confirmBy: AT }],
        },
      ],
    },
  ];

  test('read in English, with what to do next', () => {
    expect(keysText(en, MEMBERS).split('\n')).toEqual([
      'member      key  status   state since                 added on                    algorithm  purpose',
      'platform-a  k-1  live     2026-11-23 10:00:00 +08:00  2026-11-23 10:00:00 +08:00  EdDSA      signing',
      'platform-a  k-2  stopped  2026-11-23 10:00:00 +08:00  2026-11-23 10:00:00 +08:00  ES256      signing',
      '',
      'emergency stop of k-2 by admin: awaits a second administrator, until 2026-11-23 10:00:00 +08:00: liandun keys approve r-1',
      '',
      'Keys have no expiry: one is live until it is revoked.',
    ]);
  });

  test('read in Chinese', () => {
    expect(keysText(zh, MEMBERS).split('\n').slice(0, 3)).toEqual([
      '成员        密钥  状态    状态起始                    添加时间                    算法   用途',
      'platform-a  k-1   有效    2026-11-23 10:00:00 +08:00  2026-11-23 10:00:00 +08:00  EdDSA  签名',
      'platform-a  k-2   已停用  2026-11-23 10:00:00 +08:00  2026-11-23 10:00:00 +08:00  ES256  签名',
    ]);
  });
});
