import {
  AppealRequest,
  ChallengeRequest,
  CorrectionRequest,
  IdentificationCode,
  IdentificationRequest,
  LedgerError,
  SignedStatement,
  SubjectStatement,
  toBeijingTime,
  validateBody,
} from '@liandun/contracts';
import { Body, Controller, Get, Header, HttpCode, Param, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { subjectOf } from './access-hooks.js';
import { Appeals, type FiledAppeal } from './appeals.js';
import { Identifications } from './identifications.js';
import { ProblemError } from './problems.js';
import { Subjects } from './subjects.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LISTING_ID = /^L\d{1,15}-[0-9a-f]{12}$/;

function valid<T extends object>(type: abstract new () => T, body: unknown): T {
  const validated = validateBody(type, body);
  if ('problem' in validated) throw new ProblemError(validated.problem);
  return validated.value;
}

/** What a merchant may do without an account: prove who he is, see what is held about him, and speak (rules P06, P07, P17). */
@Controller('/public')
export class PublicController {
  constructor(
    private readonly identifications: Identifications,
    private readonly subjects: Subjects,
    private readonly appeals: Appeals,
  ) {}

  /** The same answer, as fast, whether anything is held about the number or not (rule P18). */
  @Post('/identifications')
  @HttpCode(202)
  async identify(@Body() body: unknown): Promise<object> {
    const { identificationId, expiresAt } = await this.identifications.begin(valid(IdentificationRequest, body));
    return { identificationId, expiresAt: toBeijingTime(expiresAt) };
  }

  @Post('/identifications/:identificationId/code')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async code(@Param('identificationId') identificationId: string, @Body() body: unknown): Promise<object> {
    const { code } = valid(IdentificationCode, body);
    if (!UUID.test(identificationId)) throw new LedgerError('CODE_REFUSED');
    const { token, expiresAt } = await this.identifications.redeem(identificationId, code);
    return { token, expiresAt: toBeijingTime(expiresAt) };
  }

  @Get('/identifications')
  ways(): object {
    return { ways: this.identifications.ways() };
  }

  @Post('/challenges')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  challenge(@Body() body: unknown): object {
    return this.identifications.challenge(valid(ChallengeRequest, body).uscc);
  }

  @Post('/signed-statements')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async signed(@Body() body: unknown): Promise<object> {
    const { token, expiresAt } = await this.identifications.signed(valid(SignedStatement, body));
    return { token, expiresAt: toBeijingTime(expiresAt) };
  }

  @Get('/subject')
  @Header('cache-control', 'no-store')
  page(@Req() request: FastifyRequest): Promise<object> {
    return this.subjects.page(subjectOf(request), '/public/subject');
  }

  @Get('/subject/copy')
  @Header('cache-control', 'no-store')
  @Header('content-disposition', 'attachment; filename="liandun-copy.json"')
  copy(@Req() request: FastifyRequest): Promise<object> {
    return this.subjects.copy(subjectOf(request), '/public/subject/copy');
  }

  /** Any listing but his own is not there for him (rule P17). */
  @Post('/appeals')
  async appeal(@Req() request: FastifyRequest, @Body() body: unknown): Promise<FiledAppeal> {
    const given = valid(AppealRequest, body);
    if (!LISTING_ID.test(given.listingId)) throw new LedgerError('NOT_FOUND');
    const subject = subjectOf(request);
    await this.subjects.listing(subject, given.listingId);
    return this.appeals.fileAppeal({ ...given, proved: subject.proved });
  }

  /** An answer to a case that is held: its publisher has to consider it (rule P06). */
  @Post('/hearings')
  answer(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    return this.state(request, 'answer', body);
  }

  @Post('/statements')
  statement(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    return this.state(request, 'statement', body);
  }

  @Post('/corrections')
  correction(@Req() request: FastifyRequest, @Body() body: unknown): Promise<object> {
    return this.subjects.correct(subjectOf(request), valid(CorrectionRequest, body));
  }

  private state(request: FastifyRequest, kind: 'answer' | 'statement', body: unknown): Promise<object> {
    const given = valid(SubjectStatement, body);
    if (!LISTING_ID.test(given.listingId)) throw new LedgerError('NOT_FOUND');
    return this.subjects.state(subjectOf(request), kind, given);
  }
}
