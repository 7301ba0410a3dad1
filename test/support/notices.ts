import { randomBytes } from 'node:crypto';
import { LEDGER_SOURCE, OUTCOME_TYPES, type NoticeAction, type NoticeIssued } from '@liandun/contracts';
import type { EventLog, NewEvent } from '@liandun/event-log';

/** A notice as reconciliation would issue it: fictional, about 1 KB on the wire. */
export function noticeIssued(member: string, seq: number, over: Partial<NoticeIssued> = {}): NoticeIssued {
  return {
    member,
    noticeId: `${member}.${seq}`,
    seq,
    action: 'close' satisfies NoticeAction,
    listingId: `L${seq}-0123456789ab`,
    stillListed: true,
    entity: { entityId: `E${seq}-0123456789ab`, kind: 'organization', name: '虚构市某某贸易有限公司' },
    merchantIds: [`m-${seq}`],
    shops: [{ shopId: `s-${seq}`, name: '某某旗舰店', url: `https://${member}.example/shops/s-${seq}` }],
    match: { grade: 'exact', because: ['uscc'] },
    reason: {
      code: 'F04',
      labelZh: '哄抬价格',
      labelEn: 'price gouging in a declared emergency',
      legalBasis: ['价格法 第14条', '价格违法行为行政处罚规定 第6条'],
    },
    tier: 1,
    autoClosable: true,
    effectiveAt: '2020-02-03T10:00:00.000+08:00',
    expiresAt: '2023-02-03T10:00:00.000+08:00',
    respondBy: '2020-02-04T10:00:00.000+08:00',
    ...over,
  };
}

export function noticeIssuedEvent(notice: NoticeIssued): NewEvent {
  return {
    id: `notify:${notice.noticeId}`,
    source: LEDGER_SOURCE,
    type: OUTCOME_TYPES.noticeIssued,
    time: '2020-02-03T10:00:00.000+08:00',
    stream: `notices/${notice.member}`,
    data: notice,
    fingerprint: randomBytes(32),
  };
}

/** Appends notices `from` … `to - 1` of each member. */
export async function issueNotices(log: EventLog, members: readonly string[], from: number, to: number): Promise<void> {
  for (let seq = from; seq < to; seq += 100) {
    const seqs = Array.from({ length: Math.min(100, to - seq) }, (_, index) => seq + index);
    await log.appendAll(
      members.map((member) => ({ events: seqs.map((each) => noticeIssuedEvent(noticeIssued(member, each))) })),
    );
  }
}
