import { validateBody, WebhookReplay, WebhookRequest, WebhookRotation } from '@liandun/contracts';
import {
  deadLetters,
  deleteEndpoint,
  endpointPage,
  mayBeEndpoint,
  putEndpoint,
  refusal,
  replayFrom,
  requestTest,
  rotateSecret,
  WebhookRefusal,
} from '@liandun/webhooks';
import { Body, Controller, Delete, Get, HttpCode, Post, Put, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { parseEmpty } from './bodies.js';
import { Door } from './pools.js';
import { ProblemError } from './problems.js';
import { cursorOf, limitOf } from './query.js';
import { Reads } from './reads.js';
import { Settings } from './settings.js';
import type { Caller } from './tokens.js';

function bodyOf<T extends object>(type: abstract new () => T, raw: unknown): T {
  const validated = validateBody(type, raw === undefined ? {} : raw);
  if ('problem' in validated) throw new ProblemError(validated.problem);
  return validated.value;
}

/** A change of a webhook; what it refuses of the body is a problem with a pointer. */
async function changing<T>(change: Promise<T>): Promise<T> {
  return change.catch((error: unknown) => {
    throw error instanceof WebhookRefusal ? new ProblemError(error.problem) : error;
  });
}

/** Where a platform's notices are posted; nobody sets or sees another's. */
@Controller('/v1/webhook')
export class WebhookController {
  constructor(
    private readonly reads: Reads,
    private readonly door: Door,
    private readonly settings: Settings,
  ) {}

  @Put()
  async set(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    const caller = callerOf(request);
    const { url, from } = bodyOf(WebhookRequest, body);
    const { webhookNetworks, vaultKeys } = this.settings;
    if (!mayBeEndpoint(url, webhookNetworks))
      throw new ProblemError(refusal('/url', 'WEBHOOK_ADDRESS_NOT_ALLOWED').problem);
    const headSeq = await this.reads.log(caller).streamVersion(`notices/${caller.memberId}`);
    const secret = await changing(putEndpoint(this.door.pool, vaultKeys.kms, caller.memberId, { url, from, headSeq }));
    return this.#page(caller, secret);
  }

  @Get()
  async show(@Req() request: FastifyRequest): Promise<object> {
    return this.#page(callerOf(request));
  }

  @Delete()
  @HttpCode(204)
  async end(@Req() request: FastifyRequest): Promise<void> {
    await deleteEndpoint(this.door.pool, callerOf(request).memberId);
  }

  @Post('/secrets')
  @HttpCode(200)
  async rotate(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    const caller = callerOf(request);
    const { revoke = false } = bodyOf(WebhookRotation, body);
    const { kms } = this.settings.vaultKeys;
    return this.#page(caller, await rotateSecret(this.door.pool, kms, caller.memberId, revoke));
  }

  @Post('/test')
  @HttpCode(202)
  async test(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    parseEmpty(body);
    return { testId: await requestTest(this.door.pool, callerOf(request).memberId) };
  }

  @Get('/deliveries')
  async dead(@Req() request: FastifyRequest): Promise<object> {
    const caller = callerOf(request);
    const page = { after: cursorOf(request, 'after'), limit: limitOf(request) };
    return this.reads.as(caller, (db) => deadLetters(db, caller.memberId, page));
  }

  @Post('/replay')
  @HttpCode(200)
  async replay(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    const caller = callerOf(request);
    const { from } = bodyOf(WebhookReplay, body);
    await changing(replayFrom(this.door.pool, caller.memberId, from));
    return this.#page(caller);
  }

  /** The secret, where one was made: this answer is the only one that has it. */
  async #page(caller: Caller, secret?: string): Promise<object> {
    const page = await this.reads.as(caller, (db) => endpointPage(db, caller.memberId));
    return secret === undefined ? page : { ...page, secret };
  }
}
