import { LedgerError, type AlarmRaised } from '@liandun/contracts';
import { EventLog } from '@liandun/event-log';
import { standingAlarms } from '@liandun/tlog';
import {
  auditEvents,
  coverage,
  edgesAmong,
  entityPage,
  stepsOf,
  type AuditFilter,
  type EntityPage,
} from '@liandun/views';
import { Controller, Get, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { ClientBase } from 'pg';
import { callerOf } from './access-hooks.js';
import { Apart } from './apart.js';
import { ALARM_STREAM } from './enumeration.js';
import { explained } from './explain.js';
import { cursorOf, limitOf, textOf, timeOf } from './query.js';
import { Reads } from './reads.js';

const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new LedgerError('NOT_FOUND');
  return value;
};

const ENTITY_ID = /^E\d{1,15}-[0-9a-f]{12}$/;
const LISTING_ID = /^L\d{1,15}-[0-9a-f]{12}$/;

/** The page with why each observation is of the entity: what it hangs by, and what was found and decided of it. */
async function explainedPage(db: ClientBase, page: EntityPage): Promise<object> {
  const positions = page.observations.map(({ position }) => position);
  const links = (await edgesAmong(db, positions)).filter(({ outcome }) => outcome === 'link');
  const steps = await stepsOf(db, positions);
  const observations = page.observations.map((observation) => {
    const { position } = observation;
    const surest = links.find(({ a, b }) => a === position || b === position);
    return {
      ...observation,
      explanation: { ...(surest && { surest: explained(surest) }), how: steps.get(position) ?? [] },
    };
  });
  return { ...page, observations };
}

/** What members and regulators ask of the folded ledger. */
@Controller('/v1')
export class QueriesController {
  constructor(
    private readonly reads: Reads,
    private readonly log: EventLog,
    private readonly whyApart: Apart,
  ) {}

  /** A platform sees its own facts only; what it has no part in is not there for it (rule P18). */
  @Get('/entities/:entityId')
  async entity(@Req() request: FastifyRequest, @Param('entityId') entityId: string): Promise<object> {
    const caller = callerOf(request);
    const member = caller.role === 'regulator' ? undefined : caller.memberId;
    if (!ENTITY_ID.test(entityId)) throw new LedgerError('NOT_FOUND');
    return this.reads.as(caller, async (db) => {
      const page = found(await entityPage(db, entityId, member));
      return member === undefined ? explainedPage(db, page) : page;
    });
  }

  /** Why two entities aren't one: what contradicts, what is too weak, what is shared by too many, what a person decided. */
  @Get('/entities/:entityId/apart/:other')
  async apart(
    @Req() request: FastifyRequest,
    @Param('entityId') entityId: string,
    @Param('other') other: string,
  ): Promise<object> {
    if (![entityId, other].every((id) => ENTITY_ID.test(id))) throw new LedgerError('NOT_FOUND');
    return this.whyApart.between(callerOf(request), [entityId, other]);
  }

  @Get('/listings/:listingId/coverage')
  async coverage(@Req() request: FastifyRequest, @Param('listingId') listingId: string): Promise<object> {
    if (!LISTING_ID.test(listingId)) throw new LedgerError('NOT_FOUND');
    return found(await this.reads.as(callerOf(request), (db) => coverage(db, listingId)));
  }

  /** A platform gets what it sent or received; another's entries are not there for it. */
  @Get('/audit/events')
  async audit(@Req() request: FastifyRequest): Promise<object> {
    const caller = callerOf(request);
    const { memberId, role } = caller;
    const asked = textOf(request, 'member');
    const after = cursorOf(request, 'after');
    const filter: Record<string, unknown> = {
      member: role === 'regulator' ? asked : memberId,
      type: textOf(request, 'type'),
      entityId: textOf(request, 'entityId'),
      from: timeOf(request, 'from'),
      to: timeOf(request, 'to'),
      after,
      limit: limitOf(request),
    };
    if (role !== 'regulator' && asked !== undefined && asked !== memberId) return { items: [], next: after };
    const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
    return this.reads.as(caller, (db) => auditEvents(db, given as unknown as AuditFilter));
  }

  /**
   * Who seems to sweep the ledger (rule P15) or stays silent, and with it what witnesses hold against the log now. The member
   * that an alarm is about doesn't learn of it here.
   */
  @Get('/alarms')
  async alarms(@Req() request: FastifyRequest): Promise<object> {
    const after = cursorOf(request, 'after');
    const entries = await this.log.readStream(ALARM_STREAM, { after, limit: limitOf(request) });
    const items = entries.map(({ data, acceptedAt }) => {
      const { about: member, ...alarm } = data as AlarmRaised;
      return { ...alarm, member, raisedAt: acceptedAt };
    });
    const witnesses = await this.reads.as(callerOf(request), standingAlarms);
    return { items, next: entries.at(-1)?.version ?? after, witnesses };
  }
}
