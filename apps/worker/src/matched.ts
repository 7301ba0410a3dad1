// Tells platforms that a later listing matches what they asked before: the retroactive alert.
import { EVENT_TYPES, toBeijingTime, type AlarmRaised, type ScreeningMatched } from '@liandun/contracts';
import { entitled } from '@liandun/domain';
import { EventLog, type NewEvent, type ReaderDefinition, type StoredEvent } from '@liandun/event-log';
import {
  inquiriesAbout,
  isSurer,
  liveGenerations,
  purgeInquiries,
  renewInquiries,
  screen,
  type MatchIndex,
  type ScreeningMatch,
} from '@liandun/matching';
import type { Vault } from '@liandun/vault';
import {
  lastMatchedNos,
  listingsTouchedAt,
  receivers,
  relatedAlarmId,
  relatedToListed,
  standingListings,
  toldMatches,
} from '@liandun/views';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase, Pool } from 'pg';
import { ALL_BUT_NOTICES } from './notify.js';
import { outcomeEvent } from './outcome.js';

const PAGE_MAX = 200;
const VIEW_LOOKED_AT_EVERY_MS = 20;
const VIEW_LOOKS_MAX = 100;

/** An inquiry that a listing matches now, by how much more than its member knows. */
interface Alert {
  member: string;
  screeningId: string;
  said: Buffer;
  match: ScreeningMatch;
}

/**
 * The reader behind the notices: at each event after which a listing stands for an entity, it asks again what platforms asked of
 * the last 360 days, by the same matcher and rules, and tells each what it wasn't told yet and what `entitled` grants it.
 */
export const matchedReader = (log: EventLog, index: MatchIndex, vault: Vault): ReaderDefinition => ({
  name: 'matched',
  batchMax: 500,
  types: ALL_BUT_NOTICES,
  patienceMs: 25,
  async handle(client, events) {
    const last = events.at(-1);
    if (!last) return;
    await viewReached(client, last.position);
    const positions = events.map(({ position }) => position);
    const regrouped = events.filter(({ type }) => REGROUPING.has(type)).map(({ data }) => data.entityId as string);
    await alarm(client, log, events, regrouped);
    const observations = await listingsTouchedAt(client, positions, regrouped);
    if (observations.length === 0) return;
    const active = (await liveGenerations(client)).find(({ state }) => state === 'active');
    if (!active) return;
    for (let after = NIL; ;) {
      const page = await inquiriesAbout(client, vault, observations, { after, limit: PAGE_MAX });
      const alerts: Alert[] = [];
      for (const { screeningId, ...inquiry } of page) {
        const matches = await screen(client, index, vault, active, inquiry);
        alerts.push(...matches.map((match) => ({ member: inquiry.member, screeningId, said: inquiry.said, match })));
      }
      await tell(client, log, alerts, last);
      const next = page.at(-1);
      if (!next || page.length < PAGE_MAX) return;
      after = next.screeningId;
    }
  },
});

/**
 * Alarms regulators where an entity was listed that another is related to, or the other way round, once for each listing and
 * related entity. Nobody else learns of it, and nothing closes by it (rule P13).
 */
async function alarm(
  client: ClientBase,
  log: EventLog,
  events: readonly StoredEvent[],
  regrouped: readonly string[],
): Promise<void> {
  const trigger = events.at(-1) as StoredEvent;
  const related = events
    .filter(({ type }) => type === EVENT_TYPES.entityRelated)
    .map(({ data }) => data.entityId as string);
  const found = await relatedToListed(
    client,
    events.map(({ position }) => position),
    [...new Set([...regrouped, ...related])],
  );
  if (found.length === 0) return;
  const alarms = found.map((one) => {
    const data: AlarmRaised = {
      alarm: 'relatedListed',
      about: one.publisher,
      day: toBeijingTime(new Date(trigger.acceptedAt)).slice(0, 10),
      limit: 1,
      listingId: one.listingId,
      relatedEntityId: one.entityId,
      relation: one.kind,
    };
    return outcomeEvent(relatedAlarmId(one), EVENT_TYPES.alarmRaised, {
      time: trigger.acceptedAt,
      stream: 'alarms',
      data,
    });
  });
  const [outcome] = await log.appendIn(client, [{ events: alarms }]);
  if (outcome?.status !== 'appended') throw new Error(`no alarm could be raised: ${outcome?.status ?? 'none'}`);
}

const REGROUPING = new Set<string>([EVENT_TYPES.entityLinked, EVENT_TYPES.entityMerged, EVENT_TYPES.entitySplit]);
const NIL = '00000000-0000-0000-0000-000000000000';

/** What is listed is folded by the notify reader: this one reads behind it. */
export async function viewReached(client: ClientBase, position: number): Promise<void> {
  for (let looks = 0; looks < VIEW_LOOKS_MAX; looks += 1) {
    const { rows } = await client.query<{ position: string }>(`select position from log.reader where name = 'notify'`);
    if (Number(rows[0]?.position ?? -1) >= position) return;
    await sleep(VIEW_LOOKED_AT_EVERY_MS);
  }
  throw Object.assign(new Error('the notify reader is behind'), { transient: true });
}

/** Appends a `screening.matched` for what is new to its member and granted to it, and keeps that it was told. */
async function tell(client: ClientBase, log: EventLog, found: readonly Alert[], trigger: StoredEvent): Promise<void> {
  if (found.length === 0) return;
  const known = await toldMatches(client, found);
  const unknown = found.filter(({ member, said, match }) => {
    const before = known.get(`${member} ${said.toString('hex')} ${match.listingId}`);
    return before === undefined || isSurer(match.grade, before);
  });
  if (unknown.length === 0) return;
  const [members, listings] = await Promise.all([
    receivers(client),
    standingListings(client, { listingIds: [...new Set(unknown.map(({ match }) => match.listingId))] }),
  ]);
  const granted = unknown.filter(({ member, match }) => {
    const receiver = members.get(member);
    const about = listings.find(({ listing }) => listing.listingId === match.listingId);
    return receiver && about && entitled(receiver, about.listing, trigger, { screening: true }).granted;
  });
  if (granted.length === 0) return;
  const events = eventsOf(
    granted,
    trigger,
    await lastMatchedNos(client, [...new Set(granted.map(({ member }) => member))]),
  );
  const [outcome] = await log.appendIn(client, [{ events }]);
  if (outcome?.status !== 'appended') throw new Error(`members could not be told: ${outcome?.status ?? 'none'}`);
  await client.query(
    `insert into screening.told (member, said, listing_id, grade)
     select * from unnest($1::text[], $2::bytea[], $3::text[], $4::text[])
     on conflict (member, said, listing_id) do update set grade = excluded.grade`,
    [
      granted.map(({ member }) => member),
      granted.map(({ said }) => said),
      granted.map(({ match }) => match.listingId),
      granted.map(({ match }) => match.grade),
    ],
  );
}

function eventsOf(alerts: readonly Alert[], trigger: StoredEvent, last: Map<string, number>): NewEvent[] {
  const next = new Map(last);
  return alerts.map(({ member, screeningId, match }) => {
    const no = (next.get(member) ?? -1) + 1;
    next.set(member, no);
    const { listingId, grade, reason, tier, effectiveAt, expiresAt } = match;
    const id = `matched:${trigger.position}:${member}:${no}`;
    const data: ScreeningMatched = { member, no, screeningId, listingId, grade, reason, tier, effectiveAt, expiresAt };
    return outcomeEvent(id, EVENT_TYPES.screeningMatched, {
      time: trigger.acceptedAt,
      stream: `matched/${member}`,
      data,
    });
  });
}

/** Forgets inquiries whose time has come, and brings the others to the keys in use. */
export async function tendInquiries(pool: Pool, index: MatchIndex, vault: Vault): Promise<void> {
  await purgeInquiries(pool);
  const active = (await liveGenerations(pool)).find(({ state }) => state === 'active');
  if (!active) return;
  while ((await renewInquiries(pool, index, vault, active)) > 0);
}
