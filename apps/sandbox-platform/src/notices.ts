import { Injectable } from '@nestjs/common';
import { SUBMITTED_TYPES, type ErasedNotices, type Notice, type NoticeDisposed } from '@liandun/contracts';
import { LiandunClient, type ShopState } from '@liandun/sdk';
import { OnErased, OnNotice } from '@liandun/sdk-nest';
import type { ClientBase } from 'pg';
import { decide } from './policy.js';
import { Store } from './store.js';

/** Closes and reopens this platform's shops, in the transaction that moves the consumer on: each notice counts once. */
@Injectable()
export class Notices {
  constructor(
    private readonly store: Store,
    private readonly client: LiandunClient,
  ) {}

  @OnNotice()
  async handle(notice: Notice, tx: ClientBase, states: ShopState[]): Promise<void> {
    const shopIds = new Set([...notice.shops, ...states].map(({ shopId }) => shopId));
    const own = await this.store.ownShops(tx, [...shopIds]);
    const decision = decide(notice, own, states);
    await this.store.apply(tx, decision);
    const changed = new Set([...decision.close, ...decision.reopen]);
    const at = new Date().toISOString();
    const data: NoticeDisposed = {
      noticeId: notice.noticeId,
      decision: decision.decision,
      shops: notice.shops.filter(({ shopId }) => changed.has(shopId)),
      decidedAt: at,
      decidedBy: decision.decidedBy,
      ...(decision.automated && { automated: true }),
      ...(decision.openOrders && { openOrders: decision.openOrders }),
    };
    const { noticeId, action, listingId, entity } = notice;
    await this.store.record(
      tx,
      {
        noticeId,
        action,
        listingId,
        entityName: entity.name,
        decision: decision.decision,
        shops: [...changed],
        openOrders: own.reduce((sum, shop) => sum + (changed.has(shop.shopId) ? shop.openOrders : 0), 0),
        at,
      },
      // The same id whenever it is sent: the ledger takes a repeat for what it is.
      this.client.event({ type: SUBMITTED_TYPES.noticeDisposed, data, id: `disposed-${noticeId}`, time: at }),
    );
  }

  @OnErased()
  async redact({ noticeIds }: ErasedNotices, tx: ClientBase): Promise<void> {
    await this.store.redact(tx, noticeIds);
  }
}
