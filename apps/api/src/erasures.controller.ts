import { randomUUID } from 'node:crypto';
import { ErasureRequest, fieldError, problemOf, validateBody } from '@liandun/contracts';
import { Vault } from '@liandun/vault';
import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import { RequestErasureOf } from './erasure.js';
import { Erasures } from './erasures.js';
import { ProblemError } from './problems.js';

const missing = (field: string): ProblemError => new ProblemError(problemOf([fieldError(field, 'MISSING_FIELD')]));

/** Forgetting a person (个人信息保护法 第47条): requested here, approved by a second person at /v1/approvals (rule P20). */
@Controller('/v1/erasures')
export class ErasuresController {
  constructor(
    private readonly commands: CommandBus,
    private readonly vault: Vault,
    private readonly erasures: Erasures,
  ) {}

  /** The identifiers are kept sealed, until the request is decided. */
  @Post()
  @HttpCode(202)
  async ask(@Req() request: FastifyRequest, @Body() body: unknown): Promise<{ approvalId: string }> {
    const { memberId, role } = callerOf(request);
    const validated = validateBody(ErasureRequest, body);
    if ('problem' in validated) throw new ProblemError(validated.problem);
    const { identifiers, basis, requestId } = validated.value;
    const { residentId, uscc, registrationNumber, name } = identifiers;
    // Nothing was given, or only a masked value, which names nobody; a contact alone may be several persons'.
    if (this.vault.wanted(identifiers).length === 0) throw missing('/identifiers');
    const numbers = this.vault.wanted({ residentId, uscc, registrationNumber });
    if (numbers.length === 0 && name === undefined) throw missing('/identifiers/name');
    const approvalId = randomUUID();
    const scope = role === 'regulator' ? 'all' : 'own';
    const change = { action: 'erase', memberId, scope, basis, requestId } as const;
    const command = { kind: 'requestErasure', approvalId, change, requestedBy: memberId } as const;
    const person = this.vault.sealPerson(identifiers, approvalId);
    await this.commands.execute(new RequestErasureOf(approvalId, command, person));
    return { approvalId };
  }

  @Get('/:approvalId')
  async one(@Req() request: FastifyRequest, @Param('approvalId') approvalId: string): Promise<object> {
    return this.erasures.page(approvalId, callerOf(request));
  }
}
