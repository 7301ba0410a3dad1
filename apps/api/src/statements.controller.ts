import { LedgerError, toBeijingTime } from '@liandun/contracts';
import { tellBy } from '@liandun/domain';
import type { ReadingCaller } from '@liandun/event-log';
import { Vault } from '@liandun/vault';
import { caseOfMember, entryAt, statementsAfter, type SubjectEntry } from '@liandun/views';
import { Controller, Get, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { ClientBase } from 'pg';
import { callerOf } from './access-hooks.js';
import { cursorOf, limitOf } from './query.js';
import { Reads } from './reads.js';
import { Settings } from './settings.js';
import { textOf } from './subjects.js';
import { tellSubject } from './tell-subject.js';

const ANSWERS_MAX = 100;

/** What subjects say reaches those whom it is addressed to: the publisher of the entry, and regulators (rule P17). */
@Controller('/v1')
export class StatementsController {
  constructor(
    private readonly reads: Reads,
    private readonly vault: Vault,
    private readonly settings: Settings,
  ) {}

  /** A platform sees what was said of what it sent itself; a regulator all. */
  @Get('/statements')
  async statements(@Req() request: FastifyRequest): Promise<object> {
    const caller = callerOf(request);
    const after = cursorOf(request, 'after');
    const limit = limitOf(request);
    const member = caller.role === 'regulator' ? {} : { member: caller.memberId };
    const items = await this.reads.as(caller, async (db) =>
      this.opened(db, await statementsAfter(db, { ...member, after, limit })),
    );
    return { items, next: items.at(-1)?.position ?? after };
  }

  /**
   * What the publisher of a case must pass on to its subject, as it stands, in both languages, and what he has answered (rule P06). The
   * publisher considers the answer and says so with `liandun.case.heard.v1`; with cause `appealUpheld` nobody is ever told.
   */
  @Get('/cases/:caseId/hearing')
  async hearing(@Req() request: FastifyRequest, @Param('caseId') caseId: string): Promise<object> {
    const caller: ReadingCaller = callerOf(request);
    const { memberId } = caller;
    const page = `${this.settings.issuer}/public/`;
    return this.reads.as(caller, async (db) => {
      const held = caseId.includes('\0') ? undefined : await caseOfMember(db, memberId, caseId);
      const filing = held && (await entryAt(db, held.position));
      if (!held || !filing) throw new LedgerError('NOT_FOUND');
      const said = await statementsAfter(db, { member: memberId, about: held.position, after: -1, limit: ANSWERS_MAX });
      const { listingId, status, reason, heldUntil, hold, toldAtOnce, notifiedAt, since } = held;
      const due = heldUntil && toBeijingTime(heldUntil);
      return {
        caseId,
        listingId,
        status,
        ...(due && { heldUntil: due }),
        ...(hold && { hold }),
        ...(toldAtOnce && status !== 'held' && { tellBy: tellBy(since.toISOString()) }),
        ...(notifiedAt && { notifiedAt: toBeijingTime(notifiedAt) }),
        tell: tellSubject({ status, reason, filing, page, due }),
        evidence: filing.data.proof?.evidence ?? [],
        answers: await this.opened(db, said),
      };
    });
  }

  private async opened(db: ClientBase, entries: SubjectEntry[]): Promise<{ position: number }[]> {
    const texts = await this.vault.open(db, entries);
    return entries.map(({ position, acceptedAt, data }) => {
      const { statementId, kind, about, caseId, listingId, field, evidence } = data;
      const statement = textOf(texts.get(position)?.find(({ pointer }) => pointer === '/statement')?.value);
      return {
        position,
        statementId,
        kind,
        about,
        caseId,
        ...(listingId !== undefined && { listingId }),
        ...(field !== undefined && { field }),
        // Erased with its subject, nothing is left of it.
        ...(statement !== undefined && { statement }),
        evidence,
        statedAt: acceptedAt,
      };
    });
  }
}
