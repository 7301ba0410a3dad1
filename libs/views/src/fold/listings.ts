// Listings as they are filed or listed.
import {
  DAY_MS,
  EVENT_TYPES,
  listingIdOf,
  REGISTRY_CODES,
  termDays,
  type ReasonCodeHistory,
  type RegistryList,
} from '@liandun/contracts';
import { isHeld, isOfficial, isToldAtOnce } from '@liandun/domain';
import type { StoredEvent } from '@liandun/event-log';
import { reasonCodeHistory } from '../reason-codes.js';
import { observe } from './observations.js';
import { type FoldRun, sender, bulk, keyOf } from './run.js';

function listingRow(event: StoredEvent, history: ReasonCodeHistory): object {
  const data = event.data;
  const { version, codes } = history.at(event.position);
  const registry = event.type === EVENT_TYPES.registryListed;
  const code = codes.get(registry ? REGISTRY_CODES[data.list as RegistryList] : data.reason.code);
  if (!code) throw new Error(`entry ${event.position} names a reason code that the code table does not hold`);
  const standard = registry ? 'registerPush' : data.proof.standard;
  const stated = registry ? data.until : data.expiresAt;
  const term = new Date(Date.parse(event.acceptedAt) + termDays(code, standard) * DAY_MS).toISOString();
  return {
    listingId: listingIdOf(event),
    position: event.position,
    member: sender(event),
    eventId: event.id,
    origin: registry ? 'registry' : event.type === EVENT_TYPES.merchantDelisted ? 'delisting' : 'riskEntity',
    merchantId: data.merchantId,
    list: data.list,
    decisionNo: keyOf(registry ? data.decisionNo : data.proof.decisionNo),
    kind: data.identity.kind,
    streamer: data.subject === 'streamer',
    code: code.code,
    codesVersion: Number(version),
    tier: code.tier,
    official: isOfficial(standard) && (registry || data.proof.decisionNo !== undefined),
    ordersStop: !registry && data.proof.ordersStop === true,
    // What a publisher that is too often wrong finds by itself counts as tier 3, for tier 3's term (rules P11, P19).
    finding: standard === 'platformFinding' && code.code !== 'V01',
    decidedBy: data.decidedBy,
    hearing: !registry && isHeld(data, code.tier),
    atOnce: !registry && isToldAtOnce(data, code.tier),
    victim: data.victim !== undefined,
    expiresAt: stated ?? term,
    acceptedAt: event.acceptedAt,
  };
}

export const list: FoldRun = async (client, schema, events) => {
  const history = await reasonCodeHistory(client);
  const observing = observe(client, schema, events);
  const listing = bulk(
    client,
    `insert into ${schema}.listing (listing_id, position, source_member, source_event_id, origin, merchant_id,
       registry_list, decision_no, kind, streamer, code, codes_version, tier, official, orders_stop, decided_by, victim, status, hearing, flood, told_at_once, effective_at, expires_at, accepted_at)
     select "listingId", position, member, "eventId", origin, "merchantId", list, "decisionNo", kind, streamer, code,
       "codesVersion", case when lowered then 3 else tier end, official, "ordersStop", "decidedBy", victim, case when hearing or waits then 'held' else 'published' end, hearing, waits, "atOnce", "acceptedAt",
       case when lowered then least("expiresAt", "acceptedAt" + interval '90 days') else "expiresAt" end, "acceptedAt"
     from (select r.*, r.tier = 2 and r.finding and exists (select from ${schema}.receiver p
       where p.member_id = r.member and p.lowered) as lowered, exists (select from ${schema}.flood f where f.member = r.member and f.case_id = r."eventId"
       and r.origin <> 'registry') as waits from jsonb_to_recordset($1) r ("listingId" text, position bigint, member text, "eventId" text, origin text,
       "merchantId" text, list text, "decisionNo" text, kind text, streamer boolean, code text, "codesVersion" int, tier int,
       official boolean, "ordersStop" boolean, "decidedBy" text, victim boolean, finding boolean, hearing boolean, "atOnce" boolean, "expiresAt" timestamptz, "acceptedAt" timestamptz)) listed`,
    events.map((event) => listingRow(event, history)),
  );
  await Promise.all([observing, listing]);
};

/** A delisting also ends the sender's own hosting of that account. */
export const delist: FoldRun = async (client, schema, events) => {
  await list(client, schema, events);
  await bulk(
    client,
    `update ${schema}.hosting h set active = false
     from jsonb_to_recordset($1) r (member text, "merchantId" text, position bigint)
     where h.member = r.member and h.merchant_id = r."merchantId" and h.observed_at < r.position`,
    events.map((event) => ({
      member: sender(event),
      merchantId: event.data.merchantId,
      position: event.position,
    })),
  );
};
