import { expect, test } from '@jest/globals';
import { checkObject, ErrorList, planOf } from './compiled.js';
import { Notice, noticeEvent, type NoticeContent } from './notice.js';
import { exampleShop } from './testing/examples.js';

const content: NoticeContent = {
  noticeId: 'platform-b.0',
  seq: 0,
  action: 'close',
  listingId: 'L7-0123456789ab',
  stillListed: true,
  entity: { entityId: 'E3-0123456789ab', kind: 'organization', name: '虚构公司', uscc: '91110108551385082Q' },
  merchantIds: ['merchant-1'],
  shops: [exampleShop('1')],
  match: { grade: 'exact', because: ['uscc'] },
  reason: { code: 'F04', labelZh: '哄抬', labelEn: 'Gouging', legalBasis: ['价格法 第14条'] },
  tier: 1,
  autoClosable: false,
  effectiveAt: '2020-02-03T09:30:00.000+08:00',
  expiresAt: '2023-02-02T09:30:00.000+08:00',
  respondBy: '2020-02-04T09:30:00.000+08:00',
};
const entry = { position: 9, leafHash: `${'A'.repeat(43)}=`, acceptedAt: '2020-02-03T09:30:00.000+08:00' };

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, child]) => [key, reversed(child)]),
  );
};

test('a notice is the same bytes whatever the order in which its content was stored', () => {
  const shuffled = reversed({ ...content, member: 'platform-b' }) as NoticeContent;
  expect(JSON.stringify(noticeEvent(shuffled, entry))).toBe(JSON.stringify(noticeEvent(content, entry)));
});

test('it carries its content, its place in the log, and not its receiver', () => {
  const event = noticeEvent({ ...content, member: 'platform-b' } as NoticeContent, entry);
  expect(event.data).toEqual({ ...content, position: 9, leafHash: entry.leafHash });
  expect(event).toMatchObject({ id: 'platform-b.0', source: 'urn:liandun:ledger', type: 'liandun.notice.v1' });
  const list = new ErrorList();
  checkObject(planOf(Notice), event.data, '', list);
  expect(list.errors).toEqual([]);
});
