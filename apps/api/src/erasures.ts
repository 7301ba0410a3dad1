import {
  ERASURE_BASES,
  KEPT_AFTER_ERASURE,
  LedgerError,
  memberSource,
  toBeijingTime,
  type ErasureChange,
} from '@liandun/contracts';
import { EventLog } from '@liandun/event-log';
import { ERASURE_RIDER } from '@liandun/vault';
import { approvalById, erasedBy, erasureFindings, type ApprovalRow, type ErasureFindings } from '@liandun/views';
import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import pg from 'pg';
import { DecideErasureOf, vaultStep } from './erasure.js';
import { LedgerWriter } from './ledger-writer.js';

/** An entry of the log has room for this many positions of each sort. */
const POSITIONS_MAX = 1_000;

/** A requested erasure. */
export type ErasureApproval = ApprovalRow & { change: ErasureChange };

/** Carries approved erasures out, and tells what came of them. */
@Injectable()
export class Erasures {
  constructor(
    @Inject(pg.Pool) private readonly pool: pg.Pool,
    @Inject(EventLog) private readonly log: EventLog,
    @Inject(LedgerWriter) private readonly writer: LedgerWriter,
    private readonly commands: CommandBus,
  ) {}

  /** A request by its id; undefined where there is none, or it is for something else. */
  async find(approvalId: string): Promise<ErasureApproval | undefined> {
    const approval = await approvalById(this.pool, approvalId);
    return approval?.change.action === 'erase' ? (approval as ErasureApproval) : undefined;
  }

  /** A second person's decision. Throws LedgerError where it isn't one, or was made already. */
  async decide(approval: ErasureApproval, decision: 'approve' | 'refuse', decidedBy: string): Promise<void> {
    const { approvalId } = approval;
    const found = await this.findings(approval);
    const rest = await this.rest(approval, found);
    await this.commands.execute(new DecideErasureOf(approvalId, { kind: 'decideErasure', decision, decidedBy, found }));
    if (decision === 'approve') for (const part of rest) await this.erase(approval, decidedBy, part);
  }

  private findings({ approvalId, change }: ErasureApproval, limit = POSITIONS_MAX): Promise<ErasureFindings> {
    const source = change.scope === 'own' ? { source: memberSource(change.memberId) } : {};
    return erasureFindings(this.pool, approvalId, { ...source, limit });
  }

  /** What one entry has no room for. */
  private async rest(approval: ErasureApproval, found: ErasureFindings): Promise<ErasureFindings[]> {
    if (Math.max(found.positions.length, found.asRepresentative.length) < POSITIONS_MAX) return [];
    const all = await this.findings(approval, Infinity);
    const count = Math.max(all.positions.length, all.asRepresentative.length);
    return Array.from({ length: Math.ceil(count / POSITIONS_MAX) - 1 }, (_, n) => {
      const part = (list: number[]): number[] => list.slice((n + 1) * POSITIONS_MAX, (n + 2) * POSITIONS_MAX);
      return { ...all, positions: part(all.positions), asRepresentative: part(all.asRepresentative) };
    });
  }

  private async erase(approval: ErasureApproval, approvedBy: string, found: ErasureFindings): Promise<void> {
    const { approvalId: erasureId, change, requestedBy } = approval;
    const type = 'liandun.subject.erased.v1' as const;
    const data = { erasureId, basis: change.basis, requestedBy, approvedBy, ...found };
    const id = `approval:${erasureId}:erased:${found.positions[0] ?? ''}:${found.asRepresentative[0] ?? ''}`;
    const riders = { [ERASURE_RIDER]: vaultStep({ type, data }) };
    await this.log.append({ events: [this.writer.event(`erasure/${erasureId}`, { id, type, data }, riders)] });
  }

  /** What was asked, by whom, and, once it was granted, what is gone and what the law has kept. */
  async shown({ approvalId, change, status, ...row }: ErasureApproval): Promise<object> {
    const { basis, scope, requestId } = change;
    return {
      erasureId: approvalId,
      status,
      scope,
      basis,
      legalBasis: ERASURE_BASES[basis],
      requestId,
      requestedBy: row.requestedBy,
      requestedAt: toBeijingTime(row.requestedAt),
      ...(row.decidedBy && row.decidedAt ? { decidedBy: row.decidedBy, decidedAt: toBeijingTime(row.decidedAt) } : {}),
      ...(status === 'granted' ? await this.outcome(approvalId) : {}),
    };
  }

  private async outcome(erasureId: string): Promise<object> {
    const { positions, asRepresentative, keptOrganizations } = await erasedBy(this.pool, erasureId);
    const entries = positions.length + asRepresentative.length;
    const kept = { logEntries: entries, noticesAndDispositions: undefined, organizationData: keptOrganizations };
    return {
      erased: { entries, positions, asRepresentative },
      kept: KEPT_AFTER_ERASURE.map((item) => ({
        ...item,
        ...(kept[item.what] === undefined ? {} : { entries: kept[item.what] }),
      })),
    };
  }

  /** What the caller may see of a request; another's looks like one that doesn't exist (rule P18). */
  async page(approvalId: string, { memberId, role }: { memberId: string; role: string }): Promise<object> {
    const approval = await this.find(approvalId);
    if (!approval || (role === 'platform' && approval.requestedBy !== memberId)) throw new LedgerError('NOT_FOUND');
    return this.shown(approval);
  }
}
