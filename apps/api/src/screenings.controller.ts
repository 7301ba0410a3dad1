import {
  LedgerError,
  screeningMatchedEvent,
  validateIdentity,
  validateScreeningDecision,
  type CloudEvent,
  type MatchedScreening,
  type ScreeningDecision,
  type ScreeningMatched,
} from '@liandun/contracts';
import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { Enumeration } from './enumeration.js';
import { ProblemError } from './problems.js';
import { cursorOf, limitOf } from './query.js';
import { Reads } from './reads.js';
import { Screenings, type Screening } from './screenings.js';

const SCREENING_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LISTING_ID = /^L\d{1,15}-[0-9a-f]{12}$/;

/** What platforms ask of applicants before they let them in. */
@Controller('/v1/screenings')
export class ScreeningsController {
  constructor(
    private readonly screenings: Screenings,
    private readonly enumeration: Enumeration,
    private readonly reads: Reads,
  ) {}

  /** Whether an applicant is listed (rules P14, P15). */
  @Post()
  @HttpCode(200)
  async screening(@Req() request: FastifyRequest, @Body() body: unknown): Promise<Screening> {
    const { memberId } = callerOf(request);
    const validated = validateIdentity(body);
    if ('problem' in validated) {
      if (validated.problem.errors?.some(({ pointer }) => pointer === '/purpose'))
        await this.enumeration.misused(memberId);
      throw new ProblemError(validated.problem);
    }
    const { identity, purpose } = validated.value;
    const kinds = await this.screenings.mayTell(memberId, identity.kind);
    await this.enumeration.spend(memberId, identity);
    return this.screenings.screen(memberId, identity, purpose, kinds);
  }

  /** Which of the caller's inquiries later listings match. */
  @Get('/matched')
  async matched(@Req() request: FastifyRequest): Promise<{ items: CloudEvent<MatchedScreening>[]; next: number }> {
    const caller = callerOf(request);
    const after = cursorOf(request, 'after');
    const page = { after, limit: limitOf(request) };
    const entries = await this.reads.log(caller).readStream(`matched/${caller.memberId}`, page);
    const items = entries.map(({ data, position, leafHash, acceptedAt }) => {
      const place = { position, leafHash: leafHash.toString('base64'), acceptedAt };
      return screeningMatchedEvent(caller.memberId, data as ScreeningMatched, place);
    });
    return { items, next: entries.at(-1)?.version ?? after };
  }

  /** A match that is somebody else is not shown to the caller again. */
  @Post('/:screeningId/matches/:listingId/decision')
  @HttpCode(200)
  async decide(
    @Req() request: FastifyRequest,
    @Param() about: { screeningId: string; listingId: string },
    @Body() body: unknown,
  ): Promise<ScreeningDecision> {
    const validated = validateScreeningDecision(body);
    if ('problem' in validated) throw new ProblemError(validated.problem);
    if (!SCREENING_ID.test(about.screeningId) || !LISTING_ID.test(about.listingId)) throw new LedgerError('NOT_FOUND');
    await this.screenings.decide(callerOf(request).memberId, about, validated.value);
    return validated.value;
  }
}
