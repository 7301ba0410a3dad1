import {
  ERASURE_BASES,
  KEPT_AFTER_ERASURE,
  LedgerError,
  memberOfSource,
  memberSource,
  toBeijingTime,
  type ErasureChange,
  type ErasurePreview,
  type ErasureRecord,
  type Identity,
  type SubjectErased,
} from '@liandun/contracts';
import type { ReadingCaller } from '@liandun/event-log';
import { erasureRole, masked, Vault, type ErasureRole, type TokenKind } from '@liandun/vault';
import { approvalById, entriesWith, erasedBy, textsAbout, type ApprovalRow } from '@liandun/views';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { DecideErasureOf } from './erasure.js';
import { Door } from './pools.js';
import { Reads } from './reads.js';
import { Screenings } from './screenings.js';

/** An entry of the log has room for this many positions of each sort. */
const POSITIONS_MAX = 1_000;
/** How many are opened at a time, and how many whoever decides is shown. */
const OPENED_MAX = 1_000;
const SHOWN_MAX = 20;

/** A requested erasure. */
export type ErasureApproval = ApprovalRow & { change: ErasureChange };

/** An entry with the values that it holds in memory only. */
interface Judged {
  position: number;
  member: string;
  type: string;
  kinds: string[];
  identity: Identity;
  role: ErasureRole;
}

const positionOf = ({ position }: Judged): number => position;

function partsOf(judged: Judged[]): Pick<SubjectErased, 'positions' | 'asRepresentative' | 'keptOrganizations'>[] {
  const as = (role: ErasureRole): number[] => judged.filter((one) => one.role === role).map(positionOf);
  const [positions, asRepresentative, kept] = [as('subject'), as('representative'), as('kept')];
  const parts = Math.max(1, Math.ceil(Math.max(positions.length, asRepresentative.length) / POSITIONS_MAX));
  return Array.from({ length: parts }, (_, n) => {
    const part = (list: number[]): number[] => list.slice(n * POSITIONS_MAX, (n + 1) * POSITIONS_MAX);
    return { positions: part(positions), asRepresentative: part(asRepresentative), keptOrganizations: kept.length };
  });
}

function recordOf({ position, member, type, kinds, identity, role }: Judged): ErasureRecord {
  const { legalRepresentative, phones } = identity;
  const person = role === 'representative' ? legalRepresentative : identity;
  const { name, residentId } = person ?? {};
  return {
    position,
    member,
    type,
    kind: identity.kind,
    as: role === 'representative' ? 'representative' : 'subject',
    foundBy: kinds,
    ...(typeof name === 'string' && { name: masked.name(name) }),
    ...(typeof residentId === 'string' && { residentId: masked.residentId(residentId) }),
    ...(role === 'subject' &&
      phones && { phones: phones.filter((phone) => typeof phone === 'string').map(masked.phone) }),
  };
}

/** Carries approved erasures out, and tells what came of them. */
@Injectable()
export class Erasures {
  constructor(
    private readonly reads: Reads,
    private readonly door: Door,
    private readonly vault: Vault,
    private readonly commands: CommandBus,
    private readonly screenings: Screenings,
  ) {}

  /** A request by its id; undefined where the caller may see none, or it is for something else. */
  async find(approvalId: string, caller: ReadingCaller): Promise<ErasureApproval | undefined> {
    const approval = await this.reads.as(caller, (db) => approvalById(db, approvalId));
    return approval?.change.action === 'erase' ? (approval as ErasureApproval) : undefined;
  }

  /** A second person's decision. Throws LedgerError where it isn't one, or was made already. */
  async decide(approval: ErasureApproval, decision: 'approve' | 'refuse', decidedBy: string): Promise<void> {
    const { approvalId } = approval;
    const judged = decision === 'approve' ? await this.judged(approval) : [];
    const found = partsOf(judged);
    const organizations = new Set(judged.filter(({ identity }) => identity.kind === 'organization').map(positionOf));
    const inquiries = decision === 'approve' ? await this.inquiries(approval) : [];
    const command = { kind: 'decideErasure', decision, decidedBy, found } as const;
    // All of it in one transaction: a process that is killed has erased everything or nothing.
    await this.commands.execute(new DecideErasureOf(approvalId, command, organizations, inquiries));
  }

  /** The screenings that are about the person; what a platform asked in its own name where only that is to be erased. */
  private async inquiries({ approvalId, change }: ErasureApproval): Promise<string[]> {
    const person = await this.vault.requestedPerson(this.door.pool, approvalId);
    return person ? this.screenings.about(person, change.scope === 'own' ? change.memberId : undefined) : [];
  }

  /** The entries that a request is about as things stand now, opened, each with whom the person is in it. */
  private async judged({ approvalId, change }: ErasureApproval): Promise<Judged[]> {
    const person = await this.vault.requestedPerson(this.door.pool, approvalId);
    if (!person) return [];
    const source = change.scope === 'own' ? memberSource(change.memberId) : undefined;
    const hits = await entriesWith(this.door.pool, this.vault.wanted(person), source);
    const judged: Judged[] = [];
    for (let from = 0; from < hits.length; from += OPENED_MAX) {
      const some = hits.slice(from, from + OPENED_MAX);
      const opened = await this.vault.reveal(this.door.pool, some);
      for (const [n, { position, source: sender, type, kinds }] of some.entries()) {
        const { identity } = opened[n] as { identity: Identity };
        const role = erasureRole({ kinds: kinds as TokenKind[], identity }, person);
        if (role) judged.push({ position, member: memberOfSource(sender) ?? sender, type, kinds, identity, role });
      }
    }
    return [...judged, ...(await this.texts(judged))];
  }

  /** What the person wrote about these entries, and what was written to him: it goes with them. */
  private async texts(judged: Judged[]): Promise<Judged[]> {
    const own = judged.filter(({ role, identity }) => role === 'subject' && identity.kind !== 'organization');
    const found = await textsAbout(this.door.pool, own.map(positionOf));
    return own.flatMap((one) => (found.get(one.position) ?? []).map((position) => ({ ...one, position })));
  }

  /** What would be erased if it were approved now, masked: for the one who asked and the one who decides. */
  private async preview(approval: ErasureApproval): Promise<ErasurePreview> {
    const judged = (await this.judged(approval)).filter(({ role }) => role !== 'kept');
    return { entries: judged.length, records: judged.slice(0, SHOWN_MAX).map(recordOf) };
  }

  /** What was asked, by whom, and, once it was granted, what is gone and what the law has kept. */
  private async shown(approval: ErasureApproval): Promise<object> {
    const { approvalId, change, status, ...row } = approval;
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
      ...(status === 'pending' ? { found: await this.preview(approval) } : {}),
      ...(status === 'granted' ? await this.outcome(approvalId) : {}),
    };
  }

  private async outcome(erasureId: string): Promise<object> {
    const { positions, asRepresentative, keptOrganizations } = await erasedBy(this.door.pool, erasureId);
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
  async page(approvalId: string, caller: ReadingCaller): Promise<object> {
    const { memberId, role } = caller;
    const approval = await this.find(approvalId, caller);
    if (!approval || (role === 'platform' && approval.requestedBy !== memberId)) throw new LedgerError('NOT_FOUND');
    return this.shown(approval);
  }
}
