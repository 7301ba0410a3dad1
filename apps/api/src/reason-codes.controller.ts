import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { ReasonCodes } from './reason-codes.js';

/** The closed list of reasons (rule P05): any member reads it, two persons change it. */
@Controller('/v1/reason-codes')
export class ReasonCodesController {
  constructor(private readonly codes: ReasonCodes) {}

  @Get()
  table(@Req() request: FastifyRequest): Promise<object> {
    return this.codes.page(callerOf(request));
  }

  /** Proposes rows that change or are new; another administrator or regulator approves them. */
  @Post()
  @HttpCode(202)
  propose(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    return this.codes.propose(callerOf(request).memberId, body);
  }
}
