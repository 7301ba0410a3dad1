import type { AppealCursor } from '@liandun/views';
import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { Appeals } from './appeals.js';
import { refuseField } from './problems.js';
import { limitOf, textOf } from './query.js';

const CURSOR = /^(infinity|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_(\d{1,15})$/;

function appealCursorOf(request: FastifyRequest): AppealCursor | undefined {
  const text = textOf(request, 'after');
  if (text === undefined) return undefined;
  const [, due, position] = CURSOR.exec(text) ?? [];
  if (due === undefined || (due !== 'infinity' && Number.isNaN(Date.parse(due))))
    throw refuseField('CURSOR_INVALID', '/query/after');
  return { due, position: Number(position) };
}

/** Appeals for those who review them (rules P07, P08). */
@Controller('/v1')
export class AppealsController {
  constructor(private readonly appeals: Appeals) {}

  @Get('/appeals')
  async page(@Req() request: FastifyRequest): Promise<object> {
    const all = textOf(request, 'all', /^(true|false)$/) === 'true';
    const range = { after: appealCursorOf(request), limit: limitOf(request), all };
    const { items, next } = await this.appeals.page(callerOf(request), range);
    return { items, next: next && `${next.due}_${next.position}` };
  }

  @Get('/appeals/:appealId')
  async one(@Req() request: FastifyRequest, @Param('appealId') appealId: string): Promise<object> {
    return this.appeals.one(callerOf(request), appealId);
  }

  @Post('/appeals/:appealId/decision')
  @HttpCode(200)
  async decide(
    @Req() request: FastifyRequest,
    @Param('appealId') appealId: string,
    @Body() body: unknown,
  ): Promise<object> {
    return this.appeals.decide(callerOf(request), appealId, body);
  }

  @Post('/appeals/:appealId/stay')
  @HttpCode(200)
  async stay(
    @Req() request: FastifyRequest,
    @Param('appealId') appealId: string,
    @Body() body: unknown,
  ): Promise<object> {
    return this.appeals.stay(callerOf(request), appealId, body);
  }

  @Post('/appeals/:appealId/deadline')
  @HttpCode(200)
  async deadline(
    @Req() request: FastifyRequest,
    @Param('appealId') appealId: string,
    @Body() body: unknown,
  ): Promise<object> {
    return this.appeals.changeDeadline(callerOf(request), appealId, body);
  }

  @Post('/cases/:listingId/deadline')
  @HttpCode(200)
  async hold(
    @Req() request: FastifyRequest,
    @Param('listingId') listingId: string,
    @Body() body: unknown,
  ): Promise<object> {
    return this.appeals.changeHold(callerOf(request), listingId, body);
  }
}
