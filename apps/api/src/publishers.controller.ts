import { LedgerError, type PublisherFigures } from '@liandun/contracts';
import { isLowered, publisherFigures, PUBLISHER_RULES } from '@liandun/domain';
import { figuresOfPublishers, memberById, memberList } from '@liandun/views';
import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { LedgerWriter } from './ledger-writer.js';
import { LIABILITY, Malice } from './malice.js';
import { Door } from './pools.js';

const KNOWN_FOR_MS = 60_000;
const MEMBERS_MAX = 1_000;

/** How often publishers are wrong and how fast they put it right (rule P19). */
@Controller()
export class PublishersController {
  #shown: { items: object[]; untilMs: number } | undefined;

  constructor(
    private readonly door: Door,
    private readonly writer: LedgerWriter,
    private readonly malice: Malice,
  ) {}

  /** To everybody: rate and days, never how many a platform lists, which its competitors must not learn (rule P18). */
  @Get('/public/publishers')
  async all(): Promise<object> {
    if (!this.#shown || this.#shown.untilMs < performance.now()) {
      this.#shown = { items: await this.#items(), untilMs: performance.now() + KNOWN_FOR_MS };
    }
    const { version, ...rules } = PUBLISHER_RULES;
    return { items: this.#shown.items, rules: { version, ...rules }, liability: LIABILITY };
  }

  /** With the counts behind: to the publisher itself and to regulators. */
  @Get('/v1/publishers/:memberId')
  async one(@Req() request: FastifyRequest, @Param('memberId') memberId: string): Promise<object> {
    const { memberId: caller, role } = callerOf(request);
    if (caller !== memberId && role !== 'regulator') throw new LedgerError('MEMBER_NOT_FOUND');
    const member = await memberById(this.door.pool, memberId);
    if (!member) throw new LedgerError('MEMBER_NOT_FOUND');
    const figures = (await this.#figures([memberId])).get(memberId) ?? publisherFigures(0, []);
    return { memberId, name: member.name, ...figures, lowered: isLowered(figures), liability: LIABILITY };
  }

  /** A listing of its that ended as wrong was filed in bad faith: it counts twice, and the subject is told what that means. */
  @Post('/v1/listings/:listingId/malice')
  @HttpCode(200)
  async find(
    @Req() request: FastifyRequest,
    @Param('listingId') listingId: string,
    @Body() body: unknown,
  ): Promise<object> {
    return this.malice.find(callerOf(request), listingId, body);
  }

  #figures(members?: string[]): Promise<Map<string, PublisherFigures>> {
    return figuresOfPublishers(this.door.pool, this.writer.now().toISOString(), members);
  }

  async #items(): Promise<object[]> {
    const [members, figures] = await Promise.all([
      memberList(this.door.pool, { after: '', limit: MEMBERS_MAX }),
      this.#figures(),
    ]);
    return members
      .filter(({ role, status }) => role === 'platform' && status !== 'removed')
      .map(({ memberId, name }) => {
        const own = figures.get(memberId);
        const malicious = own?.malicious === undefined ? {} : { malicious: own.malicious };
        if (!own || own.published < PUBLISHER_RULES.publishedMin) return { name, tooFew: true, ...malicious };
        const { rate, medianDaysToFix } = own;
        return {
          name,
          overturnRate: rate,
          ...(medianDaysToFix !== undefined && { medianDaysToFix }),
          ...malicious,
          lowered: isLowered(own),
        };
      });
  }
}
