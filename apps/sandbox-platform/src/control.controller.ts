import {
  BadRequestException,
  Body,
  ConflictException,
  Controller,
  Get,
  Post,
  Query,
  ServiceUnavailableException,
} from '@nestjs/common';
import type {
  AppealDecision,
  CaseNotified,
  MerchantDelisted,
  MerchantReinstated,
  MerchantReported,
  Receipt,
} from '@liandun/contracts';
import { SUBMITTED_TYPES } from '@liandun/contracts';
import { LiandunClient } from '@liandun/sdk';
import { LiandunNotices } from '@liandun/sdk-nest';
import { Store, type Handled, type Sales } from './store.js';

const SERVED_AT_ONCE = 100;

/** A merchant of this platform, and how the sandbox is to treat it. */
type NewMerchant = MerchantReported & { openOrders?: number; openRefunds?: number; keepsOpen?: boolean };

type AppealToDecide = AppealDecision & { listingId: string; merchantId: string };

function listOf<T>(body: unknown): T[] {
  if (!Array.isArray(body)) throw new BadRequestException('a JSON array is needed');
  return body as T[];
}

/** What the staff of the platform would do in its back office. Listens on the loopback only. */
@Controller()
export class ControlController {
  constructor(
    private readonly store: Store,
    private readonly client: LiandunClient,
    private readonly notices: LiandunNotices,
  ) {}

  @Get('health/live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  @Get('health/ready')
  ready(): { status: string } {
    const status = this.notices.status();
    if (status?.state !== 'running') throw new ServiceUnavailableException(status);
    return { status: 'ok' };
  }

  /** Takes on merchants with their shops, and reports them to the ledger. */
  @Post('merchants')
  async addMerchants(@Body() body: unknown): Promise<Receipt[]> {
    const merchants = listOf<NewMerchant>(body);
    const { store, client } = this;
    await store.addMerchants(merchants.map(({ identity, ...merchant }) => ({ ...merchant, name: identity.name })));
    return client.publish(
      merchants.map(({ merchantId, identity, shops, status }) =>
        client.event({ type: SUBMITTED_TYPES.merchantReported, data: { merchantId, identity, shops, status } }),
      ),
    );
  }

  /** Clears merchants out: closes their shops here, then tells the ledger. */
  @Post('delist')
  async delist(@Body() body: unknown): Promise<Receipt[]> {
    const cases = listOf<MerchantDelisted>(body);
    await this.store.setByPlatform(
      cases.map(({ merchantId }) => merchantId),
      'closed',
    );
    return this.client.publish(
      cases.map((data) => this.client.event({ type: SUBMITTED_TYPES.merchantDelisted, data })),
    );
  }

  /** The staff told the subjects of these cases, and says so to the ledger (rule P06). */
  @Post('notified')
  async notified(@Body() body: unknown): Promise<Receipt[]> {
    const told = listOf<CaseNotified>(body);
    return this.client.publish(told.map((data) => this.client.event({ type: SUBMITTED_TYPES.caseNotified, data })));
  }

  /** Takes merchants back: opens their shops here, then tells the ledger. */
  @Post('reinstate')
  async reinstate(@Body() body: unknown): Promise<Receipt[]> {
    const endings = listOf<MerchantReinstated & { merchantId: string }>(body);
    await this.store.setByPlatform(
      endings.map(({ merchantId }) => merchantId),
      'open',
    );
    return this.client.publish(
      endings.map((data) => this.client.event({ type: SUBMITTED_TYPES.merchantReinstated, data })),
    );
  }

  /** Decides on an appeal against what this platform listed; an overturned merchant's shops open here at once. */
  @Post('appeals')
  async decideAppeal(@Body() { listingId, merchantId, ...decision }: AppealToDecide): Promise<object> {
    const { items } = await this.client.get<{ items: { appealId: string; listingId: string }[] }>('/v1/appeals');
    const appeal = items.find((each) => each.listingId === listingId);
    if (!appeal) throw new ConflictException(`nobody has appealed against ${listingId}`);
    const decided = await this.client.post<object>(`/v1/appeals/${appeal.appealId}/decision`, decision);
    if (decision.decision === 'overturned') await this.store.setByPlatform([merchantId], 'open');
    return decided;
  }

  /** A buyer orders; refused where the shop is closed. */
  @Post('sales')
  async sell(@Body() { shopId }: { shopId: string }): Promise<{ saleId: number }> {
    const saleId = await this.store.sell(shopId);
    if (saleId === undefined) throw new ConflictException('the shop is closed: no new sales');
    return { saleId };
  }

  /** A buyer wants the money back, from a closed shop too. */
  @Post('refunds')
  async refund(@Body() { saleId }: { saleId: number }): Promise<Sales> {
    if (!(await this.store.askRefund(saleId))) throw new ConflictException('nothing is to be refunded');
    return this.store.sales();
  }

  /** The staff delivers and refunds what is due. */
  @Post('after-sales')
  async serveBuyers(): Promise<Sales> {
    while ((await this.store.serveBuyers(SERVED_AT_ONCE)) > 0);
    return this.store.sales();
  }

  @Get('shops')
  async shops(): Promise<{ items: unknown[] }> {
    return { items: await this.store.shops() };
  }

  /** The decisions after number `after`; without it only the number of the last one. */
  @Get('handled')
  async handled(@Query('after') after?: string): Promise<{ items: Handled[]; last: number }> {
    if (after === undefined) return { items: [], last: await this.store.lastHandled() };
    const items = await this.store.handledAfter(Number(after), 500);
    return { items, last: items.at(-1)?.no ?? Number(after) };
  }
}
