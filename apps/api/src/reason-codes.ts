import { randomUUID } from 'node:crypto';
import {
  BASE_CODES_VERSION,
  checkChangedCodes,
  fieldError,
  problemOf,
  toBeijingTime,
  type ReasonCodesChange,
} from '@liandun/contracts';
import type { ReadingCaller } from '@liandun/event-log';
import { FollowedReasonCodes, proposedCodes, type ApprovalRow } from '@liandun/views';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ProblemError } from './problems.js';
import { ChangeReasonCodes } from './reason-code-change.js';
import { Reads } from './reads.js';

/** A request to change the table of reason codes. */
export type CodesApproval = ApprovalRow & { change: ReasonCodesChange };

/** The table of reason codes, and its changes by two persons (rules P05, P20). */
@Injectable()
export class ReasonCodes {
  constructor(
    private readonly codes: FollowedReasonCodes,
    private readonly reads: Reads,
    private readonly commands: CommandBus,
  ) {}

  /** The table in force, and what is proposed, for those who may decide on it. */
  async page(caller: ReadingCaller): Promise<object> {
    await this.codes.refresh();
    const { version, codes } = this.codes.history.current;
    const page = { version, codes: [...codes.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1)) };
    if (caller.role !== 'admin' && caller.role !== 'regulator') return page;
    const waiting = (await this.reads.as(caller, (db) => proposedCodes(db))) as CodesApproval[];
    const proposed = waiting.map(({ approvalId, requestedBy, requestedAt, change }) => ({
      approvalId,
      requestedBy,
      requestedAt: toBeijingTime(requestedAt),
      version: String(change.version),
      codes: change.codes,
    }));
    return { ...page, proposed };
  }

  /** Throws ProblemError with the row and field of whatever is wrong. */
  async propose(memberId: string, body: unknown): Promise<{ approvalId: string; version: string }> {
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw new ProblemError(problemOf([fieldError('', 'WRONG_TYPE')]));
    const [unknown, ...more] = Object.keys(body)
      .filter((name) => name !== 'codes')
      .map((name) => fieldError(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, 'UNKNOWN_FIELD'));
    if (unknown) throw new ProblemError(problemOf([unknown, ...more]));
    await this.codes.refresh(true);
    const table = this.codes.history.current;
    const checked = checkChangedCodes((body as { codes?: unknown }).codes, table);
    if ('errors' in checked) throw new ProblemError(problemOf(checked.errors));
    const version = Number(table.version) + 1;
    const approvalId = randomUUID();
    const change: ReasonCodesChange = { action: 'changeReasonCodes', memberId, version, codes: checked.codes };
    const command = { kind: 'proposeCodes' as const, approvalId, change, base: BASE_CODES_VERSION };
    await this.commands.execute(new ChangeReasonCodes(approvalId, command));
    return { approvalId, version: String(version) };
  }

  /** A second person's word. Throws LedgerError where it isn't one, or the table has changed since. */
  async conclude({ approvalId }: CodesApproval, decision: 'approve' | 'refuse', decidedBy: string): Promise<void> {
    const command = { kind: 'concludeCodes' as const, decision, decidedBy, base: BASE_CODES_VERSION };
    await this.commands.execute(new ChangeReasonCodes(approvalId, command));
    await this.codes.refresh(true);
  }
}
