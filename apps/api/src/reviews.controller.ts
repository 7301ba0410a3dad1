import { Body, Controller, Get, HttpStatus, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { QueueCursor } from '@liandun/views';
import { callerOf } from './access-hooks.js';
import { refuseField } from './problems.js';
import { limitOf, textOf } from './query.js';
import { Reviews, type Reviewed } from './reviews.js';

const CURSOR = /^(\d{1,9})\.(\d)\.(\d{1,15})\.(\d{1,15})$/;

/** Where the page before ended: what hung on its last pair, and its observations. */
function queueCursorOf(request: FastifyRequest): QueueCursor | undefined {
  const text = textOf(request, 'after');
  if (text === undefined) return undefined;
  const [, wouldClose, tier, a, b] = CURSOR.exec(text) ?? [];
  if (b === undefined) throw refuseField('CURSOR_INVALID', '/query/after');
  return { wouldClose: Number(wouldClose), tier: Number(tier), a: Number(a), b: Number(b) };
}

/** What waits for a second person is accepted, not done. */
function answered(reply: FastifyReply, reviewed: Reviewed): Reviewed {
  void reply.status('approvalId' in reviewed ? HttpStatus.ACCEPTED : HttpStatus.OK);
  return reviewed;
}

/** Who is who, where a person has to say it (rules P14, P20). */
@Controller('/v1/reviews')
export class ReviewsController {
  constructor(private readonly reviews: Reviews) {}

  @Get()
  async queue(@Req() request: FastifyRequest): Promise<object> {
    const page = { after: queueCursorOf(request), limit: limitOf(request) };
    const { items, next } = await this.reviews.queue(callerOf(request), page);
    return { items, next: next && `${next.wouldClose}.${next.tier}.${next.a}.${next.b}` };
  }

  @Get('/:reviewId')
  async one(@Req() request: FastifyRequest, @Param('reviewId') reviewId: string): Promise<object> {
    return this.reviews.page(callerOf(request), reviewId);
  }

  @Post('/:reviewId/decision')
  async decide(
    @Req() request: FastifyRequest,
    @Param('reviewId') reviewId: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reviewed> {
    return answered(reply, await this.reviews.decide(callerOf(request), reviewId, body));
  }

  @Post('/:reviewId/undo')
  async undo(
    @Req() request: FastifyRequest,
    @Param('reviewId') reviewId: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Reviewed> {
    return answered(reply, await this.reviews.undo(callerOf(request), reviewId, body));
  }
}
