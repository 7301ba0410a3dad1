import {
  EVENT_TYPES,
  FLOOD_DECISIONS,
  LedgerError,
  toBeijingTime,
  type FloodDecided,
  type FloodDecision,
} from '@liandun/contracts';
import { floodStream } from '@liandun/intake';
import { waitingFloods, waitingPositions, type WaitingFlood } from '@liandun/views';
import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { IsIn, IsInt, Min } from 'class-validator';
import { callerOf } from './access-hooks.js';
import { parseBody } from './bodies.js';
import { LedgerWriter } from './ledger-writer.js';
import { Reads } from './reads.js';

/** So many cases are let out by one entry: what follows from them is decided in one transaction. */
const CASES_PER_DECISION = 200;
const CASES_LOOKED_UP = 10_000;

class FloodDecisionBody {
  @IsIn(FLOOD_DECISIONS)
  decision: FloodDecision;

  @IsInt()
  @Min(0)
  upTo: number;
}

const shown = ({ since, until, ...flood }: WaitingFlood): object => ({
  ...flood,
  since: toBeijingTime(since),
  until: toBeijingTime(until),
});

/**
 * What publishers' limits hold back (rule P21). The first person is the publisher's; the second is an administrator, who can publish
 * nothing, or a regulator other than the publisher: somebody of the publisher's own could be behind the flood, or behind its key.
 */
@Controller('/v1/floods')
export class FloodsController {
  constructor(
    private readonly reads: Reads,
    private readonly writer: LedgerWriter,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest): Promise<object> {
    const floods = await this.reads.as(callerOf(request), (db) => waitingFloods(db));
    return { items: floods.map(shown) };
  }

  /** Decides on the cases up to the position that was seen; what came behind it goes on waiting. */
  @Post('/:memberId/decision')
  @HttpCode(200)
  async decide(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<object> {
    const { decision, upTo } = parseBody(FloodDecisionBody, body);
    const caller = callerOf(request);
    if (caller.memberId === memberId) throw new LedgerError('SECOND_PERSON_NEEDED');
    const positions = await this.reads.as(caller, (db) => waitingPositions(db, memberId, upTo, CASES_LOOKED_UP));
    if (positions.length === 0) throw new LedgerError('FLOOD_NOT_FOUND');
    const decidedAt = toBeijingTime(this.writer.now());
    for (let from = 0; from < positions.length; from += CASES_PER_DECISION) {
      const some = positions.slice(from, from + CASES_PER_DECISION);
      const [first, last] = [some[0] as number, some.at(-1) as number];
      const range = { after: first - 1, upTo: last, cases: some.length };
      const data: FloodDecided = { memberId, decision, ...range, decidedBy: caller.memberId, decidedAt };
      await this.writer.append(floodStream(memberId), {
        id: `flood:${memberId}:${first}:${last}:${decision}`,
        type: EVENT_TYPES.floodDecided,
        data,
      });
    }
    return { memberId, decision, cases: positions.length, upTo: positions.at(-1) };
  }
}
