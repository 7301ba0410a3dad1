import { decisionKey, LedgerError, type CloudEvent, type Identity, type ListingEnded } from '@liandun/contracts';
import { dayLimit, roomOf } from '@liandun/domain';
import { zhMatcher } from '@liandun/identity';
import { Intake } from '@liandun/intake';
import { identifiersOf, MatchIndex } from '@liandun/matching';
import { Vault } from '@liandun/vault';
import { breakerState, listedOn } from '@liandun/views';
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { Door } from './pools.js';
import { quotaKeyOf, RateLimits } from './rate-limits.js';

/** What an event would do, without doing it (rule P21). */
@Controller('/v1')
export class PreviewController {
  readonly #index: MatchIndex;

  constructor(
    private readonly intake: Intake,
    private readonly door: Door,
    private readonly rates: RateLimits,
    vault: Vault,
  ) {
    this.#index = new MatchIndex(zhMatcher, vault);
  }

  /** A colon of the address itself, not a parameter's. */
  @Post('/events::preview')
  @HttpCode(200)
  async preview(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const caller = callerOf(request);
    if (Array.isArray(request.body)) throw new LedgerError('WRONG_TYPE');
    await this.rates.take(quotaKeyOf(request, 'events'), 1, reply);
    const [{ counted, ...said }, { limits, ...filed }] = await Promise.all([
      this.intake.preview(caller, request.body),
      breakerState(this.door.pool, caller.memberId),
    ]);
    const day = dayLimit(limits, filed.mean);
    const standing = { ...limits, ...(day !== undefined && { subjectsPerDay: day }), ...filed };
    if (said.would === 'rejected') return { ...said, subjects: 0, identifiers: [], limits: standing };
    const flood = counted && said.would !== 'duplicate' && roomOf(limits, filed) < 1;
    const { data } = request.body as CloudEvent;
    const { identity } = data as { identity?: Identity };
    return {
      ...said,
      ...(flood && { would: 'held', heldBecause: [...said.heldBecause, 'flood'] }),
      subjects: await this.#subjects(data as ListingEnded),
      identifiers: identity ? await identifiersOf(this.door.pool, this.#index, identity) : [],
      limits: standing,
    };
  }

  /**
   * One: an entry covers the named subject only (rule P13), whether or not anybody knows it yet (rule P18). Only an authority's
   * ending of a decision is about everybody that is listed on it.
   */
  async #subjects({ decisionNo, cause, listingId }: Partial<ListingEnded>): Promise<number> {
    if (cause === undefined || decisionNo === undefined || listingId !== undefined) return 1;
    return listedOn(this.door.pool, decisionKey(decisionNo));
  }
}
