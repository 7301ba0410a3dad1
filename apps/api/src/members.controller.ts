import { randomUUID } from 'node:crypto';
import {
  ApprovalDecision,
  BASIS_TEXTS,
  LedgerError,
  toBeijingTime,
  validateBody,
  type Agreement,
  type MembershipChange,
} from '@liandun/contracts';
import { deliveryOf, SUSPENSION_CONFIRMED_WITHIN_MS } from '@liandun/domain';
import { approvalById, approvalList, memberList, otherAdministrators, type ApprovalRow } from '@liandun/views';
import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './access-hooks.js';
import {
  AgreementChangeBody,
  KeyAdditionBody,
  KeyRevocationBody,
  LimitsChangeBody,
  MemberAdmissionBody,
  SignaturesChangeBody,
  SubscriptionChangeBody,
} from './bodies.dto.js';
import { Erasures } from './erasures.js';
import { agreementOf, keyOf, limitsOf, parseBody, parseEmpty, subscriptionOf } from './bodies.js';
import { DecideMembershipApproval, RequestMembershipChange } from './membership.js';
import { refuseField, valueOf } from './problems.js';
import { limitOf, textOf } from './query.js';
import { Reads } from './reads.js';
import { ReasonCodes, type CodesApproval } from './reason-codes.js';
import { Reviews, type ReviewApproval } from './reviews.js';

interface Requested {
  approvalId: string;
  /** With an admission or an agreement: whether anything will be sent to the member (rule P16). */
  delivery?: object;
}

/** Whether anything is sent to a platform now, in words where not all of it is. */
function deliveryShown(agreement: Agreement | undefined): object {
  const delivery = deliveryOf(agreement, new Date().toISOString());
  if (!delivery.because) return delivery;
  const [en, zh] = BASIS_TEXTS[delivery.because];
  return { ...delivery, en, zh };
}

/** What awaits its confirmation, not its effect. */
const actsAtOnce = (change: ApprovalRow['change']): boolean =>
  change.action === 'suspend' || (change.action === 'revokeKey' && change.emergency === true);

const isReview = (approval: ApprovalRow): approval is ReviewApproval =>
  approval.change.action === 'decideReview' || approval.change.action === 'undoReview';

const isCodes = (approval: ApprovalRow): approval is CodesApproval => approval.change.action === 'changeReasonCodes';

/** Only of a review the second person is named: nobody must think that his name was kept where it isn't. */
function requireUnnamed({ reviewer }: ApprovalDecision): void {
  if (reviewer !== undefined) throw refuseField('FIELD_NOT_APPLICABLE', '/reviewer');
}

/** An approval as administrators see it. */
function shown({ requestedAt, decidedAt, decidedBy, reviewer, ...approval }: ApprovalRow): object {
  const confirmBy = new Date(requestedAt.getTime() + SUSPENSION_CONFIRMED_WITHIN_MS);
  return {
    ...approval,
    requestedAt: toBeijingTime(requestedAt),
    ...(actsAtOnce(approval.change) ? { confirmBy: toBeijingTime(confirmBy) } : {}),
    ...(decidedAt && decidedBy
      ? { decidedBy, ...(reviewer && { reviewer }), decidedAt: toBeijingTime(decidedAt) }
      : {}),
  };
}

/** Members and their changes: every change is a request that another administrator approves (rule P20). */
@Controller('/v1')
export class MembersController {
  constructor(
    private readonly commands: CommandBus,
    private readonly reads: Reads,
    private readonly erasures: Erasures,
    private readonly reviews: Reviews,
    private readonly codes: ReasonCodes,
  ) {}

  @Get('/members')
  async members(@Req() request: FastifyRequest): Promise<object> {
    const after = textOf(request, 'after') ?? '';
    const limit = limitOf(request);
    const items = await this.reads.as(callerOf(request), (db) => memberList(db, { after, limit }));
    return {
      items: items.map((member) =>
        member.role === 'platform' ? { ...member, delivery: deliveryShown(member.agreement ?? undefined) } : member,
      ),
      next: items.length === limit ? (items.at(-1)?.memberId ?? null) : null,
    };
  }

  @Post('/members')
  @HttpCode(202)
  async admit(@Req() request: FastifyRequest, @Body() body: unknown): Promise<Requested> {
    const { memberId, name, role, keys, subscription = {}, agreement, limits } = parseBody(MemberAdmissionBody, body);
    const change: Extract<MembershipChange, { action: 'admit' }> = {
      action: 'admit',
      memberId,
      name,
      role,
      keys: keys.map((key, i) => keyOf(key, `/keys/${i}`)),
      subscription: subscriptionOf(subscription),
      ...(agreement && { agreement: agreementOf(agreement, '/agreement') }),
      limits: limitsOf(limits),
    };
    const requested = await this.#request(request, change);
    return role === 'platform' ? { ...requested, delivery: deliveryShown(change.agreement) } : requested;
  }

  @Post('/members/:memberId/keys')
  @HttpCode(202)
  addKey(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    const { key } = parseBody(KeyAdditionBody, body);
    return this.#request(request, { action: 'addKey', memberId, key: keyOf(key, '/key') });
  }

  @Post('/members/:memberId/keys/:kid/revocation')
  @HttpCode(202)
  revokeKey(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Param('kid') kid: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    const { emergency } = parseBody(KeyRevocationBody, body === undefined ? {} : body);
    return this.#request(request, { action: 'revokeKey', memberId, kid, ...(emergency ? { emergency } : {}) });
  }

  @Post('/members/:memberId/subscription')
  @HttpCode(202)
  subscription(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    const { subscription } = parseBody(SubscriptionChangeBody, body);
    return this.#request(request, {
      action: 'changeSubscription',
      memberId,
      subscription: subscriptionOf(subscription),
    });
  }

  /** What the member's disclosures rest on: its contract, its impact assessment, and the basis of each field (rule P16). */
  @Post('/members/:memberId/agreement')
  @HttpCode(202)
  async agreement(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    const agreement = agreementOf(parseBody(AgreementChangeBody, body).agreement, '/agreement');
    const requested = await this.#request(request, { action: 'changeAgreement', memberId, agreement });
    return { ...requested, delivery: deliveryShown(agreement) };
  }

  /** Whether the ledger takes what the member sends without its signature. */
  @Post('/members/:memberId/signatures')
  @HttpCode(202)
  signatures(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    const { signatures } = parseBody(SignaturesChangeBody, body);
    return this.#request(request, { action: 'changeSignatures', memberId, signatures });
  }

  /** How much the member may list before a second person looks at it (rule P21). */
  @Post('/members/:memberId/limits')
  @HttpCode(202)
  limits(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    const { limits } = parseBody(LimitsChangeBody, body);
    return this.#request(request, { action: 'changeLimits', memberId, limits: limitsOf(limits) });
  }

  /** Acts at once; the other administrator confirms or ends it. */
  @Post('/members/:memberId/suspension')
  @HttpCode(202)
  suspend(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    parseEmpty(body);
    return this.#request(request, { action: 'suspend', memberId });
  }

  @Post('/members/:memberId/resumption')
  @HttpCode(202)
  resume(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    parseEmpty(body);
    return this.#request(request, { action: 'resume', memberId });
  }

  @Post('/members/:memberId/removal')
  @HttpCode(202)
  remove(
    @Req() request: FastifyRequest,
    @Param('memberId') memberId: string,
    @Body() body: unknown,
  ): Promise<Requested> {
    parseEmpty(body);
    return this.#request(request, { action: 'remove', memberId });
  }

  @Get('/approvals')
  async approvals(@Req() request: FastifyRequest): Promise<object> {
    const limit = limitOf(request);
    const page = {
      before: textOf(request, 'after'),
      status: textOf(request, 'status', /^(pending|granted|refused)$/) as ApprovalRow['status'] | undefined,
      limit,
    };
    const items = await this.reads.as(callerOf(request), (db) => approvalList(db, page));
    return { items: items.map(shown), next: items.length === limit ? (items.at(-1)?.approvalId ?? null) : null };
  }

  @Post('/approvals/:approvalId')
  @HttpCode(200)
  async decide(
    @Req() request: FastifyRequest,
    @Param('approvalId') approvalId: string,
    @Body() body: unknown,
  ): Promise<object> {
    const said = valueOf(validateBody(ApprovalDecision, body));
    const { decision } = said;
    const caller = callerOf(request);
    const erasure = await this.erasures.find(approvalId, caller);
    if (erasure) {
      requireUnnamed(said);
      await this.erasures.decide(erasure, decision, caller.memberId);
      return this.erasures.page(approvalId, caller);
    }
    const approval = await this.reads.as(caller, (db) => approvalById(db, approvalId));
    if (approval && isReview(approval) && caller.role === 'regulator') {
      await this.reviews.conclude(approval, said, caller);
      return shown((await this.reads.as(caller, (db) => approvalById(db, approvalId))) ?? approval);
    }
    if (approval && isCodes(approval)) {
      requireUnnamed(said);
      await this.codes.conclude(approval, decision, caller.memberId);
      return shown((await this.reads.as(caller, (db) => approvalById(db, approvalId))) ?? approval);
    }
    // A regulator decides on erasures, on who is who and on reason codes only; any other request isn't there for it.
    if (!approval || isReview(approval) || caller.role !== 'admin') throw new LedgerError('APPROVAL_NOT_FOUND');
    requireUnnamed(said);
    const { memberId } = approval.change;
    await this.commands.execute(
      new DecideMembershipApproval(approvalId, memberId, {
        kind: 'decideApproval',
        decision,
        decidedBy: caller.memberId,
        otherAdministrators: await this.reads.as(caller, (db) => otherAdministrators(db, memberId)),
      }),
    );
    const decided = await this.reads.as(caller, (db) => approvalById(db, approvalId));
    return shown(decided ?? approval);
  }

  async #request(request: FastifyRequest, change: MembershipChange): Promise<Requested> {
    const approvalId = randomUUID();
    const caller = callerOf(request);
    await this.commands.execute(
      new RequestMembershipChange(approvalId, change.memberId, {
        kind: 'requestChange',
        approvalId,
        change,
        requestedBy: caller.memberId,
        otherAdministrators: await this.reads.as(caller, (db) => otherAdministrators(db, change.memberId)),
      }),
    );
    return { approvalId };
  }
}
